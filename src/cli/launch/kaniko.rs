//! Kaniko's command line (`cmd/executor/cmd/root.go` of 1.24).

mod options;

use std::path::{Path, PathBuf};

use connect_build::plan::ImageLocation;
use connect_build::report::TERMINATION_LOG;

use self::options::Takes::{self, Truth, Value};
use self::options::{Known, Role};
use super::{Launch, LaunchError, Name, Report, Side, truth};

/// What is gathered before it becomes arguments of ours.
#[derive(Default)]
struct Gathered {
    dockerfile: Option<String>,
    destinations: Vec<String>,
    no_push: bool,
    tar: Option<String>,
    layout: Option<String>,
}

/// Variables that stand for options, as Kaniko reads them before the build.
const VARIABLES: [(&str, &str); 3] = [
    ("KANIKO_REGISTRY_MIRROR", "--registry-mirror"),
    ("KANIKO_REGISTRY_MAP", "--registry-map"),
    ("KANIKO_NO_PUSH", "--no-push"),
];

/// Reads the arguments, without the program's name.
pub(super) fn read(
    arguments: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Launch, LaunchError> {
    let of_variable = |(name, option): (&str, &str)| {
        variable(name).filter(|value| !value.is_empty()).map(|value| format!("{option}={value}"))
    };
    let of_variables = VARIABLES.into_iter().filter_map(of_variable);
    let arguments: Vec<String> = arguments.iter().cloned().chain(of_variables).collect();
    let mut said: Vec<(&str, Takes, &str)> = Vec::new();
    let side = || Side { private_http: true, ..Side::default() };
    let mut launch = Launch { pull: side(), push: side(), ..Launch::default() };
    let mut gathered = Gathered::default();
    let mut rest = arguments.iter().zip(1..);
    while let Some((argument, place)) = rest.next() {
        let (option, given) = split(argument, place)?;
        let unknown = || LaunchError::Unknown {
            launcher: "Kaniko",
            option: argument.split('=').next().unwrap_or_default().to_owned(),
            known: options::known(),
        };
        let Known { name, takes, role } = options::find(option).ok_or_else(unknown)?;
        let value = match (takes, given) {
            (Truth, given) => {
                let wanted = "`true` or `false`, or nothing";
                let option = format!("--{name}");
                if truth(given).ok_or(LaunchError::Value { option, wanted })? { "true" } else { "false" }
            }
            (Value, Some(value)) => value,
            (Value, None) => rest
                .next()
                .map(|(value, _)| value.as_str())
                .ok_or(LaunchError::Value { option: format!("--{name}"), wanted: "a value" })?,
        };
        match role {
            Role::Followed { adds_up } => {
                // Of what is said again the last counts, as for pflag.
                if !adds_up {
                    said.retain(|(earlier, ..)| options::one_name(earlier) != options::one_name(name));
                }
                said.push((name, takes, value));
            }
            // What is off does nothing, whatever it would do.
            _ if takes == Truth && value == "false" => {}
            Role::WithoutMeaning(reason) => {
                launch.remarks.push(format!("`--{name}` has no effect: {reason}"));
            }
            Role::Refused(reason) => {
                return Err(LaunchError::Refused { option: format!("--{name}"), reason });
            }
        }
    }
    launch.remarks.dedup();
    let is_off = |(_, takes, value): &(&str, Takes, &str)| *takes == Truth && *value == "false";
    for (name, _, value) in said.into_iter().filter(|option| !is_off(option)) {
        follow(name, value, &mut launch, &mut gathered)?;
    }
    finish(launch, gathered)
}

/// Name and value of `--name=value`, `--name`, `-n`, `-n=value`, `-nvalue` (pflag's forms).
fn split(argument: &str, place: usize) -> Result<(&str, Option<&str>), LaunchError> {
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (argument, None),
    };
    let mut letters = name.strip_prefix('-').unwrap_or_default().chars();
    match (name.strip_prefix("--"), letters.next()) {
        (Some(name), _) if !name.is_empty() => Ok((name, value)),
        (None, Some(letter)) => {
            if options::find(&name[1..]).is_some() {
                let reason = "names of more than one letter have two dashes";
                return Err(LaunchError::Refused { option: name.to_owned(), reason });
            }
            let unknown = || LaunchError::Unknown {
                launcher: "Kaniko",
                option: format!("-{letter}"),
                known: options::known(),
            };
            let name = options::long_name(letter).ok_or_else(unknown)?;
            let glued = &argument[1 + letter.len_utf8()..];
            let value = glued.strip_prefix('=').unwrap_or(glued);
            Ok((name, if glued.is_empty() { None } else { Some(value) }))
        }
        _ => Err(LaunchError::Word { place }),
    }
}

