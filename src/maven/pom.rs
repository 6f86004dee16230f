//! A POM as it is written: the part of Maven's model that decides which files a project needs.
//!
//! Nothing is inherited, interpolated or defaulted here, but for what Maven's reader itself does: text is trimmed, and a
//! dependency's `type` is `jar` where none is given. Names are those of the POM reference.

use std::collections::HashMap;
use std::sync::Arc;

use super::coordinate::{Coordinate, Text};
use super::xml::{self, Element, XmlError};

/// Most dependencies, or managed ones, of one POM.
pub(super) const MAX_DEPENDENCIES: usize = 20_000;

/// Elements of a project that are not read here, and yet may stand there only once.
const ELEMENTS: [&str; 14] = [
    "organization",
    "licenses",
    "developers",
    "contributors",
    "mailingLists",
    "prerequisites",
    "scm",
    "issueManagement",
    "ciManagement",
    "pluginRepositories",
    "build",
    "reports",
    "reporting",
    "modules",
];

/// Properties, by name.
pub(super) type Properties = HashMap<Text, Text>;

/// Other elements that expressions like `${project.name}` may name, by their paths.
const FIELDS: [&str; 21] = [
    "name",
    "description",
    "url",
    "inceptionYear",
    "modelVersion",
    "organization.name",
    "organization.url",
    "scm.connection",
    "scm.developerConnection",
    "scm.tag",
    "scm.url",
    "prerequisites.maven",
    "distributionManagement.status",
    "distributionManagement.downloadUrl",
    "issueManagement.system",
    "issueManagement.url",
    "ciManagement.system",
    "ciManagement.url",
    "build.finalName",
    "build.directory",
    "build.sourceDirectory",
];

/// Of these, what a project has from its parent if it does not say it itself.
pub(super) const INHERITED_FIELDS: [&str; 7] = [
    "description",
    "url",
    "inceptionYear",
    "organization.name",
    "organization.url",
    "scm.tag",
    "build.finalName",
];

/// Properties that `dependency:copy-dependencies` takes for its parameters, those left out that Strimzi gives.
const COPY_PROPERTIES: [&str; 20] = [
    "classifier",
    "excludeArtifactIds",
    "excludeClassifiers",
    "excludeGroupIds",
    "excludeScope",
    "excludeTransitive",
    "excludeTypes",
    "includeArtifactIds",
    "includeClassifiers",
    "includeGroupIds",
    "includeTypes",
    "mdep.copyPom",
    "mdep.prependGroupId",
    "mdep.skip",
    "mdep.stripClassifier",
    "mdep.stripType",
    "mdep.stripVersion",
    "mdep.useBaseVersion",
    "mdep.useRepositoryLayout",
    "type",
];

/// A POM.
#[derive(Debug, Clone, Default)]
pub(super) struct Pom {
    /// `<parent>`.
    pub parent: Option<Parent>,
    /// `<groupId>`, if it is not the parent's.
    pub group: Option<Text>,
    /// `<artifactId>`.
    pub artifact: Option<Text>,
    /// `<version>`, if it is not the parent's.
    pub version: Option<Text>,
    /// `<packaging>`; `jar` where none is given.
    pub packaging: Text,
    /// What profiles can have too.
    pub base: ModelBase,
    /// `<profiles>`, in order.
    pub profiles: Vec<Profile>,
    /// `<distributionManagement><relocation>`.
    pub relocation: Option<Relocation>,
    /// `<modules>` that are listed.
    pub has_modules: bool,
    /// Values of [`FIELDS`].
    pub fields: Vec<(&'static str, Text)>,
    /// `os-maven-plugin` is a build extension, which makes `${os.detected.…}` known.
    pub detects_os: bool,
    /// Settings for `maven-dependency-plugin`, by name: Maven follows those of the root while it copies.
    pub copy_settings: Vec<Text>,
}

/// What a POM and its profiles have in common (`ModelBase`).
#[derive(Debug, Clone, Default)]
pub(super) struct ModelBase {
    /// `<properties>`.
    pub properties: Properties,
    /// `<dependencies>`.
    pub dependencies: Vec<Arc<Dependency>>,
    /// `<dependencyManagement><dependencies>`, if there is such an element.
    pub managed: Option<Vec<Arc<Dependency>>>,
    /// `<repositories>`.
    pub repositories: Vec<Repository>,
}

/// `<parent>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parent {
    /// `<groupId>`.
    pub group: Text,
    /// `<artifactId>`.
    pub artifact: Text,
    /// `<version>`, which may be a range.
    pub version: Text,
}

