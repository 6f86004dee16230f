//! What a schema cannot say: rules between fields, and the operator's own checks.
//!
//! The order is: shape (all violations), then meaning (all violations), then the [`Spec`]. The operator's checks
//! are those of Strimzi's `KafkaConnectBuild.fromCrd` and `KafkaConnectDockerfile`.

use std::collections::BTreeSet;

use oci_spec::distribution::Reference;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connect_build::{self, ConnectBuildSpec};
use super::kafka_connect::{self, ArtifactType, OutputType};
use super::shape::{self, join};
use super::{
    Artifact, ArtifactKind, IncludeScope, Kind, MavenArtifact, Origin, Output, Plugin, Remote, Section, Spec,
    SpecError, Violation,
};
use crate::http::{Proxies, read_address};
use crate::path::EntryPath;

pub(super) fn validate(section: &Section<'_>, origin: Origin) -> Result<Spec, SpecError> {
    let mut checks = Checks { origin, violations: Vec::new(), warnings: Vec::new() };
    let base = section.resource.and_then(|(kind, resource)| checks.resource(kind, resource));
    checks.shape(section);
    let plugins = checks.plugins(section.build.get("plugins"), section.field);
    let output = section.build.get("output").and_then(typed);
    let output = output.as_ref().map(|output| checks.output(output, base.as_deref(), section.field));
    if checks.violations.is_empty() {
        let resource = section.resource.map(|(_, resource)| resource);
        let name = resource.and_then(|r| r.pointer("/metadata/name")).and_then(Value::as_str);
        let name = name.map(str::to_owned);
        let ours: Option<ConnectBuildSpec> = section
            .resource
            .filter(|(kind, _)| *kind == Kind::ConnectBuild)
            .and_then(|(_, resource)| typed(resource.get("spec")?));
        let platforms = ours.iter().flat_map(|spec| spec.base.platforms.iter().flatten());
        Ok(Spec {
            name,
            base,
            platforms: platforms.map(|platform| platform.0.clone()).collect(),
            suspended: ours.as_ref().is_some_and(|spec| spec.suspend == Some(true)),
            output,
            plugins,
            proxies: Proxies::default(),
            warnings: checks.warnings,
        })
    } else {
        Err(SpecError::Invalid(checks.violations))
    }
}

/// Where the base image stands.
const fn base_field(kind: Kind) -> &'static str {
    match kind {
        Kind::KafkaConnect => "spec.image",
        Kind::ConnectBuild => "spec.base.image",
    }
}

/// A part of the section as a typed value, if its shape allows; if not, that has been reported already, and the other parts
/// can be checked all the same.
fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(shape::without_nulls(value)).ok()
}

struct Checks {
    origin: Origin,
    violations: Vec<Violation>,
    warnings: Vec<String>,
}

impl Checks {
    /// Adds a violation; what was said of a field's shape already is enough.
    fn violate(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let field = field.into();
        if self.violations.iter().all(|earlier| earlier.field != field) {
            self.violations.push(Violation { field, message: message.into() });
        }
    }

    /// Checks what is ours of the resource around the section; gives the base image.
    fn resource(&mut self, kind: Kind, resource: &Value) -> Option<String> {
        let version = resource.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if !kind.api_versions().contains(&version) {
            let known = kind.api_versions().join("` or `");
            self.violate("apiVersion", format!("is `{}`, but must be `{known}`", version.escape_debug()));
        }
        let field = base_field(kind);
        match resource.pointer(&format!("/{}", field.replace('.', "/"))) {
            None | Some(Value::Null) => None,
            Some(Value::String(image)) => {
                if let Err(error) = Reference::try_from(image.as_str()) {
                    self.violate(field, format!("is not an image reference: {error}"));
                }
                Some(image.clone())
            }
            Some(_) => {
                self.violate(field, "must be a string");
                None
            }
        }
    }

    /// Reports every difference from the schema.
    fn shape(&mut self, section: &Section<'_>) {
        if let Some((Kind::ConnectBuild, resource)) = section.resource {
            let spec = resource.get("spec").unwrap_or(&Value::Null);
            shape::check(connect_build::schema().as_value(), spec, "spec", &mut self.violations);
            return;
        }
        let mut schema = kafka_connect::schema().to_value();
        if section.resource.is_none()
            && let Some(Value::Array(required)) = schema.get_mut("required")
        {
            required.retain(|name| name != "output");
        }
        shape::check(&schema, section.build, section.field, &mut self.violations);
    }

