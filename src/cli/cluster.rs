//! What the command has to do with a cluster: which resource is built, who is told, and what an image stream or a Secret says.

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect_build::kubernetes::{Access, Cluster, KubernetesError, ResourceName};
use connect_build::pipeline::BuildSettings;
use connect_build::plan::Choices;
use connect_build::registry::credentials::Credentials;
use connect_build::registry::{DockerConfig, RegistrySettings};
use connect_build::report::{ClusterReport, ReportTarget};
use connect_build::retry::RetryPolicy;
use connect_build::spec::kafka_connect::OutputType;
use connect_build::spec::{self, Spec};
use serde_json::Value;

use super::args::{ClusterArguments, ClusterReportArguments};
use super::error::{CliError, DockerConfigError};

/// The certificate authority of services, where OpenShift puts it into pods.
const SERVICE_CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/service-ca.crt";

/// The user whose password is a service account's token, at OpenShift's registry; any other name would do.
const TOKEN_USER: &str = "serviceaccount";

/// Where the answers to the last tries are worth waiting for: an API server that restarts is away for a while.
const PATIENCE: RetryPolicy =
    RetryPolicy { retries: 8, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(10) };

/// The cluster, as far as a command has to do with it.
pub(super) struct Session {
    cluster: Arc<Cluster>,
    /// What is built, where it is a resource of the cluster.
    built: Option<(ResourceName, Value)>,
}

/// Connects, and reads what is to be built if that is a resource.
pub(super) async fn connect(arguments: &ClusterArguments) -> Result<Session, CliError> {
    let resource = chosen(arguments)?;
    let access = Access {
        kubeconfig: arguments.kubeconfig.clone(),
        context: arguments.context.clone(),
        namespace: arguments.namespace.clone(),
    };
    let cluster = Arc::new(Cluster::connect(access, PATIENCE).await.map_err(CliError::Kubernetes)?);
    let built = match resource {
        Some(resource) => {
            let object = read(&cluster, &resource).await.map_err(CliError::Kubernetes)?;
            Some((resource, object))
        }
        None => None,
    };
    Ok(Session { cluster, built })
}

/// Reads a resource. A pod may be there a moment before the resource that it is for: Helm creates Jobs first.
async fn read(cluster: &Cluster, resource: &ResourceName) -> Result<Value, KubernetesError> {
    let tries = if env::var_os("KUBERNETES_SERVICE_HOST").is_some() { 10 } else { 1 };
    for _ in 1..tries {
        match cluster.read(resource).await {
            Err(error) if error.code() == Some(404) => tokio::time::sleep(Duration::from_secs(1)).await,
            other => return other,
        }
    }
    cluster.read(resource).await
}

