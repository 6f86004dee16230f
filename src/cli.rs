//! From a command line and an environment to a run, and from its end to an exit code.
//!
//! The command line is ours, or that of Kaniko or Buildah as Strimzi's operator writes it ([`launch`]).
//!
//! Flags, variables and mounted files become settings here and nowhere else. Data goes to standard output (the image by
//! digest, the plan, the schema), everything said to people goes to standard error.

mod args;
mod build;
mod cluster;
mod console;
mod error;
mod launch;
mod maven;
mod plan;
mod runtime;
mod settings;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use connect_build::error::{Diagnose, Reason, render};
use connect_build::report::TERMINATION_LOG;

use self::args::{Arguments, Command};
use self::error::CliError;

/// Runs the command.
pub(crate) fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().skip(1).collect();
    let launch = match launch::recognise(&given) {
        Ok(launch) => launch,
        Err(error) => {
            let text = render(&error);
            say(&text);
            build::write_termination(termination_log(&given).as_deref(), &text);
            return ExitCode::from(error.reason().exit_code());
        }
    };
    let given = match &launch {
        Some(launch) => launch.arguments.iter().map(OsString::from).collect(),
        None => given,
    };
    let launch = launch.unwrap_or_default();
    let log = termination_log(&given);
    let arguments = match Arguments::read(given) {
        Ok(arguments) => arguments,
        // Help and version go to standard output, mistakes to standard error and, in a pod, to its last words.
        Err(error) => {
            let _ = error.print();
            if error.use_stderr() {
                build::write_termination(log.as_deref(), error.to_string().trim_end());
            }
            return ExitCode::from(u8::from(error.use_stderr()) * Reason::InvalidArguments.exit_code());
        }
    };
    let result = match &arguments.command {
        Command::Build(build) => return build::main(build, &launch),
        Command::Plan(plan) => plan::main(plan),
        Command::Schema => print_schema(),
        Command::Crd => print_definition(),
        Command::Maven(command) => maven::main(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&render(&error));
            ExitCode::from(error.reason().exit_code())
        }
    }
}

/// The file for last words that a command line or the environment names, whatever else is wrong with them. A launcher waits for
/// them in the usual place, whatever the environment says.
fn termination_log(arguments: &[OsString]) -> Option<PathBuf> {
    const FLAG: &str = "--termination-log";
    let usual = PathBuf::from(TERMINATION_LOG);
    let names_usual = |word: &OsString| word.to_str().is_some_and(|word| word.contains(TERMINATION_LOG));
    if arguments.iter().any(names_usual) && usual.is_file() {
        return Some(usual);
    }
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.to_str().and_then(|word| word.strip_prefix(FLAG)) {
            Some("") => return words.next().map(PathBuf::from),
            Some(rest) if rest.starts_with('=') => return Some(PathBuf::from(&rest[1..])),
            _ => {}
        }
    }
    settings::variable("CONNECT_BUILD_TERMINATION_LOG")
}

fn print_schema() -> Result<(), CliError> {
    let schema = connect_build::spec::kafka_connect::schema();
    let text = serde_json::to_string_pretty(&schema).map_err(|e| CliError::Output(e.into()))?;
    print(&text)
}

fn print_definition() -> Result<(), CliError> {
    let text = serde_saphyr::to_string(&connect_build::crd::definition())
        .map_err(|error| CliError::Output(std::io::Error::other(error)))?;
    print(text.trim_end())
}

/// A line of data. A closed pipe is the reader's choice, and no failure.
fn print(text: &str) -> Result<(), CliError> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}

/// A line for people. When standard error is closed there is nobody to tell.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
