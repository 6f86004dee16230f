//! Real connectors, resolved by real Maven and by us from one repository on loopback: the same files, byte for byte. And an
//! image with some of them, whose plugins the class loaders of a real worker list.
//!
//! `tests/oracle/record` has Maven fill that repository from where Maven gets its artifacts, outside the tree, once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use connect_build::maven::Algorithm;
use serde_json::json;

use crate::support::Workplace;
use crate::support::maven_repository::MavenRepository;
use crate::support::real::{RealRegistry, Setup, Store, output, text};

/// Which Strimzi leaves open; pinned, so that the recording has all that Maven wants.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.7.0";

/// Names and SHA-1s.
type Files = BTreeMap<String, String>;

/// The recording that `tests/oracle/record` makes of these lists: its directory, and their coordinates.
fn recorded(lists: &[PathBuf]) -> (PathBuf, Vec<String>) {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    let directory = home.join(".cache/connect-build/maven-oracle");
    let mut coordinates = Vec::new();
    for list in lists {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/record");
        output(Command::new(script).arg(&directory).arg(list));
        let text = std::fs::read_to_string(list).unwrap();
        let lines = text.lines().filter_map(|line| line.split('#').next()).map(str::trim);
        coordinates.extend(lines.filter(|line| !line.is_empty()).map(ToOwned::to_owned));
    }
    (directory.join("repository"), coordinates)
}

/// The lists that `tests/oracle/maven` names, or else the short one.
fn lists() -> Vec<PathBuf> {
    let named = std::env::var("CONNECT_BUILD_ORACLE_LISTS").unwrap_or_else(|_| "connectors.txt".to_owned());
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    named.split_whitespace().map(|name| directory.join(name)).collect()
}

/// What Java the machine's Maven runs on.
fn java_version() -> String {
    let said = output(Command::new("java").args(["-XshowSettings:properties", "-version"]));
    let text = String::from_utf8(said.stderr).unwrap();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("java.version = ")).unwrap();
    line.to_owned()
}

/// A coordinate's POM and jar in a recording.
fn recorded_files(recording: &Path, coordinate: &str) -> (PathBuf, PathBuf) {
    let parts: Vec<&str> = coordinate.split(':').collect();
    let [group, artifact, version] = parts[..] else { panic!("{coordinate} is not of the form G:A:V") };
    let directory = recording.join(group.replace('.', "/")).join(artifact).join(version);
    let file = |extension| directory.join(format!("{artifact}-{version}.{extension}"));
    (file("pom"), file("jar"))
}

/// Has real Maven lay down the files of a scope (empty for all), with a local repository that it has to fill from `url`.
fn lay_down(place: &Workplace, pom: &Path, scope: &str, url: &str) -> PathBuf {
    let settings = format!(
        "<settings><mirrors><mirror><id>loopback</id><mirrorOf>*</mirrorOf><url>{url}</url></mirror></mirrors></settings>"
    );
    // A directory of its own, so that a parent's relative path leads nowhere.
    let project = place.path("project");
    std::fs::create_dir_all(&project).unwrap();
    std::fs::copy(pom, project.join("pom.xml")).unwrap();
    let laid_down = place.path("files");
    let mut command = Command::new("mvn");
    command.current_dir(&project).args(["-B", "-ntp", "-q", "-s"]).arg(place.write("settings.xml", settings));
    command.arg(format!("-Dmaven.repo.local={}", place.path("local").display()));
    command.arg(format!("-DoutputDirectory={}", laid_down.display()));
    command.arg(format!("-DincludeScope={scope}")).arg(format!("{PLUGIN}:copy-dependencies"));
    output(&mut command);
    laid_down
}

/// Names and sums of what real Maven lays down.
fn of_maven(place: &Workplace, pom: &Path, scope: &str, url: &str) -> Files {
    let laid_down = lay_down(place, pom, scope, url);
    let mut files = Files::new();
    for entry in std::fs::read_dir(&laid_down).into_iter().flatten().map(Result::unwrap) {
        let sum = Algorithm::Sha1.of_file(&entry.path()).unwrap();
        files.insert(entry.file_name().into_string().unwrap(), sum);
    }
    // Without any dependency Maven makes no directory.
    let _ = std::fs::remove_dir_all(&laid_down);
    files
}

/// What we say, with the artifact's own file apart.
fn of_us(place: &Workplace, coordinate: &str, scope: &str, url: &str, java: &str) -> (Files, String) {
    let arguments =
        ["maven", "files", coordinate, "--scope", scope, "--mirror", url, "--maven-java-version", java];
    let run = place.run(&arguments).succeeded();
    let mut lines = run.stdout.lines().map(|line| line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>());
    let own = lines.next().map(|own| own[1].clone()).unwrap_or_default();
    (lines.map(|mut words| (words.remove(0), words.remove(0))).collect(), own)
}

