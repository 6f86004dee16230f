//! What goes wrong with a cluster while a build runs, and what becomes of the build and of its report.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{Stage, conditions_somewhere};
use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::{Run, Workplace, zip_of};

#[test]
#[ignore = "kube-apiserver, etcd, kubectl, docker-registry, skopeo"]
fn what_happens_while_a_build_runs() {
    let mut stage = Stage::new();
    let slow = |seconds| Answer::Slow(zip_of(&[("A.class", b"a")]), Duration::from_secs(seconds));

    // Changed: the older build stops, and the status does not speak of the newer generation.
    stage.connect_build("changed", |_| ());
    stage.artifacts.answer_instead("/a.jar", slow(50));
    let running = stage.begin("cb/changed");
    stage.wait("cb/changed", ".status.phase", "Building");
    stage.cluster.run(&[
        "patch",
        "cb",
        "changed",
        "-n",
        "kafka",
        "--type=merge",
        "-p",
        r#"{"spec":{"base":{"platforms":["all"]}}}"#,
    ]);
    insta::assert_snapshot!(stage.end(running).error());
    assert_eq!(stage.status("changed")["observedGeneration"], 1);

    // Changed at the last moment, between two looks: nothing is published either.
    stage.connect_build("late", |_| ());
    stage.artifacts.answer_instead("/a.jar", slow(5));
    let running = stage.begin("cb/late");
    stage.wait("cb/late", ".status.conditions[?(@.type==\"Downloaded\")].status", "False");
    std::thread::sleep(Duration::from_millis(3_500));
    stage.cluster.run(&[
        "patch",
        "cb",
        "late",
        "-n",
        "kafka",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":false}}"#,
    ]);
    let late = stage.end(running);
    assert_eq!(late.code, 15, "{}", late.stderr);
    let missing = Command::new("skopeo")
        .args(["inspect", "--tls-verify=false", &stage.docker("late")])
        .output()
        .unwrap();
    assert!(!missing.status.success());

    // Deleted, and made again under the same name.
    for again in [false, true] {
        stage.connect_build("gone", |_| ());
        let running = stage.begin("cb/gone");
        stage.wait("cb/gone", ".status.phase", "Building");
        stage.cluster.run(&["delete", "cb", "gone", "-n", "kafka"]);
        if again {
            stage.connect_build("gone", |_| ());
        }
        let words = stage.end(running).error();
        assert!(words.starts_with("exit 15\nerror: ConnectBuild `gone` was deleted"), "{words}");
        if again {
            assert_eq!(stage.status("gone"), Value::Null);
        }
    }

    // Two builds of the same generation: the later one counts, whatever becomes of the earlier one.
    stage.connect_build("twice", |_| ());
    let jar = Answer::Content(zip_of(&[("A.class", b"a")]));
    stage.artifacts.answer_instead("/a.jar", Answer::InTurn(vec![slow(6), jar]));
    let running = stage.begin("cb/twice");
    stage.wait("cb/twice", ".status.conditions[?(@.type==\"Downloaded\")].status", "False");
    let later = stage.build("cb/twice", &[]).succeeded();
    let earlier = stage.end(running);
    assert!(
        earlier.error().starts_with("exit 15\nerror: ConnectBuild `twice` was built again by somebody else"),
        "{}",
        earlier.stderr
    );
    let status = stage.status("twice");
    assert_eq!((&status["digest"], &status["phase"]), (&json!(later.digest()), &json!("Succeeded")));
    assert_eq!(status["build"]["attempt"], 2);

    // Somebody else writes all the time: each of our writes comes through in the end.
    stage.connect_build("contended", |_| ());
    stage.artifacts.answer_instead("/a.jar", slow(4));
    let running = stage.begin("cb/contended");
    for number in 0..30 {
        let label = format!("number={number}");
        stage.cluster.run(&["label", "--overwrite", "cb", "contended", "-n", "kafka", &label]);
    }
    let run = stage.end(running).succeeded();
    assert_eq!(stage.status("contended")["digest"], run.digest());

    // The API server goes away and comes back.
    stage.connect_build("restarted", |_| ());
    stage.artifacts.answer_instead("/a.jar", slow(3));
    let running = stage.begin("cb/restarted");
    stage.wait("cb/restarted", ".status.phase", "Building");
    stage.cluster.stop_server();
    std::thread::sleep(Duration::from_secs(5));
    stage.cluster.start_server();
    let run = stage.end(running).succeeded();
    assert_eq!(stage.status("restarted")["digest"], run.digest());
    assert_eq!(run.digest(), stage.skopeo("restarted"));

    // The same, and the build fails meanwhile.
    stage.connect_build("failed", |resource| {
        resource["spec"]["build"]["plugins"][0]["artifacts"][0]["sha512sum"] = "0".repeat(128).into();
    });
    let running = stage.begin("cb/failed");
    stage.wait("cb/failed", ".status.phase", "Building");
    stage.cluster.stop_server();
    std::thread::sleep(Duration::from_secs(8));
    stage.cluster.start_server();
    assert_eq!(stage.end(running).code, 5);
    let status = stage.status("failed");
    assert_eq!(
        (&status["phase"], &status["conditions"][0]["reason"]),
        (&json!("Failed"), &json!("ChecksumMismatch"))
    );

    // The token is no longer good, and a new one is on the disk, as kubelets renew it.
    stage.cluster.run(&["create", "serviceaccount", "builder", "-n", "kafka"]);
    let may =
        ["--verb=get,patch", "--resource=connectbuilds.connectbuild.io,connectbuilds.connectbuild.io/status"];
    stage.cluster.run(&[["create", "role", "builder", "-n", "kafka"].as_slice(), &may].concat());
    let whom = ["--role=builder", "--serviceaccount=kafka:builder"];
    stage.cluster.run(&[["create", "rolebinding", "builder", "-n", "kafka"].as_slice(), &whom].concat());
    let account = stage.cluster.service_account("kafka", &stage.cluster.token("kafka", "builder"));
    stage.connect_build("renewed", |_| ());
    stage.artifacts.answer_instead("/a.jar", slow(15));
    let mut command = stage.place.command();
    command.args(["build", "--resource", "cb/renewed", "-n", "kafka", "--kubeconfig"]);
    command.arg(stage.cluster.kubeconfig_of_file(&account.path().join("token")));
    let running = stage.start(command);
    stage.wait("cb/renewed", ".status.phase", "Building");
    stage.cluster.run(&["delete", "serviceaccount", "builder", "-n", "kafka"]);
    stage.cluster.run(&["create", "serviceaccount", "builder", "-n", "kafka"]);
    std::fs::write(account.path().join("token"), stage.cluster.token("kafka", "builder")).unwrap();
    let run = stage.end(running).succeeded();
    assert!(run.stderr.contains("Unauthorized (HTTP 401)"), "{}", run.stderr);
    assert_eq!(stage.status("renewed")["digest"], run.digest());

    // It may write the status and no events: that is said, and the image and its status are there.
    stage.artifacts.answer_instead("/a.jar", slow(1));
    let kubeconfig = stage.cluster.kubeconfig_of_file(&account.path().join("token")).display().to_string();
    let arguments = ["build", "--resource", "cb/renewed", "-n", "kafka", "--kubeconfig", &kubeconfig];
    let report = ["--report", "status:cb/renewed,event:cb/renewed"];
    let run = stage.place.run(&[arguments.as_slice(), &report].concat());
    assert_eq!((run.code, run.digest()), (16, stage.skopeo("renewed")), "{}", run.stderr);
    assert!(run.stderr.contains("warning: cannot create an event: events is forbidden"), "{}", run.stderr);
    assert_eq!(stage.status("renewed")["phase"], "Succeeded");

    // Somebody ends it.
    stage.connect_build("ended", |_| ());
    stage.artifacts.answer_instead("/a.jar", slow(50));
    let running = stage.begin("cb/ended");
    stage.wait("cb/ended", ".status.conditions[?(@.type==\"Downloaded\")].status", "False");
    let begun = Instant::now();
    Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap();
    assert_eq!(stage.end(running).code, 13);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    insta::assert_snapshot!(conditions_somewhere(&stage.status("ended")));
    stage.artifacts.answer_instead("/a.jar", slow(3));

    // It does not come back in time: the image is pushed and named, and the exit code says what is missing.
    stage.connect_build("lost", |_| ());
    let running = stage.begin("cb/lost");
    stage.wait("cb/lost", ".status.phase", "Building");
    stage.cluster.stop_server();
    let run = stage.end(running);
    assert_eq!((run.code, run.digest()), (16, stage.skopeo("lost")), "{}", run.stderr);
    let last = run.stderr.rfind("error: the image").unwrap();
    insta::assert_snapshot!(run.stderr[last..].trim());
}

