#![allow(clippy::unwrap_used)]

use super::*;

fn told(identities: &Identities, url: &str) -> String {
    let Some(identity) = identities.identity(&url.parse().unwrap(), true) else { return "nobody".to_owned() };
    let basic = identity.basic.as_ref().map(|(user, password)| format!("{user}:{}", password.expose()));
    let headers = identity.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose()));
    basic.into_iter().chain(headers).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_netrc_file() {
    let text = "# a comment\nmachine a.example.com login me password s3cret\n\
        machine b.example.com\n  login \"a \\\"b\\\"\"\n  password x#y account z\n\
        macdef init\ncd /x\nmachine evil login e password e\n\nmachine C.example.com login c password c\n";
    let netrc = Identities::of_netrc(text).unwrap();
    assert_eq!(told(&netrc, "https://a.example.com/x"), "me:s3cret");
    assert_eq!(told(&netrc, "https://a.example.com:8443/x"), "me:s3cret");
    assert_eq!(told(&netrc, "https://b.example.com/"), "a \"b\":x#y");
    assert_eq!(told(&netrc, "https://c.example.com/"), "c:c");
    assert_eq!(told(&netrc, "https://evil/"), "nobody");
    let netrc = Identities::of_netrc("machine a login u password p default login d password q").unwrap();
    assert_eq!((told(&netrc, "https://a/"), told(&netrc, "https://b/")), ("u:p".into(), "d:q".into()));
    assert!(netrc.identity(&"https://b/".parse().unwrap(), false).is_none(), "nobody named this host");
}

#[test]
fn netrc_files_that_are_none() {
    let rows = ["machine", "login me", "machine a secret", "machine a login"];
    let words = rows.map(|row| Identities::of_netrc(row).unwrap_err().to_string());
    insta::assert_snapshot!(words.join("\n"));
}

#[test]
fn a_file_of_headers() {
    let headers = Identities::of_headers(
        "Maven.example.com:\n  Authorization: Bearer t0ken\n\"a.example.com:8443\": {X-Token: one, X-Other: two}\n",
    )
    .unwrap();
    assert_eq!(told(&headers, "https://maven.example.com/x"), "Authorization: Bearer t0ken");
    assert_eq!(told(&headers, "https://a.example.com:8443/x"), "X-Other: two, X-Token: one");
    assert_eq!(told(&headers, "https://a.example.com/x"), "nobody");
    let mut both = Identities::of_netrc("machine maven.example.com login u password p").unwrap();
    both.extend(headers);
    assert_eq!(told(&both, "https://maven.example.com/x"), "u:p, Authorization: Bearer t0ken");
    assert_eq!(told(&Identities::of_headers("").unwrap(), "https://a/"), "nobody");
}

#[test]
fn files_of_headers_that_are_none() {
    let rows = ["- a", "a: b", "a: {b c: d}", "a: {b: \"c\\nd\"}", "a: {b: [secret]}", "a: {\n"];
    let words = rows.map(|row| Identities::of_headers(row).unwrap_err().to_string());
    assert!(!words.concat().contains("secret"));
    insta::assert_snapshot!(words.join("\n"));
}
