use super::is_loopback;

#[test]
fn what_is_on_this_machine() {
    for host in ["localhost", "localhost:5000", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:5000"] {
        assert!(is_loopback(host), "{host}");
    }
    for host in
        ["example.com", "localhost.example.com", "10.0.0.1:5000", "128.0.0.1", "[::2]:5000", "1127.0.0.1"]
    {
        assert!(!is_loopback(host), "{host}");
    }
}
