//! `connect-build maven`: what an artifact is resolved to, and why.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use connect_build::fetch::{FetchSettings, Fetcher};
use connect_build::limits::Limits;
use connect_build::maven::{self, Brought, Coordinate, File, Maven, MavenSettings, Sizes};
use connect_build::path::{EntryPath, plain};
use connect_build::plan::{MavenRequest, Scope};
use connect_build::progress::Event;
use connect_build::report;
use connect_build::workspace::Workspace;

use super::args::{MavenArguments, MavenCommand, ScopeArgument};
use super::console::Console;
use super::error::CliError;
use super::runtime::{SHUTDOWN, runtime, signal};
use super::settings;

pub(super) fn main(command: &MavenCommand) -> Result<(), CliError> {
    let (arguments, output) = match command {
        MavenCommand::Tree(arguments) => (&**arguments, None),
        MavenCommand::Files(files) => (&files.maven, files.output.as_deref()),
    };
    let console = Console::start(&arguments.log);
    let request = request(arguments)?;
    let settings = settings::maven(&arguments.maven)?;
    if request.repository.is_none() && request.mirrors.is_empty() && !settings.has_repository() {
        return Err(CliError::Flag(
            "no Maven repository is known: name one with `--repository URL` or `--maven-repository URL`"
                .to_owned(),
        ));
    }
    let fetch = settings::fetch(
        &arguments.transfer,
        Limits { download: arguments.max_download, ..Limits::default() },
    )?;
    let parent = settings::workspace(arguments.workspace.as_deref());
    let workspace = Workspace::create(&parent).map_err(|error| CliError::Build(error.into()))?;
    let room = Room { console: &console, request: &request, workspace: workspace.path() };
    let maven = room.open(settings, fetch);
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let signal = signal().map_err(CliError::Start)?;
        let work = async {
            match command {
                MavenCommand::Tree(_) => room.tree(&maven).await,
                MavenCommand::Files(_) => room.files(&maven, output).await,
            }
        };
        tokio::select! {
            text = work => text,
            signal = signal => Err(CliError::Interrupted(signal)),
        }
    });
    runtime.shutdown_timeout(SHUTDOWN);
    super::print(result?.trim_end())
}

struct Room<'a> {
    console: &'a Console,
    request: &'a MavenRequest,
    workspace: &'a Path,
}

impl Room<'_> {
    fn open(&self, settings: MavenSettings, mut fetch: FetchSettings) -> Maven {
        if let Some(proxies) = &settings.settings.proxies {
            fetch.proxies = proxies.clone();
        }
        let fetcher = Fetcher::new(fetch, self.workspace, Arc::clone(&self.console.reporter));
        Maven::new(settings, Arc::new(fetcher), self.workspace)
    }

    async fn tree(&self, maven: &Maven) -> Result<String, CliError> {
        let resolution = maven.resolve(self.request).await.map_err(CliError::Maven)?;
        self.warn(&resolution.warnings);
        let Sizes { files, bytes, unknown } = maven.sizes(&resolution, self.request).await;
        let mut text = maven::tree(&resolution, self.request.scope);
        let s = if files == 1 { "" } else { "s" };
        let _ = write!(text, "\n{files} file{s} of {}", report::bytes(bytes));
        if unknown > 0 {
            let _ = write!(text, " and more, for nobody tells the size of {unknown} of them");
        }
        Ok(text)
    }

    async fn files(&self, maven: &Maven, output: Option<&Path>) -> Result<String, CliError> {
        let (resolution, brought) = maven.fetch(self.request).await.map_err(CliError::Maven)?;
        self.warn(&resolution.warnings);
        let mut text = String::new();
        let mut known: HashMap<String, &File> = HashMap::new();
        let mut unverified = Vec::new();
        for Brought { file, downloaded, .. } in &brought {
            let name = file.name();
            let _ = writeln!(text, "{} {} {file}", plain(&name), downloaded.sha1);
            if downloaded.verified.is_none() {
                unverified.push(format!("`{}`", plain(&name)));
            }
            if let Some(earlier) = known.get(&name) {
                let words =
                    format!("`{}` is the name of two files, of {earlier} and of {file}", plain(&name));
                let kept = if output.is_some() { "; only the first is kept" } else { "" };
                self.warn(&[words + kept]);
                continue;
            }
            known.insert(name.clone(), file);
            if let Some(directory) = output {
                // The name comes from a POM; it is a lawful one before it becomes a path here.
                let path = EntryPath::component(&name)
                    .map_err(|refused| maven::ResolveError::Name { file: file.to_string(), refused })
                    .map_err(|error| CliError::Maven(resolution.error(error)))?;
                let target = directory.join(path.as_str());
                let keep = std::fs::create_dir_all(directory)
                    .and_then(|()| std::fs::copy(downloaded.fetched.path(), &target));
                keep.map_err(|source| CliError::Keep { file: target, source })?;
            }
        }
        if !unverified.is_empty() {
            let (count, names) = (unverified.len(), unverified.join(", "));
            self.warn(&[format!("the repository has no checksum of {count} of its files: {names}")]);
        }
        Ok(text)
    }

    fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            self.console.reporter.report(&Event::Warning(warning));
        }
    }
}

fn request(arguments: &MavenArguments) -> Result<MavenRequest, CliError> {
    let Some(coordinate) = Coordinate::parse(&arguments.coordinate) else {
        let shown = connect_build::path::shown(arguments.coordinate.as_bytes());
        return Err(CliError::Flag(format!("`{shown}` is not of the form GROUP:ARTIFACT:VERSION")));
    };
    let repository = arguments.repository.as_deref();
    Ok(MavenRequest {
        coordinate: [&coordinate.group, &coordinate.artifact, &coordinate.version].map(ToString::to_string),
        scope: match arguments.scope {
            ScopeArgument::All => Scope::All,
            ScopeArgument::Compile => Scope::Compile,
            ScopeArgument::Provided => Scope::Provided,
            ScopeArgument::Runtime => Scope::Runtime,
            ScopeArgument::System => Scope::System,
            ScopeArgument::Test => Scope::Test,
        },
        repository: repository.map(|url| settings::repository_url(url, "--repository")).transpose()?,
        mirrors: (arguments.mirror.iter())
            .map(|url| settings::repository_url(url, "--mirror"))
            .collect::<Result<_, _>>()?,
        insecure: arguments.insecure,
    })
}
