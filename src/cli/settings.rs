//! Flags, variables and files become the library's settings.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connect_build::fetch::{FetchSettings, Identities};
use connect_build::http::{Proxies, Trust, read_address, read_authorities};
use connect_build::image::{Format, Platforms};
use connect_build::limits::Limits;
use connect_build::maven::{Cache, Machine, MavenSettings, Settings};
use connect_build::pipeline::BuildSettings;
use connect_build::plan::{Choices, Compression, ImageLocation, LayerChoices, Links};
use connect_build::redact::{SafeUrl, shown_url};
use connect_build::registry::{ClientCertificate, DockerConfig, HostSettings, RegistrySettings};
use connect_build::retry::RetryPolicy;
use connect_build::spec::Spec;

use super::args::{
    BuildArguments, CompressionArgument, FormatArgument, LimitArguments, LinksArgument, NetworkArguments,
    ParentDirsArgument, PlanArguments, RepositoryArguments, TransferArguments,
};
use super::error::{CliError, DockerConfigError, HeadersError, MavenSettingsError, NetrcError};
use super::launch::{Launch, Side};

/// Where Docker keeps its config, below the home directory.
const DOCKER_CONFIG: &str = ".docker/config.json";
/// Where podman and buildah keep theirs, below `XDG_RUNTIME_DIR`.
const CONTAINERS_AUTH: &str = "containers/auth.json";

/// Where Strimzi mounts its secret for Kaniko, whose image has `DOCKER_CONFIG` set to it.
const KANIKO_CONFIG: &str = "/kaniko/.docker/config.json";
/// Where Strimzi mounts it for Buildah.
const BUILDAH_CONFIG: &str = "/build/.docker/config.json";

pub(super) fn choices(arguments: &PlanArguments, maven: &MavenSettings) -> Choices {
    let directory = arguments.file.as_deref().filter(|file| *file != Path::new("-")).map(|file| {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    });
    Choices {
        base: arguments.base.clone(),
        to: arguments.to.clone(),
        directory,
        maven_repository: maven.has_repository(),
        layer: layer(arguments),
    }
}

fn layer(arguments: &PlanArguments) -> LayerChoices {
    LayerChoices {
        compression: match arguments.compression {
            CompressionArgument::Gzip => Compression::Gzip,
            CompressionArgument::Zstd => Compression::Zstd,
            CompressionArgument::None => Compression::None,
        },
        mtime: arguments.source_date_epoch,
        links: match arguments.links {
            LinksArgument::Refuse => Links::Refuse,
            LinksArgument::Skip => Links::Skip,
        },
    }
}

pub(super) fn limits(arguments: &LimitArguments) -> Limits {
    Limits {
        download: arguments.max_download,
        unpacked: arguments.max_unpacked,
        unpacked_build: arguments.max_unpacked_build,
        entries: arguments.max_entries,
        ratio: arguments.max_ratio,
        depth: arguments.max_depth,
        tar_header: arguments.max_tar_header,
    }
}

/// What the flags say, and where they say nothing `spec`.
pub(super) fn build(
    arguments: &BuildArguments,
    launch: &Launch,
    spec: &Spec,
) -> Result<BuildSettings, CliError> {
    let (network, image) = (&arguments.network, &arguments.image);
    let mut fetch = fetch(&arguments.transfer, limits(&arguments.limits))?;
    fetch.proxies = with_proxies(fetch.proxies, launch, &spec.proxies);
    let registry = RegistrySettings {
        proxies: fetch.proxies.clone(),
        authorities: fetch.trust.authorities.clone(),
        everywhere: HostSettings::default(),
        hosts: hosts(network)?,
        mirrors: mirrors(&network.registry_mirror)?,
        mirrors_only: launch.pull.mirrors_only,
        private_http: false,
        credentials: DockerConfig::default(),
        retry: fetch.retry,
    };
    let platforms = match (&image.platform, spec.platforms.as_slice()) {
        (Some(platforms), _) => platforms.parse(),
        (None, []) => Ok(Platforms::Here),
        (None, platforms) => platforms.join(",").parse(),
    };
    Ok(BuildSettings {
        workspace: workspace(arguments.report.workspace.as_deref()),
        pull: side(registry.clone(), &launch.pull, network)?,
        push: side(registry, &launch.push, network)?,
        fetch,
        maven: maven(&arguments.plan.maven)?,
        layer: layer(&arguments.plan),
        platforms: platforms.map_err(|error| CliError::Flag(error.to_string()))?,
        format: match image.format {
            FormatArgument::Oci => Format::Oci,
            FormatArgument::Docker => Format::Docker,
        },
        labels: labels(&image.label)?,
        scan_parents: image.parent_dirs == ParentDirsArgument::Scan,
        parallel_layers: std::thread::available_parallelism().map_or(1, usize::from),
        parallel_uploads: arguments.transfer.parallel.into(),
    })
}

