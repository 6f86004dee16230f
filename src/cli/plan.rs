//! `connect-build plan`: what would be built, and the reading of resources for `build` too.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use connect_build::plan::{Format, Plan};
use connect_build::spec::{self, MAX_INPUT_BYTES, Origin, Spec};

use super::args::PlanArguments;
use super::error::CliError;
use super::settings;

pub(super) fn main(arguments: &PlanArguments) -> Result<(), CliError> {
    let spec = read(&arguments.file)?;
    for warning in &spec.warnings {
        super::say(&format!("warning: {warning}"));
    }
    let plan = Plan::new(&spec, &settings::choices(arguments)).map_err(CliError::Plan)?;
    super::print(&describe(&plan))
}

/// Reads the resource that a file, or standard input, holds.
pub(super) fn read(file: &Path) -> Result<Spec, CliError> {
    let mut text = String::new();
    let limit = MAX_INPUT_BYTES as u64 + 1;
    let (read, origin) = if file == Path::new("-") {
        (io::stdin().take(limit).read_to_string(&mut text), Origin::Elsewhere)
    } else {
        let opened = File::open(file);
        (opened.and_then(|opened| opened.take(limit).read_to_string(&mut text)), Origin::File)
    };
    read.map_err(|source| CliError::ReadResource { file: file.to_owned(), source })?;
    spec::read(&text, origin).map_err(CliError::Spec)
}

fn describe(plan: &Plan) -> String {
    let mut text = format!("base    {}\noutput  {}\n", plan.base, plan.output);
    if plan.plugins.is_empty() {
        text.push_str("no plugins: the image will be the base image");
    }
    for plugin in &plan.plugins {
        let _ = write!(text, "\nplugin {} in {}", plugin.name, plugin.directory());
        for artifact in &plugin.artifacts {
            let _ = write!(
                text,
                "\n  {:<5} {}\n        -> {}",
                artifact.id.kind,
                artifact.source,
                artifact.target()
            );
            let how = match artifact.format {
                Format::File { .. } => "",
                Format::Tgz | Format::Zip => " (unpacked)",
            };
            text.push_str(how);
            let sum = match &artifact.sha512 {
                Some(sum) => format!("sha512 {}…", &sum.to_string()[..16]),
                None => "no checksum".to_owned(),
            };
            let insecure = if artifact.insecure { ", any certificate" } else { "" };
            let _ = write!(text, "\n        {sum}{insecure}");
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}
