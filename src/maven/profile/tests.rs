#![allow(clippy::unwrap_used)]

use super::*;

/// Which of the profiles `a`, `b`, … with these activations are active in a POM of the root, on Java 17.0.15.
fn active_of(activations: &[&str], root: bool) -> String {
    let profiles: Vec<String> = activations
        .iter()
        .zip("abcdef".chars())
        .map(|(activation, id)| {
            format!(
                "<profile><id>{id}</id><activation>{activation}</activation>\
                 <properties><was-{id}>yes</was-{id}></properties></profile>"
            )
        })
        .collect();
    let text = format!(
        "<project><properties><java>[17,18)</java></properties><profiles>{}</profiles></project>",
        profiles.concat()
    );
    let pom = Pom::read(text.as_bytes()).unwrap();
    let user = Properties::from([("includeScope".into(), "runtime".into())]);
    let machine = Machine::new("17.0.15");
    let context = Context { machine: &machine, user: &user, packaging: "jar", root };
    let injected = inject_profiles(&pom, &context);
    "abcdef"
        .chars()
        .filter(|id| injected.base.properties.contains_key(format!("was-{id}").as_str()))
        .collect()
}

#[test]
fn triggers() {
    for (activation, is_active) in [
        ("", false),
        ("<jdk>17</jdk>", true),
        ("<jdk>1.7</jdk>", false),
        ("<jdk>!17</jdk>", false),
        ("<jdk>[1.8,)</jdk>", true),
        ("<jdk>[9,17)</jdk>", false),
        ("<jdk>[17,18)</jdk>", true),
        ("<jdk>(,11]</jdk>", false),
        ("<jdk>${java}</jdk>", true),
        ("<jdk>[17.0.15]</jdk>", false),
        ("<jdk>[17.0.15,17.0.15]</jdk>", true),
        ("<jdk>(17.0.15,)</jdk>", false),
        ("<property><name>sun.arch.data.model</name><value>64</value></property>", true),
        ("<os><family>unix</family></os>", true),
        ("<os><family>windows</family></os>", false),
        ("<os><family>!windows</family></os>", true),
        ("<os><name>LINUX</name></os>", true),
        ("<os><family>unix</family><name>Mac OS X</name></os>", false),
        ("<os><version>regex:[0-9.]+</version></os>", true),
        ("<property><name>java.version</name></property>", true),
        ("<property><name>!java.version</name></property>", false),
        ("<property><name>nobody.sets.this</name></property>", false),
        ("<property><name>!nobody.sets.this</name></property>", true),
        ("<property><name>includeScope</name><value>runtime</value></property>", true),
        ("<property><name>includeScope</name><value>!runtime</value></property>", false),
        // The model's own properties trigger nothing.
        ("<property><name>java</name></property>", false),
        ("<property><name>packaging</name><value>jar</value></property>", true),
        ("<jdk>17</jdk><property><name>nobody.sets.this</name></property>", false),
        ("<file><exists>/etc/passwd</exists></file>", true),
        ("<file><missing>/etc/passwd</missing></file>", false),
        ("<file><exists>${basedir}/pom.xml</exists></file>", true),
        ("<file><missing>src/main</missing></file>", true),
    ] {
        assert_eq!(active_of(&[activation], true), if is_active { "a" } else { "" }, "{activation}");
    }
    assert_eq!(
        active_of(&["<file><missing>src/main</missing></file>"], false),
        "",
        "only the root lies in a directory"
    );
}

#[test]
fn what_is_active_by_default_yields_to_what_is_triggered() {
    let default = "<activeByDefault>true</activeByDefault>";
    assert_eq!(active_of(&[default, "<jdk>1.7</jdk>", default], true), "ac");
    assert_eq!(active_of(&[default, "<jdk>17</jdk>", default], true), "b");
}
