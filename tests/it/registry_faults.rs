//! Registries that decline, forget, lie and break.

use axum::http::Method;
use connect_build::digest::Digest;
use connect_build::image::{Descriptor, media_type};
use serde_json::json;

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::fake_registry::{FakeRegistry, Fault};
use crate::support::{Run, Workplace, noise, tgz_of, without_ports};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Puts an image with one layer into `kafka:base`.
fn put_base(registry: &FakeRegistry) -> String {
    put_base_with(registry, &tgz_of(&[("etc/base", b"base")]))
}

fn put_base_with(registry: &FakeRegistry, layer: &[u8]) -> String {
    let layer_digest = registry.put_blob("kafka", layer);
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(b"diff")] }, "history": [{}],
    });
    let config = config.to_string();
    registry.put_blob("kafka", config.as_bytes());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
        "config": Descriptor::of(media_type::OCI_CONFIG, config.as_bytes()),
        "layers": [Descriptor::of(LAYER, layer)],
    });
    registry.put_manifest("kafka:base", media_type::OCI_MANIFEST, manifest.to_string().as_bytes());
    layer_digest
}

struct Scene {
    place: Workplace,
    artifacts: ArtifactServer,
}

impl Scene {
    fn new() -> Self {
        let tgz = tgz_of(&[("lib/a.jar", &noise(300_000, 1)), ("LICENSE", &b"text ".repeat(20_000))]);
        let artifacts = ArtifactServer::start(&[("/a.tgz", Answer::Content(tgz))]);
        let place = Workplace::new();
        place.resource(
            None,
            &json!([{ "name": "plugin", "artifacts": [{ "type": "tgz", "url": artifacts.url("/a.tgz") }] }]),
        );
        Self { place, artifacts }
    }

    fn build(&self, registry: &FakeRegistry, extra: &[&str]) -> Run {
        let (base, to) =
            (format!("{}/kafka:base", registry.host()), format!("{}/out/app:1", registry.host()));
        self.place.build(&[&["--base", &base, "--to", &to, "--retries", "1", "-v"], extra].concat())
    }

    /// A build that must succeed against a registry with these faults; gives the registry.
    fn succeeds(&self, faults: &[Fault]) -> FakeRegistry {
        let registry = FakeRegistry::start(faults);
        let layer = put_base(&registry);
        let run = self.build(&registry, &[]).succeeded();
        let manifest = registry.manifest("out/app:1").expect("the tag is there");
        assert_eq!(Digest::of(&manifest).to_string(), run.digest(), "{faults:?}");
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        for layer in manifest["layers"].as_array().unwrap() {
            assert!(registry.has_blob("out/app", layer["digest"].as_str().unwrap()), "{faults:?}");
        }
        assert_eq!(manifest["layers"][0]["digest"], layer);
        assert_eq!(registry.open_uploads(), 0, "no session is left open: {faults:?}");
        registry
    }

    /// The error of a build against a registry with these faults, which must leave the tag alone.
    fn fails(&self, faults: &[Fault]) -> String {
        let registry = FakeRegistry::start(faults);
        put_base(&registry);
        registry.put_manifest("out/app:1", media_type::OCI_MANIFEST, b"the old image");
        let run = self.build(&registry, &[]);
        assert_ne!(run.code, 0, "{faults:?}");
        if faults != [Fault::ReadsBackWrong] {
            assert_eq!(registry.manifest("out/app:1").unwrap(), b"the old image", "{faults:?}");
        }
        run.error()
    }
}

#[test]
fn detours_lead_to_the_same_image() {
    let scene = Scene::new();
    let json = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
    for faults in [
        &[][..],
        &[Fault::MountDeclined],
        &[Fault::MountForbidden],
        &[Fault::PatchFails],
        &[Fault::NoPatch],
        &[Fault::RelativeLocation],
        &[Fault::MountDeclined, Fault::DamagedOnce],
        &[Fault::Once(Method::GET, "/v2/kafka/manifests/base", 503, "")],
        &[Fault::Once(Method::POST, "/out/app/blobs/uploads/", 429, json)],
        &[Fault::Once(Method::PUT, "/manifests/1", 502, "<html>bad gateway</html>")],
        &[Fault::Once(Method::GET, "/out/app/manifests/1", 500, "")],
        // A token that ends in the middle: authenticate anew, once.
        &[Fault::Once(Method::PUT, "/manifests/1", 401, "")],
    ] {
        scene.succeeds(faults);
    }
}

