//! The chart: what it renders, what Kubernetes' API server says to that, and the rendered pods, run by podman.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::container::build_image;
use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::cluster::{Cluster, definition, tool};
use crate::support::real::{PASSWORD, RealRegistry, Setup, Store, USER, output, set_mode, text};
use crate::support::{Run, Workplace, zip_of};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/connect-build");

/// What Helm renders for these values, as one text.
fn render(namespace: &str, values: &Path) -> String {
    render_as("release", namespace, values, &[])
}

fn render_as(release: &str, namespace: &str, values: &Path, arguments: &[&str]) -> String {
    let mut helm = Command::new(tool("helm"));
    helm.args(["template", release, CHART, "--kube-version", "1.34.2", "-n", namespace, "--values"])
        .arg(values);
    text(helm.args(arguments))
}

/// The resources in it.
fn resources(rendered: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(rendered).unwrap();
    all.into_iter().filter(|resource| !resource.is_null()).collect()
}

fn of_kind<'a>(resources: &'a [Value], kind: &str) -> Vec<&'a Value> {
    resources.iter().filter(|resource| resource["kind"] == kind).collect()
}

/// Every combination that the chart keeps as an example.
fn combinations() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(CHART).join("ci")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files.push(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cluster/values.yaml").into());
    files
}

#[test]
fn the_definition_in_the_chart_is_the_programs() {
    let kept = std::fs::read_to_string(Path::new(CHART).join("crds/connectbuild.yaml")).unwrap();
    assert_eq!(kept, definition(), "run `connect-build crd > charts/connect-build/crds/connectbuild.yaml`");
}

#[test]
#[ignore = "helm, kube-apiserver, etcd, kubectl"]
fn every_combination_is_rendered_and_admitted() {
    let cluster = Cluster::start();
    cluster.namespace("kafka");
    let enforce = "pod-security.kubernetes.io/enforce=restricted";
    cluster.run(&["label", "namespace", "kafka", enforce]);
    // One of the combinations names it.
    cluster.run(&["create", "priorityclass", "low", "--value=1"]);
    // What would not pass is refused there.
    let root = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "root", "namespace": "kafka" },
        "spec": { "containers": [{ "name": "c", "image": "i" }] },
    });
    let refused = cluster.try_apply(&root.to_string(), &["--dry-run=server"]).unwrap_err();
    assert!(refused.contains("violates PodSecurity \"restricted:latest\""), "{refused}");
    for values in combinations() {
        let name = values.file_stem().unwrap().to_string_lossy().into_owned();
        output(Command::new(tool("helm")).args(["lint", "--strict", CHART, "--values"]).arg(&values));
        let rendered = render("kafka", &values);
        insta::assert_snapshot!(format!("chart-{name}"), rendered);
        // All of it is what the API server takes ...
        cluster.try_apply(&rendered, &["--dry-run=server"]).unwrap();
        // ... and every pod is admitted where only the restricted are.
        let resources = resources(&rendered);
        let mut pods: Vec<Value> = of_kind(&resources, "Pod").into_iter().cloned().collect();
        for job in of_kind(&resources, "Job") {
            pods.push(pod(&job["spec"]["template"]));
        }
        for job in of_kind(&resources, "CronJob") {
            pods.push(pod(&job["spec"]["jobTemplate"]["spec"]["template"]));
        }
        assert!(pods.len() >= 2, "{name}");
        for pod in pods {
            cluster.try_apply(&pod.to_string(), &["--dry-run=server"]).unwrap();
        }
    }
}

/// As the chart's README says it, again and again.
#[test]
#[ignore = "helm, kube-apiserver, etcd, kubectl"]
fn what_is_rendered_can_be_applied_again() {
    let cluster = Cluster::start();
    let readme = std::fs::read_to_string(Path::new(CHART).join("README.md")).unwrap();
    assert!(readme.contains("helm template images charts/connect-build -n kafka --no-hooks --values"));
    // Names that YAML takes for numbers, too.
    for (release, namespace) in [("images", "kafka"), ("123", "456"), ("1e3", "7"), ("a.b", "kafka")] {
        if namespace != "kafka" || release == "images" {
            cluster.namespace(namespace);
        }
        for values in [["one", "several"], ["several", "odd-names"], ["odd-names", "odd-names"]].concat() {
            let values = Path::new(CHART).join(format!("ci/{values}.yaml"));
            cluster.apply(&render_as(release, namespace, &values, &["--no-hooks"]));
        }
        let values = Path::new(CHART).join("ci/one.yaml");
        cluster.apply(&render_as(release, namespace, &values, &["--no-hooks", "--set", "image.tag=other"]));
        assert_eq!(cluster.run(&["get", "pods", "-n", namespace, "-o", "name"]), "");
    }
}

