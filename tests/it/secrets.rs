//! Secrets in every place that can hold one, and builds that fail there: nothing of what is said may hold any of them.

use std::process::Command;

use base64::Engine as _;
use serde_json::json;

use crate::support::Workplace;
use crate::support::artifact_server::{Answer, ArtifactServer};

/// Each stands in one place only, so that a leak tells where it comes from.
const SECRETS: [&str; 24] = [
    "s3cret-in-docker-config",
    "s3cret-in-netrc",
    "s3cret-in-headers",
    "s3cret-in-settings",
    "s3cret-in-settings-header",
    "s3cret-in-url",
    "s3cret-in-query",
    "s3cret-in-redirect",
    "s3cret-in-redirect-query",
    "s3cret-in-creds",
    "s3cret-in-proxy",
    "s3cret-in-argument",
    "s3cret-in-repository",
    "s3cret-in-mirror",
    "s3cret-in-token-answer",
    "s3cret-in-variable",
    "s3cret-at-target",
    "s3cret-said-by-proxy",
    "s3cret-in-bad-settings",
    "s3cret-in-content-type",
    "s3cret-token-1",
    "s3cret-token-2",
    "s3cret-in-cookie",
    ODD,
];

/// Of characters that every way of writing writes in its own way.
const ODD: &str = "s3cret\"in/j&son";

/// The ways in which a text may be written, `Authorization` first.
fn written(secret: &str) -> [String; 5] {
    let engine = base64::engine::general_purpose::STANDARD;
    [
        engine.encode(format!("me:{secret}")),
        secret.to_owned(),
        secret.replace('"', "\\\""),
        secret.replace('"', "%22").replace('/', "%2F").replace('&', "%26"),
        secret.replace('&', "&amp;").replace('"', "&quot;"),
    ]
}

/// Answers with this status and repeats everything that it was sent, as some servers do in their error pages.
fn denies(status: &str, extra: &str, words: &str) -> Answer {
    let length = words.len();
    Answer::Raw(format!(
        "HTTP/1.1 {status}\r\n{extra}Content-Length: {length}\r\nConnection: close\r\n\r\n{words}"
    ))
}

struct Place {
    workplace: Workplace,
    server: ArtifactServer,
    said: Vec<(String, String)>,
}

impl Place {
    fn new() -> Self {
        let workplace = Workplace::new();
        let basic = |secret: &str| base64::engine::general_purpose::STANDARD.encode(format!("me:{secret}"));
        let echo = "the password s3cret-in-docker-config is wrong, or s3cret-in-creds, or s3cret-in-variable";
        let server = ArtifactServer::start(&[
            (
                "/denied",
                denies(
                    "403 Forbidden",
                    "",
                    "the password s3cret-in-netrc is wrong, and so is s3cret-in-headers",
                ),
            ),
            ("/v2/", denies("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", echo)),
            ("/there", Answer::Content(crate::support::zip_of(&[("a", b"a")]))),
            (
                "/moved",
                Answer::Redirect(
                    "http://me:s3cret-in-redirect@127.0.0.1:9/x?token=s3cret-in-redirect-query".into(),
                ),
            ),
        ]);
        let host = format!("127.0.0.1:{}", server.port);
        let auths = json!({ "auths": { host: { "auth": basic("s3cret-in-docker-config") } } });
        workplace.write("config.json", auths.to_string());
        workplace.write("netrc", "machine 127.0.0.1 login me password s3cret-in-netrc\n");
        workplace.write("headers", "127.0.0.1: {X-Token: s3cret-in-headers}\n");
        workplace.write(
            "settings.xml",
            "<settings><servers><server><id>custom-repo</id><username>me</username><password>s3cret-in-settings</password>\
             <configuration><httpHeaders><property><name>X-Token</name><value>s3cret-in-settings-header</value></property>\
             </httpHeaders></configuration></server></servers></settings>",
        );
        Self { workplace, server, said: Vec::new() }
    }

    /// Runs a command that has to fail, in each form of the log.
    fn fail(&mut self, what: &str, prepare: impl Fn(&mut Command)) {
        for format in ["text", "json"] {
            self.fail_as(format, what, &prepare);
        }
    }

    fn fail_as(&mut self, format: &str, what: &str, prepare: impl Fn(&mut Command)) {
        let mut command = self.workplace.command();
        command.env("CONNECT_BUILD_LOG_FORMAT", format).env("CONNECT_BUILD_VERBOSE", "true");
        command.env("CONNECT_BUILD_RETRIES", "1").env("CONNECT_BUILD_TERMINATION_LOG", "termination");
        command.env("CONNECT_BUILD_RESULT_FILE", "result.json").env("REGISTRY_AUTH_FILE", "config.json");
        command.env("CONNECT_BUILD_NETRC", "netrc").env("CONNECT_BUILD_HEADERS", "headers");
        command.env("CONNECT_BUILD_MAVEN_SETTINGS", "settings.xml");
        prepare(&mut command);
        let output = command.output().unwrap();
        assert!(!output.status.success(), "{what} succeeds");
        let mut said =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        for file in ["termination", "result.json"] {
            if self.workplace.path(file).exists() {
                said += &self.workplace.read(file);
            }
        }
        assert!(said.contains("error"), "{what} says nothing: {said}");
        self.said.push((format!("{what}, {format}"), said));
    }

