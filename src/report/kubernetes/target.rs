//! Where in a cluster is reported, and in which form: `status:connectbuild/NAME`.

use std::str::FromStr;

use crate::kubernetes::{InvalidResourceName, ResourceName};
use crate::spec::Kind;

/// What is written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTarget {
    /// What.
    pub form: ReportForm,
    /// Where.
    pub resource: ResourceName,
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// `status` of a `ConnectBuild`.
    Status,
    /// [`super::IMAGE_ANNOTATION`].
    Annotation,
    /// Events: a build began, succeeded, failed.
    Event,
}

/// Text that names no report.
#[derive(Debug, thiserror::Error)]
pub enum InvalidReport {
    /// Another form, or none.
    #[error(
        "`{0}` is not a report: write `status:connectbuild/NAME`, `annotation:KIND/NAME` or `event:KIND/NAME`"
    )]
    Form(String),
    /// Another resource.
    #[error(transparent)]
    Resource(#[from] InvalidResourceName),
    /// A status that is not ours.
    #[error("the status of {0} belongs to its operator: report with `annotation:` and `event:` there")]
    ForeignStatus(ResourceName),
}

impl FromStr for ReportTarget {
    type Err = InvalidReport;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (form, resource) =
            text.split_once(':').ok_or_else(|| InvalidReport::Form(crate::path::shown(text.as_bytes())))?;
        let form = match form {
            "status" => ReportForm::Status,
            "annotation" => ReportForm::Annotation,
            "event" => ReportForm::Event,
            _ => return Err(InvalidReport::Form(crate::path::shown(text.as_bytes()))),
        };
        let resource: ResourceName = resource.parse()?;
        if form == ReportForm::Status && resource.kind != Kind::ConnectBuild {
            return Err(InvalidReport::ForeignStatus(resource));
        }
        Ok(Self { form, resource })
    }
}

impl ReportTarget {
    /// What is reported where nothing is said: a status where it is ours, else an annotation and events.
    #[must_use]
    pub fn usual(resource: &ResourceName) -> Vec<Self> {
        let forms: &[ReportForm] = match resource.kind {
            Kind::ConnectBuild => &[ReportForm::Status],
            Kind::KafkaConnect => &[ReportForm::Annotation, ReportForm::Event],
        };
        forms.iter().map(|form| Self { form: *form, resource: resource.clone() }).collect()
    }
}
