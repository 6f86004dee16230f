//! Which nodes compete, and in which order the competitions are decided (`ConflictMarker`, `ConflictIdSorter`).
//!
//! Nodes of the same group, artifact, extension and classifier compete, and so do those whose names before a relocation meet.
//! A competition is decided after those that decide about its ancestors. Where projects depend on each other in circles there
//! is no such order, and the nearest goes first.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::coordinate::Key;
use super::super::graph::{Graph, NodeId};

/// A competition.
pub(super) type ConflictId = usize;

/// All competitions.
pub(super) struct Conflicts {
    /// Of each node of the graph; the root has none.
    pub(super) of: Vec<Option<ConflictId>>,
    /// The order in which they are decided.
    pub(super) sorted: Vec<ConflictId>,
    /// Sets of those that lie on a circle.
    pub(super) cycles: Vec<HashSet<ConflictId>>,
}

impl Conflicts {
    pub(super) fn new(graph: &Graph) -> Self {
        let of = mark(graph);
        let mut dag = Dag::new(graph, &of);
        let sorted = dag.sort();
        let cycles = if sorted.1 { dag.cycles() } else { Vec::new() };
        Self { of, sorted: sorted.0, cycles }
    }
}

/// Gives every node the number of its group. Numbers are given as `ConflictMarker` gives them, for their order decides where
/// nothing else does.
fn mark(graph: &Graph) -> Vec<Option<ConflictId>> {
    // A group: its keys and its number; a key's group changes when groups grow together.
    let mut groups: Vec<(Vec<Key>, ConflictId)> = Vec::new();
    let mut of_key: HashMap<Key, usize> = HashMap::new();
    let mut next = 0;
    for id in graph.preorder() {
        let node = graph.node(id);
        let Some(dependency) = &node.dependency else { continue };
        let mut keys = vec![dependency.file.key.clone()];
        for relocation in &node.relocations {
            if !keys.contains(&relocation.key) {
                keys.push(relocation.key.clone());
            }
        }
        let mut known: Vec<usize> = keys.iter().filter_map(|key| of_key.get(key).copied()).collect();
        known.sort_unstable();
        known.dedup();
        let complete = |group: &usize| keys.iter().all(|key| groups[*group].0.contains(key));
        if known.iter().any(complete) {
            continue;
        }
        let mut members: Vec<Key> = known.iter().flat_map(|group| groups[*group].0.clone()).collect();
        for key in keys {
            if !members.contains(&key) {
                members.push(key);
            }
        }
        for key in &members {
            of_key.insert(key.clone(), groups.len());
        }
        groups.push((members, next));
        next += 1;
    }
    (graph.nodes.iter())
        .map(|node| {
            let dependency = node.dependency.as_ref()?;
            of_key.get(&dependency.file.key).map(|group| groups[*group].1)
        })
        .collect()
}

/// Competitions, with an arrow from each to those that nodes below its own take part in.
struct Dag {
    /// In the order in which they were met.
    ids: Vec<ConflictId>,
    places: HashMap<ConflictId, usize>,
    children: Vec<Vec<usize>>,
    /// Signed, as in Java: the one that broke a circle goes below nothing, and stays out.
    in_degree: Vec<isize>,
    min_depth: Vec<usize>,
}

impl Dag {
    fn new(graph: &Graph, of: &[Option<ConflictId>]) -> Self {
        let mut dag = Self {
            ids: Vec::new(),
            places: HashMap::new(),
            children: Vec::new(),
            in_degree: Vec::new(),
            min_depth: Vec::new(),
        };
        let mut visited = vec![false; graph.nodes.len()];
        let mut arrows = HashSet::new();
        dag.visit(graph, of, Graph::ROOT, None, 0, &mut visited, &mut arrows);
        dag
    }

    #[allow(clippy::too_many_arguments, reason = "the state of one recursion")]
    fn visit(
        &mut self,
        graph: &Graph,
        of: &[Option<ConflictId>],
        node: NodeId,
        parent: Option<usize>,
        depth: usize,
        visited: &mut [bool],
        arrows: &mut HashSet<(usize, usize)>,
    ) {
        if std::mem::replace(&mut visited[node.0 as usize], true) {
            return;
        }
        let depth = depth + 1;
        for &child in graph.children(node) {
            let Some(id) = of[child.0 as usize] else { continue };
            let place = if let Some(&place) = self.places.get(&id) {
                self.pull_up(place, depth);
                place
            } else {
                let place = self.ids.len();
                self.places.insert(id, place);
                self.ids.push(id);
                self.children.push(Vec::new());
                self.in_degree.push(0);
                self.min_depth.push(depth);
                place
            };
            if let Some(parent) = parent
                && arrows.insert((parent, place))
            {
                self.children[parent].push(place);
                self.in_degree[place] += 1;
            }
            self.visit(graph, of, child, Some(place), depth, visited, arrows);
        }
    }

