//! The words of a line of shell, where a shell would have nothing to do but to put variables in.
//!
//! `$NAME` and `${NAME}` become their values, in double quotes or outside of quotes; what a shell would take apart there (white
//! space) is refused, and so is everything that would make it run something. Patterns that it would look for in directories
//! stay what they are in an option, for no file has such a name; elsewhere they are refused.

use super::LaunchError;

/// Variables that a shell sets itself, whatever the environment says (bash(1), "Shell Variables").
const OWN: [&str; 24] = [
    "_",
    "DIRSTACK",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "IFS",
    "LINENO",
    "OLDPWD",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "PIPESTATUS",
    "PPID",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
    "UID",
];

/// What their other names begin with.
const OWN_BEGIN: [&str; 4] = ["BASH", "COMP_", "EPOCH", "READLINE_"];

/// Characters that stand for themselves outside of quotes.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "_@%+=:,./-!^]".contains(c)
}

/// What makes a pattern of a word, which a shell looks for in directories, and leaves as it is if there is nothing.
fn is_pattern(c: char) -> bool {
    matches!(c, '*' | '?' | '[')
}

/// Whether a word, so far, is an option.
fn is_option(word: Option<&str>) -> bool {
    word.is_some_and(|word| word.starts_with("--"))
}

/// Splits line number `line` of a script into words.
pub(super) fn words(
    line: usize,
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, LaunchError> {
    let shell = |what: String| LaunchError::Shell { line, what };
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            ' ' => words.extend(word.take()),
            '\'' => {
                let (inside, after) =
                    rest.split_once('\'').ok_or_else(|| shell("a quote without an end".to_owned()))?;
                word.get_or_insert_default().push_str(inside);
                rest = after;
            }
            '"' => {
                let (inside, after) =
                    rest.split_once('"').ok_or_else(|| shell("a quote without an end".to_owned()))?;
                let word = word.get_or_insert_default();
                let mut inside = inside;
                while let Some((before, name)) = inside.split_once('$') {
                    plain_in_quotes(before).map_err(shell)?;
                    word.push_str(before);
                    let (value, rest) = expand(line, name, variable)?;
                    word.push_str(&value);
                    inside = rest;
                }
                plain_in_quotes(inside).map_err(shell)?;
                word.push_str(inside);
                rest = after;
            }
            '$' => {
                let (value, after) = expand(line, rest, variable)?;
                // The value may be a password, so it is not shown.
                // Nothing beside other text is nothing; a word of nothing is no word.
                let is_whole_word = word.is_none() && (after.is_empty() || after.starts_with(' '));
                let is_dropped = value.is_empty() && is_whole_word;
                let is_pattern = |c: char| is_pattern(c) || c == '\\';
                let is_taken_apart =
                    |c: char| c.is_whitespace() || (is_pattern(c) && !is_option(word.as_deref()));
                if is_dropped || value.chars().any(is_taken_apart) {
                    let name = &rest[..rest.len() - after.len()];
                    return Err(shell(format!(
                        "`${name}`, whose value a shell would take apart or leave out: put it into double quotes"
                    )));
                }
                word.get_or_insert_default().push_str(&value);
                rest = after;
            }
            c if is_plain(c)
                || (matches!(c, '~' | '#') && word.is_some())
                || (is_pattern(c) && is_option(word.as_deref())) =>
            {
                word.get_or_insert_default().push(c);
            }
            c => return Err(shell(format!("the character {c:?}"))),
        }
    }
    words.extend(word);
    Ok(words)
}

fn plain_in_quotes(text: &str) -> Result<(), String> {
    match text.chars().find(|c| matches!(c, '`' | '\\') || c.is_control()) {
        Some(c) => Err(format!("the character {c:?} in quotes")),
        None => Ok(()),
    }
}

/// The value of the variable whose name (without `$`) begins a text, and what follows it.
fn expand<'t>(
    line: usize,
    text: &'t str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, &'t str), LaunchError> {
    let is_name = |name: &str| {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = match text.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
        Some((name, rest)) => (name, rest),
        None => text.split_at(end),
    };
    if !is_name(name) {
        let what = "a `$` that is no `$NAME` or `${NAME}`".to_owned();
        return Err(LaunchError::Shell { line, what });
    }
    // These are the shell's own, whatever the environment says (bash(1), "Shell Variables").
    if OWN.contains(&name) || OWN_BEGIN.iter().any(|start| name.starts_with(start)) {
        let what = format!("`${name}`, which is a shell's own");
        return Err(LaunchError::Shell { line, what });
    }
    let value = variable(name).ok_or_else(|| LaunchError::Variable { line, name: name.to_owned() })?;
    Ok((value, rest))
}