/// A pod of a Job's template.
fn pod(template: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "of-job", "namespace": "kafka", "labels": template["metadata"]["labels"] },
        "spec": template["spec"],
    })
}

#[test]
#[ignore = "helm"]
fn wrong_values_are_refused_in_words() {
    let place = Workplace::new();
    let rows = [
        ("nothing", "{}"),
        ("two ways", "{builds: [{name: a}], kafkaConnects: [b]}"),
        ("a name", "{builds: [{name: A_B}]}"),
        ("a name twice", "{builds: [{name: a}, {name: b}, {name: a}]}"),
        ("a build without base", "{builds: [{name: a, spec: {build: {}}}]}"),
        ("a word that nobody knows", "{kafkaConnects: [b], job: {paralelism: 2}}"),
        (
            "several secrets",
            "{builds: [{name: a, spec: {base: {}, build: {output: {pushSecret: first}}}}, {name: b, spec: {base: {}, build: {output: {pushSecret: second}}}}]}",
        ),
    ];
    let mut told = String::new();
    for (row, values) in rows {
        let file = place.write("values.yaml", values);
        let mut helm = Command::new(tool("helm"));
        helm.args(["template", "release", CHART, "--kube-version", "1.34.2", "--values"]).arg(file);
        let output = helm.output().unwrap();
        assert!(!output.status.success(), "{row}");
        let words = String::from_utf8(output.stderr).unwrap();
        let words = words.split("Use --debug").next().unwrap().trim();
        told += &format!("== {row}\n{words}\n");
    }
    insta::assert_snapshot!(told);
}

/// A place where the pods of a rendered Job run: podman stands in for the kubelet.
struct Node {
    cluster: Cluster,
    store: Store,
    image: String,
    place: Workplace,
}

impl Node {
    fn new() -> Self {
        let (cluster, store, place) = (Cluster::start(), Store::new(), Workplace::new());
        cluster.namespace("kafka");
        let image = build_image(&place, &store);
        Self { cluster, store, image, place }
    }

    /// Renders a release with these values, applies all but the pods, and gives the Job.
    fn install(&self, values: &Value) -> Value {
        let file = self.place.write("values.json", values.to_string());
        let all = resources(&render("kafka", &file));
        let job = of_kind(&all, "Job")[0].clone();
        for resource in all.iter().filter(|resource| resource["kind"] != "Pod") {
            self.cluster.apply(&resource.to_string());
        }
        job
    }

    /// The pod of `helm test`, in the place of a Job's.
    fn test_pod(&self) -> Value {
        let all = resources(&render("kafka", &self.place.path("values.json")));
        json!({ "spec": { "template": of_kind(&all, "Pod")[0] } })
    }

