#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::error::render;
use crate::image::base::select;
use crate::plan::Compression;

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn base_with(config: Value, layers: &[&str], media_type: &str) -> BaseImage {
    let layers: Vec<Descriptor> = layers.iter().map(|l| Descriptor::new(media_type, digest(l), 10)).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": Descriptor::new(media_type::OCI_CONFIG, digest("config"), 2),
        "layers": layers,
        "annotations": { "kept": "yes" },
        "subject": { "dropped": "yes" },
        "x-unknown": [1, 2],
    });
    BaseImage::new(manifest, config.to_string().as_bytes(), None).unwrap()
}

fn base() -> BaseImage {
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "x-unknown-first": { "b": 1, "a": 2 },
        "config": { "User": "root", "Env": ["A=b"], "Labels": { "old": "label" }, "Healthcheck": { "Test": ["NONE"] } },
        "rootfs": { "type": "layers", "diff_ids": [digest("d1"), digest("d2")] },
        "history": [{ "created_by": "one" }, { "created_by": "two", "empty_layer": true }],
    });
    base_with(config, &["l1", "l2"], "application/vnd.docker.image.rootfs.diff.tar.gzip")
}

fn plugin(name: &str, compression: Compression) -> PluginLayer {
    PluginLayer {
        plugin: name.to_owned(),
        inputs: digest("inputs"),
        made_of: "jar https://example.com/a.jar".into(),
        layer: BuiltLayer {
            path: PathBuf::from("layer"),
            digest: digest(name),
            size: 123,
            diff_id: digest(&format!("{name} unpacked")),
            unpacked: 456,
            files: 1,
            compression,
            took: Duration::ZERO,
        },
    }
}

fn dressing() -> Dressing {
    Dressing {
        format: Format::Oci,
        created: 1_700_000_000,
        labels: BTreeMap::from([("team".to_owned(), "data".to_owned())]),
        base: Some(("quay.io/strimzi/kafka:1".into(), digest("base manifest"))),
    }
}

fn value(document: &Document) -> Value {
    serde_json::from_slice(&document.bytes).unwrap()
}

#[test]
fn layers_are_added_and_unknown_fields_survive() {
    let plugins = [plugin("one", Compression::Gzip), plugin("two", Compression::Gzip)];
    let image = append(&base(), &plugins, &dressing()).unwrap();
    validate(&image).unwrap();
    insta::assert_snapshot!(format!("{:#}\n{:#}", value(&image.config), value(&image.manifest)));
}

