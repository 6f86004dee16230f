//! The termination message of the pod, which is all that many people ever see of a build.
//!
//! On success it is the image by digest and nothing else: Strimzi runs its Connect pods with exactly this text. On failure
//! it is the error. Kubernetes cuts it at 4,096 bytes, so it is cut here, at a character, with its end kept: the hint.

use std::io;
use std::path::Path;

/// Where the kubelet looks for a pod's last words.
pub const TERMINATION_LOG: &str = "/dev/termination-log";

/// Bytes that Kubernetes keeps (core/v1, `terminationMessagePath`).
pub const MAX_TERMINATION_MESSAGE: usize = 4_096;

/// What stands where text was left out.
const CUT: &str = "\n…\n";

/// `text` (as [`crate::error::render`] gives it) within the limit.
#[must_use]
pub fn failure_message(text: &str) -> String {
    if text.len() <= MAX_TERMINATION_MESSAGE {
        return text.to_owned();
    }
    let hint = text.rfind("\nhint: ").map_or("", |at| &text[at + 1..]);
    let hint = if hint.len() > MAX_TERMINATION_MESSAGE / 2 { "" } else { hint };
    let room = MAX_TERMINATION_MESSAGE - CUT.len() - hint.len();
    format!("{}{CUT}{hint}", &text[..text.floor_char_boundary(room)])
}

/// Writes a message in place of what the file held. The file is the kubelet's, so it is written and not replaced.
pub fn write_message(file: &Path, message: &str) -> io::Result<()> {
    std::fs::write(file, message)
}
