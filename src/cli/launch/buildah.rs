//! Buildah's launch: a shell and a script of three lines (`KafkaConnectBuild.java`).
//!
//! ```text
//! buildah build --file=FILE --tag=IMAGE --storage-driver=vfs OPTIONS
//! buildah push --storage-driver=vfs --digestfile=/tmp/digest OPTIONS IMAGE
//! echo "$(buildah images --storage-driver=vfs --format '{{.Name}}' IMAGE)@$(cat /tmp/digest)" > /dev/termination-log
//! ```

use connect_build::report::TERMINATION_LOG;

use super::script::words;
use super::{Launch, LaunchError, Name, Side, credentials, duration, listed, truth};

/// What stands behind the shell.
pub(super) const FORM: &str = "-ec SCRIPT";

const BUILD: &str = "buildah build --file=FILE --tag=IMAGE --storage-driver=vfs";
const PUSH: &str = "buildah push --storage-driver=vfs --digestfile=/tmp/digest";

/// Options of `buildah build` that Strimzi lets through.
const BUILD_OPTIONS: [&str; 7] =
    ["--authfile", "--cert-dir", "--creds", "--decryption-key", "--retry", "--retry-delay", "--tls-verify"];

/// Options of `buildah push` that Strimzi lets through.
const PUSH_OPTIONS: [&str; 7] =
    ["--authfile", "--cert-dir", "--creds", "--quiet", "--retry", "--retry-delay", "--tls-verify"];

