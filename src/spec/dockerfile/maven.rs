//! `RUN`s of the first stage, which get Maven artifacts.

use super::error::DialectError;
use super::instruction::Instruction;
use super::shell::Command;
use super::write::{self, MavenRun};

/// The Maven artifact of a `RUN` of the first stage.
pub(super) fn read(instruction: &Instruction<'_>) -> Result<MavenRun, DialectError> {
    let form = "RUN 'curl' ... '/tmp/<plugin>/<hash>/pom.xml' ..., 'mvn' and 'curl' for a maven artifact";
    let run = fields(&instruction.commands()?).ok_or_else(|| instruction.unlike(form))?;
    let written = write::maven(&run);
    if written == instruction.text { Ok(run) } else { Err(instruction.differs_from(&written)) }
}

/// The fields that could have led to this text.
fn fields(commands: &[Command]) -> Option<MavenRun> {
    let [pom, echo, mvn, jar] = commands else { return None };
    let plugin = pom.word(-2)?.split('/').nth(2)?;
    let settings = echo.word(1)?;
    let (mirrors, profiles) = settings.split_once("<profiles>")?;
    let mirrors_escaped: Vec<String> = urls(mirrors);
    let repository_escaped = urls(profiles).into_iter().next()?;
    // A reader of XML would take it apart.
    if mirrors_escaped.iter().chain([&repository_escaped]).any(|url| url.contains(['<', '>'])) {
        return None;
    }
    let repository = unescape(&repository_escaped)?;
    let mirrors = mirrors_escaped.iter().map(|url| unescape(url)).collect::<Option<_>>()?;
    let scope = mvn.word(5).and_then(|word| word.strip_prefix("-DincludeScope="));
    // `<repository>/<group>/<artifact>/<version>/<artifact>-<version>.jar`.
    let place = jar.word(-1)?.strip_prefix(&repository)?.trim_start_matches('/');
    let (directories, file) = place.rsplit_once('/')?;
    let (directories, version) = directories.rsplit_once('/')?;
    let artifact = file.strip_suffix(&format!("-{version}.jar"))?;
    let group = directories.strip_suffix(&artifact.replace('.', "/"))?.trim_end_matches('/');
    Some(MavenRun {
        plugin: plugin.to_owned(),
        group: group.replace('/', "."),
        artifact: artifact.to_owned(),
        version: version.to_owned(),
        repository,
        repository_escaped,
        mirrors,
        mirrors_escaped,
        scope: scope.map(ToOwned::to_owned),
        insecure: pom.has("-k"),
    })
}

/// What stands in the `<url>`s of a piece of the settings.
fn urls(xml: &str) -> Vec<String> {
    let inside = |piece: &str| piece.split_once("</url>").map(|(url, _)| url.to_owned());
    xml.split("<url>").skip(1).filter_map(inside).collect()
}

/// Resolves the five entities of XML and those by number.
fn unescape(text: &str) -> Option<String> {
    quick_xml::escape::unescape(text).ok().map(std::borrow::Cow::into_owned)
}
