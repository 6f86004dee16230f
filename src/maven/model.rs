//! Effective models: a POM with everything that its parents, profiles, expressions and imports make of it
//! (`DefaultModelBuilder`).
//!
//! For each POM of the lineage: duplicates collapse, active profiles go in. Then children inherit, expressions are resolved once
//! on the whole, imported management comes in behind the model's own, and what is managed fills in what dependencies leave
//! out. A model with an error is none: its project has no dependencies (and for the root nothing can be done at all).
//!
//! Each model is built once, and whoever asks while it is being built waits for it. What a lineage inherits is put together
//! once for all its children. Parents that lead back to a child, and imports that do, are found before anyone could wait for
//! himself: only the outermost build waits for another.

mod lineage;
mod validate;

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, Semaphore};

use self::lineage::{Inherited, InheritedKey};
use self::validate::{check, check_id, check_length, field_problem};
use super::coordinate::{Coordinate, Text};
use super::error::{Attempt, ModelProblem};
use super::graph;
use super::interpolate::Interpolator;
use super::machine::Machine;
use super::merge;
use super::pom::{Dependency, ManagementKey, Pom, Properties, Relocation, Repository};
use super::profile::PROJECT_DIRECTORY;
use super::remote::Library;
use super::repository::{Choices, Remotes};

/// Most ancestors of a POM, and most imports inside each other.
const MAX_LINEAGE: usize = 64;

/// Models that are built at the same time. More would not be faster, for what takes time is to read what they need.
const BUILDERS: usize = 32;

/// Most dependencies, managed ones too, of all models of a resolution together, those counted that parents hand down; the
/// largest connectors have some sixty thousand.
const MAX_ENTRIES: usize = 500_000;

/// Most managed dependencies of an effective model.
const MAX_MANAGED: usize = 200_000;

/// What a POM amounts to.
#[derive(Debug)]
pub(super) struct Effective {
    /// Its own coordinate, which need not be the one it was found under.
    pub coordinate: Coordinate,
    /// `<packaging>`.
    pub packaging: Text,
    /// Dependencies, management applied and scopes filled in.
    pub dependencies: Arc<[graph::Dependency]>,
    /// Management, imports resolved; the first entry of a key counts.
    pub managed: Vec<Arc<Dependency>>,
    /// Repositories of the POM and its parents.
    pub repositories: Arc<[Repository]>,
    /// Where the project went.
    pub relocation: Option<Relocation>,
    /// Settings for `maven-dependency-plugin`, by name.
    pub copy_settings: Vec<Text>,
}

/// Why a POM amounts to nothing.
#[derive(Debug, Clone)]
pub(super) enum ModelFailure {
    /// No repository has it.
    Missing(Vec<Attempt>),
    /// A repository failed.
    Failed(Vec<Attempt>),
    /// It is wrong. Maven takes such a project without its dependencies.
    Invalid(ModelProblem),
    /// It is wrong in a way with which Maven ends.
    Fatal(ModelProblem),
    /// A parent or an import of it cannot be had.
    Unresolvable {
        /// `the parent`, `an import`.
        what: &'static str,
        /// Whose.
        of: Coordinate,
        /// What is missing.
        needed: Coordinate,
        /// Who was asked.
        attempts: Vec<Attempt>,
    },
}

impl From<ModelProblem> for ModelFailure {
    fn from(problem: ModelProblem) -> Self {
        Self::Invalid(problem)
    }
}

/// Values by key, each made once; whoever asks meanwhile waits.
struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    async fn get(&self, key: K, make: impl Future<Output = V>) -> V {
        let cell = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        // Models are large while they are being built, and wait for each other.
        cell.get_or_init(|| Box::pin(make)).await.clone()
    }
}

type Managed = Arc<Vec<Arc<Dependency>>>;

/// Builds models.
pub(super) struct Models {
    library: Arc<Library>,
    choices: Arc<Choices>,
    /// What the root sees: the user's properties come before the model's.
    user: Properties,
    machine: Machine,
    /// What dependencies see: there the user's properties are the machine's (MNG-7563).
    machine_below: Machine,
    nothing: Properties,
    /// What the root's extensions bring into the session.
    session: Properties,
    poms: Memo<(Coordinate, Remotes), Result<Arc<Pom>, ModelFailure>>,
    inherited: Mutex<HashMap<InheritedKey, Arc<Inherited>>>,
    effective: Memo<(Coordinate, Remotes), Result<Arc<Effective>, ModelFailure>>,
    imports: Memo<(Coordinate, Remotes), Result<Managed, ModelFailure>>,
    /// For models that are built at the same time: each may hold much while it is built.
    builders: Semaphore,
    /// Dependencies, managed ones too, of all models so far.
    entries: AtomicUsize,
}