    /// `podman run` for the pod of a Job's template: its arguments, environment, mounts and security context. `mounts` are
    /// the contents of its Secrets and the like, by volume.
    fn run(&self, job: &Value, index: Option<usize>, account: &Path, mounts: &[(&str, PathBuf)]) -> Command {
        let spec = &job["spec"]["template"]["spec"];
        let container = &spec["containers"][0];
        let strings = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().map(|s| s.as_str().unwrap().to_owned()).collect()
        };
        let mut flags: Vec<String> = vec!["--user".into(), "1000650000:0".into()];
        let security = &container["securityContext"];
        assert_eq!(
            (
                &security["readOnlyRootFilesystem"],
                &security["capabilities"]["drop"],
                &spec["securityContext"]["runAsNonRoot"]
            ),
            (&json!(true), &json!(["ALL"]), &json!(true))
        );
        for flag in
            ["--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        {
            flags.push(flag.into());
        }
        let mut env = vec![
            ("KUBERNETES_SERVICE_HOST".to_owned(), "127.0.0.1".to_owned()),
            ("KUBERNETES_SERVICE_PORT".to_owned(), self.cluster.port.to_string()),
        ];
        if let Some(index) = index {
            env.push(("JOB_COMPLETION_INDEX".into(), index.to_string()));
        }
        for variable in container["env"].as_array().unwrap() {
            let value = match variable.pointer("/valueFrom/fieldRef/fieldPath").and_then(Value::as_str) {
                Some("metadata.namespace") => "kafka",
                Some("metadata.name") => "the-pod",
                _ => variable["value"].as_str().unwrap(),
            };
            env.push((variable["name"].as_str().unwrap().to_owned(), value.to_owned()));
        }
        for (name, value) in env {
            flags.extend(["--env".to_owned(), format!("{name}={value}")]);
        }
        for mount in container["volumeMounts"].as_array().unwrap() {
            let (name, path) = (mount["name"].as_str().unwrap(), mount["mountPath"].as_str().unwrap());
            let volume = spec["volumes"].as_array().unwrap().iter().find(|v| v["name"] == name).unwrap();
            if volume.get("emptyDir").is_some() {
                flags.extend(["--tmpfs".to_owned(), format!("{path}:rw,size=64m,mode=1777")]);
            } else {
                let (_, source) = mounts.iter().find(|(of, _)| *of == name).unwrap();
                flags.extend(["--volume".to_owned(), format!("{}:{path}:ro", source.display())]);
            }
        }
        assert_eq!(spec["automountServiceAccountToken"], true);
        let token = "/var/run/secrets/kubernetes.io/serviceaccount";
        flags.extend(["--volume".to_owned(), format!("{}:{token}:ro", account.display())]);
        flags.push(self.image.clone());
        flags.extend(strings(&container["args"]));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        self.store.podman_run(&flags)
    }

    /// What a kubelet mounts for a service account.
    fn account(&self) -> (tempfile::TempDir, String) {
        let token = self.cluster.token("kafka", "release");
        let account = self.cluster.service_account("kafka", &token);
        set_mode(account.path(), 0o755);
        for file in ["token", "ca.crt", "namespace"] {
            set_mode(&account.path().join(file), 0o644);
        }
        (account, token)
    }

    fn digest(&self, name: &str) -> String {
        self.cluster.value(&format!("connectbuild/{name}"), "kafka", ".status.digest")
    }
}

fn skopeo(image: &str) -> String {
    let image = format!("docker://{image}");
    let credentials = format!("{USER}:{PASSWORD}");
    let inspect =
        ["inspect", "--tls-verify=false", "--creds", &credentials, "--format", "{{.Digest}}", &image];
    text(Command::new("skopeo").args(inspect)).trim().to_owned()
}

fn spec(image: &str, jar: &str) -> Value {
    json!({
        "base": { "image": "scratch" },
        "build": {
            "output": { "type": "docker", "image": image, "pushSecret": "registry-credentials" },
            "plugins": [{ "name": "echo", "artifacts": [{ "type": "jar", "url": jar }] }],
        },
    })
}

