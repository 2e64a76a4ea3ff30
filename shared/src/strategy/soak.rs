//! The soak of a release: how long its service has run the new revision steadily, as the jobs of
//! one finish-release action see it, before the release ends and a promotion goes on.
//!
//! It never ends at a look that finds the service unsteady. An interruption that passes does not
//! begin it anew: the replacement of a task is not a sign against the revision.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_with::skip_serializing_none;

use crate::job::{Failure, read_payload};
use crate::timestamp::Timestamp;

/// What one job of the action leaves to the next.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoakProgress {
    /// When the service was first seen steady.
    pub since: Option<Timestamp>,
    /// Since when each look finds it unsteady; none while the last one found it steady.
    pub unsteady_since: Option<Timestamp>,
}

impl SoakProgress {
    /// Reads what the job before wrote; nothing for the first one.
    ///
    /// # Errors
    /// When it was written by another version.
    pub fn read(payload: Option<&Value>) -> Result<Self, Failure> {
        payload.map_or_else(|| Ok(Self::default()), read_payload)
    }

    /// For the next job.
    #[must_use]
    pub fn payload(self) -> Value {
        json!(self)
    }

    /// After a look that found the service steady.
    #[must_use]
    pub fn steady(self, now: Timestamp) -> Self {
        Self {
            since: self.since.or(Some(now)),
            unsteady_since: None,
        }
    }

    /// After a look that found it unsteady.
    #[must_use]
    pub fn unsteady(self, now: Timestamp) -> Self {
        Self {
            unsteady_since: self.unsteady_since.or(Some(now)),
            ..self
        }
    }

    /// What is left of a soak of this length; none once it is over.
    #[must_use]
    pub fn left(self, soak: Duration, now: Timestamp) -> Option<Duration> {
        let soaked = self.since.map_or(Duration::ZERO, |since| now.since(since));
        soak.checked_sub(soaked).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOAK: Duration = Duration::from_secs(600);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
    }

    #[test]
    fn a_soak_counts_from_the_first_steady_look() {
        let begun = SoakProgress::default().unsteady(at(0)).steady(at(60));
        assert_eq!(begun.left(SOAK, at(60)), Some(SOAK));
        let later = begun.steady(at(500));
        assert_eq!(later.left(SOAK, at(659)), Some(Duration::from_secs(1)));
        assert_eq!(later.left(SOAK, at(660)), None);
        assert_eq!(SoakProgress::default().left(SOAK, at(0)), Some(SOAK));
    }

    #[test]
    fn an_interruption_counts_from_its_first_look_and_begins_no_soak_anew() {
        let soaking = SoakProgress::default().steady(at(0));
        let interrupted = soaking.unsteady(at(100)).unsteady(at(160));
        assert_eq!(interrupted.unsteady_since, Some(at(100)));

        let again = interrupted.steady(at(200));
        assert_eq!(again, soaking);
        assert_eq!(again.unsteady(at(300)).unsteady_since, Some(at(300)));
    }

    #[test]
    fn progress_is_carried_from_job_to_job_and_nothing_else_is_read() {
        let progress = SoakProgress::default().steady(at(0)).unsteady(at(30));
        let payload = progress.payload();
        let stored =
            json!({"since": "2026-01-05T09:00:00Z", "unsteady_since": "2026-01-05T09:00:30Z"});
        assert_eq!(payload, stored);
        assert_eq!(SoakProgress::read(Some(&payload)), Ok(progress));
        assert_eq!(SoakProgress::read(None), Ok(SoakProgress::default()));

        let refused = SoakProgress::read(Some(&json!({"attempts": 1}))).expect_err("refused");
        let start = "the continuation token was not written by this version: ";
        assert!(refused.message.starts_with(start), "{}", refused.message);
    }
}
