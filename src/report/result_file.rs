//! The result as JSON, for whoever launched the build (documented in README, "Result file").

use serde_json::{Value, json};

use crate::error::{Diagnose, one_line};
use crate::pipeline::{MavenFile, Outcome};

/// The format's version: a change that could break a reader raises it.
const VERSION: u32 = 1;

/// An error in the words of the result file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    reason: &'static str,
    exit_code: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// What `error` says.
    pub fn new(error: &dyn Diagnose) -> Self {
        let (reason, message) = (error.reason(), one_line(error));
        Self { reason: reason.name(), exit_code: reason.exit_code(), message, hint: error.hint() }
    }

    /// The message and its causes in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The word of the table.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// The message, and what can be done about it.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{} (hint: {hint})", self.message),
            None => self.message.clone(),
        }
    }
}

/// The content of the result file.
#[must_use]
pub fn result_json(result: Result<&Outcome, &Failure>) -> Value {
    match result {
        Ok(outcome) => success(outcome),
        Err(failure) => json!({
            "version": VERSION,
            "status": "failed",
            "error": {
                "reason": failure.reason,
                "exitCode": failure.exit_code,
                "message": failure.message,
                "hint": failure.hint,
            },
        }),
    }
}

fn success(outcome: &Outcome) -> Value {
    let layers: Vec<Value> = (outcome.layers.iter())
        .map(|layer| {
            let artifacts: Vec<Value> = (layer.artifacts.iter())
                .map(|artifact| {
                    let mut json = json!({
                        "type": artifact.kind,
                        "source": artifact.source,
                        "target": artifact.target,
                        "sha512sum": artifact.sha512,
                        "pinned": artifact.pinned,
                        "size": artifact.size,
                        "files": artifact.files,
                    });
                    if !artifact.resolved.is_empty() {
                        json["resolved"] = artifact.resolved.iter().map(maven_file).collect();
                    }
                    json
                })
                .collect();
            json!({
                "plugin": layer.plugin,
                "digest": layer.layer.digest,
                "diffId": layer.layer.diff_id,
                "size": layer.layer.size,
                "unpackedSize": layer.layer.unpacked,
                "files": layer.layer.files,
                "compression": layer.layer.compression.name(),
                "inputs": layer.inputs,
                "artifacts": artifacts,
                "connectors": layer.connectors,
            })
        })
        .collect();
    let stages: serde_json::Map<String, Value> = (outcome.stages.iter())
        .map(|(stage, took)| (stage.name().to_owned(), json!(took.as_secs_f64())))
        .collect();
    json!({
        "version": VERSION,
        "status": "succeeded",
        "image": outcome.pushed.location,
        "reference": outcome.pushed.reference,
        "digest": outcome.pushed.digest,
        "base": outcome.base.as_ref().map(|(name, digest)| json!({ "name": name, "digest": digest })),
        "platforms": outcome.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "layers": layers,
        "seconds": { "total": outcome.took.as_secs_f64(), "stages": stages },
    })
}

fn maven_file(file: &MavenFile) -> Value {
    json!({
        "file": file.name,
        "coordinate": file.coordinate,
        "scope": file.scope,
        "repository": file.repository,
        "sha1sum": file.sha1,
        "sha512sum": file.sha512,
        "verified": file.verified,
        "size": file.size,
    })
}