/// `<relocation>`; what it leaves out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relocation {
    /// `<groupId>`.
    pub group: Option<Text>,
    /// `<artifactId>`.
    pub artifact: Option<Text>,
    /// `<version>`.
    pub version: Option<Text>,
}

/// A `<dependency>`, managed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// `<groupId>`; empty where it is missing.
    pub group: Text,
    /// `<artifactId>`; empty where it is missing.
    pub artifact: Text,
    /// `<version>`.
    pub version: Option<Text>,
    /// `<type>`.
    pub kind: Text,
    /// `<classifier>`.
    pub classifier: Option<Text>,
    /// `<scope>`.
    pub scope: Option<Text>,
    /// `<optional>`.
    pub optional: Option<Text>,
    /// `<systemPath>`.
    pub system_path: Option<Text>,
    /// `<exclusions>`.
    pub exclusions: Arc<[Exclusion]>,
    /// Some field holds a `${…}`.
    pub has_expressions: bool,
}

/// An `<exclusion>`: ids, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Exclusion {
    /// `<groupId>`.
    pub group: Text,
    /// `<artifactId>`.
    pub artifact: Text,
}

/// A `<repository>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// `<id>`.
    pub id: Text,
    /// `<url>`.
    pub url: Text,
    /// `<releases><enabled>`; true where it is not given.
    pub releases: bool,
    /// `<snapshots><enabled>`.
    pub snapshots: bool,
}

/// A `<profile>`.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    /// `<id>`.
    pub id: Text,
    /// `<activation>`.
    pub activation: Activation,
    /// What it brings.
    pub base: ModelBase,
}

/// `<activation>`: what is not there is no trigger.
#[derive(Debug, Clone, Default)]
pub(super) struct Activation {
    /// `<activeByDefault>`.
    pub by_default: bool,
    /// `<jdk>`.
    pub jdk: Option<Text>,
    /// `<os>`.
    pub os: Option<OsTrigger>,
    /// `<property>`: name and value.
    pub property: Option<(Text, Option<Text>)>,
    /// `<file>`: `<exists>` and `<missing>`.
    pub file: Option<(Option<Text>, Option<Text>)>,
}

/// `<os>`.
#[derive(Debug, Clone, Default)]
pub(super) struct OsTrigger {
    /// `<name>`.
    pub name: Option<Text>,
    /// `<family>`.
    pub family: Option<Text>,
    /// `<arch>`.
    pub arch: Option<Text>,
    /// `<version>`.
    pub version: Option<Text>,
}

impl Dependency {
    /// `groupId:artifactId:type[:classifier]` (`Dependency.getManagementKey`).
    pub(super) fn management_key(&self) -> ManagementKey {
        (Arc::clone(&self.group), Arc::clone(&self.artifact), Arc::clone(&self.kind), self.classifier.clone())
    }

    /// It stands for the management of another POM.
    pub(super) fn is_import(&self) -> bool {
        *self.kind == *"pom" && self.scope.as_deref() == Some("import")
    }

    /// Its parts, for messages.
    pub(super) fn title(&self) -> String {
        format!(
            "{}:{}",
            crate::path::shown(self.group.as_bytes()),
            crate::path::shown(self.artifact.as_bytes())
        )
    }

    fn fields(&self) -> impl Iterator<Item = &Text> {
        let optional = [&self.version, &self.classifier, &self.scope, &self.optional, &self.system_path];
        let exclusions = self.exclusions.iter().flat_map(|exclusion| [&exclusion.group, &exclusion.artifact]);
        [&self.group, &self.artifact, &self.kind]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(exclusions)
    }
}

/// See [`Dependency::management_key`].
pub(super) type ManagementKey = (Text, Text, Text, Option<Text>);

impl Pom {
    /// Dependencies that it names itself, managed ones too.
    pub(super) fn entries(&self) -> usize {
        self.base.dependencies.len() + self.base.managed.as_ref().map_or(0, Vec::len)
    }

