//! POMs that will be needed soon, fetched side by side while the collection walks depth first.
//!
//! As soon as a project's dependencies are known, the models of those that the collection will come to are built in tasks of
//! their own, and so on below them. Nothing here decides anything: a model that is not needed after all costs a request, and
//! one that is not here yet is built by who needs it. When the collection ends, what is still on its way is dropped.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::task::JoinSet;

use super::coordinate::Coordinate;
use super::graph::Dependency;
use super::manage::{Management, counts, with_exclusions};
use super::model::Models;
use super::pom::Exclusion;
use super::repository::{Choices, Remotes};

/// Most projects that are looked at ahead.
const MAX_PROJECTS: usize = 5_000;

/// Looks ahead for one collection.
pub(super) struct Ahead {
    models: Arc<Models>,
    choices: Arc<Choices>,
    management: Arc<Management>,
    seen: Mutex<HashSet<Coordinate>>,
    tasks: Mutex<JoinSet<()>>,
    this: Weak<Ahead>,
}

impl Ahead {
    /// Nothing is under way yet.
    pub(super) fn new(models: Arc<Models>, choices: Arc<Choices>, management: Arc<Management>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            models,
            choices,
            management,
            seen: Mutex::default(),
            tasks: Mutex::default(),
            this: Weak::clone(this),
        })
    }

    /// Begins with the models of these dependencies, which stand at `depth`, and with what they lead to.
    pub(super) fn look(
        &self,
        dependencies: &[Dependency],
        remotes: &Remotes,
        exclusions: &Arc<[Exclusion]>,
        depth: usize,
    ) {
        for dependency in dependencies {
            if !counts(dependency, depth, exclusions) || dependency.system_path.is_some() {
                continue;
            }
            let mut dependency = dependency.clone();
            self.management.apply(&mut dependency, depth, false);
            let version = &dependency.file.version;
            if version.starts_with(['[', '(']) || matches!(&**version, "LATEST" | "RELEASE") {
                continue;
            }
            let coordinate = dependency.file.coordinate();
            {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                if seen.len() >= MAX_PROJECTS || !seen.insert(coordinate.clone()) {
                    continue;
                }
            }
            let exclusions = with_exclusions(exclusions, &dependency.exclusions);
            let (this, remotes) = (Weak::clone(&self.this), Arc::clone(remotes));
            let models = Arc::clone(&self.models);
            let follow = !dependency.is_fat;
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            // What has ended needs no place any more.
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async move {
                let model = models.effective(&coordinate, &remotes).await;
                if let (Ok(model), Some(this), true) = (model, this.upgrade(), follow) {
                    let remotes = this.choices.aggregate(&remotes, &model.repositories);
                    this.look(&model.dependencies, &remotes, &exclusions, depth + 1);
                }
            });
        }
    }
}
