//! Strimzi's `spec.build`, field by field (API `kafka.strimzi.io/v1`, and `v1beta2` with the same fields).
//!
//! These types generate the JSON schema that `connect-build schema` prints and that every input is checked
//! against. Names, patterns and required fields are those of Strimzi's custom resource definition
//! (`041-Crd-kafkaconnect.yaml`), with one addition: `file:` URLs, for resources given as a file.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How a plugin's name looks. (Strimzi's documentation shows a narrower pattern; its CRD has this one.)
pub const PLUGIN_NAME: &str = "^[a-z0-9][-_a-z0-9]*[a-z0-9]$";

/// How an artifact's URL looks.
pub const ARTIFACT_URL: &str = "^((https?|ftp)://|file:)[-a-zA-Z0-9+&@#/%?=~_|!:,.;]*[-a-zA-Z0-9+&@#/%=~_|]$";

/// Configures how the Connect container image should be built.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Build {
    /// Where the newly built image is stored.
    pub output: Option<Output>,
    /// The connector plugins that are added to the image. Their names are unique.
    pub plugins: Vec<Plugin>,
    /// CPU and memory resources of the build pod. Without effect on the image.
    pub resources: Option<Map<String, Value>>,
}

/// Where the newly built image is stored.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Output {
    /// `docker` pushes to a container registry, `imagestream` to an OpenShift image stream.
    #[serde(rename = "type")]
    pub kind: OutputType,
    /// The name of the image: registry, repository and tag; or `name:tag` of an image stream.
    #[schemars(length(min = 1))]
    pub image: String,
    /// The Secret with the credentials of the registry (`docker` only).
    pub push_secret: Option<String>,
    /// Options for the builder.
    pub additional_build_options: Option<Vec<String>>,
    /// Options for the push.
    pub additional_push_options: Option<Vec<String>>,
    /// Options for Kaniko (`v1beta2` only, removed in `v1`).
    pub additional_kaniko_options: Option<Vec<String>>,
}

/// `output.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "a doc comment would turn the schema's enum into a list of constants")]
pub enum OutputType {
    Docker,
    #[serde(rename = "imagestream")]
    ImageStream,
}

/// A connector plugin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Plugin {
    /// The plugin's name, unique within the resource; its directory is named after it.
    #[schemars(regex(pattern = PLUGIN_NAME))]
    pub name: String,
    /// What the plugin is made of.
    pub artifacts: Vec<Artifact>,
}

/// An artifact of a plugin: one flat type for all five kinds, as in Strimzi's CRD.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Artifact {
    /// What kind of artifact it is.
    #[serde(rename = "type")]
    pub kind: ArtifactType,
    /// Where it is downloaded from (`jar`, `tgz`, `zip`, `other`).
    #[schemars(regex(pattern = ARTIFACT_URL))]
    pub url: Option<String>,
    /// The SHA-512 checksum of the file, 128 hexadecimal digits (`jar`, `tgz`, `zip`, `other`).
    pub sha512sum: Option<String>,
    /// Accept any TLS certificate when this artifact is downloaded.
    pub insecure: Option<bool>,
    /// The name under which the file is stored (`other`).
    pub file_name: Option<String>,
    /// Maven group id (`maven`).
    pub group: Option<String>,
    /// Maven artifact id (`maven`).
    pub artifact: Option<String>,
    /// Maven version (`maven`).
    pub version: Option<String>,
    /// The Maven repository to download from (`maven`).
    pub repository: Option<String>,
    /// URLs that take all requests to Maven repositories (`maven`).
    pub mirrors: Option<Vec<Mirror>>,
    /// Which scopes of dependencies are downloaded (`maven`).
    pub include_scope: Option<Scope>,
}

/// `artifacts[].type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "a doc comment would turn the schema's enum into a list of constants")]
pub enum ArtifactType {
    Jar,
    Tgz,
    Zip,
    Maven,
    Other,
}

/// A mirror of Maven repositories.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub struct Mirror {
    /// The mirror's URL.
    #[schemars(length(min = 1))]
    pub url: String,
}

/// `includeScope`, with the meaning it has for maven-dependency-plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "a doc comment would turn the schema's enum into a list of constants")]
pub enum Scope {
    Compile,
    Provided,
    Runtime,
    Test,
    System,
}

/// The JSON schema (draft 2020-12) of the `build` section, with every part inlined.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = inlined::<Build>();
    require_output(schema.as_object_mut());
    schema
}

/// The schema of a type, with every part inlined.
pub(crate) fn inlined<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.for_deserialize().into_generator().into_root_schema_for::<T>()
}

/// The output is optional in Rust, because a bare section may go to the default output; Strimzi requires it.
pub(super) fn require_output(schema: Option<&mut Map<String, Value>>) {
    if let Some(Value::Array(required)) = schema.and_then(|schema| schema.get_mut("required")) {
        required.insert(0, "output".into());
    }
}
