//! Numbers for people.

use std::fmt::Write as _;
use std::time::Duration;

/// Bytes in decimal units, as registries and download pages count: `512 B`, `25.1 MB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut tenths = count / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A duration in seconds with two digits: `0.83 s`.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// A number of files: `1 file`, `43 files`.
pub(super) fn files(count: u64) -> String {
    if count == 1 { "1 file".into() } else { format!("{count} files") }
}

/// What a Maven artifact was resolved to, and what its scope leaves out.
pub(super) fn maven(root: &str, count: usize, size: u64, left_out: &[(&str, usize)]) -> String {
    let mut text = format!("{root}, {} of {}", files(count as u64), bytes(size));
    let others: Vec<String> = (left_out.iter())
        .filter(|(_, count)| *count > 0)
        .map(|(scope, count)| format!("{count} of scope `{scope}`"))
        .collect();
    if !others.is_empty() {
        let _ = write!(text, " (left out: {}; `includeScope: test` would add them)", others.join(", "));
    }
    text
}
