#![allow(clippy::unwrap_used)]

use super::*;

/// A text, resolved in a model with these properties, of version 1.
fn resolve(properties: &[(&str, &str)], text: &str) -> Result<String, InterpolationError> {
    let own: Properties = properties.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let parents = Properties::from([("p".into(), "of the parent".into()), ("x".into(), "hidden".into())]);
    let user = Properties::from([("u".into(), "of the user".into())]);
    let (session, machine) = (Properties::new(), Machine::new("17.0.15"));
    let lineage = [Arc::new(own), Arc::new(parents)];
    let fields = HashMap::from([("version", Text::from("1")), ("name", Text::from("N"))]);
    let mut interpolator = Interpolator::new(fields, &user, &lineage, &session, &machine);
    Ok(interpolator.text(&text.into())?.to_string())
}

#[test]
fn sources_and_their_order() {
    for (text, expected) in [
        ("${project.version}-${pom.version}-${version}", "1-1-1"),
        ("${x} and ${p}", "own and of the parent"),
        ("${u}", "of the user"),
        ("${java.version}", "17.0.15"),
        ("${env.LANG}|${LANG}", "C.utf8|C.utf8"),
        ("${name}", "own name"),
        ("${project.name}", "N"),
        ("${chain}", "own!"),
        ("${nobody}", "${nobody}"),
        ("${open", "${open"),
        ("$x {x} }", "$x {x} }"),
    ] {
        let properties = [("x", "own"), ("u", "not this"), ("name", "own name"), ("chain", "${x}!")];
        assert_eq!(resolve(&properties, text).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_leads_back_or_grows_is_an_error() {
    let rows: [(&[(&str, &str)], &str); 4] = [
        (&[("a", "${b}"), ("b", "${a}")], "${a}"),
        (&[("a", "x${a}")], "${a}"),
        (&[("a", &"y".repeat(MAX_LENGTH))], "${a}${a}"),
        (
            &[("a", "${b}${b}"), ("b", "${c}${c}"), ("c", "${d}${d}"), ("d", &"z".repeat(MAX_LENGTH / 7))],
            "${a}",
        ),
    ];
    let words = rows.map(|(properties, text)| resolve(properties, text).unwrap_err().to_string());
    insta::assert_snapshot!(words.join("\n"));
    // A value that holds the very expression it is asked for is passed over where somebody else knows better.
    assert_eq!(resolve(&[("version", "${version}")], "${version}").unwrap(), "1");
}
