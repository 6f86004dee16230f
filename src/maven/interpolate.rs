//! `${…}` in a model (`StringVisitorModelInterpolator`).
//!
//! A name is looked for in the model's own fields if it begins with `project.` or `pom.`, then among the user's properties, the
//! model's, the system's, the environment's, and at last among the fields by their bare names. Values are interpolated too. A
//! value that holds the very expression it is asked for is passed over; one that leads back to itself otherwise is an error.
//! What nobody knows stays as it is.

use std::collections::HashMap;
use std::sync::Arc;

use super::coordinate::Text;
use super::machine::Machine;
use super::pom::Properties;

/// Longest text that an expression may become, in bytes.
const MAX_LENGTH: usize = 64 << 10;

/// Most bytes that all values of a model may become.
const MAX_TOTAL: usize = 16 << 20;

/// Most expressions inside each other's values.
const MAX_DEPTH: usize = 200;

/// An expression that cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpolationError {
    /// It leads back to itself.
    #[error("the expression `${{{0}}}` refers to itself")]
    Cycle(String),
    /// It grows without end, or nests without end.
    #[error("the expression `${{{0}}}` expands to too much")]
    TooMuch(String),
}

/// Resolves expressions for one model.
pub(super) struct Interpolator<'a> {
    /// Fields of the model, by their names below `project.`.
    pub fields: HashMap<&'static str, Text>,
    /// Properties of the command line that come before the model's.
    pub user: &'a Properties,
    /// The model's properties, then those of its parents.
    pub properties: &'a [Arc<Properties>],
    /// Properties that the build's extensions bring into the session.
    pub session: &'a Properties,
    /// The machine.
    pub machine: &'a Machine,
    /// What is known already.
    resolved: HashMap<String, Option<Text>>,
    /// Names whose values are being resolved, outermost first.
    open: Vec<String>,
    /// Bytes of all values so far.
    total: usize,
}

impl<'a> Interpolator<'a> {
    /// An interpolator that has resolved nothing yet.
    pub(super) fn new(
        fields: HashMap<&'static str, Text>,
        user: &'a Properties,
        properties: &'a [Arc<Properties>],
        session: &'a Properties,
        machine: &'a Machine,
    ) -> Self {
        Self {
            fields,
            user,
            properties,
            session,
            machine,
            resolved: HashMap::new(),
            open: Vec::new(),
            total: 0,
        }
    }

    /// `text` with its expressions resolved.
    pub(super) fn text(&mut self, text: &Text) -> Result<Text, InterpolationError> {
        if text.contains("${") { self.resolve_all(text).map(Text::from) } else { Ok(Arc::clone(text)) }
    }

    /// The same for a text that may not be there.
    pub(super) fn optional(&mut self, text: Option<&Text>) -> Result<Option<Text>, InterpolationError> {
        text.map(|text| self.text(text)).transpose()
    }

    /// Resolves the value of every property of the model.
    pub(super) fn all_properties(&mut self) -> Result<(), InterpolationError> {
        for (depth, properties) in self.properties.iter().enumerate() {
            let mut expressions: Vec<_> =
                properties.iter().filter(|(_, value)| value.contains("${")).collect();
            // Which one is named in an error shall not be chance.
            expressions.sort_unstable();
            for (name, value) in expressions {
                // A child's property hides that of a parent.
                if self.properties[..depth].iter().all(|nearer| !nearer.contains_key(name)) {
                    self.text(value)?;
                }
            }
        }
        Ok(())
    }

    fn resolve_all(&mut self, text: &str) -> Result<String, InterpolationError> {
        let mut result = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            let (before, after) = (&rest[..start], &rest[start + length + 1..]);
            let whole = &rest[start..=start + length];
            result.push_str(before);
            match self.resolve(&whole[2..length], whole)? {
                Some(value) => result.push_str(&value),
                None => result.push_str(whole),
            }
            self.total += result.len();
            if result.len() > MAX_LENGTH || self.total > MAX_TOTAL {
                return Err(InterpolationError::TooMuch(shown(&whole[2..length])));
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn resolve(&mut self, name: &str, whole: &str) -> Result<Option<Text>, InterpolationError> {
        if let Some(known) = self.resolved.get(name) {
            return Ok(known.clone());
        }
        if self.open.iter().any(|open| open == name) {
            return Err(InterpolationError::Cycle(shown(name)));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(InterpolationError::TooMuch(shown(name)));
        }
        let mut refers_to_itself = false;
        let mut found = None;
        for source in 0..7 {
            let Some(value) = self.source(source, name) else { continue };
            if !value.contains(whole) {
                found = Some(value);
                break;
            }
            refers_to_itself = true;
        }
        let value = match found {
            None if refers_to_itself => return Err(InterpolationError::Cycle(shown(name))),
            Some(value) if value.contains("${") => {
                self.open.push(name.to_owned());
                let value = self.resolve_all(&value)?;
                self.open.pop();
                Some(value.into())
            }
            other => other,
        };
        self.resolved.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    /// What the sources know, in their order.
    fn source(&self, source: usize, name: &str) -> Option<Text> {
        match source {
            0 => {
                let field = name.strip_prefix("project.").or_else(|| name.strip_prefix("pom."))?;
                self.fields.get(field).cloned()
            }
            1 => self.user.get(name).cloned(),
            2 => self.properties.iter().find_map(|properties| properties.get(name)).cloned(),
            3 => self.session.get(name).cloned(),
            4 => self.machine.system.get(name).cloned(),
            5 => self.machine.system.get(format!("env.{name}").as_str()).cloned(),
            _ => self.fields.get(name).cloned(),
        }
    }
}

fn shown(name: &str) -> String {
    crate::path::shown(name.as_bytes())
}

#[cfg(test)]
mod tests;
