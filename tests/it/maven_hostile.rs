//! POMs that somebody wrote to do harm: each costs little memory and time, and the error says what is wrong.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::maven_repository::MavenRepository;
use crate::support::{Run, Workplace};

/// Most memory of the program, in bytes, and most time of a processor. It is not optimised when tests run.
const MEMORY: u64 = 400 << 20;
const PROCESSOR: Duration = Duration::from_secs(40);
/// Most time by the clock: other tests run beside it.
const CLOCK: Duration = Duration::from_mins(4);

/// Files of a repository whose project `t:root:1` is asked for.
#[derive(Default)]
struct Repository(HashMap<String, String>);

impl Repository {
    /// A POM with `inner` behind its coordinate.
    fn pom(mut self, artifact: &str, inner: &str) -> Self {
        let text = format!(
            "<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>{artifact}</artifactId>\
             <version>1</version>{inner}</project>"
        );
        self.0.insert(format!("t/{artifact}/1/{artifact}-1.pom"), text);
        self
    }

    fn root(text: &str) -> Self {
        Self(HashMap::from([("t/root/1/root-1.pom".to_owned(), text.to_owned())]))
    }

    /// What the program says, which must have been cheap; and what it asked for.
    #[track_caller]
    fn error(self) -> (String, Vec<String>) {
        let repository = MavenRepository::start(self.0);
        let place = Workplace::new();
        let mut command = place.command();
        command.args(["maven", "files", "t:root:1", "--repository", &repository.url(), "-q"]);
        let begun = Instant::now();
        let words = std::fs::File::create(place.path("words")).unwrap();
        let mut child = command.stdout(Stdio::null()).stderr(words).spawn().unwrap();
        let mut peak = 0;
        let code = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.code().unwrap_or(-1);
            }
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
            peak = peak.max(kib.unwrap_or_default() << 10);
            let cheap = processor_time(child.id()) < PROCESSOR && begun.elapsed() < CLOCK;
            assert!(cheap || child.kill().is_err(), "it takes too long");
            std::thread::sleep(Duration::from_millis(5));
        };
        let run = Run { code, stdout: String::new(), stderr: place.read("words") };
        assert!(peak < MEMORY, "it took {} MiB: {}", peak >> 20, run.stderr);
        assert!(run.stderr.len() < 4_000, "{}", run.stderr);
        (run.error(), repository.requests())
    }
}

/// What a process has used of the processors so far: fields 14 and 15 of its `stat`, in hundredths of a second.
fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let behind_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = behind_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

fn dependency(artifact: &str, inner: &str) -> String {
    format!(
        "<dependency><groupId>t</groupId><artifactId>{artifact}</artifactId><version>1</version>{inner}</dependency>"
    )
}

fn dependencies(all: &str) -> String {
    format!("<dependencies>{all}</dependencies>")
}

fn parent(artifact: &str) -> String {
    format!("<parent><groupId>t</groupId><artifactId>{artifact}</artifactId><version>1</version></parent>")
}

/// `count` properties `p0` to the last, each made of the next by `pattern`, in which `%` is its name.
fn properties(count: usize, pattern: &str) -> String {
    let mut text = String::from("<properties>");
    for number in 0..count {
        let value = pattern.replace('%', &format!("${{p{}}}", number + 1));
        let _ = write!(text, "<p{number}>{value}</p{number}>");
    }
    text + &format!("<p{count}>end</p{count}></properties>")
}

