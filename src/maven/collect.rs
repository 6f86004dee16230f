//! Collection: from the root's dependencies to a graph of everything that anyone asks for.
//!
//! Depth first, like `DfDependencyCollector`, the default of Maven 3.9: for each dependency in the order of declaration it is
//! decided whether it counts at all, what the root's management makes of it, which versions it may have, what their POMs say.
//! Every version in a range becomes a node. Nobody wins here: that is the mediation's work.
//!
//! The walk needs one POM after the other. What it will need is fetched ahead ([`super::ahead`]).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::ahead::Ahead;
use super::coordinate::{Coordinate, File, Key, Text, base_version};
use super::error::{ModelProblem, ResolveError};
use super::graph::{Dependency, Graph, ListId, Node, NodeId};
use super::manage::{Managed, Management, counts, with_exclusions};
use super::model::{Effective, ModelFailure, Models};
use super::pom::{Exclusion, Repository};
use super::published::{nothing_in_range, published};
use super::remote::Library;
use super::repository::{Choices, Remotes};
use super::version::{Constraint, Version};

/// Most nodes of a graph.
const MAX_NODES: usize = 100_000;

/// Most nodes on the way to another one.
const MAX_DEPTH: usize = 300;

/// Most exclusions on the way to a project. Every dependency below is held against each of them.
const MAX_EXCLUSIONS: usize = 2_000;

/// Steps of the walk between two looks at whether it is still wanted.
const BREATH: usize = 256;

/// What was collected.
#[derive(Debug)]
pub(super) struct Collected {
    /// The graph.
    pub graph: Graph,
    /// POMs that are wrong, so that what they depend on is not there: who, and why. Maven says the same.
    pub invalid: Vec<(File, ModelProblem)>,
    /// Files whose POM is nowhere.
    pub without_pom: Vec<File>,
    /// What was excluded on its way: in whose list it would have stood, and what.
    pub excluded: Vec<(ListId, File)>,
}

/// What a POM says to those who depend on its project.
#[derive(Clone)]
struct Descriptor {
    /// The file, after all relocations.
    file: File,
    /// What it was before, in order.
    relocations: Vec<File>,
    dependencies: Arc<[Dependency]>,
    repositories: Arc<[Repository]>,
}

/// The key under which children may be shared (`DataPool`): the file, who is asked, what is excluded.
type ChildrenKey = (File, Remotes, Arc<[Exclusion]>);

struct Collector<'a> {
    models: &'a Arc<Models>,
    library: &'a Library,
    choices: &'a Choices,
    ahead: Arc<Ahead>,
    management: Arc<Management>,
    graph: Graph,
    children: HashMap<ChildrenKey, ListId>,
    descriptors: HashMap<File, Descriptor>,
    ranges: HashMap<(Key, String, Remotes), Vec<Version>>,
    /// From the root to the node whose children are collected.
    path: Vec<NodeId>,
    invalid: Vec<(File, ModelProblem)>,
    without_pom: Vec<File>,
    excluded: Vec<(ListId, File)>,
}

/// Where in the graph a dependency stands.
#[derive(Clone)]
struct Place {
    remotes: Remotes,
    exclusions: Arc<[Exclusion]>,
    /// 1 for the root's own dependencies.
    depth: usize,
}

/// What a collection begins with.
pub(super) struct Root<'a> {
    /// The root's model.
    pub model: &'a Effective,
    /// Its dependencies.
    pub direct: Arc<[Dependency]>,
    /// Its own file.
    pub file: File,
    /// Who is asked.
    pub remotes: Remotes,
}

