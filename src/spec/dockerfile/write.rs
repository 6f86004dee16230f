//! Writes instructions as Strimzi does. What was read is right if it comes out the same.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::shell::{AND, line, quote};
use super::{MAVEN_STAGE, plugin_directory};
use crate::digest::strimzi_stub;

/// How the checksum is spelled: 1.1 and later have the short form.
const CHECK: [&str; 2] = ["-c", "--check"];

/// An artifact of a plugin, in the form of a resource.
pub(super) struct Fetched {
    pub plugin: String,
    pub artifact: Value,
}

/// What becomes of the download.
pub(super) enum Kind {
    /// It stays, under this name.
    File(String),
    Tgz,
    Zip,
}

/// The fields of a `jar`, `other`, `tgz` or `zip` artifact.
pub(super) struct RemoteRun {
    pub plugin: String,
    pub url: String,
    pub insecure: bool,
    /// The sum, and whether the long form of the flag stands there.
    pub sum: Option<(String, bool)>,
    pub kind: Kind,
}

/// The fields of a `maven` artifact.
pub(super) struct MavenRun {
    pub plugin: String,
    pub group: String,
    pub artifact: String,
    pub version: String,
    pub repository: String,
    /// As they stand in the settings, XML escapes and all.
    pub repository_escaped: String,
    pub mirrors: Vec<String>,
    pub mirrors_escaped: Vec<String>,
    /// Nothing before 1.1; empty for none.
    pub scope: Option<String>,
    pub insecure: bool,
}

fn joined(commands: &[String]) -> String {
    format!("RUN {}", commands.join(AND))
}

fn curl(insecure: bool, rest: &[&str]) -> String {
    let flags: &[&str] = if insecure { &["curl", "-f", "-k", "-L"] } else { &["curl", "-f", "-L"] };
    line(&[flags, rest].concat())
}

/// `KafkaConnectDockerfile`'s `jarOrOther`, `tgz` and `zip`.
pub(super) fn remote(run: &RemoteRun) -> String {
    let hash = strimzi_stub(&run.url);
    let directory = format!("{}/{hash}", plugin_directory(&run.plugin));
    let file = match &run.kind {
        Kind::File(name) => format!("{directory}/{name}"),
        Kind::Tgz => format!("{directory}.tgz"),
        Kind::Zip => format!("{directory}.zip"),
    };
    let mut commands =
        vec![line(&["mkdir", "-p", &directory]), curl(run.insecure, &["--output", &file, &run.url])];
    if let Some((sum, long)) = &run.sum {
        let sums = format!("{file}.sha512");
        commands.push(format!("{} > {}", line(&["echo", &format!("{sum} {file}")]), quote(&sums)));
        commands.push(line(&["sha512sum", CHECK[usize::from(*long)], &sums]));
        commands.push(line(&["rm", "-f", &sums]));
    }
    match run.kind {
        Kind::File(_) => {}
        Kind::Tgz => commands.push(line(&["tar", "xvfz", &file, "-C", &directory])),
        Kind::Zip => {
            commands.push(line(&["unzip", &file, "-d", &directory]));
            let find = line(&["find", &directory, "-type", "l"]);
            commands.push(format!("{find} | {}", line(&["xargs", "rm", "-f"])));
        }
    }
    if !matches!(run.kind, Kind::File(_)) {
        commands.push(line(&["rm", "-vf", &file]));
    }
    joined(&commands)
}

impl MavenRun {
    /// `hashStub` of the coordinate, whatever the repository.
    fn hash(&self) -> String {
        strimzi_stub(&format!("{}/{}/{}", self.group, self.artifact, self.version))
    }

    /// `assembleResourceUrl`, which takes dots in the artifact's name for slashes.
    fn url(&self, extension: &str) -> String {
        let Self { group, artifact, version, repository, .. } = self;
        let slash = if repository.ends_with('/') { "" } else { "/" };
        let (group, directory) = (group.replace('.', "/"), artifact.replace('.', "/"));
        format!("{repository}{slash}{group}/{directory}/{version}/{artifact}-{version}.{extension}")
    }

    /// The fields as in a resource.
    pub(super) fn artifact(&self) -> Value {
        let mut fields = json!({
            "type": "maven",
            "group": self.group,
            "artifact": self.artifact,
            "version": self.version,
            "repository": self.repository,
            "insecure": self.insecure,
        });
        if !self.mirrors.is_empty() {
            fields["mirrors"] = self.mirrors.iter().map(|url| json!({ "url": url })).collect();
        }
        if let Some(scope) = self.scope.as_deref().filter(|scope| !scope.is_empty()) {
            fields["includeScope"] = json!(scope);
        }
        fields
    }

    fn settings(&self) -> String {
        let mut mirrors = String::new();
        for (number, url) in self.mirrors_escaped.iter().enumerate() {
            let _ = write!(
                mirrors,
                "<mirror><id>strimzi-mirror-{number}</id><url>{url}</url><mirrorOf>*</mirrorOf></mirror>"
            );
        }
        if !mirrors.is_empty() {
            mirrors = format!("<mirrors>{mirrors}</mirrors>");
        }
        format!(
            "<settings xmlns=\"http://maven.apache.org/SETTINGS/1.0.0\">{mirrors}<profiles><profile><id>download</id>\
             <repositories><repository><id>custom-repo</id><url>{}</url></repository></repositories></profile></profiles>\
             <activeProfiles><activeProfile>download</activeProfile></activeProfiles></settings>",
            self.repository_escaped
        )
    }
}

/// The instruction of the first stage.
pub(super) fn maven(run: &MavenRun) -> String {
    let MavenRun { plugin, artifact, version, insecure, .. } = run;
    let hash = run.hash();
    let (pom, settings) = (format!("/tmp/{plugin}/{hash}/pom.xml"), format!("/tmp/{hash}.xml"));
    let directory = format!("/tmp/artifacts/{plugin}/{hash}");
    let scope = run.scope.as_ref().map(|scope| format!("-DincludeScope={scope}"));
    let output = format!("-DoutputDirectory={directory}");
    let mut mvn = vec!["mvn", "dependency:copy-dependencies", "-s", &settings, &output];
    mvn.extend(scope.as_deref());
    if *insecure {
        mvn.extend([
            "-Daether.connector.https.securityMode=insecure",
            "-Dmaven.wagon.http.ssl.insecure=true",
            "-Dmaven.wagon.http.ssl.allowall=true",
            "-Dmaven.wagon.http.ssl.ignore.validity.dates=true",
        ]);
    }
    mvn.extend(["-f", &pom]);
    let jar = format!("{directory}/{artifact}-{version}.jar");
    joined(&[
        curl(*insecure, &["--create-dirs", "--output", &pom, &run.url("pom")]),
        format!("{} > {}", line(&["echo", &run.settings()]), quote(&settings)),
        line(&mvn),
        curl(*insecure, &["--create-dirs", "--output", &jar, &run.url("jar")]),
    ])
}

/// The instruction of the second stage.
pub(super) fn copy(run: &MavenRun) -> String {
    let hash = run.hash();
    let to = format!("{}/{hash}", plugin_directory(&run.plugin));
    let from = format!("/tmp/artifacts/{}/{hash}", run.plugin);
    format!("COPY --from={MAVEN_STAGE} {}", line(&[&from, &to]))
}
