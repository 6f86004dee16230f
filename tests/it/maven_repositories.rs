//! Which repositories are asked for Maven artifacts, as whom, and what counts as an answer.

use connect_build::maven::Algorithm;

use crate::support::artifact_server::{Answer, ArtifactServer};
use crate::support::real::TlsFiles;
use crate::support::{Run, Workplace, without_ports, zip_of};

/// A server with these projects `t:NAME:VERSION`: their POMs, with `inner` behind the coordinate, and jars
/// unless a packaging is named.
fn serve(projects: &[(&str, &str, &str)]) -> ArtifactServer {
    let server = ArtifactServer::start(&[]);
    for (name, version, inner) in projects {
        let has_jar = !inner.contains("<packaging>");
        let stem = format!("/t/{name}/{version}/{name}-{version}");
        server.answer_also(&format!("{stem}.pom"), content(pom(name, version, inner)));
        if has_jar {
            server.answer_also(&format!("{stem}.jar"), content(zip_of(&[("name", name.as_bytes())])));
        }
    }
    server
}

fn pom(name: &str, version: &str, inner: &str) -> String {
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>{name}</artifactId>\
         <version>{version}</version>{inner}</project>"
    )
}

fn needs(name: &str, version: &str) -> String {
    format!(
        "<dependencies><dependency><groupId>t</groupId><artifactId>{name}</artifactId><version>{version}</version>\
         </dependency></dependencies>"
    )
}

fn content(bytes: impl AsRef<[u8]>) -> Answer {
    Answer::Content(bytes.as_ref().to_vec())
}

