//! State carried between evaluations in the continuation token: what was fixed before the bake, and
//! what cannot be read again.
//!
//! The token is short. Where what is kept is too long, ranges of minutes that are near to each
//! other become one: then more minutes are left out than had to be, which costs time and never the
//! error rate.

mod kept;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::arrival::Arrivals;
use super::remark::Remark;
use crate::job::{Failure, read_payload};
use crate::judge::Progress;
use crate::judge::canary::hour_before::HourBefore;
use crate::limits::PAYLOAD_CHARS;
use kept::{KeptPrior, KeptProgress};

/// What is known from earlier evaluations. The short names are those in the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BakeState {
    /// The first judged minute since the Unix epoch.
    #[serde(rename = "f")]
    pub first: i64,
    /// Latency thresholds in milliseconds.
    #[serde(rename = "x")]
    pub thresholds_ms: Vec<f64>,
    /// What the hour before showed.
    #[serde(rename = "h")]
    prior: KeptPrior,
    /// The last share of the traffic that this judgement gives, in percent.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub last_percent: Option<u32>,
    /// The judged minute from which on the canary has that share, if it was raised to it.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<u32>,
    /// Since when the share is being raised, in seconds since the Unix epoch.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    raising: Option<i64>,
    /// Whether the target group of the canary speaks gRPC.
    #[serde(rename = "g", default, skip_serializing_if = "std::ops::Not::not")]
    pub grpc: bool,
    /// Whether the rule has had stickiness at a look: clients stay with their colour after it.
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    pub sticky: bool,
    /// Remarks on what was fixed before the bake.
    #[serde(rename = "r", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remarks: BTreeSet<Remark>,
    /// The places of the counts that had a value in the hour before, as they are numbered in
    /// `plan`.
    #[serde(rename = "k", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub known_counts: BTreeSet<usize>,
    /// The last observation of the newest minutes.
    #[serde(rename = "q", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arrivals: Arrivals,
    /// The minute in which a hold began.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u32>,
    /// What earlier looks left.
    #[serde(rename = "p")]
    progress: KeptProgress,
}

impl BakeState {
    /// What is known when nothing has been judged yet.
    #[must_use]
    pub fn new(first: i64, thresholds_ms: Vec<f64>, prior: &HourBefore) -> Self {
        Self {
            first,
            thresholds_ms,
            prior: KeptPrior::new(prior),
            last_percent: None,
            raised: None,
            raising: None,
            grpc: false,
            sticky: false,
            remarks: BTreeSet::new(),
            known_counts: BTreeSet::new(),
            arrivals: Arrivals::new(),
            held: None,
            progress: KeptProgress::default(),
        }
    }

    /// What the hour before showed.
    #[must_use]
    pub fn prior(&self) -> HourBefore {
        self.prior.prior()
    }

    /// The same, knowing the last share that this judgement gives.
    #[must_use]
    pub fn with_last_percent(self, last_percent: Option<u32>) -> Self {
        Self {
            last_percent,
            ..self
        }
    }

    /// The same, knowing whether calls are those of gRPC.
    #[must_use]
    pub fn with_grpc(self, grpc: bool) -> Self {
        Self { grpc, ..self }
    }

    /// The same, knowing whether the rule has stickiness now.
    #[must_use]
    pub fn with_sticky(self, sticky: bool) -> Self {
        Self {
            sticky: self.sticky || sticky,
            ..self
        }
    }

    /// The same with remarks on what was fixed before the bake.
    #[must_use]
    pub fn with_remarks(self, remarks: BTreeSet<Remark>) -> Self {
        Self { remarks, ..self }
    }

    /// The same, knowing from which minute on the canary has the last share.
    #[must_use]
    pub fn with_raise(self, minute: u32) -> Self {
        Self {
            raised: self.raised.or(Some(minute)),
            ..self
        }
    }

    /// The same, knowing that the share is being raised at a time, in seconds since the Unix epoch,
    /// or that it is not.
    #[must_use]
    pub fn with_raising(self, now_secs: Option<i64>) -> Self {
        Self {
            raising: now_secs.map(|now_secs| self.raising.unwrap_or(now_secs)),
            ..self
        }
    }

    /// How long the share has been raised for.
    #[must_use]
    pub fn raising_for(&self, now_secs: i64) -> Duration {
        let secs = self.raising.map_or(0, |since| now_secs - since);
        Duration::from_secs(u64::try_from(secs).unwrap_or_default())
    }

    /// The same, knowing which counts had a value in the hour before.
    #[must_use]
    pub fn with_known_counts(self, known_counts: BTreeSet<usize>) -> Self {
        Self {
            known_counts,
            ..self
        }
    }

    /// The same with the last observation of the newest minutes.
    #[must_use]
    pub fn with_arrivals(self, arrivals: Arrivals) -> Self {
        Self { arrivals, ..self }
    }

    /// The same, held since that minute, unless it began before.
    #[must_use]
    pub fn with_hold(self, minute: u32) -> Self {
        Self {
            held: self.held.or(Some(minute)),
            ..self
        }
    }

    /// Reads what an earlier evaluation wrote.
    ///
    /// # Errors
    /// When it was written by another version.
    pub fn read(payload: &Value) -> Result<Self, Failure> {
        read_payload(payload)
    }

    /// What earlier looks left.
    ///
    /// # Errors
    /// When minutes that were left out cannot be read: they must stay left out.
    pub fn progress(&self) -> Result<Progress, Failure> {
        self.progress.progress()
    }

    /// The same with what an evaluation left.
    #[must_use]
    pub(crate) fn with_progress(self, progress: &Progress) -> Self {
        Self {
            progress: KeptProgress::new(progress),
            ..self
        }
    }

    /// What goes into the token, short enough for it: bounded here, where everything is known.
    #[must_use]
    pub fn payload(&self) -> Value {
        let mut payload = self.unbounded();
        let Ok(mut progress) = self.progress() else {
            return payload;
        };
        while payload.to_string().len() > PAYLOAD_CHARS && join(&mut progress) {
            payload = self.clone().with_progress(&progress).unbounded();
        }
        payload
    }

    fn unbounded(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Makes one range of two; `false` when no metric has two.
fn join(progress: &mut Progress) -> bool {
    let lists = progress.skipped_mut();
    let longest = lists.max_by_key(|ranges| ranges.iter().count());
    longest.is_some_and(|ranges| ranges.join_nearest().is_some())
}

#[cfg(test)]
mod tests;
