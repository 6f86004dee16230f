//! What the root's management makes of dependencies (`ClassicDependencyManager`), and which of them count at all.
//!
//! Only the root's management travels down the graph. For the root's own dependencies only its exclusions count, for their
//! model has been given the rest; below, versions, scopes, `optional` and paths are replaced. What a POM further down manages
//! ends with its own dependencies.

use std::collections::HashMap;
use std::sync::Arc;

use super::coordinate::{Key, Text};
use super::graph::Dependency;
use super::pom::{self, Exclusion};

/// The root's management, by what it manages.
#[derive(Debug, Default)]
pub(super) struct Management {
    entries: HashMap<Key, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    version: Option<Text>,
    scope: Option<Text>,
    optional: Option<bool>,
    system_path: Option<Text>,
    exclusions: Vec<Exclusion>,
}

/// What of a dependency is managed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Managed {
    /// Its scope.
    pub scope: bool,
    /// Its `optional`.
    pub optional: bool,
}

impl Management {
    /// Of several entries for the same file the first one counts, but the exclusions of all.
    pub(super) fn new(managed: &[Arc<pom::Dependency>]) -> Self {
        let mut entries: HashMap<Key, Entry> = HashMap::new();
        for declared in managed {
            let dependency = Dependency::new(declared);
            let entry = entries.entry(dependency.file.key).or_default();
            let some = |text: Text| Some(text).filter(|text| !text.is_empty());
            entry.version = entry.version.take().or_else(|| some(dependency.file.version));
            entry.scope = entry.scope.take().or_else(|| some(dependency.scope));
            entry.optional =
                entry.optional.or_else(|| declared.optional.as_ref().map(|_| dependency.optional));
            entry.system_path = entry.system_path.take().or(dependency.system_path);
            for exclusion in dependency.exclusions.iter() {
                if !entry.exclusions.contains(exclusion) {
                    entry.exclusions.push(exclusion.clone());
                }
            }
        }
        Self { entries }
    }

    /// Changes a dependency that stands at `depth` (1 for the root's own); `keep_version` leaves its version alone.
    pub(super) fn apply(&self, dependency: &mut Dependency, depth: usize, keep_version: bool) -> Managed {
        let mut managed = Managed::default();
        let Some(entry) = self.entries.get(&dependency.file.key) else { return managed };
        if depth > 1 {
            if let Some(version) = entry.version.as_ref().filter(|_| !keep_version) {
                dependency.file.version = Arc::clone(version);
            }
            if let Some(scope) = &entry.scope {
                dependency.scope = Arc::clone(scope);
                managed.scope = true;
                if **scope != *"system" {
                    dependency.system_path = None;
                }
            }
            if *dependency.scope == *"system" && entry.system_path.is_some() {
                dependency.system_path.clone_from(&entry.system_path);
            }
            if let Some(optional) = entry.optional {
                dependency.optional = optional;
                managed.optional = true;
            }
        }
        dependency.exclusions = with_exclusions(&dependency.exclusions, &entry.exclusions);
        managed
    }
}

/// Both, each once, in an order that does not depend on the way.
pub(super) fn with_exclusions(these: &Arc<[Exclusion]>, more: &[Exclusion]) -> Arc<[Exclusion]> {
    if more.iter().all(|exclusion| these.contains(exclusion)) {
        return Arc::clone(these);
    }
    let mut all: Vec<Exclusion> = these.iter().chain(more).cloned().collect();
    all.sort();
    all.dedup();
    all.into()
}

/// `ScopeDependencySelector`, `OptionalDependencySelector` and `ExclusionDependencySelector`: below the root's own
/// dependencies, neither tests nor what is provided or optional counts; what is excluded on the way never does.
pub(super) fn counts(dependency: &Dependency, depth: usize, exclusions: &[Exclusion]) -> bool {
    let left_out = depth > 1 && (dependency.optional || matches!(&*dependency.scope, "test" | "provided"));
    let fits = |pattern: &str, id: &str| pattern == "*" || pattern == id;
    let Key { group, artifact, .. } = &dependency.file.key;
    !left_out
        && !exclusions
            .iter()
            .any(|exclusion| fits(&exclusion.group, group) && fits(&exclusion.artifact, artifact))
}

#[cfg(test)]
mod tests;