#[test]
#[ignore = "the static binary, helm, kube-apiserver, etcd, kubectl, podman, buildah, runc, docker-registry, skopeo, openssl, htpasswd"]
fn the_pod_of_a_release_builds_with_the_rights_of_its_role_alone() {
    let node = Node::new();
    let registry = RealRegistry::start(Setup::Password);
    let host = format!("localhost:{}", registry.port);
    let artifacts = ArtifactServer::start(&[("/a.jar", Answer::Content(zip_of(&[("A.class", b"a")])))]);
    let image = format!("{host}/team/one:1");
    let auths = json!({ "auths": { &host: { "username": USER, "password": PASSWORD } } }).to_string();
    node.cluster.run(&[
        "create",
        "secret",
        "generic",
        "registry-credentials",
        "-n",
        "kafka",
        "--type=kubernetes.io/dockerconfigjson",
        &format!("--from-literal=.dockerconfigjson={auths}"),
    ]);
    let mut values = json!({
        "builds": [{ "name": "one", "spec": spec(&image, &artifacts.url("/a.jar")) }],
        "caConfigMap": "authorities",
    });
    let job = node.install(&values);
    let (account, token) = node.account();
    let docker = node.place.write("docker/config.json", &auths);
    std::fs::create_dir_all(node.place.path("ca")).unwrap();
    std::fs::copy(registry.authority(), node.place.path("ca/ca.crt")).unwrap();
    set_mode(&docker, 0o644);
    let mounts = [("docker", node.place.path("docker")), ("ca", node.place.path("ca"))];
    let run = node.run(&job, None, account.path(), &mounts).output().unwrap();
    let run = Run::new(run, &node.place.path("")).succeeded();
    assert_eq!(node.digest("one"), run.digest());
    assert_eq!(node.digest("one"), skopeo(&image));
    assert_eq!(node.cluster.value("connectbuild/one", "kafka", ".status.build.pod"), "the-pod");

    // `helm test` reads with the same rights, and builds nothing.
    let test = node.run(&node.test_pod(), None, account.path(), &mounts).output().unwrap();
    let test = Run::new(test, &node.place.path("")).succeeded();
    assert!(test.stdout.starts_with("base    scratch\n"), "{}", test.stdout);

    // The same token opens nothing else.
    node.cluster.namespace("other");
    node.cluster.run(&["create", "secret", "generic", "another", "-n", "kafka", "--from-literal=a=b"]);
    let somebody = node.cluster.kubeconfig_of_token(&token);
    let as_somebody = |arguments: &[&str]| {
        let mut kubectl = Command::new(tool("kubectl"));
        kubectl.arg(format!("--kubeconfig={}", somebody.display())).args(arguments);
        let output = kubectl.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (may, words) = as_somebody(&["get", "connectbuild", "one", "-n", "kafka"]);
    assert!(may, "{words}");
    for forbidden in [
        &["get", "secret", "registry-credentials", "-n", "kafka"][..],
        &["get", "secret", "another", "-n", "kafka"],
        &["get", "connectbuilds", "-n", "kafka"],
        &["get", "connectbuild", "two", "-n", "kafka"],
        &["get", "connectbuild", "one", "-n", "other"],
        &["delete", "connectbuild", "one", "-n", "kafka"],
        &["annotate", "connectbuild", "one", "-n", "kafka", "a=b"],
        &["patch", "connectbuild", "two", "-n", "kafka", "--subresource=status", "--type=merge", "-p", "{}"],
        &["create", "configmap", "x", "-n", "kafka"],
        &["get", "pods", "-n", "kafka"],
        &["get", "namespaces"],
    ] {
        let (may, words) = as_somebody(forbidden);
        assert!(!may && words.to_lowercase().contains("forbidden"), "{forbidden:?}: {words}");
    }

    // The push secret by the API instead of a mount: its name alone.
    values["secretsFromApi"] = true.into();
    let job = node.install(&values);
    let run = node.run(&job, None, account.path(), &mounts[1..]).output().unwrap();
    Run::new(run, &node.place.path("")).succeeded();
    assert!(as_somebody(&["get", "secret", "registry-credentials", "-n", "kafka"]).0);
    assert!(!as_somebody(&["get", "secret", "another", "-n", "kafka"]).0);
}

#[test]
#[ignore = "the static binary, helm, kube-apiserver, etcd, kubectl, podman, buildah, runc, docker-registry, skopeo"]
fn an_indexed_job_builds_twenty_images() {
    let node = Node::new();
    let registry = RealRegistry::start(Setup::Http);
    let jars: Vec<(String, Answer)> = (0..20)
        .map(|n| {
            (format!("/{n}.jar"), Answer::Content(zip_of(&[("A.class", format!("class {n}").as_bytes())])))
        })
        .collect();
    let jars: Vec<(&str, Answer)> =
        jars.iter().map(|(path, answer)| (path.as_str(), answer.clone())).collect();
    let artifacts = ArtifactServer::start(&jars);
    let image = |n: usize| format!("{}/team/image-{n}:1", registry.host());
    let builds: Vec<Value> = (0..20)
        .map(|n| {
            let mut spec = spec(&image(n), &artifacts.url(&format!("/{n}.jar")));
            spec["build"]["output"].as_object_mut().unwrap().remove("pushSecret");
            json!({ "name": format!("image-{n}"), "spec": spec })
        })
        .collect();
    let job = node.install(&json!({ "builds": builds }));
    let spec = &job["spec"];
    assert_eq!(
        (&spec["completionMode"], &spec["completions"], &spec["parallelism"]),
        (&json!("Indexed"), &json!(20), &json!(2))
    );
    let (account, _) = node.account();
    let indexes: Vec<usize> = (0..20).collect();
    for pair in indexes.chunks(2) {
        let pods: Vec<_> = pair
            .iter()
            .map(|&index| {
                let mut pod = node.run(&job, Some(index), account.path(), &[]);
                pod.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for pod in pods {
            Run::new(pod.wait_with_output().unwrap(), &node.place.path("")).succeeded();
        }
    }
    let mut digests: Vec<String> = indexes.iter().map(|n| node.digest(&format!("image-{n}"))).collect();
    for (n, digest) in digests.iter().enumerate() {
        assert_eq!(*digest, skopeo(&image(n)), "image {n}");
    }
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 20);
}
