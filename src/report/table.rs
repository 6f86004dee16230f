//! The table at the end of a build.

use std::fmt::Write as _;

use super::text::{bytes, seconds};
use crate::pipeline::Outcome;

/// Layers with sizes, stages with times, and the image by digest.
#[must_use]
pub fn table(outcome: &Outcome) -> String {
    let mut rows =
        vec![["LAYER".to_owned(), "FILES".into(), "UNPACKED".into(), "SIZE".into(), "DIGEST".into()]];
    if !outcome.base_layers.is_empty() {
        let size = outcome.base_layers.iter().map(|layer| layer.size).sum();
        let name = format!("base image ({} layers)", outcome.base_layers.len());
        let digest = outcome.base.as_ref().map(|(_, digest)| digest.short()).unwrap_or_default();
        rows.push([name, String::new(), String::new(), bytes(size), digest]);
    }
    for layer in &outcome.layers {
        let built = &layer.layer;
        rows.push([
            layer.plugin.clone(),
            built.files.to_string(),
            bytes(built.unpacked),
            bytes(built.size),
            built.digest.short(),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for [name, files, unpacked, size, digest] in &rows {
        let [w0, w1, w2, w3] = widths;
        let _ = writeln!(text, "{name:<w0$}  {files:>w1$}  {unpacked:>w2$}  {size:>w3$}  {digest}");
    }
    let stages: Vec<String> =
        outcome.stages.iter().map(|(stage, took)| format!("{} {}", stage.name(), seconds(*took))).collect();
    let _ = writeln!(
        text,
        "\ntime      {} in all ({}; stages overlap)",
        seconds(outcome.took),
        stages.join(", ")
    );
    let platforms: Vec<String> = outcome.platforms.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "platform  {}", platforms.join(", "));
    let _ = writeln!(text, "image     {}", outcome.pushed.location);
    let _ = write!(text, "digest    {}", outcome.pushed.digest);
    text
}