/// Reads the arguments: a shell, `-ec`, and the script.
pub(super) fn read(
    arguments: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Launch, LaunchError> {
    let [_, flags, script] = arguments else {
        return Err(LaunchError::Missing(FORM));
    };
    if flags != "-ec" {
        return Err(LaunchError::Missing(FORM));
    }
    // A carriage return would be a word of its own, as far as a shell is concerned.
    let lines: Vec<&str> =
        script.trim_matches('\n').split('\n').map(|line| line.trim_end_matches([' ', '\t'])).collect();
    let [build, push, echo] = lines.as_slice() else {
        let found = format!("{} lines", lines.len());
        return Err(LaunchError::Script { line: 1, expected: "three lines".to_owned(), found });
    };
    let mut launch = Launch::default();
    let (file, image) = read_build(&words(1, build, variable)?, &mut launch)?;
    let pushed = read_push(&words(2, push, variable)?, &mut launch)?;
    if pushed != image {
        return Err(unlike(2, &format!("the image `{image}` of the first line"), &pushed));
    }
    read_echo(echo, &image, variable)?;
    launch.name = Some(name(&image));
    let target = format!("docker://{image}");
    let own = ["build", "--to", &target, "--termination-log", TERMINATION_LOG];
    launch.arguments = own.map(ToOwned::to_owned).into_iter().chain(launch.arguments).collect();
    launch.arguments.extend(["--".to_owned(), file]);
    Ok(launch)
}

fn unlike(line: usize, expected: &str, found: &str) -> LaunchError {
    let found = format!("`{}`", connect_build::path::shown(found.as_bytes()));
    LaunchError::Script { line, expected: expected.to_owned(), found }
}

/// The Dockerfile and the image of the first line.
fn read_build(words: &[String], launch: &mut Launch) -> Result<(String, String), LaunchError> {
    let mut words = words.iter().map(String::as_str);
    let mut fixed = |start: &str| {
        let word = words.next().unwrap_or_default();
        word.strip_prefix(start)
            .map(ToOwned::to_owned)
            .ok_or_else(|| unlike(1, &format!("`{BUILD}`"), shown_word(word)))
    };
    for word in ["buildah", "build"] {
        exactly(&fixed(word)?, 1, BUILD)?;
    }
    let (file, image) = (fixed("--file=")?, fixed("--tag=")?);
    exactly(&fixed("--storage-driver=vfs")?, 1, BUILD)?;
    for word in words {
        option(word, &BUILD_OPTIONS, &mut launch.pull)?;
    }
    Ok((file, image))
}

/// The image of the second line.
fn read_push(words: &[String], launch: &mut Launch) -> Result<String, LaunchError> {
    let expected = || format!("`{PUSH} OPTIONS IMAGE`");
    let missing = || unlike(2, &expected(), "");
    let (image, words) = words.split_last().ok_or_else(missing)?;
    if image.starts_with("--") {
        return Err(unlike(2, &expected(), shown_word(image)));
    }
    let (start, options) = words.split_at_checked(4).ok_or_else(missing)?;
    let fixed = [start[0] == "buildah", start[1] == "push", start[2] == "--storage-driver=vfs"];
    if let Some(place) = fixed.iter().position(|fits| !fits) {
        return Err(unlike(2, &expected(), shown_word(&start[place])));
    }
    if start[3] != "--digestfile=/tmp/digest" {
        return Err(unlike(2, &expected(), shown_word(&start[3])));
    }
    for word in options {
        if word.split('=').next() == Some("--quiet") {
            let quiet = truth(word.split_once('=').map(|(_, value)| value));
            let wrong =
                LaunchError::Value { option: "--quiet".to_owned(), wanted: "`true` or `false`, or nothing" };
            launch.arguments.retain(|argument| argument != "--quiet");
            if quiet.ok_or(wrong)? {
                launch.arguments.push("--quiet".to_owned());
            }
        } else {
            option(word, &PUSH_OPTIONS, &mut launch.push)?;
        }
    }
    Ok(image.clone())
}

/// An option without its value, which may be a password.
fn shown_word(word: &str) -> &str {
    if word.starts_with("--") { word.split('=').next().unwrap_or_default() } else { word }
}

/// Nothing is left of a word but what was expected.
fn exactly(rest: &str, line: usize, expected: &str) -> Result<(), LaunchError> {
    if rest.is_empty() { Ok(()) } else { Err(unlike(line, &format!("`{expected}`"), rest)) }
}

/// The third line, to the letter.
fn read_echo(text: &str, image: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<(), LaunchError> {
    const START: &str = "echo \"$(buildah images --storage-driver=vfs --format '{{.Name}}' ";
    let end = format!(")@$(cat /tmp/digest)\" > {TERMINATION_LOG}");
    let expected = || format!("`{START}{image}{end}`");
    // What stands there instead may be a password, so it is not shown.
    let unlike = |found: &str| {
        let (expected, found) = (expected(), found.to_owned());
        LaunchError::Script { line: 3, expected, found }
    };
    let rest = text.strip_prefix(START).ok_or_else(|| unlike("another beginning"))?;
    let named = rest.strip_suffix(&end).ok_or_else(|| unlike("another end"))?;
    match words(3, named, variable)?.as_slice() {
        [named] if named == image => Ok(()),
        _ => Err(unlike("another image")),
    }
}

fn option(word: &str, known: &[&str], side: &mut Side) -> Result<(), LaunchError> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    if !known.contains(&name) {
        let option = if name.starts_with('-') { name } else { "a word that is none" }.to_owned();
        return Err(LaunchError::Unknown {
            launcher: "Buildah",
            option,
            known: listed(known.iter().copied()),
        });
    }
    let wrong = |wanted| LaunchError::Value { option: name.to_owned(), wanted };
    let text = || value.filter(|value| !value.is_empty()).ok_or_else(|| wrong("a value, behind `=`"));
    match name {
        "--authfile" => side.auth_file = Some(text()?.into()),
        "--cert-dir" => side.cert_dir = Some(text()?.into()),
        "--creds" => side.credentials = Some(credentials(text()?)),
        "--retry" => side.retries = Some(text()?.parse().map_err(|_| wrong("a number of tries"))?),
        "--retry-delay" => {
            side.retry_delay = Some(duration(text()?).ok_or_else(|| wrong("a time like `2s` or `1m30s`"))?);
        }
        "--tls-verify" => {
            let verify = truth(value).ok_or_else(|| wrong("`true` or `false`, or nothing"))?;
            // As in Buildah, who does not verify may meet plain http too.
            (side.everywhere.skip_verify, side.everywhere.allow_http) = (!verify, !verify);
        }
        _ => {
            let reason = "encrypted images cannot be read here";
            return Err(LaunchError::Refused { option: name.to_owned(), reason });
        }
    }
    Ok(())
}

/// `host:5000/name` and `tag` of `host:5000/name:tag`, as they are given (`buildah images` says them so).
fn name(image: &str) -> Name {
    let name = image.split('@').next().unwrap_or_default();
    let (name, tag) = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((name, "latest"));
    Name { name: name.to_owned(), tag: tag.to_owned() }
}
