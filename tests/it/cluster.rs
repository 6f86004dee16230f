//! Builds of resources of a cluster, against Kubernetes' real API server: what is refused, what is reported, what survives.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::cluster::{Cluster, tool};
use crate::support::real::{Doorkeeper, Process, RealRegistry, Setup, text};
use crate::support::{Run, Workplace, without_ports, zip_of};

/// A cluster with a namespace `kafka`, a registry, and an artifact.
pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    registry: RealRegistry,
    pub(crate) artifacts: ArtifactServer,
    pub(crate) place: Workplace,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let cluster = Cluster::start();
        cluster.namespace("kafka");
        let service = "META-INF/services/org.apache.kafka.connect.sink.SinkConnector";
        let jar = Answer::Content(zip_of(&[("A.class", b"a"), (service, b"org.example.EchoSink\n")]));
        Self {
            cluster,
            registry: RealRegistry::start(Setup::Http),
            artifacts: ArtifactServer::start(&[("/a.jar", jar)]),
            place: Workplace::new(),
        }
    }

    fn image(&self, name: &str) -> String {
        format!("{}/{name}:1", self.registry.host())
    }

    /// `spec.build` with one plugin.
    fn section(&self, name: &str) -> Value {
        json!({
            "output": { "type": "docker", "image": self.image(name) },
            "plugins": [{ "name": "echo", "artifacts": [{ "type": "jar", "url": self.artifacts.url("/a.jar") }] }],
        })
    }

    /// Creates a ConnectBuild that builds on nothing.
    pub(crate) fn connect_build(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut resource = json!({
            "apiVersion": "connectbuild.io/v1alpha1",
            "kind": "ConnectBuild",
            "metadata": { "name": name, "namespace": "kafka" },
            "spec": { "base": { "image": "scratch" }, "build": self.section(name) },
        });
        change(&mut resource);
        self.cluster.apply(&resource.to_string());
    }

    fn command(&self, resource: &str, arguments: &[&str]) -> Command {
        let mut command = self.place.command();
        command.args(["build", "--resource", resource, "-n", "kafka", "--kubeconfig"]);
        command.arg(self.cluster.kubeconfig()).args(arguments);
        command
    }

    pub(crate) fn build(&self, resource: &str, arguments: &[&str]) -> Run {
        Run::new(self.command(resource, arguments).output().unwrap(), &self.place.path(""))
    }

    /// A build that goes on while the test does something to it.
    pub(crate) fn begin(&self, resource: &str) -> Process {
        self.start(self.command(resource, &[]))
    }

    pub(crate) fn start(&self, mut command: Command) -> Process {
        let words = std::fs::File::create(self.place.path("words")).unwrap();
        let stdout = std::fs::File::create(self.place.path("image")).unwrap();
        Process(command.stdout(stdout).stderr(words).spawn().unwrap())
    }

    /// Waits until a value in the cluster is this.
    pub(crate) fn wait(&self, resource: &str, path: &str, value: &str) {
        let begun = Instant::now();
        while self.cluster.value(resource, "kafka", path) != value {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{resource} {path}: {:?}",
                self.place.read("words")
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn end(&self, mut running: Process) -> Run {
        let code = running.0.wait().unwrap().code().unwrap_or(-1);
        Run { code, stdout: self.place.read("image"), stderr: self.place.read("words") }
    }

    /// An image as skopeo names it.
    pub(crate) fn docker(&self, name: &str) -> String {
        format!("docker://{}", self.image(name))
    }

    /// What skopeo says of an image.
    pub(crate) fn skopeo(&self, name: &str) -> String {
        let image = self.docker(name);
        let inspect = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &image];
        text(Command::new("skopeo").args(inspect)).trim().to_owned()
    }

    pub(crate) fn status(&self, name: &str) -> Value {
        let resource = self.cluster.run(&["get", "connectbuild", name, "-n", "kafka", "-o", "json"]);
        serde_json::from_str::<Value>(&resource).unwrap()["status"].take()
    }
}

/// The conditions as lines, without what differs from run to run.
fn conditions(status: &Value) -> String {
    let lines: Vec<String> = (status["conditions"].as_array().unwrap().iter())
        .map(|c| {
            let word = |field: &str| c[field].as_str().unwrap_or_default().to_owned();
            let message = without_digests(&without_ports(&word("message")));
            format!("{} {} {}: {message}", word("type"), word("status"), word("reason"))
        })
        .collect();
    lines.join("\n")
}

