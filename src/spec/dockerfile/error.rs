//! What is wrong with a Dockerfile: where, what was expected, what stands there.

/// A Dockerfile that Strimzi does not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the Dockerfile is not as Strimzi writes it: expected {expected}, found {found}")]
pub struct DialectError {
    /// The line, from 1 on.
    pub line: usize,
    /// What could stand there.
    pub expected: String,
    /// What does.
    pub found: String,
    /// The operator's variable whose value stands there as it is.
    pub variable: Option<String>,
}

impl DialectError {
    pub(super) fn new(line: usize, expected: &str, found: &str) -> Self {
        let found = if found.is_empty() { "nothing".to_owned() } else { quoted(found) };
        Self { line, expected: quoted(expected), found, variable: None }
    }

    /// The same, where the value of an operator's variable stands: `http_proxy` for `HTTP_PROXY`.
    pub(super) fn of_variable(self, argument: &str) -> Self {
        Self { variable: Some(argument.to_ascii_uppercase()), ..self }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match &self.variable {
            Some(variable) => format!(
                "this is the variable {variable} of Strimzi's operator, as it stands in the operator's Deployment: it must not \
                 have quotes, `$` or backslashes, and blanks only between entries of a list"
            ),
            None => "only the Dockerfile that Strimzi's operator makes of `spec.build` is read, from 0.45 to 1.3; if this is \
                     one, please report it with the operator's version"
                .to_owned(),
        }
    }
}

/// In backquotes, on one line, and not for ever. Queries and passwords of URLs stay out of it.
fn quoted(text: &str) -> String {
    // A proxy's URL need not have a scheme, by which it could be told.
    let proxy =
        text.strip_prefix("ARG ").and_then(|rest| rest.split_once("_proxy=")).filter(|(name, value)| {
            !value.starts_with('<') && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
    if let Some((name, _)) = proxy {
        return format!("`ARG {}_proxy=***`", crate::path::shown(name.as_bytes()));
    }
    format!("`{}`", crate::path::shown(crate::redact::without_secrets(text).as_bytes()))
}
