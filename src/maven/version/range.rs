//! What a `<version>` asks for: a recommendation, or ranges that every choice must lie in.
//!
//! The grammar is that of Maven Resolver's `GenericVersionScheme`: a text without brackets is a recommendation ("soft");
//! `[1,2)`, `(,1]`, `[1]` and `[1.2.*]`, and lists of these with commas between them, are hard.

use std::fmt;

use super::Version;

/// One range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    lower: Option<Bound>,
    upper: Option<Bound>,
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    version: Version,
    inclusive: bool,
}

/// What a dependency asks for.
#[derive(Debug, Clone)]
pub(crate) enum Constraint {
    /// This version, unless a nearer dependency says otherwise.
    Soft(Version),
    /// A version inside one of these ranges, and no other.
    Hard {
        /// As written.
        text: String,
        /// At least one.
        ranges: Vec<Range>,
    },
}

/// A version range that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version range: {problem}")]
pub struct InvalidConstraint {
    /// As written.
    pub text: String,
    /// What is wrong.
    pub problem: &'static str,
}

impl Constraint {
    /// Reads a version or ranges.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidConstraint> {
        let invalid = |problem| InvalidConstraint { text: text.to_owned(), problem };
        let mut rest = text;
        let mut ranges = Vec::new();
        while rest.starts_with(['[', '(']) {
            let end = rest.find([')', ']']).ok_or_else(|| invalid("a bracket is not closed"))?;
            ranges.push(Range::parse(&rest[..=end]).map_err(invalid)?);
            rest = rest[end + 1..].trim();
            rest = rest.strip_prefix(',').map_or(rest, str::trim);
        }
        if ranges.is_empty() {
            return Ok(Self::Soft(Version::parse(text)));
        }
        if !rest.is_empty() {
            return Err(invalid("after a range comes another range, or nothing"));
        }
        Ok(Self::Hard { text: text.to_owned(), ranges })
    }

    /// Whether no other version than one in the ranges will do.
    pub(crate) fn is_hard(&self) -> bool {
        matches!(self, Self::Hard { .. })
    }

    /// Whether `version` satisfies it. A recommendation is satisfied by everything.
    pub(crate) fn admits(&self, version: &Version) -> bool {
        match self {
            Self::Soft(_) => true,
            Self::Hard { ranges, .. } => ranges.iter().any(|range| range.contains(version)),
        }
    }

    /// The only version that there is to choose without a look at what is published: a recommendation, or `[1]`.
    pub(crate) fn only(&self) -> Option<&Version> {
        match self {
            Self::Soft(version) => Some(version),
            Self::Hard { ranges, .. } => match ranges.as_slice() {
                [Range { lower: Some(lower), upper: Some(upper) }] if lower == upper => Some(&lower.version),
                _ => None,
            },
        }
    }

    /// Whether a range is open above, which a parent's version may not be (`DefaultModelResolver`).
    pub(crate) fn is_open_above(&self) -> bool {
        matches!(self, Self::Hard { ranges, .. } if ranges.iter().any(|range| range.upper.is_none()))
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Soft(version) => version.fmt(f),
            Self::Hard { text, .. } => f.write_str(text),
        }
    }
}

impl Range {
    /// Reads one range, its brackets included (`GenericVersionRange`).
    fn parse(text: &str) -> Result<Self, &'static str> {
        let lower_inclusive = text.starts_with('[');
        let upper_inclusive = text.ends_with(']');
        let inner = &text[1..text.len() - 1];
        let bound = |text: &str, inclusive| {
            let text = text.trim();
            (!text.is_empty()).then(|| Bound { version: Version::parse(text), inclusive })
        };
        let Some((lower, upper)) = inner.split_once(',') else {
            if !lower_inclusive || !upper_inclusive {
                return Err("a single version stands in square brackets");
            }
            let version = inner.trim();
            let (lower, upper) = match version.strip_suffix('*').filter(|prefix| prefix.ends_with('.')) {
                Some(prefix) => (format!("{prefix}min"), format!("{prefix}max")),
                None => (version.to_owned(), version.to_owned()),
            };
            let end = |text: String| Some(Bound { version: Version::parse(text), inclusive: true });
            return Ok(Self { lower: end(lower), upper: end(upper) });
        };
        if upper.contains(',') {
            return Err("a range has two ends");
        }
        let range = Self { lower: bound(lower, lower_inclusive), upper: bound(upper, upper_inclusive) };
        match (&range.lower, &range.upper) {
            (Some(lower), Some(upper)) if upper.version < lower.version => {
                Err("its ends are in the wrong order")
            }
            _ => Ok(range),
        }
    }

    /// Whether `version` lies inside.
    pub(crate) fn contains(&self, version: &Version) -> bool {
        let above = self.lower.as_ref().is_none_or(|lower| {
            if lower.inclusive { lower.version <= *version } else { lower.version < *version }
        });
        let below = self.upper.as_ref().is_none_or(|upper| {
            if upper.inclusive { *version <= upper.version } else { *version < upper.version }
        });
        above && below
    }
}