/// How a model is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The project that is resolved.
    Root,
    /// Something that it needs.
    Dependency,
}

impl Models {
    /// Builds from what `library` has, for a user who set `user` on the command line. `detects_os` says that the root has
    /// `os-maven-plugin` among its build extensions, which tells every POM of the session what system it is on.
    pub(super) fn new(
        library: Arc<Library>,
        choices: Arc<Choices>,
        machine: Machine,
        user: Properties,
        detects_os: bool,
    ) -> Self {
        let detected = machine.detected_os();
        let detected = detected.iter().map(|(name, value)| (Text::from(*name), Text::from(*value)));
        let session = detected.filter(|_| detects_os).collect();
        let mut machine_below = machine.clone();
        machine_below.system.extend(user.clone());
        Self {
            library,
            choices,
            user,
            machine,
            machine_below,
            nothing: Properties::new(),
            session,
            poms: Memo::default(),
            inherited: Mutex::default(),
            effective: Memo::default(),
            imports: Memo::default(),
            builders: Semaphore::new(BUILDERS),
            entries: AtomicUsize::new(0),
        }
    }

    /// The effective model of a dependency.
    pub(super) async fn effective(
        &self,
        coordinate: &Coordinate,
        remotes: &Remotes,
    ) -> Result<Arc<Effective>, ModelFailure> {
        let make = async {
            let pom = self.pom(coordinate, remotes).await?;
            let _permit = self.builders.acquire().await;
            let mut model = self.build(pom, remotes, Role::Dependency, &[]).await?;
            // What a dependency manages has been applied, and goes no further.
            model.managed = Vec::new();
            Ok(Arc::new(model))
        };
        self.effective.get((coordinate.clone(), Arc::clone(remotes)), make).await
    }

    /// The effective model of the root, whose POM is given.
    pub(super) async fn root(&self, pom: Arc<Pom>, remotes: &Remotes) -> Result<Effective, ModelFailure> {
        self.build(pom, remotes, Role::Root, &[]).await
    }

    /// Whether the root, or one of its parents, has `os-maven-plugin` among its build extensions.
    pub(super) async fn detects_os(&self, pom: Arc<Pom>, remotes: &Remotes) -> Result<bool, ModelFailure> {
        Ok(self.inherit(pom, remotes, Role::Root).await?.0.detects_os)
    }

    /// A POM as it is written.
    pub(super) async fn pom(
        &self,
        coordinate: &Coordinate,
        remotes: &Remotes,
    ) -> Result<Arc<Pom>, ModelFailure> {
        let make = async {
            match Box::pin(self.library.pom(coordinate, remotes)).await {
                Ok(content) => {
                    Pom::read(&content).map(Arc::new).map_err(|error| ModelFailure::Invalid(error.into()))
                }
                Err(attempts) if attempts.iter().all(Attempt::is_missing) => {
                    Err(ModelFailure::Missing(attempts))
                }
                Err(attempts) => Err(ModelFailure::Failed(attempts)),
            }
        };
        self.poms.get((coordinate.clone(), Arc::clone(remotes)), make).await
    }

