//! What a release keeps of the judgements of its new colour, and of an operator's decision about
//! one.
//!
//! Nothing here judges: `judge` does, and `strategy::canary` reads its verdict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// A judgement of the new colour that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgementRecord {
    /// When its action began. Later invocations of the action return an ended judgement as it is.
    pub since: Timestamp,
    /// `promote`, `rollback` or `inconclusive`.
    pub verdict: String,
    pub summary: String,
    /// What the judge measured, by output variable.
    pub outputs: BTreeMap<String, String>,
    /// Where the page of the report is: `s3://<bucket>/<key>.html`. Its JSON is beside it.
    pub report: String,
}

/// An inconclusive judgement that waits for an operator's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwaitingDecision {
    /// When the action that waits began.
    pub action: Timestamp,
    pub since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<OperatorDecision>,
}

/// What an operator decides about an inconclusive judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorDecision {
    /// The new colour goes on.
    Promote,
    /// The traffic goes back.
    RollBack,
}

impl AwaitingDecision {
    pub(super) fn new(action: Timestamp, now: Timestamp) -> Self {
        Self {
            action,
            since: now,
            decision: None,
        }
    }
}
