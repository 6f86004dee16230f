//! The program as its users run it: a process with arguments, files, an environment and servers around it.
//!
//! Tests that need something installed are `#[ignore]`d with the name of what they need; `tests/run` installs it and runs
//! them too. The rest runs with plain `cargo test`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    clippy::too_many_lines
)]

mod archives_of_tools;
mod charts;
mod cli;
mod cluster;
mod cluster_faults;
mod container;
mod dialect;
mod differential;
mod docs;
mod downloads;
mod golden;
mod interrupted;
mod launch;
mod maven;
mod maven_hostile;
mod maven_oracle;
mod maven_repositories;
mod registries;
mod registry_faults;
mod secrets;
mod support;
