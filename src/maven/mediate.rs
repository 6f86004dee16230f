//! Mediation: of all nodes that compete one stays, with one scope (`ConflictResolver`).
//!
//! The nearest to the root wins, of equally near ones the first; among the versions of one range the highest; and ranges
//! exclude whatever lies outside, wherever it stands (`NearestVersionSelector`). The winner's scope is the widest in which
//! anyone needs it, unless the root itself declares it (`JavaScopeSelector`, `JavaScopeDeriver`). Everything else is taken out
//! of its list, and what hung below it is gone.

mod ids;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use self::ids::{ConflictId, Conflicts};
use super::collect::name;
use super::coordinate::Text;
use super::error::ResolveError;
use super::graph::{Graph, ListId, Node, NodeId};
use super::version::Constraint;

/// Most steps of all walks together; real graphs need some ten millions at most.
const MAX_STEPS: u64 = 2_000_000_000;

/// Who won, and who lost to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loss {
    /// The node that was taken out.
    pub loser: NodeId,
    /// The list that it stood in.
    pub parent: ListId,
    /// Who stays.
    pub winner: NodeId,
    /// Why.
    pub why: Why,
}

/// Why a node lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The winner has the same version.
    Same,
    /// The winner is nearer to the root.
    Nearer,
    /// The winner is as near and was declared first.
    First,
    /// The winner is a higher version from the same range.
    Higher,
    /// It lies outside of a range that someone insists on.
    HardConstraint,
}

/// Mediates `graph` in place, and tells what was taken out.
pub(super) fn mediate(graph: &mut Graph) -> Result<Vec<Loss>, ResolveError> {
    let conflicts = Conflicts::new(graph);
    let mut predecessors: HashMap<ConflictId, HashSet<ConflictId>> = HashMap::new();
    for cycle in &conflicts.cycles {
        for id in cycle {
            predecessors.entry(*id).or_default().extend(cycle);
        }
    }
    let mut state = State {
        graph,
        of: &conflicts.of,
        current: None,
        resolved: HashMap::new(),
        ancestors: HashSet::new(),
        items: Vec::new(),
        infos: HashMap::new(),
        walking: HashSet::new(),
        parents: Vec::new(),
        steps: 0,
    };
    let mut losses = Vec::new();
    let mut last_winner = None;
    for &id in &conflicts.sorted {
        state.prepare(Some(id), predecessors.get(&id));
        state.gather(Graph::ROOT)?;
        state.finish(id);
        last_winner = None;
        if !state.items.is_empty() {
            let winner = select_version(state.graph, &state.items)?;
            let scope = select_scope(state.graph, &state.items, winner);
            let optional = select_optional(state.graph, &state.items);
            let node = state.items[winner].node;
            if let Some(dependency) = &mut state.graph.node_mut(node).dependency {
                dependency.scope = scope;
                dependency.optional = optional;
            }
            state.remove_losers(winner, &mut losses);
            last_winner = Some(node);
        }
        state.resolved.insert(id, last_winner);
    }
    // Around circles there may be leftovers that only one more walk finds.
    if let (Some(winner), false) = (last_winner, conflicts.cycles.is_empty()) {
        state.prepare(None, None);
        state.gather(winner)?;
    }
    Ok(losses)
}

/// One who competes: a node in a list. Nodes can share lists, so the list is what owns it.
struct Item {
    parent: Option<ListId>,
    node: NodeId,
    depth: usize,
    scopes: BTreeSet<Text>,
    may_be_required: bool,
}

/// What is known of a list that was walked through.
struct Info {
    min_depth: usize,
    scopes: BTreeSet<Text>,
    optional: [bool; 2],
    items: Vec<usize>,
}

/// A node on the way, with the scope that it passes on.
struct Parent {
    list: ListId,
    scope: Option<Text>,
    optional: bool,
    /// Whether what is found here is new.
    records: bool,
}

struct State<'a> {
    graph: &'a mut Graph,
    of: &'a [Option<ConflictId>],
    current: Option<ConflictId>,
    resolved: HashMap<ConflictId, Option<NodeId>>,
    /// Competitions that ancestors of the current one's nodes can be in.
    ancestors: HashSet<ConflictId>,
    items: Vec<Item>,
    infos: HashMap<ListId, Info>,
    walking: HashSet<ListId>,
    parents: Vec<Parent>,
    steps: u64,
}