/// What a launch says of one direction, put on what holds for both.
fn side(
    mut settings: RegistrySettings,
    side: &Side,
    network: &NetworkArguments,
) -> Result<RegistrySettings, CliError> {
    settings.everywhere = side.everywhere.clone();
    settings.private_http = side.private_http;
    for (host, said) in &side.hosts {
        let host = settings.hosts.entry(host.clone()).or_default();
        host.skip_verify |= said.skip_verify;
        host.allow_http |= said.allow_http;
    }
    if let Some(directory) = &side.cert_dir {
        let (authorities, identity) = certificates(directory)?;
        settings.everywhere.authorities.extend(authorities);
        settings.everywhere.identity = identity;
    }
    if let Some(retries) = side.retries {
        settings.retry.retries = retries;
    }
    if let Some(delay) = side.retry_delay {
        settings.retry.first_wait = delay;
        settings.retry.longest_wait = settings.retry.longest_wait.max(delay);
    }
    settings.credentials = match &side.credentials {
        Some(credentials) => DockerConfig::everywhere(credentials.clone()),
        None => docker_config(side.auth_file.as_deref().or(network.auth_file.as_deref()))?,
    };
    Ok(settings)
}

/// A directory as Docker has them by registry: `*.crt` are authorities, `*.cert` and `*.key` of one name a client's
/// certificate and its key (containers-certs.d(5)).
fn certificates(directory: &Path) -> Result<(Vec<PathBuf>, Option<ClientCertificate>), CliError> {
    let fail = |source| CliError::Certificates { directory: directory.to_owned(), source };
    let mut files: Vec<PathBuf> = Vec::new();
    match std::fs::read_dir(directory) {
        Ok(entries) => {
            for entry in entries {
                files.push(entry.map_err(fail)?.path());
            }
        }
        // As for Buildah, which has none then.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            tracing::warn!("there is no directory of certificates `{}`", directory.display());
        }
        Err(error) => return Err(fail(error)),
    }
    files.sort();
    let of = |extension: &'static str| {
        files.iter().filter(move |file| file.extension().is_some_and(|found| found == extension))
    };
    let mut identity = None;
    for certificate in of("cert") {
        let key = certificate.with_extension("key");
        if !key.is_file() {
            return Err(CliError::Flag(format!("`{}` has no `.key` beside it", certificate.display())));
        }
        identity.get_or_insert(ClientCertificate { certificate: certificate.clone(), key });
    }
    Ok((of("crt").cloned().collect(), identity))
}

/// The environment comes first, then the command line of a launch, then what the input says.
fn with_proxies(found: Proxies, launch: &Launch, said: &Proxies) -> Proxies {
    let known = |found: Option<String>, name: &str, said: &Option<String>| {
        // An argument without a value takes the input's away.
        let known = found.or_else(|| launch.proxies.get(name).cloned()).or_else(|| said.clone());
        known.filter(|value| !value.is_empty())
    };
    Proxies {
        http: known(found.http, "http_proxy", &said.http),
        https: known(found.https, "https_proxy", &said.https),
        no_proxy: known(found.no_proxy, "no_proxy", &said.no_proxy),
    }
}

