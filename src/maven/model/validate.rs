//! What `DefaultModelValidator` calls an error in every POM, whoever made it; and lengths, which Maven leaves to file systems.

use crate::maven::coordinate::{MAX_PART, is_lawful_id};
use crate::maven::error::ModelProblem;
use crate::maven::pom::Dependency;

/// What `DefaultModelValidator` calls an error in every POM, whoever made it.
pub(super) fn check(dependency: &Dependency, managed: bool) -> Result<(), ModelProblem> {
    let what = || {
        let kind = if managed { "the managed dependency" } else { "the dependency" };
        format!("{kind} {}", dependency.title())
    };
    for (field, id) in [("groupId", &dependency.group), ("artifactId", &dependency.artifact)] {
        if !is_lawful_id(id) {
            return check_id(field, id, &what());
        }
    }
    for (field, value) in [
        ("version", dependency.version.as_ref()),
        ("type", Some(&dependency.kind)),
        ("classifier", dependency.classifier.as_ref()),
    ] {
        if let Some(value) = value.filter(|value| value.len() > MAX_PART) {
            return check_length(field, value, &what());
        }
    }
    if dependency.kind.is_empty() {
        return Err(field_problem("type", &what(), "is missing"));
    }
    if !managed && dependency.version.as_deref().is_none_or(str::is_empty) {
        return Err(field_problem("version", &what(), "is missing"));
    }
    let path = dependency.system_path.as_deref().filter(|path| !path.is_empty());
    match (dependency.scope.as_deref() == Some("system"), path) {
        (true, None) => Err(field_problem("systemPath", &what(), "is missing")),
        (true, Some(path)) if !path.starts_with('/') => {
            Err(field_problem("systemPath", &what(), "is not an absolute path"))
        }
        (false, Some(_)) => Err(field_problem("systemPath", &what(), "is only for the scope `system`")),
        _ => Ok(()),
    }
}

pub(super) fn check_id(field: &'static str, id: &str, of: &str) -> Result<(), ModelProblem> {
    if is_lawful_id(id) {
        return Ok(());
    }
    check_length(field, id, of)?;
    let problem = match id {
        "" => "is missing".to_owned(),
        other => format!("is `{}`, which is no id", crate::path::shown(other.as_bytes())),
    };
    Err(field_problem(field, of, &problem))
}

pub(super) fn check_length(field: &'static str, value: &str, of: &str) -> Result<(), ModelProblem> {
    if value.len() <= MAX_PART {
        return Ok(());
    }
    Err(field_problem(field, of, &format!("is longer than {MAX_PART} bytes")))
}

pub(super) fn field_problem(field: &'static str, of: &str, problem: &str) -> ModelProblem {
    ModelProblem::Field { field, of: crate::path::shown(of.as_bytes()), problem: problem.to_owned() }
}