/// The same of a build that ended somewhere on its way: how far it came is chance.
pub(crate) fn conditions_somewhere(status: &Value) -> String {
    let far = regex::Regex::new(r"of \d of \d plugins(, \d+ B)?|\d+ B so far").unwrap();
    far.replace_all(&conditions(status), "SO FAR").into_owned()
}

/// `sha256:` and its digits become `DIGEST`.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "DIGEST" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

#[test]
#[ignore = "kube-apiserver, etcd, kubectl, docker-registry, skopeo"]
fn a_resource_is_built_and_its_status_says_so() {
    let stage = Stage::new();
    stage.connect_build("one", |_| ());
    let run = stage.build("connectbuild/one", &[]).succeeded();
    let status = stage.status("one");
    assert_eq!(status["digest"], stage.skopeo("one"));
    assert_eq!(status["digest"], run.digest());
    assert_eq!(status["image"], run.stdout.trim());
    assert_eq!((&status["phase"], &status["observedGeneration"]), (&json!("Succeeded"), &json!(1)));
    assert_eq!(status["build"]["attempt"], 1);
    assert_eq!(status["plugins"][0]["name"], "echo");
    assert_eq!(status["plugins"][0]["connectors"], json!(["org.example.EchoSink"]));
    assert!(status["startTime"].as_str().unwrap() <= status["completionTime"].as_str().unwrap());
    insta::assert_snapshot!(conditions(&status));
    // The columns of `kubectl get`; the age differs.
    let table = stage.cluster.run(&["get", "cb", "-n", "kafka"]);
    let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert!(table.starts_with("NAME   IMAGE"), "{table}");
    assert_eq!(row[1..5], [&*stage.image("one"), &run.digest(), "True", "Succeeded"]);
    // All of it is ours, and nothing else is.
    let managers = stage.cluster.value(
        "cb/one",
        "kafka",
        ".metadata.managedFields[?(@.subresource==\"status\")].manager",
    );
    assert_eq!(managers, "connect-build");

    // It fails: the last image stays, with why there is no new one.
    stage.connect_build("one", |resource| {
        let plugin = json!({ "name": "more", "artifacts": [{ "type": "jar", "url": stage.artifacts.url("/missing.jar") }] });
        resource["spec"]["build"]["plugins"].as_array_mut().unwrap().push(plugin);
    });
    let failed = stage.build("cb/one", &["--retries", "0"]);
    assert_eq!(failed.code, 4);
    let status = stage.status("one");
    assert_eq!((&status["digest"], &status["phase"]), (&json!(run.digest()), &json!("Failed")));
    assert_eq!((&status["observedGeneration"], &status["build"]["attempt"]), (&json!(2), &json!(1)));
    insta::assert_snapshot!(conditions_somewhere(&status));
    stage.build("cb/one", &["--retries", "0", "--pod", "the-pod"]);
    assert_eq!(stage.status("one")["build"], json!({ "attempt": 2, "pod": "the-pod" }));

    // It rests.
    stage.connect_build("one", |resource| resource["spec"]["suspend"] = true.into());
    let rested = stage.build("connectbuilds.connectbuild.io/one", &[]).succeeded();
    assert_eq!(rested.stdout, "");
    let status = stage.status("one");
    assert_eq!((&status["phase"], &status["digest"]), (&json!("Suspended"), &json!(run.digest())));
    insta::assert_snapshot!(conditions(&status));

    // What is wrong with the words of a resource is in its status too.
    stage.connect_build("odd", |resource| {
        let artifact = &mut resource["spec"]["build"]["plugins"][0]["artifacts"][0];
        (artifact["type"], artifact["fileName"]) = ("other".into(), "../x".into());
    });
    assert_eq!(stage.build("cb/odd", &[]).code, 3);
    insta::assert_snapshot!(conditions(&stage.status("odd")));
    let plan = stage
        .place
        .command()
        .args(["plan", "--resource", "cb/one", "-n", "kafka", "--kubeconfig"])
        .arg(stage.cluster.kubeconfig())
        .output()
        .unwrap();
    let plan = Run::new(plan, &stage.place.path("")).succeeded();
    assert!(plan.stdout.starts_with("base    scratch\noutput  "), "{}", plan.stdout);
}