/// The directory that is named, `TMPDIR`, or the first usual one in which something can be written. Where none can, the last is
/// taken, and the workspace tells of it.
pub(super) fn workspace(named: Option<&Path>) -> PathBuf {
    if let Some(directory) = named.map(Path::to_owned).or_else(|| variable("TMPDIR")) {
        return directory;
    }
    let usual = ["/var/tmp", "/tmp"].map(PathBuf::from);
    let is_writable = |directory: &&PathBuf| tempfile::tempfile_in(directory).is_ok();
    usual.iter().find(is_writable).unwrap_or(&usual[1]).clone()
}

/// How files come in.
pub(super) fn fetch(transfer: &TransferArguments, limits: Limits) -> Result<FetchSettings, CliError> {
    let mut authorities = Vec::new();
    for file in &transfer.ca_file {
        authorities.extend(read_authorities(file).map_err(CliError::Client)?);
    }
    let named = transfer.netrc.clone().or_else(|| variable("NETRC"));
    let mut identities = named.map_or_else(|| Ok(Identities::default()), |file| read_netrc(&file))?;
    if let Some(file) = &transfer.headers {
        identities.extend(read_headers(file)?);
    }
    Ok(FetchSettings {
        proxies: proxies(),
        trust: Trust { authorities, ..Trust::default() },
        limits,
        identities: Arc::new(identities),
        parallel: transfer.parallel.into(),
        retry: RetryPolicy { retries: transfer.retries.into(), ..RetryPolicy::default() },
    })
}

/// How Maven artifacts are resolved.
pub(super) fn maven(arguments: &RepositoryArguments) -> Result<MavenSettings, CliError> {
    let machine = Machine::new(&arguments.maven_java_version);
    let settings = match &arguments.maven_settings {
        Some(file) => read_maven_settings(file, &machine)?,
        None => Settings::default(),
    };
    let repository = arguments.maven_repository.as_deref();
    let cache = arguments.cache_dir.as_deref().map(|directory| {
        Cache::open(directory).map_err(|source| CliError::Cache { directory: directory.to_owned(), source })
    });
    Ok(MavenSettings {
        repository: repository.map(|url| repository_url(url, "--maven-repository")).transpose()?,
        settings,
        machine,
        cache: cache.transpose()?,
    })
}

/// A repository's URL, as a flag gives it.
pub(super) fn repository_url(text: &str, flag: &str) -> Result<SafeUrl, CliError> {
    read_address(text)
        .map(SafeUrl::new)
        .map_err(|error| CliError::Flag(format!("`{flag} {}` {error}", shown_url(text))))
}

fn read_headers(file: &Path) -> Result<Identities, CliError> {
    let fail = |source| CliError::Headers { file: file.to_owned(), source };
    let text = std::fs::read_to_string(file).map_err(|error| fail(HeadersError::Read(error)))?;
    Identities::of_headers(&text).map_err(|error| fail(HeadersError::Invalid(error)))
}

fn read_netrc(file: &Path) -> Result<Identities, CliError> {
    let fail = |source| CliError::Netrc { file: file.to_owned(), source };
    let text = std::fs::read_to_string(file).map_err(|error| fail(NetrcError::Read(error)))?;
    Identities::of_netrc(&text).map_err(|error| fail(NetrcError::Invalid(error)))
}

fn read_maven_settings(file: &Path, machine: &Machine) -> Result<Settings, CliError> {
    let fail = |source| CliError::MavenSettings { file: file.to_owned(), source };
    let bytes = std::fs::read(file).map_err(|error| fail(MavenSettingsError::Read(error)))?;
    let variable = |name: &str| env::var(name).ok();
    Settings::parse(&bytes, machine, variable).map_err(|error| fail(MavenSettingsError::Invalid(error)))
}

/// A path that the environment names; an empty one counts as not set.
pub(super) fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The variables that every program heeds, in the spelling that curl prefers first.
fn proxies() -> Proxies {
    let variable =
        |names: [&str; 2]| names.iter().find_map(|name| env::var(name).ok().filter(|url| !url.is_empty()));
    Proxies {
        http: variable(["http_proxy", "HTTP_PROXY"]),
        https: variable(["https_proxy", "HTTPS_PROXY"]),
        no_proxy: variable(["no_proxy", "NO_PROXY"]),
    }
}

