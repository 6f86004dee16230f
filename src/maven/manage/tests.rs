#![allow(clippy::unwrap_used)]

use super::*;
use crate::maven::pom::Pom;

fn managed(inner: &str) -> Management {
    let text = format!(
        "<project><dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>{inner}\
         </dependency></dependencies></dependencyManagement></project>"
    );
    Management::new(&Pom::read(text.as_bytes()).unwrap().base.managed.unwrap())
}

fn dependency() -> Dependency {
    let text = "<project><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version>\
        <scope>compile</scope></dependency></dependencies></project>";
    Dependency::new(&Pom::read(text.as_bytes()).unwrap().base.dependencies[0])
}

#[test]
fn the_roots_own_dependencies_are_given_exclusions_only() {
    let exclusion =
        "<exclusions><exclusion><groupId>x</groupId><artifactId>*</artifactId></exclusion></exclusions>";
    let management = managed(&format!("<version>2</version><scope>runtime</scope>{exclusion}"));
    let mut first = dependency();
    management.apply(&mut first, 1, false);
    assert_eq!((&*first.file.version, &*first.scope, first.exclusions.len()), ("1", "compile", 1));
    let mut below = dependency();
    let what = management.apply(&mut below, 2, false);
    assert_eq!((&*below.file.version, &*below.scope, below.exclusions.len()), ("2", "runtime", 1));
    assert!(what.scope && !what.optional);
    let mut moved = dependency();
    management.apply(&mut moved, 2, true);
    assert_eq!(&*moved.file.version, "1", "a relocation that moved the version is not moved back");
}

#[test]
fn only_the_same_kind_of_file_is_managed() {
    let management = managed("<version>2</version><type>test-jar</type>");
    let mut below = dependency();
    management.apply(&mut below, 2, false);
    assert_eq!(&*below.file.version, "1");
}
