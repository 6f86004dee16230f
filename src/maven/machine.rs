//! The machine that Maven would run on: what profiles and expressions can see of it.
//!
//! POMs look at the system they are built on: `java.version`, `os.name`, variables, files. A result that depends on where it
//! was made would be no result, so the machine is a fixed one, like the image in which Strimzi runs Maven: Linux, Java 21,
//! and only what every such machine has. The processor is the one of this machine, as it is for Maven.

use std::sync::Arc;

use super::pom::Properties;

/// The version of Java that POMs see unless another is named.
pub const JAVA_VERSION: &str = "21.0.5";

/// What POMs can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// System properties, the environment's `env.NAME` among them.
    pub system: Properties,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new(JAVA_VERSION)
    }
}

impl Machine {
    /// The usual machine, with this Java.
    pub fn new(java: &str) -> Self {
        let feature = java.split(['.', '-', '+']).next().unwrap_or(java);
        let home = format!("/usr/lib/jvm/java-{feature}");
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "powerpc64" => "ppc64le",
            other => other,
        };
        let system = [
            ("java.version", java),
            ("java.specification.version", feature),
            ("java.vm.specification.version", feature),
            ("java.class.version", "65.0"),
            ("java.vendor", "Red Hat, Inc."),
            ("java.vendor.url", "https://www.redhat.com/"),
            ("java.vm.name", "OpenJDK 64-Bit Server VM"),
            ("java.vm.vendor", "Red Hat, Inc."),
            ("java.vm.version", java),
            ("java.runtime.name", "OpenJDK Runtime Environment"),
            ("java.runtime.version", java),
            ("java.specification.name", "Java Platform API Specification"),
            ("java.specification.vendor", "Oracle Corporation"),
            ("sun.arch.data.model", "64"),
            ("sun.cpu.endian", "little"),
            ("native.encoding", "UTF-8"),
            ("user.language", "en"),
            ("java.home", &home),
            ("java.io.tmpdir", "/tmp"),
            ("os.name", "Linux"),
            ("os.arch", arch),
            ("os.version", "5.14"),
            ("file.separator", "/"),
            ("path.separator", ":"),
            ("line.separator", "\n"),
            ("file.encoding", "UTF-8"),
            ("user.name", "default"),
            ("user.home", "/home/default"),
            ("user.dir", "/home/default"),
            ("maven.version", "3.9.9"),
            ("maven.home", "/usr/share/maven"),
            ("env.PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("env.HOME", "/home/default"),
            ("env.JAVA_HOME", &home),
            ("env.LANG", "C.utf8"),
        ];
        Self { system: system.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// A system property.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.system.get(name).map(Arc::as_ref)
    }

    /// Whether a file is there; `project` is the directory that holds the root's `pom.xml` and nothing else.
    pub fn has_file(&self, path: &str, project: &str) -> bool {
        const EVERYWHERE: [&str; 10] = [
            "/",
            "/bin",
            "/bin/sh",
            "/dev/null",
            "/etc",
            "/etc/passwd",
            "/etc/hosts",
            "/tmp",
            "/usr",
            "/usr/bin",
        ];
        let path = path.trim_end_matches('/');
        EVERYWHERE.contains(&if path.is_empty() { "/" } else { path })
            || path == project
            || path.strip_prefix(project) == Some("/pom.xml")
            || self.property("java.home") == Some(path)
    }

    /// What `os-maven-plugin` finds out.
    pub fn detected_os(&self) -> [(&'static str, &str); 3] {
        let (arch, classifier) = match self.property("os.arch") {
            Some("amd64") => ("x86_64", "linux-x86_64"),
            Some("aarch64") => ("aarch_64", "linux-aarch_64"),
            Some("ppc64le") => ("ppcle_64", "linux-ppcle_64"),
            Some("s390x") => ("s390_64", "linux-s390_64"),
            _ => ("unknown", "linux-unknown"),
        };
        [("os.detected.name", "linux"), ("os.detected.arch", arch), ("os.detected.classifier", classifier)]
    }
}
