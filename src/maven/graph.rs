//! What a collection found: nodes, each with a list of children, as Maven Resolver's dirty tree.
//!
//! Lists are shared, between nodes of the same project under the same conditions and around cycles, and the mediation is
//! defined by their identity: what is taken out of a list is gone for all who share it.

use std::sync::Arc;

use super::coordinate::{File, Text, artifact_type};
use super::pom::{self, Exclusion};
use super::repository::Remotes;
use super::version::{Constraint, Version};

/// Names a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NodeId(pub u32);

/// Names a list of children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ListId(pub u32);

/// A dependency, as one project has it to another one's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// The file.
    pub file: File,
    /// The scope.
    pub scope: Text,
    /// Whether who depends on the project may do without.
    pub optional: bool,
    /// What is not wanted of its own dependencies.
    pub exclusions: Arc<[Exclusion]>,
    /// Where it is on the machine, for the scope `system`.
    pub system_path: Option<Text>,
    /// It brings its dependencies along (war and the like).
    pub is_fat: bool,
}

impl Dependency {
    /// What a POM's `<dependency>` means (`ArtifactDescriptorReaderDelegate.convert`).
    pub(super) fn new(dependency: &pom::Dependency) -> Self {
        let (extension, classifier, is_fat) = artifact_type(&dependency.kind);
        let key = super::coordinate::Key {
            group: Arc::clone(&dependency.group),
            artifact: Arc::clone(&dependency.artifact),
            extension: extension.into(),
            classifier: dependency.classifier.clone().unwrap_or_else(|| classifier.into()),
        };
        Self {
            file: File { key, version: dependency.version.clone().unwrap_or_default() },
            scope: dependency.scope.clone().unwrap_or_default(),
            optional: dependency.optional.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("true")),
            exclusions: Arc::clone(&dependency.exclusions),
            system_path: dependency.system_path.clone().filter(|path| !path.is_empty()),
            is_fat,
        }
    }
}

/// A node: a dependency at its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// What it is; nothing for the root.
    pub dependency: Option<Dependency>,
    /// What was asked for.
    pub constraint: Constraint,
    /// What was found for it.
    pub version: Version,
    /// Coordinates that the project had before.
    pub relocations: Vec<File>,
    /// Its children.
    pub children: ListId,
    /// The scope comes from the root's management and is not derived from parents.
    pub managed_scope: bool,
    /// The same of `optional`.
    pub managed_optional: bool,
    /// The version that was declared, where the root's management put another one in its place.
    pub declared_version: Option<Text>,
    /// Who is asked for the file.
    pub remotes: Remotes,
}

/// The whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    /// All nodes, the root first.
    pub nodes: Vec<Node>,
    /// All lists.
    pub lists: Vec<Vec<NodeId>>,
}

impl Graph {
    /// The root.
    pub(super) const ROOT: NodeId = NodeId(0);

    /// A node.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// A node, to be changed.
    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// A list.
    pub(super) fn list(&self, id: ListId) -> &[NodeId] {
        &self.lists[id.0 as usize]
    }

    /// A list, to be changed.
    pub(super) fn list_mut(&mut self, id: ListId) -> &mut Vec<NodeId> {
        &mut self.lists[id.0 as usize]
    }

    /// The children of a node.
    pub(super) fn children(&self, id: NodeId) -> &[NodeId] {
        self.list(self.node(id).children)
    }

    /// A new, empty list.
    #[allow(clippy::cast_possible_truncation, reason = "nodes and lists are bounded far below")]
    pub(super) fn new_list(&mut self) -> ListId {
        self.lists.push(Vec::new());
        ListId(self.lists.len() as u32 - 1)
    }

    /// A new node.
    #[allow(clippy::cast_possible_truncation, reason = "nodes and lists are bounded far below")]
    pub(super) fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Every node that can be reached, once, parents before their children (`PreorderNodeListGenerator`).
    pub(super) fn preorder(&self) -> Vec<NodeId> {
        let mut order = Vec::new();
        let mut seen = vec![false; self.nodes.len()];
        let mut open = vec![Self::ROOT];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            order.push(id);
            open.extend(self.children(id).iter().rev());
        }
        order
    }
}