#[test]
fn blobs_take_the_shortest_way() {
    let scene = Scene::new();
    let registry = scene.succeeds(&[]);
    let requests = registry.log();
    let find = |start: &str| requests.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(find("POST /v2/out/app/blobs/uploads/?mount=sha256%3A"), 1, "{requests:#?}");
    assert_eq!(find("PATCH /v2/out/app/blobs/uploads/"), 1, "the layer is streamed");
    let before = requests.len();

    // The same once more: nothing is uploaded but the manifest, which is small.
    scene.build(&registry, &[]).succeeded();
    let again: Vec<String> = registry.log().split_off(before);
    let uploads = again.iter().filter(|line| line.starts_with("PUT") && line.contains("/blobs/")).count();
    assert_eq!(uploads, 0, "{again:#?}");
    assert_eq!(registry.open_uploads(), 0);
    // The check for permission came before the artifact was asked for.
    assert_eq!(again[0], "GET /v2/");
    assert_eq!(scene.artifacts.requests().len(), 2);
}

#[test]
fn each_failure_says_what_and_why_and_what_to_do() {
    let scene = Scene::new();
    let denied = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    let immutable = r#"{"errors":[{"code":"TAG_INVALID","message":"the tag 1 is immutable"}]}"#;
    let page = "<html><head><title>413 Request Entity Too Large</title></head></html>";
    let rows = [
        (
            "no right to push",
            scene.fails(&[Fault::Always(Method::POST, "/out/app/blobs/uploads/", 403, denied)]),
        ),
        ("wants credentials", scene.fails(&[Fault::Basic])),
        (
            "repository unknown",
            scene.fails(&[Fault::Always(
                Method::POST,
                "/out/app/blobs/uploads/",
                404,
                r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#,
            )]),
        ),
        (
            "base unknown",
            scene.fails(&[Fault::Always(
                Method::GET,
                "/kafka/manifests/",
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
            )]),
        ),
        ("pull limit", scene.fails(&[Fault::Always(Method::GET, "/kafka/manifests/", 429, "")])),
        (
            "too large",
            scene.fails(&[Fault::NoPatch, Fault::Always(Method::PUT, "/out/app/blobs/", 413, page)]),
        ),
        ("immutable tag", scene.fails(&[Fault::Always(Method::PUT, "/manifests/1", 409, immutable)])),
        ("no space", scene.fails(&[Fault::Always(Method::PUT, "/manifests/1", 507, "")])),
        ("broken", scene.fails(&[Fault::Always(Method::PUT, "/manifests/1", 500, "oops")])),
        ("no location", scene.fails(&[Fault::NoLocation])),
        ("lies about the tag", scene.fails(&[Fault::ReadsBackWrong])),
        ("base config gone", scene.fails(&[Fault::Always(Method::GET, "/kafka/blobs/", 404, "")])),
    ];
    let words: Vec<String> = rows.iter().map(|(row, error)| format!("== {row}\n{error}")).collect();
    insta::assert_snapshot!(without_digests(&words.join("\n\n")));
}

/// Digests of what holds a port differ from run to run.
fn without_digests(text: &str) -> String {
    let mut result = text.to_owned();
    while let Some(at) = result.find("sha256:") {
        let digits = result[at + 7..].bytes().take_while(u8::is_ascii_hexdigit).count();
        result.replace_range(at..at + 7 + digits, "DIGEST");
    }
    result
}

#[test]
fn credentials_do_not_follow_an_upload_to_another_host() {
    let scene = Scene::new();
    let storage = FakeRegistry::start(&[]);
    let registry = FakeRegistry::start(&[Fault::Basic, Fault::LocationElsewhere(storage.port)]);
    put_base(&registry);
    let auths = json!({ "auths": { registry.host(): { "username": "user", "password": "password" } } });
    scene.place.write("auth.json", auths.to_string());
    // The storage does not know the session: the build fails, and that is not the point.
    scene.build(&registry, &["--auth-file", "auth.json"]);
    assert!(registry.log().iter().any(|line| line.contains("[Basic ")));
    assert!(!storage.log().is_empty());
    assert!(storage.log().iter().all(|line| !line.contains('[')), "{:#?}", storage.log());
}

