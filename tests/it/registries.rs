//! The four ways in which a registry is set up, with a real one; and the image, run by podman.

use serde_json::json;

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::dockerfile::Dockerfile;
use crate::support::fake_registry::FakeRegistry;
use crate::support::real::{
    MutualTls, PASSWORD, RealRegistry, SelfSigned, Setup, Store, TlsFiles, USER, output, text,
};
use crate::support::{Run, Workplace, noise, sha512, tgz_of, zip_of};

/// A resource with all four types; gives the place and the server.
pub(crate) fn all_types() -> (Workplace, ArtifactServer) {
    let jar = zip_of(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n"), ("noise", &noise(200_000, 1))]);
    let tgz = tgz_of(&[("conn/lib/a.jar", &noise(300_000, 2)), ("conn/LICENSE", &b"license ".repeat(5_000))]);
    let zip = zip_of(&[("conn/b.jar", &noise(100_000, 3)), ("conn/README", b"read me")]);
    let other = b"key=value\n".to_vec();
    let server = ArtifactServer::start(&[
        ("/a.jar", Answer::Content(jar.clone())),
        ("/b.tgz", Answer::Content(tgz.clone())),
        ("/c.zip", Answer::Content(zip.clone())),
        ("/d", Answer::Content(other.clone())),
    ]);
    let artifact = |kind: &str, path: &str, content: &[u8]| json!({ "type": kind, "url": server.url(path), "sha512sum": sha512(content) });
    let mut named = artifact("other", "/d", &other);
    named["fileName"] = json!("d.properties");
    let place = Workplace::new();
    place.resource(None, &json!([
        { "name": "first-plugin", "artifacts": [artifact("jar", "/a.jar", &jar), artifact("tgz", "/b.tgz", &tgz)] },
        { "name": "second_plugin", "artifacts": [artifact("zip", "/c.zip", &zip), named, artifact("other", "/d", &other)] },
    ]));
    (place, server)
}

/// Writes a docker config for `host`.
fn auth_file(place: &Workplace, host: &str) {
    let config = json!({ "auths": { host: { "username": USER, "password": PASSWORD } } });
    place.write("auth.json", config.to_string());
}

fn inspect(reference: &str, arguments: &[&str]) -> serde_json::Value {
    let mut skopeo = std::process::Command::new("skopeo");
    skopeo.args(["inspect", "--tls-verify=false"]).args(arguments).arg(format!("docker://{reference}"));
    serde_json::from_str(&text(&mut skopeo)).unwrap()
}

#[test]
#[ignore = "docker-registry, skopeo, podman, buildah, runc, busybox-static"]
fn plain_http_and_the_image_runs() {
    let (place, server) = all_types();
    let registry = RealRegistry::start(Setup::Http);
    let store = Store::new();
    let base = store.push_base(&registry.host());
    let to = format!("{}/out/app:1", registry.host());
    let run = place.build(&["--base", &base, "--to", &to]).succeeded();
    assert!(run.stderr.contains("mounted base"), "{}", run.stderr);
    let inspected = inspect(&to, &[]);
    assert_eq!(inspected["Digest"], run.digest());
    assert_eq!(inspected["Labels"]["connectbuild.io/plugins"], "first-plugin,second_plugin");

    // Every file where Strimzi would have put it, root's, 0644 and 0755; the base untouched.
    let script = "id -u; cat /etc/of-the-base; stat -c '%u:%g %a' /etc/of-the-base; \
                  find /opt -exec stat -c '%n %u:%g %a %F' '{}' ';'; sha256sum /opt/kafka/plugins/*/*/*.properties";
    // Root, because the base's file is for root alone.
    let shown = text(&mut store.podman_run(&["--user", "0", &to, "sh", "-c", script]));
    let mut lines: Vec<String> =
        shown.lines().map(|line| line.replace(&server.port.to_string(), "PORT")).collect();
    lines[3..].sort();
    let hash = |path: &str| connect_build::digest::strimzi_stub(&server.url(path));
    let mut told = lines.join("\n");
    for path in ["/a.jar", "/b.tgz", "/c.zip", "/d"] {
        told = told.replace(&hash(path), &format!("<{path}>"));
    }
    let mut lines: Vec<&str> = told.lines().collect();
    lines[3..].sort_unstable();
    insta::assert_snapshot!(lines.join("\n"));
    let user = text(&mut store.podman_run(&[&to, "id", "-u"]));
    assert_eq!(user.trim(), "1001");

    // Nothing changed: the same digest, and what is there already is not pushed again.
    let again = place.build(&["--base", &base, "--to", &to]).succeeded();
    assert_eq!(again.digest(), run.digest());
    assert!(again.stderr.contains("first-plugin is there already"), "{}", again.stderr);
}

#[test]
#[ignore = "docker-registry, openssl"]
fn tls_with_an_authority_of_its_own() {
    let (place, _server) = all_types();
    let registry = RealRegistry::start(Setup::Tls);
    let to = format!("{}/app:1", registry.host());
    let refused = place.build(&["--base", "scratch", "--to", &to, "--retries", "0"]);
    insta::assert_snapshot!(refused.error(), @"
    exit 10
    error: cannot push to `app` at `HOST:PORT`
      caused by: the certificate of `HOST:PORT` is signed by an authority that is not trusted
    hint: give the registry's certificate authority with `--registry-ca HOST:PORT=FILE`, or accept any certificate with `--insecure-registry HOST:PORT`
    ");
    let authority = registry.authority().display().to_string();
    let of_host = format!("{}={authority}", registry.host());
    let with_ca = place.build(&["--base", "scratch", "--to", &to, "--registry-ca", &of_host]).succeeded();
    let for_all = place.build(&["--base", "scratch", "--to", &to, "--ca-file", &authority]).succeeded();
    let insecure =
        place.build(&["--base", "scratch", "--to", &to, "--insecure-registry", &registry.host()]).succeeded();
    assert_eq!((with_ca.digest(), for_all.digest()), (insecure.digest(), insecure.digest()));
    assert_eq!(inspect(&to, &[])["Digest"], insecure.digest());
    let plain = place.build(&[
        "--base",
        "scratch",
        "--to",
        &to,
        "--plain-http-registry",
        &registry.host(),
        "--retries",
        "0",
    ]);
    assert_ne!(plain.code, 0);
}

/// Where TLS is spoken by somebody else, an ingress that knows no registry, http is the registry's: so it is for go-containerregistry
/// and containers/image, where http is allowed. The way to http is a proxy here, for one port cannot be both.
#[test]
#[ignore = "nginx, openssl"]
fn a_registry_of_http_behind_somebody_elses_tls() {
    let place = Workplace::new();
    place.write("a.jar", zip_of(&[("a", b"b")]));
    place.resource(
        None,
        &json!([{ "name": "plugin", "artifacts": [{ "type": "jar", "url": "file:a.jar" }] }]),
    );
    std::fs::create_dir(place.path("nothing")).unwrap();
    let ingress = TlsFiles::start(&place.path("nothing"), "");
    let registry = FakeRegistry::start(&[]);
    let host = format!("127.0.0.1:{}", ingress.port);
    let to = format!("{host}/x:1");
    let build = |more: &[&str]| {
        let mut command = place.command();
        command
            .args(["build", "resource.json", "--base", "scratch", "--to", &to, "--retries", "0"])
            .args(more);
        command.env("http_proxy", format!("http://{}", registry.host()));
        Run::new(command.output().unwrap(), &place.path(""))
    };
    build(&["--insecure-registry", &host]).succeeded();
    assert!(registry.manifest("x:1").is_some());
}

#[test]
#[ignore = "docker-registry, openssl, htpasswd"]
fn tls_and_a_password() {
    let (place, _server) = all_types();
    let registry = RealRegistry::start(Setup::Password);
    let to = format!("{}/team/app:1", registry.host());
    let authority = format!("{}={}", registry.host(), registry.authority().display());
    let arguments = ["--base", "scratch", "--to", &to, "--registry-ca", &authority];
    insta::assert_snapshot!(place.build(&arguments).error(), @"
    exit 9
    error: cannot push to `team/app` at `HOST:PORT`
      caused by: the registry answered 401 Unauthorized UNAUTHORIZED: authentication required
    hint: no credentials for `HOST:PORT` were given: name a docker config that has some with `--auth-file FILE`, or mount a pull or push secret
    ");
    auth_file(&place, &format!("https://{}/v1/", registry.host()));
    let run = place.build(&[arguments.as_slice(), &["--auth-file", "auth.json"]].concat()).succeeded();
    let credentials = format!("{USER}:{PASSWORD}");
    assert_eq!(inspect(&to, &["--creds", &credentials])["Digest"], run.digest());
    assert!(!run.stderr.contains(PASSWORD));
}

#[test]
#[ignore = "docker-registry, openssl, buildah, busybox-static"]
fn tokens_and_a_mount_across_repositories() {
    let (place, _server) = all_types();
    let registry = RealRegistry::start(Setup::Token);
    let store = Store::new();
    let image = store.make_base(&[]);
    let base = format!("{}/private/kafka:base", registry.host());
    let credentials = format!("{USER}:{PASSWORD}");
    output(&mut store.buildah(&[
        "push",
        "-q",
        "--tls-verify=false",
        "--creds",
        &credentials,
        &image,
        &format!("docker://{base}"),
    ]));
    let to = format!("{}/out/app:1", registry.host());
    let arguments = ["--base", &base, "--to", &to];
    insta::assert_snapshot!(place.build(&arguments).error());
    auth_file(&place, &registry.host());
    let run = place.build(&[arguments.as_slice(), &["--auth-file", "auth.json"]].concat()).succeeded();
    assert!(run.stderr.contains("from `private/kafka`"), "the base is mounted: {}", run.stderr);
    assert_eq!(inspect(&to, &["--creds", &credentials])["Digest"], run.digest());
    let wrong = json!({ "auths": { registry.host(): { "username": USER, "password": "wrong" } } });
    place.write("auth.json", wrong.to_string());
    insta::assert_snapshot!(
        place.build(&[arguments.as_slice(), &["--auth-file", "auth.json"]].concat()).error()
    );
}

#[test]
#[ignore = "docker-registry, skopeo, buildah, busybox-static"]
fn between_registries_and_formats() {
    let (place, _server) = all_types();
    let (from, to) = (RealRegistry::start(Setup::Http), RealRegistry::start(Setup::Http));
    let store = Store::new();
    let base = store.push_base(&from.host());
    // The base as Docker schema 2, as an index, and passed through to another registry.
    let docker = format!("{}/kafka:docker", from.host());
    output(std::process::Command::new("skopeo").args([
        "copy",
        "-q",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        "--format",
        "v2s2",
        &format!("docker://{base}"),
        &format!("docker://{docker}"),
    ]));
    let pushed = |base: &str, extra: &[&str]| {
        let target = format!("{}/app:{}", to.host(), extra.join("").replace(['-', '/'], ""));
        let run = place.build(&[&["--base", base, "--to", &target], extra].concat()).succeeded();
        assert_eq!(inspect(&target, &[])["Digest"], run.digest());
        serde_json::from_str::<serde_json::Value>(&text(std::process::Command::new("skopeo").args([
            "inspect",
            "--raw",
            "--tls-verify=false",
            &format!("docker://{target}"),
        ])))
        .unwrap()
    };
    let oci = pushed(&docker, &["-v"]);
    assert_eq!(oci["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert!(
        oci["layers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|layer| layer["mediaType"].as_str().unwrap().starts_with("application/vnd.oci."))
    );
    let schema2 = pushed(&base, &["--format", "docker"]);
    assert_eq!(schema2["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
    let zstd = pushed(&base, &["--compression", "zstd"]);
    assert_eq!(
        zstd["layers"].as_array().unwrap().last().unwrap()["mediaType"],
        "application/vnd.oci.image.layer.v1.tar+zstd"
    );
    // The image as the base of the next, by digest, with the parents that it has.
    let scanned = pushed(&base, &["--parent-dirs", "scan"]);
    assert_eq!(scanned["layers"].as_array().unwrap().len(), oci["layers"].as_array().unwrap().len());
}

#[test]
#[ignore = "skopeo, umoci"]
fn files_are_read_by_the_usual_tools() {
    let (place, _server) = all_types();
    place.build(&["--base", "scratch", "--to", "oci:layout"]).succeeded();
    let mut first = serde_json::Value::Null;
    place.build(&["--base", "scratch", "--to", "oci-archive:oci.tar:v1"]).succeeded();
    place.build(&["--base", "scratch", "--to", "docker-archive:docker.tar:team/app:1"]).succeeded();
    for source in ["oci:layout", "oci-archive:oci.tar:v1", "docker-archive:docker.tar:team/app:1"] {
        let mut skopeo = std::process::Command::new("skopeo");
        skopeo.args(["inspect", "--config", source]).current_dir(place.path(""));
        let config: serde_json::Value = serde_json::from_str(&text(&mut skopeo)).unwrap();
        if !first.is_null() {
            assert_eq!(config["rootfs"], first["rootfs"], "{source}");
        }
        first = config;
    }
    output(
        std::process::Command::new("umoci")
            .args(["unpack", "--image", "layout", "bundle"])
            .current_dir(place.path("")),
    );
    assert!(place.path("bundle/rootfs/opt/kafka/plugins/second_plugin").is_dir());
}

/// As `openssl req -x509` makes them for private registries: Go trusts such a certificate if it is given, and so do we.
#[test]
#[ignore = "openssl"]
fn a_certificate_that_is_its_own_authority() {
    let (server, other, expired) = (SelfSigned::start(), SelfSigned::start(), SelfSigned::expired());
    let place = Workplace::new();
    let build = |at: &SelfSigned, host: &str, trusted: &[&SelfSigned], insecure: bool| {
        let url = format!("https://{host}:{}/", at.port);
        let artifact = json!({ "type": "other", "url": url, "insecure": insecure });
        place.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
        let files: Vec<String> =
            trusted.iter().map(|server| server.certificate().display().to_string()).collect();
        let mut arguments = vec!["--base", "scratch", "--to", "oci:out", "--retries", "0"];
        arguments.extend(files.iter().flat_map(|file| ["--ca-file", file.as_str()]));
        place.build(&arguments)
    };
    build(&server, "127.0.0.1", &[&server], false).succeeded();
    build(&server, "localhost", &[&other, &server], false).succeeded();
    build(&expired, "127.0.0.1", &[], true).succeeded();
    let rows = [
        // Nobody knows it; it is of the same name, but another one; its name is another one; its time is over.
        build(&server, "127.0.0.1", &[], false),
        build(&server, "127.0.0.1", &[&other], false),
        build(&server, "127.0.0.2", &[&server], false),
        build(&expired, "127.0.0.1", &[&expired], false),
    ];
    let causes = rows.map(|run| {
        assert_eq!(run.code, 4);
        let cause = run.stderr.lines().find(|line| line.starts_with("  caused by: ")).unwrap().to_owned();
        [server.port, expired.port].iter().fold(cause, |cause, port| cause.replace(&port.to_string(), "PORT"))
    });
    insta::assert_snapshot!(causes.join("\n"));
}

#[test]
#[ignore = "docker-registry, nginx, openssl, skopeo"]
fn a_registry_that_wants_a_client_certificate() {
    let (place, _server) = all_types();
    let registry = MutualTls::start();
    let file = |name: &str| registry.file(name).display().to_string();
    let to = format!("{}/app:1", registry.host());
    let authority = format!("{}={}", registry.host(), file("ca.crt"));
    let refused =
        place.build(&["--base", "scratch", "--to", &to, "--registry-ca", &authority, "--retries", "0"]);
    let pair = format!("{}={},{}", registry.host(), file("client.cert"), file("client.key"));
    let usual = ["--base", "scratch", "--to", &to, "--registry-ca", &authority];
    let with = place.build(&[usual.as_slice(), &["--registry-client-cert", &pair]].concat()).succeeded();
    let pushed = inspect(&format!("{}/app:1", registry.behind()), &[]);
    assert_eq!(pushed["Digest"], with.digest());

    // As Kaniko's option, and as the directory that Buildah knows. The base is read that way too.
    std::fs::create_dir(place.path("certs")).unwrap();
    for name in ["ca.crt", "client.cert", "client.key"] {
        std::fs::copy(registry.file(name), place.path(&format!("certs/{name}"))).unwrap();
    }
    let mut dockerfile = Dockerfile::new(&to);
    dockerfile.plugin("none");
    let dockerfile = place.write("Dockerfile", dockerfile.finish("")).display().to_string();
    let second = format!("{}/second:1", registry.host());
    let log = place.path("log").display().to_string();
    let kaniko = place.run(&[
        &format!("--dockerfile={dockerfile}"),
        &format!("--destination={second}"),
        &format!("--registry-certificate={authority}"),
        &format!("--registry-client-cert={pair}"),
        &format!("--image-name-with-digest-file={log}"),
    ]);
    let kaniko = kaniko.succeeded();
    assert_eq!(
        place.read("log").trim(),
        format!("{}@{}", second.rsplit_once(':').unwrap().0, kaniko.digest())
    );
    let script = format!(
        "buildah build --file={dockerfile} --tag={second} --storage-driver=vfs --cert-dir=certs\n\
         buildah push --storage-driver=vfs --digestfile=/tmp/digest --cert-dir=certs {second}\n\
         echo \"$(buildah images --storage-driver=vfs --format '{{{{.Name}}}}' {second})@$(cat /tmp/digest)\" > /dev/termination-log"
    );
    let buildah = place.run(&["/bin/bash", "-ec", &script]).succeeded();
    assert_eq!(buildah.digest(), kaniko.digest());

    let wrong = |pair: &str| {
        let pair =
            pair.replace("HOST", &registry.host()).replace("DIR", &place.path("certs").display().to_string());
        place.build(&[usual.as_slice(), &["--registry-client-cert", &pair]].concat()).error()
    };
    place.write("certs/broken.key", "no key");
    std::fs::copy(registry.file("client.cert"), place.path("certs/alone.cert")).unwrap();
    let rows = [
        refused.error(),
        wrong("HOST"),
        wrong("HOST=DIR/client.cert"),
        wrong("HOST=DIR/none.cert,DIR/client.key"),
        wrong("HOST=DIR/client.cert,DIR/broken.key"),
        place.run(&["/bin/bash", "-ec", &script]).error(),
        place.run(&["/bin/bash", "-ec", &script.replace("=certs", "=nowhere")]).error(),
    ];
    insta::assert_snapshot!(rows.join("\n\n"));
}
