//! What can be wrong before a build begins.

use std::io;
use std::path::PathBuf;

use connect_build::error::{Diagnose, Reason};
use connect_build::fetch::{InvalidHeaders, InvalidNetrc};
use connect_build::http::ClientError;
use connect_build::kubernetes::KubernetesError;
use connect_build::maven::{MavenError, SettingsError};
use connect_build::pipeline::BuildError;
use connect_build::plan::PlanError;
use connect_build::registry::credentials::InvalidConfig;
use connect_build::report::ReportError;
use connect_build::spec::SpecError;

/// The command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The resource cannot be read.
    #[error("cannot read `{}`", file.display())]
    ReadResource {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The Dockerfile of a launch cannot be read.
    #[error("cannot read the Dockerfile `{}`", file.display())]
    ReadDockerfile {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The resource is wrong.
    #[error(transparent)]
    Spec(SpecError),
    /// The resource and the flags do not make a plan.
    #[error(transparent)]
    Plan(PlanError),
    /// A CA file or proxy is wrong.
    #[error(transparent)]
    Client(ClientError),
    /// The docker config cannot be used.
    #[error("cannot use the docker config `{}`", file.display())]
    DockerConfig {
        file: PathBuf,
        #[source]
        source: DockerConfigError,
    },
    /// The netrc file cannot be used.
    #[error("cannot use the netrc file `{}`", file.display())]
    Netrc {
        file: PathBuf,
        #[source]
        source: NetrcError,
    },
    /// The file of headers cannot be used.
    #[error("cannot use the file of headers `{}`", file.display())]
    Headers {
        file: PathBuf,
        #[source]
        source: HeadersError,
    },
    /// The Maven settings cannot be used.
    #[error("cannot use the Maven settings `{}`", file.display())]
    MavenSettings {
        file: PathBuf,
        #[source]
        source: MavenSettingsError,
    },
    /// A directory with certificates cannot be used.
    #[error("cannot read the directory of certificates `{}`", directory.display())]
    Certificates {
        directory: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The cache cannot be used.
    #[error("cannot use the cache directory `{}`", directory.display())]
    Cache {
        directory: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A panic.
    #[error("connect-build panicked: {0}")]
    Defect(String),
    /// A signal ended what is no build.
    #[error("ended by {0}")]
    Interrupted(&'static str),
    /// A Maven artifact was not resolved.
    #[error(transparent)]
    Maven(MavenError),
    /// A file cannot be written into the directory that was named for it.
    #[error("cannot write `{}`", file.display())]
    Keep {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A flag's value is wrong in a way that clap does not see.
    #[error("{0}")]
    Flag(String),
    /// The build failed.
    #[error(transparent)]
    Build(BuildError),
    /// The cluster cannot be asked.
    #[error(transparent)]
    Kubernetes(KubernetesError),
    /// The cluster cannot be told, before the build.
    #[error(transparent)]
    Report(ReportError),
    /// The cluster cannot be told, after it.
    #[error("the image is pushed, but the report of it is not written")]
    ReportAfter(#[source] ReportError),
    /// A Secret holds no docker config.
    #[error("cannot use the Secret `{name}` as docker config")]
    PushSecret {
        name: String,
        #[source]
        source: DockerConfigError,
    },
    /// Strimzi's words, which its users know.
    #[error("The build can't start because there is no image stream with name {0}.")]
    NoImageStream(String),
    /// The stream says nothing of a registry.
    #[error("the image stream `{0}` has no repository: `status.dockerImageRepository` is empty")]
    NoImageRepository(String),
    /// The operating system refused something.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// Standard output or a result file cannot be written.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    /// A result file cannot be written, which is noticed before the build.
    #[error("cannot write `{}`", file.display())]
    ResultFile {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A result file cannot be written anymore.
    #[error("the image is written, but `{}` cannot be written", file.display())]
    WriteResult {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(super) enum DockerConfigError {
    #[error("it has no `.dockerconfigjson`")]
    Missing,
    #[error(transparent)]
    Read(io::Error),
    #[error(transparent)]
    Invalid(InvalidConfig),
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(super) enum NetrcError {
    #[error(transparent)]
    Read(io::Error),
    #[error(transparent)]
    Invalid(InvalidNetrc),
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeadersError {
    #[error(transparent)]
    Read(io::Error),
    #[error(transparent)]
    Invalid(InvalidHeaders),
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(super) enum MavenSettingsError {
    #[error(transparent)]
    Read(io::Error),
    #[error(transparent)]
    Invalid(SettingsError),
}

impl CliError {
    fn inner(&self) -> Option<&dyn Diagnose> {
        match self {
            Self::Spec(error) => Some(error),
            Self::Plan(error) => Some(error),
            Self::Client(error) => Some(error),
            Self::Build(error) => Some(error),
            Self::Maven(error) => Some(error),
            Self::Kubernetes(error) => Some(error),
            Self::Report(error) => Some(error),
            _ => None,
        }
    }
}

impl Diagnose for CliError {
    fn reason(&self) -> Reason {
        match self {
            Self::Start(_) | Self::Defect(_) => Reason::Internal,
            Self::Interrupted(_) => Reason::Interrupted,
            Self::ReportAfter(_) => Reason::ReportFailed,
            Self::NoImageStream(_) | Self::NoImageRepository(_) => Reason::InvalidResource,
            Self::Output(_) | Self::WriteResult { .. } => Reason::PushFailed,
            _ => self.inner().map_or(Reason::InvalidArguments, Diagnose::reason),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::ReadResource { .. } => {
                Some("give a file with a KafkaConnect resource, or `-` for standard input".into())
            }
            Self::ReadDockerfile { .. } => Some(
                "Strimzi's operator mounts it at `/dockerfile/Dockerfile`; who launches by hand mounts it there".into(),
            ),
            Self::ReportAfter(error) => error.hint(),
            Self::NoImageStream(_) => {
                Some("create it with `oc create imagestream NAME`, or name another in `output.image`".into())
            }
            Self::NoImageRepository(_) => {
                Some("OpenShift fills it in where its internal registry runs: check the image registry's operator".into())
            }
            Self::DockerConfig { source: DockerConfigError::Read(error), .. }
                if error.kind() == io::ErrorKind::NotFound =>
            {
                Some("check the path, and that the Secret is mounted there".into())
            }
            Self::DockerConfig { .. } | Self::PushSecret { .. } => Some(
                "a docker config is JSON like `{\"auths\": {\"registry.example.com\": {\"auth\": \"…\"}}}`"
                    .into(),
            ),
            Self::ResultFile { .. } => {
                Some("name a file in a directory that can be written, such as one of an emptyDir".into())
            }
            Self::MavenSettings {
                source: MavenSettingsError::Invalid(SettingsError::Encrypted(_)), ..
            } => Some(
                "give the password by a variable, as `${env.NAME}`, and the variable from a Secret".into(),
            ),
            Self::MavenSettings {
                source: MavenSettingsError::Invalid(SettingsError::Malformed { .. }), ..
            } => Some("in a password or URL write `<` as `&lt;` and `&` as `&amp;`".into()),
            Self::Headers { .. } => Some(
                "it has hosts, and below each its headers, as `maven.example.com: {\"Private-Token\": \"…\"}`".into(),
            ),
            Self::Netrc { .. } => Some(
                "a netrc file has lines like `machine maven.example.com login USER password PASSWORD`".into(),
            ),
            _ => self.inner().and_then(Diagnose::hint),
        }
    }
}
