//! What a cluster is told: the status of a `ConnectBuild`, an annotation, events.
//!
//! A status is written by server-side apply, under this program's own field manager, and only onto the very resource that is
//! being built: each write names the `uid` and `resourceVersion` that it has seen, so that somebody else's write in between is
//! a conflict, after which the resource is looked at anew. Is it another generation by then, or gone, the build is superseded.
//! Strimzi's `KafkaConnect` gets no status, for its operator owns that: an annotation and events instead.

mod advances;
mod target;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;

use self::advances::{Advances, Tee};
pub use self::target::{InvalidReport, ReportForm, ReportTarget};
use super::result_file::Failure;
use super::status::{Advance, Status, Time};
use super::termination::failure_message;
use crate::error::{Diagnose, Reason};
use crate::kubernetes::{Cluster, FIELD_MANAGER, KubernetesError, ResourceName};
use crate::pipeline::Outcome;
use crate::progress::Reporter;
use crate::spec::Kind;

/// The annotation that holds the newest image by digest.
pub const IMAGE_ANNOTATION: &str = "connectbuild.io/image";

/// How often a status is written at most, while a build runs.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often a resource is looked at where there is nothing to write.
const GLANCE: Duration = Duration::from_secs(10);

/// How long publishing waits for the API server.
const CONSENT: Duration = Duration::from_secs(5);

/// Conflicts after which a write is given up.
const MAX_CONFLICTS: u32 = 8;

/// Longest message of an event, in bytes (core/v1 Event validation).
const MAX_NOTE: usize = 1_024;

/// Why a report was not written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The resource is no longer what is being built.
    #[error("{resource} was {what} while it was built")]
    Superseded {
        /// Which.
        resource: ResourceName,
        /// `changed`, `deleted`, `built again by somebody else`, …
        what: &'static str,
    },
    /// The API server.
    #[error(transparent)]
    Kubernetes(#[from] KubernetesError),
    /// Others write all the time.
    #[error("cannot write to {0}: somebody else wrote at the same time, {MAX_CONFLICTS} times in a row")]
    Conflicts(ResourceName),
}

impl Diagnose for ReportError {
    fn reason(&self) -> Reason {
        match self {
            Self::Superseded { .. } => Reason::Superseded,
            Self::Kubernetes(error) => error.reason(),
            Self::Conflicts(_) => Reason::KubernetesFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Superseded { .. } => {
                Some("build what the resource says now; the older build was given up".into())
            }
            Self::Kubernetes(error) => error.hint(),
            Self::Conflicts(_) => Some("find out who else writes there: see `metadata.managedFields`".into()),
        }
    }
}

/// A resource as it was when the build began.
struct Subject {
    name: ResourceName,
    object: Value,
    /// It is what is being built, and not only somebody who is told.
    built: bool,
}

impl Subject {
    /// Whether `now` is still what was read: the same object, with the same build.
    fn check(&self, now: &Value) -> Result<(), ReportError> {
        let superseded = |what| Err(ReportError::Superseded { resource: self.name.clone(), what });
        let differs = |pointer| self.object.pointer(pointer) != now.pointer(pointer);
        if differs("/metadata/uid") {
            return superseded("deleted and made again");
        }
        if differs("/metadata/deletionTimestamp") {
            return superseded("deleted");
        }
        let changed = match self.name.kind {
            Kind::ConnectBuild => differs("/metadata/generation"),
            // Strimzi's has much beside the build.
            Kind::KafkaConnect => self.built && (differs("/spec/build") || differs("/spec/image")),
        };
        if changed { superseded("changed") } else { Ok(()) }
    }

    /// Whether no other build of the same generation has begun since `ours` was written.
    fn check_turn(&self, ours: Option<&Status>, there: &Status) -> Result<(), ReportError> {
        if ours.is_some_and(|ours| ours.is_followed_by(there)) {
            let what = "built again by somebody else";
            return Err(ReportError::Superseded { resource: self.name.clone(), what });
        }
        Ok(())
    }

    fn generation(&self) -> Option<i64> {
        self.object.pointer("/metadata/generation").and_then(Value::as_i64)
    }
}

/// Tells a cluster of one build.
pub struct ClusterReport {
    cluster: Arc<Cluster>,
    targets: Vec<(ReportForm, usize)>,
    subjects: Vec<Subject>,
    pod: Option<String>,
    statuses: Mutex<Vec<Option<Status>>>,
    advances: Arc<Advances>,
    /// The resource may have changed: look at once.
    doubt: Notify,
}

