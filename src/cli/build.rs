//! `connect-build build`: one build, and everything that is told about its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use connect_build::error::{Diagnose, Reason, one_line, render};
use connect_build::path::plain;
use connect_build::pipeline::{self, BuildError, Outcome, Stages};
use connect_build::plan::Plan;
use connect_build::progress::Event;
use connect_build::report::{self, ClusterReport, Failure, ReportError, TERMINATION_LOG};
use connect_build::spec::Spec;

use super::args::{BuildArguments, ReportArguments};
use super::console::Console;
use super::error::CliError;
use super::launch::{Launch, Report};
use super::plan::Input;
use super::runtime::{SHUTDOWN, runtime, signal};
use super::{cluster, plan, settings};

/// How long the cluster may take to hear that a build was ended; whoever ended it waits for that.
const LAST_WORDS: Duration = Duration::from_secs(5);

pub(super) fn main(arguments: &BuildArguments, launch: &Launch) -> ExitCode {
    let console = Console::start(&arguments.report.log);
    for remark in &launch.remarks {
        tracing::debug!("{remark}");
    }
    match caught(|| run(arguments, launch, &console)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_failure(&error, &arguments.report, launch, &console);
            ExitCode::from(error.reason().exit_code())
        }
    }
}

/// A panic is told like any failure: to the log, the pod's last words, the result file.
fn caught(run: impl FnOnce() -> Result<(), CliError>) -> Result<(), CliError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let words = panic.downcast::<String>().map(|words| *words);
        let words = words.or_else(|panic| panic.downcast::<&str>().map(|words| (*words).to_owned()));
        Err(CliError::Defect(words.unwrap_or_default()))
    })
}

/// How a build ends that does not fail.
enum End {
    /// With an image.
    Built(Box<Outcome>),
    /// Without one, as `spec.suspend` wants it.
    Suspended,
}

fn run(arguments: &BuildArguments, launch: &Launch, console: &Console) -> Result<(), CliError> {
    // Who waits for somebody to type is ended by a signal as ever.
    let typed = match plan::source(&arguments.plan)? {
        Input::File(file) if file == Path::new("-") => Some(plan::read(file)?),
        _ => None,
    };
    // From here on a signal is heard, whatever is being done.
    let runtime = runtime()?;
    let signal = {
        let _guard = runtime.enter();
        signal().map_err(CliError::Start)?
    };
    clear_results(&arguments.report, launch)?;
    let stages = Stages::default();
    let report = OnceLock::new();
    let end = runtime.block_on(async {
        tokio::select! {
            biased;
            signal = signal => {
                let publishing = stages.is_publishing();
                Err(CliError::Build(BuildError::Interrupted { signal, publishing }))
            }
            end = build(arguments, launch, console, typed, &stages, &report) => end,
        }
    });
    // First what others wait for, then the cluster, which may take its time.
    let told = match &end {
        Ok(End::Built(outcome)) => tell_success(outcome, &arguments.report, launch, console),
        _ => Ok(()),
    };
    let reported = report.get().map_or(Ok(()), |report| runtime.block_on(tell_cluster(report, &end)));
    runtime.shutdown_timeout(SHUTDOWN);
    end.map(drop).and(told).and(reported)
}

