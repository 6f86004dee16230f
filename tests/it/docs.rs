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

/// The options of Kaniko that the program knows, as its error for another one lists them.
#[test]
fn the_table_of_kanikos_options_is_the_programs() {
    let run = crate::support::Workplace::new().run(&["--no-such-option"]);
    let hint = run.stderr.lines().find_map(|line| line.strip_prefix("hint: known are ")).unwrap();
    let section = README.split("Of Kaniko's").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    for option in hint.split(", ") {
        assert!(section.contains(option), "{option} is not in the table");
    }
}

#[test]
fn the_example_for_strimzi_is_one() {
    let text = include_str!("../../examples/strimzi/private.yaml");
    let spec = connect_build::spec::read(text, connect_build::spec::Origin::File).unwrap();
    assert_eq!((spec.plugins.len(), spec.warnings), (3, Vec::<String>::new()));
    // Each variable that it sets is one of the program's.
    let help = crate::support::Workplace::new().run(&["build", "--help"]).stdout;
    let names = text.lines().filter_map(|line| line.trim().strip_prefix("- name: CONNECT_BUILD_"));
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 5);
    for name in names {
        assert!(help.contains(&format!("[env: CONNECT_BUILD_{name}=]")), "{name}");
    }
}

#[test]
fn the_examples_for_a_cluster_can_be_built() {
    let texts = [
        include_str!("../../examples/cluster/connect-build.yaml"),
        include_str!("../../examples/cluster/plugins.yaml"),
    ];
    for (text, base) in texts.iter().zip(["quay.io/strimzi/kafka:latest-kafka-4.1.0", "scratch"]) {
        let spec = connect_build::spec::read(text, connect_build::spec::Origin::File).unwrap();
        assert_eq!((spec.base.as_deref(), spec.warnings), (Some(base), Vec::<String>::new()));
        assert_eq!(spec.output.unwrap().push_secret.as_deref(), Some("registry-credentials"));
    }
    let section =
        README.split("\n## In a cluster").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let help = crate::support::Workplace::new().run(&["build", "--help"]).stdout;
    for flag in ["--resource", "--report", "--secrets-from-api"] {
        assert!(section.contains(flag) && help.contains(flag), "{flag}");
    }
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cluster")).unwrap() {
        let name = format!("examples/cluster/{}", file.unwrap().file_name().to_string_lossy());
        assert!(section.contains(&name), "{name} is not mentioned");
    }
}
