//! A real API server of Kubernetes with its etcd: schemas, roles, admission and server-side apply are Kubernetes' own. There is
//! no kubelet and no controller; podman runs the pods.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::real::{Process, free_port, output};

/// Where `tests/install` puts what Go compiled.
pub(crate) fn tool(name: &str) -> PathBuf {
    PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/connect-build/bin").join(name)
}

/// A running API server.
pub(crate) struct Cluster {
    // It ends before what it speaks to.
    server: Option<Process>,
    _etcd: Process,
    pub(crate) port: u16,
    etcd_port: u16,
    directory: tempfile::TempDir,
}

impl Cluster {
    /// Starts one, with the custom resource definitions of this project and the part of Strimzi's that matters.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().to_owned();
        certificates(&at);
        let (etcd_port, peer, port) = (free_port(), free_port(), free_port());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let etcd = Command::new("etcd")
            .args(["--data-dir", &at.join("etcd").display().to_string(), "--unsafe-no-fsync"])
            .args(["--listen-client-urls", &url(etcd_port), "--advertise-client-urls", &url(etcd_port)])
            .args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)])
            .args(["--initial-cluster", &format!("default={}", url(peer)), "--log-level", "error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("etcd is installed");
        let mut cluster = Self { server: None, _etcd: Process(etcd), port, etcd_port, directory };
        cluster.start_server();
        cluster.apply(&definition());
        for file in ["kafkaconnects.yaml", "imagestreams.yaml"] {
            cluster.apply(&std::fs::read_to_string(Path::new("tests/it/cluster").join(file)).unwrap());
        }
        let waiting = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"];
        output(cluster.kubectl().args(waiting));
        cluster
    }

    /// Starts the server, or starts it again.
    pub(crate) fn start_server(&mut self) {
        let at = |name: &str| self.directory.path().join(name).display().to_string();
        let child = Command::new(tool("kube-apiserver"))
            .arg(format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port))
            .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
            .arg(format!("--secure-port={}", self.port))
            .arg(format!("--client-ca-file={}", at("ca.crt")))
            .arg(format!("--tls-cert-file={}", at("server.crt")))
            .arg(format!("--tls-private-key-file={}", at("server.key")))
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg(format!("--service-account-key-file={}", at("accounts.key")))
            .arg(format!("--service-account-signing-key-file={}", at("accounts.key")))
            .args(["--service-cluster-ip-range=10.0.0.0/24", "--authorization-mode=RBAC"])
            .args(["--disable-admission-plugins=ServiceAccount", "--v=0"])
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at("apiserver.log")).unwrap())
            .spawn()
            .expect("tests/install compiled kube-apiserver");
        self.server = Some(Process(child));
        let begun = Instant::now();
        loop {
            let ready = self.kubectl().args(["get", "--raw", "/readyz"]).output().unwrap();
            if ready.status.success() {
                break;
            }
            let log = || std::fs::read_to_string(at("apiserver.log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_mins(2), "the API server does not start: {}", log());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Kills the server; what it holds stays.
    pub(crate) fn stop_server(&mut self) {
        self.server = None;
    }

    /// kubectl with every right.
    pub(crate) fn kubectl(&self) -> Command {
        let mut command = Command::new(tool("kubectl"));
        command.arg(format!("--kubeconfig={}", self.kubeconfig().display()));
        command
    }

    /// What kubectl prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = output(self.kubectl().args(arguments));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A value of a resource, by kubectl's JSON path.
    pub(crate) fn value(&self, resource: &str, namespace: &str, path: &str) -> String {
        self.run(&["get", resource, "-n", namespace, "-o", &format!("jsonpath={{{path}}}")])
    }

    /// Applies a manifest, and says what kubectl said of it.
    pub(crate) fn try_apply(&self, manifest: &str, arguments: &[&str]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), manifest).unwrap();
        let mut command = self.kubectl();
        command.args(["apply", "-f", &file.path().display().to_string()]).args(arguments);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap().replace(&file.path().display().to_string(), "FILE")
        };
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    pub(crate) fn apply(&self, manifest: &str) {
        self.try_apply(manifest, &[]).unwrap();
    }

    /// A namespace of a test's own.
    pub(crate) fn namespace(&self, name: &str) {
        self.run(&["create", "namespace", name]);
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        let file = self.directory.path().join("admin.kubeconfig");
        if !file.exists() {
            let user = "client-certificate: admin.crt, client-key: admin.key";
            self.write_kubeconfig(&file, user);
        }
        file
    }

    /// A kubeconfig of somebody with a token.
    pub(crate) fn kubeconfig_of_token(&self, token: &str) -> PathBuf {
        let file = self.directory.path().join(format!("{}.kubeconfig", &token[token.len() - 12..]));
        self.write_kubeconfig(&file, &format!("token: {token}"));
        file
    }

    /// A kubeconfig of somebody whose token is in a file.
    pub(crate) fn kubeconfig_of_file(&self, token: &Path) -> PathBuf {
        let file = self.directory.path().join("token.kubeconfig");
        self.write_kubeconfig(&file, &format!("tokenFile: {}", token.display()));
        file
    }

    fn write_kubeconfig(&self, file: &Path, user: &str) {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
             clusters: [{{name: here, cluster: {{server: \"https://127.0.0.1:{}\", certificate-authority: ca.crt}}}}]\n\
             users: [{{name: somebody, user: {{{user}}}}}]\n\
             contexts: [{{name: here, context: {{cluster: here, user: somebody}}}}]\n",
            self.port
        );
        std::fs::write(file, text).unwrap();
    }

    /// A token of a service account.
    pub(crate) fn token(&self, namespace: &str, account: &str) -> String {
        self.run(&["create", "token", account, "-n", namespace]).trim().to_owned()
    }

    /// A directory as a kubelet mounts it at `/var/run/secrets/kubernetes.io/serviceaccount`.
    pub(crate) fn service_account(&self, namespace: &str, token: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("token"), token).unwrap();
        std::fs::write(directory.path().join("namespace"), namespace).unwrap();
        std::fs::copy(self.directory.path().join("ca.crt"), directory.path().join("ca.crt")).unwrap();
        directory
    }
}

/// What `connect-build crd` prints.
pub(crate) fn definition() -> String {
    String::from_utf8(output(Command::new(env!("CARGO_BIN_EXE_connect-build")).arg("crd")).stdout).unwrap()
}

/// An authority, a certificate of the server, one of an administrator, and the key of service accounts' tokens.
fn certificates(at: &Path) {
    super::real::make_certificates(at);
    let path = |name: &str| at.join(name).display().to_string();
    // With an extension it is a certificate of version 3, which TLS libraries want of late.
    std::fs::write(at.join("admin.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    output(
        Command::new("openssl")
            .args(["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=system:masters/CN=admin"])
            .args(["-keyout", &path("admin.key"), "-out", &path("admin.csr")]),
    );
    output(Command::new("openssl").args(["x509", "-req", "-days", "2", "-in", &path("admin.csr")]).args([
        "-CA",
        &path("ca.crt"),
        "-CAkey",
        &path("ca.key"),
        "-CAcreateserial",
        "-extfile",
        &path("admin.ext"),
        "-out",
        &path("admin.crt"),
    ]));
    output(Command::new("openssl").args(["genrsa", "-out", &path("accounts.key"), "2048"]));
}
