//! Editing an image's config (OCI image-spec, "OCI Image Configuration").

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ImageError;
use crate::digest::Digest;

/// The user that Strimzi's Dockerfile ends with.
const RUNTIME_USER: &str = "1001";

/// The history entry of one added layer.
#[derive(Debug, Clone)]
pub struct History {
    /// `created_by`.
    pub created_by: String,
    /// The layer's `diff_id`.
    pub diff_id: Digest,
}

/// Adds layers to `config`. `created` is RFC 3339.
pub(super) fn append(
    config: &mut Value,
    base_layers: usize,
    added: &[History],
    created: &str,
    labels: &BTreeMap<String, String>,
) -> Result<(), ImageError> {
    let unreadable = || ImageError::Unreadable("config");
    let diff_ids =
        config.pointer_mut("/rootfs/diff_ids").and_then(Value::as_array_mut).ok_or_else(unreadable)?;
    diff_ids.extend(added.iter().map(|entry| json!(entry.diff_id)));

    let object = config.as_object_mut().ok_or_else(unreadable)?;
    let history = object.entry("history").or_insert_with(|| json!([]));
    if history.is_null() {
        *history = json!([]);
    }
    let history = history.as_array_mut().ok_or_else(unreadable)?;
    // A base without history would leave one that disagrees with the number of layers, which podman refuses to convert.
    let told = history.iter().filter(|entry| entry.get("empty_layer") != Some(&Value::Bool(true))).count();
    for _ in told..base_layers {
        history.push(json!({ "comment": "layer of the base image" }));
    }
    history.extend(added.iter().map(|entry| json!({ "created": created, "created_by": entry.created_by })));
    object.insert("created".into(), json!(created));

    let settings = object.entry("config").or_insert_with(|| json!({}));
    if settings.is_null() {
        *settings = json!({});
    }
    let settings = settings.as_object_mut().ok_or_else(unreadable)?;
    if base_layers > 0 {
        settings.insert("User".into(), json!(RUNTIME_USER));
    }
    set_labels(settings, labels)
}

fn set_labels(
    settings: &mut Map<String, Value>,
    labels: &BTreeMap<String, String>,
) -> Result<(), ImageError> {
    if labels.is_empty() {
        return Ok(());
    }
    let all = settings.entry("Labels").or_insert_with(|| json!({}));
    if all.is_null() {
        *all = json!({});
    }
    let all = all.as_object_mut().ok_or(ImageError::Unreadable("config"))?;
    all.extend(labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    Ok(())
}

/// Seconds since 1970 as RFC 3339 in UTC, `1970-01-01T00:00:00Z` (Howard Hinnant's `civil_from_days`).
pub(super) fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest % 3_600 / 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