#[test]
#[ignore = "kube-apiserver, etcd, kubectl"]
fn wrong_resources_are_refused_in_words() {
    let cluster = Cluster::start();
    cluster.namespace("kafka");
    let good = json!({
        "apiVersion": "connectbuild.io/v1alpha1",
        "kind": "ConnectBuild",
        "metadata": { "name": "x", "namespace": "kafka" },
        "spec": {
            "base": { "image": "quay.io/strimzi/kafka:1" },
            "build": {
                "output": { "type": "docker", "image": "registry.example.com/x:1" },
                "plugins": [{ "name": "echo", "artifacts": [{ "type": "jar", "url": "https://example.com/a.jar" }] }],
            },
        },
    });
    let artifact = "/spec/build/plugins/0/artifacts/0";
    let wrong: [(&str, &str, Value); 13] = [
        ("no base", "/spec/base", Value::Null),
        ("no output", "/spec/build/output", Value::Null),
        ("a type of output", "/spec/build/output/type", "tar".into()),
        ("onto the base", "/spec/build/output/image", "quay.io/strimzi/kafka:1".into()),
        ("a platform", "/spec/base/platforms", json!(["amd64"])),
        ("a plugin's name", "/spec/build/plugins/0/name", "Echo!".into()),
        ("a type of artifact", &format!("{artifact}/type"), "tar".into()),
        ("a file of whoever builds", &format!("{artifact}/url"), "file:/etc/passwd".into()),
        ("ftp", &format!("{artifact}/url"), "ftp://example.com/a.jar".into()),
        ("no url", &format!("{artifact}/url"), Value::Null),
        ("half of a coordinate", artifact, json!({ "type": "maven", "group": "g" })),
        ("a field that nobody knows", "/spec/build/plugins/0/artefacts", json!([])),
        ("a plugin twice", "/spec/build/plugins/1", json!({ "name": "echo", "artifacts": [] })),
    ];
    let mut told = String::new();
    for (row, pointer, value) in wrong {
        let mut resource = good.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match resource.pointer_mut(parent).unwrap() {
            Value::Array(list) if list.len() == 1 && key == "1" => list.push(value),
            Value::Array(list) => list[0] = value,
            parent if value.is_null() => drop(parent.as_object_mut().unwrap().remove(key)),
            parent => parent[key] = value,
        }
        let words = cluster.try_apply(&resource.to_string(), &["--dry-run=server"]).unwrap_err();
        told += &format!("== {row}\n{}\n", words.trim());
    }
    insta::assert_snapshot!(told);
    cluster.try_apply(&good.to_string(), &["--dry-run=server"]).unwrap();
    for example in ["connect-build", "plugins"] {
        let file = format!("{}/examples/cluster/{example}.yaml", env!("CARGO_MANIFEST_DIR"));
        cluster.try_apply(&std::fs::read_to_string(file).unwrap(), &["--dry-run=server"]).unwrap();
    }
    // Every field of the build has a sentence.
    let explained = cluster.run(&["explain", "connectbuild.spec", "--recursive"]);
    assert!(explained.contains("includeScope"), "{explained}");
    for field in
        ["spec", "spec.base", "spec.build", "spec.build.output", "spec.build.plugins.artifacts", "status"]
    {
        let words = cluster.run(&["explain", &format!("connectbuild.{field}")]);
        assert!(!words.contains("<no description>") && !words.contains("<empty>"), "{words}");
        for name in words
            .lines()
            .filter_map(|line| line.strip_prefix("  ").filter(|l| !l.starts_with(' ') && l.contains('\t')))
        {
            assert!(!name.is_empty());
        }
    }
    insta::assert_snapshot!(cluster.run(&["explain", "connectbuild.spec.build"]));
}

