#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::render;
use crate::image::media_type::OCI_MANIFEST;

fn document(text: &str) -> Document {
    Document::new(OCI_MANIFEST, &json!({ "text": text }))
}

fn put(layout: &Layout, text: &str, tag: Option<&str>) -> Document {
    let document = document(text);
    layout.put_document(&document).unwrap();
    layout.publish(&document.descriptor, tag).unwrap();
    document
}

#[tokio::test]
async fn what_is_put_is_found_and_replaced_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(&directory.path().join("a/b")).unwrap();
    let first = put(&layout, "first", None);
    assert_eq!(layout.resolve(None).unwrap().digest, first.descriptor.digest);
    let second = put(&layout, "second", None);
    let third = put(&layout, "third", Some("v3"));
    assert_eq!(layout.resolve(Some("latest")).unwrap().digest, second.descriptor.digest);
    assert_eq!(layout.resolve(Some("v3")).unwrap().digest, third.descriptor.digest);
    assert_eq!(layout.read(&third.descriptor).await.unwrap(), third.bytes);
    let reopened = Layout::open(layout.directory()).unwrap();
    let rows = [reopened.resolve(None).unwrap_err(), reopened.resolve(Some("v4")).unwrap_err()];
    let words: Vec<String> =
        rows.iter().map(|e| render(e).replace(&directory.path().display().to_string(), "DIR")).collect();
    insta::assert_snapshot!(words.join("\n"), @r"
    error: the OCI layout `DIR/a/b` holds 2 images; its tags are latest, v3
    hint: choose one with `oci:DIR:TAG`
    error: the OCI layout `DIR/a/b` holds 0 images with the tag `v4`; its tags are latest, v3
    hint: choose one with `oci:DIR:TAG`
    ");
}

#[test]
fn other_directories_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("precious"), "data").unwrap();
    let refused = render(&Layout::create(directory.path()).unwrap_err());
    let missing = render(&Layout::open(&directory.path().join("nowhere")).unwrap_err());
    let words = format!("{refused}\n{missing}").replace(&directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!(words, @r"
    error: `DIR` holds files, but is no OCI layout
    hint: name an empty or new directory; nothing was overwritten
    error: `DIR/nowhere` does not exist
    hint: an OCI layout is a directory with a file `oci-layout`; check the path
    ");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn damaged_blobs_are_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path()).unwrap();
    let document = put(&layout, "text", None);
    for damage in ["{\"text\":\"tex_\"}", "short", "{\"text\":\"text\"} and more"] {
        std::fs::write(layout.blob_path(&document.descriptor.digest), damage).unwrap();
        assert!(layout.read(&document.descriptor).await.is_err(), "{damage}");
    }
    std::fs::write(directory.path().join(INDEX), "{").unwrap();
    assert!(matches!(layout.resolve(None), Err(LayoutError::Damaged { .. })));
}

/// What several builds see of each other when none has made the layout yet.
#[test]
fn a_layout_that_is_being_made_is_no_foreign_directory() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(".connect-build-another"), "not whole yet").unwrap();
    Layout::create(directory.path()).unwrap();
    assert!(directory.path().join(MARKER).is_file());
}
