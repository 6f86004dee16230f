//! The resolved tree, for people: who stays, in which scope, and what everyone else lost to.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::collect::name;
use super::graph::{Graph, ListId, Node, NodeId};
use super::mediate::{Loss, Why};
use super::resolution::Resolution;
use crate::path::plain;
use crate::plan::Scope;

/// Most lines; who needs more looks for something in particular.
const MAX_LINES: usize = 50_000;

/// Draws the tree of a resolution. Of a project that stands in several places the dependencies are shown once.
pub fn tree(resolution: &Resolution, scope: Scope) -> String {
    let mut drawing = Drawing {
        resolution,
        losses: resolution.losses.iter().map(|loss| ((loss.parent, loss.loser), loss)).collect(),
        scope,
        drawn: HashSet::new(),
        lines: 0,
        text: format!("{}\n", resolution.root),
    };
    drawing.children(Graph::ROOT, "");
    drawing.text
}

struct Drawing<'a> {
    resolution: &'a Resolution,
    losses: HashMap<(ListId, NodeId), &'a Loss>,
    scope: Scope,
    drawn: HashSet<ListId>,
    lines: usize,
    text: String,
}

impl Drawing<'_> {
    fn children(&mut self, parent: NodeId, indent: &str) {
        let resolution = self.resolution;
        let graph = &resolution.graph;
        let list = graph.node(parent).children;
        if !self.drawn.insert(list) {
            return;
        }
        let all = resolution.lists.get(list.0 as usize).map(Vec::as_slice).unwrap_or_default();
        let excluded: Vec<_> = resolution.excluded.iter().filter(|(parent, _)| *parent == list).collect();
        let mut left = all.len() + excluded.len();
        for &child in all {
            left -= 1;
            let stays = graph.list(list).contains(&child);
            let words = if stays { self.staying(graph.node(child)) } else { self.lost(list, child) };
            self.line(indent, left == 0, &words);
            if stays {
                let below = format!("{indent}{}", if left == 0 { "   " } else { "│  " });
                self.children(child, &below);
            }
        }
        for (_, file) in excluded {
            left -= 1;
            self.line(indent, left == 0, &format!("({file}: excluded)"));
        }
    }

    fn staying(&self, node: &Node) -> String {
        let mut text = name(node);
        let Some(dependency) = &node.dependency else { return text };
        let _ = write!(text, " [{}]", plain(&dependency.scope));
        if let Some(declared) = &node.declared_version {
            let _ = write!(text, " (managed from {})", plain(declared));
        }
        if node.constraint.is_hard() {
            let _ = write!(text, " (of {})", node.constraint);
        }
        if let Some(before) = node.relocations.first() {
            let _ = write!(text, " (relocated from {before})");
        }
        if !self.scope.admits(&dependency.scope) {
            text.push_str(" (not in the scope asked for)");
        }
        text
    }

    fn lost(&self, list: ListId, child: NodeId) -> String {
        let graph = &self.resolution.graph;
        let node = graph.node(child);
        let mut loser = name(node);
        if let Some(declared) = &node.declared_version {
            let _ = write!(loser, ", managed from {}", plain(declared));
        }
        let Some(loss) = self.losses.get(&(list, child)) else {
            return format!("({loser}: stands elsewhere)");
        };
        let winner = graph.node(loss.winner);
        let managed = if winner.declared_version.is_some() { ", managed" } else { "" };
        let version = &winner.version;
        match loss.why {
            Why::Same => format!("({loser}: see above or below)"),
            Why::Nearer => format!("({loser}: lost to {version}, which is nearer{managed})"),
            Why::First => format!("({loser}: lost to {version}, which is as near and comes first{managed})"),
            Why::Higher => format!("({loser}: lost to {version}, the highest of the range)"),
            Why::HardConstraint => {
                format!("({loser}: lost to {version}, for it is outside of a range that is insisted on)")
            }
        }
    }

    fn line(&mut self, indent: &str, last: bool, words: &str) {
        self.lines += 1;
        if self.lines <= MAX_LINES {
            let branch = if last { "└─ " } else { "├─ " };
            let _ = writeln!(self.text, "{indent}{branch}{words}");
        }
    }
}
