//! The Dockerfile that Strimzi's operator makes of a `build` section, read back into it.
//!
//! The operator hands its builder no resource but this file, in a closed dialect (`KafkaConnectDockerfile.java`; the
//! same from 0.45 to 1.3 but for the spelling of one flag, `includeScope` and Maven mirrors). Nothing in it is ever executed.
//! From each `RUN` the fields of the artifact are taken, then the instruction that Strimzi writes for these fields is
//! written anew ([`write`]), and both have to be the same, byte for byte. So what is accepted means exactly what it
//! says, and nothing can ride along. The fields then pass the same checks as those of a resource.
//!
//! ```text
//! # ...                                    comments, which Strimzi writes at the top and before each plugin
//! FROM <maven builder> AS downloadArtifacts      with maven artifacts only; never pulled
//! RUN 'curl' ... 'mvn' ... 'curl' ...            one for each of them
//! FROM <base image>
//! USER root:root
//! ARG http_proxy=<url>                           https_proxy, no_proxy likewise, each if the operator has it, even empty
//! ##########
//! # Connector plugin <name>
//! ##########
//! RUN 'mkdir' ... 'curl' ...                     an artifact, or
//! COPY --from=downloadArtifacts ...              one from the first stage
//! USER 1001
//! ```

mod error;
mod instruction;
mod maven;
mod remote;
mod shell;
mod write;

use serde_json::{Value, json};

pub use self::error::DialectError;
use self::instruction::{Instruction, Instructions};
use self::write::{Fetched, MavenRun};
use super::{ArtifactKind, IncludeScope, Origin, Section, Spec, SpecError, validate};
use crate::http::Proxies;
use crate::plan::PLUGINS_DIRECTORY;

/// Name of the stage that gets Maven artifacts.
const MAVEN_STAGE: &str = "downloadArtifacts";

/// Whether a text is a Dockerfile: its first instruction is a `FROM`.
pub(super) fn is_one(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("FROM "))
}

/// Reads a Dockerfile of the dialect.
pub(super) fn read(text: &str) -> Result<Spec, SpecError> {
    let file = File::parse(text).map_err(SpecError::Dialect)?;
    let plugins: Vec<Value> = file
        .plugins
        .iter()
        .map(|plugin| json!({ "name": plugin.name, "artifacts": plugin.artifacts }))
        .collect();
    let build = json!({ "plugins": plugins });
    let section = Section { resource: None, build: &build, field: "spec.build" };
    let mut spec = validate::validate(&section, Origin::Elsewhere)?;
    // The operator names the target on the builder's command line.
    spec.base = Some(file.base);
    spec.proxies = file.proxies;
    for artifact in spec.plugins.iter_mut().flat_map(|plugin| &mut plugin.artifacts) {
        match &mut artifact.kind {
            // `-DincludeScope=` without a value, or none at all, brings everything.
            ArtifactKind::Maven(maven) if maven.include_scope == IncludeScope::Unset => {
                maven.include_scope = IncludeScope::Everything;
            }
            // `find ... -type l | xargs rm -f`.
            ArtifactKind::Zip(_) => artifact.drop_links = true,
            _ => {}
        }
    }
    Ok(spec)
}

/// What a Dockerfile says.
struct File {
    base: String,
    proxies: Proxies,
    plugins: Vec<Plugin>,
}

struct Plugin {
    name: String,
    /// As in a resource.
    artifacts: Vec<Value>,
}

