//! `RUN`s of `jar`, `other`, `tgz` and `zip` artifacts.

use serde_json::json;

use super::error::DialectError;
use super::instruction::Instruction;
use super::shell::Command;
use super::write::{self, Fetched, Kind, RemoteRun};
use crate::digest::strimzi_stub;

/// The artifact of a `RUN` of the second stage.
pub(super) fn read(instruction: &Instruction<'_>) -> Result<Fetched, DialectError> {
    let form =
        "RUN 'mkdir' '-p' '/opt/kafka/plugins/<plugin>/<hash>', 'curl' and what follows for an artifact";
    let run = fields(&instruction.commands()?).ok_or_else(|| instruction.unlike(form))?;
    let written = write::remote(&run);
    if written != instruction.text {
        return Err(instruction.differs_from(&written));
    }
    let hash = strimzi_stub(&run.url);
    let mut artifact = json!({ "url": run.url, "insecure": run.insecure });
    artifact["type"] = match &run.kind {
        Kind::Tgz => json!("tgz"),
        Kind::Zip => json!("zip"),
        Kind::File(name) if *name == format!("{hash}.jar") => json!("jar"),
        Kind::File(name) => {
            if *name != hash {
                artifact["fileName"] = json!(name);
            }
            json!("other")
        }
    };
    if let Some((sum, _)) = run.sum {
        artifact["sha512sum"] = json!(sum);
    }
    Ok(Fetched { plugin: run.plugin, artifact })
}

/// The fields that could have led to this text. Whether they do is seen when they are written again.
fn fields(commands: &[Command]) -> Option<RemoteRun> {
    let named = |name: &str| commands.iter().find(|command| command.word(0) == Some(name));
    let directory = named("mkdir")?.word(2)?;
    let (plugin_path, _) = directory.rsplit_once('/')?;
    let plugin = plugin_path.rsplit('/').next()?;
    let curl = named("curl")?;
    let (file, url) = (curl.word(-2)?, curl.word(-1)?);
    let sum = match named("echo").and_then(|echo| echo.word(1)) {
        // The sum has no pattern in the resource; the file's name is known.
        Some(words) => {
            let sum = words.strip_suffix(file)?.strip_suffix(' ')?;
            let long = named("sha512sum").is_some_and(|check| check.has("--check"));
            Some((sum.to_owned(), long))
        }
        None => None,
    };
    let is_tgz = |command: &&Command| command.word(0) == Some("tar");
    let kind = match (commands.iter().find(is_tgz), named("unzip")) {
        (Some(_), _) => Kind::Tgz,
        (None, Some(_)) => Kind::Zip,
        (None, None) => Kind::File(file.strip_prefix(directory)?.strip_prefix('/')?.to_owned()),
    };
    Some(RemoteRun { plugin: plugin.to_owned(), url: url.to_owned(), insecure: curl.has("-k"), sum, kind })
}