#[test]
fn poms_that_grow_are_stopped() {
    let uses_p0 = dependencies(&dependency("x", "").replace("<version>1<", "<version>${p0}<"));
    let laughs = (1..10).fold("<!ENTITY a0 \"ha\">".to_owned(), |mut text, number| {
        let _ = write!(text, "<!ENTITY a{number} \"{}\">", format!("&a{};", number - 1).repeat(10));
        text
    });
    let many: String = (0..100_000).map(|number| dependency(&format!("d{number}"), "")).collect();
    let few = many.split_inclusive("</dependency>").take(30_000).collect::<String>();
    let rows = [
        (
            "billion laughs",
            Repository::root(&format!(
                "<!DOCTYPE project [{laughs}]><project><groupId>&a9;</groupId></project>"
            )),
        ),
        ("100,000 dependencies", Repository::default().pom("root", &dependencies(&many))),
        ("30,000 dependencies", Repository::default().pom("root", &dependencies(&few))),
        ("10 MiB of white space", Repository::default().pom("root", &" ".repeat(10 << 20))),
        ("elements inside each other", Repository::root(&("<project>".to_owned() + &"<a>".repeat(100_000)))),
        ("many elements", Repository::default().pom("root", &"<a/>".repeat(500_000))),
        (
            "a property of 10,000 others",
            Repository::default().pom("root", &(properties(10_000, "%") + &uses_p0)),
        ),
        ("a property that doubles", Repository::default().pom("root", &(properties(60, "%%") + &uses_p0))),
        (
            "a property that is made of itself",
            Repository::default().pom("root", &(properties(1, "%").replace("end", "${p0}") + &uses_p0)),
        ),
        (
            "a version without end",
            Repository::default().pom(
                "root",
                &dependencies(
                    &dependency("x", "")
                        .replace("<version>1<", &format!("<version>{}<", "1.".repeat(1_000_000))),
                ),
            ),
        ),
        (
            "half a million names",
            Repository::default().pom("root", &format!("<name>{}</name>{uses_p0}", "${p0}".repeat(500_000))),
        ),
    ];
    let words = rows.map(|(row, repository)| format!("== {row}\n{}", repository.error().0));
    insta::assert_snapshot!(words.join("\n\n"));
}

#[test]
fn lineages_and_graphs_that_grow_are_stopped() {
    let chain = |count: usize, inner: &dyn Fn(usize) -> String| {
        let first = Repository::default().pom("root", &inner(0));
        (1..count).fold(first, |repository, number| repository.pom(&format!("p{number}"), &inner(number)))
    };
    let import = |number: usize| {
        let import = dependency(&format!("p{}", number + 1), "<type>pom</type><scope>import</scope>");
        format!("<dependencyManagement>{}</dependencyManagement>", dependencies(&import))
    };
    // Each of a layer needs both of the next, without something of its own: no two ways down are the same.
    let layers = (0..40).fold(Repository::default().pom("root", &dependencies(&dependency("l0a", ""))), |repository, layer| {
        let below = |without: &str| {
            let exclusion = format!("<exclusions><exclusion><groupId>no</groupId><artifactId>{without}</artifactId></exclusion></exclusions>");
            let next = layer + 1;
            dependencies(&["a", "b"].map(|side| dependency(&format!("l{next}{side}"), &exclusion)).concat())
        };
        repository
            .pom(&format!("l{layer}a"), &below(&format!("a{layer}")))
            .pom(&format!("l{layer}b"), &below(&format!("b{layer}")))
    });
    let rows = [
        ("a parent that is its own", Repository::default().pom("root", &parent("root"))),
        (
            "parents in a circle",
            chain(2, &|number| format!("<packaging>pom</packaging>{}", parent(["p1", "root"][number]))),
        ),
        (
            "parents without end",
            chain(1_000, &|number| {
                format!("<packaging>pom</packaging>{}", parent(&format!("p{}", number + 1)))
            }),
        ),
        ("an import of itself", Repository::default().pom("root", &import(0).replace("p1", "root"))),
        ("imports in a circle", chain(2, &|number| import(number).replace("p2", "root"))),
        ("imports without end", chain(1_000, &import)),
        (
            "dependencies without end",
            chain(1_000, &|number| dependencies(&dependency(&format!("p{}", number + 1), ""))),
        ),
        ("ways without number", layers),
    ];
    let words = rows.map(|(row, repository)| format!("== {row}\n{}", repository.error().0));
    insta::assert_snapshot!(words.join("\n\n"));
}

