//! Builds Kafka Connect images from Strimzi's `spec.build`, without running anything: no shell, no Dockerfile executor, no
//! root, no unpacked root file system. It downloads, verifies, reads archives as data, writes OCI layers straight from the
//! streams, and pushes.
//!
//! # Data flows one way
//!
//! ```text
//!  what was said    what is meant   on disk, verified   what goes in   bytes with digests    where it goes          told
//!  spec ──────────► plan ─────────► fetch ────────────► unpack ──────► layer ──► image ────► registry, layout ────► report
//!  KafkaConnect     Plan            Fetched             entries        BuiltLayer  Image     Pushed                 lines, bars,
//!  or a section                                                                              (store is both)        result file
//! ```
//!
//! A module uses modules to its left and the ground floor ([`digest`], [`error`], [`http`], [`limits`], [`path`],
//! [`progress`], [`redact`], [`retry`], [`workspace`]), and none to its right. [`kubernetes`], next to `spec`, reads what is
//! built from a cluster and carries what is told back there; [`crd`] describes both ends to it. [`blob`], what the base's layers travel in,
//! stands before `registry`; [`maven`], which resolves Maven artifacts, stands between `fetch` and `unpack`. [`pipeline`] alone knows the order.
//!
//! # What the types know
//!
//! A [`spec::Spec`] is said, a [`plan::Plan`] meant. A [`fetch::Fetched`] exists only for a file whose checksum held, a
//! [`path::EntryPath`] only for a name that passed the law, a [`redact::Secret`] shows itself to nobody. What a layer is
//! follows from its entries alone ([`layer`]), and a base image is edited as JSON and never unpacked ([`image`]).
//!
//! The library prints nothing, does not read the environment and does not exit: [`progress::Reporter`] hears what happens,
//! and the command turns flags, variables and files into [`pipeline::BuildSettings`].

pub mod blob;
pub mod crd;
pub mod digest;
pub mod error;
pub mod fetch;
pub mod http;
pub mod image;
pub mod kubernetes;
pub mod layer;
pub mod layout;
pub mod limits;
pub mod maven;
pub mod path;
pub mod pipeline;
pub mod plan;
pub mod progress;
pub mod redact;
pub mod registry;
pub mod report;
pub mod retry;
pub mod spec;
pub mod store;
pub mod unpack;
pub mod workspace;
