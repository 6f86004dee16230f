#![allow(clippy::unwrap_used)]

use super::*;

fn declared(id: &str, url: &str) -> pom::Repository {
    pom::Repository { id: id.into(), url: url.into(), releases: true, snapshots: true }
}

fn url(text: &str) -> SafeUrl {
    SafeUrl::new(text.parse().unwrap())
}

fn shown(remotes: &Remotes) -> Vec<String> {
    remotes
        .iter()
        .map(|remote| {
            format!(
                "{} {}",
                remote.id,
                remote.url.as_ref().map_or_else(ToString::to_string, ToString::to_string)
            )
        })
        .collect()
}

#[test]
fn patterns_of_mirrors() {
    let (far, near, file) = (
        declared("far", "http://repo.example.com/"),
        declared("near", "http://localhost:1/"),
        declared("file", "file:///x"),
    );
    for (pattern, expected) in [
        ("*", "far near file"),
        ("external:*", "far"),
        ("external:http:*", "far"),
        ("far,file", "far file"),
        ("*,!far", "near file"),
        ("!far , *", "near file"),
        ("nobody", ""),
        ("", ""),
    ] {
        let fitting: Vec<&str> =
            [&far, &near, &file].into_iter().filter(|r| fits(pattern, r)).map(|r| &*r.id).collect();
        assert_eq!(fitting.join(" "), expected, "{pattern}");
    }
}

#[test]
fn the_users_repositories_come_before_those_of_poms_and_central() {
    let choices = Choices {
        central: Some(url("https://central.example.com/maven2")),
        custom: Some(url("http://plain.example.com/repo")),
        profiles: vec![declared("profile", "https://profile.example.com/")],
        ..Choices::default()
    };
    let poms =
        [declared("own", "http://own.example.com/"), declared("central", "https://elsewhere.example.com/")];
    assert_eq!(
        shown(&choices.of_root(&poms)),
        [
            "custom-repo http://plain.example.com/repo/",
            "profile https://profile.example.com/",
            "own it is declared by a POM with plain http, which is blocked",
            "central https://central.example.com/maven2/",
        ]
    );
    let mirrored =
        Choices { mirrors: vec![url("https://a.example.com/"), url("https://b.example.com/")], ..choices };
    let all = mirrored.of_root(&poms);
    assert_eq!(
        shown(&all),
        ["strimzi-mirror-0 https://a.example.com/", "strimzi-mirror-1 https://b.example.com/"]
    );
    assert!(Arc::ptr_eq(&all, &mirrored.aggregate(&all, &poms)), "mirrors take every request");
}

#[test]
fn mirrors_of_the_settings_take_the_place_of_what_they_mirror() {
    let mirror = |id: &str, of: &str, blocked| Mirror {
        id: id.into(),
        url: format!("https://{id}.example.com/"),
        of: of.to_owned(),
        blocked,
    };
    let choices = Choices {
        central: Some(url("https://central.example.com/")),
        settings_mirrors: vec![
            mirror("all", "*,!central", false),
            mirror("exact", "own", false),
            mirror("no", "central", true),
        ],
        ..Choices::default()
    };
    let poms = [
        declared("own", "https://own.example.com/"),
        declared("x", "https://x.example.com/"),
        declared("y", "https://y.example.com/"),
    ];
    assert_eq!(
        shown(&choices.of_root(&poms)),
        ["exact https://exact.example.com/", "all https://all.example.com/", "no the settings block it",]
    );
}
