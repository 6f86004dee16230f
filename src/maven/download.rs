//! From an artifact to its files on disk: the resolution, and the downloads that begin before it ends.
//!
//! The root's own file is needed whatever else comes out, and of its own dependencies nearly all are: nothing is nearer than
//! they are. So they are on their way while the collection still walks. A file that turns out not to be needed is dropped.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::Maven;
use super::coordinate::File;
use super::error::{Attempt, MavenError, ResolveError};
use super::graph::Dependency;
use super::remote::{Downloaded, Library};
use super::repository::Remotes;
use super::resolution::{Resolution, ResolvedFile};
use crate::plan::MavenRequest;

/// One of an artifact's files, on disk.
#[derive(Debug)]
pub struct Brought {
    /// Which.
    pub file: File,
    /// Its scope; nothing for the root's own.
    pub scope: Option<super::coordinate::Text>,
    /// The file.
    pub downloaded: Downloaded,
}

type Answer = Result<Downloaded, Vec<Attempt>>;

/// Downloads under way, by file.
struct Downloads {
    library: Arc<Library>,
    tasks: JoinSet<(File, Answer)>,
    begun: HashSet<File>,
    done: HashMap<File, Answer>,
}

impl Downloads {
    fn begin(&mut self, file: &File, remotes: &Remotes) {
        if self.begun.insert(file.clone()) {
            let (library, file, remotes) = (Arc::clone(&self.library), file.clone(), Arc::clone(remotes));
            self.tasks.spawn(async move {
                let answer = library.download(&file, &remotes).await;
                (file, answer)
            });
        }
    }

    /// The file, once it is there.
    async fn get(&mut self, file: &File) -> Result<Downloaded, Option<Vec<Attempt>>> {
        loop {
            if let Some(answer) = self.done.remove(file) {
                return answer.map_err(Some);
            }
            match self.tasks.join_next().await {
                Some(Ok((file, answer))) => drop(self.done.insert(file, answer)),
                Some(Err(_)) | None => return Err(None),
            }
        }
    }
}

impl Maven {
    /// Resolves an artifact and downloads the files of its scope, the root's own first.
    pub async fn fetch(&self, request: &MavenRequest) -> Result<(Resolution, Vec<Brought>), MavenError> {
        let mut downloads = Downloads {
            library: Arc::clone(&self.library),
            tasks: JoinSet::new(),
            begun: HashSet::new(),
            done: HashMap::new(),
        };
        let mut early = |direct: &[Dependency], root: &File, remotes: &Remotes| {
            downloads.begin(root, remotes);
            for dependency in direct {
                let wanted = request.scope.admits(&dependency.scope) && dependency.system_path.is_none();
                if wanted && !dependency.file.version.starts_with(['[', '(']) {
                    downloads.begin(&dependency.file, remotes);
                }
            }
        };
        let resolution = self.resolve_with(request, &mut early).await?;
        let fail = |source| MavenError { artifact: resolution.root.to_string(), source };
        for file in resolution.of_scope(request.scope) {
            downloads.begin(&file.file, &file.remotes);
        }
        let mut brought = Vec::new();
        if let Some((file, downloaded)) = self.root_file(&resolution, &mut downloads).await.map_err(fail)? {
            brought.push(Brought { file, scope: None, downloaded });
        }
        let mut named = HashSet::new();
        // A file that stays in several places is one file.
        let files = resolution.of_scope(request.scope).filter(|resolved| named.insert(&resolved.file));
        for ResolvedFile { file, scope, path, .. } in files {
            let downloaded = downloads.get(file).await.map_err(|attempts| match attempts {
                Some(attempts) => fail(ResolveError::NotFound {
                    file: file.to_string(),
                    path: path.clone(),
                    attempts,
                    versions: Vec::new(),
                }),
                None => fail(ResolveError::Cancelled),
            })?;
            let file = downloaded.file.clone();
            brought.push(Brought { file, scope: Some(Arc::clone(scope)), downloaded });
        }
        Ok((resolution, brought))
    }

    /// The root's own file: a jar, or what its packaging makes; a project of POMs alone has none.
    async fn root_file(
        &self,
        resolution: &Resolution,
        downloads: &mut Downloads,
    ) -> Result<Option<(File, Downloaded)>, ResolveError> {
        let mut missing = Vec::new();
        for file in resolution.root_files() {
            downloads.begin(&file, &resolution.remotes);
            match downloads.get(&file).await {
                Ok(downloaded) => return Ok(Some((file, downloaded))),
                Err(Some(attempts)) if attempts.iter().all(Attempt::is_missing) => missing.push(attempts),
                Err(Some(attempts)) => {
                    let (file, path) = (file.to_string(), Vec::new());
                    return Err(ResolveError::NotFound { file, path, attempts, versions: Vec::new() });
                }
                Err(None) => return Err(ResolveError::Cancelled),
            }
        }
        if resolution.packaging() == "pom" {
            return Ok(None);
        }
        let attempts = missing.into_iter().next().unwrap_or_default();
        let file = File::of(&resolution.root, "jar").to_string();
        Err(ResolveError::NotFound { file, path: Vec::new(), attempts, versions: Vec::new() })
    }

    /// How large the files of a scope are together, the root's own among them.
    pub async fn sizes(&self, resolution: &Resolution, request: &MavenRequest) -> Sizes {
        let mut tasks = JoinSet::new();
        let files = resolution.of_scope(request.scope).map(|file| (vec![file.file.clone()], &file.remotes));
        for (names, remotes) in std::iter::once((resolution.root_files(), &resolution.remotes)).chain(files) {
            let (library, remotes) = (Arc::clone(&self.library), Arc::clone(remotes));
            let may_be_none =
                resolution.packaging() == "pom" && names.first() == resolution.root_files().first();
            tasks.spawn(async move {
                for name in &names {
                    if let Some(size) = library.size(name, &remotes).await {
                        return Some(Some(size));
                    }
                }
                (!may_be_none).then_some(None)
            });
        }
        let mut sizes = Sizes::default();
        while let Some(size) = tasks.join_next().await {
            match size {
                Ok(Some(size)) => {
                    sizes.files += 1;
                    sizes.bytes += size.unwrap_or_default();
                    sizes.unknown += usize::from(size.is_none());
                }
                Ok(None) => {}
                Err(_) => sizes.unknown += 1,
            }
        }
        sizes
    }
}

/// See [`Maven::sizes`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Files that there are.
    pub files: usize,
    /// Bytes of those whose server tells.
    pub bytes: u64,
    /// Files whose server does not tell.
    pub unknown: usize,
}
