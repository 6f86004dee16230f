//! What a resolution ends with: the files, in order, each with its scope.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::collect::{Collected, name};
use super::coordinate::{Coordinate, File, Text, artifact_type};
use super::error::{MavenError, ModelProblem, ResolveError};
use super::graph::{Graph, NodeId};
use super::mediate::Loss;
use super::model::Effective;
use super::repository::Remotes;
use crate::path::shown;
use crate::plan::Scope;

/// A resolved artifact.
#[derive(Debug)]
pub struct Resolution {
    /// The root, with the version that was meant.
    pub root: Coordinate,
    /// Every file that it needs, itself left out, in the order of the graph.
    pub files: Vec<ResolvedFile>,
    /// Who is asked for the root's own file.
    pub(super) remotes: Remotes,
    pub(super) graph: Graph,
    /// The graph's lists before mediation.
    pub(super) lists: Vec<Vec<NodeId>>,
    pub(super) losses: Vec<Loss>,
    pub(super) excluded: Vec<(super::graph::ListId, File)>,
    /// Things that should be said.
    pub warnings: Vec<String>,
    packaging: Text,
}

/// One file.
#[derive(Debug, Clone)]
pub struct ResolvedFile {
    /// Which.
    pub file: File,
    /// The scope that it ended up with.
    pub scope: Text,
    /// Dependencies that led there, the root first, itself left out.
    pub path: Vec<String>,
    pub(super) remotes: Remotes,
}

impl Resolution {
    pub(super) fn new(
        root: Coordinate,
        model: &Effective,
        collected: Collected,
        losses: Vec<Loss>,
        lists: Vec<Vec<NodeId>>,
        remotes: Remotes,
    ) -> Result<Self, ResolveError> {
        let Collected { graph, invalid, without_pom, excluded } = collected;
        let paths = paths(&graph);
        let mut files = Vec::new();
        for id in graph.preorder() {
            let node = graph.node(id);
            let Some(dependency) = &node.dependency else { continue };
            // The project itself, which Maven takes from its own session.
            if dependency.file.coordinate() == model.coordinate {
                continue;
            }
            let path: Vec<String> =
                paths.get(&id).into_iter().flatten().map(|id| name(graph.node(*id))).collect();
            if let Some(system_path) = &dependency.system_path {
                return Err(ResolveError::System {
                    file: dependency.file.to_string(),
                    system_path: shown(system_path.as_bytes()),
                    path,
                });
            }
            files.push(ResolvedFile {
                file: dependency.file.clone(),
                scope: Arc::clone(&dependency.scope),
                path,
                remotes: Arc::clone(&node.remotes),
            });
        }
        // What lost does not matter, and neither does what its POM says.
        let counts = |file: &File| files.iter().any(|resolved| resolved.file == *file);
        let mut warnings = Vec::new();
        if !model.copy_settings.is_empty() {
            let names: BTreeSet<String> =
                model.copy_settings.iter().map(|name| format!("`{}`", shown(name.as_bytes()))).collect();
            let names: Vec<String> = names.into_iter().collect();
            warnings.push(format!(
                "the POM of {root} configures maven-dependency-plugin, which Maven would follow and connect-build does not: {}",
                names.join(", ")
            ));
        }
        for (file, problem) in &invalid {
            if counts(file) {
                // Maven does not survive a circle of relocations.
                let like =
                    if matches!(problem, ModelProblem::RelocationCycle(_)) { "" } else { ", as Maven does" };
                warnings.push(format!(
                    "the POM of {file} is not usable, so its dependencies are left out{like}: {problem}"
                ));
            }
        }
        for file in &without_pom {
            if counts(file) {
                warnings
                    .push(format!("{file} has no POM, so it is taken without dependencies, as Maven does"));
            }
        }
        Ok(Self {
            root,
            files,
            remotes,
            graph,
            lists,
            losses,
            excluded,
            warnings,
            packaging: Arc::clone(&model.packaging),
        })
    }

    /// An error of this artifact.
    pub fn error(&self, source: ResolveError) -> MavenError {
        MavenError { artifact: self.root.to_string(), source }
    }

    /// The files of a scope.
    pub fn of_scope(&self, scope: Scope) -> impl Iterator<Item = &ResolvedFile> {
        self.files.iter().filter(move |file| scope.admits(&file.scope))
    }

    /// `<packaging>` of the root.
    pub fn packaging(&self) -> &str {
        &self.packaging
    }

    /// What the root's own file can be: a jar, as Strimzi has it, or else what the packaging says.
    pub(super) fn root_files(&self) -> Vec<File> {
        let (extension, ..) = artifact_type(&self.packaging);
        let mut files = vec![File::of(&self.root, "jar")];
        if !matches!(extension, "jar" | "pom" | "bundle" | "eclipse-plugin" | "hk2-jar" | "orbit") {
            files.push(File::of(&self.root, extension));
        }
        files
    }
}

/// The shortest way to each node, without the node.
fn paths(graph: &Graph) -> HashMap<NodeId, Vec<NodeId>> {
    let mut paths: HashMap<NodeId, Vec<NodeId>> = HashMap::from([(Graph::ROOT, Vec::new())]);
    let mut open = std::collections::VecDeque::from([Graph::ROOT]);
    while let Some(id) = open.pop_front() {
        let way: Vec<NodeId> = paths.get(&id).into_iter().flatten().copied().chain([id]).collect();
        for &child in graph.children(id) {
            if let std::collections::hash_map::Entry::Vacant(entry) = paths.entry(child) {
                entry.insert(way.clone());
                open.push_back(child);
            }
        }
    }
    paths
}