fn status(line: &str) -> Answer {
    Answer::Raw(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
}

fn files(place: &Workplace, coordinate: &str, arguments: &[&str]) -> Run {
    place.run(&[&["maven", "files", coordinate, "--retries", "0", "-q"], arguments].concat())
}

/// The names of the files.
fn names(run: &Run) -> Vec<&str> {
    run.stdout.lines().filter_map(|line| line.split(' ').next()).collect()
}

/// The requests that carry this header line.
fn with_header(server: &ArtifactServer, line: &str) -> usize {
    server
        .requests()
        .iter()
        .filter(|head| head.lines().any(|header| header.eq_ignore_ascii_case(line)))
        .count()
}

#[test]
fn mirrors_are_asked_in_turn_and_nobody_else() {
    let elsewhere = serve(&[]);
    let declared = format!(
        "{}<repositories><repository><id>own</id><url>{}</url></repository></repositories>",
        needs("b", "1"),
        elsewhere.url("/")
    );
    let (first, second) = (serve(&[("a", "1", &declared)]), serve(&[("b", "1", "")]));
    let broken = ArtifactServer::start(&[("*", status("503 Service Unavailable"))]);
    let place = Workplace::new();
    let (broken, first_url, second_url) = (broken.url("/"), first.url("/"), second.url("/"));
    let run = files(&place, "t:a:1", &["--mirror", &broken, "--mirror", &first_url, "--mirror", &second_url]);
    assert_eq!(names(&run.succeeded()), ["a-1.jar", "b-1.jar"]);
    assert!(elsewhere.requests().is_empty(), "a POM's repository is asked though there are mirrors");
    let run = files(&place, "t:a:1", &["--mirror", &first_url, "--mirror", &broken]);
    insta::assert_snapshot!(without_ports(&run.error()));
}

#[test]
fn repositories_of_poms_are_asked_for_what_they_keep() {
    let releases = serve(&[("b", "1", "")]);
    let repository = |policy: &str| {
        format!(
            "{}<repositories><repository><id>own</id><url>{}</url>{policy}</repository></repositories>",
            needs("b", "1"),
            releases.url("/")
        )
    };
    let place = Workplace::new();
    let server = serve(&[("a", "1", &repository(""))]);
    let run = files(&place, "t:a:1", &["--repository", &server.url("/")]).succeeded();
    assert_eq!(names(&run), ["a-1.jar", "b-1.jar"]);
    let policies = [
        repository("<releases><enabled>false</enabled></releases>"),
        repository("").replace(&releases.url("/"), "http://repository.example.invalid/"),
        repository("").replace(&releases.url("/"), "ftp://repository.example.invalid/"),
        repository("").replace(&releases.url("/"), "a place that is no URL"),
    ];
    let rows = policies.map(|inner| {
        let server = serve(&[("a", "1", &inner)]);
        without_ports(&files(&place, "t:a:1", &["--repository", &server.url("/")]).error())
    });
    insta::assert_snapshot!(rows.join("\n\n"));
}

#[test]
fn settings_bring_mirrors_servers_and_repositories() {
    let (central, own) = (serve(&[("b", "1", "")]), serve(&[("a", "1", &needs("b", "1"))]));
    let place = Workplace::new();
    place.write(
        "settings.xml",
        format!(
            "<settings xmlns='http://maven.apache.org/SETTINGS/1.0.0'>
               <servers>
                 <server><id>inside</id><username>${{env.REPOSITORY_USER}}</username><password>a &amp; b</password></server>
                 <server><id>own</id><configuration><httpHeaders>
                   <property><name>Private-Token</name><value>t0ken</value></property>
                 </httpHeaders></configuration></server>
               </servers>
               <mirrors><mirror><id>inside</id><mirrorOf>central</mirrorOf><url>{}</url></mirror></mirrors>
               <profiles><profile><id>us</id><repositories>
                 <repository><id>own</id><url>{}</url></repository>
               </repositories></profile></profiles>
               <activeProfiles><activeProfile>us</activeProfile></activeProfiles>
             </settings>",
            central.url("/"),
            own.url("/")
        ),
    );
    let run = |user: Option<&str>| {
        let mut command = place.command();
        command.args(["maven", "files", "t:a:1", "-q", "--retries", "0", "--maven-settings", "settings.xml"]);
        command.args(["--maven-repository", "https://repository.example.invalid/"]);
        command.envs(user.map(|user| ("REPOSITORY_USER", user)));
        Run::new(command.output().unwrap(), &place.path(""))
    };
    assert_eq!(names(&run(Some("me")).succeeded()), ["a-1.jar", "b-1.jar"]);
    // `me:a & b`, and the token to its own repository only.
    assert_eq!(with_header(&central, "authorization: Basic bWU6YSAmIGI="), central.requests().len());
    assert_eq!(with_header(&own, "private-token: t0ken"), own.requests().len());
    assert_eq!(
        with_header(&central, "private-token: t0ken")
            + with_header(&own, "authorization: Basic bWU6YSAmIGI="),
        0
    );
    insta::assert_snapshot!(run(None).error());
}

#[test]
fn settings_that_cannot_be_used() {
    let place = Workplace::new();
    let rows = [
        "<settings><servers>".to_owned(),
        "<settings><servers><server><id>x</id><username>u</username><password>{COQLCE6DU6GtcS5P=}</password></server></servers></settings>".to_owned(),
        "<settings><proxies><proxy><host>proxy.example.com</host><port>http</port></proxy></proxies></settings>".to_owned(),
        "<settings><mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf><url>here</url></mirror></mirrors></settings>".to_owned(),
        "<settings><mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf><url>https://x.example.com/</url><blocked>true</blocked></mirror></mirrors></settings>".to_owned(),
    ]
    .map(|text| {
        place.write("settings.xml", &text);
        let run = files(&place, "t:a:1", &["--maven-settings", "settings.xml", "--repository", "https://x.example.invalid/"]);
        format!("== {text}\n{}", run.error())
    });
    let missing = files(&place, "t:a:1", &["--maven-settings", "none.xml"]).error();
    insta::assert_snapshot!(format!("{}\n\n== no file\n{missing}", rows.join("\n\n")));
}

#[test]
fn netrc_and_passwords_in_urls_stay_with_their_hosts() {
    let (private, public) = (serve(&[]), serve(&[("a", "1", "")]));
    let place = Workplace::new();
    place.write("netrc", "machine 127.0.0.1 login me password secret\n");
    // The same server by another name is another host.
    let redirected =
        |name: &str| Answer::Redirect(format!("http://localhost:{}/t/a/1/a-1.{name}", public.port));
    private.answer_also("/t/a/1/a-1.pom", redirected("pom"));
    private.answer_also("/t/a/1/a-1.jar", redirected("jar"));
    for arguments in [
        vec!["--netrc", "netrc", "--repository", &private.url("/")],
        vec!["--repository", &private.url("/").replace("127.0.0.1", "me:secret@127.0.0.1")],
    ] {
        let before = private.requests().len();
        assert_eq!(names(&files(&place, "t:a:1", &arguments).succeeded()), ["a-1.jar"]);
        assert!(private.requests().len() > before);
        assert_eq!(with_header(&private, "authorization: Basic bWU6c2VjcmV0"), private.requests().len());
    }
    assert!(!public.requests().is_empty());
    assert_eq!(with_header(&public, "authorization: Basic bWU6c2VjcmV0"), 0);
    let closed = ArtifactServer::start(&[("*", status("401 Unauthorized"))]);
    let url = closed.url("/").replace("127.0.0.1", "me:secret@127.0.0.1");
    let error = without_ports(&files(&place, "t:a:1", &["--repository", &url]).error());
    assert!(!error.contains("secret"), "{error}");
    insta::assert_snapshot!(error);
}

#[test]
fn a_checksum_decides_and_a_mismatch_is_tried_once_more() {
    let jar = zip_of(&[("name", b"a")]);
    let place = Workplace::new();
    for algorithm in Algorithm::ALL {
        let right = algorithm.of(&jar);
        let path = format!("/t/a/1/a-1.jar.{}", algorithm.extension());
        let server = serve(&[("a", "1", "")]);
        server.answer_also(&path, content(format!("{right}  a-1.jar\n")));
        files(&place, "t:a:1", &["--repository", &server.url("/")]).succeeded();

        let server = serve(&[("a", "1", "")]);
        server.answer_also(&path, content(algorithm.of(b"something else")));
        let run = files(&place, "t:a:1", &["--repository", &server.url("/")]);
        let tries =
            server.requests().iter().filter(|head| head.starts_with("GET /t/a/1/a-1.jar HTTP")).count();
        assert_eq!((run.code, tries), (7, 2), "{}", run.stderr);
        if algorithm == Algorithm::Sha1 {
            insta::assert_snapshot!(without_ports(&run.error()));
        }
    }
    // Damaged on its way once: the second try is the file.
    let server = ArtifactServer::start(&[
        ("/t/a/1/a-1.pom", content(pom("a", "1", ""))),
        ("/t/a/1/a-1.jar", Answer::InTurn(vec![content(b"damaged"), content(&jar)])),
        ("/t/a/1/a-1.jar.sha1", content(Algorithm::Sha1.of(&jar))),
    ]);
    let run = files(&place, "t:a:1", &["--repository", &server.url("/")]).succeeded();
    assert!(run.stdout.contains(&Algorithm::Sha1.of(&jar)), "{}", run.stdout);
    // What a header says costs no request.
    let header = format!(
        "HTTP/1.1 200 OK\r\nX-Checksum-Sha1: {}\r\nContent-Length: 7\r\nConnection: close\r\n\r\ndamaged",
        Algorithm::Sha1.of(&jar)
    );
    let server = ArtifactServer::start(&[
        ("/t/a/1/a-1.pom", content(pom("a", "1", ""))),
        ("/t/a/1/a-1.jar", Answer::Raw(header)),
    ]);
    insta::assert_snapshot!(without_ports(
        &files(&place, "t:a:1", &["--repository", &server.url("/")]).error()
    ));
    assert!(!server.requests().iter().any(|head| head.contains(".jar.sha")), "{:?}", server.requests());
}

#[test]
fn a_pom_is_verified_like_any_file() {
    let server = serve(&[("a", "1", "")]);
    server.answer_also("/t/a/1/a-1.pom.sha256", content("0".repeat(64)));
    let run = files(&Workplace::new(), "t:a:1", &["--repository", &server.url("/")]);
    insta::assert_snapshot!(without_ports(&run.error()));
}

#[test]
fn what_is_released_comes_from_the_cache_the_next_time() {
    let metadata = "<metadata><versioning><versions><version>1</version></versions></versioning></metadata>";
    let server = serve(&[
        ("a", "1", &needs("b", "[1,2)")),
        ("b", "1", &needs("c", "1-SNAPSHOT")),
        ("c", "1-SNAPSHOT", ""),
    ]);
    server.answer_also("/t/b/maven-metadata.xml", content(metadata));
    let sum = |path: &str, bytes: &[u8]| {
        server.answer_also(&format!("{path}.sha1"), content(Algorithm::Sha1.of(bytes)));
    };
    for (name, inner) in [("a", needs("b", "[1,2)")), ("b", needs("c", "1-SNAPSHOT"))] {
        sum(&format!("/t/{name}/1/{name}-1.pom"), pom(name, "1", &inner).as_bytes());
        sum(&format!("/t/{name}/1/{name}-1.jar"), &zip_of(&[("name", name.as_bytes())]));
    }
    let place = Workplace::new();
    let run =
        || files(&place, "t:a:1", &["--repository", &server.url("/"), "--cache-dir", "cache"]).succeeded();
    let first = run();
    assert_eq!(names(&first), ["a-1.jar", "b-1.jar", "c-1-SNAPSHOT.jar"]);
    let before = server.requests().len();
    assert_eq!(run().stdout, first.stdout);
    let again: Vec<String> = server.requests()[before..]
        .iter()
        .map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned())
        .filter(|path| !path.contains(".sha") && !path.ends_with(".md5"))
        .collect();
    assert!(
        again.iter().all(|path| path.contains("SNAPSHOT") || path.ends_with("/maven-metadata.xml")),
        "{again:?}"
    );
    assert!(again.iter().any(|path| path == "/t/c/1-SNAPSHOT/c-1-SNAPSHOT.jar"), "{again:?}");
    assert!(again.iter().any(|path| path == "/t/b/maven-metadata.xml"), "{again:?}");

    // The kind of sum that held is remembered, and what had none is not kept.
    let artifact = serde_json::json!({ "type": "maven", "group": "t", "artifact": "a", "version": "1", "repository": server.url("/") });
    place.resource(None, &serde_json::json!([{ "name": "plugin", "artifacts": [artifact] }]));
    place
        .build(&[
            "--base",
            "scratch",
            "--to",
            "oci:out",
            "--cache-dir",
            "cache",
            "--result-file",
            "result.json",
        ])
        .succeeded();
    let result: serde_json::Value = serde_json::from_str(&place.read("result.json")).unwrap();
    let verified = |at: usize| &result["layers"][0]["artifacts"][0]["resolved"][at]["verified"];
    assert_eq!((verified(0), verified(2)), (&serde_json::json!("SHA-1"), &serde_json::Value::Null));

    // A damaged entry is none.
    for entry in std::fs::read_dir(place.path("cache/sha256")).unwrap() {
        std::fs::write(entry.unwrap().path(), b"damaged").unwrap();
    }
    assert_eq!(run().stdout, first.stdout);
}

