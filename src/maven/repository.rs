//! Repositories: which ones are asked, in which order, and which mirror answers in their place.
//!
//! The order for the root is the one of Maven: the artifact's `repository` (Strimzi's `custom-repo`), those of active profiles
//! of the settings, those that the root's POM and its parents declare, and at last `central`. Below, each POM adds its own to
//! those of the path that led to it (`DefaultRemoteRepositoryManager.aggregateRepositories`); an id that is taken stays with
//! who has it. Mirrors are chosen as in `DefaultMirrorSelector`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::coordinate::{Text, is_snapshot};
use super::pom;
use crate::fetch::Identity;
use crate::redact::{SafeUrl, shown_url};

/// The id of the repository that every POM has (super POM).
pub(super) const CENTRAL: &str = "central";

/// The id that Strimzi gives to an artifact's `repository`.
pub(super) const CUSTOM: &str = "custom-repo";

/// A repository that can be asked.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Remote {
    /// Its id, or that of the mirror that stands for it.
    pub id: Text,
    /// Its URL, or why it cannot be asked.
    pub url: Result<SafeUrl, Closed>,
    /// The URL as it was written, without secrets.
    pub shown: String,
    /// It has releases.
    pub releases: bool,
    /// It has snapshots.
    pub snapshots: bool,
    /// Accept any TLS certificate.
    pub insecure: bool,
    /// The user named it, or another one on its host.
    pub named: bool,
    /// Who to be there.
    pub identity: Identity,
}

/// Why a repository is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Closed {
    /// Plain http, named by a POM and not by the user (Maven 3.8.1 and later).
    #[error("it is declared by a POM with plain http, which is blocked")]
    PlainHttp,
    /// A mirror of the settings that is there to block.
    #[error("the settings block it")]
    Blocked,
    /// What is asked for cannot stand in a path.
    #[error("version, classifier or type cannot be a part of a path")]
    Path,
    /// Maven knows where Central is; here somebody has to say so.
    #[error("its URL is not configured")]
    NoUrl,
    /// A scheme that is not spoken here, or no URL at all.
    #[error("its URL is neither http nor https")]
    Scheme,
}

/// Repositories in the order in which they are asked.
pub(super) type Remotes = Arc<[Arc<Remote>]>;

impl PartialEq for Remote {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.url == other.url
            && self.shown == other.shown
            && (self.releases, self.snapshots, self.insecure)
                == (other.releases, other.snapshots, other.insecure)
    }
}

impl Eq for Remote {}

impl Hash for Remote {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        self.shown.hash(state);
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", crate::path::shown(self.id.as_bytes()), self.shown)
    }
}

impl Remote {
    /// Whether it has files of this version at all.
    pub fn serves(&self, version: &str) -> bool {
        if is_snapshot(version) { self.snapshots } else { self.releases }
    }
}

/// Everything that the user said of repositories.
#[derive(Debug, Clone, Default)]
pub(super) struct Choices {
    /// What `central` is: the configured default.
    pub central: Option<SafeUrl>,
    /// The artifact's own repository.
    pub custom: Option<SafeUrl>,
    /// The artifact's mirrors: asked instead of everything, in their order.
    pub mirrors: Vec<SafeUrl>,
    /// Repositories of active profiles of the settings.
    pub profiles: Vec<pom::Repository>,
    /// Mirrors of the settings.
    pub settings_mirrors: Vec<Mirror>,
    /// Who to be, by id of repository or mirror.
    pub servers: Vec<(String, Identity)>,
    /// Accept any TLS certificate.
    pub insecure: bool,
}

/// A mirror of the settings.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// Its id.
    pub id: Text,
    /// Its URL.
    pub url: String,
    /// `<mirrorOf>`.
    pub of: String,
    /// `<blocked>`.
    pub blocked: bool,
}

impl Choices {
    /// What the root starts with, before its own POM is read.
    pub(super) fn first(&self) -> Remotes {
        let mut remotes = self.declared_first();
        self.add(&mut remotes, &self.central());
        remotes.into()
    }

    /// What the root ends with: `declared` by it and its parents, the super POM's `central` among them.
    pub(super) fn of_root(&self, declared: &[pom::Repository]) -> Remotes {
        let mut remotes = self.declared_first();
        for repository in declared {
            self.add(&mut remotes, repository);
        }
        self.add(&mut remotes, &self.central());
        remotes.into()
    }

    /// What a POM adds to the repositories of the path that led to it.
    pub(super) fn aggregate(&self, path: &Remotes, declared: &[pom::Repository]) -> Remotes {
        // With mirrors for everything there is nothing to add.
        if !self.mirrors.is_empty() || declared.iter().all(|new| path.iter().any(|known| known.id == new.id))
        {
            return Arc::clone(path);
        }
        let mut remotes = path.to_vec();
        for repository in declared {
            self.add(&mut remotes, repository);
        }
        remotes.into()
    }

    /// The super POM's repository, wherever it is here: the one that is configured, or that of an active profile of the settings.
    /// Without any it exists, and cannot be asked.
    fn central(&self) -> pom::Repository {
        if let (None, Some(own)) = (&self.central, self.profiles.iter().find(|own| *own.id == *CENTRAL)) {
            return own.clone();
        }
        let url = self.central.as_ref().map(|url| url.expose().to_string()).unwrap_or_default();
        pom::Repository { id: CENTRAL.into(), url: url.into(), releases: true, snapshots: false }
    }

