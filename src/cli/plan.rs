//! `connect-build plan`: what would be built, and the reading of resources for `build` too.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use connect_build::plan::{Artifact, Format, MavenRequest, Plan, Planned};
use connect_build::spec::{self, MAX_INPUT_BYTES, Origin, Spec};

use super::args::PlanArguments;
use super::error::CliError;
use super::runtime::runtime;
use super::{cluster, settings};

pub(super) fn main(arguments: &PlanArguments) -> Result<(), CliError> {
    let (spec, to) = match source(arguments)? {
        Input::File(file) => (read(file)?, None),
        Input::Cluster => runtime()?.block_on(of_cluster(arguments))?,
    };
    for warning in &spec.warnings {
        super::say(&format!("warning: {warning}"));
    }
    let maven = settings::maven(&arguments.maven)?;
    let mut choices = settings::choices(arguments, &maven);
    choices.to = choices.to.or(to);
    let plan = Plan::new(&spec, &choices).map_err(CliError::Plan)?;
    super::print(&describe(&plan))
}

/// Where the input is.
pub(super) enum Input<'a> {
    /// A file, or standard input.
    File(&'a Path),
    /// A resource of a cluster.
    Cluster,
}

/// A file or a resource of a cluster, not both.
pub(super) fn source(arguments: &PlanArguments) -> Result<Input<'_>, CliError> {
    match (&arguments.file, arguments.cluster.resource.is_empty()) {
        (Some(file), true) => Ok(Input::File(file)),
        (Some(file), false) => Err(CliError::Flag(format!(
            "both a file (`{}`) and a resource of the cluster (`--resource`, CONNECT_BUILD_RESOURCE) are given",
            file.display()
        ))),
        (None, _) => Ok(Input::Cluster),
    }
}

/// What a resource of the cluster says, and where its image stream is.
async fn of_cluster(arguments: &PlanArguments) -> Result<(Spec, Option<String>), CliError> {
    let session = cluster::connect(&arguments.cluster).await?;
    let spec = session.spec()?;
    let to = if arguments.to.is_none() { session.stream_of(&spec).await? } else { None };
    Ok((spec, to))
}

/// Reads the resource that a file, or standard input, holds.
pub(super) fn read(file: &Path) -> Result<Spec, CliError> {
    let (text, origin) =
        text(file).map_err(|source| CliError::ReadResource { file: file.to_owned(), source })?;
    spec::read(&text, origin).map_err(CliError::Spec)
}

/// Reads the Dockerfile that a launcher names.
pub(super) fn read_dockerfile(file: &Path) -> Result<Spec, CliError> {
    let (text, _) =
        text(file).map_err(|source| CliError::ReadDockerfile { file: file.to_owned(), source })?;
    spec::read_dockerfile(&text).map_err(CliError::Spec)
}

fn text(file: &Path) -> io::Result<(String, Origin)> {
    let mut text = String::new();
    let limit = MAX_INPUT_BYTES as u64 + 1;
    let (read, origin) = if file == Path::new("-") {
        (io::stdin().take(limit).read_to_string(&mut text), Origin::Elsewhere)
    } else {
        let opened = File::open(file);
        (opened.and_then(|opened| opened.take(limit).read_to_string(&mut text)), Origin::File)
    };
    read.map(|_| (text, origin))
}

fn describe(plan: &Plan) -> String {
    let mut text = format!("base    {}\noutput  {}\n", plan.base, plan.output);
    if plan.plugins.is_empty() {
        text.push_str("no plugins: the image will be the base image");
    }
    for plugin in &plan.plugins {
        let _ = write!(text, "\nplugin {} in {}", plugin.name, plugin.directory());
        for artifact in &plugin.artifacts {
            let (kind, source, target) = (artifact.id().kind, artifact.source(), artifact.target());
            let _ = write!(text, "\n  {kind:<5} {source}\n        -> {target}");
            text.push_str(&match artifact {
                Planned::File(artifact) => file(artifact),
                Planned::Maven(artifact) => maven(&artifact.request),
            });
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn file(artifact: &Artifact) -> String {
    let how = match artifact.format {
        Format::File { .. } => "",
        Format::Tgz | Format::Zip => " (unpacked)",
    };
    let sum = match &artifact.sha512 {
        Some(sum) => format!("sha512 {}…", &sum.to_string()[..16]),
        None => "no checksum".to_owned(),
    };
    format!("{how}\n        {sum}{}", insecure(artifact.insecure))
}

fn maven(artifact: &MavenRequest) -> String {
    let scope = match artifact.scope.name() {
        "" => "all scopes".to_owned(),
        scope => format!("scope {scope}"),
    };
    let from: Vec<String> = match artifact.mirrors.as_slice() {
        [] => artifact.repository.iter().map(ToString::to_string).collect(),
        mirrors => mirrors.iter().map(ToString::to_string).collect(),
    };
    let from = if from.is_empty() { "the configured repository".to_owned() } else { from.join(", ") };
    format!("\n        {scope}, from {from}{}", insecure(artifact.insecure))
}

fn insecure(insecure: bool) -> &'static str {
    if insecure { ", any certificate" } else { "" }
}