/// An answer of the API server that is worth another try.
fn busy(line: &str, details: &Value) -> Answer {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": line, "details": details });
    Answer::Raw(format!(
        "HTTP/1.1 {line}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{status}"
    ))
}

fn json_answer(value: &Value) -> Answer {
    Answer::Typed("application/json", value.to_string().into_bytes())
}

/// What no real API server does on demand: it is overloaded, fails for a moment, and knows but the older version.
#[test]
fn an_api_server_that_is_busy_is_asked_again() {
    let place = Workplace::new();
    let artifacts = ArtifactServer::start(&[("/a.jar", Answer::Content(zip_of(&[("A.class", b"a")])))]);
    let group = json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": "kafka.strimzi.io",
        "versions": [{ "groupVersion": "kafka.strimzi.io/v1beta2", "version": "v1beta2" }],
        "preferredVersion": { "groupVersion": "kafka.strimzi.io/v1beta2", "version": "v1beta2" },
    });
    let resource = json!({
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "KafkaConnect",
        "metadata": { "name": "mine", "namespace": "kafka", "uid": "1", "resourceVersion": "7", "generation": 1 },
        "spec": { "build": {
            "output": { "type": "docker", "image": "registry.example.com/mine:1" },
            "plugins": [{ "name": "echo", "artifacts": [{ "type": "jar", "url": artifacts.url("/a.jar") }] }],
        } },
    });
    let path = "/apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkaconnects/mine";
    let in_turn = Answer::InTurn(vec![
        busy("429 Too Many Requests", &json!({ "retryAfterSeconds": 1 })),
        busy("503 Service Unavailable", &json!({})),
        json_answer(&resource),
    ]);
    let events = Answer::InTurn(vec![busy("500 Internal Server Error", &json!({})), json_answer(&json!({}))]);
    let api = ArtifactServer::start(&[
        (
            "/apis/kafka.strimzi.io",
            Answer::InTurn(vec![busy("504 Gateway Timeout", &json!({})), json_answer(&group)]),
        ),
        (path, in_turn),
        (&format!("{path}?fieldManager=connect-build"), json_answer(&resource)),
        ("/api/v1/namespaces/kafka/events", events),
    ]);
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters: [{{name: here, cluster: {{server: \"http://127.0.0.1:{}\"}}}}]\n\
         users: [{{name: me, user: {{}}}}]\ncontexts: [{{name: here, context: {{cluster: here, user: me, namespace: kafka}}}}]\n",
        api.port
    );
    place.write("kubeconfig", kubeconfig);
    let arguments = [
        "build",
        "--resource",
        "kc/mine",
        "--kubeconfig",
        "kubeconfig",
        "--base",
        "scratch",
        "--to",
        "oci:image",
    ];
    let run = place.run(&arguments).succeeded();
    for code in ["429", "503", "500", "504"] {
        assert!(run.stderr.contains(&format!("(HTTP {code}); trying again")), "{code}: {}", run.stderr);
    }
    let patched = api.requests().iter().filter(|request| request.starts_with("PATCH")).count();
    assert_eq!(patched, 1);

    // What is no use to ask again is an error at once, which says what can be done.
    let denied = json!({ "kind": "Status", "status": "Failure", "message": "kafkaconnects \u{1b}[31mmine is forbidden", "code": 403 });
    let denied = format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{denied}"
    );
    api.answer_instead(path, Answer::Raw(denied));
    let refused = place.run(&arguments);
    let unknown =
        place.run(&["build", "--resource", "kc/mine", "--kubeconfig", "kubeconfig", "--context", "there"]);
    let nowhere = place.run(&["build", "--resource", "kc/mine"]);
    let both = place.run(&["build", "a.yaml", "--resource", "kc/mine"]);
    let wrong = place.run(&["build", "--resource", "kc/Mine!"]);
    let several = place.run(&["build", "--resource", "kc/a,kc/b", "--kubeconfig", "kubeconfig"]);
    let beyond = place
        .command()
        .args(["build", "--resource", "kc/a,kc/b"])
        .env("JOB_COMPLETION_INDEX", "2")
        .output()
        .unwrap();
    let all = [refused, unknown, nowhere, both, wrong, several, Run::new(beyond, &place.path(""))];
    insta::assert_snapshot!(all.map(|run| run.error()).join("\n\n"));
}
