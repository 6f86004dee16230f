#![allow(clippy::unwrap_used)]

use super::*;

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// As if it had been written long ago.
fn aged(mut status: Status) -> Status {
    for condition in &mut status.conditions {
        condition.last_transition_time = Time(LONG_AGO.into());
    }
    status
}

fn words(status: &Status) -> Vec<(&str, ConditionStatus, &str, bool)> {
    (status.conditions.iter())
        .map(|c| (c.kind.as_str(), c.status, c.reason.as_str(), c.last_transition_time.0 == LONG_AGO))
        .collect()
}

/// `metav1.Condition`: the time is that of the last change from one status to another, and not of each write.
#[test]
fn times_of_conditions_are_those_of_changes() {
    use ConditionStatus::{False, True};
    let mut status = aged(Status::begin(&Status::default(), Some(1), None));
    assert_eq!(words(&status), [("Ready", False, "Building", true)]);
    let advance = |fetched, built| Advance { plugins: Some(2), fetched, built, downloaded: 7, uploaded: 0 };
    status.advance(&advance(0, 0));
    let mut status = aged(status);
    status.advance(&advance(2, 1));
    let expected = [
        ("Ready", False, "Building", true),
        ("Downloaded", True, "Complete", false),
        ("Assembled", False, "InProgress", true),
        ("Pushed", False, "InProgress", true),
    ];
    assert_eq!(words(&status), expected);
    // The next build of the same generation is another attempt, and has all before it.
    let again = Status::begin(&aged(status), Some(1), Some("pod".into()));
    assert_eq!(words(&again), [("Ready", False, "Building", true)]);
    assert_eq!(again.build, Some(Builder { pod: Some("pod".into()), attempt: 2 }));
    let next = Status::begin(&again, Some(2), None);
    assert_eq!(next.build.unwrap().attempt, 1);
}

#[test]
fn a_status_survives_its_way_through_the_api_server() {
    let mut status = Status::begin(&Status::default(), Some(3), None);
    status.advance(&Advance { plugins: Some(1), ..Advance::default() });
    status.plugins.push(PluginStatus {
        name: "echo".into(),
        layer: "sha256:00".into(),
        size: 1,
        files: 2,
        connectors: Vec::new(),
    });
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(serde_json::from_value::<Status>(json).unwrap(), status);
    // What is not there is not written: server-side apply would own it.
    assert_eq!(serde_json::to_value(Status::default()).unwrap(), serde_json::json!({}));
}

/// A message of a condition has an end (`metav1.Condition` allows 32,768 characters).
#[test]
fn long_messages_are_cut() {
    let mut status = Status::default();
    status.set("Ready", ConditionStatus::False, "X", &"ü".repeat(40_000));
    assert!(status.conditions[0].message.len() <= 4_096);
}

#[test]
fn a_spoilt_field_does_not_take_the_others_with_it() {
    let value = serde_json::json!({
        "image": "a", "build": { "attempt": 5_000_000_000_u64 }, "conditions": "x", "phase": "Odd", "digest": "d",
    });
    let status = Status::read(&value);
    assert_eq!((status.image.as_deref(), status.digest.as_deref()), (Some("a"), Some("d")));
    assert_eq!((status.build, status.phase, status.conditions.len()), (None, None, 0));
    assert_eq!(Status::read(&Value::Null), Status::default());
}
