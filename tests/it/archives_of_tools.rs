//! Archives made by the tools that people use are accepted, and give the tree that the tool which unpacks them gives.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::real::{output, set_mode};
use crate::support::{Workplace, noise};

/// Path to executable bit and content; directories are left to themselves.
type Files = BTreeMap<String, (bool, Vec<u8>)>;

fn files_below(root: &Path) -> Files {
    let mut found = Files::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            use std::os::unix::fs::PermissionsExt as _;
            let executable = std::fs::metadata(&path).unwrap().permissions().mode() & 0o111 != 0;
            let name = path.strip_prefix(root).unwrap().display().to_string();
            found.insert(name, (executable, std::fs::read(&path).unwrap()));
        }
    }
    found
}

/// The files of the only layer of the layout `out`, below the artifact's directory.
fn files_in_layer(place: &Workplace) -> Files {
    let blob = |digest: &str| {
        std::fs::read(place.path("out/blobs/sha256").join(digest.trim_start_matches("sha256:"))).unwrap()
    };
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let index = json(&std::fs::read(place.path("out/index.json")).unwrap());
    let manifest = json(&blob(index["manifests"][0]["digest"].as_str().unwrap()));
    let layer = blob(manifest["layers"][0]["digest"].as_str().unwrap());
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(layer.as_slice()));
    let mut found = Files::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let path = entry.path().unwrap().display().to_string();
            let name = path.splitn(6, '/').last().unwrap().to_owned();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            found.insert(name, (entry.header().mode().unwrap() & 0o111 != 0, content));
        }
    }
    found
}

const PYTHON: &str = "
import sys, tarfile, zipfile, os, io
class Pipe(io.RawIOBase):
    def __init__(self, f): self.f = f
    def write(self, b): return self.f.write(b)
    def writable(self): return True
names = sorted(os.path.join(d, f) for d, _, fs in os.walk('conn') for f in fs)
for name, format in (('ustar', tarfile.USTAR_FORMAT), ('gnu', tarfile.GNU_FORMAT), ('pax', tarfile.PAX_FORMAT)):
    kept = [n for n in names if name != 'ustar' or len(n) < 100]
    with tarfile.open('py-%s.tgz' % name, 'w:gz', format=format) as t:
        for n in kept: t.add(n)
with zipfile.ZipFile('py.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    for n in names: z.write(n)
with open('py-stream.zip', 'wb') as f, zipfile.ZipFile(Pipe(f), 'w', zipfile.ZIP_DEFLATED) as z:
    for n in names: z.write(n)
with zipfile.ZipFile('py-zip64.zip', 'w') as z:
    for n in names:
        with z.open(n, 'w', force_zip64=True) as f: f.write(open(n, 'rb').read())
";

const GO: &str = r#"
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"os"
	"path/filepath"
)

func main() {
	zf, _ := os.Create("go.zip")
	zw := zip.NewWriter(zf)
	tf, _ := os.Create("go.tgz")
	gw := gzip.NewWriter(tf)
	tw := tar.NewWriter(gw)
	filepath.Walk("conn", func(path string, info os.FileInfo, err error) error {
		h, _ := tar.FileInfoHeader(info, "")
		h.Name = path
		tw.WriteHeader(h)
		if !info.IsDir() {
			b, _ := os.ReadFile(path)
			tw.Write(b)
			zh, _ := zip.FileInfoHeader(info)
			zh.Name = path
			zh.Method = zip.Deflate
			w, _ := zw.CreateHeader(zh)
			w.Write(b)
		}
		return nil
	})
	zw.Close()
	zf.Close()
	tw.Close()
	gw.Close()
	tf.Close()
}
"#;

