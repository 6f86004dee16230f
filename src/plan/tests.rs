#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::render;
use crate::spec::{Origin, read};

const SPEC: &str = r#"
apiVersion: kafka.strimzi.io/v1
kind: KafkaConnect
spec:
  image: quay.io/strimzi/kafka:1
  build:
    output: {type: docker, image: "registry.example.com:5000/team/connect"}
    plugins:
      - name: one
        artifacts:
          - {type: jar, url: "https://mydomain.tld/my.jar"}
          - {type: tgz, url: "https://mydomain.tld/my2.tgz"}
          - {type: zip, url: "file:a/b.zip"}
          - {type: other, url: "https://user:pass@mydomain.tld/x", fileName: x.conf}
          - {type: other, url: "https://mydomain.tld/y", insecure: true}
      - {name: empty, artifacts: []}
"#;

fn plan(text: &str, base: Option<&str>, to: Option<&str>) -> Result<Plan, PlanError> {
    let choices = Choices {
        base: base.map(str::to_owned),
        to: to.map(str::to_owned),
        directory: Some("dir".into()),
        maven_repository: false,
        layer: LayerChoices::default(),
    };
    Plan::new(&read(text, Origin::File).unwrap(), &choices)
}

fn refused(text: &str, base: Option<&str>, to: Option<&str>) -> String {
    render(&plan(text, base, to).unwrap_err())
}

#[test]
fn paths_are_strimzis() {
    let plan = plan(SPEC, None, None).unwrap();
    assert_eq!(plan.plugins.len(), 1, "a plugin without artifacts makes no layer");
    let rows: Vec<String> = plan.plugins[0]
        .artifacts
        .iter()
        .map(|a| format!("{}: {} -> {}", a.id(), a.source(), a.target()))
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    artifact 1 (jar) of plugin `one`: https://mydomain.tld/my.jar -> /opt/kafka/plugins/one/51e5038c/51e5038c.jar
    artifact 2 (tgz) of plugin `one`: https://mydomain.tld/my2.tgz -> /opt/kafka/plugins/one/638bd501/
    artifact 3 (zip) of plugin `one`: file:a/b.zip -> /opt/kafka/plugins/one/d923ae26/
    artifact 4 (other) of plugin `one`: https://***@mydomain.tld/x -> /opt/kafka/plugins/one/fde6d8af/x.conf
    artifact 5 (other) of plugin `one`: https://mydomain.tld/y -> /opt/kafka/plugins/one/df2178ce/df2178ce
    ");
    assert_eq!(plan.base.to_string(), "quay.io/strimzi/kafka:1");
    assert_eq!(plan.output.to_string(), "registry.example.com:5000/team/connect:latest");
}

#[test]
fn flags_come_before_the_resource_and_a_directory_last() {
    let by_flag = plan(SPEC, Some("scratch"), Some("oci-archive:x.tar:1")).unwrap();
    assert_eq!(
        (by_flag.base.to_string(), by_flag.output.to_string()),
        ("scratch".into(), "oci-archive:x.tar:1".into())
    );
    let bare = plan("{plugins: []}", Some("scratch"), None).unwrap();
    assert_eq!(bare.output.to_string(), "oci:connect-build-image");
}

#[test]
fn what_makes_no_plan() {
    let maven = "{plugins: [{name: deb, artifacts: [{type: maven, group: io.debezium, artifact: debezium-connector-mysql, version: 3.0.0.Final}]}]}";
    let stream = SPEC.replace("type: docker", "type: imagestream");
    let rows = [
        refused(maven, Some("scratch"), None),
        refused("{plugins: []}", None, None),
        refused(SPEC, Some("Not A Reference"), None),
        refused(SPEC, Some("user:secret@registry.example.com/Team"), None),
        refused(SPEC, Some("oci-archive:base.tar"), None),
        refused(SPEC, Some("https://quay.io/x"), None),
        refused(SPEC, None, Some("oci:")),
        refused(SPEC, None, Some("s3://somewhere")),
        refused(SPEC, None, Some(&format!("host/x@{}", Digest::of(b"")))),
        refused(SPEC, None, Some("docker://quay.io/strimzi/kafka:1")),
        refused(&stream, None, None),
    ];
    insta::assert_snapshot!(rows.join("\n\n"));
}

#[test]
fn locations() {
    for (text, shown) in [
        ("kafka", "docker.io/library/kafka:latest"),
        ("team/kafka:1", "docker.io/team/kafka:1"),
        ("localhost:5000/a/b:c", "localhost:5000/a/b:c"),
        ("docker://127.0.0.1:5000/kafka:base", "127.0.0.1:5000/kafka:base"),
        ("oci:dir/sub", "oci:dir/sub"),
        ("oci:dir/sub:tag", "oci:dir/sub:tag"),
        ("oci:/a:b/c", "oci:/a:b/c"),
    ] {
        assert_eq!(text.parse::<Base>().unwrap().to_string(), shown, "{text}");
    }
    assert_eq!(
        "docker-archive:f.tar:my/image:1".parse::<Output>().unwrap().to_string(),
        "docker-archive:f.tar:docker.io/my/image:1"
    );
}

#[test]
fn the_key_of_a_layer_follows_everything_that_decides_it() {
    let key = |text: &str| plan(text, None, None).unwrap().plugins[0].inputs.clone();
    let first = key(SPEC);
    assert_eq!(
        first,
        key(&SPEC.replace("quay.io/strimzi/kafka:1", "quay.io/strimzi/kafka:2")),
        "not the base"
    );
    for (from, to) in
        [("name: one", "name: two"), ("my.jar", "my1.jar"), ("x.conf", "y.conf"), ("type: zip", "type: tgz")]
    {
        assert_ne!(first, key(&SPEC.replace(from, to)), "{to}");
    }
    let spec = read(SPEC, Origin::File).unwrap();
    let layer = LayerChoices { mtime: 1, ..LayerChoices::default() };
    let other =
        Plan::new(&spec, &Choices { layer, directory: Some("dir".into()), ..Choices::default() }).unwrap();
    assert_ne!(first, other.plugins[0].inputs, "the modification time");
}
