//! Real servers and tools, started for one test and ended with it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;

use super::token_server;

/// User and password of registries that want them.
pub(crate) const USER: &str = "pusher";
pub(crate) const PASSWORD: &str = "correct horse";

/// A process that ends with the test that started it.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a registry is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    /// Plain http, open to all.
    Http,
    /// TLS with a certificate of our own authority.
    Tls,
    /// TLS, and Basic authentication.
    Password,
    /// Plain http, and tokens of a token server that wants the password.
    Token,
}

/// A running docker-registry.
pub(crate) struct RealRegistry {
    _process: Process,
    pub(crate) port: u16,
    directory: tempfile::TempDir,
    _tokens: Option<token_server::TokenServer>,
}

impl RealRegistry {
    pub(crate) fn start(setup: Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let port = free_port();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http:\n  addr: 127.0.0.1:{port}\n",
            path("data")
        );
        let mut tokens = None;
        if setup != Setup::Http {
            make_certificates(directory.path());
        }
        if matches!(setup, Setup::Tls | Setup::Password) {
            config +=
                &format!("  tls: {{certificate: {}, key: {}}}\n", path("server.crt"), path("server.key"));
        }
        if setup == Setup::Password {
            let line = output(Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]));
            std::fs::write(path("htpasswd"), line.stdout).unwrap();
            config += &format!("auth: {{htpasswd: {{realm: r, path: {}}}}}\n", path("htpasswd"));
        }
        if setup == Setup::Token {
            let server = token_server::TokenServer::start(directory.path());
            config += &format!(
                "auth: {{token: {{realm: \"http://127.0.0.1:{}/token\", service: the-service, issuer: the-issuer, rootcertbundle: {}}}}}\n",
                server.port,
                path("ca.crt")
            );
            tokens = Some(server);
        }
        std::fs::write(path("config.yml"), config).unwrap();
        let mut command = Command::new("docker-registry");
        command.args(["serve", &path("config.yml")]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process(command.spawn().expect("docker-registry is installed"));
        wait_for(port);
        Self { _process: process, port, directory, _tokens: tokens }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The certificate authority of its certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }
}

/// An nginx that serves a directory over TLS with a certificate of an authority of its own, and sends `/moved/` elsewhere.
pub(crate) struct TlsFiles {
    _nginx: Process,
    pub(crate) port: u16,
    directory: tempfile::TempDir,
}

impl TlsFiles {
    pub(crate) fn start(root: &Path, moved_to: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        make_certificates(at);
        let port = free_port();
        let server = format!(
            "listen 127.0.0.1:{port} ssl; ssl_certificate {0}/server.crt; ssl_certificate_key {0}/server.key; root {1};\n\
             location /moved/ {{ rewrite ^/moved/(.*)$ {moved_to}$1 redirect; }}",
            at.display(),
            root.display()
        );
        Self { _nginx: start_nginx(at, port, &server), port, directory }
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }
}

/// One process under our own user, in the foreground, with this server in it.
fn start_nginx(directory: &Path, port: u16, server: &str) -> Process {
    let config = format!(
        "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\nevents {{}}\n\
         http {{\n  access_log off; client_max_body_size 0; client_body_temp_path {0}/n1; proxy_temp_path {0}/n2;\n\
         fastcgi_temp_path {0}/n3; uwsgi_temp_path {0}/n4; scgi_temp_path {0}/n5;\n  server {{\n{server}\n  }}\n}}\n",
        directory.display()
    );
    std::fs::write(directory.join("nginx.conf"), config).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-c").arg(directory.join("nginx.conf")).stdout(Stdio::null()).stderr(Stdio::null());
    let nginx = Process(command.spawn().expect("nginx is installed, and on the path"));
    wait_for(port);
    nginx
}

/// A server of nginx in front of a registry, with a certificate of the authority in `at`, and these words of its own.
fn registry_behind_tls(at: &Path, port: u16, registry: &RealRegistry, words: &str) -> String {
    format!(
        "listen 127.0.0.1:{port} ssl; ssl_certificate {0}/server.crt; ssl_certificate_key {0}/server.key;\n{words}\n\
         location / {{ proxy_pass http://127.0.0.1:{1}; proxy_request_buffering off; proxy_http_version 1.1;\n\
         proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; }}",
        at.display(),
        registry.port,
    )
}

/// A registry behind TLS and an nginx that lets in one user with one password, however long that is.
pub(crate) struct Doorkeeper {
    _nginx: Process,
    pub(crate) port: u16,
    _registry: RealRegistry,
    directory: tempfile::TempDir,
}

