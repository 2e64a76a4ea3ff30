//! The claim of a pushed digest by a pipeline, so that one push starts one execution, however often
//! its event is delivered.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{NewestPush, Outcome, Record, RecordState};
use crate::limits::{FUNCTION_TIMEOUT, SAME_PUSH};
use crate::timestamp::Timestamp;

/// What a pipeline has made of a digest. There is one a pipeline and digest.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    pub v: u32,
    pub pipeline: String,
    pub digest: String,
    pub tag: Option<String>,
    /// The id of the event of the push: the same id again is a duplicate delivery.
    pub event: String,
    /// When the digest got its tag, as the event states it. An earlier version did not keep it.
    pub pushed_at: Option<Timestamp>,
    pub claimed_at: Timestamp,
    /// The execution that was started for it, once known.
    pub execution: Option<String>,
    /// Why the push was not delivered, or why a later one of the same digest was refused.
    pub refusal: Option<String>,
    /// What it waits for, if it is neither started nor refused yet.
    pub waiting: Option<String>,
    /// When DynamoDB may delete it, in seconds since the Unix epoch; never after a rollback.
    pub expires_at: Option<i64>,
}

/// What the ledger has when a push arrives.
#[derive(Clone, Debug, Default)]
pub struct KnownPushes {
    /// The claim of the same digest.
    pub claim: Option<Push>,
    /// The record of the execution that it led to.
    pub record: Option<Record>,
    /// The newest push of the pipeline, of any digest.
    pub newest: Option<NewestPush>,
}

/// What to do about a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushDecision {
    /// Start an execution, after writing the claim if it is not the one written already; but not
    /// for an older push than the newest one.
    Start,
    /// An execution may be being started for it by another invocation: look again.
    Wait,
    /// It has been started already.
    Known { execution: String },
    /// It must not be started; the reason is recorded.
    Refuse(String),
}

impl KnownPushes {
    /// Decides about the push of `event`, from the recorded claim of its digest and the record of
    /// the execution it led to.
    #[must_use]
    pub fn decide(&self, event: &str, pushed_at: Timestamp, now: Timestamp) -> PushDecision {
        let Some(claim) = &self.claim else {
            return PushDecision::Start;
        };

        // A duplicate of the event: only the start can be missing, if the process died before it.
        if claim.event == event {
            return claim.known().unwrap_or(PushDecision::Start);
        }

        // Another tag of the digest, whose event comes between the claim and the start. An
        // invocation that has timed out no longer starts anything, and one that refused never did.
        if claim.may_be_starting(now) {
            return PushDecision::Wait;
        }

        let is_newest = !self.is_overtaken();
        match &self.record {
            Some(Record {
                withdrawn: false,
                state: RecordState::Closed,
                outcome: Some(outcome @ Outcome::RolledBack),
                reason,
                ..
            }) => PushDecision::Refuse(format!(
                "this digest was {outcome} before ({}); push a new image, or start the pipeline by \
                 hand to try it again",
                reason.as_deref().unwrap_or("no reason was recorded")
            )),
            // Another tag of the digest is the same push, as long as its release is open. After
            // another push it is a request to return to this digest.
            Some(record)
                if record.state != RecordState::Closed
                    && is_newest
                    && pushed_at.since(claim.claimed_at) < SAME_PUSH =>
            {
                claim.known().unwrap_or(PushDecision::Start)
            }
            // An event from before the claim, which comes late.
            _ if claim.is_as_new_as(pushed_at) => claim.known().unwrap_or(PushDecision::Start),
            // The same of a tag that the digest had when it was claimed, as when a sweep found it:
            // what was started then delivers that tag too.
            _ if is_newest && claim.claimed_at >= pushed_at => {
                claim.known().unwrap_or(PushDecision::Start)
            }
            _ => PushDecision::Start,
        }
    }

    /// Whether another digest was claimed after this one.
    fn is_overtaken(&self) -> bool {
        let claimed = self.claim.as_ref().map(|claim| &claim.digest);
        let newest = self.newest.as_ref().map(|newest| &newest.digest);
        newest.is_some() && newest != claimed
    }
}

impl Push {
    /// Whether an invocation may be starting the pipeline with it.
    #[must_use]
    pub fn may_be_starting(&self, now: Timestamp) -> bool {
        let is_claimed = self.is_undecided() && self.waiting.is_none();
        is_claimed && now.since(self.claimed_at) < FUNCTION_TIMEOUT
    }

    /// Whether nothing is known to have come of it.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.execution.is_none() && self.refusal.is_none()
    }

    /// Whether the push of an event was refused, or its digest after it had been started.
    #[must_use]
    pub fn refuses(&self, event: &str) -> bool {
        self.refusal.is_some() && (self.execution.is_some() || self.event == event)
    }

    /// Whether nothing is known to have come of it, and it is of a later push than one of this
    /// time: its digest got another tag since.
    #[must_use]
    pub fn is_undecided_after(&self, pushed_at: Timestamp) -> bool {
        self.is_undecided() && self.pushed_at.is_some_and(|claimed| claimed > pushed_at)
    }

    /// Whether the claim is of a push that is not older.
    fn is_as_new_as(&self, pushed_at: Timestamp) -> bool {
        self.pushed_at.is_some_and(|claimed| claimed >= pushed_at)
    }

    /// The decision to leave the push to the execution that was started for it, if one was.
    fn known(&self) -> Option<PushDecision> {
        let execution = self.execution.clone()?;
        Some(PushDecision::Known { execution })
    }
}

#[cfg(test)]
pub(super) mod tests;
