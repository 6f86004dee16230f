//! Flags, variables and files become the library's settings.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use connect_build::fetch::FetchSettings;
use connect_build::http::{Proxies, Trust, read_authorities};
use connect_build::image::{Format, Platforms};
use connect_build::limits::Limits;
use connect_build::pipeline::BuildSettings;
use connect_build::plan::{Choices, Compression, LayerChoices, Links};
use connect_build::registry::{DockerConfig, HostSettings, RegistrySettings};
use connect_build::retry::RetryPolicy;

use super::args::{
    BuildArguments, CompressionArgument, FormatArgument, LimitArguments, LinksArgument, NetworkArguments,
    ParentDirsArgument, PlanArguments,
};
use super::error::{CliError, DockerConfigError};

/// Where Docker keeps its config, below the home directory.
const DOCKER_CONFIG: &str = ".docker/config.json";
/// Where podman and buildah keep theirs, below `XDG_RUNTIME_DIR`.
const CONTAINERS_AUTH: &str = "containers/auth.json";

pub(super) fn choices(arguments: &PlanArguments) -> Choices {
    let directory = (arguments.file != Path::new("-")).then(|| {
        let parent = arguments.file.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    });
    Choices { base: arguments.base.clone(), to: arguments.to.clone(), directory, layer: layer(arguments) }
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

pub(super) fn build(arguments: &BuildArguments) -> Result<BuildSettings, CliError> {
    let (network, image) = (&arguments.network, &arguments.image);
    let proxies = proxies();
    let mut authorities = Vec::new();
    for file in &network.ca_file {
        authorities.extend(read_authorities(file).map_err(CliError::Client)?);
    }
    let retry = RetryPolicy { retries: network.retries.into(), ..RetryPolicy::default() };
    let platforms = image.platform.as_deref().map_or(Ok(Platforms::Here), Platforms::from_str);
    Ok(BuildSettings {
        workspace: arguments.report.workspace.clone().unwrap_or_else(env::temp_dir),
        fetch: FetchSettings {
            proxies: proxies.clone(),
            trust: Trust { authorities: authorities.clone(), verify: true },
            limits: limits(&arguments.limits),
            parallel: network.parallel.into(),
            retry,
        },
        registry: RegistrySettings {
            proxies,
            authorities,
            hosts: hosts(network)?,
            credentials: docker_config(network.auth_file.as_deref())?,
            retry,
        },
        layer: layer(&arguments.plan),
        platforms: platforms.map_err(|error| CliError::Flag(error.to_string()))?,
        format: match image.format {
            FormatArgument::Oci => Format::Oci,
            FormatArgument::Docker => Format::Docker,
        },
        labels: labels(&image.label)?,
        scan_parents: image.parent_dirs == ParentDirsArgument::Scan,
        parallel_layers: std::thread::available_parallelism().map_or(1, usize::from),
        parallel_uploads: network.parallel.into(),
    })
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
        hosts.entry(host.clone()).or_default().insecure = true;
    }
    for host in &network.plain_http_registry {
        hosts.entry(host.clone()).or_default().plain_http = true;
    }
    for pair in &network.registry_ca {
        let (host, file) = split_pair(pair, "--registry-ca", "HOST=FILE")?;
        hosts.entry(host.to_owned()).or_default().authorities = Some(PathBuf::from(file));
    }
    if let Some(host) = hosts.keys().find(|host| host.contains('/')) {
        return Err(CliError::Flag(format!(
            "`{host}` is not the host of a registry: leave out scheme and path"
        )));
    }
    Ok(hosts)
}

fn labels(pairs: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    let split = |pair: &String| {
        split_pair(pair, "--label", "KEY=VALUE").map(|(key, value)| (key.to_owned(), value.to_owned()))
    };
    pairs.iter().map(split).collect()
}

fn split_pair<'a>(pair: &'a str, flag: &str, form: &str) -> Result<(&'a str, &'a str), CliError> {
    (pair.split_once('=').filter(|(key, _)| !key.is_empty()))
        .ok_or_else(|| CliError::Flag(format!("`{flag} {pair}` is not of the form `{flag} {form}`")))
}

/// The first docker config that is named or found. A file that is named must be there.
fn docker_config(named: Option<&Path>) -> Result<DockerConfig, CliError> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = named.map(Path::to_owned).or_else(|| variable("REGISTRY_AUTH_FILE")) {
        return read_config(&file);
    }
    let found = [
        variable("DOCKER_CONFIG").map(|directory| directory.join("config.json")),
        variable("XDG_RUNTIME_DIR").map(|directory| directory.join(CONTAINERS_AUTH)),
        variable("HOME").map(|directory| directory.join(DOCKER_CONFIG)),
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
