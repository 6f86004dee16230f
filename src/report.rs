//! What is told, and to whom: a live display or lines of a log while the build runs, and a status in the cluster; a table, a
//! result file and a termination message at its end.
//!
//! Reports are made from [`crate::progress::Event`]s and from the [`crate::pipeline::Outcome`]; they decide nothing.

mod bars;
mod kubernetes;
mod lines;
mod result_file;
mod status;
mod table;
mod termination;
mod text;

pub use self::bars::Bars;
pub use self::kubernetes::{
    ClusterReport, IMAGE_ANNOTATION, InvalidReport, ReportError, ReportForm, ReportTarget,
};
pub use self::lines::Lines;
pub use self::result_file::{Failure, result_json};
pub use self::status::{Advance, Builder, Condition, ConditionStatus, Phase, PluginStatus, Status, Time};
pub use self::table::table;
pub use self::termination::{MAX_TERMINATION_MESSAGE, TERMINATION_LOG, failure_message, write_message};
pub use self::text::{bytes, seconds};

#[cfg(test)]
mod tests;