    fn output(&mut self, output: &kafka_connect::Output, base: Option<&str>, field: &str) -> Output {
        let field = join(field, "output");
        if base == Some(output.image.as_str()) {
            self.violate(join(&field, "image"), "must not be the same as the base image");
        }
        if output.kind == OutputType::Docker
            && let Err(error) = Reference::try_from(output.image.as_str())
        {
            self.violate(join(&field, "image"), format!("is not an image reference: {error}"));
        }
        if output.kind == OutputType::ImageStream && output.push_secret.is_some() {
            self.warnings.push(format!("`{field}.pushSecret` has no effect on an image stream"));
        }
        let options = [
            ("additionalBuildOptions", &output.additional_build_options),
            ("additionalPushOptions", &output.additional_push_options),
            ("additionalKanikoOptions", &output.additional_kaniko_options),
        ];
        for (name, options) in options {
            if options.as_ref().is_some_and(|options| !options.is_empty()) {
                self.warnings.push(format!(
                    "`{field}.{name}` is for the operator's launch and has no effect here: give the flags of \
                     `connect-build build` instead"
                ));
            }
        }
        Output {
            kind: output.kind,
            image: output.image.clone(),
            push_secret: output.push_secret.clone().filter(|_| output.kind == OutputType::Docker),
        }
    }

    fn plugins(&mut self, plugins: Option<&Value>, field: &str) -> Vec<Plugin> {
        let field = join(field, "plugins");
        let listed = plugins.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if listed.is_empty() {
            self.warnings.push(format!("`{field}` is empty: the image will be the base image"));
        }
        let mut names = BTreeSet::new();
        let mut plugins = Vec::new();
        for (index, plugin) in listed.iter().enumerate() {
            let field = format!("{field}[{index}]");
            let name = plugin.get("name").and_then(Value::as_str);
            if let Some(name) = name {
                self.plugin_name(name, names.insert(name), &field);
            }
            let artifacts = self.artifacts(plugin.get("artifacts"), &field);
            let name = name.unwrap_or_default().to_owned();
            if artifacts.is_empty() {
                self.warnings.push(format!("plugin `{name}` has no artifacts and brings nothing"));
            }
            plugins.push(Plugin { name, artifacts });
        }
        plugins
    }

    fn plugin_name(&mut self, name: &str, new: bool, field: &str) {
        let field = join(field, "name");
        if !new {
            let message = format!("is `{name}`, as that of an earlier plugin; names must be unique");
            self.violate(field.clone(), message);
        }
        if let Err(refused) = EntryPath::component(name) {
            self.violate(field, refused.to_string());
        }
    }