/// Collects everything that `root` needs.
pub(super) async fn collect(
    models: &Arc<Models>,
    library: &Library,
    choices: &Arc<Choices>,
    root: Root<'_>,
) -> Result<Collected, ResolveError> {
    let Root { model, direct, file, remotes } = root;
    let management = Arc::new(Management::new(&model.managed));
    let mut graph = Graph::default();
    let children = graph.new_list();
    let version = Version::parse(Arc::clone(&file.version));
    let id = graph.add(Node {
        dependency: None,
        constraint: Constraint::Soft(version.clone()),
        version,
        relocations: vec![file],
        children,
        managed_scope: false,
        managed_optional: false,
        declared_version: None,
        remotes: Arc::clone(&remotes),
    });
    let ahead = Ahead::new(Arc::clone(models), Arc::clone(choices), Arc::clone(&management));
    let mut collector = Collector {
        models,
        library,
        choices,
        ahead,
        management,
        graph,
        children: HashMap::new(),
        descriptors: HashMap::new(),
        ranges: HashMap::new(),
        path: vec![id],
        invalid: Vec::new(),
        without_pom: Vec::new(),
        excluded: Vec::new(),
    };
    let place = Place { remotes, exclusions: Arc::from([]), depth: 1 };
    collector.walk(&direct, place).await?;
    let Collector { graph, invalid, without_pom, excluded, .. } = collector;
    Ok(Collected { graph, invalid, without_pom, excluded })
}

/// The root's dependencies. The same one twice counts once, with the exclusions of the last one of its kind
/// (`DefaultProjectDependenciesResolver` goes through a set, and looks exclusions up in a map).
pub(super) fn direct(root: &Effective) -> Arc<[Dependency]> {
    let exclusions: HashMap<&Key, &Arc<[Exclusion]>> =
        root.dependencies.iter().map(|dependency| (&dependency.file.key, &dependency.exclusions)).collect();
    let mut dependencies: Vec<Dependency> = Vec::new();
    let mut seen = HashSet::new();
    for dependency in root.dependencies.iter() {
        if seen.insert(&dependency.file) {
            let exclusions = exclusions.get(&dependency.file.key).copied().unwrap_or(&dependency.exclusions);
            dependencies.push(Dependency { exclusions: Arc::clone(exclusions), ..dependency.clone() });
        }
    }
    dependencies.into()
}

/// A project's dependencies, and the place where they stand.
type Below = (Arc<[Dependency]>, Place);

/// What of one project's dependencies is still to be looked at. The walk keeps its own stack of these: how deep it may go is
/// decided here, and not by the size of a thread's stack.
struct Level {
    place: Place,
    /// The next one last.
    waiting: Vec<Waiting>,
}

/// A step of the walk.
enum Waiting {
    /// A dependency as it is declared, or as a relocation makes it.
    Declared {
        dependency: Box<Dependency>,
        /// Names that the project had before.
        relocations: Vec<File>,
        /// The last relocation moved only the version, which management must not move back.
        keep_version: bool,
    },
    /// A dependency after management, with the versions that are not looked at yet.
    Candidates(Box<Candidates>),
}

struct Candidates {
    dependency: Dependency,
    constraint: Constraint,
    versions: std::vec::IntoIter<Version>,
    relocations: Vec<File>,
    managed: Managed,
    /// What the POM says, where management says otherwise.
    declared_version: Option<Text>,
}

