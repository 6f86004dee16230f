#![allow(clippy::unwrap_used)]

use super::*;

/// The vectors of Strimzi's own tests.
#[test]
fn stubs_are_strimzis() {
    for (text, stub) in [
        ("https://mydomain.tld/my.jar", "51e5038c"),
        ("https://mydomain.tld/my2.tgz", "638bd501"),
        ("g1/a1/v1", "64cebd9c"),
    ] {
        assert_eq!(strimzi_stub(text), stub, "{text}");
    }
    assert_eq!(strimzi_stub("gröup/a/𝄞"), strimzi_stub("gr?up/a/?"));
}

#[test]
fn digests_round_trip_and_refuse_the_rest() {
    let digest = Digest::of(b"hello");
    assert_eq!(digest.to_string(), "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
    for wrong in ["", "sha256:", "sha256:12", "md5:00", &digest.to_string().to_uppercase(), &digest.hex()] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
}

#[test]
fn sha512_takes_any_case_and_exactly_128_digits() {
    let mut stream = Sha512Stream::default();
    stream.update(b"abc");
    let sum = stream.finish();
    assert!(sum.to_string().starts_with("ddaf35a193617abacc417349ae204131"));
    assert_eq!(sum.to_string().to_uppercase().parse::<Sha512>().unwrap(), sum);
    for (text, message) in [
        ("abc".to_owned(), "a SHA-512 sum has exactly 128 hexadecimal digits, this has 3 characters"),
        (String::new(), "a SHA-512 sum has exactly 128 hexadecimal digits, this has 0 characters"),
        ("a".repeat(129), "a SHA-512 sum has exactly 128 hexadecimal digits, this has 129 characters"),
        (
            "sha-512-checksum".to_owned(),
            "a SHA-512 sum has only hexadecimal digits, this has `s` at position 1",
        ),
        (
            format!("{} ", "a".repeat(127)),
            "a SHA-512 sum has only hexadecimal digits, this has ` ` at position 128",
        ),
    ] {
        assert_eq!(text.parse::<Sha512>().unwrap_err().to_string(), message);
    }
}

#[test]
fn the_writer_counts_and_hashes_what_passes() {
    let mut writer = DigestWriter::new(Vec::new());
    writer.write_all(b"hel").unwrap();
    writer.write_all(b"lo").unwrap();
    let (inner, digest, written) = writer.finish();
    assert_eq!((inner.as_slice(), digest, written), (&b"hello"[..], Digest::of(b"hello"), 5));
}