    fn artifacts(&mut self, artifacts: Option<&Value>, field: &str) -> Vec<Artifact> {
        let mut accepted: Vec<Artifact> = Vec::new();
        for (index, artifact) in artifacts.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let field = format!("{}[{index}]", join(field, "artifacts"));
            let Some(artifact) = typed(artifact).and_then(|artifact| self.artifact(&artifact, &field)) else {
                continue;
            };
            match accepted.iter_mut().find(|earlier| is_same(&earlier.kind, &artifact.kind)) {
                Some(earlier) => {
                    self.warnings
                        .push(format!("`{field}` is the same as an earlier artifact and is taken once"));
                    self.take_once(earlier, &artifact);
                }
                None => accepted.push(artifact),
            }
        }
        accepted
    }

    /// One file that is there twice has to satisfy both.
    fn take_once(&mut self, earlier: &mut Artifact, artifact: &Artifact) {
        earlier.insecure &= artifact.insecure;
        let (Some(known), Some(again)) = (earlier.kind.remote_mut(), artifact.kind.remote()) else { return };
        match (&known.sha512, &again.sha512) {
            (Some(known), Some(again)) if known != again => self.violate(
                join(&artifact.field, "sha512sum"),
                format!("is another than that of `{}`, which is the same file", earlier.field),
            ),
            (None, Some(again)) => known.sha512 = Some(again.clone()),
            (_, _) => {}
        }
    }

    fn artifact(&mut self, artifact: &kafka_connect::Artifact, field: &str) -> Option<Artifact> {
        self.warn_unused(artifact, field);
        let kind = match artifact.kind {
            ArtifactType::Maven => ArtifactKind::Maven(self.maven(artifact, field)?),
            ArtifactType::Jar => ArtifactKind::Jar(self.remote(artifact, field)?),
            ArtifactType::Tgz => ArtifactKind::Tgz(self.remote(artifact, field)?),
            ArtifactType::Zip => ArtifactKind::Zip(self.remote(artifact, field)?),
            ArtifactType::Other => {
                let remote = self.remote(artifact, field);
                if let Some(name) = &artifact.file_name
                    && let Err(refused) = EntryPath::component(name)
                {
                    let shown = crate::path::shown(name.as_bytes());
                    self.violate(
                        join(field, "fileName"),
                        format!("is `{shown}`, which is not a file name: it {refused}"),
                    );
                }
                ArtifactKind::Other(remote?, artifact.file_name.clone())
            }
        };
        Some(Artifact {
            field: field.to_owned(),
            insecure: artifact.insecure.unwrap_or(false),
            drop_links: false,
            kind,
        })
    }

    fn remote(&mut self, artifact: &kafka_connect::Artifact, field: &str) -> Option<Remote> {
        let Some(url) = &artifact.url else {
            self.violate(join(field, "url"), "is required for this type");
            return None;
        };
        if let Err(message) = check_url(url, self.origin) {
            self.violate(join(field, "url"), message);
        }
        let sha512 = match artifact.sha512sum.as_deref().map(str::parse).transpose() {
            Ok(sum) => sum,
            Err(error) => {
                self.violate(join(field, "sha512sum"), format!("is wrong: {error}"));
                None
            }
        };
        Some(Remote { url: url.clone(), sha512 })
    }

    fn maven(&mut self, artifact: &kafka_connect::Artifact, field: &str) -> Option<MavenArtifact> {
        let mut required = |value: &Option<String>, name: &str| {
            let value = value.clone().filter(|value| !value.is_empty());
            if value.is_none() {
                self.violate(join(field, name), "is required for this type");
            }
            value
        };
        let group = required(&artifact.group, "group");
        let name = required(&artifact.artifact, "artifact");
        let version = required(&artifact.version, "version");
        let id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let in_version = |c: char| !c.is_control() && !c.is_whitespace() && !r#"\/:"<>|?*#%"#.contains(c);
        self.maven_part(group.as_deref(), "group", field, id);
        self.maven_part(name.as_deref(), "artifact", field, id);
        self.maven_part(version.as_deref(), "version", field, in_version);
        if let Some(repository) = &artifact.repository {
            self.repository(repository, &join(field, "repository"));
        }
        for (index, mirror) in artifact.mirrors.iter().flatten().enumerate() {
            self.repository(&mirror.url, &format!("{}[{index}].url", join(field, "mirrors")));
        }
        Some(MavenArtifact {
            group: group?,
            artifact: name?,
            version: version?,
            repository: artifact.repository.clone(),
            mirrors: artifact.mirrors.iter().flatten().map(|mirror| mirror.url.clone()).collect(),
            include_scope: artifact.include_scope.map_or(IncludeScope::Unset, IncludeScope::Only),
        })
    }

    /// A coordinate becomes a part of URLs and of file names.
    fn maven_part(&mut self, text: Option<&str>, name: &str, field: &str, lawful: impl Fn(char) -> bool) {
        if let Some(text) = text
            && (!text.chars().all(lawful) || text.chars().all(|c| c == '.'))
        {
            let shown = crate::path::shown(text.as_bytes());
            self.violate(
                join(field, name),
                format!("is `{shown}`, which cannot be a part of a Maven coordinate"),
            );
        }
    }

    fn repository(&mut self, url: &str, field: &str) {
        if let Err(error) = read_address(url) {
            let shown = crate::path::shown(crate::redact::shown_url(url).as_bytes());
            self.violate(field, format!("is `{shown}`, which {error}"));
        }
    }

    /// Fields that Strimzi's CRD accepts on every artifact and that only some types use.
    fn warn_unused(&mut self, artifact: &kafka_connect::Artifact, field: &str) {
        let maven = artifact.kind == ArtifactType::Maven;
        let other = artifact.kind == ArtifactType::Other;
        let fields = [
            ("url", artifact.url.is_some(), !maven),
            ("sha512sum", artifact.sha512sum.is_some(), !maven),
            ("fileName", artifact.file_name.is_some(), other),
            ("group", artifact.group.is_some(), maven),
            ("artifact", artifact.artifact.is_some(), maven),
            ("version", artifact.version.is_some(), maven),
            ("repository", artifact.repository.is_some(), maven),
            ("mirrors", artifact.mirrors.is_some(), maven),
            ("includeScope", artifact.include_scope.is_some(), maven),
        ];
        for (name, present, used) in fields {
            if present && !used {
                self.warnings.push(format!("`{field}.{name}` has no effect on this type of artifact"));
            }
        }
    }
}

/// Whether both put the same into one place of the plugin.
fn is_same(one: &ArtifactKind, other: &ArtifactKind) -> bool {
    match (one, other) {
        (ArtifactKind::Maven(one), ArtifactKind::Maven(other)) => one == other,
        (ArtifactKind::Tgz(one), ArtifactKind::Tgz(other))
        | (ArtifactKind::Zip(one), ArtifactKind::Zip(other)) => one.url == other.url,
        _ => file(one).is_some() && file(one) == file(other),
    }
}

/// URL and name of what is taken as it is.
fn file(kind: &ArtifactKind) -> Option<(&str, String)> {
    Some((&kind.remote()?.url, kind.file_name()?))
}

fn check_url(url: &str, origin: Origin) -> Result<(), String> {
    if url.starts_with("ftp:") {
        return Err("is an ftp URL, which is not supported: use https".into());
    }
    if let Some(path) = url.strip_prefix("file:") {
        if origin != Origin::File {
            return Err("is a `file:` URL, which only a resource given as a file may use".into());
        }
        return EntryPath::parse(path.as_bytes(), 64).map(drop).map_err(|refused| {
            format!(
                "must name a file below the resource's directory, as `file:connectors/a.jar`: it {refused}"
            )
        });
    }
    read_address(url).map(drop).map_err(|error| error.to_string())
}