#[test]
fn what_nobody_vouches_for_does_not_enter_the_cache() {
    let page = b"<html><title>Please log in</title></html>";
    let server = ArtifactServer::start(&[("*", content(page))]);
    let place = Workplace::new();
    let run = || files(&place, "t:a:1", &["--repository", &server.url("/"), "--cache-dir", "cache"]);
    assert_eq!(run().code, 7);
    let server_url = server.url("/");
    server.answer_everything(content(pom("a", "1", "")));
    assert_eq!(std::fs::read_dir(place.path("cache/maven")).unwrap().count(), 0, "{server_url}");
    assert_eq!(names(&run().succeeded()), ["a-1.jar"]);
}

#[test]
fn a_checksum_is_never_given_up() {
    // Many files without any, and one whose only sum is of the worst kind, and wrong.
    let many: Vec<String> = (0..20).map(|n| format!("m{n}")).collect();
    let inner = many.iter().map(|name| needs(name, "1")).collect::<Vec<_>>().concat();
    let inner = inner.replace("</dependencies><dependencies>", "").replace("</dependencies>", "")
        + &needs("bad", "1").replace("<dependencies>", "");
    let mut projects: Vec<(&str, &str, &str)> = many.iter().map(|name| (name.as_str(), "1", "")).collect();
    projects.extend([("a", "1", inner.as_str()), ("bad", "1", "")]);
    let server = serve(&projects);
    server.answer_also("/t/bad/1/bad-1.jar.md5", content("0".repeat(32)));
    let place = Workplace::new();
    for _ in 0..5 {
        let run = files(&place, "t:a:1", &["--repository", &server.url("/")]);
        assert!(run.stderr.contains("MD5"), "{}{}", run.stdout, run.stderr);
    }
    // A server that fails may have it.
    server.answer_instead("/t/bad/1/bad-1.jar.md5", status("503 Service Unavailable"));
    let run = files(&place, "t:a:1", &["--repository", &server.url("/")]);
    assert!(run.stderr.contains("503"), "{}{}", run.stdout, run.stderr);
    // One that denies has none.
    server.answer_instead("/t/bad/1/bad-1.jar.md5", status("403 Forbidden"));
    files(&place, "t:a:1", &["--repository", &server.url("/")]).succeeded();
}

