//! The words of a notice: enough to act on, without looking anything up.

use super::{Notice, Occasion};
use crate::image::short_digest;
use crate::observed::service::revision;
use crate::timestamp::readable;

impl Notice {
    /// The first line.
    pub(super) fn title(&self) -> String {
        let name = self.release.name();
        match &self.occasion {
            Occasion::Started => format!("{name}: release started"),
            Occasion::Hold(_) => format!("{name}: waiting for a decision"),
            Occasion::Approval { .. } => format!("{name}: waiting for approval"),
            Occasion::Ended(ended) if ended.needs_operator => {
                format!("{name}: manual intervention required")
            }
            Occasion::Ended(ended) => {
                let outcome = ended.outcome.to_string().replace('-', " ");
                format!("{name}: {outcome}")
            }
            Occasion::Drift { .. } => format!("{name}: runs something else than was released"),
        }
    }

    /// What has happened, and to what.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = self.occasion_lines();
        if let Some(digest) = &self.release.digest {
            lines.push(format!("Image {}", short_digest(digest)));
        }
        if let Some([cluster, service]) = &self.release.target {
            lines.push(format!("Service {service} in cluster {cluster}"));
        }
        let release = &self.release;
        lines.push(format!(
            "Pipeline {}, execution {}",
            release.pipeline, release.execution
        ));
        lines
    }

    fn occasion_lines(&self) -> Vec<String> {
        match &self.occasion {
            Occasion::Started => Vec::new(),
            Occasion::Hold(hold) => {
                let canary = "The canary showed neither harm nor health";
                let waits = hold.traffic.as_ref().map(|traffic| {
                    format!(
                        "The traffic stays at {traffic} until an operator decides, and goes back \
                         if none does for HoldMinutes"
                    )
                });
                let reports = hold.reports.iter().map(|report| format!("Report {report}"));
                let first = std::iter::once(canary.to_owned());
                first.chain(waits).chain(reports).collect()
            }
            Occasion::Approval { stage, action, .. } => vec![format!(
                "Action {action} of stage {stage} waits: no later action runs before it is \
                 approved"
            )],
            Occasion::Ended(ended) => {
                let took = self.at.since(ended.started_at);
                let deployed = ended.task_definition.as_ref().map(|new| {
                    let prior = ended.prior.as_deref().map(revision);
                    let prior = prior.map_or_else(String::new, |it| format!(", {it} before"));
                    format!("Revision {}{prior}", revision(new))
                });
                let reports = ended.reports.iter().map(|it| format!("Report {it}"));
                let reason = ended.reason.iter().cloned();
                reason
                    .chain([format!("After {}", readable(took))])
                    .chain(deployed)
                    .chain(reports)
                    .collect()
            }
            Occasion::Drift { found, .. } => vec![found.clone()],
        }
    }

    /// The commands that show more of it, or decide about it.
    pub(super) fn commands(&self) -> Vec<String> {
        let release = &self.release;
        let execution = &release.execution;
        let target = release.target.as_ref();
        let service = target.map_or_else(|| release.pipeline.clone(), |names| names.join("/"));
        match self.occasion {
            Occasion::Started | Occasion::Drift { .. } => {
                vec![format!("slipway status {service}")]
            }
            Occasion::Hold(_) => vec![
                format!("slipway decide promote {service}"),
                format!("slipway decide roll-back {service}"),
            ],
            Occasion::Approval { .. } => vec![
                format!("slipway approve {execution}"),
                format!("slipway reject {execution}"),
            ],
            Occasion::Ended(_) => vec![format!("slipway why {execution}")],
        }
    }

    /// The whole of it in one line: EventBridge passes a text on to a topic as JSON, with quotes and
    /// without line breaks.
    pub(super) fn text(&self) -> String {
        let lines = std::iter::once(self.title()).chain(self.lines());
        let all: Vec<String> = lines.chain(self.commands()).collect();
        all.join("; ")
    }
}
