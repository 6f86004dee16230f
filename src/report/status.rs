//! `status` of a `ConnectBuild`: what people and controllers read in the cluster.
//!
//! The types generate that part of the custom resource definition ([`crate::crd`]). Conditions are Kubernetes' own
//! (`metav1.Condition`): `Ready` says whether the newest image is there, the others how far a build is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::result_file::Failure;
use super::termination::failure_message;
use super::text::bytes;
use crate::pipeline::Outcome;

/// Most connectors that are listed of a plugin, and most bytes of the names of all: the store of a cluster takes 1.5 MiB.
const MAX_CONNECTORS: usize = 50;
const CONNECTORS_ROOM: usize = 64 << 10;

/// What became of a `ConnectBuild`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The generation of the resource that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the build of that generation stands: Building, Succeeded, Failed or Suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The newest image by digest, as pods should name it. A build that fails leaves it as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The digest of that image's manifest, or of its index where it is for several platforms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Ready, and one condition for each stage that takes its time: Downloaded, Assembled, Pushed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The plugins of the newest image, each with its layer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub plugins: Vec<PluginStatus>,
    /// When the last build began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// When the last build ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
    /// Who builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Builder>,
}

/// `status.phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "a doc comment would turn the schema's enum into a list of constants")]
pub enum Phase {
    Building,
    Succeeded,
    Failed,
    Suspended,
}

/// A condition (`metav1.Condition`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Ready, Downloaded, Assembled or Pushed.
    #[serde(rename = "type")]
    pub kind: String,
    /// True, False or Unknown.
    pub status: ConditionStatus,
    /// The generation of the resource that it is about.
    pub observed_generation: Option<i64>,
    /// When its status changed last.
    pub last_transition_time: Time,
    /// Why, in one word. A failed build has that of its exit code, as `DownloadFailed`.
    pub reason: String,
    /// Why, in a sentence for people.
    pub message: String,
}

/// `status` of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "a doc comment would turn the schema's enum into a list of constants")]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// One plugin of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginStatus {
    /// The plugin's name.
    pub name: String,
    /// The digest of its layer.
    pub layer: String,
    /// Bytes of the layer as it is stored.
    pub size: u64,
    /// Files in it.
    pub files: u64,
    /// Classes of connectors that its jars offer, as far as they say so in META-INF/services.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub connectors: Vec<String>,
}

/// Who builds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Builder {
    /// The pod, or the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// How many builds of this generation began, this one included.
    #[schemars(range(max = u32::MAX))]
    pub attempt: u32,
}

/// A moment, in whole seconds (RFC 3339).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Time(#[schemars(extend("format" = "date-time"))] pub String);

impl Time {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        Self(format!("{:.0}", Timestamp::now()))
    }
}

/// How far a build is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advance {
    /// Plugins in all; nothing as long as nothing of them has begun.
    pub plugins: Option<usize>,
    /// Plugins whose artifacts are all there.
    pub fetched: usize,
    /// Plugins whose layers are written.
    pub built: usize,
    /// Bytes that came in.
    pub downloaded: u64,
    /// Bytes that went out.
    pub uploaded: u64,
}