impl Collector<'_> {
    /// `DfDependencyCollector.doCollectDependencies`, without its recursion.
    async fn walk(&mut self, direct: &[Dependency], place: Place) -> Result<(), ResolveError> {
        let mut levels = vec![self.level(direct, place)?];
        let mut steps = 0_usize;
        while let Some(level) = levels.last_mut() {
            steps += 1;
            if steps.is_multiple_of(BREATH) {
                tokio::task::yield_now().await;
            }
            let below = match level.waiting.pop() {
                Some(Waiting::Declared { dependency, relocations, keep_version }) => {
                    let place = level.place.clone();
                    let candidates = self.candidates(*dependency, &place, relocations, keep_version).await?;
                    level.waiting.extend(candidates.map(Waiting::Candidates));
                    None
                }
                Some(Waiting::Candidates(candidates)) => self.candidate(candidates, level).await?,
                None => {
                    self.path.pop();
                    levels.pop();
                    None
                }
            };
            if let Some((dependencies, place)) = below {
                levels.push(self.level(&dependencies, place)?);
            }
        }
        Ok(())
    }

    fn level(&self, dependencies: &[Dependency], place: Place) -> Result<Level, ResolveError> {
        if self.path.len() > MAX_DEPTH {
            let what = "projects on the way to another one";
            return Err(ResolveError::TooLarge { limit: MAX_DEPTH, what });
        }
        self.ahead.look(dependencies, &place.remotes, &place.exclusions, place.depth);
        let declared = |dependency: &Dependency| Waiting::Declared {
            dependency: Box::new(dependency.clone()),
            relocations: Vec::new(),
            keep_version: false,
        };
        Ok(Level { waiting: dependencies.iter().rev().map(declared).collect(), place })
    }

    /// The first half of `DfDependencyCollector.processDependency`: whether a dependency counts, what management makes of it, and
    /// which versions it may have.
    async fn candidates(
        &mut self,
        mut dependency: Dependency,
        place: &Place,
        relocations: Vec<File>,
        keep_version: bool,
    ) -> Result<Option<Box<Candidates>>, ResolveError> {
        if !counts(&dependency, place.depth, &place.exclusions) {
            if counts(&dependency, place.depth, &[])
                && let Some(parent) = self.path.last()
            {
                self.excluded.push((self.graph.node(*parent).children, dependency.file));
            }
            return Ok(None);
        }
        let declared = Arc::clone(&dependency.file.version);
        let managed = self.management.apply(&mut dependency, place.depth, keep_version);
        let declared_version = (*declared != *dependency.file.version).then_some(declared);
        let (constraint, versions) = self.versions(&dependency, &place.remotes).await?;
        let versions = versions.into_iter();
        Ok(Some(Box::new(Candidates {
            dependency,
            constraint,
            versions,
            relocations,
            managed,
            declared_version,
        })))
    }

    /// The second half: the next version becomes a node, or is relocated. Gives what to walk through below it.
    async fn candidate(
        &mut self,
        mut candidates: Box<Candidates>,
        level: &mut Level,
    ) -> Result<Option<Below>, ResolveError> {
        let Some(version) = candidates.versions.next() else { return Ok(None) };
        let place = &level.place;
        let mut dependency = candidates.dependency.clone();
        dependency.file.version = version.text();
        let descriptor = self.descriptor(&dependency, &place.remotes).await?;
        let original = std::mem::replace(&mut dependency.file, descriptor.file.clone());
        let cycle = self.cycle(&dependency.file.key);
        if cycle.is_none() && !descriptor.relocations.is_empty() {
            let keep_version = original.key.group == dependency.file.key.group
                && original.key.artifact == dependency.file.key.artifact;
            // As in Maven, where one version of a range was relocated the others are not looked at any more.
            let (dependency, relocations) = (Box::new(dependency), descriptor.relocations);
            level.waiting.push(Waiting::Declared { dependency, relocations, keep_version });
            return Ok(None);
        }
        let children = match cycle {
            Some(list) => list,
            None => self.graph.new_list(),
        };
        let id = self.add(Node {
            dependency: Some(dependency.clone()),
            constraint: candidates.constraint.clone(),
            version,
            relocations: candidates.relocations.clone(),
            children,
            managed_scope: candidates.managed.scope,
            managed_optional: candidates.managed.optional,
            declared_version: candidates.declared_version.clone(),
            remotes: Arc::clone(&place.remotes),
        })?;
        let is_leaf =
            descriptor.dependencies.is_empty() || dependency.is_fat || dependency.system_path.is_some();
        let below = if cycle.is_none() && !is_leaf {
            self.descend(id, &dependency, &descriptor, place)?
        } else {
            None
        };
        if candidates.versions.len() > 0 {
            level.waiting.push(Waiting::Candidates(candidates));
        }
        Ok(below)
    }

    /// What stands below a node, unless its children are those of another node, which it shares then.
    fn descend(
        &mut self,
        id: NodeId,
        dependency: &Dependency,
        descriptor: &Descriptor,
        place: &Place,
    ) -> Result<Option<Below>, ResolveError> {
        let remotes = self.choices.aggregate(&place.remotes, &descriptor.repositories);
        let exclusions = with_exclusions(&place.exclusions, &dependency.exclusions);
        if exclusions.len() > MAX_EXCLUSIONS {
            return Err(ResolveError::TooLarge {
                limit: MAX_EXCLUSIONS,
                what: "exclusions on the way to a project",
            });
        }
        let key = (dependency.file.clone(), Arc::clone(&remotes), Arc::clone(&exclusions));
        if let Some(list) = self.children.get(&key) {
            self.graph.node_mut(id).children = *list;
            return Ok(None);
        }
        self.children.insert(key, self.graph.node(id).children);
        self.path.push(id);
        let place = Place { remotes, exclusions, depth: place.depth + 1 };
        Ok(Some((Arc::clone(&descriptor.dependencies), place)))
    }

    fn add(&mut self, node: Node) -> Result<NodeId, ResolveError> {
        if self.graph.nodes.len() >= MAX_NODES {
            return Err(ResolveError::TooLarge { limit: MAX_NODES, what: "nodes in the graph" });
        }
        let id = self.graph.add(node);
        if let Some(parent) = self.path.last() {
            let list = self.graph.node(*parent).children;
            self.graph.list_mut(list).push(id);
        }
        Ok(id)
    }

    /// The children of the node on the path that is of the same project: who comes back to it shares them. The root is no such
    /// node: a dependency on the root's own project is followed like any other.
    fn cycle(&self, key: &Key) -> Option<ListId> {
        let same = |id: &&NodeId| match &self.graph.node(**id).dependency {
            Some(dependency) => dependency.file.key == *key,
            None => false,
        };
        self.path.iter().rev().find(same).map(|id| self.graph.node(*id).children)
    }

    /// What may be chosen for a dependency: one version, or all that are published in its ranges, the lowest first.
    async fn versions(
        &mut self,
        dependency: &Dependency,
        remotes: &Remotes,
    ) -> Result<(Constraint, Vec<Version>), ResolveError> {
        let Dependency { file: File { key, version }, .. } = dependency;
        let problem =
            |path, problem| ResolveError::Range { file: dependency.file.to_string(), path, problem };
        let constraint =
            Constraint::parse(version).map_err(|error| problem(self.path_names(), error.to_string()))?;
        if let Some(only) = constraint.only() {
            let only = only.clone();
            return Ok((constraint, vec![only]));
        }
        let known = (key.clone(), version.to_string(), Arc::clone(remotes));
        if let Some(versions) = self.ranges.get(&known) {
            return Ok((constraint, versions.clone()));
        }
        let (versions, attempts) =
            published(self.library, &key.group, &key.artifact, &constraint, remotes).await;
        if versions.is_empty() {
            return Err(problem(self.path_names(), nothing_in_range(&attempts)));
        }
        self.ranges.insert(known, versions.clone());
        Ok((constraint, versions))
    }

    /// What the POM of a dependency says, relocations followed (`DefaultArtifactDescriptorReader`). The first answer for a file
    /// holds for the whole collection, whoever is asked later.
    async fn descriptor(
        &mut self,
        dependency: &Dependency,
        remotes: &Remotes,
    ) -> Result<Descriptor, ResolveError> {
        let mut descriptor = Descriptor {
            file: dependency.file.clone(),
            relocations: Vec::new(),
            dependencies: Arc::from([]),
            repositories: Arc::from([]),
        };
        if dependency.system_path.is_some() {
            return Ok(descriptor);
        }
        if let Some(known) = self.descriptors.get(&dependency.file) {
            return Ok(known.clone());
        }
        let mut visited = Vec::new();
        loop {
            let file = descriptor.file.clone();
            let name =
                (Arc::clone(&file.key.group), Arc::clone(&file.key.artifact), base_version(&file.version));
            if visited.contains(&name) {
                let circle: Vec<String> = visited
                    .iter()
                    .map(|(group, name, version)| format!("{group}:{name}:{version}"))
                    .collect();
                self.invalid
                    .push((dependency.file.clone(), ModelProblem::RelocationCycle(circle.join(" -> "))));
                descriptor.file = dependency.file.clone();
                descriptor.relocations = Vec::new();
                break;
            }
            visited.push(name);
            let coordinate = match self.library.release(&file, remotes).await {
                Ok(coordinate) => coordinate,
                Err(attempts) => {
                    return Err(ResolveError::NoVersion {
                        file: file.to_string(),
                        path: self.path_names(),
                        attempts,
                    });
                }
            };
            match self.models.effective(&coordinate, remotes).await {
                Ok(model) => {
                    if let Some(next) = relocated(&file, &model) {
                        descriptor.relocations.push(file);
                        descriptor.file = next;
                        continue;
                    }
                    descriptor.dependencies = Arc::clone(&model.dependencies);
                    descriptor.repositories = Arc::clone(&model.repositories);
                    break;
                }
                Err(ModelFailure::Missing(_)) => {
                    self.without_pom.push(file);
                    break;
                }
                // What Maven would not leave out is not left out here; the bounds are ours alone.
                Err(ModelFailure::Fatal(problem)) => return Err(self.invalid_pom(coordinate, problem)),
                Err(ModelFailure::Invalid(problem)) if problem.is_bound() => {
                    return Err(self.invalid_pom(coordinate, problem));
                }
                Err(ModelFailure::Invalid(problem)) => {
                    self.invalid.push((file, problem));
                    break;
                }
                Err(ModelFailure::Failed(attempts)) => {
                    let file = File::pom(&coordinate).to_string();
                    return Err(ResolveError::NotFound {
                        file,
                        path: self.path_names(),
                        attempts,
                        versions: Vec::new(),
                    });
                }
                Err(ModelFailure::Unresolvable { what, of, needed, attempts }) => {
                    let mut path = self.path_names();
                    path.push(dependency.file.to_string());
                    return Err(ResolveError::Unresolvable { what, of, needed, path, attempts });
                }
            }
        }
        self.descriptors.insert(dependency.file.clone(), descriptor.clone());
        Ok(descriptor)
    }

    fn invalid_pom(&self, coordinate: Coordinate, problem: ModelProblem) -> ResolveError {
        ResolveError::InvalidPom { coordinate, path: self.path_names(), problem }
    }

    /// The projects that led here, the root first.
    fn path_names(&self) -> Vec<String> {
        self.path.iter().map(|id| name(self.graph.node(*id))).collect()
    }
}

/// A node's file, for people.
pub(super) fn name(node: &Node) -> String {
    match (&node.dependency, node.relocations.first()) {
        (Some(dependency), _) => dependency.file.to_string(),
        (None, Some(root)) => root.to_string(),
        (None, None) => String::new(),
    }
}

/// Where a model says that its project went; type and classifier stay.
fn relocated(file: &File, model: &Effective) -> Option<File> {
    let relocation = model.relocation.as_ref()?;
    let or = |new: &Option<Text>, old: &Text| {
        new.clone().filter(|new| !new.is_empty()).unwrap_or_else(|| Arc::clone(old))
    };
    let key = Key {
        group: or(&relocation.group, &file.key.group),
        artifact: or(&relocation.artifact, &file.key.artifact),
        ..file.key.clone()
    };
    Some(File { key, version: or(&relocation.version, &file.version) })
}
