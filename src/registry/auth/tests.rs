#![allow(clippy::unwrap_used, clippy::unnecessary_wraps)]

use super::*;

fn challenge(offers: &[&str]) -> Result<Challenge, String> {
    let mut headers = HeaderMap::new();
    for offer in offers {
        headers.append(WWW_AUTHENTICATE, offer.parse().unwrap());
    }
    Challenge::parse(&headers, &"https://registry.example.com/v2/".parse().unwrap(), false)
        .map_err(|cause| cause.to_string())
}

fn bearer(realm: &str, service: Option<&str>) -> Result<Challenge, String> {
    Ok(Challenge::Bearer { realm: realm.parse().unwrap(), service: service.map(str::to_owned) })
}

#[test]
fn challenges() {
    assert_eq!(challenge(&[]), Ok(Challenge::None));
    assert_eq!(challenge(&["Basic realm=\"x\""]), Ok(Challenge::Basic));
    assert_eq!(challenge(&["basic"]), Ok(Challenge::Basic));
    let full = r#"Bearer realm="https://auth.example.com/token",service="registry, the one",scope="a:b:c,d""#;
    assert_eq!(challenge(&[full]), bearer("https://auth.example.com/token", Some("registry, the one")));
    assert_eq!(
        challenge(&["Basic", full]),
        bearer("https://auth.example.com/token", Some("registry, the one"))
    );
    assert_eq!(
        challenge(&["bearer Service=s, Realm=\"/token\""]),
        bearer("https://registry.example.com/token", Some("s"))
    );
    assert_eq!(challenge(&["Negotiate"]), Ok(Challenge::None));
}

#[test]
fn credentials_do_not_leave_tls() {
    let refused = challenge(&[r#"Bearer realm="http://auth.example.com/token""#]).unwrap_err();
    insta::assert_snapshot!(refused, @"the registry does not keep to the protocol: it names a token server that does not speak https, `auth.example.com` (who trusts it all the same gives `--insecure-registry`)");
    insta::assert_snapshot!(challenge(&[r#"Bearer realm="https://me:SECRET@[/x?SECRET""#]).unwrap_err(), @"the registry does not keep to the protocol: its token server `https://***@[/x?***` is not a URL");
    // The same host speaks https where the registry does.
    assert_eq!(
        challenge(&[r#"Bearer realm="http://registry.example.com:80/token?a=b""#]),
        bearer("https://registry.example.com/token?a=b", None)
    );
    let mut headers = HeaderMap::new();
    headers.append(WWW_AUTHENTICATE, r#"Bearer realm="http://auth.example.com/t""#.parse().unwrap());
    let lenient = Challenge::parse(&headers, &"https://registry.example.com/v2/".parse().unwrap(), true);
    assert_eq!(lenient.map_err(|cause| cause.to_string()), bearer("http://auth.example.com/t", None));
}

#[test]
fn the_targets_scope_is_the_first() {
    let scope = Scope::of("target", Access::PullPush).and_read("source");
    assert_eq!(scope.0, ["repository:target:pull,push", "repository:source:pull"]);
    assert_eq!(Scope::of("r", Access::Pull).0, ["repository:r:pull"]);
}
