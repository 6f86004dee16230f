#![allow(clippy::unwrap_used, clippy::format_push_string, clippy::panic)]

use super::*;

fn errors(text: &str) -> String {
    read(text, Origin::File).unwrap_err().to_string()
}

const WHOLE: &str = r#"
apiVersion: kafka.strimzi.io/v1
kind: KafkaConnect
metadata: {name: my-connect, labels: {anything: goes}}
spec:
  image: quay.io/strimzi/kafka:latest
  replicas: 3
  somethingNew: {that: "we do not know"}
  build:
    output:
      type: docker
      image: registry.example.com/team/connect:1.0
      pushSecret: my-secret
      additionalBuildOptions: []
    resources: {limits: {cpu: 1}}
    plugins:
      - name: all-types
        artifacts:
          - {type: jar, url: "https://example.com/a.jar", insecure: true}
          - {type: tgz, url: "http://example.com/b.tgz", sha512sum: DIGITS}
          - {type: zip, url: "https://example.com/c.zip?x=1", insecure: false}
          - {type: other, url: "https://example.com/d", fileName: d.conf}
          - {type: maven, group: g, artifact: a, version: "1.10", repository: "https://repo.example.com/",
             mirrors: [{url: "https://mirror.example.com"}], includeScope: compile, insecure: null}
      - name: second
        artifacts: [{type: jar, url: "https://example.com/a.jar"}]
"#;

fn whole() -> String {
    WHOLE.replace("DIGITS", &"Ab".repeat(64))
}

#[test]
fn a_whole_resource() {
    let spec = read(&whole(), Origin::Elsewhere).unwrap();
    insta::assert_debug_snapshot!(spec);
    let json = serde_json::to_string(&serde_saphyr::from_str::<Value>(&whole()).unwrap()).unwrap();
    assert_eq!(read(&json, Origin::Elsewhere).unwrap(), spec, "JSON is read as YAML is");
    let old = whole().replace("kafka.strimzi.io/v1\n", "kafka.strimzi.io/v1beta2\n");
    assert_eq!(read(&old, Origin::Elsewhere).unwrap(), spec, "v1beta2 has the same fields");
    let windows = whole().replace('\n', "\r\n");
    assert_eq!(read(&windows, Origin::Elsewhere).unwrap(), spec);
}

#[test]
fn just_a_section_with_or_without_output() {
    let section = "build: {plugins: [{name: aa, artifacts: [{type: jar, url: 'https://h/a.jar'}]}]}";
    let spec = read(section, Origin::File).unwrap();
    assert_eq!((spec.output, spec.plugins.len()), (None, 1));
    let content = section.trim_start_matches("build: ");
    assert_eq!(
        read(content, Origin::File).unwrap().plugins,
        read(content, Origin::Elsewhere).unwrap().plugins
    );
}

#[test]
fn the_right_document_of_several_is_found() {
    let topic = "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nspec: {partitions: 1}\n";
    let stream = format!("{topic}---{}---\n", whole());
    assert_eq!(read(&stream, Origin::File).unwrap().name.as_deref(), Some("my-connect"));
    let twice = format!("{}---{}", whole(), whole());
    insta::assert_snapshot!(errors(&twice), @"the input holds 2 resources with a `build`: KafkaConnect `my-connect`, KafkaConnect `my-connect`");
}

#[test]
fn what_holds_nothing_to_build_says_why() {
    let rows = [
        "",
        "null",
        "just text",
        "[1, 2]",
        "kind: KafkaConnect\napiVersion: kafka.strimzi.io/v1\nspec: {replicas: 1}",
        "kind: Deployment\napiVersion: apps/v1\nspec: {build: {plugins: []}}",
        "a: 1\n---\nb: 2",
        "{unclosed: [",
        "a: 1\na: 2",
        "\tkey: tab",
    ];
    let words: Vec<String> = rows.iter().map(|text| format!("{text:?}\n  {}", errors(text))).collect();
    insta::assert_snapshot!(words.join("\n"));
    assert!(matches!(read(&"#".repeat(MAX_INPUT_BYTES + 1), Origin::File), Err(SpecError::TooLarge)));
}

#[test]
fn every_violation_is_reported_with_its_path() {
    let text = r#"
apiVersion: kafka.strimzi.io/v2
kind: KafkaConnect
spec:
  image: "Not An Image"
  build:
    outputs: {}
    output: {type: dockr, pushsecret: x}
    plugins:
      - name: Bad_Name
        artefacts: []
      - name: ok
        artifacts:
          - {type: jar, url: "not a url"}
          - {type: rpm, version: 1.10, insecure: "yes"}
          - just-text
          - {type: jar, url: "https://h/a", sha512sum: AB}
          - {type: other, url: "https://h/a", fileName: ../x}
          - {type: maven, group: g}
      - {name: ok, artifacts: []}
      - {name: x, artifacts: null}
"#;
    insta::assert_snapshot!(errors(text));
}

#[test]
fn meaning_is_checked_when_the_shape_is_right() {
    let text = r#"
apiVersion: kafka.strimzi.io/v1
kind: KafkaConnect
spec:
  image: same/image:1
  build:
    output: {type: docker, image: "same/image:1"}
    plugins:
      - name: twice
        artifacts:
          - {type: jar}
          - {type: tgz, url: "ftp://example.com/a.tgz"}
          - {type: zip, url: "https://[::1/a.zip", sha512sum: sha-512-checksum}
          - {type: zip, url: "https://example.com/a.zip", sha512sum: abc}
          - {type: other, url: "https://example.com/a", fileName: "../../../etc/passwd"}
          - {type: other, url: "https://example.com/a", fileName: "a\nRUN rm"}
          - {type: other, url: "https://example.com/a", fileName: ""}
          - {type: maven, group: g, version: ""}
          - {type: jar, url: "file:/etc/passwd"}
          - {type: jar, url: "file:../secret"}
      - name: twice
        artifacts: [{type: jar, url: "https://:80"}]
"#;
    insta::assert_snapshot!(errors(text));
}

