#![allow(clippy::unwrap_used)]

use super::*;

fn user(config: &str, host: &str, repository: &str) -> Option<String> {
    match DockerConfig::parse(config).unwrap().lookup(host, repository).0 {
        Some(Credentials::Basic { user, password }) => Some(format!("{user}:{}", password.expose())),
        Some(Credentials::Identity(token)) => Some(format!("identity {}", token.expose())),
        Some(Credentials::Bearer(token)) => Some(format!("bearer {}", token.expose())),
        None => None,
    }
}

/// A config with one entry; `dTpw` is `u:p`.
fn one(key: &str) -> String {
    format!(r#"{{"auths": {{"{key}": {{"auth": "dTpw"}}}}}}"#)
}

#[test]
fn every_form_of_key_is_understood() {
    for key in [
        "host:5000",
        "https://host:5000",
        "http://host:5000",
        "https://host:5000/",
        "host:5000/v1/",
        "https://host:5000/v2/",
        "https://host:5000/v1",
        "HOST:5000",
        "host:5000/team",
        "host:5000/team/app",
    ] {
        assert_eq!(user(&one(key), "host:5000", "team/app").as_deref(), Some("u:p"), "{key}");
    }
    for key in ["host", "host:5001", "other", "host:5000/tea", "host:5000/team/app/more", "host:5000/other"] {
        assert_eq!(user(&one(key), "host:5000", "team/app"), None, "{key}");
    }
}

#[test]
fn docker_hub_has_three_names() {
    for key in ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"] {
        for host in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
            assert_eq!(user(&one(key), host, "library/x").as_deref(), Some("u:p"), "{key} {host}");
        }
    }
}

#[test]
fn the_longest_path_wins() {
    let config = r#"{"auths": {
        "quay.io": {"username": "all", "password": "1"},
        "quay.io/org": {"username": "org", "password": "2"},
        "quay.io/org/app": {"username": "app", "password": "3"}
    }}"#;
    assert_eq!(user(config, "quay.io", "org/app").as_deref(), Some("app:3"));
    assert_eq!(user(config, "quay.io", "org/other").as_deref(), Some("org:2"));
    assert_eq!(user(config, "quay.io", "organisation/x").as_deref(), Some("all:1"));
}

#[test]
fn tokens_and_empty_entries() {
    let entry = |entry: &str| user(&format!(r#"{{"auths": {{"h": {entry}}}}}"#), "h", "r");
    assert_eq!(entry(r#"{"identitytoken": "t", "auth": "dTpw"}"#).as_deref(), Some("identity t"));
    assert_eq!(entry(r#"{"registrytoken": "t"}"#).as_deref(), Some("bearer t"));
    assert_eq!(entry(r#"{"auth": "dTpwOnE="}"#).as_deref(), Some("u:p:q"), "a password with a colon");
    assert_eq!(entry("{}"), None);
    assert_eq!(entry(r#"{"auth": ""}"#), None);
    assert_eq!(user("{}", "h", "r"), None);
}

#[test]
fn helpers_are_not_run_but_named() {
    let config = DockerConfig::parse(
        r#"{"credsStore": "desktop", "credHelpers": {"h": "ecr-login"}, "auths": {"k": {"auth": "dTpw"}}}"#,
    )
    .unwrap();
    insta::assert_snapshot!(config.lookup("h", "r").1.unwrap(), @"the docker config leaves `h` to the credential helper `ecr-login`, which connect-build does not run: put a user and password, or a token, into the `auths` of the config");
    assert!(config.lookup("other", "r").1.unwrap().contains("`desktop`"));
    assert_eq!(config.lookup("k", "r").1, None);
}

#[test]
fn mistakes_do_not_show_what_is_secret_nor_hurt_others() {
    for auth in ["not base64!", "dQ=="] {
        let text = format!(
            r#"{{"auths": {{"h": {{"auth": "{auth}"}}, "good": {{"auth": "dTpw"}}, "none": null}}}}"#
        );
        let (credentials, hint) = DockerConfig::parse(&text).unwrap().lookup("h", "r");
        assert_eq!(credentials, None);
        assert_eq!(hint.unwrap(), "the `auth` of `h` in the docker config is not `user:password` in Base64");
        assert_eq!(user(&text, "good", "r").as_deref(), Some("u:p"));
    }
    for empty in ["", " \n", r#"{"auths": null}"#, r#"{"credHelpers": null}"#] {
        assert_eq!(user(empty, "h", "r"), None, "{empty}");
    }
    let message =
        DockerConfig::parse(r#"{"auths": {"h": {"password": ["hunter2"]}}}"#).unwrap_err().to_string();
    assert!(
        message.starts_with("it is not a docker config: line 1") && !message.contains("hunter2"),
        "{message}"
    );
}

#[test]
fn one_config_before_another() {
    let user = |user: &str| Credentials::Basic { user: user.into(), password: Secret::new("p") };
    let auth = |user: &str| STANDARD.encode(format!("{user}:p"));
    let (first, second) = (auth("first"), auth("second"));
    let config = |text: String| DockerConfig::parse(&text).unwrap();
    let before = config(format!(r#"{{"auths": {{"a.example.com": {{"auth": "{first}"}}}}}}"#));
    let behind = config(format!(
        r#"{{"auths": {{"a.example.com": {{"auth": "{second}"}}, "b.example.com": {{"auth": "{second}"}}}}}}"#
    ));
    let both = before.or(behind);
    assert_eq!(both.lookup("a.example.com", "x").0, Some(user("first")));
    assert_eq!(both.lookup("b.example.com", "x").0, Some(user("second")));
    assert_eq!(both.lookup("c.example.com", "x").0, None);
    let token = DockerConfig::at("C.example.com", user("token")).or(both);
    assert_eq!(token.lookup("c.example.com", "x").0, Some(user("token")));
    assert!(!token.is_empty() && DockerConfig::default().is_empty());
}