/// The resource that this process builds: of several, the one that the index of the Job's pod counts to.
fn chosen(arguments: &ClusterArguments) -> Result<Option<ResourceName>, CliError> {
    let flag = |message: String| CliError::Flag(message);
    let names = (arguments.resource.iter())
        .map(|name| name.parse::<ResourceName>().map_err(|error| flag(error.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    if names.len() <= 1 {
        return Ok(names.into_iter().next());
    }
    let count = names.len();
    let Some(index) = env::var("JOB_COMPLETION_INDEX").ok() else {
        return Err(flag(format!(
            "{count} resources are given, and which of them this process builds is said by JOB_COMPLETION_INDEX, which is not set"
        )));
    };
    let digits = index.bytes().all(|byte| byte.is_ascii_digit());
    let chosen =
        index.parse::<usize>().ok().filter(|_| digits).and_then(|index| names.into_iter().nth(index));
    chosen
        .map(Some)
        .ok_or_else(|| flag(format!("JOB_COMPLETION_INDEX is `{index}`, but {count} resources are given")))
}

impl Session {
    /// What the resource says.
    pub(super) fn spec(&self) -> Result<Spec, CliError> {
        let object = self.built.as_ref().map_or(&Value::Null, |(_, object)| object);
        spec::of_resource(object).map_err(CliError::Spec)
    }

    /// Who is told: `targets`, or without any who usually is.
    pub(super) async fn report(
        &self,
        targets: Option<Vec<ReportTarget>>,
        pod: Option<&str>,
    ) -> Result<ClusterReport, CliError> {
        let usual = || self.built.as_ref().map(|(resource, _)| ReportTarget::usual(resource));
        let targets = targets.or_else(usual).unwrap_or_default();
        let pod =
            pod.map(str::to_owned).or_else(|| env::var("HOSTNAME").ok().filter(|name| !name.is_empty()));
        ClusterReport::open(Arc::clone(&self.cluster), self.built.clone(), &targets, pod)
            .await
            .map_err(CliError::Report)
    }

    /// Adds what only the cluster knows: where an image stream is, and what a Secret holds.
    pub(super) async fn complete(
        &self,
        spec: &Spec,
        arguments: &ClusterReportArguments,
        choices: &mut Choices,
        settings: &mut BuildSettings,
    ) -> Result<(), CliError> {
        let secret = spec.output.as_ref().and_then(|output| output.push_secret.as_deref());
        if let Some(secret) = secret.filter(|_| arguments.secrets_from_api) {
            let config = self.docker_config(secret).await?;
            for side in [&mut settings.pull, &mut settings.push] {
                side.credentials = config.clone().or(std::mem::take(&mut side.credentials));
            }
        }
        if let Some(secret) = secret.filter(|_| settings.push.credentials.is_empty()) {
            tracing::warn!(
                "the resource names the push secret `{secret}`, and no credentials are given: mount it and name the file with \
                 `--auth-file`, or give `--secrets-from-api`"
            );
        }
        if choices.to.is_none()
            && let Some(target) = self.stream_of(spec).await?
        {
            self.sign_in(&target, [&mut settings.pull, &mut settings.push]).await?;
            choices.to = Some(target);
        }
        Ok(())
    }

    /// Where what is built goes, if that is an image stream.
    pub(super) async fn stream_of(&self, spec: &Spec) -> Result<Option<String>, CliError> {
        match &spec.output {
            Some(output) if output.kind == OutputType::ImageStream => {
                self.stream(&output.image).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Where the images of a stream are kept, for a target `NAME:TAG`.
    async fn stream(&self, target: &str) -> Result<String, CliError> {
        let (name, tag) = target.split_once(':').unwrap_or((target, "latest"));
        let stream = self.cluster.image_stream(name).await.map_err(|error| match error {
            KubernetesError::Refused { code: 404, .. } => CliError::NoImageStream(name.to_owned()),
            other => CliError::Kubernetes(other),
        })?;
        let repository = stream.pointer("/status/dockerImageRepository").and_then(Value::as_str);
        let repository = repository.ok_or_else(|| CliError::NoImageRepository(name.to_owned()))?;
        Ok(format!("docker://{repository}:{tag}"))
    }

    /// Lets the registry of an image stream know who asks, and trusts the authority of the cluster's services.
    async fn sign_in(&self, target: &str, sides: [&mut RegistrySettings; 2]) -> Result<(), CliError> {
        let host = target.trim_start_matches("docker://").split('/').next().unwrap_or_default();
        let token = self.cluster.token().await.map_err(CliError::Kubernetes)?;
        let token = token.map(|password| Credentials::Basic { user: TOKEN_USER.into(), password });
        let authority = Path::new(SERVICE_CA);
        for side in sides {
            if let Some(token) = token.clone() {
                side.credentials = DockerConfig::at(host, token).or(std::mem::take(&mut side.credentials));
            }
            if authority.is_file() {
                side.hosts.entry(host.to_owned()).or_default().authorities.push(authority.to_owned());
            }
        }
        Ok(())
    }

    /// The docker config in a Secret.
    async fn docker_config(&self, name: &str) -> Result<DockerConfig, CliError> {
        let data = self.cluster.secret(name).await.map_err(CliError::Kubernetes)?;
        let fail = |source| CliError::PushSecret { name: name.to_owned(), source };
        let text = (data.get(".dockerconfigjson").and_then(Value::as_str))
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| fail(DockerConfigError::Missing))?;
        DockerConfig::parse(&text).map_err(|error| fail(DockerConfigError::Invalid(error)))
    }
}

/// What `--report` says; nothing where it is not given.
pub(super) fn targets(arguments: &ClusterReportArguments) -> Result<Option<Vec<ReportTarget>>, CliError> {
    match arguments.report.as_slice() {
        [] => Ok(None),
        [none] if none == "none" => Ok(Some(Vec::new())),
        listed => (listed.iter())
            .map(|target| {
                target
                    .parse()
                    .map_err(|error: connect_build::report::InvalidReport| CliError::Flag(error.to_string()))
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Some),
    }
}
