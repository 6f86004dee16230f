//! Says, at the end of plain `cargo test`, what was left out and why. It runs no test of its own.
//!
//! The list is what stands in the sources: the tests with `#[ignore = "…"]` and what they need.

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};

fn main() {
    // With `--include-ignored`, as `tests/run` has it, nothing is left out.
    if std::env::args().any(|argument| argument.ends_with("ignored")) {
        return;
    }
    let mut left_out = Vec::new();
    let mut open = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            left_out.extend(ignored(&path));
        }
    }
    left_out.sort();
    println!("\n{} tests were left out, because they need what may not be installed:", left_out.len());
    for (test, needs) in &left_out {
        println!("  {test}: {needs}");
    }
    println!("`tests/run` installs all of it and runs everything.");
}

/// Names of ignored tests in a file, with their reasons.
fn ignored(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let module = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::new();
    let mut reason = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[ignore = \"") {
            reason = Some(rest.trim_end_matches("\"]").to_owned());
        } else if let Some(name) = line.strip_prefix("fn ")
            && let Some(needs) = reason.take()
        {
            found.push((format!("{module}::{}", name.split('(').next().unwrap_or_default()), needs));
        }
    }
    found
}