/// Reads what is to be built, and builds it. `report` is made as soon as it is known who is told.
async fn build(
    arguments: &BuildArguments,
    launch: &Launch,
    console: &Console,
    typed: Option<Spec>,
    stages: &Stages,
    report: &OnceLock<ClusterReport>,
) -> Result<End, CliError> {
    let input = plan::source(&arguments.plan)?;
    let targets = cluster::targets(&arguments.cluster)?;
    let told = targets.as_ref().is_some_and(|targets| !targets.is_empty());
    let (session, report) = match input {
        Input::File(_) if !told => (None, None),
        _ => {
            let session = cluster::connect(&arguments.plan.cluster).await?;
            let opened = session.report(targets, arguments.cluster.pod.as_deref()).await?;
            (Some(session), Some(report.get_or_init(|| opened)))
        }
    };
    let spec = match (typed, input, &session) {
        (Some(spec), ..) => spec,
        (None, Input::File(file), _) if launch.is_one() => plan::read_dockerfile(file)?,
        (None, Input::File(file), _) => plan::read(file)?,
        (None, Input::Cluster, Some(session)) => session.spec()?,
        (None, Input::Cluster, None) => return Err(CliError::Flag("no resource is named".into())),
    };
    for warning in &spec.warnings {
        console.reporter.report(&Event::Warning(warning));
    }
    if spec.suspended {
        tracing::info!("nothing is built: `spec.suspend` is true");
        return Ok(End::Suspended);
    }
    let mut settings = settings::build(arguments, launch, &spec)?;
    let mut choices = settings::choices(&arguments.plan, &settings.maven);
    if let Some(session) = &session {
        session.complete(&spec, &arguments.cluster, &mut choices, &mut settings).await?;
    }
    let plan = Plan::new(&spec, &choices).map_err(CliError::Plan)?;
    let Some(report) = report else {
        let build = pipeline::run(&plan, &settings, &console.reporter, stages, std::future::ready(()));
        return Ok(End::Built(Box::new(build.await.map_err(CliError::Build)?)));
    };
    report.begin(plan.plugins.len()).await.map_err(CliError::Report)?;
    let reporter = report.listen(Arc::clone(&console.reporter));
    tokio::select! {
        biased;
        outcome = pipeline::run(&plan, &settings, &reporter, stages, report.consent()) => {
            Ok(End::Built(Box::new(outcome.map_err(CliError::Build)?)))
        }
        superseded = report.follow() => Err(CliError::Report(superseded)),
    }
}

/// Tells the cluster how it ended. What it does not hear of a failure is worth a warning, of a success an exit code.
async fn tell_cluster(report: &ClusterReport, end: &Result<End, CliError>) -> Result<(), CliError> {
    match end {
        Ok(End::Built(outcome)) => report.succeed(outcome).await.map_err(CliError::ReportAfter),
        Ok(End::Suspended) => report.suspend().await.map_err(CliError::Report),
        Err(error) => {
            let failure = Failure::new(error);
            let told = async {
                match error {
                    CliError::Report(superseded @ ReportError::Superseded { .. }) => {
                        report.give_up(superseded).await
                    }
                    _ => report.fail(&failure).await,
                }
            };
            // Only who has been told to end is in a hurry.
            let patience = if error.reason() == Reason::Interrupted { LAST_WORDS } else { LAST_WORDS * 12 };
            let words = match tokio::time::timeout(patience, told).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => one_line(&error),
                Err(_) => format!("no answer within {} s", patience.as_secs()),
            };
            tracing::warn!("the cluster does not hear of this failure: {words}");
            Ok(())
        }
    }
}

/// Empties the files that the result goes to: an old result must not pass for this one's, and that a file cannot be written
/// is better known before the build than after it.
fn clear_results(arguments: &ReportArguments, launch: &Launch) -> Result<(), CliError> {
    let of_launch = launch.files.iter().map(|(file, _)| file);
    // A launcher takes the message for the image, so one that is left from before would be run.
    let message = arguments.termination_log.iter().filter(|_| launch.is_one());
    let all = arguments.result_file.iter().chain(&arguments.digest_file).chain(of_launch).chain(message);
    for file in all {
        std::fs::write(file, "").map_err(|source| CliError::ResultFile { file: file.clone(), source })?;
    }
    Ok(())
}

