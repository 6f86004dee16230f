//! What the documents say is what the program does.

use connect_build::error::Reason;

const README: &str = include_str!("../../README.md");

#[test]
fn the_table_of_exit_codes_is_the_programs() {
    let expected: Vec<String> = (Reason::ALL.iter())
        .map(|reason| format!("| {} | `{}` | {} |", reason.exit_code(), reason.name(), reason.meaning()))
        .collect();
    let written: Vec<&str> = README.lines().filter(|line| expected.iter().any(|row| row == line)).collect();
    assert_eq!(written, expected);
    let codes: std::collections::BTreeSet<u8> = Reason::ALL.iter().map(|reason| reason.exit_code()).collect();
    assert_eq!(codes.len(), Reason::ALL.len());
}

#[test]
fn the_first_command_is_one_that_the_tests_run() {
    let command = "build examples/quickstart/kafka-connect.yaml --base scratch --to oci:target/quickstart";
    assert!(README.contains(&format!("cargo run --release -- {command}")));
}
