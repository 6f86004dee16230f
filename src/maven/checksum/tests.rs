use super::*;

#[test]
fn forms_of_checksum_files() {
    let sum = Algorithm::Sha1.of(b"x");
    for text in [
        sum.clone(),
        sum.to_uppercase(),
        format!("{sum}\n"),
        format!("\n{sum}  x.jar\n"),
        format!("SHA1(x.jar)= {sum}"),
        format!("x.jar = {sum}\n"),
    ] {
        assert_eq!(Algorithm::Sha1.read(&text), Some(sum.clone()), "{text}");
    }
    for text in ["", "<html>not found</html>", &sum[1..], &format!("{sum}0"), "x.jar"] {
        assert_eq!(Algorithm::Sha1.read(text), None, "{text}");
    }
    assert_eq!(Algorithm::Md5.read(&sum), None, "each kind has its own length");
}

#[test]
fn the_best_header_counts() {
    let mut headers = HeaderMap::new();
    assert_eq!(of_headers(&headers), None);
    let (sha1, sha256) = (Algorithm::Sha1.of(b"x"), Algorithm::Sha256.of(b"x"));
    for (name, value) in [("X-Checksum-Sha1", &sha1), ("X-Goog-Meta-Checksum-Sha256", &sha256)] {
        if let (Ok(name), Ok(value)) = (name.parse::<reqwest::header::HeaderName>(), value.parse()) {
            headers.insert(name, value);
        }
    }
    assert_eq!(of_headers(&headers), Some((Algorithm::Sha256, sha256)));
}
