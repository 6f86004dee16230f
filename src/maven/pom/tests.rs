#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn a_pom_as_it_is_written() {
    let pom = Pom::read(
        b"<project xmlns='http://maven.apache.org/POM/4.0.0'>
            <parent><groupId>g</groupId><artifactId>p</artifactId><version>[1,2)</version></parent>
            <artifactId>a</artifactId>
            <unknown><dependencies/></unknown>
            <distributionManagement><relocation><groupId>h</groupId></relocation></distributionManagement>
            <repositories><repository><id>r</id><url>https://r.example.com</url>
              <snapshots><enabled>false</enabled></snapshots></repository></repositories>
            <dependencies><dependency><groupId>${project.groupId}</groupId><artifactId>b</artifactId>
              <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
            </dependency></dependencies>
          </project>",
    )
    .unwrap();
    assert_eq!(pom.parent.as_ref().unwrap().version, "[1,2)".into());
    assert_eq!((pom.group, pom.version, &*pom.packaging), (None, None, "jar"));
    assert_eq!(pom.relocation, Some(Relocation { group: Some("h".into()), artifact: None, version: None }));
    let repository = &pom.base.repositories[0];
    assert_eq!((repository.releases, repository.snapshots), (true, false));
    let dependency = &pom.base.dependencies[0];
    assert!(dependency.has_expressions);
    assert_eq!((&*dependency.kind, &dependency.version, dependency.exclusions.len()), ("jar", &None, 1));
    assert!(pom.base.managed.is_none());
}

#[test]
fn a_pom_with_an_element_twice_is_none() {
    for twice in ["<artifactId>b</artifactId>", "<dependencies/>", "<properties/>"] {
        let text =
            format!("<project><artifactId>a</artifactId><dependencies/><properties/>{twice}</project>");
        assert!(matches!(Pom::read(text.as_bytes()), Err(XmlError::Duplicate(_))), "{twice}");
    }
}
