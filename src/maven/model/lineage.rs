//! The lineage of a POM: itself and its parents, each with its active profiles, handed down to one
//! (`DefaultModelBuilder.readParent`, `DefaultInheritanceAssembler`).

use std::sync::{Arc, PoisonError};

use super::validate::{check_length, field_problem};
use super::{MAX_LINEAGE, ModelFailure, Models, Role};
use crate::maven::coordinate::{Coordinate, Text};
use crate::maven::error::ModelProblem;
use crate::maven::merge;
use crate::maven::metadata;
use crate::maven::pom::{Dependency, INHERITED_FIELDS, Parent, Pom, Properties, Repository};
use crate::maven::profile::{Context, inject_profiles};
use crate::maven::published::published;
use crate::maven::repository::Remotes;
use crate::maven::version::{Constraint, Version};

/// What a POM inherits, itself included, before expressions are resolved.
#[derive(Debug, Clone)]
pub(super) struct Inherited {
    pub(super) pom: Arc<Pom>,
    pub(super) group: Option<Text>,
    pub(super) version: Option<Text>,
    /// Of the POM first, then of its parents.
    pub(super) properties: Vec<Arc<Properties>>,
    pub(super) dependencies: Vec<Arc<Dependency>>,
    pub(super) managed: Option<Arc<Vec<Arc<Dependency>>>>,
    pub(super) repositories: Vec<Repository>,
    pub(super) fields: Vec<(&'static str, Text)>,
    pub(super) detects_os: bool,
    pub(super) copy_settings: Vec<Text>,
}

/// A lineage is known by its POM, by who was asked, and by the packaging of the model that is built.
pub(super) type InheritedKey = (Coordinate, Remotes, Text);

impl Models {
    /// Walks up to the last ancestor, then hands everything down.
    pub(super) async fn inherit(
        &self,
        pom: Arc<Pom>,
        remotes: &Remotes,
        role: Role,
    ) -> Result<(Arc<Inherited>, Remotes), ModelFailure> {
        let packaging = Arc::clone(&pom.packaging);
        let context = |root: bool| Context {
            machine: if role == Role::Root { &self.machine } else { &self.machine_below },
            user: &self.user,
            packaging: &packaging,
            root,
        };
        let mut remotes = Arc::clone(remotes);
        let mut ids = vec![pom.coordinate()];
        // Each POM, profiles injected, and the key under which it may be known already.
        let mut lineage: Vec<(Pom, Option<InheritedKey>)> = Vec::new();
        let mut current = inject_profiles(&pom, &context(role == Role::Root));
        if role == Role::Root {
            current.base.repositories =
                merge::repositories(&self.choices.profiles, &current.base.repositories);
        }
        let mut key = None;
        let mut known = None;
        loop {
            remotes = self.choices.aggregate(&remotes, &current.base.repositories);
            let parent = current.parent.clone();
            let (of, own_version) = (current.coordinate(), current.version.clone());
            lineage.push((current, key));
            let Some(parent) = parent else { break };
            for (field, value) in [
                ("parent.groupId", &parent.group),
                ("parent.artifactId", &parent.artifact),
                ("parent.version", &parent.version),
            ] {
                if value.is_empty() {
                    return Err(field_problem(field, &of.to_string(), "is missing").into());
                }
                check_length(field, value, &of.to_string())?;
            }
            let coordinate = self.parent_coordinate(&parent, &of, &remotes).await?;
            if coordinate.version != parent.version && follows_its_parent(own_version.as_deref()) {
                let words =
                    format!("`{}` is a range, and the project has no version of its own", parent.version);
                return Err(ModelProblem::ParentRange(words).into());
            }
            let raw = match self.pom(&coordinate, &remotes).await {
                Ok(raw) => raw,
                Err(ModelFailure::Missing(attempts) | ModelFailure::Failed(attempts)) => {
                    return Err(ModelFailure::Unresolvable {
                        what: "the parent",
                        of,
                        needed: coordinate,
                        attempts,
                    });
                }
                Err(other) => return Err(other),
            };
            if *raw.packaging != *"pom" {
                let packaging = crate::path::shown(raw.packaging.as_bytes());
                return Err(ModelProblem::ParentPackaging { parent: coordinate, packaging }.into());
            }
            let id = raw.coordinate();
            if ids.contains(&id) {
                let circle: Vec<String> = ids.iter().chain([&id]).map(ToString::to_string).collect();
                return Err(ModelProblem::ParentCycle(circle.join(" -> ")).into());
            }
            ids.push(id);
            if ids.len() > MAX_LINEAGE {
                return Err(ModelProblem::TooLarge { limit: MAX_LINEAGE, what: "ancestors" }.into());
            }
            let next = (coordinate, Arc::clone(&remotes), Arc::clone(&packaging));
            known = self.known_lineage(&next);
            // Nothing is known whose own lineage leads in a circle, so it leads back to none of these either.
            if known.is_some() {
                break;
            }
            current = inject_profiles(&raw, &context(false));
            key = Some(next);
        }
        let mut inherited = known;
        for (pom, key) in lineage.into_iter().rev() {
            // Somebody else may have handed down to this one while its parents were on their way.
            let known = key.as_ref().and_then(|key| self.known_lineage(key));
            if known.is_some() {
                inherited = known;
                continue;
            }
            self.count(pom.entries() + inherited.as_ref().map_or(0, |parent| parent.entries()))?;
            let next = Arc::new(Inherited::new(pom, inherited.as_deref()));
            if let Some(key) = key {
                self.inherited.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&next));
            }
            inherited = Some(next);
        }
        match inherited {
            Some(inherited) => Ok((inherited, remotes)),
            // The lineage holds the POM itself at least.
            None => Err(ModelProblem::ParentCycle(String::new()).into()),
        }
    }

    fn known_lineage(&self, key: &InheritedKey) -> Option<Arc<Inherited>> {
        self.inherited.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// A parent's version may be a range with an end above; the highest version in it is the parent.
    async fn parent_coordinate(
        &self,
        parent: &Parent,
        of: &Coordinate,
        remotes: &Remotes,
    ) -> Result<Coordinate, ModelFailure> {
        let exact = |version: Text| Coordinate {
            group: Arc::clone(&parent.group),
            artifact: Arc::clone(&parent.artifact),
            version,
        };
        let constraint = Constraint::parse(&parent.version).map_err(ModelProblem::from)?;
        let problem = |words: &str| ModelProblem::ParentRange(format!("`{}` {words}", parent.version));
        let (versions, attempts) = if let Some(only) = constraint.only() {
            if *only.as_str() == *"LATEST" || *only.as_str() == *"RELEASE" {
                let (found, attempts) =
                    self.library.metadata(&parent.group, &parent.artifact, None, remotes).await;
                (metadata::named(&found, only.as_str()).into_iter().map(Version::parse).collect(), attempts)
            } else {
                return Ok(exact(only.text()));
            }
        } else {
            if constraint.is_open_above() {
                return Err(ModelFailure::Fatal(problem("has no upper end")));
            }
            published(&self.library, &parent.group, &parent.artifact, &constraint, remotes).await
        };
        match versions.iter().max() {
            Some(highest) => Ok(exact(highest.text())),
            None => Err(ModelFailure::Unresolvable {
                what: "the parent",
                of: of.clone(),
                needed: exact(Arc::clone(&parent.version)),
                attempts,
            }),
        }
    }
}