fn follow(name: &str, value: &str, launch: &mut Launch, gathered: &mut Gathered) -> Result<(), LaunchError> {
    let mut ours = |flag: &str, value: &str| launch.arguments.extend([flag.to_owned(), value.to_owned()]);
    let wrong = |wanted| Err(LaunchError::Value { option: format!("--{name}"), wanted });
    match name {
        "dockerfile" | "destination" if value.is_empty() => return wrong("a value, behind `=`"),
        "dockerfile" => gathered.dockerfile = Some(value.to_owned()),
        "destination" => gathered.destinations.push(value.to_owned()),
        "no-push" => gathered.no_push = true,
        "tar-path" | "tarPath" => gathered.tar = Some(value.to_owned()),
        "oci-layout-path" => gathered.layout = Some(value.to_owned()),
        // Our flags take lists where Kaniko's take one.
        "custom-platform" | "customPlatform" => match value {
            "all" => return wrong("one platform, as `linux/amd64`"),
            _ if value.contains(',') => return wrong("one platform, as `linux/amd64`"),
            _ => ours("--platform", value),
        },
        "registry-mirror" | "registry-certificate" if value.contains(',') => {
            return wrong("one value: say it again for another");
        }
        "label" | "registry-client-cert" if value.contains('\n') => return wrong("a value of one line"),
        "label" => ours("--label", value),
        "registry-mirror" => ours("--registry-mirror", value),
        "registry-certificate" => ours("--registry-ca", &canonical(value)),
        "registry-client-cert" => ours("--registry-client-cert", &canonical(value)),
        "log-timestamp" => launch.arguments.push("--log-timestamps".to_owned()),
        "compression" => match value {
            "gzip" | "zstd" => ours("--compression", value),
            _ => return wrong("`gzip` or `zstd`"),
        },
        "log-format" => match value {
            "json" => ours("--log-format", "json"),
            "text" | "color" => ours("--log-format", "text"),
            _ => return wrong("`text`, `color` or `json`"),
        },
        "verbosity" => match value.to_ascii_lowercase().as_str() {
            "trace" | "debug" => launch.arguments.push("--verbose".to_owned()),
            "info" => {}
            "warn" | "warning" | "error" | "fatal" | "panic" => launch.arguments.push("--quiet".to_owned()),
            _ => return wrong("`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `panic`"),
        },
        "insecure" => launch.push.everywhere.allow_http = true,
        "insecure-pull" => launch.pull.everywhere.allow_http = true,
        "insecure-registry" | "skip-tls-verify-registry" if value.contains('/') => {
            return wrong("the host of a registry, without scheme and path");
        }
        "insecure-registry" => {
            both(launch, |side| side.hosts.entry(canonical(value)).or_default().allow_http = true);
        }
        "skip-tls-verify" => launch.push.everywhere.skip_verify = true,
        "skip-tls-verify-pull" => launch.pull.everywhere.skip_verify = true,
        "skip-tls-verify-registry" => {
            both(launch, |side| side.hosts.entry(canonical(value)).or_default().skip_verify = true);
        }
        "skip-default-registry-fallback" => launch.pull.mirrors_only = true,
        "push-retry" | "image-download-retry" => {
            let Ok(retries) = value.parse() else { return wrong("a number of tries") };
            let side = if name == "push-retry" { &mut launch.push } else { &mut launch.pull };
            side.retries = Some(retries);
        }
        "build-arg" => match value.split_once('=') {
            Some((name, url)) if is_proxy(name) => {
                launch.proxies.insert(name.to_ascii_lowercase(), url.to_owned());
            }
            _ => {
                return wrong(
                    "`http_proxy=URL`, `https_proxy=URL` or `no_proxy=LIST`: Strimzi's Dockerfile has no other arguments",
                );
            }
        },
        "digest-file" => launch.files.push((value.into(), Report::Digest)),
        "image-name-with-digest-file" if Path::new(value) == Path::new(TERMINATION_LOG) => {
            ours("--termination-log", value);
        }
        "image-name-with-digest-file" => launch.files.push((value.into(), Report::NameWithDigest)),
        _ => launch.files.push((PathBuf::from(value), Report::NameTagWithDigest)),
    }
    Ok(())
}