fn tell_success(
    outcome: &Outcome,
    arguments: &ReportArguments,
    launch: &Launch,
    console: &Console,
) -> Result<(), CliError> {
    let reference = &outcome.pushed.reference;
    let digest = &outcome.pushed.digest;
    let ours = reference.split('@').next().unwrap_or_default();
    let (name, tag) = launch.name.as_ref().map_or((ours, "latest"), |given| (&given.name, &given.tag));
    // First what others wait for, then what people read.
    let message = format!("{name}@{digest}");
    match arguments.termination_log.as_deref().filter(|_| launch.is_one()) {
        Some(file) => write_file(file, &message)?,
        None => write_termination(arguments.termination_log.as_deref(), &message),
    }
    for (file, report) in &launch.files {
        let text = match report {
            Report::Digest => digest.to_string(),
            Report::NameWithDigest => format!("{name}@{digest}\n"),
            Report::NameTagWithDigest => format!("{name}:{tag}@{digest}\n"),
        };
        write_file(file, &text)?;
    }
    if let Some(file) = &arguments.digest_file {
        write_file(file, &format!("{reference}\n"))?;
    }
    if let Some(file) = &arguments.result_file {
        write_file(file, &format!("{:#}\n", report::result_json(Ok(outcome))))?;
    }
    if console.json {
        tracing::info!(image = outcome.pushed.location, digest = %outcome.pushed.digest, "done: {reference}");
    } else if !console.quiet {
        super::say(&format!("\n{}\n", report::table(outcome)));
    }
    super::print(reference)
}

fn tell_failure(error: &CliError, arguments: &ReportArguments, launch: &Launch, console: &Console) {
    let mut text = render(error);
    // A launcher's command line has no place for our flags.
    if launch.is_one() && error.hint().is_some_and(|hint| hint.contains("`--")) {
        text.push_str(
            "; in a pod of Strimzi give flags as variables in `template.buildContainer.env`: `--ca-file` is CONNECT_BUILD_CA_FILE",
        );
    }
    let failure = Failure::new(error);
    // An error in telling of a success is no reason to deny the success.
    if !matches!(error, CliError::WriteResult { .. } | CliError::Output(_) | CliError::ReportAfter(_)) {
        write_termination(arguments.termination_log.as_deref(), &text);
        if let Some(file) = &arguments.result_file {
            let json = format!("{:#}\n", report::result_json(Err(&failure)));
            if let Err(error) = std::fs::write(file, json) {
                super::say(&plain(&format!("warning: cannot write `{}`: {error}", file.display())));
            }
        }
    }
    if console.json {
        let (reason, hint) = (error.reason().name(), error.hint().unwrap_or_default());
        tracing::error!(reason, exit_code = error.reason().exit_code(), hint, "{}", failure.message());
    } else {
        super::say(&text);
    }
    if error.reason() == Reason::Internal {
        super::say("this should not happen: please report it with the command and the resource");
    }
}

/// The pod's last words. A message that cannot be written is worth a warning, not a failed build.
pub(super) fn write_termination(named: Option<&Path>, message: &str) {
    let usual = Path::new(TERMINATION_LOG);
    if let Some(file) = named.or_else(|| usual.is_file().then_some(usual))
        && let Err(error) = report::write_message(file, &report::failure_message(message))
    {
        super::say(&plain(&format!(
            "warning: cannot write the termination message to `{}`: {error}",
            file.display()
        )));
    }
}

fn write_file(file: &Path, content: &str) -> Result<(), CliError> {
    std::fs::write(file, content).map_err(|source| CliError::WriteResult { file: file.to_owned(), source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_panic_has_a_reason_and_last_words() {
        let number = 7;
        let panics: [fn(i32) -> (); 2] = [|number| panic!("number {number}"), |_| panic!("words")];
        let errors = panics.map(|panic| {
            let error = caught(|| {
                panic(number);
                Ok(())
            });
            render(&error.unwrap_err())
        });
        assert_eq!(
            errors,
            ["error: connect-build panicked: number 7", "error: connect-build panicked: words"]
        );
        assert_eq!(CliError::Defect(String::new()).reason().exit_code(), 1);
    }
}
