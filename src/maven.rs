//! Maven artifacts: the very files that `mvn dependency:copy-dependencies` finds, without Java.
//!
//! ```text
//!  coordinate ─► POM ─► effective model ──────────────► collection ─► mediation ─► file list ─► downloads
//!  coordinate    pom    model: profile, merge,          collect,      mediate      resolution   remote
//!                xml    interpolate, machine            ahead, manage
//! ```
//!
//! The behaviour is that of Maven 3.9 and its resolver 1.9; each module names the class whose rules it has. [`Maven::resolve`]
//! goes the whole way for one artifact: the root's POM is read and becomes an effective model, everything that its dependencies
//! ask for is collected into a graph, of each project one version wins, and what is left are the files, each with its scope. A
//! scope that is asked for filters that list and nothing before it: what tests need takes part in the mediation.
//!
//! Files come from `remote::Library`, which asks the repositories that `repository::Choices` puts in order. No command is
//! run, no entity of an XML document is ever expanded or fetched, and everything that a POM can make grow is bounded.

mod ahead;
mod cache;
mod checksum;
mod collect;
mod coordinate;
mod download;
mod error;
mod graph;
mod habits;
mod interpolate;
mod machine;
mod manage;
mod mediate;
mod merge;
mod metadata;
mod model;
mod pom;
mod profile;
mod published;
mod remote;
mod repository;
mod resolution;
mod settings;
mod tree;
mod version;
mod xml;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub use self::cache::Cache;
pub use self::checksum::Algorithm;
pub use self::coordinate::{Coordinate, File};
pub use self::download::{Brought, Sizes};
use self::error::Attempt;
pub use self::error::{MavenError, ResolveError};
use self::graph::Dependency;
pub use self::machine::{JAVA_VERSION, Machine};
use self::model::{ModelFailure, Models};
use self::pom::Properties;
pub use self::remote::Downloaded;
use self::remote::Library;
use self::repository::{Choices, Remotes};
pub use self::resolution::{Resolution, ResolvedFile};
pub use self::settings::{Settings, SettingsError};
pub use self::tree::tree;
use self::version::{Constraint, Version};
use crate::fetch::Fetcher;
use crate::plan::{MavenRequest, Scope};
use crate::redact::SafeUrl;

/// How Maven artifacts are resolved.
#[derive(Debug, Clone, Default)]
pub struct MavenSettings {
    /// The repository where none is named: what POMs call `central`.
    pub repository: Option<SafeUrl>,
    /// A `settings.xml`.
    pub settings: Settings,
    /// What POMs see of the machine.
    pub machine: Machine,
    /// Released files that outlive the build.
    pub cache: Option<Cache>,
}

impl MavenSettings {
    /// Whether an artifact that names no repository finds one.
    pub fn has_repository(&self) -> bool {
        let all = |mirror: &repository::Mirror| {
            mirror.of.split(',').any(|part| matches!(part.trim(), "*" | "external:*" | "central"))
        };
        self.repository.is_some()
            || !self.settings.repositories.is_empty()
            || self.settings.mirrors.iter().any(|mirror| !mirror.blocked && all(mirror))
    }
}

/// What is shared by artifacts that are resolved alike: who is asked, what the user says, whether the system is detected.
type ModelsKey = (Option<SafeUrl>, Vec<SafeUrl>, bool, Scope, bool);

/// Resolves Maven artifacts, and remembers what it read for the next one.
pub struct Maven {
    settings: MavenSettings,
    library: Arc<Library>,
    models: Mutex<HashMap<ModelsKey, Arc<Models>>>,
}

impl Maven {
    /// Nothing is read yet. Downloads go into `workspace`.
    pub fn new(settings: MavenSettings, fetcher: Arc<Fetcher>, workspace: &Path) -> Self {
        let library = Arc::new(Library::new(fetcher, workspace, settings.cache.clone()));
        Self { settings, library, models: Mutex::default() }
    }

    /// Resolves an artifact: which files it needs, and from where.
    pub async fn resolve(&self, request: &MavenRequest) -> Result<Resolution, MavenError> {
        self.resolve_with(request, &mut |_, _, _| ()).await
    }

    /// The same; `early` hears of the root's own file and dependencies before anything else is known.
    async fn resolve_with(
        &self,
        request: &MavenRequest,
        early: &mut (dyn FnMut(&[Dependency], &File, &Remotes) + Send),
    ) -> Result<Resolution, MavenError> {
        let choices = Arc::new(Choices {
            central: self.settings.repository.clone(),
            custom: request.repository.clone(),
            mirrors: request.mirrors.clone(),
            profiles: self.settings.settings.repositories.clone(),
            settings_mirrors: self.settings.settings.mirrors.clone(),
            servers: self.settings.settings.servers.clone(),
            insecure: request.insecure,
        });
        let resolved = self.resolve_root(request, choices, early).await;
        resolved.map_err(|source| MavenError { artifact: root_coordinate(request).to_string(), source })
    }

    async fn resolve_root(
        &self,
        request: &MavenRequest,
        choices: Arc<Choices>,
        early: &mut (dyn FnMut(&[Dependency], &File, &Remotes) + Send),
    ) -> Result<Resolution, ResolveError> {
        let first = choices.first();
        let root = self.root_version(root_coordinate(request), &first).await?;
        let models = self.models(request, &choices, false);
        let failed = |failure| root_failure(&root, failure);
        let pom = match models.pom(&root, &first).await {
            Ok(pom) => pom,
            Err(ModelFailure::Missing(attempts) | ModelFailure::Failed(attempts)) => {
                return Err(self.not_found(&root, &File::pom(&root), &first, attempts).await);
            }
            Err(other) => return Err(failed(other)),
        };
        let detects_os = models.detects_os(Arc::clone(&pom), &first).await.map_err(failed)?;
        let models = if detects_os { self.models(request, &choices, true) } else { models };
        let model = models.root(pom, &first).await.map_err(failed)?;
        let remotes = choices.of_root(&model.repositories);
        let file = File::of(&root, "jar");
        let direct = collect::direct(&model);
        early(&direct, &file, &remotes);
        let root_node = collect::Root { model: &model, direct, file, remotes: Arc::clone(&remotes) };
        let collected = collect::collect(&models, &self.library, &choices, root_node).await?;
        let (collected, losses, lists) = mediated(collected).await?;
        Resolution::new(root, &model, collected, losses, lists, remotes)
    }