fn both(launch: &mut Launch, act: impl Fn(&mut Side)) {
    act(&mut launch.pull);
    act(&mut launch.push);
}

/// Docker Hub has one name here.
fn canonical(host: &str) -> String {
    match host.strip_prefix("index.docker.io") {
        Some(rest) if rest.is_empty() || rest.starts_with('=') => format!("docker.io{rest}"),
        _ => host.to_owned(),
    }
}

fn is_proxy(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "http_proxy" | "https_proxy" | "no_proxy")
}

fn finish(mut launch: Launch, gathered: Gathered) -> Result<Launch, LaunchError> {
    let Gathered { dockerfile, destinations, no_push, tar, layout } = gathered;
    let refused = |option: &str, reason| Err(LaunchError::Refused { option: option.to_owned(), reason });
    let destination = match destinations.as_slice() {
        [] if !no_push || (tar.is_none() && layout.is_none()) => {
            return Err(LaunchError::Missing("--destination"));
        }
        [] => None,
        [one] => Some(one),
        _ => {
            return refused(
                "--destination",
                "one image is pushed under one name; give the others with a tool that copies",
            );
        }
    };
    let target = match (no_push, tar, layout, destination) {
        (false, None, None, Some(destination)) => format!("docker://{destination}"),
        (true, Some(file), None, Some(destination)) => format!("docker-archive:{file}:{destination}"),
        (true, Some(file), None, None) => format!("docker-archive:{file}"),
        (true, None, Some(layout), _) => format!("oci:{layout}"),
        (true, None, None, _) => {
            return refused(
                "--no-push",
                "the image would go nowhere: give `--tar-path` or `--oci-layout-path` too, or look at it with `connect-build plan`",
            );
        }
        _ => {
            return refused(
                "--tar-path",
                "an image has one place to go to: it takes the place of the push with `--no-push`, and of a layout",
            );
        }
    };
    // Where nothing is pushed the files for a name have that of the destination, as if it were.
    match destination {
        Some(destination) => launch.name = name(destination),
        None if launch.files.iter().any(|(_, report)| *report != Report::Digest) => {
            return refused(
                "--image-name-with-digest-file",
                "without a `--destination` the image has no name: `--digest-file` gives its digest",
            );
        }
        None => {}
    }
    // Kaniko writes names after digests; a launch is told the name, whatever else goes into its file.
    if launch.arguments.iter().any(|argument| argument == "--termination-log") {
        launch.files.retain(|(file, _)| file != Path::new(TERMINATION_LOG));
    }
    Ok(with_target(launch, dockerfile, target))
}

/// Name and tag of a destination in the words of go-containerregistry (`Repository.Name`), which has a name of its own for Docker
/// Hub. What is no image is told of when it is planned.
fn name(destination: &str) -> Option<Name> {
    let location = ImageLocation::parse(destination).ok()?;
    let name = location.name();
    let name = name.strip_prefix("docker.io/").map(|rest| format!("index.docker.io/{rest}")).unwrap_or(name);
    Some(Name { name, tag: location.tag()?.to_owned() })
}

fn with_target(mut launch: Launch, dockerfile: Option<String>, target: String) -> Launch {
    let file = dockerfile.unwrap_or_else(|| "Dockerfile".to_owned());
    let own = ["build".to_owned(), "--to".to_owned(), target];
    launch.arguments = own.into_iter().chain(launch.arguments).chain(["--".to_owned(), file]).collect();
    launch
}