#[test]
fn file_urls_are_for_files_alone() {
    let text = "{plugins: [{name: aa, artifacts: [{type: jar, url: 'file:a.jar'}]}]}";
    assert!(read(text, Origin::File).is_ok());
    insta::assert_snapshot!(
        read(text, Origin::Elsewhere).unwrap_err(),
        @"the resource is not valid: `plugins[0].artifacts[0].url` is a `file:` URL, which only a resource given as a file may use"
    );
}

#[test]
fn what_has_no_effect_is_warned_about() {
    let text = r#"
build:
  output: {type: imagestream, image: "a:b", pushSecret: s, additionalBuildOptions: [--retry=3], additionalPushOptions: [--quiet]}
  plugins:
    - {name: empty, artifacts: []}
    - name: full
      artifacts:
        - {type: jar, url: "https://h/a", group: g, fileName: f, includeScope: test}
        - {type: jar, url: "https://h/a"}
        - {type: maven, group: g, artifact: a, version: v, url: "https://h/a", sha512sum: x}
"#;
    insta::assert_snapshot!(read(text, Origin::File).unwrap().warnings.join("\n"));
    assert_eq!(
        read("{plugins: []}", Origin::File).unwrap().warnings,
        ["`plugins` is empty: the image will be the base image"]
    );
}

#[test]
fn urls_that_not_everybody_reads_alike_are_refused() {
    let text = r#"
plugins:
  - name: aa
    artifacts:
      - {type: jar, url: "https://h/a/%2e%2e/b"}
      - {type: jar, url: "https:////h/a"}
      - {type: jar, url: "https://127.1/a"}
      - {type: maven, group: g, artifact: a, version: v, repository: "https://me:SECRET\\@h/"}
      - {type: maven, group: g, artifact: b, version: v, repository: " https://h/"}
      - {type: maven, group: g, artifact: c, version: v, repository: "https:h/", mirrors: [{url: "https://h/{a,b}/"}]}
"#;
    insta::assert_snapshot!(errors(text));
}

#[test]
fn one_file_twice_has_to_satisfy_both() {
    let (sum, other) = ("a".repeat(128), "b".repeat(128));
    let artifacts = |artifacts: &str| {
        let text = format!("{{plugins: [{{name: aa, artifacts: [{artifacts}]}}]}}");
        read(&text, Origin::File)
    };
    let url = "url: 'https://h/a'";
    let stub = crate::digest::strimzi_stub("https://h/a");
    for twice in [
        format!("{{type: jar, {url}, insecure: true}}, {{type: jar, {url}, sha512sum: {sum}}}"),
        format!("{{type: tgz, {url}, sha512sum: {sum}}}, {{type: tgz, {url}, insecure: true}}"),
        format!(
            "{{type: jar, {url}, insecure: true}}, {{type: other, {url}, fileName: {stub}.jar, sha512sum: {sum}}}"
        ),
        format!(
            "{{type: other, {url}, insecure: true}}, {{type: other, {url}, fileName: {stub}, sha512sum: {sum}}}"
        ),
    ] {
        let spec = artifacts(&twice).unwrap();
        let [artifact] = spec.plugins[0].artifacts.as_slice() else { panic!("{twice}") };
        assert_eq!(artifact.kind.remote().unwrap().sha512, Some(sum.parse().unwrap()), "{twice}");
        assert!(!artifact.insecure, "{twice}");
        assert_eq!(spec.warnings.len(), 1, "{twice}");
    }
    for apart in [
        format!("{{type: jar, {url}}}, {{type: tgz, {url}}}, {{type: zip, {url}}}, {{type: other, {url}}}"),
        format!("{{type: other, {url}, fileName: a}}, {{type: other, {url}, fileName: b}}"),
    ] {
        let spec = artifacts(&apart).unwrap();
        assert_eq!(spec.plugins[0].artifacts.len(), apart.matches("type").count(), "{apart}");
    }
    let both = format!("{{type: zip, {url}, sha512sum: {sum}}}, {{type: zip, {url}, sha512sum: {other}}}");
    insta::assert_snapshot!(
        artifacts(&both).unwrap_err(),
        @"the resource is not valid: `plugins[0].artifacts[1].sha512sum` is another than that of `plugins[0].artifacts[0]`, which is the same file"
    );
}

#[test]
fn hints_say_what_to_give() {
    let hint = |text| read(text, Origin::File).unwrap_err().hint();
    insta::assert_snapshot!(hint("a: 1").unwrap(), @"give a KafkaConnect or ConnectBuild resource with `spec.build`, or its `build:` section; `connect-build schema` prints what belongs there");
}

#[test]
fn the_schema() {
    insta::assert_json_snapshot!(kafka_connect::schema());
}

#[test]
fn hostile_yaml_ends_quickly() {
    // "A billion laughs": aliases of aliases.
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let alias = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    assert!(read(&bomb, Origin::File).is_err());
    assert!(read(&"[".repeat(100_000), Origin::File).is_err());
}
