//! The continuation token: what one job of an action passes to the next.
//!
//! It carries progress only, never a decision: CodePipeline may repeat or lose it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_with::skip_serializing_none;

use super::Failure;
use crate::limits::{BUSY_LIMIT, FORMAT_VERSION, PIPELINE_ARN_CHARS, SECOND_LOOK, SECOND_LOOKS};
use crate::timestamp::Timestamp;

/// A token of this version.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub v: u32,
    /// The step that wrote it.
    pub step: String,
    /// When the first job of the action began.
    pub since: Timestamp,
    /// When a later job of the action last learned something. A job that learned nothing passes the
    /// token on unchanged.
    pub learned: Option<Timestamp>,
    /// When AWS first refused what the jobs since look at again.
    pub refused: Option<Timestamp>,
    /// When AWS last refused it again; without `refused`, when the last refusal came that is only
    /// counted.
    pub refused_again: Option<Timestamp>,
    /// How many refusals before it did not come again for some time, at most [`SECOND_LOOKS`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused_before: u32,
    /// When a freeze last held the action back.
    pub frozen: Option<Timestamp>,
    /// The ARN of the pipeline that the action belongs to, once it was read.
    pub pipeline: Option<String>,
    /// The step's own payload.
    pub payload: Option<Value>,
}

/// Reads a payload as what the step keeps in it.
///
/// # Errors
/// When another version wrote it.
pub(crate) fn read_payload<T: DeserializeOwned>(payload: &Value) -> Result<T, Failure> {
    T::deserialize(payload).map_err(|e| {
        Failure::job(format!(
            "the continuation token was not written by this version: {e}; release again"
        ))
    })
}

impl Token {
    /// The token of a step whose action began at `since`.
    #[must_use]
    pub fn new(step: &str, since: Timestamp) -> Self {
        Self {
            v: FORMAT_VERSION,
            step: step.to_owned(),
            since,
            learned: None,
            refused: None,
            refused_again: None,
            refused_before: 0,
            frozen: None,
            pipeline: None,
            payload: None,
        }
    }

    /// When the action last learned something, or began.
    #[must_use]
    pub(crate) fn last_learned(&self) -> Timestamp {
        self.learned.unwrap_or(self.since)
    }

    /// The token after a job that learned something.
    #[must_use]
    pub(crate) fn learned_at(self, now: Timestamp) -> Self {
        Self {
            learned: (now != self.since).then_some(now),
            ..self
        }
    }

    /// The token without refusals that have not come again for some time, which are only counted,
    /// until none has come for [`BUSY_LIMIT`]. Between two refusals of the same call a step can
    /// wait for what it announced, so one job without it proves nothing.
    #[must_use]
    pub(crate) fn without_old_refusals(self, now: Timestamp) -> Self {
        let Some(last) = self.refused_again.or(self.refused) else {
            return self;
        };
        if now.since(last) >= BUSY_LIMIT {
            return Self {
                refused: None,
                refused_again: None,
                refused_before: 0,
                ..self
            };
        }
        if self.refused.is_none() || now.since(last) < SECOND_LOOK {
            return self;
        }

        Self {
            refused: None,
            refused_again: Some(last),
            refused_before: self.refused_before.saturating_add(1).min(SECOND_LOOKS),
            ..self
        }
    }

    /// The token after a job that AWS refused a call.
    #[must_use]
    pub(crate) fn refused_at(self, now: Timestamp) -> Self {
        Self {
            refused: self.refused.or(Some(now)),
            refused_again: self.refused.map(|_| now),
            ..self
        }
    }

    /// The token after a job that a freeze held back, which knows no more than it received.
    #[must_use]
    pub(crate) fn frozen_at(self, now: Timestamp) -> Self {
        Self {
            frozen: Some(now),
            ..self.learned_at(now)
        }
    }

    /// The token with the ARN of the action's pipeline, if this job checked it.
    #[must_use]
    pub(crate) fn of_pipeline(self, checked: Option<String>) -> Self {
        Self {
            pipeline: checked
                .filter(|arn| arn.len() <= PIPELINE_ARN_CHARS)
                .or(self.pipeline),
            ..self
        }
    }

    /// The token with what a job kept, whatever the job ends with.
    #[must_use]
    pub(crate) fn keeping(self, kept: Option<Value>) -> Self {
        Self {
            payload: kept.or(self.payload),
            ..self
        }
    }

    /// The same token with the step's own payload.
    #[must_use]
    pub(crate) fn with_payload(self, payload: Option<Value>) -> Self {
        Self { payload, ..self }
    }

    /// Reads a token that `step` received.
    ///
    /// # Errors
    /// When it was not written by this step in this version.
    pub fn parse(text: &str, step: &str) -> Result<Self, Failure> {
        let remedy = "retry the stage, so that the action starts again";
        let token: Self = serde_json::from_str(text).map_err(|e| {
            Failure::job(format!(
                "the continuation token was not written by {step} of this version: {e}; {remedy}"
            ))
        })?;

        if token.v != FORMAT_VERSION || token.step != step {
            let found = format!("version {} of {}", token.v, token.step);
            return Err(Failure::job(format!(
                "the continuation token is {found}, expected version {FORMAT_VERSION} of {step}; \
                 {remedy}"
            )));
        }

        Ok(token)
    }

    /// The text for CodePipeline.
    #[must_use]
    pub fn text(&self) -> String {
        json!(self).to_string()
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