impl File {
    fn parse(text: &str) -> Result<Self, DialectError> {
        let mut rest = Instructions::split(text)?;
        let (mut base, is_maven_stage) = from(&rest.next("FROM <image>")?)?;
        let mut maven = Vec::new();
        if is_maven_stage {
            while let Some(run) = rest.next_if("RUN ") {
                maven.push((maven::read(&run)?, run));
            }
            let from_base = rest.next("FROM <base image>")?;
            let (image, again) = from(&from_base)?;
            if again {
                return Err(from_base.unlike("FROM <base image>"));
            }
            base = image;
        }
        rest.next("USER root:root")?.must_be("USER root:root")?;
        let proxies = Proxies {
            http: argument(&mut rest, "http_proxy")?,
            https: argument(&mut rest, "https_proxy")?,
            no_proxy: argument(&mut rest, "no_proxy")?,
        };
        let mut plugins: Vec<Plugin> = Vec::new();
        let mut copied = vec![false; maven.len()];
        loop {
            let next = rest.next("USER 1001")?;
            let (plugin, artifact) = match next.keyword() {
                "#" => {
                    plugins.push(Plugin { name: next.plugin_name().to_owned(), artifacts: Vec::new() });
                    continue;
                }
                "RUN" => {
                    let Fetched { plugin, artifact } = remote::read(&next)?;
                    (plugin, artifact)
                }
                "COPY" => {
                    let (plugin, place) = copy(&next, &maven, &copied)?;
                    copied[place] = true;
                    (plugin, maven[place].0.artifact())
                }
                _ => {
                    next.must_be("USER 1001")?;
                    break;
                }
            };
            match plugins.last_mut() {
                Some(last) if last.name == plugin => last.artifacts.push(artifact),
                _ => return Err(next.unlike(&format!("a comment `# Connector plugin {plugin}` before it"))),
            }
        }
        if let Some(more) = rest.next_if("") {
            return Err(more.unlike("the end of the file"));
        }
        if let Some(place) = copied.iter().position(|copied| !copied) {
            return Err(maven[place].1.unlike("a `COPY` of what this `RUN` gets, further down"));
        }
        Ok(Self { base, proxies, plugins })
    }
}

/// The image of a `FROM`, and whether it begins the stage for Maven artifacts.
fn from(instruction: &Instruction<'_>) -> Result<(String, bool), DialectError> {
    let unlike = || instruction.unlike("FROM <image>");
    let rest = instruction.text.strip_prefix("FROM ").ok_or_else(unlike)?;
    let (image, is_stage) = match rest.strip_suffix(&format!(" AS {MAVEN_STAGE}")) {
        Some(image) => (image, true),
        None => (rest, false),
    };
    // What Docker would expand or take apart is no name of an image.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@[]".contains(c);
    if image.is_empty() || !image.chars().all(is_plain) {
        return Err(unlike());
    }
    Ok((image.to_owned(), is_stage))
}

/// The value of an `ARG`, if the next instruction is the one of this name. The operator writes a variable of its own there as it
/// is: empty, for no proxy, or a list with blanks (of which Docker itself would take the first entry only).
fn argument(rest: &mut Instructions<'_>, name: &str) -> Result<Option<String>, DialectError> {
    let start = format!("ARG {name}=");
    let Some(instruction) = rest.next_if(&start) else { return Ok(None) };
    let value = instruction.text[start.len()..].trim_matches(' ');
    // Unquoted there: with any of these Docker would understand something else.
    let is_plain = |c: char| c.is_ascii_graphic() && !"'\"\\$`".contains(c);
    // Beside a blank, what is no host, port, domain or network could be a word of its own.
    let in_list = |c: char| c.is_ascii_alphanumeric() || "-_.:*/[], ".contains(c);
    let is_list = name == "no_proxy" && value.chars().all(in_list);
    if !is_list && !value.chars().all(is_plain) {
        return Err(instruction.unlike(&format!("{start}<value>")).of_variable(name));
    }
    let entries: Vec<&str> = match name {
        "no_proxy" => value.split([',', ' ']).filter(|entry| !entry.is_empty()).collect(),
        _ => vec![value],
    };
    Ok(Some(entries.join(",")).filter(|value| !value.is_empty()))
}

/// The plugin of a `COPY`, and the place of what it copies among the Maven artifacts.
fn copy(
    instruction: &Instruction<'_>,
    maven: &[(MavenRun, Instruction<'_>)],
    copied: &[bool],
) -> Result<(String, usize), DialectError> {
    let mut fitting = (0..maven.len()).filter(|&place| write::copy(&maven[place].0) == instruction.text);
    // One coordinate may be there several times, with other scopes: each has its own.
    match fitting.clone().find(|&place| !copied[place]).or_else(|| fitting.next()) {
        Some(place) => Ok((maven[place].0.plugin.clone(), place)),
        None => Err(instruction.unlike(
            "COPY --from=downloadArtifacts '/tmp/artifacts/<plugin>/<hash>' '/opt/kafka/plugins/<plugin>/<hash>' of an \
             artifact that the first stage gets",
        )),
    }
}

/// `/opt/kafka/plugins/<plugin>`.
fn plugin_directory(plugin: &str) -> String {
    format!("/{}/{plugin}", PLUGINS_DIRECTORY.join("/"))
}