    fn artifact(&mut self, what: &str, artifact: &serde_json::Value) {
        self.workplace.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
        self.fail(what, |command| {
            command.args(["build", "resource.json", "--base", "scratch", "--to", "oci:out"]);
        });
    }
}

#[test]
fn nothing_that_is_said_holds_a_secret() {
    let mut place = Place::new();
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", place.server.port);
    let with_password = |url: &str, secret: &str| url.replace("http://", &format!("http://me:{secret}@"));
    let (denied, missing, moved, root) = (url("/denied"), url("/missing"), url("/moved"), url("/"));
    let registry = format!("127.0.0.1:{}", place.server.port);
    place.artifact("an artifact behind a netrc", &json!({ "type": "jar", "url": denied }));
    let secret = with_password(&missing, "s3cret-in-url") + "?token=s3cret-in-query";
    place.artifact("an artifact with a password", &json!({ "type": "jar", "url": secret }));
    place.artifact("a URL that is none", &json!({ "type": "jar", "url": format!("{secret} ") }));
    place.artifact(
        "a URL of no host",
        &json!({ "type": "tgz", "url": "https://me:s3cret-in-url@/x?y=s3cret-in-query" }),
    );
    place.artifact("a redirect", &json!({ "type": "zip", "url": moved }));
    let maven = |repository: &str| json!({ "type": "maven", "group": "g", "artifact": "a", "version": "1", "repository": repository });
    place.artifact("a Maven repository", &maven(&root));
    place.artifact(
        "a Maven repository with a password",
        &maven(&with_password(&root, "s3cret-in-repository")),
    );
    let mut mirrored = maven(&root);
    mirrored["mirrors"] = json!([{ "url": with_password(&root, "s3cret-in-mirror") }]);
    place.artifact("a mirror", &mirrored);
    place.artifact("a repository of no form", &maven("ftp://me:s3cret-in-repository@host/"));

    let jar = json!([{ "name": "plugin", "artifacts": [{ "type": "jar", "url": missing }] }]);
    place.workplace.resource(None, &jar);
    place
        .workplace
        .write("existing.json", place.workplace.read("resource.json").replace("/missing", "/there"));
    let to = format!("{registry}/x:1");
    place.fail("a registry", |command| {
        command.args(["build", "resource.json", "--base", "scratch", "--to", &to]);
    });
    place.fail("a proxy", |command| {
        command.args(["build", "resource.json", "--base", "scratch", "--to", "oci:out"]);
        command.env("HTTP_PROXY", "http://me:s3cret-in-proxy@127.0.0.1:9");
    });
    place.fail("a proxy that is none", |command| {
        command.args(["build", "resource.json", "--base", "scratch", "--to", "oci:out"]);
        command.env("HTTP_PROXY", "http://me:s3cret-in-proxy@:::");
    });

    // A registry that repeats what it was sent, in every way.
    let basic = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    for (index, form) in written(ODD).into_iter().enumerate() {
        let words = format!("you sent {form}, that is wrong");
        let errors = json!({ "errors": [{ "code": "DENIED", "message": words }] }).to_string();
        for (kind, said) in [("JSON", &errors), ("plain words", &words)] {
            let echo = ArtifactServer::start(&[]);
            echo.answer_everything(denies("401 Unauthorized", basic, said));
            let host = format!("127.0.0.1:{}", echo.port);
            let auths = json!({ "auths": { &host: { "username": "me", "password": ODD } } });
            place.workplace.write("odd.json", auths.to_string());
            place.fail(&format!("a registry that repeats form {index} in {kind}"), |command| {
                command.args(["build", "existing.json", "--base", "scratch", "--to", &format!("{host}/x:1")]);
                command.args(["--plain-http-registry", &host]).env("REGISTRY_AUTH_FILE", "odd.json");
            });
            let (_, said) = place.said.last().unwrap();
            assert!(said.contains("you sent ***"), "nothing was repeated: {said}");
        }
    }
    // And a server that does so, to which a redirect leads with a password of its own.
    for form in written("s3cret-at-target") {
        let echo = ArtifactServer::start(&[("/x", denies("403 Forbidden", "", &format!("you sent {form}")))]);
        let target = format!("http://me:s3cret-at-target@127.0.0.1:{}/x", echo.port);
        let first = ArtifactServer::start(&[("/x", Answer::Redirect(target))]);
        place.artifact("the target of a redirect", &json!({ "type": "jar", "url": first.url("/x") }));
        let (_, said) = place.said.last().unwrap();
        assert!(said.contains("you sent ***"), "nothing was repeated: {said}");
    }

    // A proxy that repeats what it was sent, to artifacts and to a registry.
    for form in written("s3cret-said-by-proxy") {
        let proxy = ArtifactServer::start(&[]);
        proxy.answer_everything(denies("403 Forbidden", "", &format!("you sent {form}")));
        let url = format!("http://me:s3cret-said-by-proxy@127.0.0.1:{}", proxy.port);
        for resource in ["resource.json", "existing.json"] {
            place.fail("a proxy that answers", |command| {
                let to = ["--to", "127.0.0.1:9/x:1", "--plain-http-registry", "127.0.0.1:9"];
                command.args(["build", resource, "--base", "scratch"]).args(to).env("http_proxy", &url);
            });
            let (_, said) = place.said.last().unwrap();
            assert!(said.contains("you sent ***"), "nothing was repeated: {said}");
        }
    }
    // What is no XML, where a password stands.
    for password in [
        "s3cret-in-bad-settings<x",
        "<s3cret-in-bad-settings",
        "&s3cret-in-bad-settings;",
        "a&s3cret-in-bad-settings",
    ] {
        let text = format!(
            "<settings>\n<servers><server><password>{password}</password></server></servers></settings>"
        );
        place.workplace.write("bad.xml", text);
        place.fail("settings that are no XML", |command| {
            command.args(["build", "resource.json", "--base", "scratch", "--to", "oci:out"]);
            command.env("CONNECT_BUILD_MAVEN_SETTINGS", "bad.xml");
        });
        let (_, said) = place.said.last().unwrap();
        assert!(said.contains("at line 2, column "), "{said}");
    }
    // A type of content, and one of several values in a header.
    let kind = "Content-Type: text/s3cret-in-content-type; and=s3cret-in-content-type\r\n";
    let echo = ArtifactServer::start(&[
        ("/x", denies("200 OK", kind, "no jar")),
        ("/y", denies("403 Forbidden", "", "you sent s3cret-in-cookie")),
    ]);
    place.workplace.write(
        "more.headers",
        "127.0.0.1: {Cookie: a=s3cret-in-cookie; b=c, X-Token: s3cret-in-content-type}\n",
    );
    for (path, sum) in [("/x", Some("a".repeat(128))), ("/x", None), ("/y", None)] {
        let mut artifact = json!({ "type": "zip", "url": echo.url(path) });
        if let Some(sum) = sum {
            artifact["sha512sum"] = json!(sum);
        }
        place.workplace.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
        place.fail("headers that come back", |command| {
            command.args(["build", "resource.json", "--base", "scratch", "--to", "oci:out"]);
            command.env("CONNECT_BUILD_HEADERS", "more.headers");
        });
    }
    // Addresses that are none, of a redirect and of a token server.
    let nowhere = "http://me:s3cret-in-redirect@bad:99999/x?token=s3cret-in-redirect-query";
    let lost = ArtifactServer::start(&[]);
    lost.answer_everything(denies(
        "302 Found",
        &format!("Location: {nowhere}\r\n"),
        &format!("Redirecting to {nowhere}"),
    ));
    place.artifact("a redirect to nowhere", &json!({ "type": "jar", "url": lost.url("/x") }));
    // A registry tells of it in its own form.
    let errors =
        json!({ "errors": [{ "code": "MOVED", "message": format!("it is at {nowhere}") }] }).to_string();
    lost.answer_everything(denies("302 Found", &format!("Location: {nowhere}\r\n"), &errors));
    let host = format!("127.0.0.1:{}", lost.port);
    place.fail("a registry that redirects to nowhere", |command| {
        command.args(["build", "existing.json", "--base", "scratch", "--to", &format!("{host}/x:1")]);
        command.args(["--plain-http-registry", &host]);
    });
    let challenge = format!("WWW-Authenticate: Bearer realm=\"{nowhere}\"\r\n");
    lost.answer_everything(denies("401 Unauthorized", &challenge, ""));
    place.fail("a token server nowhere", |command| {
        command.args(["build", "existing.json", "--base", "scratch", "--to", &format!("{host}/x:1")]);
        command.args(["--plain-http-registry", &host]);
    });
    let (_, said) = place.said.last().unwrap();
    assert!(said.contains("its token server `http://***@bad:99999/x?***` is not a URL"), "{said}");
    // Tokens that a registry refuses, the forgotten one too.
    for format in ["text", "json"] {
        let token =
            |number: usize| Answer::Content(format!("{{\"token\":\"s3cret-token-{number}\"}}").into_bytes());
        let tokens = ArtifactServer::start(&[]);
        tokens.answer_everything(Answer::InTurn(vec![token(1), token(2), token(2)]));
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{}\"\r\n", tokens.url("/"));
        let refuses = ArtifactServer::start(&[]);
        let words = r#"{"errors":[{"code":"DENIED","message":"you sent s3cret-token-1, s3cret-token-2"}]}"#;
        refuses.answer_everything(denies("401 Unauthorized", &challenge, words));
        let host = format!("127.0.0.1:{}", refuses.port);
        place.fail_as(format, "tokens", |command| {
            command.args(["build", "existing.json", "--base", "scratch", "--to", &format!("{host}/x:1")]);
            command.args(["--plain-http-registry", &host]);
        });
        let (_, said) = place.said.last().unwrap();
        assert!(said.contains("you sent ***, ***"), "nothing was repeated: {said}");
    }

    // The launches.
    let dockerfile = |more: &str| {
        format!(
            "FROM 127.0.0.1:9/kafka:base\n\nUSER root:root\n\nARG http_proxy=http://me:s3cret-in-argument@127.0.0.1:9\n\n{more}USER 1001\n"
        )
    };
    place.workplace.write("Dockerfile", dockerfile(""));
    let script = |options: &str, more: &str| {
        format!(
            "buildah build --file=Dockerfile --tag={to} --storage-driver=vfs {options}\n\
             buildah push --storage-driver=vfs --digestfile=/tmp/digest {options} {to}{more}\n\
             echo \"$(buildah images --storage-driver=vfs --format '{{{{.Name}}}}' {to})@$(cat /tmp/digest)\" > /dev/termination-log"
        )
    };
    for (what, script) in [
        ("Buildah's credentials", script("--creds=me:s3cret-in-creds", "")),
        ("Buildah's credentials from a variable", script("--creds=me:$PASSWORD", "")),
        ("an option too many", script("--creds=me:s3cret-in-creds --frobnicate=s3cret-in-creds", "")),
        ("a word too many", script("--creds=me:s3cret-in-creds", " --creds=me:s3cret-in-creds")),
        ("a shell's work", script("--creds=me:s3cret-in-creds;id", "")),
        ("a value that a shell takes apart", script("--creds=$SPACES", "")),
    ] {
        place.fail(what, |command| {
            command.args(["/bin/bash", "-ec", &script]);
            command.env("PASSWORD", "s3cret-in-variable").env("SPACES", "s3cret-in-variable and more");
        });
    }
    let destination = format!("--destination={to}");
    for (what, argument) in [
        ("Kaniko", "--build-arg=HTTPS_PROXY=http://me:s3cret-in-proxy@127.0.0.1:9"),
        ("an argument too many", "--build-arg=TOKEN=s3cret-in-argument"),
        ("an option that nobody knows", "--token=s3cret-in-argument"),
        ("a value of another form", "--verbosity=s3cret-in-argument"),
    ] {
        place.fail(what, |command| {
            command.args(["--dockerfile=Dockerfile", &destination, argument]);
        });
    }
    for (what, more) in [
        ("a line of another form", "RUN 'curl' 'https://me:s3cret-in-url@host/x?token=s3cret-in-query'\n"),
        ("an argument of another form", "ARG no_proxy='http://me:s3cret-in-argument@host'\n"),
        (
            "another URL than the path says",
            "##########\n# Connector plugin x1\n##########\nRUN 'mkdir' '-p' '/opt/kafka/plugins/x1/00000000' \\\n      && 'curl' '-f' '-L' '--output' '/opt/kafka/plugins/x1/00000000/00000000.jar' 'https://me:s3cret-in-url@host/x?token=s3cret-in-query'\n",
        ),
        (
            "another flag before it",
            "##########\n# Connector plugin x1\n##########\nRUN 'mkdir' '-p' '/opt/kafka/plugins/x1/00000000' \\\n      && 'curl' '-f' '-q' 'https://me:s3cret-in-url@host/x?token=s3cret-in-query' '-L' '--output' '/opt/kafka/plugins/x1/00000000/00000000.jar' 'https://me:s3cret-in-url@host/x?token=s3cret-in-query'\n",
        ),
    ] {
        place.workplace.write("Dockerfile", dockerfile(more));
        place.fail(what, |command| {
            command.args(["--dockerfile=Dockerfile", &destination]);
        });
    }

    let mut leaks = Vec::new();
    for (what, said) in &place.said {
        for form in SECRETS.into_iter().flat_map(written).filter(|form| said.contains(form)) {
            leaks.push(format!("{what}: {form}\n{said}"));
        }
    }
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n---\n"));
    assert_eq!(place.said.len(), 2 * 62);
}