#[test]
#[ignore = "kube-apiserver, etcd, kubectl, docker-registry, skopeo"]
fn a_kafka_connect_gets_an_annotation_and_events() {
    let stage = Stage::new();
    let resource = json!({
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaConnect",
        "metadata": { "name": "mine", "namespace": "kafka" },
        "spec": { "replicas": 1, "image": "quay.io/strimzi/kafka:1", "build": stage.section("mine") },
    });
    stage.cluster.apply(&resource.to_string());
    let status =
        r#"{"status":{"conditions":[{"type":"Ready","status":"True"}],"observedGeneration":1,"replicas":1}}"#;
    stage.cluster.run(&[
        "patch",
        "kc",
        "mine",
        "-n",
        "kafka",
        "--subresource=status",
        "--type=merge",
        "-p",
        status,
    ]);
    let before = stage.cluster.value("kc/mine", "kafka", ".status");
    let run = stage.build("kafkaconnect/mine", &["--base", "scratch"]).succeeded();
    assert_eq!(run.digest(), stage.skopeo("mine"));
    let annotation = stage.cluster.value("kc/mine", "kafka", ".metadata.annotations.connectbuild\\.io/image");
    assert_eq!(annotation, run.stdout.trim());
    assert_eq!(stage.cluster.value("kc/mine", "kafka", ".status"), before);
    assert_eq!(stage.cluster.value("kc/mine", "kafka", ".metadata.generation"), "1");
    stage
        .artifacts
        .answer_instead("/a.jar", Answer::Raw("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".into()));
    assert_eq!(stage.build("kc/mine", &["--base", "scratch"]).code, 4);
    let template = "{range .items[*]}{.type} {.reason} {.involvedObject.kind}/{.involvedObject.name} {.source.component}: {.message}{\"\\n\"}{end}";
    let events = stage.cluster.run(&[
        "get",
        "events",
        "-n",
        "kafka",
        "--sort-by=.metadata.creationTimestamp",
        "-o",
        &format!("jsonpath={template}"),
    ]);
    let mut lines: Vec<&str> = events.lines().collect();
    lines.sort_unstable();
    insta::assert_snapshot!(without_digests(&without_ports(&lines.join("\n"))));
    // kubectl shows them where people look.
    assert!(stage.cluster.run(&["describe", "kc", "mine", "-n", "kafka"]).contains("BuildFailed"));

    // Others are told where somebody says so, also of a build from a file; and a status that is not ours is left alone.
    stage.artifacts.answer_instead("/a.jar", Answer::Content(zip_of(&[("A.class", b"a")])));
    stage.place.write("connect.json", resource.to_string());
    let kubeconfig = stage.cluster.kubeconfig().display().to_string();
    let of_file = |report: &str| {
        let arguments =
            ["build", "connect.json", "--base", "scratch", "-n", "kafka", "--kubeconfig", &kubeconfig];
        stage.place.run(&[arguments.as_slice(), &["--report", report]].concat())
    };
    stage.cluster.run(&["annotate", "kc", "mine", "-n", "kafka", "connectbuild.io/image-"]);
    let run = of_file("annotation:kc/mine").succeeded();
    let annotation = stage.cluster.value("kc/mine", "kafka", ".metadata.annotations.connectbuild\\.io/image");
    assert_eq!(annotation, run.stdout.trim());
    let refused =
        [of_file("status:kc/mine"), of_file("kc/mine"), of_file("event:pod/x"), of_file("event:kc/other")];
    insta::assert_snapshot!(refused.map(|run| run.error()).join("\n\n"));
}

#[test]
#[ignore = "kube-apiserver, etcd, kubectl, docker-registry, skopeo, nginx, openssl"]
fn an_image_stream_takes_the_image_with_a_service_accounts_token() {
    let stage = Stage::new();
    // A role for nothing but what the build reads and writes.
    stage.cluster.run(&["create", "serviceaccount", "builder", "-n", "kafka"]);
    let may = ["create", "role", "builder", "-n", "kafka", "--verb=get,patch"];
    let what = [
        "--resource=connectbuilds.connectbuild.io,connectbuilds.connectbuild.io/status,imagestreams.image.openshift.io",
    ];
    stage.cluster.run(&[may.as_slice(), &what].concat());
    stage.cluster.run(&[
        "create",
        "rolebinding",
        "builder",
        "-n",
        "kafka",
        "--role=builder",
        "--serviceaccount=kafka:builder",
    ]);
    let token = stage.cluster.token("kafka", "builder");
    let kubeconfig = stage.cluster.kubeconfig_of_token(&token).display().to_string();
    let registry = Doorkeeper::start("serviceaccount", &token);
    let host = format!("localhost:{}", registry.port);
    let stream = json!({
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": { "name": "connect", "namespace": "kafka" },
    });
    stage.cluster.apply(&stream.to_string());
    for (name, image) in [("stream", "connect:latest"), ("missing", "nothing:latest")] {
        stage.connect_build(name, |resource| {
            resource["spec"]["build"]["output"] = json!({ "type": "imagestream", "image": image });
        });
    }
    let authority = format!("{host}={}", registry.authority().display());
    let build = |name: &str, kubeconfig: &str| {
        let resource = format!("connectbuild/{name}");
        let arguments = ["build", "--resource", &resource, "-n", "kafka", "--kubeconfig", kubeconfig];
        stage.place.run(&[arguments.as_slice(), &["--registry-ca", &authority]].concat())
    };
    let unset = build("stream", &kubeconfig);
    let status =
        json!({ "status": { "dockerImageRepository": format!("{host}/kafka/connect") } }).to_string();
    stage.cluster.run(&[
        "patch",
        "is",
        "connect",
        "-n",
        "kafka",
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ]);

    let run = build("stream", &kubeconfig).succeeded();
    assert_eq!(run.stdout.trim(), format!("{host}/kafka/connect@{}", run.digest()));
    assert_eq!(stage.status("stream")["digest"], run.digest());
    let image = format!("docker://{host}/kafka/connect:latest");
    let credentials = format!("serviceaccount:{token}");
    let inspect =
        ["inspect", "--tls-verify=false", "--creds", &credentials, "--format", "{{.Digest}}", &image];
    assert_eq!(text(Command::new("skopeo").args(inspect)).trim(), run.digest());

    // Another token, which the API server takes too, but not the registry.
    let other =
        stage.cluster.kubeconfig_of_token(&stage.cluster.token("kafka", "builder")).display().to_string();
    let refused = build("stream", &other);
    assert!(!refused.stderr.contains(&token), "{}", refused.stderr);
    let missing = build("missing", &kubeconfig);
    insta::assert_snapshot!([unset, refused, missing].map(|run| run.error()).join("\n\n"));
    assert!(conditions(&stage.status("missing")).contains("no image stream with name nothing."));
}

