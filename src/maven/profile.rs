//! Which profiles of a POM are active, and what they change.
//!
//! Each POM's profiles are looked at by themselves, a parent's too (`DefaultProfileSelector`). A profile with triggers is active
//! when all of them hold; one that is active by default only if no other of the same POM is. Triggers see system properties
//! and the user's, never the model's, but since Maven 3.9 their own values are interpolated with those of the model.

use std::sync::Arc;

use super::coordinate::Text;
use super::machine::Machine;
use super::merge;
use super::pom::{Activation, ModelBase, OsTrigger, Pom, Profile, Properties};

/// Where the root's POM lies, as far as its profiles can tell.
pub(super) const PROJECT_DIRECTORY: &str = "/tmp/project";

/// What triggers can see.
#[derive(Debug, Clone)]
pub(super) struct Context<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// Properties of the command line, and `packaging` of the model that is built.
    pub user: &'a Properties,
    /// Packaging of the model that is built, which is not always that of the POM whose profiles these are.
    pub packaging: &'a str,
    /// The model is the root's, which lies in a directory.
    pub root: bool,
}

/// A copy of `pom` into which its active profiles have gone.
pub(super) fn inject_profiles(pom: &Pom, context: &Context<'_>) -> Pom {
    let mut pom = pom.clone();
    pom.base.dependencies = merge::last_of_each(&pom.base.dependencies);
    let profiles = std::mem::take(&mut pom.profiles);
    for profile in active(&profiles, &pom.base.properties, context) {
        inject(&mut pom.base, &profile.base);
    }
    pom
}

/// A profile's entries replace the POM's of the same key in place, new ones follow; its repositories come first
/// (`DefaultProfileInjector`).
fn inject(target: &mut ModelBase, profile: &ModelBase) {
    target
        .properties
        .extend(profile.properties.iter().map(|(name, value)| (Arc::clone(name), Arc::clone(value))));
    merge::dominate(&mut target.dependencies, &profile.dependencies);
    if let Some(managed) = &profile.managed {
        merge::dominate(target.managed.get_or_insert_default(), managed);
    }
    target.repositories = merge::repositories(&profile.repositories, &target.repositories);
}

/// Those that are triggered, or else those that are active by default.
pub(super) fn active<'a>(
    profiles: &'a [Profile],
    properties: &Properties,
    context: &Context<'_>,
) -> Vec<&'a Profile> {
    let triggered: Vec<&Profile> =
        profiles.iter().filter(|profile| is_triggered(&profile.activation, properties, context)).collect();
    if triggered.is_empty() {
        profiles.iter().filter(|profile| profile.activation.by_default).collect()
    } else {
        triggered
    }
}

fn is_triggered(activation: &Activation, properties: &Properties, context: &Context<'_>) -> bool {
    let value = |text: &Text| interpolate(text, properties, context);
    let jdk = activation.jdk.as_ref().map(|jdk| jdk_matches(&value(jdk), context.machine));
    let os = activation.os.as_ref().map(|os| os_matches(os, value, context.machine));
    let property = activation.property.as_ref().map(|(name, expected)| {
        property_matches(&value(name), expected.as_ref().map(value).as_deref(), context)
    });
    let file = activation.file.as_ref().map(|(exists, missing)| {
        let wanted = exists.as_ref().filter(|path| !path.is_empty());
        match (wanted, missing.as_ref().filter(|path| !path.is_empty())) {
            (Some(path), _) => has_file(path, properties, context) == Some(true),
            (None, Some(path)) => has_file(path, properties, context) == Some(false),
            (None, None) => false,
        }
    });
    let triggers = [jdk, os, property, file];
    triggers.iter().any(Option::is_some) && triggers.into_iter().flatten().all(|holds| holds)
}

/// Expressions in a trigger's value, resolved once with what the POM and the machine have.
fn interpolate(text: &str, properties: &Properties, context: &Context<'_>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        result.push_str(before);
        let value = (properties.get(name).or_else(|| context.user.get(name)))
            .or_else(|| context.machine.system.get(name));
        if let Some(value) = value {
            result.push_str(value);
        } else {
            result.push_str("${");
            result.push_str(name);
            result.push('}');
        }
        rest = after;
    }
    result + rest
}