impl ClusterReport {
    /// For a build of `built`, which was read already; other resources among the targets are read now.
    pub async fn open(
        cluster: Arc<Cluster>,
        built: Option<(ResourceName, Value)>,
        targets: &[ReportTarget],
        pod: Option<String>,
    ) -> Result<Self, ReportError> {
        let mut subjects: Vec<Subject> =
            built.into_iter().map(|(name, object)| Subject { name, object, built: true }).collect();
        let mut places = Vec::new();
        for target in targets {
            let known = subjects.iter().position(|subject| subject.name == target.resource);
            let place = if let Some(place) = known {
                place
            } else {
                let object = cluster.read(&target.resource).await?;
                subjects.push(Subject { name: target.resource.clone(), object, built: false });
                subjects.len() - 1
            };
            places.push((target.form, place));
        }
        Ok(Self {
            cluster,
            targets: places,
            statuses: Mutex::new(subjects.iter().map(|_| None).collect()),
            subjects,
            pod,
            advances: Arc::default(),
            doubt: Notify::new(),
        })
    }

    /// Hears what happens, and passes it on.
    pub fn listen(&self, next: Arc<dyn Reporter>) -> Arc<dyn Reporter> {
        Arc::new(Tee::new(next, Arc::clone(&self.advances)))
    }

    /// A build of so many plugins begins. Without an event it begins all the same.
    pub async fn begin(&self, plugins: usize) -> Result<(), ReportError> {
        self.advances.set_plugins(plugins);
        self.write_statuses(Status::advance).await?;
        let plural = if plugins == 1 { "" } else { "s" };
        let note = format!("the image is being built, with {plugins} plugin{plural}");
        if let Err(error) = self.event("Normal", "BuildStarted", &note).await {
            tracing::warn!("{}; the build goes on", crate::error::one_line(&error));
        }
        Ok(())
    }

    /// Writes how far the build is, and ends when the resource is no longer what is being built. What fails is said, and the
    /// build goes on.
    pub async fn follow(&self) -> ReportError {
        let mut told = self.advances.get();
        let mut seen = Instant::now();
        loop {
            let doubted = tokio::time::timeout(INTERVAL, self.doubt.notified()).await.is_ok();
            let advance = self.advances.get();
            let result = if doubted {
                self.look().await
            } else if advance != told && self.with(ReportForm::Status).next().is_some() {
                self.write_statuses(Status::advance).await
            } else if seen.elapsed() >= GLANCE {
                self.look().await
            } else {
                continue;
            };
            seen = Instant::now();
            match result {
                Ok(()) => told = advance,
                Err(error @ ReportError::Superseded { .. }) => return error,
                Err(error) => tracing::warn!("{}; the build goes on", crate::error::one_line(&error)),
            }
        }
    }

