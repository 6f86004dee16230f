//! The command line, as clap reads it. Nothing is decided here.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::ContextValue;
use clap::{Arg, ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use connect_build::maven::JAVA_VERSION;

const MAVEN_EXAMPLES: &str = "\
Examples:
  The tree that is resolved, and what everything else lost to:
    connect-build maven tree org.example:connector:1.0 --repository https://maven.example.com/public

  The files that Strimzi's Dockerfile brings, which has no scope:
    connect-build maven files org.example:connector:1.0 --scope all --repository https://maven.example.com/public

Every flag can also be given as a variable: `--maven-settings` is CONNECT_BUILD_MAVEN_SETTINGS.";

const EXAMPLES: &str = "\
Examples:
  Build the image of a resource and push it where the resource says:
    connect-build build kafka-connect.yaml

  The same, from another base image, to a directory, on a laptop:
    connect-build build kafka-connect.yaml --base quay.io/strimzi/kafka:latest-kafka-4.1.0 --to oci:image

  Build a resource of the cluster and report into its status, with the rights of your kubeconfig:
    connect-build build --resource connectbuild/my-connect -n kafka

  An image of the plugins alone, for Kubernetes image volumes:
    connect-build build kafka-connect.yaml --base scratch --to registry.example.com/team/plugins:1.0

  What would be built, without downloading anything:
    connect-build plan kafka-connect.yaml

  Why a Maven artifact brings the jars that it brings:
    connect-build maven tree io.debezium:debezium-connector-postgres:3.1.0.Final --repository https://maven.example.com/public

Every flag of `build` can also be given as a variable: `--max-download` is CONNECT_BUILD_MAX_DOWNLOAD.
Lists have commas between their items there, labels newlines.";

/// The end of the year 9999, after which times are not what readers of images expect.
const LAST_SECOND: u64 = 253_402_300_799;

/// Builds Kafka Connect images from Strimzi's `spec.build`: without root, without a daemon, without a Dockerfile.
#[derive(Debug, Parser)]
#[command(name = "connect-build", version, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

impl Arguments {
    /// Reads a command line (the program's name left out) and the variables. An empty variable, as templates of pods leave them, counts as not set.
    pub(super) fn read(given: Vec<OsString>) -> Result<Self, clap::Error> {
        let given_flags = given.clone();
        let all = std::iter::once(OsString::from("connect-build")).chain(given);
        // Whoever says how much to hear says it against a variable, not along with it.
        let says = |long: &str, short: &str| given_flags.iter().any(|flag| flag == long || flag == short);
        let against = match (says("--quiet", "-q"), says("--verbose", "-v")) {
            (true, false) => "verbose",
            (false, true) => "quiet",
            _ => "",
        };
        let command = without_variables(Self::command(), against);
        Self::from_arg_matches(&command.try_get_matches_from(all).map_err(plain)?)
    }
}

/// The error with what was given in it fit to be shown.
fn plain(mut error: clap::Error) -> clap::Error {
    let is_odd = |text: &str| connect_build::path::plain(text) != text;
    let given = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) => {
            Some((kind, ContextValue::String(connect_build::path::plain(text).into_owned())))
        }
        // Advice that repeats what cannot be shown.
        ContextValue::StyledStrs(advice) if advice.iter().any(|text| is_odd(&text.to_string())) => {
            Some((kind, ContextValue::None))
        }
        _ => None,
    });
    for (kind, value) in given.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
    error
}