#[test]
fn passwords_go_to_nobody_whom_only_a_pom_names() {
    let other = serve(&[("b", "1", "")]);
    let declared = format!(
        "{}<repositories><repository><id>corp</id><url>{}</url></repository></repositories>",
        needs("b", "1"),
        other.url("/").replace("127.0.0.1", "localhost")
    );
    let own = serve(&[("a", "1", &declared)]);
    let place = Workplace::new();
    place.write("netrc", "default login me password secret\n");
    place.write(
        "settings.xml",
        "<settings><servers><server><id>corp</id><username>me</username><password>secret</password></server></servers></settings>",
    );
    let url = own.url("/");
    for arguments in [
        ["--netrc", "netrc", "--repository", &url],
        ["--maven-settings", "settings.xml", "--repository", &url],
    ] {
        assert_eq!(names(&files(&place, "t:a:1", &arguments).succeeded()), ["a-1.jar", "b-1.jar"]);
    }
    assert!(with_header(&own, "authorization: Basic bWU6c2VjcmV0") > 0);
    assert_eq!(with_header(&other, "authorization: Basic bWU6c2VjcmV0"), 0);
    assert!(!other.requests().is_empty());
}

#[test]
fn central_of_the_settings_is_central() {
    let server = serve(&[("a", "1", "")]);
    let place = Workplace::new();
    place.write(
        "settings.xml",
        format!(
            "<settings><profiles><profile><id>us</id><activation><jdk>[1.8,)</jdk></activation><repositories><repository>\
             <id>central</id><url>{}</url></repository></repositories></profile></profiles></settings>",
            server.url("/")
        ),
    );
    let run = files(&place, "t:a:1", &["--maven-settings", "settings.xml"]).succeeded();
    assert_eq!(names(&run), ["a-1.jar"]);
}