    /// Reads a POM. The root element's name is not looked at, as in Maven.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, XmlError> {
        let text = xml::decode(bytes)?;
        let root = xml::parse(&text)?;
        root.once(&ELEMENTS)?;
        let parent = root.child("parent")?.map(read_parent).transpose()?;
        let management = root.child("distributionManagement")?;
        let relocation = management.map(|m| m.child("relocation")).transpose()?.flatten();
        let mut fields = Vec::new();
        for path in FIELDS {
            let value = match path.split_once('.') {
                None => root.child_text(path)?,
                Some((parent, name)) => {
                    root.child(parent)?.map(|parent| parent.child_text(name)).transpose()?.flatten()
                }
            };
            if let Some(value) = value {
                fields.push((path, value.into()));
            }
        }
        if let Some(build) = root.child("build")? {
            build.once(&["plugins", "pluginManagement", "extensions", "resources", "testResources"])?;
        }
        for license in root.items("licenses", "license")? {
            license.once(&["name", "url", "distribution", "comments"])?;
        }
        let extensions =
            root.child("build")?.map(|build| build.items("extensions", "extension")).transpose()?;
        let mut detects_os = false;
        for extension in extensions.into_iter().flatten() {
            detects_os |= extension.child_text("artifactId")? == Some("os-maven-plugin");
        }
        let profiles = root.items("profiles", "profile")?.map(read_profile).collect::<Result<_, _>>()?;
        Ok(Self {
            parent,
            group: optional(&root, "groupId")?,
            artifact: optional(&root, "artifactId")?,
            version: optional(&root, "version")?,
            packaging: root.child_text("packaging")?.unwrap_or("jar").into(),
            base: read_base(&root)?,
            profiles,
            relocation: relocation.map(read_relocation).transpose()?,
            has_modules: root.items("modules", "module")?.next().is_some(),
            fields,
            detects_os,
            copy_settings: read_copy_settings(&root)?,
        })
    }

    /// The coordinate that it has by itself or by its parent; an expression in it stays one.
    pub(super) fn coordinate(&self) -> Coordinate {
        let parent = self.parent.as_ref();
        let missing = || Text::from("");
        Coordinate {
            group: self
                .group
                .clone()
                .or_else(|| parent.map(|p| Arc::clone(&p.group)))
                .unwrap_or_else(missing),
            artifact: self.artifact.clone().unwrap_or_else(missing),
            version: self
                .version
                .clone()
                .or_else(|| parent.map(|p| Arc::clone(&p.version)))
                .unwrap_or_else(missing),
        }
    }
}

fn optional(element: &Element, name: &str) -> Result<Option<Text>, XmlError> {
    Ok(element.child_text(name)?.map(Text::from))
}

fn required(element: &Element, name: &str) -> Result<Text, XmlError> {
    Ok(element.child_text(name)?.unwrap_or_default().into())
}

fn read_parent(element: &Element) -> Result<Parent, XmlError> {
    Ok(Parent {
        group: required(element, "groupId")?,
        artifact: required(element, "artifactId")?,
        version: required(element, "version")?,
    })
}

fn read_relocation(element: &Element) -> Result<Relocation, XmlError> {
    Ok(Relocation {
        group: optional(element, "groupId")?,
        artifact: optional(element, "artifactId")?,
        version: optional(element, "version")?,
    })
}

fn read_base(element: &Element) -> Result<ModelBase, XmlError> {
    let mut properties = Properties::new();
    for property in element.child("properties")?.map(Element::list).transpose()?.unwrap_or_default() {
        properties.insert(property.name.as_ref().into(), property.own_text()?.into());
    }
    let managed = element.child("dependencyManagement")?.map(read_dependencies).transpose()?;
    let repositories =
        element.items("repositories", "repository")?.map(read_repository).collect::<Result<_, _>>()?;
    Ok(ModelBase { properties, dependencies: read_dependencies(element)?, managed, repositories })
}

