//! Kaniko's options: which there are, and what becomes of each.

use super::super::listed;

/// What an option takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A truth value, or nothing.
    Truth,
    /// A text.
    Value,
}

use Takes::{Truth, Value};

/// Options that change nothing here, and why.
const WITHOUT_MEANING: [(&str, Takes, &str); 27] = [
    ("cache", Truth, "nothing is executed, so there is nothing to keep from it"),
    ("cache-copy-layers", Truth, "nothing is executed"),
    ("cache-dir", Value, "nothing is executed"),
    ("cache-repo", Value, "nothing is executed"),
    ("cache-run-layers", Truth, "nothing is executed"),
    ("cache-ttl", Value, "nothing is executed"),
    ("cleanup", Truth, "nothing is unpacked, so there is nothing to clean up"),
    ("compressed-caching", Truth, "nothing is executed"),
    ("compression-level", Value, "jars are stored as they are"),
    ("context", Value, "nothing is copied from a context"),
    ("context-sub-path", Value, "nothing is copied from a context"),
    ("force", Truth, "it does not matter where this runs"),
    ("ignore-path", Value, "no file system is looked at"),
    ("ignore-var-run", Truth, "no file system is looked at"),
    ("image-fs-extract-retry", Value, "no image is unpacked"),
    ("initial-fs-unpacked", Truth, "no image is unpacked"),
    ("kaniko-dir", Value, "there is no such directory: see `--workspace`"),
    ("no-push-cache", Truth, "nothing is executed"),
    ("reproducible", Truth, "every image is reproducible"),
    ("run-v2", Truth, "nothing is executed"),
    ("single-snapshot", Truth, "no file system is looked at"),
    ("skip-push-permission-check", Truth, "the first request of a push is the check"),
    ("skip-unused-stages", Truth, "there are none"),
    ("snapshot-mode", Value, "no file system is looked at"),
    ("snapshotMode", Value, "no file system is looked at"),
    ("use-new-run", Truth, "nothing is executed"),
    ("whitelist-var-run", Truth, "no file system is looked at"),
];

/// Options that would change what comes out, and cannot be followed.
const REFUSED: [(&str, Takes, &str); 8] = [
    ("bucket", Value, "nothing is copied from a context"),
    ("credential-helpers", Value, "no credential helper is run: put credentials into the docker config"),
    ("git", Value, "nothing is copied from a context"),
    ("materialize", Truth, "no file system is made"),
    ("push-ignore-immutable-tag-errors", Truth, "a tag that cannot be set would go unnoticed"),
    ("registry-map", Value, "name the registry in the resource, or see `--registry-mirror`"),
    ("secret", Value, "nothing is executed"),
    ("target", Value, "Strimzi's Dockerfile has one result"),
];

/// Options with a meaning.
const FOLLOWED: [(&str, Takes); 29] = [
    ("build-arg", Value),
    ("compression", Value),
    ("custom-platform", Value),
    ("customPlatform", Value),
    ("destination", Value),
    ("digest-file", Value),
    ("dockerfile", Value),
    ("image-download-retry", Value),
    ("image-name-tag-with-digest-file", Value),
    ("image-name-with-digest-file", Value),
    ("insecure", Truth),
    ("insecure-pull", Truth),
    ("insecure-registry", Value),
    ("label", Value),
    ("log-format", Value),
    ("log-timestamp", Truth),
    ("no-push", Truth),
    ("oci-layout-path", Value),
    ("push-retry", Value),
    ("registry-certificate", Value),
    ("registry-client-cert", Value),
    ("registry-mirror", Value),
    ("skip-default-registry-fallback", Truth),
    ("skip-tls-verify", Truth),
    ("skip-tls-verify-pull", Truth),
    ("skip-tls-verify-registry", Value),
    ("tar-path", Value),
    ("tarPath", Value),
    ("verbosity", Value),
];

/// Options that add up.
const REPEATED: [&str; 8] = [
    "build-arg",
    "destination",
    "insecure-registry",
    "label",
    "registry-certificate",
    "registry-client-cert",
    "registry-mirror",
    "skip-tls-verify-registry",
];

/// Two names of one option are one.
pub(super) fn one_name(name: &str) -> &str {
    match name {
        "customPlatform" => "custom-platform",
        "tarPath" => "tar-path",
        other => other,
    }
}

/// Names of one letter.
const SHORT: [(char, &str); 5] =
    [('b', "bucket"), ('c', "context"), ('d', "destination"), ('f', "dockerfile"), ('v', "verbosity")];

/// An option.
pub(super) struct Known {
    /// Without its dashes.
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) role: Role,
}

/// What becomes of an option.
pub(super) enum Role {
    /// It means something here.
    Followed {
        /// Each time that it is said counts, and not the last alone.
        adds_up: bool,
    },
    /// It changes nothing, for this reason.
    WithoutMeaning(&'static str),
    /// It would change what comes out, and cannot be followed, for this reason.
    Refused(&'static str),
}

/// The option of this name.
pub(super) fn find(name: &str) -> Option<Known> {
    let followed = FOLLOWED.iter().map(|&(name, takes)| {
        let adds_up = REPEATED.contains(&name);
        Known { name, takes, role: Role::Followed { adds_up } }
    });
    let without = WITHOUT_MEANING.iter();
    let without = without.map(|&(name, takes, why)| Known { name, takes, role: Role::WithoutMeaning(why) });
    let refused = REFUSED.iter().map(|&(name, takes, why)| Known { name, takes, role: Role::Refused(why) });
    followed.chain(without).chain(refused).find(|known| known.name == name)
}

/// The option that has this letter.
pub(super) fn long_name(letter: char) -> Option<&'static str> {
    SHORT.iter().find(|(short, _)| *short == letter).map(|(_, name)| *name)
}

/// Those that can be given, for people.
pub(super) fn known() -> String {
    let mut names: Vec<&str> = FOLLOWED.iter().map(|(name, _)| *name).collect();
    names.extend(WITHOUT_MEANING.iter().map(|(name, ..)| *name));
    names.sort_unstable();
    let names: Vec<String> = names.into_iter().map(|name| format!("--{name}")).collect();
    listed(names.iter().map(String::as_str))
}
