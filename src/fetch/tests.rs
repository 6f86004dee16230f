#![allow(clippy::unwrap_used)]

use bytes::Bytes;

use super::spool::Spool;
use super::*;

#[tokio::test]
async fn a_spool_file_is_whole_hashed_and_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spool");
    let mut spool = Spool::open(&path, 10).unwrap();
    spool.write(Bytes::from_static(b"ab")).await.unwrap();
    spool.write(Bytes::from_static(b"c")).await.unwrap();
    let (size, sum) = spool.finish().await.unwrap();
    assert_eq!((size, std::fs::read(&path).unwrap()), (3, b"abc".to_vec()));
    assert!(sum.to_string().starts_with("ddaf35a193617abacc417349ae204131"));

    let mut spool = Spool::open(&path, 10).unwrap();
    let refused = spool.write(Bytes::from_static(b"eleven bytes")).await.unwrap_err();
    assert!(matches!(refused, DownloadError::TooLarge { limit: 10 }), "{refused}");
}

/// A second try must not write into the file of a first one that has not noticed its end.
#[tokio::test]
async fn tries_do_not_share_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spool");
    let mut first = Spool::open(&path, 100).unwrap();
    first.write(Bytes::from_static(b"first")).await.unwrap();
    let mut second = Spool::open(&path, 100).unwrap();
    second.write(Bytes::from_static(b"2nd")).await.unwrap();
    first.write(Bytes::from_static(b" and more")).await.unwrap();
    second.finish().await.unwrap();
    first.finish().await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"2nd");
}

#[tokio::test]
async fn a_full_volume_is_named() {
    let missing = Spool::open(Path::new("/nonexistent/workspace/spool"), 10);
    assert!(matches!(missing.err(), Some(DownloadError::Workspace(_))));
}