    /// `importing` are the models that wait for this one, outermost first.
    fn build<'a>(
        &'a self,
        pom: Arc<Pom>,
        remotes: &'a Remotes,
        role: Role,
        importing: &'a [Coordinate],
    ) -> Pin<Box<dyn Future<Output = Result<Effective, ModelFailure>> + Send + 'a>> {
        Box::pin(async move {
            let (inherited, remotes) = self.inherit(pom, remotes, role).await?;
            let draft = self.interpolate(&inherited, role)?;
            // Who imports what is known only now; fetching the imports is all that waits.
            let remotes = self.choices.aggregate(&remotes, &draft.repositories);
            let mut imported = Vec::new();
            for import in &draft.imports {
                imported.push(Box::pin(self.import(import, &draft.coordinate, &remotes, importing)).await?);
            }
            Ok(draft.finish(&imported)?)
        })
    }

    /// The management of an imported POM. Only a model that nobody imports waits for another one.
    async fn import(
        &self,
        wanted: &Coordinate,
        of: &Coordinate,
        remotes: &Remotes,
        importing: &[Coordinate],
    ) -> Result<Managed, ModelFailure> {
        let chain: Vec<Coordinate> = importing.iter().chain([of]).cloned().collect();
        if chain.contains(wanted) {
            let circle: Vec<String> = chain.iter().chain([wanted]).map(ToString::to_string).collect();
            return Err(ModelProblem::ImportCycle(circle.join(" -> ")).into());
        }
        if chain.len() > MAX_LINEAGE {
            return Err(
                ModelProblem::TooLarge { limit: MAX_LINEAGE, what: "imports inside each other" }.into()
            );
        }
        let make = async {
            match self.pom(wanted, remotes).await {
                Ok(pom) => {
                    let effective = self.build(pom, remotes, Role::Dependency, &chain).await?;
                    Ok(Arc::new(effective.managed))
                }
                Err(ModelFailure::Missing(attempts) | ModelFailure::Failed(attempts)) => {
                    Err(ModelFailure::Unresolvable {
                        what: "an import",
                        of: of.clone(),
                        needed: wanted.clone(),
                        attempts,
                    })
                }
                Err(other) => Err(other),
            }
        };
        if importing.is_empty() {
            self.imports.get((wanted.clone(), Arc::clone(remotes)), make).await
        } else {
            make.await
        }
    }

    /// Counts `entries` that are about to be worked on; what would be too many of all models together is not begun.
    fn count(&self, entries: usize) -> Result<(), ModelProblem> {
        if self.entries.fetch_add(entries, Ordering::Relaxed) > MAX_ENTRIES {
            let what = "dependencies in all models together";
            return Err(ModelProblem::TooLarge { limit: MAX_ENTRIES, what });
        }
        Ok(())
    }

    fn interpolate(&self, inherited: &Inherited, role: Role) -> Result<Draft, ModelProblem> {
        let (user, machine) = match role {
            Role::Root => (&self.user, &self.machine),
            Role::Dependency => (&self.nothing, &self.machine_below),
        };
        self.count(inherited.entries())?;
        let session = &self.session;
        let mut fields: HashMap<&'static str, Text> = inherited.fields.iter().cloned().collect();
        let pom = &inherited.pom;
        let own =
            [("groupId", &inherited.group), ("artifactId", &pom.artifact), ("version", &inherited.version)];
        fields.extend(own.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        fields.insert("packaging", Arc::clone(&pom.packaging));
        let usual = "${project.artifactId}-${project.version}";
        fields.entry("build.finalName").or_insert_with(|| usual.into());
        if let Some(parent) = &pom.parent {
            fields.insert("parent.groupId", Arc::clone(&parent.group));
            fields.insert("parent.artifactId", Arc::clone(&parent.artifact));
            fields.insert("parent.version", Arc::clone(&parent.version));
        }
        if role == Role::Root {
            fields.insert("basedir", PROJECT_DIRECTORY.into());
        }
        let mut interpolator = Interpolator::new(fields, user, &inherited.properties, session, machine);
        // Also those that nobody uses: one that refers to itself makes the model invalid.
        interpolator.all_properties()?;
        for (_, value) in &inherited.fields {
            interpolator.text(value)?;
        }
        let mut text = |value: &Option<Text>| interpolator.optional(value.as_ref());
        let coordinate = Coordinate {
            group: text(&inherited.group)?.unwrap_or_default(),
            artifact: text(&pom.artifact)?.unwrap_or_default(),
            version: text(&inherited.version)?.unwrap_or_default(),
        };
        let packaging = interpolator.text(&pom.packaging)?;
        let relocation = match &pom.relocation {
            Some(relocation) => Some(Relocation {
                group: interpolator.optional(relocation.group.as_ref())?,
                artifact: interpolator.optional(relocation.artifact.as_ref())?,
                version: interpolator.optional(relocation.version.as_ref())?,
            }),
            None => None,
        };
        let mut repositories = Vec::with_capacity(inherited.repositories.len());
        for repository in &inherited.repositories {
            let (id, url) = (interpolator.text(&repository.id)?, interpolator.text(&repository.url)?);
            repositories.push(Repository { id, url, ..repository.clone() });
        }
        let mut resolve =
            |dependency: &Arc<Dependency>| interpolate_dependency(dependency, &mut interpolator);
        let dependencies = inherited.dependencies.iter().map(&mut resolve).collect::<Result<_, _>>()?;
        let (mut managed, mut imports) = (Vec::new(), Vec::new());
        for dependency in inherited.managed.iter().flat_map(|managed| managed.iter()) {
            let dependency = resolve(dependency)?;
            if dependency.is_import() {
                imports.push(import_coordinate(&dependency)?);
            } else {
                managed.push(dependency);
            }
        }
        let title = coordinate.to_string();
        check_id("groupId", &coordinate.group, &title)?;
        check_id("artifactId", &coordinate.artifact, &title)?;
        for (field, value) in [("version", &coordinate.version), ("packaging", &packaging)] {
            if value.is_empty() {
                return Err(field_problem(field, &title, "is missing"));
            }
            check_length(field, value, &title)?;
        }
        // Whatever it says: only that it is there counts, and a parent's is not inherited.
        if pom.fields.iter().all(|(name, value)| *name != "modelVersion" || value.is_empty()) {
            return Err(field_problem("modelVersion", &title, "is missing"));
        }
        for value in relocation.iter().flat_map(|to| [&to.group, &to.artifact, &to.version]).flatten() {
            check_length("relocation", value, &title)?;
        }
        if pom.has_modules && *packaging != *"pom" {
            return Err(field_problem("packaging", &title, "must be `pom`, for it has modules"));
        }
        let copy_settings = inherited.copy_settings.clone();
        Ok(Draft {
            coordinate,
            packaging,
            dependencies,
            managed,
            imports,
            repositories,
            relocation,
            copy_settings,
        })
    }
}