/// Whether a version is not said, or said to be the parent's (`DefaultModelBuilder.rawChildVersionReferencesParent`).
fn follows_its_parent(version: Option<&str>) -> bool {
    matches!(
        version,
        None | Some(
            "${pom.version}" | "${project.version}" | "${pom.parent.version}" | "${project.parent.version}"
        )
    )
}

impl Inherited {
    /// Dependencies, managed ones too.
    pub(super) fn entries(&self) -> usize {
        self.dependencies.len() + self.managed.as_ref().map_or(0, |managed| managed.len())
    }

    /// `DefaultInheritanceAssembler`: the child's entries come first and stay as they are. Neither the relocation is inherited
    /// nor the names.
    fn new(pom: Pom, parent: Option<&Inherited>) -> Self {
        let mut dependencies = pom.base.dependencies.clone();
        let mut managed = pom.base.managed.clone();
        let mut properties = vec![Arc::new(pom.base.properties.clone())];
        let mut repositories = pom.base.repositories.clone();
        let mut fields = pom.fields.clone();
        let mut shared = None;
        if let Some(parent) = parent {
            merge::inherit(&mut dependencies, &parent.dependencies);
            match (&mut managed, &parent.managed) {
                (Some(own), Some(inherited)) if !own.is_empty() => merge::inherit(own, inherited),
                (_, Some(inherited)) => shared = Some(Arc::clone(inherited)),
                (_, None) => {}
            }
            properties.extend(parent.properties.iter().cloned());
            repositories = merge::repositories(&repositories, &parent.repositories);
            for (name, value) in &parent.fields {
                if INHERITED_FIELDS.contains(name) && fields.iter().all(|(known, _)| known != name) {
                    fields.push((name, Arc::clone(value)));
                }
            }
        }
        let managed = shared.or_else(|| managed.map(Arc::new));
        Self {
            group: pom.group.clone().or_else(|| parent.and_then(|parent| parent.group.clone())),
            version: pom.version.clone().or_else(|| parent.and_then(|parent| parent.version.clone())),
            properties,
            dependencies,
            managed,
            repositories,
            fields,
            copy_settings: [pom.copy_settings.as_slice(), parent.map_or(&[], |parent| &parent.copy_settings)]
                .concat(),
            detects_os: pom.detects_os || parent.is_some_and(|parent| parent.detects_os),
            pom: Arc::new(pom),
        }
    }
}