impl Doorkeeper {
    pub(crate) fn start(user: &str, password: &str) -> Self {
        let (registry, directory) = (RealRegistry::start(Setup::Http), tempfile::tempdir().unwrap());
        let at = directory.path();
        make_certificates(at);
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let port = free_port();
        let server = registry_behind_tls(
            at,
            port,
            &registry,
            &format!(
                "large_client_header_buffers 4 32k;\n\
                 add_header WWW-Authenticate 'Basic realm=\"the registry\"' always;\n\
                 if ($http_authorization != \"Basic {credentials}\") {{ return 401; }}"
            ),
        );
        let nginx = start_nginx(at, port, &server);
        Self { _nginx: nginx, port, _registry: registry, directory }
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.crt")
    }
}

/// A registry behind an nginx that lets nobody in without a certificate of its own authority.
pub(crate) struct MutualTls {
    _nginx: Process,
    pub(crate) port: u16,
    registry: RealRegistry,
    directory: tempfile::TempDir,
}

impl MutualTls {
    pub(crate) fn start() -> Self {
        let (registry, directory) = (RealRegistry::start(Setup::Http), tempfile::tempdir().unwrap());
        let at = directory.path();
        make_certificates(at);
        // With an extension it is a certificate of version 3, which TLS libraries want of late.
        std::fs::write(at.join("client.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
        request_certificate(at, "client.key", "client.csr", "/CN=builder");
        sign(at, "client.csr", "client.cert", "client.ext");
        let port = free_port();
        let wanted = format!("ssl_client_certificate {}/ca.crt; ssl_verify_client on;", at.display());
        let server = registry_behind_tls(at, port, &registry, &wanted);
        let nginx = start_nginx(at, port, &server);
        Self { _nginx: nginx, port, registry, directory }
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The way in that asks for nothing.
    pub(crate) fn behind(&self) -> String {
        self.registry.host()
    }

    /// `ca.crt`, `client.cert`, `client.key` or another of its files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// A TLS server with a certificate as `openssl req -x509` makes it by default: an authority's, and its own.
pub(crate) struct SelfSigned {
    _process: Process,
    pub(crate) port: u16,
    directory: tempfile::TempDir,
}

impl SelfSigned {
    /// One that is valid today.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut request = Command::new("openssl");
        request.args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "crt", "-days", "2",
        ]);
        request.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
        output(request.current_dir(directory.path()));
        Self::serve(directory)
    }

    /// One that was valid on a day in 2020.
    pub(crate) fn expired() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let config = "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n\
                      x509_extensions=e\n[p]\ncommonName=supplied\n[e]\nbasicConstraints=CA:TRUE\n\
                      subjectAltName=DNS:localhost,IP:127.0.0.1\n";
        for (file, content) in [("config", config), ("index", ""), ("serial", "01\n")] {
            std::fs::write(at.join(file), content).unwrap();
        }
        request_certificate(at, "key", "csr", "/CN=localhost");
        let dates = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"];
        let sign = [
            "ca",
            "-batch",
            "-selfsign",
            "-config",
            "config",
            "-in",
            "csr",
            "-keyfile",
            "key",
            "-out",
            "crt",
        ];
        openssl(at, &[&sign[..], &dates].concat());
        Self::serve(directory)
    }