#[test]
fn docker_format_on_request() {
    let docker = Dressing { format: Format::Docker, ..dressing() };
    let image = append(&base(), &[plugin("one", Compression::Gzip)], &docker).unwrap();
    validate(&image).unwrap();
    insta::assert_snapshot!(format!("{:#}", value(&image.manifest)));
    let refused = append(&base(), &[plugin("one", Compression::Zstd)], &docker).unwrap_err();
    insta::assert_snapshot!(render(&refused), @r"
    error: Docker's format has no zstd layers
    hint: leave out `--format docker`, or use `--compression gzip`
    ");
}

#[test]
fn a_base_without_history_or_labels_gets_them() {
    let config = json!({
        "architecture": "arm64", "os": "linux", "config": { "Labels": null }, "history": null,
        "rootfs": { "type": "layers", "diff_ids": [digest("d1")] },
    });
    let base = base_with(config, &["l1"], "application/vnd.oci.image.layer.v1.tar+zstd");
    let image = append(&base, &[plugin("one", Compression::Zstd)], &dressing()).unwrap();
    validate(&image).unwrap();
    assert_eq!(value(&image.config)["history"].as_array().unwrap().len(), 2);
    assert_eq!(value(&image.config)["config"]["Labels"]["team"], "data");
}

#[test]
fn scratch_has_no_user_and_no_base() {
    let bases = BaseImage::scratch(&"linux/amd64,linux/arm64/v8".parse().unwrap()).unwrap();
    let bare = Dressing { base: None, ..dressing() };
    let images: Vec<Image> =
        bases.iter().map(|b| append(b, &[plugin("one", Compression::Gzip)], &bare).unwrap()).collect();
    for image in &images {
        validate(image).unwrap();
    }
    assert_eq!(value(&images[0].config)["config"].get("User"), None);
    assert_eq!(value(&images[1].config)["variant"], "v8");
    insta::assert_snapshot!(format!("{:#}", value(&index(&images, Format::Oci))));
    assert!(matches!(BaseImage::scratch(&Platforms::All), Err(ImageError::AllOfScratch)));
}

#[test]
fn platforms_of_an_index() {
    let entry = |os: &str, architecture: &str, variant: Option<&str>| {
        let mut entry = json!(Descriptor::new(media_type::OCI_MANIFEST, digest(architecture), 1));
        entry["platform"] = json!({ "os": os, "architecture": architecture });
        if let Some(variant) = variant {
            entry["platform"]["variant"] = json!(variant);
        }
        entry
    };
    let index = json!({ "schemaVersion": 2, "manifests": [
        entry("linux", "amd64", None), entry("linux", "arm64", None), entry("linux", "arm", Some("v6")),
        entry("unknown", "unknown", None),
    ] });
    let Root::Index(entries) = Root::parse(index.to_string().as_bytes()).unwrap() else {
        panic!("not an index")
    };
    let select = |wanted: &str| {
        let selected = select(&entries, &wanted.parse().unwrap());
        selected.map(|s| s.iter().map(|(p, _)| p.to_string()).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(select("all").unwrap(), "linux/amd64 linux/arm64 linux/arm/v6", "attestations are left out");
    assert_eq!(select("linux/arm64/v8,linux/amd64").unwrap(), "linux/arm64 linux/amd64");
    assert_eq!(select("linux/arm").unwrap(), "linux/arm/v6");
    insta::assert_snapshot!(render(&select("linux/arm/v7").unwrap_err()), @r"
    error: the base image has no image for linux/arm/v7; it has linux/amd64, linux/arm64, linux/arm/v6
    hint: choose one of these with `--platform OS/ARCH`
    ");
    let single = base().check_platform(&"linux/s390x".parse().unwrap()).unwrap_err();
    insta::assert_snapshot!(single, @"the base image has no image for linux/s390x; it has linux/amd64");
    for wrong in ["", "linux", "linux/", "a/b/c/d", "linux/amd64,"] {
        assert!(wrong.parse::<Platforms>().is_err(), "{wrong}");
    }
}

#[test]
fn bases_that_cannot_be_used() {
    let parse = |text: &str| Root::parse(text.as_bytes()).map(|_| ()).unwrap_err().to_string();
    let config = |layers: &[&str], text: &str| {
        let manifest = json!({ "layers": layers.iter().map(|l| Descriptor::new("x", digest(l), 1)).collect::<Vec<_>>() });
        BaseImage::new(manifest, text.as_bytes(), None).map(|_| ()).unwrap_err().to_string()
    };
    let foreign = base_with(
        json!({ "architecture": "amd64", "os": "linux", "rootfs": { "diff_ids": [digest("d")] } }),
        &["l"],
        "application/vnd.example.layer",
    );
    let rows = [
        parse("<html>"),
        parse("{}"),
        parse(r#"{"schemaVersion": 1, "fsLayers": []}"#),
        config(&[], "nonsense"),
        config(&["a"], r#"{"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": []}}"#),
        foreign.check_layers(Format::Oci).unwrap_err().to_string(),
        select(&[], &Platforms::All).unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn an_image_that_contradicts_itself_is_not_pushed() {
    let good = append(&base(), &[plugin("one", Compression::Gzip)], &dressing()).unwrap();
    let mut changed = good.clone();
    changed.config.bytes.push(b' ');
    assert!(matches!(validate(&changed), Err(ImageError::Invalid(_))));
    let mut changed = good.clone();
    changed.plugin_layers.clear();
    assert!(matches!(validate(&changed), Err(ImageError::Invalid(_))));
    let mut many = good;
    many.base_layers = vec![many.base_layers[0].clone(); 127];
    insta::assert_snapshot!(validate(&many).unwrap_err(), @"the image would have 128 layers, more than the 127 that container runtimes can mount: 127 of the base image and 1 of plugins");
}

#[test]
fn media_types_are_translated() {
    for (from, to) in [
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"),
        (
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        ),
    ] {
        assert_eq!(Format::Oci.adopt(from).as_deref(), Some(to));
        assert_eq!(Format::Docker.adopt(to).as_deref(), Some(from));
    }
    assert_eq!(Format::Docker.adopt("application/vnd.oci.image.layer.v1.tar+zstd"), None);
    assert_eq!(Format::Oci.adopt("application/vnd.oci.image.layer.v1.tar+gzip+enc"), None);
}

#[test]
fn times() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_700_000_000, "2023-11-14T22:13:20Z"),
        (4_102_444_799, "2099-12-31T23:59:59Z"),
    ] {
        assert_eq!(config::rfc3339(seconds), text);
    }
}

#[test]
fn parents_are_found_in_the_topmost_layer_that_has_them() {
    let layer = |rows: &[(&str, u32, u64)]| {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, mode, uid) in rows {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(*mode);
            header.set_uid(*uid);
            header.set_gid(0);
            header.set_size(0);
            tar.append_data(&mut header, path, std::io::empty()).unwrap();
        }
        tar.into_inner().unwrap()
    };
    let media_type = "application/vnd.oci.image.layer.v1.tar";
    let mut scan = parents::Scan::new(vec!["opt".into(), "opt/kafka".into(), "opt/kafka/plugins".into()]);
    scan.layer(media_type, layer(&[("opt/kafka", 0o775, 1001)]).as_slice()).unwrap();
    assert!(!scan.is_complete());
    scan.layer(media_type, layer(&[("./opt", 0o755, 0), ("opt/kafka", 0o700, 5)]).as_slice()).unwrap();
    let found: Vec<String> =
        scan.finish().iter().map(|p| format!("{} {:o} {}", p.path, p.mode, p.uid)).collect();
    assert_eq!(found, ["opt 755 0", "opt/kafka 775 1001", "opt/kafka/plugins 755 0"]);

    // A whiteout hides what is below; a link is no directory, and replacing it would lose what it leads to.
    let entry = |name: &str, kind: tar::EntryType| {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        match kind {
            tar::EntryType::Symlink => tar.append_link(&mut header, name, "kafka_1").unwrap(),
            _ => tar.append_data(&mut header, name, std::io::empty()).unwrap(),
        }
        tar.into_inner().unwrap()
    };
    let wanted = || vec!["opt".to_owned(), "opt/kafka".into(), "opt/kafka/plugins".into()];
    for whiteout in ["opt/kafka/.wh.plugins", "opt/kafka/.wh..wh..opq", "opt/.wh.kafka"] {
        let mut scan = parents::Scan::new(wanted());
        scan.layer(media_type, entry(whiteout, tar::EntryType::Regular).as_slice()).unwrap();
        scan.layer(media_type, layer(&[("opt/kafka/plugins", 0o700, 5)]).as_slice()).unwrap();
        assert_eq!(scan.finish()[2].mode, 0o755, "{whiteout}");
    }
    let mut scan = parents::Scan::new(wanted());
    let refused = scan.layer(media_type, entry("opt/kafka", tar::EntryType::Symlink).as_slice());
    assert!(matches!(refused, Err(parents::ScanError::NotADirectory(path)) if path == "opt/kafka"));
}