#[test]
fn nothing_in_a_pom_leads_out_of_the_repository() {
    let rows = [
        needs("x", "../../../secret/x"),
        needs("x", "1").replace("</version>", "</version><classifier>/../../secret</classifier>"),
        needs("x", "1").replace("</version>", "</version><type>/../../etc</type>"),
        needs("x", "%2e%2e"),
    ];
    for inner in rows {
        let server = serve(&[("a", "1", &inner), ("x", "1", "")]);
        let run = files(
            &Workplace::new(),
            "t:a:1",
            &["--repository", &server.url("/below/").replace("/below", "")],
        );
        assert_eq!(run.code, 7, "{}", run.stdout);
        let odd: Vec<String> = server
            .requests()
            .into_iter()
            .filter(|head| head.contains("secret") || head.contains("etc") || head.contains("%2e"))
            .collect();
        assert_eq!(odd, [""; 0]);
    }
}

#[test]
fn words_of_poms_do_not_reach_the_terminal() {
    let server = serve(&[("a", "1", &needs("x", "1&#27;[31m&#x9b;&#10;fake"))]);
    let run = files(&Workplace::new(), "t:a:1", &["--repository", &server.url("/")]);
    assert!(!run.stderr.contains(['\u{1b}', '\u{9b}']), "{}", run.stderr);
    insta::assert_snapshot!(without_ports(&run.error()));
}

