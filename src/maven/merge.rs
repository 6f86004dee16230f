//! How lists of two models become one: the rules of Maven's `ModelMerger` and of what is built on it.
//!
//! An entry is never mixed from two: one of the same key stands for the other as a whole. What differs from case to case is
//! which one stays, and where.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::pom::{Dependency, ManagementKey, Repository};

/// A POM's own dependencies: of several with the same key the last one stays, in the place of the first
/// (`DefaultModelNormalizer.mergeDuplicates`, as Maven 2 did).
pub(super) fn last_of_each(dependencies: &[Arc<Dependency>]) -> Vec<Arc<Dependency>> {
    let mut merged = Vec::with_capacity(dependencies.len());
    merge(&mut merged, dependencies, true);
    merged
}

/// A profile's dependencies into a POM's: they replace those of the same key.
pub(super) fn dominate(target: &mut Vec<Arc<Dependency>>, source: &[Arc<Dependency>]) {
    into_list(target, source, true);
}

/// A parent's dependencies into a child's: those of the child stay.
pub(super) fn inherit(target: &mut Vec<Arc<Dependency>>, source: &[Arc<Dependency>]) {
    into_list(target, source, false);
}

/// `ModelMerger.merge`: nothing happens for an empty source; otherwise the target's own duplicates collapse too, to the last.
fn into_list(target: &mut Vec<Arc<Dependency>>, source: &[Arc<Dependency>], source_dominant: bool) {
    if source.is_empty() {
        return;
    }
    let mut merged = last_of_each(target);
    merge(&mut merged, source, source_dominant);
    *target = merged;
}

fn merge(target: &mut Vec<Arc<Dependency>>, source: &[Arc<Dependency>], replace: bool) {
    let mut places: HashMap<ManagementKey, usize> =
        target.iter().enumerate().map(|(place, entry)| (entry.management_key(), place)).collect();
    for entry in source {
        match places.entry(entry.management_key()) {
            Entry::Occupied(place) if replace => target[*place.get()] = Arc::clone(entry),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => {
                place.insert(target.len());
                target.push(Arc::clone(entry));
            }
        }
    }
}

/// Imported management behind a model's own: the first entry of a key stays, but of the model's own the last
/// (`DefaultDependencyManagementImporter`, which does nothing where nothing is imported).
pub(super) fn import(own: &mut Vec<Arc<Dependency>>, imported: &[Arc<Vec<Arc<Dependency>>>]) {
    if imported.is_empty() {
        return;
    }
    let mut merged = last_of_each(own);
    let mut known: std::collections::HashSet<ManagementKey> =
        merged.iter().map(|entry| entry.management_key()).collect();
    for entry in imported.iter().flat_map(|list| list.iter()) {
        if known.insert(entry.management_key()) {
            merged.push(Arc::clone(entry));
        }
    }
    *own = merged;
}

/// Repositories by id: the first list's, then what the second adds (`MavenModelMerger.mergeModelBase_Repositories`).
pub(super) fn repositories(dominant: &[Repository], recessive: &[Repository]) -> Vec<Repository> {
    let mut merged: Vec<Repository> = Vec::new();
    for repository in dominant {
        match merged.iter_mut().find(|known| known.id == repository.id) {
            Some(known) => *known = repository.clone(),
            None => merged.push(repository.clone()),
        }
    }
    for repository in recessive {
        if merged.iter().all(|known| known.id != repository.id) {
            merged.push(repository.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests;
