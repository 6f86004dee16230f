//! What is wrong with a foreign command line.

use connect_build::error::{Diagnose, Reason};

use super::buildah;

/// A launch that cannot be followed. Values are left out where they may be secrets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum LaunchError {
    /// An argument that is not UTF-8.
    #[error("an argument is not valid UTF-8")]
    NotText,
    /// An option that nobody knows.
    #[error("{launcher} has no option `{option}` that is known here")]
    Unknown {
        launcher: &'static str,
        option: String,
        /// Those that are.
        known: String,
    },
    /// A word that is none, and may be a password.
    #[error("argument {place} is no option of Kaniko")]
    Word {
        /// From 1.
        place: usize,
    },
    /// An option that cannot be followed.
    #[error("`{option}` cannot be followed: {reason}")]
    Refused { option: String, reason: &'static str },
    /// A value that the option cannot have.
    #[error("`{option}` wants {wanted}")]
    Value { option: String, wanted: &'static str },
    /// An option that has to be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A script that Strimzi does not write.
    #[error("line {line} of the script is not as Strimzi writes it: expected {expected}, found {found}")]
    Script { line: usize, expected: String, found: String },
    /// Something for a shell to do.
    #[error("line {line} of the script has {what}, and no shell is run here")]
    Shell { line: usize, what: String },
    /// A variable that is not set.
    #[error("line {line} of the script names the variable `{name}`, which is not set")]
    Variable { line: usize, name: String },
}

impl Diagnose for LaunchError {
    fn reason(&self) -> Reason {
        Reason::InvalidArguments
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { known, .. } => format!("known are {known}"),
            Self::Script { .. } | Self::Shell { .. } | Self::Variable { .. } => {
                "only the three commands that Strimzi's operator gives to Buildah are read; options come from \
                 `additionalBuildOptions` and `additionalPushOptions` of the resource"
                    .into()
            }
            Self::Word { .. } => "options begin with `--`, and a value stands behind `=`".into(),
            Self::Missing(buildah::FORM) => {
                "a shell is launched with `-ec` and the three commands that Strimzi's operator gives to Buildah, and none \
                 is run here"
                    .into()
            }
            Self::Missing(_) => "README lists what of Kaniko's command line works; our own commands are in `--help`".into(),
            _ => return None,
        })
    }
}