#[test]
#[ignore = "GNU tar, bsdtar, python3, zip, unzip, 7z, jar, git, go"]
fn they_are_accepted_and_give_the_same_tree() {
    let place = Workplace::new();
    place.write("conn/lib/a.jar", noise(70_000, 1));
    place.write("conn/lib/ümlaut und blank.jar", noise(1_000, 2));
    place.write("conn/empty", b"");
    place.write("conn/bin/run", b"#!/bin/sh\n");
    place.write(
        &format!("conn/{}/{}.txt", "deep/".repeat(10).trim_end_matches('/'), "n".repeat(150)),
        b"long name\n",
    );
    set_mode(&place.path("conn/bin/run"), 0o755);
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(place.path("")).env("LANG", "C.UTF-8").env("LC_ALL", "C.UTF-8");
        command.env("GOFLAGS", "-mod=mod").env("GOCACHE", place.path(".go"));
        output(&mut command);
    };
    for format in ["gnu", "pax", "posix"] {
        run("tar", &["czf", &format!("tar-{format}.tgz"), &format!("--format={format}"), "conn"]);
    }
    run("tar", &["czf", "tar-dot.tgz", "--sort=name", "./conn"]);
    run("tar", &["czf", "tar-v7.tgz", "--format=v7", "--exclude=nnn*", "conn"]);
    run("tar", &["czf", "tar-ustar.tgz", "--format=ustar", "--exclude=nnn*", "conn"]);
    for format in ["ustar", "pax", "gnutar"] {
        run(
            "bsdtar",
            &["-czf", &format!("bsdtar-{format}.tgz"), "--format", format, "--exclude", "nnn*", "conn"],
        );
    }
    run("bsdtar", &["-cf", "bsdtar.zip", "--format", "zip", "conn"]);
    run("python3", &["-c", PYTHON]);
    run("zip", &["-q", "-r", "zip.zip", "conn"]);
    run("sh", &["-c", "zip -q -r - conn | cat > zip-pipe.zip"]);
    run("7z", &["a", "-bd", "7z.zip", "conn"]);
    run("jar", &["cf", "jar.zip", "conn"]);
    run(
        "sh",
        &[
            "-c",
            "git init -q g && cp -r conn g && cd g && git add -A && git -c user.name=n -c user.email=e commit -qm m && git archive --format=tar.gz -o ../git.tgz HEAD && git archive --format=zip -o ../git.zip HEAD",
        ],
    );
    run(
        "sh",
        &[
            "-c",
            "tar cf - conn | split -b 40000 - part. && for p in part.*; do gzip -c $p; done > members.tgz",
        ],
    );
    place.write("gocode/main.go", GO);
    run("sh", &["-c", "go run gocode/main.go"]);

    let mut archives: Vec<String> = std::fs::read_dir(place.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tgz") || name.ends_with(".zip"))
        .collect();
    archives.sort();
    assert!(archives.len() >= 24, "{archives:?}");
    for archive in archives {
        let kind = if archive.ends_with(".tgz") { "tgz" } else { "zip" };
        place.resource(
            None,
            &json!([{ "name": "plugin", "artifacts": [{ "type": kind, "url": format!("file:{archive}") }] }]),
        );
        let _ = std::fs::remove_dir_all(place.path("out"));
        let _ = std::fs::remove_dir_all(place.path("unpacked"));
        place.build(&["--base", "scratch", "--to", "oci:out"]).succeeded();
        std::fs::create_dir(place.path("unpacked")).unwrap();
        match kind {
            "tgz" => run("tar", &["xzf", &archive, "-C", "unpacked"]),
            // Debian's unzip loses names that are UTF-8 by flag and not made on Unix.
            _ if archive == "jar.zip" => run("sh", &["-c", "cd unpacked && jar xf ../jar.zip"]),
            _ => run("unzip", &["-q", &archive, "-d", "unpacked"]),
        }
        let (theirs, ours) = (files_below(&place.path("unpacked")), files_in_layer(&place));
        let names = |files: &Files| {
            files.iter().map(|(n, (x, c))| format!("{n} {x} {}", c.len())).collect::<Vec<_>>()
        };
        assert_eq!(names(&theirs), names(&ours), "{archive}");
        assert_eq!(theirs, ours, "{archive}");
    }
}
