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
}

impl DialectError {
    pub(super) fn new(line: usize, expected: &str, found: &str) -> Self {
        let found = if found.is_empty() { "nothing".to_owned() } else { quoted(found) };
        Self { line, expected: quoted(expected), found }
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