impl State<'_> {
    fn prepare(&mut self, current: Option<ConflictId>, predecessors: Option<&HashSet<ConflictId>>) {
        self.current = current;
        self.items.clear();
        self.infos.clear();
        self.ancestors.extend(predecessors.into_iter().flatten());
    }

    /// Walks from `node` to everyone who takes part in the current competition, and tells whether the node may stay:
    /// leftovers of decided competitions go on the way.
    fn gather(&mut self, node: NodeId) -> Result<bool, ResolveError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(ResolveError::TooLarge {
                limit: self.graph.nodes.len(),
                what: "nodes that depend on each other",
            });
        }
        let conflict = self.of[node.0 as usize];
        if self.current.is_some() && self.current == conflict {
            self.add(node);
        } else if conflict.is_some_and(|id| {
            self.resolved.get(&id).is_some_and(|winner| winner.is_some_and(|winner| winner != node))
        }) {
            return Ok(false);
        } else if self.push(node, conflict) {
            let list = self.graph.node(node).children;
            let mut index = 0;
            while let Some(&child) = self.graph.list(list).get(index) {
                if self.gather(child)? {
                    index += 1;
                } else {
                    self.graph.list_mut(list).remove(index);
                }
            }
            self.parents.pop();
            self.walking.remove(&list);
        }
        Ok(true)
    }

    fn push(&mut self, node: NodeId, conflict: Option<ConflictId>) -> bool {
        if conflict.is_some_and(|id| !self.ancestors.contains(&id)) {
            return false;
        }
        let list = self.graph.node(node).children;
        if !self.walking.insert(list) {
            return false;
        }
        let depth = self.parents.len();
        let scope = self.derive_scope(node, conflict);
        let optional = self.derive_optional(node, conflict);
        let text = scope.clone().unwrap_or_default();
        let Some(info) = self.infos.get_mut(&list) else {
            let scopes = BTreeSet::from([text]);
            let known = [!optional, optional];
            self.infos.insert(list, Info { min_depth: depth, scopes, optional: known, items: Vec::new() });
            self.parents.push(Parent { list, scope, optional, records: true });
            return true;
        };
        info.min_depth = info.min_depth.min(depth);
        let new_scope = info.scopes.insert(text);
        let new_optional = !std::mem::replace(&mut info.optional[usize::from(optional)], true);
        if !new_scope && !new_optional {
            self.walking.remove(&list);
            return false;
        }
        // The same list in another light: who was found in it is seen in that light too.
        let items = info.items.clone();
        self.parents.push(Parent { list, scope, optional, records: false });
        for item in items {
            let node = self.items[item].node;
            if new_scope {
                let scope = self.derive_scope(node, None).unwrap_or_default();
                self.items[item].scopes.insert(scope);
            }
            if new_optional && !self.derive_optional(node, None) {
                self.items[item].may_be_required = true;
            }
        }
        true
    }

    fn add(&mut self, node: NodeId) {
        let parent = self.parents.last().map(|parent| (parent.list, parent.records));
        if matches!(parent, Some((_, false))) {
            return;
        }
        let scopes = BTreeSet::from([self.derive_scope(node, None).unwrap_or_default()]);
        let may_be_required = !self.derive_optional(node, None);
        let list = parent.map(|(list, _)| list);
        if let Some(info) = list.and_then(|list| self.infos.get_mut(&list)) {
            info.items.push(self.items.len());
        }
        self.items.push(Item { parent: list, node, depth: 0, scopes, may_be_required });
    }

    /// Now that every way to a list is known, so is its depth.
    fn finish(&mut self, id: ConflictId) {
        for item in &mut self.items {
            if let Some(info) = item.parent.and_then(|list| self.infos.get(&list)) {
                item.depth = info.min_depth + 1;
            }
        }
        self.ancestors.insert(id);
    }

    /// The scope that a node has under the current parent. A decided one has it already, a managed one is not asked.
    fn derive_scope(&self, node: NodeId, conflict: Option<ConflictId>) -> Option<Text> {
        let own = self.graph.node(node).dependency.as_ref().map(|dependency| Arc::clone(&dependency.scope));
        let is_fixed =
            self.graph.node(node).managed_scope || conflict.is_some_and(|id| self.resolved.contains_key(&id));
        match self.parents.last() {
            Some(parent) if !is_fixed => {
                Some(derive(parent.scope.as_deref(), own.as_deref().unwrap_or_default()))
            }
            _ => own,
        }
    }

    fn derive_optional(&self, node: NodeId, conflict: Option<ConflictId>) -> bool {
        let own = self.graph.node(node).dependency.as_ref().is_some_and(|dependency| dependency.optional);
        let is_fixed = self.graph.node(node).managed_optional
            || conflict.is_some_and(|id| self.resolved.contains_key(&id));
        own || (!is_fixed && self.parents.last().is_some_and(|parent| parent.optional))
    }

    fn remove_losers(&mut self, winner: usize, losses: &mut Vec<Loss>) {
        let insists = |item: &&Item| self.graph.node(item.node).constraint.is_hard();
        let mut constraints: Vec<Constraint> = Vec::new();
        for item in self.items.iter().filter(insists) {
            add_constraint(&mut constraints, &self.graph.node(item.node).constraint);
        }
        for (index, item) in self.items.iter().enumerate() {
            let Some(parent) = item.parent.filter(|_| index != winner) else { continue };
            let best = &self.items[winner];
            let (loser, chosen) = (self.graph.node(item.node), self.graph.node(best.node));
            let is_outside = constraints.iter().any(|constraint| !constraint.admits(&loser.version));
            let why = if same_file(loser, chosen) {
                Why::Same
            } else if is_outside {
                Why::HardConstraint
            } else if item.parent == best.parent {
                Why::Higher
            } else if best.depth < item.depth {
                Why::Nearer
            } else {
                Why::First
            };
            losses.push(Loss { loser: item.node, parent, winner: best.node, why });
            let list = self.graph.list_mut(parent);
            if let Some(at) = list.iter().position(|child| *child == item.node) {
                list.remove(at);
            }
        }
    }
}