/// Takes the variables of one argument away, and all that are empty.
fn without_variables(command: clap::Command, against: &str) -> clap::Command {
    let unset = |argument: Arg| match argument.get_env() {
        Some(name) if std::env::var_os(name).is_some_and(|value| value.is_empty()) => {
            argument.env(Resettable::Reset)
        }
        Some(_) if argument.get_id() == against => argument.env(Resettable::Reset),
        _ => argument,
    };
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let command = command.mut_args(unset);
    names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |command| without_variables(command, against))
    })
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Build an image and write it to a registry, a directory or an archive.
    #[command(after_help = EXAMPLES)]
    Build(Box<BuildArguments>),
    /// Print what would be built: plugins, artifacts, paths, base and output. Nothing is downloaded.
    Plan(PlanArguments),
    /// Print the JSON schema of the `build` section.
    Schema,
    /// Print the custom resource definition of ConnectBuild, for `kubectl apply -f -`.
    Crd,
    /// Look at what a Maven artifact is resolved to.
    #[command(subcommand)]
    Maven(MavenCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum MavenCommand {
    /// Print the tree of dependencies: who stays in which scope, what everyone else lost to, and the size of it all.
    /// No jar is downloaded.
    #[command(after_help = MAVEN_EXAMPLES)]
    Tree(Box<MavenArguments>),
    /// Download the files and print a line for each: its name, its SHA-1, its coordinate. The artifact itself comes first.
    #[command(after_help = MAVEN_EXAMPLES)]
    Files(Box<FilesArguments>),
}

#[derive(Debug, Args)]
pub(super) struct MavenArguments {
    /// The artifact: GROUP:ARTIFACT:VERSION.
    #[arg(value_name = "G:A:V")]
    pub(super) coordinate: String,

    /// Which dependencies: as `includeScope` of a KafkaConnect resource, or everything.
    #[arg(long, value_enum, default_value_t, env = "CONNECT_BUILD_SCOPE")]
    pub(super) scope: ScopeArgument,

    /// The repository that is asked first, as `repository` of a resource.
    #[arg(long, value_name = "URL", env = "CONNECT_BUILD_REPOSITORY")]
    pub(super) repository: Option<String>,

    /// A repository that takes every request, as `mirrors` of a resource. Several are asked in their order.
    #[arg(long, value_name = "URL", env = "CONNECT_BUILD_MIRROR", value_delimiter = ',')]
    pub(super) mirror: Vec<String>,

    /// Accept any TLS certificate of repositories.
    #[arg(long, action = ArgAction::SetTrue, env = "CONNECT_BUILD_INSECURE")]
    pub(super) insecure: bool,

    #[command(flatten)]
    pub(super) maven: RepositoryArguments,

    #[command(flatten)]
    pub(super) transfer: TransferArguments,

    /// Largest download.
    #[arg(long, value_name = "BYTES", default_value = "8GiB", env = "CONNECT_BUILD_MAX_DOWNLOAD", value_parser = byte_count)]
    pub(super) max_download: u64,

    #[command(flatten)]
    pub(super) log: LogArguments,

    /// Where downloads are spooled. Default: TMPDIR, or else the first of /var/tmp and /tmp that can be written.
    #[arg(long, value_name = "DIR", env = "CONNECT_BUILD_WORKSPACE", help_heading = "Report")]
    pub(super) workspace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct FilesArguments {
    #[command(flatten)]
    pub(super) maven: MavenArguments,

    /// Keep the files in this directory, which is made if it is not there.
    #[arg(long, value_name = "DIR", env = "CONNECT_BUILD_OUTPUT")]
    pub(super) output: Option<PathBuf>,
}

/// Maven repositories, wherever they are needed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Maven")]
pub(super) struct RepositoryArguments {
    /// The repository of Maven artifacts that name none, and what POMs call `central`.
    #[arg(long, value_name = "URL", env = "CONNECT_BUILD_MAVEN_REPOSITORY")]
    pub(super) maven_repository: Option<String>,

    /// A Maven settings.xml: mirrors, servers with their users and passwords, repositories of active profiles, proxies.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_MAVEN_SETTINGS")]
    pub(super) maven_settings: Option<PathBuf>,

    /// The version of Java that POMs see.
    #[arg(long, value_name = "VERSION", default_value = JAVA_VERSION, env = "CONNECT_BUILD_MAVEN_JAVA_VERSION")]
    pub(super) maven_java_version: String,

    /// Keep released Maven files in this directory, which several builds may share.
    #[arg(long, value_name = "DIR", env = "CONNECT_BUILD_CACHE_DIR")]
    pub(super) cache_dir: Option<PathBuf>,
}

/// What names the input and shapes the plan.
#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    /// A KafkaConnect or ConnectBuild resource, or a `build` section, in YAML or JSON, or the Dockerfile that Strimzi makes
    /// of one; `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "resource")]
    pub(super) file: Option<PathBuf>,

    /// The base image: HOST/REPOSITORY:TAG (or @DIGEST), oci:DIR[:TAG], or `scratch`. Default: the resource's `spec.image`.
    #[arg(long, value_name = "IMAGE", env = "CONNECT_BUILD_BASE")]
    pub(super) base: Option<String>,

    /// Where the image goes: HOST/REPOSITORY:TAG, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME:TAG].
    /// Default: the resource's `output.image`, or else oci:connect-build-image.
    #[arg(long, value_name = "PLACE", env = "CONNECT_BUILD_TO")]
    pub(super) to: Option<String>,

    /// How layers are compressed. With gzip, what is compressed already (jars) is stored in the gzip stream.
    #[arg(long, value_enum, default_value_t, env = "CONNECT_BUILD_COMPRESSION")]
    pub(super) compression: CompressionArgument,

    /// What to do with symbolic and hard links in archives.
    #[arg(long, value_enum, default_value_t, env = "CONNECT_BUILD_LINKS")]
    pub(super) links: LinksArgument,

    /// Modification time of every file and creation time of the image, in seconds since 1970.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, env = "SOURCE_DATE_EPOCH", value_parser = clap::value_parser!(u64).range(..=LAST_SECOND))]
    pub(super) source_date_epoch: u64,

    #[command(flatten)]
    pub(super) maven: RepositoryArguments,

    #[command(flatten)]
    pub(super) cluster: ClusterArguments,
}

/// The API server of a cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Kubernetes")]
pub(super) struct ClusterArguments {
    /// Build this resource of the cluster instead of a file: connectbuild/NAME or kafkaconnect/NAME. Of several, the pod of an
    /// indexed Job takes the one that JOB_COMPLETION_INDEX counts to, from 0.
    #[arg(long, value_name = "KIND/NAME", env = "CONNECT_BUILD_RESOURCE", value_delimiter = ',')]
    pub(super) resource: Vec<String>,

    /// The namespace of the resource. Default: that of the pod, or of the kubeconfig's context.
    #[arg(long, short, value_name = "NAME", env = "CONNECT_BUILD_NAMESPACE")]
    pub(super) namespace: Option<String>,

    /// The context of the kubeconfig to use, instead of its current one.
    #[arg(long, value_name = "NAME", env = "CONNECT_BUILD_CONTEXT")]
    pub(super) context: Option<String>,

    /// The kubeconfig. Default: KUBECONFIG, ~/.kube/config, or the service account of the pod.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_KUBECONFIG")]
    pub(super) kubeconfig: Option<PathBuf>,
}

/// What a cluster hears of a build.
#[derive(Debug, Args)]
#[command(next_help_heading = "Kubernetes")]
pub(super) struct ClusterReportArguments {
    /// Where to report in the cluster: status:connectbuild/NAME, annotation:KIND/NAME, event:KIND/NAME, or `none`. Default: the
    /// status of a ConnectBuild; an annotation and events of a KafkaConnect.
    #[arg(long, value_name = "FORM:KIND/NAME", env = "CONNECT_BUILD_REPORT", value_delimiter = ',')]
    pub(super) report: Vec<String>,

    /// Read the resource's `output.pushSecret` through the API, and use it as docker config.
    #[arg(long, action = ArgAction::SetTrue, env = "CONNECT_BUILD_SECRETS_FROM_API")]
    pub(super) secrets_from_api: bool,

    /// The name of this pod, for reports. Default: the host's name.
    #[arg(long, value_name = "NAME", env = "CONNECT_BUILD_POD")]
    pub(super) pod: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct BuildArguments {
    #[command(flatten)]
    pub(super) plan: PlanArguments,

    #[command(flatten)]
    pub(super) cluster: ClusterReportArguments,

    #[command(flatten)]
    pub(super) image: ImageArguments,

    #[command(flatten)]
    pub(super) network: NetworkArguments,

    #[command(flatten)]
    pub(super) transfer: TransferArguments,

    #[command(flatten)]
    pub(super) limits: LimitArguments,

    #[command(flatten)]
    pub(super) report: ReportArguments,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Image")]
pub(super) struct ImageArguments {
    /// Platforms of the image: `all` of the base, or a list like linux/amd64,linux/arm64. Default: this machine's.
    #[arg(long, value_name = "LIST", env = "CONNECT_BUILD_PLATFORM")]
    pub(super) platform: Option<String>,

    /// The format of manifest and config.
    #[arg(long, value_enum, default_value_t, env = "CONNECT_BUILD_FORMAT")]
    pub(super) format: FormatArgument,

    /// Sets a label of the image.
    #[arg(long, value_name = "KEY=VALUE", env = "CONNECT_BUILD_LABEL", value_delimiter = '\n')]
    pub(super) label: Vec<String>,

    /// Owner and mode of /opt, /opt/kafka and /opt/kafka/plugins in the new layers: root's with 0755 as in Strimzi's
    /// images, or what a scan of the base's layers finds.
    #[arg(long, value_enum, default_value_t, env = "CONNECT_BUILD_PARENT_DIRS")]
    pub(super) parent_dirs: ParentDirsArgument,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(super) struct NetworkArguments {
    /// A docker config with credentials for registries. Default: REGISTRY_AUTH_FILE, DOCKER_CONFIG, ~/.docker/config.json.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_AUTH_FILE")]
    pub(super) auth_file: Option<PathBuf>,

    /// Trust the certificate authorities in this PEM file for one registry.
    #[arg(long, value_name = "HOST=FILE", env = "CONNECT_BUILD_REGISTRY_CA", value_delimiter = ',')]
    pub(super) registry_ca: Vec<String>,

    /// A client certificate for one registry: two PEM files, the second with the key.
    #[arg(
        long,
        value_name = "HOST=CERT,KEY",
        env = "CONNECT_BUILD_REGISTRY_CLIENT_CERT",
        value_delimiter = '\n'
    )]
    pub(super) registry_client_cert: Vec<String>,

    /// A registry that is asked for images of Docker Hub before it is; perhaps with a path in front of repositories.
    #[arg(long, value_name = "HOST[/PATH]", env = "CONNECT_BUILD_REGISTRY_MIRROR", value_delimiter = ',')]
    pub(super) registry_mirror: Vec<String>,

    /// Accept any certificate of this registry, and plain http where https fails. Registries on localhost may speak plain
    /// http in any case.
    #[arg(long, value_name = "HOST", env = "CONNECT_BUILD_INSECURE_REGISTRY", value_delimiter = ',')]
    pub(super) insecure_registry: Vec<String>,

    /// Speak plain http with this registry.
    #[arg(long, value_name = "HOST", env = "CONNECT_BUILD_PLAIN_HTTP_REGISTRY", value_delimiter = ',')]
    pub(super) plain_http_registry: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(super) struct TransferArguments {
    /// Trust the certificate authorities in this PEM file, besides the system's, for artifacts and registries.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_CA_FILE", value_delimiter = ',')]
    pub(super) ca_file: Vec<PathBuf>,

    /// A netrc file: users and passwords for artifacts and Maven repositories, by host. Default: NETRC.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_NETRC")]
    pub(super) netrc: Option<PathBuf>,

    /// A file of headers for artifacts and Maven repositories, by host: `HOST: {NAME: VALUE}` in YAML or JSON, such as
    /// `maven.example.com: {Authorization: Bearer TOKEN}`. They go to no other host.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_HEADERS")]
    pub(super) headers: Option<PathBuf>,

    /// Downloads, and uploads, at the same time.
    #[arg(long, value_name = "N", default_value_t = 4, env = "CONNECT_BUILD_PARALLEL", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) parallel: u16,

    /// Further tries after a transient failure.
    #[arg(long, value_name = "N", default_value_t = 3, env = "CONNECT_BUILD_RETRIES", value_parser = clap::value_parser!(u16).range(0..=100))]
    pub(super) retries: u16,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArguments {
    /// Largest download.
    #[arg(long, value_name = "BYTES", default_value = "8GiB", env = "CONNECT_BUILD_MAX_DOWNLOAD", value_parser = byte_count)]
    pub(super) max_download: u64,

    /// Most unpacked bytes of one artifact.
    #[arg(long, value_name = "BYTES", default_value = "16GiB", env = "CONNECT_BUILD_MAX_UNPACKED", value_parser = byte_count)]
    pub(super) max_unpacked: u64,

    /// Most unpacked bytes of all artifacts together.
    #[arg(long, value_name = "BYTES", default_value = "64GiB", env = "CONNECT_BUILD_MAX_UNPACKED_BUILD", value_parser = byte_count)]
    pub(super) max_unpacked_build: u64,

    /// Most entries of one archive.
    #[arg(long, value_name = "N", default_value_t = 100_000, env = "CONNECT_BUILD_MAX_ENTRIES")]
    pub(super) max_entries: u64,

    /// Most unpacked bytes for each packed byte of an artifact, above 64 MiB.
    #[arg(long, value_name = "N", default_value_t = 200, env = "CONNECT_BUILD_MAX_RATIO")]
    pub(super) max_ratio: u64,

    /// Most directories on the way to an entry.
    #[arg(long, value_name = "N", default_value_t = 64, env = "CONNECT_BUILD_MAX_DEPTH")]
    pub(super) max_depth: usize,

    /// Largest extension header (PAX, GNU long name) of a tar entry.
    #[arg(long, value_name = "BYTES", default_value = "64KiB", env = "CONNECT_BUILD_MAX_TAR_HEADER", value_parser = byte_count)]
    pub(super) max_tar_header: u64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub(super) struct ReportArguments {
    /// Where downloads and layers are spooled. Default: TMPDIR, or else the first of /var/tmp and /tmp that can be written.
    #[arg(long, value_name = "DIR", env = "CONNECT_BUILD_WORKSPACE")]
    pub(super) workspace: Option<PathBuf>,

    /// Write the result, or the error, as JSON to this file.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_RESULT_FILE")]
    pub(super) result_file: Option<PathBuf>,

    /// Write REPOSITORY@sha256:… to this file.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_DIGEST_FILE")]
    pub(super) digest_file: Option<PathBuf>,

    /// Write the termination message of the pod to this file. Default: /dev/termination-log, where it exists.
    #[arg(long, value_name = "FILE", env = "CONNECT_BUILD_TERMINATION_LOG")]
    pub(super) termination_log: Option<PathBuf>,

    #[command(flatten)]
    pub(super) log: LogArguments,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub(super) struct LogArguments {
    /// How progress is shown: bars on a terminal and lines elsewhere, always lines, or lines of JSON.
    #[arg(long, value_enum, default_value_t, env = "CONNECT_BUILD_LOG_FORMAT")]
    pub(super) log_format: LogFormat,

    /// Put the time in front of each line.
    #[arg(long, action = ArgAction::SetTrue, env = "CONNECT_BUILD_LOG_TIMESTAMPS")]
    pub(super) log_timestamps: bool,

    /// Say more.
    #[arg(long, short, action = ArgAction::SetTrue, env = "CONNECT_BUILD_VERBOSE", conflicts_with = "quiet")]
    pub(super) verbose: bool,

    /// Say only warnings and errors.
    #[arg(long, short, action = ArgAction::SetTrue, env = "CONNECT_BUILD_QUIET")]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum ScopeArgument {
    /// Every file, as with an empty `includeScope`.
    All,
    /// compile, provided and system.
    Compile,
    Provided,
    /// compile and runtime.
    #[default]
    Runtime,
    System,
    /// Every file.
    Test,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum CompressionArgument {
    #[default]
    Gzip,
    Zstd,
    None,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum LinksArgument {
    /// Refuse the archive.
    #[default]
    Refuse,
    /// Leave them out and say so.
    Skip,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum FormatArgument {
    #[default]
    Oci,
    /// Docker image manifest version 2, schema 2.
    Docker,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ParentDirsArgument {
    #[default]
    Usual,
    Scan,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    #[default]
    Auto,
    Text,
    Json,
}

/// `1234`, `500MB`, `8GiB`.
fn byte_count(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 9] = [
        ("", 1),
        ("B", 1),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
    (unit.and_then(|(_, factor)| number.parse::<u64>().ok()?.checked_mul(*factor)))
        .ok_or_else(|| "write a number of bytes, such as 1000000, 500MB or 8GiB".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn byte_counts() {
        for (text, bytes) in
            [("0", 0), ("1234", 1234), ("500MB", 500_000_000), ("8GiB", 8 << 30), ("64 kib", 64 << 10)]
        {
            assert_eq!(byte_count(text).unwrap(), bytes, "{text}");
        }
        for wrong in ["", "x", "-1", "1.5GB", "8 furlongs", "99999999999TiB"] {
            assert!(byte_count(wrong).is_err(), "{wrong}");
        }
    }

    /// The limits stand here for `--help`, and in the library for everyone else.
    #[test]
    fn the_limits_shown_are_the_librarys() {
        let arguments = Arguments::try_parse_from(["connect-build", "build", "x"]).unwrap();
        let Command::Build(build) = arguments.command else { panic!("not a build") };
        assert_eq!(super::super::settings::limits(&build.limits), connect_build::limits::Limits::default());
    }
}