fn hosts(network: &NetworkArguments) -> Result<BTreeMap<String, HostSettings>, CliError> {
    let mut hosts: BTreeMap<String, HostSettings> = BTreeMap::new();
    for host in &network.insecure_registry {
        let settings = hosts.entry(host.clone()).or_default();
        (settings.skip_verify, settings.allow_http) = (true, true);
    }
    for host in &network.plain_http_registry {
        hosts.entry(host.clone()).or_default().plain_http = true;
    }
    for pair in &network.registry_ca {
        let (host, file) = split_pair(pair, "--registry-ca", "HOST=FILE")?;
        hosts.entry(host.to_owned()).or_default().authorities.push(PathBuf::from(file));
    }
    for pair in &network.registry_client_cert {
        let (host, identity) = client_certificate(pair, "--registry-client-cert")?;
        hosts.entry(host).or_default().identity = Some(identity);
    }
    if let Some(host) = hosts.keys().find(|host| host.contains('/')) {
        return Err(CliError::Flag(format!(
            "`{}` is not the host of a registry: leave out scheme and path",
            shown_url(host)
        )));
    }
    Ok(hosts)
}

/// `HOST=CERTIFICATE,KEY`.
pub(super) fn client_certificate(pair: &str, flag: &str) -> Result<(String, ClientCertificate), CliError> {
    const FORM: &str = "HOST=CERTIFICATE,KEY";
    let (host, files) = split_pair(pair, flag, FORM)?;
    let (certificate, key) = files.split_once(',').ok_or_else(|| not_of_form(flag, pair, FORM))?;
    let identity = ClientCertificate { certificate: PathBuf::from(certificate), key: PathBuf::from(key) };
    Ok((host.to_owned(), identity))
}

/// Hosts that may have a path behind them.
fn mirrors(names: &[String]) -> Result<Vec<String>, CliError> {
    let check = |name: &String| match ImageLocation::parse(&format!("{name}/x/y:z")) {
        Ok(location) if name.starts_with(location.registry()) => Ok(name.clone()),
        _ => Err(CliError::Flag(format!(
            "`--registry-mirror {}` is not the host of a registry: leave out the scheme, and give a port if it has no dot",
            shown_url(name)
        ))),
    };
    names.iter().map(check).collect()
}

fn labels(pairs: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    let split = |pair: &String| {
        split_pair(pair, "--label", "KEY=VALUE").map(|(key, value)| (key.to_owned(), value.to_owned()))
    };
    pairs.iter().map(split).collect()
}

fn split_pair<'a>(pair: &'a str, flag: &str, form: &str) -> Result<(&'a str, &'a str), CliError> {
    (pair.split_once('=').filter(|(key, _)| !key.is_empty())).ok_or_else(|| not_of_form(flag, pair, form))
}

fn not_of_form(flag: &str, pair: &str, form: &str) -> CliError {
    CliError::Flag(format!("`{flag} {}` is not of the form `{flag} {form}`", shown_url(pair)))
}

/// The first docker config that is named or found. A file that is named must be there.
fn docker_config(named: Option<&Path>) -> Result<DockerConfig, CliError> {
    if let Some(file) = named.map(Path::to_owned).or_else(|| variable("REGISTRY_AUTH_FILE")) {
        return read_config(&file);
    }
    let found = [
        variable("DOCKER_CONFIG").map(|directory| directory.join("config.json")),
        variable("XDG_RUNTIME_DIR").map(|directory| directory.join(CONTAINERS_AUTH)),
        variable("HOME").map(|directory| directory.join(DOCKER_CONFIG)),
        Some(PathBuf::from(KANIKO_CONFIG)),
        Some(PathBuf::from(BUILDAH_CONFIG)),
    ];
    match found.into_iter().flatten().find(|file| file.is_file()) {
        Some(file) => read_config(&file),
        None => Ok(DockerConfig::default()),
    }
}

fn read_config(file: &Path) -> Result<DockerConfig, CliError> {
    let fail = |source| CliError::DockerConfig { file: file.to_owned(), source };
    let text = std::fs::read_to_string(file).map_err(|error| fail(DockerConfigError::Read(error)))?;
    DockerConfig::parse(&text).map_err(|error| fail(DockerConfigError::Invalid(error)))
}