/// The same range twice is one.
fn add_constraint(constraints: &mut Vec<Constraint>, constraint: &Constraint) {
    let text = constraint.to_string();
    if constraints.iter().all(|known| known.to_string() != text) {
        constraints.push(constraint.clone());
    }
}

fn same_file(one: &Node, other: &Node) -> bool {
    let file = |node: &Node| node.dependency.as_ref().map(|dependency| dependency.file.clone());
    file(one) == file(other)
}

/// `JavaScopeDeriver`.
fn derive(parent: Option<&str>, child: &str) -> Text {
    let scope = match (parent.unwrap_or_default(), child) {
        (_, "system" | "test") | ("" | "compile", _) => child,
        ("test", _) => "test",
        ("runtime", _) => "runtime",
        ("system" | "provided", _) => "provided",
        _ => "runtime",
    };
    scope.into()
}

/// `NearestVersionSelector`; gives the winner's place among the items.
fn select_version(graph: &Graph, items: &[Item]) -> Result<usize, ResolveError> {
    let version = |item: usize| &graph.node(items[item].node).version;
    let is_nearer = |one: usize, other: usize| {
        if items[one].parent == items[other].parent {
            version(one) > version(other)
        } else {
            items[one].depth < items[other].depth
        }
    };
    let mut constraints = Vec::new();
    let mut candidates: Vec<usize> = Vec::new();
    let mut winner: Option<usize> = None;
    for (item, competing) in items.iter().enumerate() {
        let constraint = &graph.node(competing.node).constraint;
        let mut choose_again = false;
        if constraint.is_hard() {
            choose_again = winner.is_some_and(|winner| !constraint.admits(version(winner)));
            add_constraint(&mut constraints, constraint);
        }
        let is_acceptable =
            |item: usize| constraints.iter().all(|constraint| constraint.admits(version(item)));
        if is_acceptable(item) {
            candidates.push(item);
            if !choose_again && winner.is_none_or(|winner| is_nearer(item, winner)) {
                winner = Some(item);
            }
        }
        if choose_again {
            candidates.retain(|candidate| is_acceptable(*candidate));
            winner = None;
            for &candidate in &candidates {
                if winner.is_none_or(|winner| is_nearer(candidate, winner)) {
                    winner = Some(candidate);
                }
            }
            if winner.is_none() {
                break;
            }
        }
    }
    winner.ok_or_else(|| conflict(graph, items))
}

fn conflict(graph: &Graph, items: &[Item]) -> ResolveError {
    let key = items.first().and_then(|item| graph.node(item.node).dependency.as_ref());
    let mut wanted: Vec<String> = Vec::new();
    for item in items {
        let node = graph.node(item.node);
        let parent = graph.nodes.iter().find(|parent| Some(parent.children) == item.parent);
        let words = format!("{} needs {}", parent.map(name).unwrap_or_default(), node.constraint);
        if !wanted.contains(&words) {
            wanted.push(words);
        }
    }
    ResolveError::Conflict {
        key: key.map(|dependency| dependency.file.key.to_string()).unwrap_or_default(),
        wanted,
    }
}

/// `JavaScopeSelector`.
fn select_scope(graph: &Graph, items: &[Item], winner: usize) -> Text {
    let own = |item: &Item| {
        let dependency = graph.node(item.node).dependency.as_ref();
        dependency.map(|dependency| Arc::clone(&dependency.scope)).unwrap_or_default()
    };
    let scope = own(&items[winner]);
    if *scope == *"system" {
        return scope;
    }
    if let Some(direct) = items.iter().find(|item| item.depth <= 1) {
        return own(direct);
    }
    let mut scopes: BTreeSet<&str> =
        items.iter().flat_map(|item| item.scopes.iter().map(|scope| &**scope)).collect();
    if scopes.len() > 1 {
        scopes.remove("system");
    }
    match scopes.iter().next() {
        Some(only) if scopes.len() == 1 => (*only).into(),
        _ => ["compile", "runtime", "provided", "test"]
            .into_iter()
            .find(|scope| scopes.contains(scope))
            .unwrap_or("")
            .into(),
    }
}

/// `SimpleOptionalitySelector`.
fn select_optional(graph: &Graph, items: &[Item]) -> bool {
    match items.iter().find(|item| item.depth <= 1) {
        Some(direct) => {
            graph.node(direct.node).dependency.as_ref().is_some_and(|dependency| dependency.optional)
        }
        None => !items.iter().any(|item| item.may_be_required),
    }
}
