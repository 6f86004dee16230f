//! Holds a value against a JSON schema and says in plain words where it differs.
//!
//! Only what schemars writes for our own types is understood: `type`, `enum`, `properties`, `required`,
//! `additionalProperties: false`, `items`, `pattern`, `minLength`. A `null` counts as absent, as for the
//! Kubernetes API server.

use regex::Regex;
use serde_json::{Map, Value};

use super::Violation;

/// Appends to `violations` everything in which `value` (at `field`) differs from `schema`.
pub(super) fn check(schema: &Value, value: &Value, field: &str, violations: &mut Vec<Violation>) {
    let mut violate = |message: String| violations.push(Violation { field: field.to_owned(), message });
    if let Some(wanted) = wrong_type(schema, value) {
        let found = type_name(value);
        let mut message = format!("must be {}, but is {}", article(wanted), article(found));
        if wanted == "string" && matches!(value, Value::Number(_) | Value::Bool(_)) {
            message.push_str(": put it into quotes");
        }
        return violate(message);
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        let found = crate::path::shown(value.as_str().unwrap_or_default().as_bytes());
        let found = found.as_str();
        let near =
            nearest(found, &allowed).map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
        return violate(format!("is `{found}`, but must be one of {}{near}", quoted(&allowed)));
    }
    match value {
        Value::String(text) => {
            if text.is_empty() && schema.get("minLength").is_some() {
                violate("must not be empty".into());
            } else if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
                && !Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
            {
                let text = crate::path::shown(crate::redact::shown_url(text).as_bytes());
                violate(format!("is `{text}`, which does not match `{pattern}`"));
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                check(schema, item, &format!("{field}[{index}]"), violations);
            }
        }
        Value::Object(object) => check_object(schema, object, field, violations),
        _ => {}
    }
}

fn check_object(schema: &Value, object: &Map<String, Value>, field: &str, violations: &mut Vec<Violation>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if object.get(name).is_none_or(Value::is_null) {
            violations.push(Violation { field: join(field, name), message: "is required".into() });
        }
    }
    for (name, value) in object {
        match properties.get(name) {
            Some(_) if value.is_null() => {}
            Some(schema) => check(schema, value, &join(field, name), violations),
            None => {
                let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                let message = format!("is not a known field{}", nearest_or_all(name, &known));
                violations.push(Violation { field: join(field, &shown_key(name)), message });
            }
        }
    }
}

/// The field path of `name` inside `field`.
pub(super) fn join(field: &str, name: &str) -> String {
    if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") }
}

/// `value` without its nulls, which mean "absent".
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            (object.iter().filter(|(_, value)| !value.is_null()))
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

fn shown_key(name: &str) -> String {
    crate::path::shown(name.as_bytes())
}

/// The type that `schema` wants, where `value` has another one.
fn wrong_type<'a>(schema: &'a Value, value: &Value) -> Option<&'a str> {
    let wanted: Vec<&str> = match schema.get("type")? {
        Value::String(one) => vec![one],
        several => several.as_array()?.iter().filter_map(Value::as_str).collect(),
    };
    (!wanted.contains(&type_name(value))).then(|| wanted.first().copied()).flatten()
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn article(type_name: &str) -> String {
    match type_name {
        "null" => "empty".into(),
        "array" => "a list".into(),
        "object" => "a map".into(),
        other => format!("a {other}"),
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// `: did you mean …?` if one of the known names is near, or else all of them.
fn nearest_or_all(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(nearest) => format!(": did you mean `{nearest}`?"),
        None => format!("; known are {}", quoted(known)),
    }
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    (known.iter())
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), *known))
        .filter(|(distance, known)| *distance <= 2.max(known.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
