//! Maven's `settings.xml`: mirrors, servers, proxies, and repositories of active profiles.
//!
//! `${env.NAME}` is resolved, as Maven does before it reads the file. Encrypted passwords need a second file and are refused with
//! a word; what else a settings file may hold has no meaning here.

use super::coordinate::Text;
use super::machine::Machine;
use super::pom::{self, Properties, read_profile};
use super::profile::Context;
use super::repository::Mirror;
use super::xml::{self, Element, XmlError};
use crate::fetch::Identity;
use crate::http::Proxies;
use crate::redact::Secret;

/// What of a settings file counts.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `<mirrors>`, in order.
    pub mirrors: Vec<Mirror>,
    /// `<servers>`: who to be, by id of repository or mirror.
    pub servers: Vec<(String, Identity)>,
    /// `<repositories>` of active profiles, in order.
    pub repositories: Vec<pom::Repository>,
    /// `<proxies>`: the active ones.
    pub proxies: Option<Proxies>,
}

/// A settings file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is no XML. What stands there may be a password with a `<` or `&`, and is not shown.
    #[error("it is not well-formed XML, at line {line}, column {column}")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
    /// Its form.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// `{…}` instead of a password.
    #[error("the password of server `{0}` is encrypted, which needs Maven's `settings-security.xml`")]
    Encrypted(String),
    /// A variable that is not set. Passwords are given this way, and one that is missing is better known at once.
    #[error("the variable `{0}` is not set")]
    Variable(String),
    /// The URL of a proxy.
    #[error("the proxy `{0}` has no usable host and port")]
    Proxy(String),
}

