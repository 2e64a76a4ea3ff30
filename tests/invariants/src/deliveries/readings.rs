//! What the events of Amazon ECR, the ledger and the calls of a run show of one pipeline.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Delivered;
use crate::ledger_reader::text;
use emulator::lambda::Outcome;
use emulator::{Aws, Millis};

/// The configurations of images; other artifacts cannot run.
const IMAGES: [&str; 2] = [
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
];

/// A digest got a tag that the pipeline delivers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    /// The id of the event.
    pub(super) event: &'a str,
    pub(super) digest: &'a str,
    /// To the second.
    pub(super) time: &'a str,
    pub(super) is_image: bool,
}

/// The wishes of a pipeline, in the order of Amazon ECR.
pub(super) fn wishes<'a>(aws: &'a Aws, delivered: &Delivered) -> Vec<Wish<'a>> {
    let pushes = aws.events.events.iter().filter(|event| {
        let detail = &event["detail"];
        event["detail-type"] == "ECR Image Action"
            && detail["action-type"] == "PUSH"
            && detail["repository-name"] == *delivered.repository
    });
    let wishes = pushes.filter_map(|event| {
        let detail = &event["detail"];
        let tag = detail["image-tag"].as_str()?;
        let artifact = detail["artifact-media-type"].as_str();
        let wish = Wish {
            event: event["id"].as_str()?,
            digest: detail["image-digest"].as_str()?,
            time: event["time"].as_str()?,
            is_image: artifact.is_some_and(|artifact| IMAGES.contains(&artifact)),
        };
        tag.starts_with(delivered.prefix).then_some(wish)
    });
    wishes.collect()
}

/// A digest that was rolled back.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) pipeline: String,
    pub(super) digest: String,
    pub(super) execution: String,
    /// To the second.
    pub(super) at: String,
}

pub(super) fn rejected(ledger: &[Value]) -> Vec<Rejected> {
    let rolled_back = ledger
        .iter()
        .filter(|item| text(item, "outcome") == Some("rolled-back"));
    let rejected = rolled_back.filter_map(|record| {
        let member = |name: &str| text(record, name).map(ToOwned::to_owned);
        Some(Rejected {
            pipeline: member("pipeline")?,
            digest: member("digest")?,
            execution: member("execution")?,
            at: member("ended_at")?,
        })
    });
    rejected.collect()
}

/// When executions were started by invocations that did not end as they should.
pub(super) fn unanswered(aws: &Aws) -> Vec<Millis> {
    let attempts = aws.lambda.invocations.iter().flat_map(|one| &one.attempts);
    let failed: BTreeSet<u64> = attempts
        .filter(|attempt| !matches!(attempt.outcome, Some(Outcome::Succeeded(_))))
        .map(|attempt| attempt.id)
        .collect();
    let starts = aws.calls.iter().filter(|call| {
        let has_failed = |attempt| failed.contains(&attempt);
        call.operation == "StartPipelineExecution" && call.attempt.is_some_and(has_failed)
    });
    starts.map(|call| call.at).collect()
}
