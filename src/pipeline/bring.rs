//! How an artifact comes in: as one download, or as the many files that a Maven artifact is resolved to.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Build, BuildError, MavenFile};
use crate::fetch::Fetched;
use crate::maven::{self, ResolveError};
use crate::path::EntryPath;
use crate::plan::{Artifact, MavenArtifact, Planned};
use crate::progress::Event;

/// An artifact's files in the workspace, each with its place in the image.
pub(super) struct Brought {
    pub(super) files: Vec<(Artifact, Fetched)>,
    /// What a Maven artifact was resolved to.
    pub(super) resolved: Vec<MavenFile>,
}

impl Build<'_> {
    pub(super) async fn bring(&self, artifact: &Planned) -> Result<Brought, BuildError> {
        match artifact {
            Planned::File(artifact) => {
                let fetched = self.fetcher.fetch(artifact).await?;
                Ok(Brought { files: vec![(artifact.clone(), fetched)], resolved: Vec::new() })
            }
            Planned::Maven(artifact) => self.bring_maven(artifact).await,
        }
    }

    async fn bring_maven(&self, artifact: &MavenArtifact) -> Result<Brought, BuildError> {
        let fail = |source| BuildError::Maven { id: artifact.id.clone(), source };
        let (resolution, files) = self.maven.fetch(&artifact.request).await.map_err(fail)?;
        for warning in &resolution.warnings {
            self.warn(&format!("{}: {warning}", artifact.id));
        }
        let mut brought = Brought { files: Vec::new(), resolved: Vec::new() };
        let mut known: HashMap<String, String> = HashMap::new();
        let mut unverified = Vec::new();
        for maven::Brought { file, scope, downloaded } in files {
            let name = file.name();
            // Maven copies both to the same place and keeps one of them; the nearest one is kept here.
            if let Some(earlier) = known.get(&name) {
                self.warn(&format!(
                    "{}: `{name}` is the name of two files, of {earlier} and of {file}; only the first is taken",
                    artifact.id
                ));
                continue;
            }
            known.insert(name.clone(), file.to_string());
            let path = EntryPath::component(&name)
                .map_err(|refused| resolution.error(ResolveError::Name { file: file.to_string(), refused }))
                .map_err(fail)?;
            if downloaded.verified.is_none() {
                unverified.push(name.clone());
            }
            brought.resolved.push(MavenFile {
                name,
                coordinate: file.to_string(),
                scope: scope.map(|scope| scope.to_string()),
                repository: downloaded.repository(),
                sha1: downloaded.sha1.clone(),
                sha512: downloaded.fetched.sha512().to_string(),
                verified: downloaded.verified.map(maven::Algorithm::name),
                size: downloaded.fetched.size(),
            });
            brought.files.push((artifact.file(path, downloaded.url()), downloaded.fetched));
        }
        let count = |scope: &str| resolution.files.iter().filter(|file| *file.scope == *scope).count();
        let other_scopes = ["provided", "test", "system"].map(|scope| (scope, count(scope)));
        self.reporter.report(&Event::MavenResolved {
            artifact: &artifact.id.to_string(),
            root: &resolution.root.to_string(),
            files: brought.resolved.len(),
            size: brought.resolved.iter().map(|file| file.size).sum(),
            // Who named a scope knows what it leaves out.
            left_out: if artifact.scope_is_given { &[] } else { &other_scopes },
        });
        if !unverified.is_empty() {
            self.warn(&format!(
                "{}: the repository has no checksum of {} of its files: {}",
                artifact.id,
                unverified.len(),
                listed(&unverified)
            ));
        }
        Ok(brought)
    }
}

/// The first few names.
fn listed(names: &[String]) -> String {
    const FEW: usize = 5;
    let more = names.len().saturating_sub(FEW);
    let mut text = names.iter().take(FEW).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}