#[test]
fn the_tree_counts_what_is_there() {
    let server = serve(&[
        ("p", "1", &("<packaging>pom</packaging>".to_owned() + &needs("x", "1"))),
        ("w", "1", "<packaging>war</packaging>"),
        ("x", "1", ""),
    ]);
    server.answer_also("/t/w/1/w-1.war", content(zip_of(&[])));
    let place = Workplace::new();
    let rows = ["t:p:1", "t:w:1", "t:x:1"].map(|coordinate| {
        place.run(&["maven", "tree", coordinate, "--repository", &server.url("/"), "-q"]).succeeded().stdout
    });
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn files_that_are_kept_are_the_first_of_their_names() {
    let other = needs("x", "1").replace("<groupId>t<", "<groupId>u<");
    let both = needs("x", "1").replace("</dependencies>", "") + &other.replace("<dependencies>", "");
    let server = serve(&[("a", "1", &both), ("x", "1", "")]);
    server.answer_also("/u/x/1/x-1.pom", content(pom("x", "1", "").replace("<groupId>t<", "<groupId>u<")));
    server.answer_also("/u/x/1/x-1.jar", content(zip_of(&[("name", b"another")])));
    let place = Workplace::new();
    let run = place
        .run(&["maven", "files", "t:a:1", "--repository", &server.url("/"), "--output", "out"])
        .succeeded();
    assert_eq!(std::fs::read(place.path("out/x-1.jar")).unwrap(), zip_of(&[("name", b"x")]));
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("warning")).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

#[test]
fn snapshots_are_what_their_metadata_says_today() {
    let metadata = "<metadata><versioning><lastUpdated>20240102030405</lastUpdated><snapshotVersions>\
        <snapshotVersion><extension>pom</extension><value>1-20240102.030405-7</value><updated>20240102030405</updated></snapshotVersion>\
        <snapshotVersion><extension>jar</extension><value>1-20240102.030405-7</value><updated>20240102030405</updated></snapshotVersion>\
        </snapshotVersions></versioning></metadata>";
    let server = ArtifactServer::start(&[
        ("/t/a/1-SNAPSHOT/maven-metadata.xml", content(metadata)),
        ("/t/a/1-SNAPSHOT/a-1-20240102.030405-7.pom", content(pom("a", "1-SNAPSHOT", ""))),
        ("/t/a/1-SNAPSHOT/a-1-20240102.030405-7.jar", content(zip_of(&[("a", b"7")]))),
        ("/t/a/1-SNAPSHOT/a-1-20240101.000000-6.pom", content(pom("a", "1-SNAPSHOT", ""))),
        ("/t/a/1-SNAPSHOT/a-1-20240101.000000-6.jar", content(zip_of(&[("a", b"6")]))),
    ]);
    let place = Workplace::new();
    // By its name of today, and by a timestamp, which is no reason to fail.
    for (version, inside) in [("1-SNAPSHOT", b"7"), ("1-20240101.000000-6", b"6")] {
        let run = files(&place, &format!("t:a:{version}"), &["--repository", &server.url("/")]).succeeded();
        let sum = Algorithm::Sha1.of(&zip_of(&[("a", inside)]));
        assert_eq!(run.stdout, format!("a-1-SNAPSHOT.jar {sum} t:a:{version}\n"));
    }
}

#[test]
fn latest_release_and_ranges_are_found_in_the_metadata() {
    let metadata = "<metadata><versioning><latest>3-SNAPSHOT</latest><release>2</release><versions>\
        <version>1</version><version>2</version><version>3-SNAPSHOT</version></versions></versioning></metadata>";
    let server = serve(&[("a", "1", ""), ("a", "2", ""), ("a", "3-SNAPSHOT", "")]);
    server.answer_also("/t/a/maven-metadata.xml", content(metadata));
    let place = Workplace::new();
    for (version, file) in [
        ("LATEST", "a-3-SNAPSHOT.jar"),
        ("RELEASE", "a-2.jar"),
        ("[1,2]", "a-2.jar"),
        ("[1,2)", "a-1.jar"),
        ("[1,)", "a-3-SNAPSHOT.jar"),
    ] {
        let run = files(&place, &format!("t:a:{version}"), &["--repository", &server.url("/")]).succeeded();
        assert_eq!(names(&run), [file], "{version}");
    }
    let rows = ["4", "(3,4)", "[1"].map(|version| {
        without_ports(&files(&place, &format!("t:a:{version}"), &["--repository", &server.url("/")]).error())
    });
    insta::assert_snapshot!(rows.join("\n\n"));
}

#[test]
fn what_upstream_stumbles_over_succeeds() {
    let server = serve(&[
        ("dotted.name", "1", ""),
        ("w", "1", "<packaging>war</packaging>"),
        ("p", "1", &("<packaging>pom</packaging>".to_owned() + &needs("x", "1"))),
        ("x", "1", ""),
    ]);
    server.answer_also("/t/w/1/w-1.war", content(zip_of(&[])));
    let place = Workplace::new();
    for (coordinate, files_of) in [
        ("t:dotted.name:1", vec!["dotted.name-1.jar"]),
        ("t:p:1", vec!["x-1.jar"]),
        ("t:w:1", vec!["w-1.war"]),
    ] {
        let run = files(&place, coordinate, &["--repository", &server.url("/")]).succeeded();
        assert_eq!(names(&run), files_of, "{coordinate}");
    }
}

#[test]
fn a_dependency_with_an_unusable_pom_is_taken_alone_as_maven_does() {
    let server = serve(&[("a", "1", &needs("b", "1")), ("b", "1", &needs("c", "1")), ("c", "1", "")]);
    let place = Workplace::new();
    let run = || place.run(&["maven", "files", "t:a:1", "--repository", &server.url("/")]).succeeded();
    assert_eq!(names(&run()), ["a-1.jar", "b-1.jar", "c-1.jar"]);
    let without = pom("b", "1", &needs("c", "1")).replace("<modelVersion>4.0.0</modelVersion>", "");
    server.answer_instead("/t/b/1/b-1.pom", content(without));
    let run = run();
    assert_eq!(names(&run), ["a-1.jar", "b-1.jar"]);
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.contains("POM")).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

#[test]
fn a_pom_that_configures_the_copying_is_told_of() {
    let plugin = "<plugin><artifactId>maven-dependency-plugin</artifactId><configuration><stripVersion>true</stripVersion>\
        </configuration></plugin>";
    let inherited = format!(
        "<packaging>pom</packaging><build><pluginManagement><plugins>{plugin}</plugins></pluginManagement></build>"
    );
    let own = "<parent><groupId>t</groupId><artifactId>p</artifactId><version>1</version></parent>\
        <properties><excludeTypes>war</excludeTypes></properties>";
    let server = serve(&[("a", "1", own), ("p", "1", &inherited)]);
    let place = Workplace::new();
    let run = place.run(&["maven", "files", "t:a:1", "--repository", &server.url("/")]).succeeded();
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.contains("warning")).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

#[test]
fn two_files_of_one_name_are_told_of() {
    let other = needs("x", "1").replace("<groupId>t<", "<groupId>u<");
    let both = needs("x", "1").replace("</dependencies>", "") + &other.replace("<dependencies>", "");
    let server = serve(&[("a", "1", &both), ("x", "1", "")]);
    server.answer_also("/u/x/1/x-1.pom", content(pom("x", "1", "").replace("<groupId>t<", "<groupId>u<")));
    server.answer_also("/u/x/1/x-1.jar", content(zip_of(&[("name", b"another")])));
    let place = Workplace::new();
    let artifact = serde_json::json!({ "type": "maven", "group": "t", "artifact": "a", "version": "1", "repository": server.url("/") });
    place.resource(None, &serde_json::json!([{ "name": "plugin", "artifacts": [artifact] }]));
    let run = place.build(&["--base", "scratch", "--to", "oci:out", "--log-format", "text"]).succeeded();
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("warning:")).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

#[test]
#[ignore = "nginx, openssl"]
fn a_server_that_could_be_anybody_fills_no_cache_and_hears_no_password() {
    let place = Workplace::new();
    for (name, bytes) in [("a-1.pom", pom("a", "1", "").into_bytes()), ("a-1.jar", zip_of(&[]))] {
        place.write(&format!("www/t/a/1/{name}.sha1"), Algorithm::Sha1.of(&bytes));
        place.write(&format!("www/t/a/1/{name}"), bytes);
    }
    let plain = serve(&[("a", "1", "")]);
    let tls = TlsFiles::start(&place.path("www"), &plain.url("/").replace("127.0.0.1", "localhost"));
    let url = format!("https://127.0.0.1:{}/", tls.port);
    let cached = ["--repository", &url, "--cache-dir", "cache"];
    files(&place, "t:a:1", &[cached.as_slice(), &["--insecure"]].concat()).succeeded();
    assert_eq!(files(&place, "t:a:1", &cached).code, 7, "what an insecure run brought is taken for good");
    let authority = tls.authority().display().to_string();
    files(&place, "t:a:1", &[cached.as_slice(), &["--ca-file", &authority]].concat()).succeeded();
    assert_eq!(files(&place, "t:a:1", &cached).code, 0);

    place.write(
        "netrc",
        "machine 127.0.0.1 login me password secret machine localhost login me password secret\n",
    );
    let moved = format!("{url}moved/");
    let run = files(&place, "t:a:1", &["--repository", &moved, "--ca-file", &authority, "--netrc", "netrc"]);
    assert_eq!(names(&run.succeeded()), ["a-1.jar"]);
    assert!(!plain.requests().is_empty());
    assert_eq!(with_header(&plain, "authorization: Basic bWU6c2VjcmV0"), 0, "from https to http");
}