impl SettingsError {
    /// Of what is no XML the place alone.
    fn of_text(error: XmlError, text: &str) -> Self {
        let (XmlError::Malformed { at, .. } | XmlError::UnknownEntity { at, .. }) = error else {
            return Self::Xml(error);
        };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let before = &text[..text.floor_char_boundary(at)];
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self::Malformed { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

impl Settings {
    /// Reads a settings file; `variable` knows the environment, and profiles are activated by what `machine` is.
    pub fn parse(
        bytes: &[u8],
        machine: &Machine,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let text = xml::decode(bytes)?;
        let mut root = xml::parse(&text).map_err(|error| SettingsError::of_text(error, &text))?;
        resolve(&mut root, &variable)?;
        let mut settings = Self::default();
        for mirror in root.items("mirrors", "mirror")? {
            settings.mirrors.push(Mirror {
                id: required(mirror, "id")?,
                url: required(mirror, "url")?.to_string(),
                of: required(mirror, "mirrorOf")?.to_string(),
                blocked: mirror.child_text("blocked")? == Some("true"),
            });
        }
        for server in root.items("servers", "server")? {
            settings.servers.push(read_server(server)?);
        }
        let listed = root.child("activeProfiles")?;
        let mut active = Vec::new();
        for id in listed.iter().flat_map(|listed| &listed.children) {
            active.push(id.own_text()?.to_owned());
        }
        let mut profiles = Vec::new();
        for profile in root.items("profiles", "profile")? {
            profiles.push(read_profile(profile)?);
        }
        let (nothing, user) = (Properties::new(), Properties::new());
        let context = Context { machine, user: &user, packaging: "", root: false };
        let (listed, others): (Vec<_>, Vec<_>) =
            profiles.into_iter().partition(|profile| active.iter().any(|id| **id == *profile.id));
        // One that is active by default is not where another one is active, however that came about.
        let mut triggered = super::profile::active(&others, &nothing, &context);
        if !listed.is_empty() {
            triggered.retain(|profile| !profile.activation.by_default);
        }
        for profile in listed.iter().chain(triggered) {
            settings.repositories =
                super::merge::repositories(&profile.base.repositories, &settings.repositories);
        }
        settings.proxies = read_proxies(&root)?;
        Ok(settings)
    }
}

fn required(element: &Element, name: &str) -> Result<Text, XmlError> {
    Ok(element.child_text(name)?.unwrap_or_default().into())
}

/// Resolves `${env.NAME}` everywhere, after the XML was read: a value cannot become an element.
fn resolve(element: &mut Element, variable: &dyn Fn(&str) -> Option<String>) -> Result<(), SettingsError> {
    let mut result = String::new();
    let mut rest = element.text.as_str();
    while let Some((before, after)) = rest.split_once("${env.") {
        let Some((name, after)) = after.split_once('}') else { break };
        result.push_str(before);
        result.push_str(
            &variable(name).ok_or_else(|| SettingsError::Variable(crate::path::shown(name.as_bytes())))?,
        );
        rest = after;
    }
    result.push_str(rest);
    element.text = result;
    element.children.iter_mut().try_for_each(|child| resolve(child, variable))
}

fn read_server(server: &Element) -> Result<(String, Identity), SettingsError> {
    let id = server.child_text("id")?.unwrap_or_default().to_owned();
    let user = server.child_text("username")?.filter(|user| !user.is_empty());
    let password = server.child_text("password")?.unwrap_or_default();
    let is_encrypted = |text: &str| text.starts_with('{') && text.ends_with('}') && text.len() > 2;
    if is_encrypted(password) {
        return Err(SettingsError::Encrypted(crate::path::shown(id.as_bytes())));
    }
    // As GitLab and others want tokens: `<configuration><httpHeaders><property><name/><value/></property></httpHeaders>`.
    let mut headers = Vec::new();
    if let Some(configuration) = server.child("configuration")? {
        for property in configuration.items("httpHeaders", "property")? {
            if let (Some(name), Some(value)) = (property.child_text("name")?, property.child_text("value")?) {
                headers.push((name.to_owned(), Secret::new(value)));
            }
        }
    }
    let basic = user.map(|user| (user.to_owned(), Secret::new(password)));
    Ok((id, Identity { basic, headers }))
}

fn read_proxies(root: &Element) -> Result<Option<Proxies>, SettingsError> {
    let mut proxies = Proxies::default();
    for proxy in root.items("proxies", "proxy")? {
        if proxy.child_text("active")? == Some("false") {
            continue;
        }
        let name = || proxy.child_text("id").ok().flatten().unwrap_or("default").to_owned();
        let host = proxy.child_text("host")?.unwrap_or_default();
        let port: u16 =
            proxy.child_text("port")?.unwrap_or("8080").parse().map_err(|_| SettingsError::Proxy(name()))?;
        let mut url: url::Url =
            format!("http://{host}:{port}").parse().map_err(|_| SettingsError::Proxy(name()))?;
        if let Some(user) = proxy.child_text("username")?.filter(|user| !user.is_empty()) {
            let _ = url.set_username(user);
            let _ = url.set_password(proxy.child_text("password")?);
        }
        let slot = match proxy.child_text("protocol")?.unwrap_or("http") {
            "https" => &mut proxies.https,
            _ => &mut proxies.http,
        };
        slot.get_or_insert_with(|| url.to_string());
        if let Some(hosts) = proxy.child_text("nonProxyHosts")? {
            let hosts: Vec<String> = hosts.split(['|', ',']).map(|host| without_proxy(host.trim())).collect();
            proxies.no_proxy.get_or_insert_with(|| hosts.join(","));
        }
    }
    // A proxy for http alone serves both, as it does for Maven's resolver.
    if proxies.https.is_none() {
        proxies.https.clone_from(&proxies.http);
    }
    Ok(proxies.http.as_ref().or(proxies.https.as_ref()).is_some().then_some(proxies))
}

/// A pattern of `nonProxyHosts` as `NO_PROXY` has it: `*.b` is `.b`, `10.1.*` is `10.1.0.0/16`.
fn without_proxy(pattern: &str) -> String {
    let numbers: Vec<&str> = pattern.trim_end_matches('*').trim_end_matches('.').split('.').collect();
    let is_network =
        pattern.ends_with(".*") && numbers.len() < 4 && numbers.iter().all(|n| n.parse::<u8>().is_ok());
    if is_network {
        let all: Vec<&str> = numbers.iter().copied().chain(std::iter::repeat("0")).take(4).collect();
        return format!("{}/{}", all.join("."), numbers.len() * 8);
    }
    if pattern == "*" { pattern.to_owned() } else { pattern.trim_start_matches('*').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::without_proxy;

    #[test]
    fn hosts_without_a_proxy() {
        for (pattern, expected) in [
            ("localhost", "localhost"),
            ("*.example.com", ".example.com"),
            ("127.*", "127.0.0.0/8"),
            ("10.1.*", "10.1.0.0/16"),
            ("192.168.1.*", "192.168.1.0/24"),
            ("*", "*"),
            ("build.*", "build.*"),
        ] {
            assert_eq!(without_proxy(pattern), expected);
        }
    }
}
