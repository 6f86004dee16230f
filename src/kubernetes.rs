//! The API server of a Kubernetes cluster: reading what is to be built, and writing what became of it.
//!
//! A [`Cluster`] makes single requests for named objects, so that a role with these names is all it needs; it lists nothing and
//! watches nothing. Each request is tried again where the server is away or overloaded, and with new credentials where the old
//! ones have expired: kubelets renew the token of a pod on its disk.

mod error;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{Method, Request};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub use self::error::KubernetesError;
use crate::retry::RetryPolicy;
use crate::spec::Kind;
use crate::spec::connect_build::API_VERSION;

/// Who writes, in `metadata.managedFields` and in events.
pub const FIELD_MANAGER: &str = "connect-build";

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// How the API server is reached.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// A kubeconfig, instead of `KUBECONFIG`, `~/.kube/config` or the pod's own service account.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, instead of its current one.
    pub context: Option<String>,
    /// The namespace, instead of the one of the context or pod.
    pub namespace: Option<String>,
}

/// A resource by kind and name: `kafkaconnect/my-connect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceName {
    /// What it is.
    pub kind: Kind,
    /// `metadata.name`.
    pub name: String,
}

/// Text that names no resource.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a resource: write `connectbuild/NAME` or `kafkaconnect/NAME`")]
pub struct InvalidResourceName(String);

impl FromStr for ResourceName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidResourceName(crate::path::shown(text.as_bytes()));
        let (kind, name) = text.split_once('/').ok_or_else(invalid)?;
        // As kubectl has them: singular, plural, short, with the group behind if one likes.
        let (plural, _) = kind.split_once('.').unwrap_or((kind, ""));
        let kind = match plural.to_ascii_lowercase().as_str() {
            "connectbuild" | "connectbuilds" | "cb" => Kind::ConnectBuild,
            "kafkaconnect" | "kafkaconnects" | "kc" => Kind::KafkaConnect,
            _ => return Err(invalid()),
        };
        check_name(name).map_err(|_| invalid())?;
        Ok(Self { kind, name: name.to_owned() })
    }
}

impl std::fmt::Display for ResourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.kind.name(), self.name)
    }
}

/// Names become parts of paths (RFC 1123, as Kubernetes checks them: "Object Names and IDs").
fn check_name(name: &str) -> Result<(), KubernetesError> {
    let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let ends = name.starts_with(['-', '.']) || name.ends_with(['-', '.']);
    if name.is_empty() || name.len() > 253 || !name.chars().all(lawful) || ends || name.contains("..") {
        return Err(KubernetesError::Name(crate::path::shown(name.as_bytes())));
    }
    Ok(())
}

/// The API server.
pub struct Cluster {
    access: Access,
    client: Mutex<Client>,
    namespace: String,
    retry: RetryPolicy,
    /// Asked for once: a build looks at its resource again and again.
    strimzi_version: OnceCell<String>,
}

/// A request, which may have to be made again.
struct Call<'a> {
    /// For messages: `read …`, `write …`.
    doing: &'a str,
    method: Method,
    path: &'a str,
    content_type: &'a str,
    body: Option<&'a Value>,
}

impl Cluster {
    /// Finds out where the server is and who we are there; asks it nothing yet.
    pub async fn connect(access: Access, retry: RetryPolicy) -> Result<Self, KubernetesError> {
        let config = config(&access).await?;
        let namespace = access.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        check_name(&namespace)?;
        let client = Client::try_from(config).map_err(|error| KubernetesError::client(&error))?;
        let strimzi_version = OnceCell::new();
        Ok(Self { access, client: Mutex::new(client), namespace, retry, strimzi_version })
    }

    /// The namespace in which everything is looked for.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A resource as the server has it.
    pub async fn read(&self, resource: &ResourceName) -> Result<Value, KubernetesError> {
        let path = self.path(resource).await?;
        self.get(&path, &format!("read {resource} in namespace `{}`", self.namespace)).await
    }

    /// Writes the status of a `ConnectBuild` by server-side apply. `metadata` may hold `resourceVersion` and `uid`, which the
    /// resource must still have; with another one the answer is a conflict.
    pub async fn apply_status(
        &self,
        resource: &ResourceName,
        metadata: Value,
        status: Value,
    ) -> Result<Value, KubernetesError> {
        let path = format!("{}/status?fieldManager={FIELD_MANAGER}&force=true", self.path(resource).await?);
        let mut body = json!({
            "apiVersion": API_VERSION,
            "kind": resource.kind.name(),
            "metadata": metadata,
            "status": status,
        });
        body["metadata"]["name"] = resource.name.clone().into();
        self.patch(&path, &format!("write the status of {resource}"), "application/apply-patch+yaml", &body)
            .await
    }