/// The commands of README's section for Strimzi, as they stand there, lead to the operator's variable and back.
#[test]
#[ignore = "kube-apiserver, etcd, kubectl, docker-registry, skopeo"]
fn the_way_to_strimzi_and_back_is_as_the_readme_says() {
    let readme = include_str!("../../README.md");
    let section = readme.split("\n## Use it with Strimzi").nth(1).unwrap().split("\n### ").next().unwrap();
    let mut commands: Vec<String> = Vec::new();
    for line in section.lines() {
        match line.strip_prefix("    ").map(str::trim) {
            Some(line) if line.starts_with("kubectl -n strimzi set env") => commands.push(line.to_owned()),
            Some(line) if commands.last().is_some_and(|last| last.ends_with('\\')) => {
                *commands.last_mut().unwrap() += &format!("\n{line}");
            }
            _ => {}
        }
    }
    let [keep, change, back] = commands.as_slice() else { panic!("{commands:?}") };

    let stage = Stage::new();
    stage.cluster.namespace("strimzi");
    let container = json!({ "name": "strimzi-cluster-operator", "image": "quay.io/strimzi/operator:1.3.0", "env": [
        { "name": "STRIMZI_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } },
        { "name": "STRIMZI_DEFAULT_KANIKO_EXECUTOR_IMAGE", "value": "quay.io/strimzi/kaniko-executor:1.3.0" },
        { "name": "STRIMZI_DEFAULT_BUILDAH_IMAGE", "value": "quay.io/strimzi/buildah:1.3.0" },
        { "name": "STRIMZI_DEFAULT_MAVEN_BUILDER", "value": "quay.io/strimzi/maven-builder:1.3.0" },
    ] });
    let labels = json!({ "name": "strimzi-cluster-operator" });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "strimzi-cluster-operator", "namespace": "strimzi" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
        },
    });
    stage.cluster.apply(&deployment.to_string());
    let name = "deployment/strimzi-cluster-operator";
    let spec = || stage.cluster.value(name, "strimzi", ".spec");
    let shell = |command: &str| {
        let alias = format!(
            "kubectl() {{ {:?} --kubeconfig {:?} \"$@\"; }}\n",
            tool("kubectl"),
            stage.cluster.kubeconfig()
        );
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &(alias + command)]).current_dir(stage.place.path(""));
        crate::support::real::output(&mut bash);
    };
    let before = spec();
    shell(keep);
    shell(change);
    let image = ".spec.template.spec.containers[0].env[?(@.name==\"STRIMZI_DEFAULT_BUILDAH_IMAGE\")].value";
    let changed = stage.cluster.value(name, "strimzi", image);
    assert_eq!(changed, "registry.example.com/platform/connect-build:0.1");
    shell(back);
    assert_eq!(spec(), before);
}
