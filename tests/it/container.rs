//! The image of connect-build itself, under the conditions of a restricted pod.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::support::real::{PASSWORD, RealRegistry, Setup, Store, USER, output, set_mode, text};
use crate::support::{Run, Workplace};

/// The binary that `tests/run` builds with `-C target-feature=+crt-static`.
fn static_binary() -> PathBuf {
    let ours = Path::new(env!("CARGO_BIN_EXE_connect-build"));
    let target = ours.parent().unwrap().parent().unwrap();
    let binary = target.join(format!("{}-unknown-linux-gnu/release/connect-build", std::env::consts::ARCH));
    assert!(binary.exists(), "{} is not there; `tests/run` builds it", binary.display());
    binary
}

/// Builds the final stage of the Containerfile around the binary.
pub(crate) fn build_image(place: &Workplace, store: &Store) -> String {
    let rootfs = place.path("stage/rootfs");
    for directory in ["etc/ssl/certs", "tmp"] {
        std::fs::create_dir_all(rootfs.join(directory)).unwrap();
    }
    set_mode(&rootfs.join("tmp"), 0o1777);
    std::fs::copy(static_binary(), rootfs.join("connect-build")).unwrap();
    std::fs::copy("/etc/ssl/certs/ca-certificates.crt", rootfs.join("etc/ssl/certs/ca-certificates.crt"))
        .unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    let context = format!("build={}", place.path("stage").display());
    let file = format!("{root}/Containerfile");
    output(&mut store.buildah(&[
        "build",
        "-q",
        "--build-context",
        &context,
        "--file",
        &file,
        "--tag",
        "connect-build",
        root,
    ]));
    "localhost/connect-build".into()
}

#[test]
#[ignore = "the static binary, buildah, podman, runc, docker-registry, openssl, htpasswd"]
fn it_works_for_any_user_without_rights_on_a_read_only_root() {
    let (place, store) = (Workplace::new(), Store::new());
    let ldd = Command::new("ldd").arg(static_binary()).output().unwrap();
    let said = String::from_utf8_lossy(&ldd.stdout).into_owned() + &String::from_utf8_lossy(&ldd.stderr);
    assert!(said.contains("statically linked") || said.contains("not a dynamic executable"), "{said}");
    let image = build_image(&place, &store);
    let config = text(&mut store.buildah(&[
        "inspect",
        "--type",
        "image",
        "--format",
        "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}",
        &image,
    ]));
    assert_eq!(config.trim(), "65532:0 [/connect-build]");

    let registry = RealRegistry::start(Setup::Password);
    let auths = json!({ "auths": { format!("localhost:{}", registry.port): { "username": USER, "password": PASSWORD } } });
    place.write("mnt/config.json", auths.to_string());
    std::fs::copy(registry.authority(), place.path("mnt/ca.crt")).unwrap();
    // The name and not the address: the static binary resolves it by itself.
    let to = format!("localhost:{}/quickstart:1", registry.port);
    let examples = format!("{}/examples/quickstart:/examples:ro", env!("CARGO_MANIFEST_DIR"));
    let mounted = format!("{}:/mnt:ro", place.path("mnt").display());
    let authority = format!("localhost:{}=/mnt/ca.crt", registry.port);
    set_mode(&place.path("mnt"), 0o755);
    set_mode(&place.path("mnt/config.json"), 0o644);
    let restricted = [
        "--user",
        "1000650000:0",
        "--read-only",
        "--read-only-tmpfs=false",
        "--tmpfs",
        "/tmp:rw,size=64m,mode=1777",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--volume",
        &examples,
        "--volume",
        &mounted,
    ];
    let command = [
        image.as_str(),
        "build",
        "/examples/kafka-connect.yaml",
        "--base",
        "scratch",
        "--platform",
        "linux/amd64",
        "--to",
        &to,
        "--auth-file",
        "/mnt/config.json",
        "--registry-ca",
        &authority,
    ];
    let run = store.podman_run(&[restricted.as_slice(), &command].concat()).output().unwrap();
    let run = Run::new(run, &place.path("")).succeeded();
    // The very digest that the ordinary binary gives: it is a golden one.
    let resource = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/kafka-connect.yaml");
    let here = place
        .run(&["build", resource, "--base", "scratch", "--platform", "linux/amd64", "--to", "oci:here"])
        .succeeded();
    assert_eq!(run.digest(), here.digest());
    let credentials = format!("{USER}:{PASSWORD}");
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["inspect", "--tls-verify=false", "--creds", &credentials, &format!("docker://{to}")]);
    let inspected: serde_json::Value = serde_json::from_str(&text(&mut skopeo)).unwrap();
    assert_eq!(inspected["Digest"], run.digest());

    // Without a place to write it says what is missing.
    let bare: Vec<&str> =
        restricted.iter().copied().filter(|word| !word.starts_with("/tmp:") && *word != "--tmpfs").collect();
    let refused = store.podman_run(&[bare.as_slice(), &command].concat()).output().unwrap();
    insta::assert_snapshot!(Run::new(refused, &place.path("")).error(), @"
    exit 11
    error: cannot create a workspace in `/tmp`
      caused by: read-only filesystem or storage medium
    hint: mount a writable volume (an emptyDir) and name it with `--workspace DIR` or `TMPDIR`
    ");
}