    /// A shorter way was found: what is below comes nearer too.
    fn pull_up(&mut self, place: usize, depth: usize) {
        let mut open = vec![(place, depth)];
        while let Some((place, depth)) = open.pop() {
            if depth < self.min_depth[place] {
                self.min_depth[place] = depth;
                open.extend(self.children[place].iter().rev().map(|&child| (child, depth + 1)));
            }
        }
    }

    /// Children in the order in which Java's `HashSet` of numbers gives them, for Maven goes through such a set.
    fn children_in_order(&self, place: usize) -> Vec<usize> {
        let children = &self.children[place];
        let mut buckets = 16;
        while children.len() * 4 > buckets * 3 {
            buckets *= 2;
        }
        let mut sorted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &child in children {
            let id = self.ids[child];
            sorted.entry((id ^ (id >> 16)) & (buckets - 1)).or_default().push(child);
        }
        sorted.into_values().flatten().collect()
    }

    /// The order, and whether circles had to be broken for it.
    fn sort(&mut self) -> (Vec<ConflictId>, bool) {
        let mut in_degree = self.in_degree.clone();
        let mut sorted = Vec::with_capacity(self.ids.len());
        let mut queue: Vec<usize> = Vec::new();
        for place in (0..self.ids.len()).filter(|&place| self.in_degree[place] == 0) {
            self.enqueue(&mut queue, place);
        }
        self.drain(&mut queue, &mut in_degree, &mut sorted);
        let has_cycles = sorted.len() < self.ids.len();
        while sorted.len() < self.ids.len() {
            let waiting = (0..self.ids.len()).filter(|&place| in_degree[place] > 0);
            let Some(nearest) = waiting.min_by_key(|&place| (self.min_depth[place], in_degree[place])) else {
                break;
            };
            in_degree[nearest] = 0;
            self.enqueue(&mut queue, nearest);
            self.drain(&mut queue, &mut in_degree, &mut sorted);
        }
        (sorted.into_iter().map(|place| self.ids[place]).collect(), has_cycles)
    }

    /// The queue is ordered by depth; of equals who came first goes first.
    fn enqueue(&self, queue: &mut Vec<usize>, place: usize) {
        let depth = self.min_depth[place];
        let at = queue.iter().rposition(|&waiting| self.min_depth[waiting] <= depth).map_or(0, |at| at + 1);
        queue.insert(at, place);
    }

    fn drain(&self, queue: &mut Vec<usize>, in_degree: &mut [isize], sorted: &mut Vec<usize>) {
        while !queue.is_empty() {
            let place = queue.remove(0);
            sorted.push(place);
            for child in self.children_in_order(place) {
                in_degree[child] -= 1;
                if in_degree[child] == 0 {
                    self.enqueue(queue, child);
                }
            }
        }
    }

    /// `ConflictIdSorter.findCycles`.
    fn cycles(&self) -> Vec<HashSet<ConflictId>> {
        let mut cycles = Vec::new();
        let mut visited = vec![false; self.ids.len()];
        let mut path = Vec::new();
        for place in 0..self.ids.len() {
            self.find_cycles(place, &mut visited, &mut path, &mut cycles);
        }
        cycles
    }

    fn find_cycles(
        &self,
        place: usize,
        visited: &mut [bool],
        path: &mut Vec<usize>,
        cycles: &mut Vec<HashSet<ConflictId>>,
    ) {
        if let Some(start) = path.iter().position(|&open| open == place) {
            let cycle: HashSet<ConflictId> = path[start..].iter().map(|&open| self.ids[open]).collect();
            if !cycles.contains(&cycle) {
                cycles.push(cycle);
            }
            return;
        }
        path.push(place);
        if !std::mem::replace(&mut visited[place], true) {
            for child in self.children_in_order(place) {
                self.find_cycles(child, visited, path, cycles);
            }
        }
        path.pop();
    }
}