    /// Sets annotations, and leaves everything else. `resourceVersion` in `metadata` must be the resource's.
    pub async fn merge(&self, resource: &ResourceName, metadata: Value) -> Result<Value, KubernetesError> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", self.path(resource).await?);
        let body = json!({ "metadata": metadata });
        self.patch(&path, &format!("annotate {resource}"), "application/merge-patch+json", &body).await
    }

    /// Creates an event (core/v1), which must be complete but for its namespace.
    pub async fn create_event(&self, mut event: Value) -> Result<(), KubernetesError> {
        event["metadata"]["namespace"] = self.namespace.clone().into();
        let path = format!("/api/v1/namespaces/{}/events", self.namespace);
        let (doing, content_type) = ("create an event", "application/json");
        let call = Call { doing, method: Method::POST, path: &path, content_type, body: Some(&event) };
        self.call(&call).await.map(drop)
    }

    /// The data of a Secret, in base64 as the server sends it.
    pub async fn secret(&self, name: &str) -> Result<Value, KubernetesError> {
        check_name(name)?;
        let path = format!("/api/v1/namespaces/{}/secrets/{name}", self.namespace);
        let doing = format!("read the Secret `{name}` in namespace `{}`", self.namespace);
        Ok(self.get(&path, &doing).await?["data"].take())
    }

    /// An image stream of OpenShift.
    pub async fn image_stream(&self, name: &str) -> Result<Value, KubernetesError> {
        check_name(name)?;
        let path = format!("/apis/image.openshift.io/v1/namespaces/{}/imagestreams/{name}", self.namespace);
        self.get(&path, &format!("read the image stream `{name}` in namespace `{}`", self.namespace)).await
    }

    /// The token that the server is asked with, which is a service account's in a pod.
    pub async fn token(&self) -> Result<Option<crate::redact::Secret>, KubernetesError> {
        let auth = config(&self.access).await?.auth_info;
        let of_file = auth.token_file.and_then(|file| std::fs::read_to_string(file).ok());
        let given = auth.token.map(|token| token.expose_secret().to_owned());
        Ok(of_file.map(|token| token.trim().to_owned()).or(given).map(crate::redact::Secret::new))
    }

    async fn path(&self, resource: &ResourceName) -> Result<String, KubernetesError> {
        let (version, plural) = match resource.kind {
            Kind::ConnectBuild => (API_VERSION, "connectbuilds"),
            Kind::KafkaConnect => (self.strimzi_version().await?, "kafkaconnects"),
        };
        let namespace = &self.namespace;
        Ok(format!("/apis/{version}/namespaces/{namespace}/{plural}/{}", resource.name))
    }

    /// The newest version of Strimzi's API that the server has: `v1`, or `v1beta2` before Strimzi 1.0.
    async fn strimzi_version(&self) -> Result<&str, KubernetesError> {
        let ask = || async {
            let group = self.get("/apis/kafka.strimzi.io", "look for Strimzi's API").await?;
            let preferred = group.pointer("/preferredVersion/groupVersion").and_then(Value::as_str);
            Ok(preferred.unwrap_or("kafka.strimzi.io/v1").to_owned())
        };
        self.strimzi_version.get_or_try_init(ask).await.map(String::as_str)
    }

    async fn patch(
        &self,
        path: &str,
        doing: &str,
        content_type: &str,
        body: &Value,
    ) -> Result<Value, KubernetesError> {
        self.call(&Call { doing, method: Method::PATCH, path, content_type, body: Some(body) }).await
    }

    async fn get(&self, path: &str, doing: &str) -> Result<Value, KubernetesError> {
        self.call(&Call { doing, method: Method::GET, path, content_type: "application/json", body: None })
            .await
    }

    async fn call(&self, call: &Call<'_>) -> Result<Value, KubernetesError> {
        let attempt = || async {
            let error = match self.send(call).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if error.is_unauthorized() {
                // The token may have been renewed on disk since the client read it.
                let config = config(&self.access).await?;
                let client = Client::try_from(config).map_err(|error| KubernetesError::client(&error))?;
                *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
            }
            Err(error)
        };
        self.retry.run(attempt).await
    }

    async fn send(&self, call: &Call<'_>) -> Result<Value, KubernetesError> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let body = call.body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(&call.method)
            .uri(call.path)
            .header("Content-Type", call.content_type)
            .header("Accept", "application/json")
            .body(Body::from(body))
            .map_err(|error| KubernetesError::request(call.doing, &error))?;
        let answer = async {
            let response = client.send(request).await?;
            let (head, body) = response.into_parts();
            Ok((head, body.collect_bytes().await?))
        };
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok((head, body))) if head.status.is_success() => {
                serde_json::from_slice(&body).map_err(|error| KubernetesError::request(call.doing, &error))
            }
            Ok(Ok((head, body))) => Err(KubernetesError::refused(call.doing, &head, &body)),
            Ok(Err(error)) => Err(KubernetesError::unreachable(call.doing, &error)),
            Err(_) => Err(KubernetesError::late(call.doing, ANSWER)),
        }
    }
}

/// kubeconfig or service account, whichever is there.
async fn config(access: &Access) -> Result<Config, KubernetesError> {
    let options = KubeConfigOptions { context: access.context.clone(), ..KubeConfigOptions::default() };
    let found = match &access.kubeconfig {
        Some(file) => {
            let kubeconfig = Kubeconfig::read_from(file).map_err(|error| KubernetesError::config(&error))?;
            Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(|e| KubernetesError::config(&e))
        }
        None if access.context.is_some() => {
            Config::from_kubeconfig(&options).await.map_err(|error| KubernetesError::config(&error))
        }
        None => Config::infer().await.map_err(|error| KubernetesError::config(&error)),
    };
    found.map(|mut config| {
        config.read_timeout = Some(ANSWER);
        // The client's own tries are silent, and may take hours.
        config.default_retry = false;
        config
    })
}

#[cfg(test)]
mod tests;