fn read_dependencies(element: &Element) -> Result<Vec<Arc<Dependency>>, XmlError> {
    let mut dependencies = Vec::new();
    for item in element.items("dependencies", "dependency")? {
        if dependencies.len() >= MAX_DEPENDENCIES {
            return Err(XmlError::TooLarge { limit: MAX_DEPENDENCIES, what: "dependencies" });
        }
        dependencies.push(Arc::new(read_dependency(item)?));
    }
    Ok(dependencies)
}

fn read_dependency(element: &Element) -> Result<Dependency, XmlError> {
    let mut exclusions = Vec::new();
    for item in element.items("exclusions", "exclusion")? {
        exclusions
            .push(Exclusion { group: required(item, "groupId")?, artifact: required(item, "artifactId")? });
    }
    let mut dependency = Dependency {
        group: required(element, "groupId")?,
        artifact: required(element, "artifactId")?,
        version: optional(element, "version")?,
        kind: element.child_text("type")?.unwrap_or("jar").into(),
        classifier: optional(element, "classifier")?,
        scope: optional(element, "scope")?,
        optional: optional(element, "optional")?,
        system_path: optional(element, "systemPath")?,
        exclusions: exclusions.into(),
        has_expressions: false,
    };
    let has_expressions = dependency.fields().any(|field| field.contains("${"));
    dependency.has_expressions = has_expressions;
    Ok(dependency)
}

fn read_repository(element: &Element) -> Result<Repository, XmlError> {
    let enabled = |policy: &str| -> Result<bool, XmlError> {
        let enabled =
            element.child(policy)?.map(|policy| policy.child_text("enabled")).transpose()?.flatten();
        Ok(enabled.is_none_or(|enabled| enabled.is_empty() || enabled.eq_ignore_ascii_case("true")))
    };
    Ok(Repository {
        id: required(element, "id")?,
        url: required(element, "url")?,
        releases: enabled("releases")?,
        snapshots: enabled("snapshots")?,
    })
}

/// The names of what a POM configures of `maven-dependency-plugin`, other than for one execution.
fn read_copy_settings(root: &Element) -> Result<Vec<Text>, XmlError> {
    let mut names: Vec<Text> = Vec::new();
    if let Some(build) = root.child("build")? {
        let managed = build.child("pluginManagement")?;
        for holder in [Some(build), managed].into_iter().flatten() {
            for plugin in holder.items("plugins", "plugin")? {
                if plugin.child_text("artifactId")? == Some("maven-dependency-plugin")
                    && let Some(configuration) = plugin.child("configuration")?
                {
                    names.extend(configuration.children.iter().map(|setting| Text::from(&*setting.name)));
                }
            }
        }
    }
    let properties = root.child("properties")?.map(|all| all.children.as_slice()).unwrap_or_default();
    let known = |property: &&Element| COPY_PROPERTIES.contains(&&*property.name);
    names.extend(properties.iter().filter(known).map(|property| Text::from(&*property.name)));
    Ok(names)
}

/// Reads a profile; those of settings have the same form where it matters.
pub(super) fn read_profile(element: &Element) -> Result<Profile, XmlError> {
    element.once(&[
        "id",
        "activation",
        "properties",
        "dependencies",
        "dependencyManagement",
        "repositories",
        "build",
    ])?;
    let activation = element.child("activation")?.map(read_activation).transpose()?.unwrap_or_default();
    Ok(Profile { id: required(element, "id")?, activation, base: read_base(element)? })
}

fn read_activation(element: &Element) -> Result<Activation, XmlError> {
    let os = |element: &Element| -> Result<OsTrigger, XmlError> {
        Ok(OsTrigger {
            name: optional(element, "name")?,
            family: optional(element, "family")?,
            arch: optional(element, "arch")?,
            version: optional(element, "version")?,
        })
    };
    let property = |element: &Element| Ok((required(element, "name")?, optional(element, "value")?));
    let file = |element: &Element| Ok((optional(element, "exists")?, optional(element, "missing")?));
    Ok(Activation {
        by_default: element
            .child_text("activeByDefault")?
            .is_some_and(|text| text.eq_ignore_ascii_case("true")),
        jdk: optional(element, "jdk")?,
        os: element.child("os")?.map(os).transpose()?,
        property: element.child("property")?.map(property).transpose()?,
        file: element.child("file")?.map(file).transpose()?,
    })
}

#[cfg(test)]
mod tests;
