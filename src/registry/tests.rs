use super::{is_loopback, is_private};

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

#[test]
fn what_is_in_private_networks() {
    for host in [
        "10.98.186.7",
        "10.0.0.1:5000",
        "172.16.0.1",
        "192.168.1.2:80",
        "registry.kube-system.svc.cluster.local:80",
        "a.localhost",
    ] {
        assert!(is_private(host), "{host}");
    }
    for host in
        ["example.com", "11.0.0.1", "172.32.0.1:5000", "local", "a.local.example.com", "10.0.0.1.example.com"]
    {
        assert!(!is_private(host), "{host}");
    }
}
