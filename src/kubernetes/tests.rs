#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::{Diagnose as _, Reason};

#[test]
fn resources_are_named_as_kubectl_names_them() {
    for (text, kind, name) in [
        ("connectbuild/a", Kind::ConnectBuild, "a"),
        ("connectbuilds/a-b.c", Kind::ConnectBuild, "a-b.c"),
        ("cb/a", Kind::ConnectBuild, "a"),
        ("ConnectBuild/a", Kind::ConnectBuild, "a"),
        ("connectbuilds.connectbuild.io/a", Kind::ConnectBuild, "a"),
        ("kc/1", Kind::KafkaConnect, "1"),
        ("kafkaconnects.kafka.strimzi.io/a", Kind::KafkaConnect, "a"),
    ] {
        assert_eq!(
            text.parse::<ResourceName>().unwrap(),
            ResourceName { kind, name: name.to_owned() },
            "{text}"
        );
    }
    for text in ["", "a", "cb", "cb/", "/a", "pod/a", "cb/A", "cb/a/b", "cb/a b", "cb/..", "cb/-a", "cb/a?b"]
    {
        assert!(text.parse::<ResourceName>().is_err(), "{text}");
    }
}

/// A resource's words do not choose what the API server is asked.
#[test]
fn names_cannot_lead_elsewhere() {
    for name in ["../../configmaps/x", "a/b", "a?b=c", "a%2fb", "a#b", "..", "", "A", &"a".repeat(254)] {
        let error = check_name(name).unwrap_err();
        assert_eq!(error.reason(), Reason::InvalidResource, "{name}");
    }
    insta::assert_snapshot!(check_name("../x\n").unwrap_err());
}