#[test]
fn what_costs_time_or_memory_in_many_places_is_stopped() {
    // Exclusions, each held against every dependency below.
    let mut exclusions = String::new();
    for number in 0..40_000 {
        let _ = write!(
            exclusions,
            "<exclusion><groupId>t</groupId><artifactId>no{number}</artifactId></exclusion>"
        );
    }
    let below: String = (0..10).map(|number| dependency(&format!("b{number}"), "")).collect();
    let wide: String = (0..15_000).map(|number| dependency(&format!("z{number}"), "")).collect();
    let mut excluding = Repository::default()
        .pom("root", &dependencies(&dependency("a", &format!("<exclusions>{exclusions}</exclusions>"))))
        .pom("a", &dependencies(&below));
    for number in 0..10 {
        excluding = excluding.pom(&format!("b{number}"), &dependencies(&wide));
    }
    // A version that takes long to read.
    let mut long = Repository::default()
        .pom("root", &dependencies(&dependency("a", "").replace("<version>1<", "<version>[1,2]<")));
    let versions = format!(
        "<metadata><versioning><versions><version>{}</version></versions></versioning></metadata>",
        "0.0.a.".repeat(600_000)
    );
    long.0.insert("t/a/maven-metadata.xml".to_owned(), versions);
    // Much to inherit, for many.
    let managed = |level: usize| {
        let all: String = (0..15_000)
            .map(|n| dependency(&format!("m{level}-{n}"), "").replace("<version>1<", "<version>${v}<"))
            .collect();
        format!(
            "<packaging>pom</packaging><properties><v>1</v></properties><dependencyManagement>{}</dependencyManagement>",
            dependencies(&all)
        )
    };
    let children: String = (0..200).map(|number| dependency(&format!("c{number}"), "")).collect();
    let mut heavy = Repository::default().pom("root", &dependencies(&children));
    for level in 0..12 {
        let above = if level < 11 { parent(&format!("p{}", level + 1)) } else { String::new() };
        heavy = heavy.pom(&format!("p{level}"), &(above + &managed(level)));
    }
    for number in 0..200 {
        heavy = heavy.pom(&format!("c{number}"), &parent("p0"));
    }
    // Many documents of the largest size.
    let mut white = Repository::default();
    let all: String = (0..60).map(|number| dependency(&format!("w{number}"), "")).collect();
    white = white.pom(
        "root",
        &dependencies(&(all + &dependency("missing", "").replace("<version>1<", "<version>[9,10]<"))),
    );
    for number in 0..60 {
        white = white.pom(&format!("w{number}"), &" ".repeat(4_000_000));
    }
    let rows =
        [("exclusions", excluding), ("a version", long), ("much to inherit", heavy), ("white space", white)];
    let words = rows.map(|(row, repository)| format!("== {row}\n{}", repository.error().0));
    // Which of the children it is depends on who is read first.
    let told =
        (0..200).rev().fold(words.join("\n\n"), |told, n| told.replace(&format!("t:c{n}:1"), "t:cN:1"));
    insta::assert_snapshot!(told);
}

#[test]
fn no_entity_is_ever_fetched() {
    let elsewhere = MavenRepository::start(HashMap::new());
    let url = elsewhere.url();
    let doctypes = [
        format!("<!DOCTYPE project SYSTEM \"{url}a.dtd\">"),
        format!("<!DOCTYPE project [<!ENTITY e SYSTEM \"{url}e\">]>"),
        format!("<!DOCTYPE project [<!ENTITY % p SYSTEM \"{url}p.dtd\"> %p; <!ENTITY e \"x\">]>"),
        "<!DOCTYPE project [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>".to_owned(),
    ];
    for doctype in doctypes {
        let pom = format!(
            "{doctype}<project><groupId>&e;</groupId><artifactId>root</artifactId><version>1</version></project>"
        );
        let (words, _) = Repository::root(&pom).error();
        assert!(words.contains("it uses the entity `&e;`, which is not defined"), "{words}");
    }
    assert_eq!(elsewhere.requests(), [""; 0]);
}

#[test]
fn coordinates_that_lead_out_of_a_repository_are_refused() {
    let rows = ["../../x", "a/b", "a\\b", "a b", "", "a\u{0}b", "é"].map(|id| {
        let inner =
            dependencies(&dependency("x", "").replace("<artifactId>x<", &format!("<artifactId>{id}<")));
        let (words, requests) = Repository::default().pom("root", &inner).error();
        assert!(requests.iter().all(|path| path.starts_with("t/root/1/root-1.")), "{requests:?}");
        format!("== {id:?}\n{words}")
    });
    insta::assert_snapshot!(rows.join("\n\n"));
}