    fn serve(directory: tempfile::TempDir) -> Self {
        let port = free_port();
        let mut server = Command::new("openssl");
        server.args([
            "s_server",
            "-quiet",
            "-www",
            "-cert",
            "crt",
            "-key",
            "key",
            "-accept",
            &port.to_string(),
        ]);
        server.current_dir(directory.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process(server.spawn().unwrap());
        wait_for(port);
        Self { _process: process, port, directory }
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.path().join("crt")
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "nobody listens on port {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs openssl in a directory.
fn openssl(directory: &Path, arguments: &[&str]) {
    output(Command::new("openssl").args(arguments).current_dir(directory));
}

/// Makes the certificate that is requested, for two days, by the authority in the directory.
fn sign(directory: &Path, request: &str, certificate: &str, extensions: &str) {
    let authority = ["x509", "-req", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
    let files = ["-in", request, "-out", certificate, "-extfile", extensions];
    openssl(directory, &[&authority[..], &files].concat());
}

/// Makes a key, and a request for a certificate with it.
fn request_certificate(directory: &Path, key: &str, request: &str, subject: &str) {
    let words = ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", subject];
    openssl(directory, &words);
}

/// A certificate authority, and a certificate for this machine, in `directory`.
pub(crate) fn make_certificates(directory: &Path) {
    openssl(
        directory,
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
            "-days",
            "2",
            "-subj",
            "/CN=test authority",
        ],
    );
    request_certificate(directory, "server.key", "server.csr", "/CN=localhost");
    std::fs::write(directory.join("san"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    sign(directory, "server.csr", "server.crt", "san");
}

/// Runs a tool that has to succeed.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output =
        output.unwrap_or_else(|error| panic!("{command:?}: {error}; `tests/run` installs what is missing"));
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?}\n{}", said.concat());
    output
}

/// Its standard output.
#[track_caller]
pub(crate) fn text(command: &mut Command) -> String {
    String::from_utf8(output(command).stdout).unwrap()
}

/// A container store of the test's own, for podman and buildah.
pub(crate) struct Store {
    directory: tempfile::TempDir,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn tool(&self, name: &str, driver: &str) -> Command {
        let mut command = Command::new(name);
        command.arg("--root").arg(self.directory.path().join("root"));
        command.arg("--runroot").arg(self.directory.path().join("runroot"));
        command.args(["--storage-driver", driver]);
        command
    }

    pub(crate) fn buildah(&self, arguments: &[&str]) -> Command {
        let mut command = self.tool("buildah", "vfs");
        command.args(arguments);
        command
    }

    /// `podman run` with what this kind of machine needs (real limits, no cgroup manager), then `arguments`.
    pub(crate) fn podman_run(&self, arguments: &[&str]) -> Command {
        let mut command = self.tool("podman", "vfs");
        command.args(["--cgroup-manager=cgroupfs", "--runtime", "runc", "run", "--rm", "--tls-verify=false"]);
        command.args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network=host"]);
        command.args(arguments);
        command
    }

    /// A small base image with a shell, in the way Strimzi's has it: user 1001, `/opt/kafka/plugins`. Pushed to
    /// `kafka:base` of the registry.
    pub(crate) fn push_base(&self, registry: &str) -> String {
        let image = self.make_base(&[]);
        let name = format!("{registry}/kafka:base");
        output(&mut self.buildah(&["push", "-q", "--tls-verify=false", &image, &format!("docker://{name}")]));
        name
    }

    /// The same with these programs of this machine, and the libraries that they need; gives the image's id.
    pub(crate) fn make_base(&self, programs: &[&str]) -> String {
        let root = self.directory.path().join("base");
        for directory in ["bin", "etc", "tmp", "opt/kafka/plugins", "usr/bin"] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        std::fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
        for applet in ["sh", "cat", "find", "stat", "sha256sum", "id", "ls"] {
            let _ = std::os::unix::fs::symlink("busybox", root.join("bin").join(applet));
        }
        for program in programs {
            install(program, &root);
        }
        if programs.contains(&"dash") {
            // busybox's shell would run its own applets in place of the programs.
            std::fs::remove_file(root.join("bin/sh")).unwrap();
            std::os::unix::fs::symlink("../usr/bin/dash", root.join("bin/sh")).unwrap();
        }
        std::fs::write(
            root.join("etc/passwd"),
            "root:x:0:0::/:/bin/sh\nkafka:x:1001:0::/opt/kafka:/bin/sh\n",
        )
        .unwrap();
        std::fs::write(root.join("etc/group"), "root:x:0:\n").unwrap();
        std::fs::write(root.join("etc/of-the-base"), "untouched\n").unwrap();
        set_mode(&root.join("etc/of-the-base"), 0o640);
        set_mode(&root.join("tmp"), 0o1777);
        let container = text(&mut self.buildah(&["from", "scratch"]));
        let container = container.trim();
        output(&mut self.buildah(&["copy", "-q", container, &root.display().to_string(), "/"]));
        output(&mut self.buildah(&[
            "config",
            "--user",
            "1001",
            "--workingdir",
            "/opt/kafka",
            "--env",
            "PATH=/usr/bin:/bin",
            container,
        ]));
        let image = text(&mut self.buildah(&["commit", "-q", "--rm", container]));
        image.trim().to_owned()
    }

    /// Another image: `image`, with a file or the content of a directory at `place`. Gives its id.
    pub(crate) fn add_to(&self, image: &str, what: &Path, place: &str) -> String {
        let container = text(&mut self.buildah(&["from", "--pull-never", image]));
        let container = container.trim();
        output(&mut self.buildah(&["copy", "-q", container, &what.display().to_string(), place]));
        text(&mut self.buildah(&["commit", "-q", "--rm", container])).trim().to_owned()
    }

    /// Where the files of an image are, for reading.
    pub(crate) fn mount(&self, image: &str) -> PathBuf {
        let container = text(&mut self.buildah(&["from", "--pull-never", image]));
        PathBuf::from(text(&mut self.buildah(&["mount", container.trim()])).trim())
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Copies a program and the libraries that it is linked with.
fn install(program: &str, root: &Path) {
    let path = text(Command::new("sh").args(["-c", &format!("command -v {program}")]));
    let target = root.join("usr/bin").join(program);
    let _ = std::fs::remove_file(&target);
    std::fs::copy(path.trim(), &target).unwrap();
    for word in
        text(Command::new("ldd").arg(path.trim())).split_whitespace().filter(|word| word.starts_with('/'))
    {
        let library = root.join(word.trim_start_matches('/'));
        std::fs::create_dir_all(library.parent().unwrap()).unwrap();
        std::fs::copy(word, library).unwrap();
    }
}