impl Status {
    /// What a resource holds, field by field: one that somebody else has spoilt does not take the others with it.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        fn field<T: DeserializeOwned + Default>(value: &Value, name: &str) -> T {
            value.get(name).and_then(|value| T::deserialize(value).ok()).unwrap_or_default()
        }
        Self {
            observed_generation: field(value, "observedGeneration"),
            phase: field(value, "phase"),
            image: field(value, "image"),
            digest: field(value, "digest"),
            conditions: field(value, "conditions"),
            plugins: field(value, "plugins"),
            start_time: field(value, "startTime"),
            completion_time: field(value, "completionTime"),
            build: field(value, "build"),
        }
    }

    /// Whether `there` is what a build wrote that began after this one.
    #[must_use]
    pub fn is_followed_by(&self, there: &Self) -> bool {
        let attempt = |status: &Self| status.build.as_ref().map_or(0, |build| build.attempt);
        there.observed_generation == self.observed_generation && attempt(there) > attempt(self)
    }

    /// A build of `generation` begins; what an earlier one left stays where it still says something.
    #[must_use]
    pub fn begin(earlier: &Self, generation: Option<i64>, pod: Option<String>) -> Self {
        let again = earlier.observed_generation == generation;
        let attempt = earlier.build.as_ref().filter(|_| again).map_or(0, |build| build.attempt);
        let mut status = Self {
            observed_generation: generation,
            phase: Some(Phase::Building),
            start_time: Some(Time::now()),
            completion_time: None,
            build: Some(Builder { pod, attempt: attempt.saturating_add(1) }),
            ..earlier.clone()
        };
        status.conditions.retain(|condition| condition.kind == "Ready");
        status.set("Ready", ConditionStatus::False, "Building", "the image is being built");
        status
    }

    /// Nothing is built as long as `spec.suspend` is true.
    #[must_use]
    pub fn suspended(earlier: &Self) -> Self {
        let mut status = Self { phase: Some(Phase::Suspended), ..earlier.clone() };
        status.conditions.retain(|condition| condition.kind == "Ready");
        let words = "`spec.suspend` is true: nothing is built until it is false";
        status.set("Ready", ConditionStatus::False, "Suspended", words);
        status
    }

    /// The build is this far.
    pub fn advance(&mut self, advance: &Advance) {
        let Advance { plugins: Some(plugins), fetched, built, downloaded, uploaded } = advance else {
            return;
        };
        let counted =
            |done: usize| if done == *plugins { ConditionStatus::True } else { ConditionStatus::False };
        let reason = |done: usize| if done == *plugins { "Complete" } else { "InProgress" };
        let words = format!("artifacts of {fetched} of {plugins} plugins, {}", bytes(*downloaded));
        self.set("Downloaded", counted(*fetched), reason(*fetched), &words);
        let words = format!("layers of {built} of {plugins} plugins");
        self.set("Assembled", counted(*built), reason(*built), &words);
        let words = format!("{} so far", bytes(*uploaded));
        self.set("Pushed", ConditionStatus::False, "InProgress", &words);
    }

    /// The image is there.
    pub fn succeed(&mut self, outcome: &Outcome) {
        let reference = &outcome.pushed.reference;
        self.image = Some(reference.clone());
        self.digest = Some(outcome.pushed.digest.to_string());
        let mut room = CONNECTORS_ROOM;
        self.plugins = (outcome.layers.iter())
            .map(|layer| PluginStatus {
                name: layer.plugin.clone(),
                layer: layer.layer.digest.to_string(),
                size: layer.layer.size,
                files: layer.layer.files,
                connectors: (layer.connectors.iter())
                    .take(MAX_CONNECTORS)
                    .take_while(|name| {
                        room = room.saturating_sub(name.len());
                        room > 0
                    })
                    .cloned()
                    .collect(),
            })
            .collect();
        self.phase = Some(Phase::Succeeded);
        self.completion_time = Some(Time::now());
        for kind in ["Downloaded", "Assembled"] {
            self.restate(kind, ConditionStatus::True, "Complete");
        }
        let location = format!("{} is {}", outcome.pushed.location, outcome.pushed.digest);
        self.set("Pushed", ConditionStatus::True, "Complete", &location);
        self.set("Ready", ConditionStatus::True, "Succeeded", reference);
    }

    /// There is no new image.
    pub fn fail(&mut self, failure: &Failure) {
        self.phase = Some(Phase::Failed);
        self.completion_time = Some(Time::now());
        let open: Vec<String> = (self.conditions.iter())
            .filter(|condition| condition.reason == "InProgress")
            .map(|condition| condition.kind.clone())
            .collect();
        for kind in open {
            self.restate(&kind, ConditionStatus::False, "Stopped");
        }
        self.set("Ready", ConditionStatus::False, failure.reason(), &failure.text());
    }

    fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// Another status, with the words that the condition has.
    fn restate(&mut self, kind: &str, status: ConditionStatus, reason: &str) {
        let words = self.condition(kind).map(|condition| condition.message.clone()).unwrap_or_default();
        self.set(kind, status, reason, &words);
    }

    /// The time of a condition is that of the last change of its status.
    fn set(&mut self, kind: &str, status: ConditionStatus, reason: &str, message: &str) {
        let message = failure_message(message);
        let earlier = self.condition(kind).filter(|condition| condition.status == status);
        let condition = Condition {
            kind: kind.to_owned(),
            status,
            observed_generation: self.observed_generation,
            last_transition_time: earlier
                .map_or_else(Time::now, |earlier| earlier.last_transition_time.clone()),
            reason: reason.to_owned(),
            message,
        };
        match self.conditions.iter_mut().find(|condition| condition.kind == kind) {
            Some(place) => *place = condition,
            None => self.conditions.push(condition),
        }
    }
}

#[cfg(test)]
mod tests;