#[test]
fn base_and_target_have_their_own_credentials() {
    let scene = Scene::new();
    let base = FakeRegistry::start(&[]);
    let target = FakeRegistry::start(&[Fault::Basic]);
    put_base(&base);
    let auths =
        json!({ "auths": { format!("http://{}/v2/", target.host()): { "auth": "dXNlcjpwYXNzd29yZA==" } } });
    scene.place.write(".docker/config.json", auths.to_string());
    let (from, to) = (format!("{}/kafka:base", base.host()), format!("{}/app:1", target.host()));
    scene.place.build(&["--base", &from, "--to", &to]).succeeded();
    assert!(base.log().iter().all(|line| !line.contains('[')), "{:#?}", base.log());
    assert!(target.manifest("app:1").is_some());

    let wrong = json!({ "auths": { target.host(): { "username": "user", "password": "hunter2" } } });
    scene.place.write(".docker/config.json", wrong.to_string());
    insta::assert_snapshot!(scene.place.build(&["--base", &from, "--to", &to]).error());
    let helper = json!({ "credsStore": "desktop" });
    scene.place.write(".docker/config.json", helper.to_string());
    insta::assert_snapshot!(scene.place.build(&["--base", &from, "--to", &to]).error());
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    let scene = Scene::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let to = format!("{closed}/app:1");
    let gone = scene.place.build(&["--base", "scratch", "--to", &to, "--retries", "0"]).error();
    let nowhere = scene
        .place
        .build(&["--base", "does-not-exist.invalid/x:1", "--to", "oci:out", "--retries", "0"])
        .error();
    insta::assert_snapshot!(without_ports(&format!("{gone}\n\n{nowhere}")));
}

/// Only http has a proxy, and there is no way to https: who allows http gets that far, as with Kaniko.
#[test]
fn where_http_is_allowed_it_is_tried_whatever_https_fails_at() {
    let scene = Scene::new();
    let denied = r#"{"errors":[{"code":"DENIED","message":"said behind the proxy"}]}"#;
    let answer = |status: &str| {
        let length = denied.len();
        Answer::Raw(format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{denied}"
        ))
    };
    for status in ["403 Forbidden", "503 Service Unavailable"] {
        let proxy = ArtifactServer::start(&[]);
        proxy.answer_everything(answer(status));
        let build = |more: &[&str]| {
            let mut command = scene.place.command();
            command.args(["build", "resource.json", "--base", "scratch", "--to", "registry.invalid/x:1"]);
            command.args(["--retries", "0"]).args(more).env("http_proxy", proxy.url(""));
            command.env("no_proxy", "127.0.0.1");
            Run::new(command.output().unwrap(), &scene.place.path(""))
        };
        let strict = build(&[]);
        assert!(
            strict.stderr.contains("the name `registry.invalid` cannot be resolved"),
            "{}",
            strict.stderr
        );
        let lenient = build(&["--insecure-registry", "registry.invalid"]);
        assert!(lenient.stderr.contains(&status[..3]), "{}", lenient.stderr);
        assert!(
            proxy.requests()[0].starts_with("GET http://registry.invalid/v2/ "),
            "{:?}",
            proxy.requests()
        );
    }
}

#[test]
fn a_stranger_behind_a_redirect_learns_no_password() {
    let scene = Scene::new();
    let stranger = FakeRegistry::start(&[]);
    let trap = format!("http://{}/token", stranger.host());
    let storage = FakeRegistry::start(&[Fault::Bearer(trap)]);
    let registry = FakeRegistry::start(&[
        Fault::Basic,
        Fault::BlobsElsewhere(format!("http://{}/v2/x/blobs/y", storage.host())),
    ]);
    put_base(&registry);
    let auths = json!({ "auths": { registry.host(): { "username": "user", "password": "password" } } });
    scene.place.write("auth.json", auths.to_string());
    let run = scene.build(&registry, &["--auth-file", "auth.json"]);
    assert_ne!(run.code, 0);
    assert_eq!(storage.log().len(), 1, "{:#?}", storage.log());
    assert_eq!(stranger.log(), [] as [String; 0]);
}

