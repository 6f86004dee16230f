//! Downloads over http, and what can go wrong with them.

use serde_json::json;

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::{Run, Workplace, sha512, tgz_of, zip_of};

const TO: [&str; 4] = ["--base", "scratch", "--to", "oci:out"];

/// Builds one artifact of `kind` at `path` of a server with these answers; gives the error.
fn failure(kind: &str, answer: Answer, sum: Option<&str>) -> String {
    let server = ArtifactServer::start(&[("/x", answer)]);
    let place = Workplace::new();
    let mut artifact = json!({ "type": kind, "url": server.url("/x") });
    if let Some(sum) = sum {
        artifact["sha512sum"] = json!(sum);
    }
    place.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
    let run = place.build(&[TO.as_slice(), &["--retries", "0"]].concat());
    assert_eq!(place.leftovers(), [] as [std::path::PathBuf; 0], "the workspace is removed");
    assert!(!place.path("out/index.json").exists(), "nothing is published");
    run.error()
}

fn status(line: &str, extra: &str) -> Answer {
    Answer::Raw(format!("HTTP/1.1 {line}\r\n{extra}Content-Length: 0\r\nConnection: close\r\n\r\n"))
}

#[test]
fn each_failure_says_what_and_why_and_what_to_do() {
    let jar = zip_of(&[("a", b"b")]);
    let rows = [
        ("401", failure("jar", status("401 Unauthorized", ""), None)),
        ("403", failure("jar", status("403 Forbidden", ""), None)),
        ("404", failure("tgz", status("404 Not Found", ""), None)),
        ("429", failure("tgz", status("429 Too Many Requests", "Retry-After: 5\r\n"), None)),
        ("503", failure("tgz", status("503 Service Unavailable", ""), None)),
        ("206 is a part", failure("jar", status("206 Partial Content", "Content-Range: bytes 0-0/100\r\n"), None)),
        ("204 is a success without content", failure("tgz", status("204 No Content", ""), None)),
        ("a short error body", failure("jar", Answer::Raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\nConnection: close\r\n\r\nno such thing\n".into()), None)),
        ("circle", failure("jar", Answer::Redirect("/x".into()), None)),
        ("redirect to nowhere", failure("jar", Answer::Redirect("http://does-not-exist.invalid/x".into()), None)),
        ("redirect without a place", failure("jar", status("302 Found", ""), None)),
        ("redirect to ftp", failure("jar", Answer::Redirect("ftp://127.0.0.1/x".into()), None)),
        ("redirect to a file", failure("jar", Answer::Redirect("file:///etc/passwd".into()), None)),
        ("truncated", failure("jar", Answer::Truncated(jar.clone()), None)),
        ("checksum", failure("jar", Answer::Content(jar.clone()), Some(&"0".repeat(128)))),
        ("login page", failure("zip", Answer::Typed("text/html", b"<html>please log in</html>".to_vec()), Some(&"0".repeat(128)))),
        ("login page, unpinned", failure("zip", Answer::Typed("text/html", b"<html>please log in</html>".to_vec()), None)),
        ("a zip as tgz", failure("tgz", Answer::Content(jar), None)),
        ("a tgz as zip", failure("zip", Answer::Content(tgz_of(&[("a", b"b")])), None)),
        ("not http", failure("jar", Answer::Raw("SSH-2.0-OpenSSH_9\r\n".into()), None)),
    ];
    let words: Vec<String> = rows.iter().map(|(row, error)| format!("== {row}\n{error}")).collect();
    insta::assert_snapshot!(words.join("\n\n"));
}

#[test]
fn hosts_that_are_not_there() {
    let place = Workplace::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fail = |url: String| {
        place.resource(None, &json!([{ "name": "plugin", "artifacts": [{ "type": "jar", "url": url }] }]));
        place.build(&[TO.as_slice(), &["--retries", "0"]].concat()).error()
    };
    let rows = [fail(format!("http://{closed}/x.jar")), fail("https://does-not-exist.invalid/x.jar".into())];
    insta::assert_snapshot!(rows.join("\n\n"));
}

#[test]
fn transient_failures_are_tried_again() {
    let jar = zip_of(&[("a", b"b")]);
    let turns = vec![
        status("503 Service Unavailable", "Retry-After: 0\r\n"),
        Answer::Truncated(jar[..20].to_vec()),
        Answer::Content(jar.clone()),
    ];
    let server = ArtifactServer::start(&[("/x", Answer::InTurn(turns))]);
    let place = Workplace::new();
    let artifact =
        json!({ "type": "jar", "url": server.url("/x"), "sha512sum": sha512(&jar).to_uppercase() });
    place.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
    let run = place.build(&TO).succeeded();
    assert_eq!(server.requests().len(), 3);
    assert!(run.stderr.contains("trying again"), "{}", run.stderr);
}

#[test]
fn redirects_are_followed_without_the_credentials() {
    let jar = zip_of(&[("a", b"b")]);
    let other = ArtifactServer::start(&[("/real", Answer::Content(jar))]);
    let first = ArtifactServer::start(&[(
        "/x?jwt=SECRET",
        Answer::Redirect(format!("http://localhost:{}/real", other.port)),
    )]);
    let place = Workplace::new();
    let url = first.url("/x?jwt=SECRET").replace("http://", "http://joe:hunter2@");
    place.resource(None, &json!([{ "name": "plugin", "artifacts": [{ "type": "jar", "url": url }] }]));
    let run = place.build(&[TO.as_slice(), &["--result-file", "result.json", "-v"]].concat()).succeeded();
    assert!(first.requests()[0].to_lowercase().contains("authorization: basic am9lomh1bnrlcji="));
    assert!(!other.requests()[0].to_lowercase().contains("authorization"), "{}", other.requests()[0]);
    assert!(!other.requests()[0].to_lowercase().contains("referer"), "{}", other.requests()[0]);
    // Nowhere else either: not in what is said, nor in any file of the result.
    let mut everything = run.stdout + &run.stderr + &place.read("result.json");
    for blob in std::fs::read_dir(place.path("out/blobs/sha256")).unwrap() {
        everything.push_str(&String::from_utf8_lossy(&std::fs::read(blob.unwrap().path()).unwrap()));
    }
    assert!(!everything.contains("hunter2") && !everything.contains("SECRET"), "{everything}");
}

#[test]
fn a_redirect_on_the_same_host_keeps_the_credentials() {
    let jar = zip_of(&[("a", b"b")]);
    let server = ArtifactServer::start(&[("/real", Answer::Content(jar))]);
    let away = Answer::Redirect(server.url("/real"));
    server.answer_also("/x", away);
    let place = Workplace::new();
    let url = server.url("/x").replace("http://", "http://joe:hunter2@");
    place.resource(None, &json!([{ "name": "plugin", "artifacts": [{ "type": "jar", "url": url }] }]));
    place.build(&TO).succeeded();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests.iter().all(|r| r.to_lowercase().contains("authorization: basic am9lomh1bnrlcji=")),
        "{requests:#?}"
    );
}

#[test]
fn errors_do_not_repeat_secrets() {
    let place = Workplace::new();
    let denied = "HTTP/1.1 403 Forbidden\r\nContent-Length: 36\r\nConnection: close\r\n\r\ndenied for /x?t=SECRET (joe hunter2)";
    let server = ArtifactServer::start(&[("/x?t=SECRET", Answer::Raw(denied.into()))]);
    let url = server.url("/x?t=SECRET").replace("http://", "http://joe:hunter2@");
    let wrong = "https://joe:hunter2$@host/x y?t=SECRET";
    for url in [url.as_str(), wrong] {
        place.resource(None, &json!([{ "name": "plugin", "artifacts": [{ "type": "jar", "url": url }] }]));
        let run = place.build(
            &[TO.as_slice(), &["--retries", "0", "--result-file", "r", "--termination-log", "t"]].concat(),
        );
        let told = run.stdout + &run.stderr + &place.read("r") + &place.read("t");
        assert!(run.code != 0 && !told.contains("hunter2") && !told.contains("SECRET"), "{told}");
    }
    place.write("resource.json", "build: {plugins: [{name: aa, artifacts: [{url: 'https://joe:hunter2@h'");
    assert!(!place.build(&TO).stderr.contains("hunter2"));
}

#[test]
fn a_fast_failure_leaves_no_workspace() {
    let server = ArtifactServer::start(&[(
        "/x",
        Answer::Raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense".into()),
    )]);
    let place = Workplace::new();
    place.resource(
        None,
        &json!([{ "name": "plugin", "artifacts": [{ "type": "jar", "url": server.url("/x") }] }]),
    );
    for _ in 0..60 {
        assert_eq!(place.build(&[TO.as_slice(), &["--retries", "0", "-q"]].concat()).code, 4);
    }
    assert_eq!(place.leftovers(), [] as [std::path::PathBuf; 0]);
}

#[test]
fn content_is_taken_as_it_is_sent() {
    // A server that calls a file "encoded" must not make us decode it: the checksum is of the bytes on the wire.
    let text = "pretend this is compressed";
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    let server = ArtifactServer::start(&[("/x", Answer::Raw(head + text))]);
    let place = Workplace::new();
    let artifact = json!({ "type": "other", "url": server.url("/x"), "sha512sum": sha512(text.as_bytes()) });
    place.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
    place.build(&TO).succeeded();
    assert!(!server.requests()[0].to_lowercase().contains("accept-encoding"));
}

#[test]
fn limits_hold_while_the_bytes_come() {
    let server = ArtifactServer::start(&[("/x", Answer::Content(vec![7; 100_000]))]);
    let place = Workplace::new();
    place.resource(
        None,
        &json!([{ "name": "plugin", "artifacts": [{ "type": "other", "url": server.url("/x") }] }]),
    );
    insta::assert_snapshot!(place.build(&[TO.as_slice(), &["--max-download", "50kB"]].concat()).error(), @"
    exit 4
    error: cannot fetch artifact 1 (other) of plugin `plugin` from http://HOST:PORT/x
      caused by: it is larger than the limit of 50000 bytes
    hint: raise it with `--max-download BYTES` if the file is meant
    ");
}

#[test]
fn a_proxy_is_used_where_it_should_be() {
    let jar = zip_of(&[("a", b"b")]);
    let proxy = ArtifactServer::start(&[("http://artifacts.invalid/x", Answer::Content(jar.clone()))]);
    let direct = ArtifactServer::start(&[("/x", Answer::Content(jar))]);
    let place = Workplace::new();
    place.resource(
        None,
        &json!([{ "name": "plugin", "artifacts": [
        { "type": "jar", "url": "http://artifacts.invalid/x" },
        { "type": "jar", "url": direct.url("/x") },
    ] }]),
    );
    let mut command = place.command();
    command
        .args(["build", "resource.json"])
        .args(TO)
        .env("HTTP_PROXY", proxy.url(""))
        .env("NO_PROXY", "127.0.0.1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((proxy.requests().len(), direct.requests().len()), (1, 1));
}

/// `*` is everything, hosts that are addresses included; blanks stand between entries as well as commas.
#[test]
fn exceptions_of_proxies_are_as_curl_has_them() {
    let direct = ArtifactServer::start(&[("/x", Answer::Content(zip_of(&[("a", b"b")])))]);
    let proxy = ArtifactServer::start(&[]);
    let place = Workplace::new();
    let artifact = json!({ "type": "jar", "url": direct.url("/x") });
    place.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
    for (exceptions, asked) in
        [("*", 0), ("example.com *", 0), ("example.com 127.0.0.1", 0), ("example.com", 1)]
    {
        let mut command = place.command();
        command.args(["build", "resource.json"]).args(TO).args(["--retries", "0"]);
        command.env("http_proxy", proxy.url("")).env("no_proxy", exceptions);
        let success = command.output().unwrap().status.success();
        assert_eq!((success, proxy.requests().len()), (asked == 0, asked), "{exceptions}");
    }
}

#[test]
fn a_proxy_that_opens_no_way_is_told_of() {
    let place = Workplace::new();
    let artifact = json!({ "type": "jar", "url": "https://artifacts.invalid/x" });
    place.resource(None, &json!([{ "name": "plugin", "artifacts": [artifact] }]));
    let rows = ["407 Proxy Authentication Required", "403 Forbidden"].map(|line| {
        let proxy = ArtifactServer::start(&[("artifacts.invalid:443", status(line, ""))]);
        let mut command = place.command();
        command.args(["build", "resource.json"]).args(TO).args(["--retries", "1"]);
        command.env("https_proxy", proxy.url(""));
        let run = Run::new(command.output().unwrap(), &place.path(""));
        format!("{}\nrequests: {}", run.error(), proxy.requests().len())
    });
    insta::assert_snapshot!(rows.join("\n\n"));
}

/// As curl follows them: to names that are not ASCII, and many times; 203 is a whole file, too.
#[test]
fn redirects_lead_where_curl_would_go() {
    let jar = zip_of(&[("a", b"b")]);
    let transformed =
        "HTTP/1.1 203 Non-Authoritative Information\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde";
    let server = ArtifactServer::start(&[
        ("/x", Answer::Redirect("/\u{e4}.jar".into())),
        ("/%C3%A4.jar", Answer::Redirect("/1".into())),
        ("/20", Answer::Content(jar)),
        ("/203", Answer::Raw(transformed.into())),
    ]);
    for step in 1..20 {
        server.answer_also(&format!("/{step}"), Answer::Redirect(format!("/{}", step + 1)));
    }
    let place = Workplace::new();
    let artifacts = json!([
        { "type": "jar", "url": server.url("/x") },
        { "type": "other", "url": server.url("/203") },
    ]);
    place.resource(None, &json!([{ "name": "plugin", "artifacts": artifacts }]));
    place.build(&TO).succeeded();
    assert_eq!(server.requests().len(), 23);
}

#[test]
fn files_stay_below_the_resource() {
    let place = Workplace::new();
    place.write("secret/key", "secret");
    place.write("sub/a.jar", zip_of(&[("a", b"b")]));
    std::os::unix::fs::symlink(place.path("secret/key"), place.path("sub/link")).unwrap();
    let build = |file: &str| {
        let text =
            json!({ "plugins": [{ "name": "plugin", "artifacts": [{ "type": "jar", "url": file }] }] });
        place.write("sub/resource.json", text.to_string());
        place.run(&[&["build", "sub/resource.json"], TO.as_slice()].concat())
    };
    build("file:a.jar").succeeded();
    let rows =
        [build("file:link").error(), build("file:../secret/key").error(), build("file:missing.jar").error()];
    insta::assert_snapshot!(rows.join("\n\n"));
}