/// A model whose imports are still to come.
struct Draft {
    coordinate: Coordinate,
    packaging: Text,
    dependencies: Vec<Arc<Dependency>>,
    managed: Vec<Arc<Dependency>>,
    imports: Vec<Coordinate>,
    repositories: Vec<Repository>,
    relocation: Option<Relocation>,
    copy_settings: Vec<Text>,
}

impl Draft {
    fn finish(self, imported: &[Managed]) -> Result<Effective, ModelProblem> {
        let mut managed = self.managed;
        if managed.len() + imported.iter().map(|list| list.len()).sum::<usize>() > MAX_MANAGED {
            return Err(ModelProblem::TooLarge { limit: MAX_MANAGED, what: "managed dependencies" });
        }
        merge::import(&mut managed, imported);
        let mut dependencies = self.dependencies;
        inject_management(&mut dependencies, &managed);
        for dependency in &mut dependencies {
            if dependency.scope.as_deref().is_none_or(str::is_empty) {
                Arc::make_mut(dependency).scope = Some("compile".into());
            }
            check(dependency, false)?;
        }
        managed.iter().try_for_each(|dependency| check(dependency, true))?;
        Ok(Effective {
            coordinate: self.coordinate,
            packaging: self.packaging,
            dependencies: dependencies.iter().map(|dependency| graph::Dependency::new(dependency)).collect(),
            managed,
            repositories: self.repositories.into(),
            relocation: self.relocation,
            copy_settings: self.copy_settings,
        })
    }
}

/// `DefaultDependencyManagementInjector`: what is managed fills in version, scope and path where there is none, and exclusions
/// where there are none at all; `optional` is never managed. Of two dependencies with the same key it is the last one that is
/// filled in.
fn inject_management(dependencies: &mut [Arc<Dependency>], managed: &[Arc<Dependency>]) {
    let places: HashMap<ManagementKey, usize> =
        dependencies.iter().enumerate().map(|(place, entry)| (entry.management_key(), place)).collect();
    for entry in managed {
        let Some(place) = places.get(&entry.management_key()) else { continue };
        let dependency = Arc::make_mut(&mut dependencies[*place]);
        for (target, source) in [
            (&mut dependency.version, &entry.version),
            (&mut dependency.scope, &entry.scope),
            (&mut dependency.system_path, &entry.system_path),
        ] {
            if target.is_none() {
                target.clone_from(source);
            }
        }
        if dependency.exclusions.is_empty() {
            dependency.exclusions = Arc::clone(&entry.exclusions);
        }
    }
}

fn interpolate_dependency(
    dependency: &Arc<Dependency>,
    interpolator: &mut Interpolator<'_>,
) -> Result<Arc<Dependency>, ModelProblem> {
    if !dependency.has_expressions {
        return Ok(Arc::clone(dependency));
    }
    let mut exclusions = Vec::with_capacity(dependency.exclusions.len());
    for exclusion in dependency.exclusions.iter() {
        exclusions.push(super::pom::Exclusion {
            group: interpolator.text(&exclusion.group)?,
            artifact: interpolator.text(&exclusion.artifact)?,
        });
    }
    Ok(Arc::new(Dependency {
        group: interpolator.text(&dependency.group)?,
        artifact: interpolator.text(&dependency.artifact)?,
        version: interpolator.optional(dependency.version.as_ref())?,
        kind: interpolator.text(&dependency.kind)?,
        classifier: interpolator.optional(dependency.classifier.as_ref())?,
        scope: interpolator.optional(dependency.scope.as_ref())?,
        optional: interpolator.optional(dependency.optional.as_ref())?,
        system_path: interpolator.optional(dependency.system_path.as_ref())?,
        exclusions: exclusions.into(),
        has_expressions: false,
    }))
}

fn import_coordinate(dependency: &Dependency) -> Result<Coordinate, ModelProblem> {
    let version = dependency.version.clone().unwrap_or_default();
    for (field, value) in
        [("groupId", &dependency.group), ("artifactId", &dependency.artifact), ("version", &version)]
    {
        let what = || format!("the import {}", dependency.title());
        if value.is_empty() {
            return Err(field_problem(field, &what(), "is missing"));
        }
        check_length(field, value, &what())?;
    }
    Ok(Coordinate {
        group: Arc::clone(&dependency.group),
        artifact: Arc::clone(&dependency.artifact),
        version,
    })
}