/// What one has and the other has not, or not with this sum.
fn difference(maven: &Files, us: &Files) -> String {
    let without = |some: &Files, other: &Files| -> Vec<String> {
        some.iter()
            .filter(|(name, sum)| other.get(*name) != Some(sum))
            .map(|(name, sum)| format!("{name} {sum}"))
            .collect()
    };
    format!("only Maven: {:?}, only we: {:?}", without(maven, us), without(us, maven))
}

#[test]
#[ignore = "mvn, and what it fetches once: about 700 MB"]
fn real_connectors_give_the_files_that_real_maven_finds() {
    let (recording, coordinates) = recorded(&lists());
    let repository = MavenRepository::of_local(&recording);
    let (url, java) = (repository.url(), java_version());
    // A run of minutes says how far it is, to who runs `tests/oracle/maven`.
    #[allow(clippy::print_stdout)]
    let compare = |scope: &str| {
        let mut wrong = Vec::new();
        let place = Workplace::new();
        for coordinate in &coordinates {
            let (pom, jar) = recorded_files(&recording, coordinate);
            let maven = of_maven(&place, &pom, if scope == "all" { "" } else { scope }, &url);
            let (us, own) = of_us(&place, coordinate, scope, &url, &java);
            println!("{coordinate}, {scope}: {} files", maven.len());
            if us != maven {
                wrong.push(format!("{coordinate}, {scope}: {}", difference(&maven, &us)));
            }
            if own != Algorithm::Sha1.of_file(&jar).unwrap() {
                wrong.push(format!("{coordinate}: the jar itself is another one"));
            }
        }
        wrong
    };
    let wrong = std::thread::scope(|threads| {
        let all = threads.spawn(|| compare("all"));
        [compare("runtime"), all.join().unwrap()].concat()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(coordinates.len() >= 12);
}

#[test]
#[ignore = "mvn, java, docker-registry, buildah, skopeo, umoci"]
fn the_connectors_of_a_pushed_image_are_listed_by_a_worker() {
    let (recording, _) =
        recorded(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/connectors.txt")]);
    let repository = MavenRepository::of_local(&recording);
    let place = Workplace::new();
    let maven = |group: &str, artifact: &str, version: &str| json!({ "type": "maven", "group": group, "artifact": artifact, "version": version, "repository": repository.url() });
    let registry = RealRegistry::start(Setup::Http);
    let store = Store::new();
    let base = store.push_base(&registry.host());
    let to = format!("{}/out/connect:1", registry.host());
    place.write(
        "resource.json",
        json!({
            "apiVersion": "kafka.strimzi.io/v1beta2",
            "kind": "KafkaConnect",
            "metadata": { "name": "connect" },
            "spec": { "build": { "output": { "type": "docker", "image": to }, "plugins": [
                { "name": "file", "artifacts": [maven("org.apache.kafka", "connect-file", "3.7.0")] },
                { "name": "mongo", "artifacts": [maven("org.mongodb.kafka", "mongo-kafka-connect", "1.13.0")] },
                { "name": "camel", "artifacts": [maven("org.apache.camel.kafkaconnector", "camel-timer-kafka-connector", "0.7.2")] },
            ] } },
        })
        .to_string(),
    );
    place.build(&["--base", &base, "--plain-http-registry", &registry.host()]).succeeded();
    let layout = place.path("layout").display().to_string();
    let mut copy = Command::new("skopeo");
    copy.args([
        "copy",
        "-q",
        "--src-tls-verify=false",
        &format!("docker://{to}"),
        &format!("oci:{layout}:1"),
    ]);
    output(&mut copy);
    let bundle = place.path("bundle");
    output(Command::new("umoci").args(["unpack", "--image", &format!("{layout}:1")]).arg(&bundle));

    let (pom, jar) = recorded_files(&recording, "org.apache.kafka:kafka-tools:3.7.0");
    let worker = lay_down(&place, &pom, "runtime", &repository.url());
    let class_path = format!("{}:{}/*", jar.display(), worker.display());
    let listed = text(
        Command::new("java")
            .args(["-cp", &class_path, "org.apache.kafka.tools.ConnectPluginPath", "list", "--plugin-path"])
            .arg(bundle.join("rootfs/opt/kafka/plugins")),
    );
    let mut connectors = Vec::new();
    for line in listed.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [class, _, _, version, kind, is_loadable, _, location] = columns[..] else { continue };
        if matches!(kind, "source" | "sink") {
            let plugin = location.rsplit('/').next().unwrap_or_default();
            connectors.push(format!("{plugin}: {kind} {class} {version}, loadable: {is_loadable}"));
        }
    }
    connectors.sort_unstable();
    insta::assert_snapshot!(connectors.join("\n"));
}