    fn models(&self, request: &MavenRequest, choices: &Arc<Choices>, detects_os: bool) -> Arc<Models> {
        let key = (
            request.repository.clone(),
            request.mirrors.clone(),
            request.insecure,
            request.scope,
            detects_os,
        );
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            // What Strimzi says on Maven's command line, and POMs can see.
            let mut user = Properties::from([("outputDirectory".into(), "/tmp/artifacts".into())]);
            if !request.scope.name().is_empty() {
                user.insert("includeScope".into(), request.scope.name().into());
            }
            let (library, machine) = (Arc::clone(&self.library), self.settings.machine.clone());
            Arc::new(Models::new(library, Arc::clone(choices), machine, user, detects_os))
        };
        Arc::clone(models.entry(key).or_insert_with(make))
    }

    /// The version that is meant: the one that is named, what `LATEST` or `RELEASE` is today, or the highest in a range.
    async fn root_version(&self, root: Coordinate, remotes: &Remotes) -> Result<Coordinate, ResolveError> {
        let file = File::pom(&root);
        let title = || root.to_string();
        let constraint = Constraint::parse(&root.version).map_err(|error| ResolveError::Range {
            file: title(),
            path: Vec::new(),
            problem: error.to_string(),
        })?;
        if constraint.is_hard() {
            let (versions, attempts) =
                published::published(&self.library, &root.group, &root.artifact, &constraint, remotes).await;
            if let Some(highest) = versions.last() {
                return Ok(Coordinate { version: highest.text(), ..root });
            }
            let problem = published::nothing_in_range(&attempts);
            return Err(ResolveError::Range { file: title(), path: Vec::new(), problem });
        }
        let found = self.library.release(&file, remotes).await;
        found.map_err(|attempts| ResolveError::NoVersion { file: title(), path: Vec::new(), attempts })
    }

    /// The error for a root that is not there; repositories that list its versions are asked for those near to it.
    async fn not_found(
        &self,
        root: &Coordinate,
        file: &File,
        remotes: &Remotes,
        attempts: Vec<Attempt>,
    ) -> ResolveError {
        let mut versions = Vec::new();
        if attempts.iter().all(Attempt::is_missing) {
            let (found, _) = self.library.metadata(&root.group, &root.artifact, None, remotes).await;
            let all =
                found.into_iter().flat_map(|(_, metadata)| metadata.versions).map(Version::parse).collect();
            versions = nearest(all, &root.version);
        }
        ResolveError::NotFound { file: file.to_string(), path: Vec::new(), attempts, versions }
    }
}

fn root_coordinate(request: &MavenRequest) -> Coordinate {
    let [group, name, version] = &request.coordinate;
    Coordinate::new(group.as_str(), name.as_str(), version.as_str())
}

/// Why the root cannot be resolved, where its POM is the reason. In the root nothing is forgiven.
fn root_failure(root: &Coordinate, failure: ModelFailure) -> ResolveError {
    match failure {
        ModelFailure::Invalid(problem) | ModelFailure::Fatal(problem) => {
            ResolveError::InvalidPom { coordinate: root.clone(), path: Vec::new(), problem }
        }
        ModelFailure::Unresolvable { what, of, needed, attempts } => {
            ResolveError::Unresolvable { what, of, needed, path: Vec::new(), attempts }
        }
        ModelFailure::Missing(attempts) | ModelFailure::Failed(attempts) => {
            let file = File::pom(root).to_string();
            ResolveError::NotFound { file, path: Vec::new(), attempts, versions: Vec::new() }
        }
    }
}

/// Bytes of stack for walks through graphs, whose depth nobody but their authors knows.
const STACK: usize = 256 << 20;

type Mediated = (collect::Collected, Vec<mediate::Loss>, Vec<Vec<graph::NodeId>>);

/// Mediates on a thread with room, and gives the lists as they were before too.
async fn mediated(mut collected: collect::Collected) -> Result<Mediated, ResolveError> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let thread =
        std::thread::Builder::new().name("mediation".to_owned()).stack_size(STACK).spawn(move || {
            let lists = collected.graph.lists.clone();
            let losses = mediate::mediate(&mut collected.graph);
            // Nobody listens when the build was called off.
            let _ = sender.send(losses.map(|losses| (collected, losses, lists)));
        });
    match thread {
        Ok(_) => receiver.await.unwrap_or(Err(ResolveError::Cancelled)),
        Err(_) => Err(ResolveError::Cancelled),
    }
}

/// Versions by how much of their beginning they share with `wanted`, the highest first.
fn nearest(mut versions: Vec<Version>, wanted: &str) -> Vec<coordinate::Text> {
    let shared = |version: &Version| {
        version.as_str().bytes().zip(wanted.bytes()).take_while(|(one, other)| one == other).count()
    };
    versions.sort_by(|one, other| shared(other).cmp(&shared(one)).then_with(|| other.cmp(one)));
    versions.dedup_by(|one, other| one.as_str() == other.as_str());
    versions.into_iter().map(|version| version.text()).collect()
}