/// `JdkVersionProfileActivator`: a prefix, `!` and a prefix, or a range over three numbers.
fn jdk_matches(jdk: &str, machine: &Machine) -> bool {
    let version = machine.property("java.version").unwrap_or_default();
    if let Some(prefix) = jdk.strip_prefix('!') {
        return !version.starts_with(prefix);
    }
    if !jdk.starts_with(['[', '(']) {
        return version.starts_with(jdk);
    }
    let mut bounds = jdk.split(',').filter_map(|token| {
        let (text, closed) = match (token.strip_prefix('['), token.strip_prefix('(')) {
            (Some(text), _) => (text, true),
            (None, Some(text)) => (text, false),
            (None, None) => match (token.strip_suffix(']'), token.strip_suffix(')')) {
                (Some(text), _) => (text, true),
                (None, Some(text)) => (text, false),
                (None, None) => (token, false),
            },
        };
        (token.is_empty() || text != token).then(|| (text.to_owned(), closed))
    });
    let lower = bounds.next().unwrap_or_default();
    let upper = bounds.next().unwrap_or_else(|| ("99999999".to_owned(), false));
    // What is no number, as in `[17]`, ends the comparison, and the profile is not active.
    match relation(version, &lower, true) {
        Some(std::cmp::Ordering::Equal) => true,
        Some(std::cmp::Ordering::Greater) => {
            relation(version, &upper, false).is_some_and(std::cmp::Ordering::is_le)
        }
        Some(std::cmp::Ordering::Less) | None => false,
    }
}

/// How a version lies to one end of a range; nothing where a number of it is none.
fn relation(version: &str, (bound, closed): &(String, bool), lower: bool) -> Option<std::cmp::Ordering> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    if bound.is_empty() {
        return Some(if lower { Greater } else { Less });
    }
    let version: String =
        version.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | '-')).collect();
    let mut versions = version.split(['.', '_', '-']);
    let mut bounds = bound.split('.');
    for _ in 0..3 {
        let number = |part: Option<&str>| part.map_or(Some(0), |part| part.trim().parse::<u64>().ok());
        match number(versions.next())?.cmp(&number(bounds.next())?) {
            Equal => {}
            other => return Some(other),
        }
    }
    Some(if *closed {
        Equal
    } else if lower {
        Less
    } else {
        Greater
    })
}

/// `OperatingSystemProfileActivator`: everything that is given has to match; `!` turns a value round.
fn os_matches(os: &OsTrigger, value: impl Fn(&Text) -> String, machine: &Machine) -> bool {
    let test = |wanted: &Option<Text>, holds: &dyn Fn(&str) -> bool| {
        wanted.as_ref().is_none_or(|wanted| {
            let wanted = value(wanted);
            match wanted.strip_prefix('!') {
                Some(wanted) => !holds(wanted),
                None => holds(&wanted),
            }
        })
    };
    let same = |property: &'static str| {
        move |wanted: &str| {
            machine.property(property).is_some_and(|actual| actual.eq_ignore_ascii_case(wanted))
        }
    };
    let version = |wanted: &str| match wanted.strip_prefix("regex:") {
        Some(pattern) => regex::Regex::new(&format!("^(?:{pattern})$"))
            .is_ok_and(|pattern| pattern.is_match(machine.property("os.version").unwrap_or_default())),
        None => same("os.version")(wanted),
    };
    // plexus-utils' `Os`: families that it does not know are looked for in the system's name.
    let family = |wanted: &str| match wanted.to_lowercase().as_str() {
        "unix" => true,
        "windows" | "win9x" | "winnt" | "os/2" | "netware" | "dos" | "mac" | "tandem" | "z/os" | "os/400"
        | "openvms" => false,
        other => "linux".contains(other),
    };
    [&os.name, &os.family, &os.arch, &os.version].iter().any(|wanted| wanted.is_some())
        && test(&os.family, &family)
        && test(&os.name, &same("os.name"))
        && test(&os.arch, &same("os.arch"))
        && test(&os.version, &version)
}

/// `PropertyProfileActivator`.
fn property_matches(name: &str, expected: Option<&str>, context: &Context<'_>) -> bool {
    let (name, reverse) = name.strip_prefix('!').map_or((name, false), |name| (name, true));
    if name.is_empty() {
        return false;
    }
    let value = match context.user.get(name) {
        Some(value) => Some(value.as_ref()),
        // Since 3.9 (MNG-6609).
        None if name == "packaging" => Some(context.packaging),
        None => context.machine.property(name),
    };
    match expected.filter(|expected| !expected.is_empty()) {
        Some(expected) => match expected.strip_prefix('!') {
            Some(expected) => value != Some(expected),
            None => value == Some(expected),
        },
        None => value.is_some_and(|value| !value.is_empty()) != reverse,
    }
}

/// `FileProfileActivator`: whether the file is there, or nothing for a path that leads nowhere: only the root has a directory.
fn has_file(path: &str, properties: &Properties, context: &Context<'_>) -> Option<bool> {
    let path = match (context.root, path.contains("${basedir}")) {
        (true, _) => path.replace("${basedir}", PROJECT_DIRECTORY),
        (false, true) => return None,
        (false, false) => path.to_owned(),
    };
    let path = interpolate(&path, properties, context);
    let path = match (path.starts_with('/'), context.root) {
        (true, _) => path,
        (false, true) => format!("{PROJECT_DIRECTORY}/{path}"),
        (false, false) => return None,
    };
    Some(context.machine.has_file(&path, PROJECT_DIRECTORY))
}

#[cfg(test)]
mod tests;