    fn declared_first(&self) -> Vec<Arc<Remote>> {
        if !self.mirrors.is_empty() {
            let mirror = |(number, url): (usize, &SafeUrl)| {
                // Strimzi numbers its mirrors from 0.
                let id = format!("strimzi-mirror-{number}");
                Arc::new(self.remote(&id, Ok(url.clone()), &url.to_string(), (true, true)))
            };
            return self.mirrors.iter().enumerate().map(mirror).collect();
        }
        let mut remotes = Vec::new();
        if let Some(url) = &self.custom {
            let url = url.expose().to_string();
            let custom =
                pom::Repository { id: CUSTOM.into(), url: url.into(), releases: true, snapshots: true };
            self.add_named(&mut remotes, &custom, true);
        }
        for repository in &self.profiles {
            self.add_named(&mut remotes, repository, true);
        }
        remotes
    }

    fn add(&self, remotes: &mut Vec<Arc<Remote>>, repository: &pom::Repository) {
        let by_user = *repository.id == *CENTRAL;
        self.add_named(remotes, repository, by_user);
    }

    fn add_named(&self, remotes: &mut Vec<Arc<Remote>>, repository: &pom::Repository, by_user: bool) {
        if !self.mirrors.is_empty() {
            return;
        }
        // Whatever a POM says of central, it is the one that is configured here.
        let central = (*repository.id == *CENTRAL).then(|| self.central());
        let repository = central.as_ref().unwrap_or(repository);
        let policies = (repository.releases, repository.snapshots);
        let remote = match self.mirror(repository) {
            None if central.is_some() && repository.url.is_empty() => {
                self.remote(&repository.id, Err(Closed::NoUrl), "Maven Central", policies)
            }
            Some(mirror) if mirror.blocked => {
                self.remote(&mirror.id, Err(Closed::Blocked), &shown_url(&repository.url), policies)
            }
            Some(mirror) => {
                self.remote(&mirror.id, open(&mirror.url, true), &shown_url(&mirror.url), policies)
            }
            None => self.remote(
                &repository.id,
                open(&repository.url, by_user),
                &shown_url(&repository.url),
                policies,
            ),
        };
        match remotes.iter_mut().find(|known| known.id == remote.id) {
            // Two repositories behind one mirror: it has what either has.
            Some(known) if known.url == remote.url => {
                let (releases, snapshots) =
                    (known.releases || remote.releases, known.snapshots || remote.snapshots);
                if (releases, snapshots) != (known.releases, known.snapshots) {
                    *known = Arc::new(Remote { releases, snapshots, ..remote });
                }
            }
            Some(_) => {}
            None => remotes.push(Arc::new(remote)),
        }
    }

    /// Whether the user named a repository on this host.
    fn knows_host(&self, url: &SafeUrl) -> bool {
        let host = |url: &url::Url| url.host_str().map(|host| (host.to_owned(), url.port_or_known_default()));
        let written = self.profiles.iter().map(|own| &*own.url);
        let written = written.chain(self.settings_mirrors.iter().map(|mirror| mirror.url.as_str()));
        let written = written.filter_map(|url| url.parse::<url::Url>().ok()).filter_map(|url| host(&url));
        let given = self.central.iter().chain(&self.custom).chain(&self.mirrors);
        let mut known = given.filter_map(|url| host(url.expose())).chain(written);
        let wanted = host(url.expose());
        wanted.is_some_and(|wanted| known.any(|known| known == wanted))
    }

    /// A `<server>` of the settings is for repositories that the user named, and for others on their hosts: a POM from anywhere
    /// may give its repository any id.
    fn remote(&self, id: &str, url: Result<SafeUrl, Closed>, shown: &str, policies: (bool, bool)) -> Remote {
        let named = url.as_ref().is_ok_and(|url| self.knows_host(url));
        let identity = self.servers.iter().find(|(server, _)| server == id).filter(|_| named);
        Remote {
            id: id.into(),
            url,
            shown: crate::path::shown(shown.as_bytes()),
            releases: policies.0,
            snapshots: policies.1,
            insecure: self.insecure,
            named,
            identity: identity.map(|(_, identity)| identity.clone()).unwrap_or_default(),
        }
    }

    /// The settings' mirror for a repository: one that names its id, or the first whose pattern fits.
    fn mirror(&self, repository: &pom::Repository) -> Option<&Mirror> {
        let mirrors = &self.settings_mirrors;
        (mirrors.iter().find(|mirror| mirror.of == *repository.id))
            .or_else(|| mirrors.iter().find(|mirror| fits(&mirror.of, repository)))
    }
}

/// A URL that can be asked.
fn open(url: &str, by_user: bool) -> Result<SafeUrl, Closed> {
    let mut url: url::Url = url.parse().map_err(|_| Closed::Scheme)?;
    match url.scheme() {
        "https" => {}
        "http" if by_user || is_loopback(&url) => {}
        "http" => return Err(Closed::PlainHttp),
        _ => return Err(Closed::Scheme),
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(SafeUrl::new(url))
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `DefaultMirrorSelector.matchPattern`: `*`, `external:*`, `external:http:*`, ids, and `!id`, with commas between them.
fn fits(pattern: &str, repository: &pom::Repository) -> bool {
    let url = repository.url.parse::<url::Url>().ok();
    let external = url.as_ref().is_none_or(|url| !is_loopback(url) && url.scheme() != "file");
    let http = url.as_ref().is_some_and(|url| matches!(url.scheme(), "http" | "dav" | "dav+http"));
    let mut fits = false;
    for part in pattern.split(',').map(str::trim) {
        match part.strip_prefix('!') {
            Some(id) if *id == *repository.id => return false,
            Some(_) => {}
            None if *part == *repository.id => return true,
            None => match part {
                "*" => fits = true,
                "external:*" => fits |= external,
                "external:http:*" => fits |= external && http,
                _ => {}
            },
        }
    }
    fits
}

#[cfg(test)]
mod tests;