    /// Ends when the image may be published: the resource is still what is built, or nobody knows better. Otherwise
    /// [`ClusterReport::follow`] ends.
    pub async fn consent(&self) {
        match tokio::time::timeout(CONSENT, self.look()).await {
            Ok(Ok(())) => {}
            Ok(Err(ReportError::Superseded { .. })) => {
                self.doubt.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(Err(error)) => tracing::warn!("{}; the image is published", crate::error::one_line(&error)),
            Err(_) => tracing::warn!("the Kubernetes API does not answer; the image is published"),
        }
    }

    /// The image is there.
    pub async fn succeed(&self, outcome: &Outcome) -> Result<(), ReportError> {
        let statuses = self
            .write_statuses(|status, advance| {
                status.advance(advance);
                status.succeed(outcome);
            })
            .await;
        let annotations = self.annotate(&outcome.pushed.reference).await;
        let event =
            self.event("Normal", "BuildSucceeded", &format!("pushed {}", outcome.pushed.reference)).await;
        statuses.and(annotations).and(event)
    }

    /// There is no image.
    pub async fn fail(&self, failure: &Failure) -> Result<(), ReportError> {
        let statuses = self
            .write_statuses(|status, advance| {
                status.advance(advance);
                status.fail(failure);
            })
            .await;
        let words = format!("{}: {}", failure.reason(), failure.text());
        statuses.and(self.event("Warning", "BuildFailed", &words).await)
    }

    /// Nothing is built.
    pub async fn suspend(&self) -> Result<(), ReportError> {
        self.write_statuses(|status, _| *status = Status::suspended(status)).await
    }

    /// Somebody else builds what there is now.
    pub async fn give_up(&self, error: &ReportError) -> Result<(), ReportError> {
        self.event("Warning", "BuildSuperseded", &crate::error::one_line(error)).await
    }

    fn with(&self, form: ReportForm) -> impl Iterator<Item = usize> + '_ {
        self.targets.iter().filter(move |(of, _)| *of == form).map(|(_, place)| *place)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Option<Status>>> {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what is built is still what it was.
    async fn look(&self) -> Result<(), ReportError> {
        for (place, subject) in self.subjects.iter().enumerate().filter(|(_, subject)| subject.built) {
            let now = self.read(subject).await?;
            let ours = self.lock()[place].clone();
            subject.check_turn(ours.as_ref(), &Status::read(&now["status"]))?;
        }
        Ok(())
    }

    /// The resource as it is now, which must still be the one that is built.
    async fn read(&self, subject: &Subject) -> Result<Value, ReportError> {
        match self.cluster.read(&subject.name).await {
            Ok(now) => subject.check(&now).map(|()| now),
            Err(error) if error.code() == Some(404) => {
                Err(ReportError::Superseded { resource: subject.name.clone(), what: "deleted" })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn write_statuses(&self, change: impl Fn(&mut Status, &Advance)) -> Result<(), ReportError> {
        let advance = self.advances.get();
        for place in self.with(ReportForm::Status) {
            let subject = &self.subjects[place];
            let ours = self.lock()[place].clone();
            let mut written = None;
            self.write(subject, |metadata, now| {
                let there = Status::read(&now["status"]);
                subject.check_turn(ours.as_ref(), &there)?;
                let begin = || Status::begin(&there, subject.generation(), self.pod.clone());
                let mut status = ours.clone().unwrap_or_else(begin);
                change(&mut status, &advance);
                let body = json!(status);
                written = Some(status);
                Ok(self.cluster.apply_status(&subject.name, metadata, body))
            })
            .await?;
            self.lock()[place] = written;
        }
        Ok(())
    }

    async fn annotate(&self, image: &str) -> Result<(), ReportError> {
        for place in self.with(ReportForm::Annotation) {
            let subject = &self.subjects[place];
            self.write(subject, |mut metadata, _| {
                metadata["annotations"] = json!({ IMAGE_ANNOTATION: image });
                Ok(self.cluster.merge(&subject.name, metadata))
            })
            .await?;
        }
        Ok(())
    }

    /// Writes onto the resource as it is now; is that another one by the time it arrives, it is looked at again.
    async fn write<F: Future<Output = Result<Value, KubernetesError>>>(
        &self,
        subject: &Subject,
        mut write: impl FnMut(Value, &Value) -> Result<F, ReportError>,
    ) -> Result<(), ReportError> {
        for conflict in 0..MAX_CONFLICTS {
            let now = self.read(subject).await?;
            let metadata = json!({
                "uid": now["metadata"]["uid"],
                "resourceVersion": now["metadata"]["resourceVersion"],
            });
            match write(metadata, &now)?.await {
                Ok(_) => return Ok(()),
                Err(error) if error.code() == Some(409) => {
                    tracing::debug!("{} was written by somebody else; looking again", subject.name);
                    tokio::time::sleep(Duration::from_millis(50 << conflict)).await;
                }
                // Deleted in between; reading says so.
                Err(error) if error.code() == Some(404) => {
                    self.read(subject).await?;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(ReportError::Conflicts(subject.name.clone()))
    }

    async fn event(&self, kind: &str, reason: &str, note: &str) -> Result<(), ReportError> {
        for place in self.with(ReportForm::Event) {
            let Subject { name, object, .. } = &self.subjects[place];
            let now = Time::now();
            let unique = jiff::Timestamp::now().as_nanosecond();
            let metadata = &object["metadata"];
            let event = json!({
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": { "name": format!("{}.{unique:x}", name.name) },
                "involvedObject": {
                    "apiVersion": object["apiVersion"],
                    "kind": object["kind"],
                    "namespace": self.cluster.namespace(),
                    "name": name.name,
                    "uid": metadata["uid"],
                    "resourceVersion": metadata["resourceVersion"],
                },
                "type": kind,
                "reason": reason,
                "message": short(note),
                "source": { "component": FIELD_MANAGER, "host": self.pod },
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            });
            self.cluster.create_event(event).await?;
        }
        Ok(())
    }
}

/// A note that fits into an event.
fn short(note: &str) -> String {
    let note = failure_message(note);
    if note.len() <= MAX_NOTE {
        return note;
    }
    format!("{}…", &note[..note.floor_char_boundary(MAX_NOTE - '…'.len_utf8())])
}