#[test]
fn token_servers_may_say_anything() {
    let scene = Scene::new();
    for (answer, code) in [
        (r#"{"token": "t", "expires_in": 9223372036854775807}"#.to_owned(), 0),
        (r#"{"access_token": "t", "expires_in": "soon"}"#.to_owned(), 0),
        (r#"{"token": "t", "expires_in": -1}"#.to_owned(), 0),
        (r#"{"token": "t", "expires_in": 3.5}"#.to_owned(), 0),
        ("{}".to_owned(), 10),
        ("<html>".to_owned(), 10),
        (format!(r#"{{"token": "{}"}}"#, "t".repeat(2 << 20)), 10),
    ] {
        let tokens = ArtifactServer::start(&[]);
        // Whatever the query is, it is answered so.
        tokens.answer_everything(Answer::Content(answer.clone().into_bytes()));
        let registry = FakeRegistry::start(&[Fault::Bearer(tokens.url("/token"))]);
        put_base(&registry);
        let run = scene.build(&registry, &[]);
        assert_eq!(run.code, code, "{}: {}", &answer[..answer.len().min(80)], run.stderr);
    }
}

#[test]
fn parents_are_as_the_base_has_them_if_they_are_scanned() {
    let scene = Scene::new();
    let registry = FakeRegistry::start(&[]);
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o2775);
    header.set_uid(1001);
    header.set_gid(7);
    header.set_size(0);
    archive.append_data(&mut header, "./opt/kafka/plugins/", std::io::empty()).unwrap();
    put_base_with(&registry, &archive.into_inner().unwrap().finish().unwrap());
    let base = format!("{}/kafka:base", registry.host());
    let parents = |extra: &[&str]| {
        let _ = std::fs::remove_dir_all(scene.place.path("out"));
        scene
            .place
            .build(&[&["--base", &base, "--to", "oci:out", "--result-file", "r"], extra].concat())
            .succeeded();
        let result: serde_json::Value = serde_json::from_str(&scene.place.read("r")).unwrap();
        let digest = result["layers"][0]["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
        let layer = std::fs::read(scene.place.path("out/blobs/sha256").join(digest)).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(layer.as_slice()));
        let rows: Vec<String> = (archive.entries().unwrap().take(4))
            .map(|entry| {
                let header = entry.unwrap().header().clone();
                let path = header.path().unwrap().display().to_string();
                format!(
                    "{path} {:o} {}:{}",
                    header.mode().unwrap(),
                    header.uid().unwrap(),
                    header.gid().unwrap()
                )
            })
            .collect();
        rows
    };
    let usual = [
        "opt/ 755 0:0",
        "opt/kafka/ 755 0:0",
        "opt/kafka/plugins/ 755 0:0",
        "opt/kafka/plugins/plugin/ 755 0:0",
    ];
    assert_eq!(parents(&[]), usual);
    let mut scanned = usual;
    scanned[2] = "opt/kafka/plugins/ 2775 1001:7";
    assert_eq!(parents(&["--parent-dirs", "scan"]), scanned);
}

#[test]
fn without_the_right_to_push_nothing_is_downloaded() {
    let scene = Scene::new();
    scene.fails(&[Fault::Always(Method::POST, "/out/app/blobs/uploads/", 403, "")]);
    assert_eq!(scene.artifacts.requests(), [] as [String; 0]);
}

#[test]
fn a_refresh_token_goes_nowhere_else() {
    let scene = Scene::new();
    let stranger = ArtifactServer::start(&[]);
    let tokens = ArtifactServer::start(&[]);
    let away = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        stranger.url("/steal")
    );
    tokens.answer_everything(Answer::Raw(away));
    let registry = FakeRegistry::start(&[Fault::Bearer(tokens.url("/token"))]);
    put_base(&registry);
    let auths = json!({ "auths": { registry.host(): { "identitytoken": "REFRESHSECRET" } } });
    scene.place.write("auth.json", auths.to_string());
    assert_ne!(scene.build(&registry, &["--auth-file", "auth.json"]).code, 0);
    assert!(!tokens.requests().is_empty());
    assert_eq!(stranger.requests(), [] as [String; 0]);
}
