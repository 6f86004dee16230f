//! Our own resource, `ConnectBuild` (API `connectbuild.io/v1alpha1`): Strimzi's `spec.build`, and the base image beside it.
//!
//! These types generate the schema of the custom resource definition ([`crate::crd`]) and the one that every `ConnectBuild`
//! is checked against. What the build answers is [`crate::report::Status`].

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::Value;

use super::kafka_connect::{self, Build};

/// Group and version of the API.
pub const API_VERSION: &str = "connectbuild.io/v1alpha1";

/// What is built: plugins, on top of a base image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct ConnectBuildSpec {
    /// The image that the plugins are put on.
    pub base: Base,
    /// The plugins, and where the image goes: `spec.build` of Strimzi's KafkaConnect, field by field.
    pub build: Build,
    /// While this is true, a build of this resource ends at once, without having done anything.
    pub suspend: Option<bool>,
}

/// The base image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Base {
    /// A Kafka image, as `quay.io/strimzi/kafka:latest-kafka-4.1.0`, or `scratch` for an image of the plugins alone.
    #[schemars(length(min = 1))]
    pub image: String,
    /// The platforms of the base that the new image is for, as `linux/amd64`, or `all`. Without any it is the one that the
    /// build runs on.
    pub platforms: Option<Vec<PlatformName>>,
}

/// A platform: operating system, architecture, variant; or `all`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PlatformName(#[schemars(regex(pattern = PLATFORM))] pub String);

/// How a platform looks.
const PLATFORM: &str = "^(all|[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?)$";

/// The JSON schema of `spec`.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = kafka_connect::inlined::<ConnectBuildSpec>();
    let build = schema.pointer_mut("/properties/build").and_then(Value::as_object_mut);
    kafka_connect::require_output(build);
    schema
}
