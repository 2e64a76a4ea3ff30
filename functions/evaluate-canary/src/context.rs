//! What one evaluation works with: the job, the lease as it was read, and the pair.

use slipway::job::{Failure, Job, JobReport};
use slipway::limits::{BAKE_AHEAD, METRIC_DELAY, REPORT_DEADLINE};
use slipway::metrics::Sides;
use slipway::observed::weights::Weights;
use slipway::release::{AwaitingDecision, Lease, PairTarget, PriorPair, Release};
use slipway::strategy::canary::{Bake, BakeState};

use crate::Parameters;

pub(crate) struct CanaryContext<'a> {
    pub(crate) job: &'a Job<Parameters>,
    pub(crate) lease: Lease,
    pub(crate) target: &'a PairTarget,
    pub(crate) pair: &'a PriorPair,
}

/// The pair while it is judged.
pub(crate) struct PairHealth {
    pub(crate) weights: Weights,
    pub(crate) health: String,
    /// Whether clients stay with their colour.
    pub(crate) sticky: bool,
}

impl CanaryContext<'_> {
    /// In progress: the next job receives what this one received, or kept of its look.
    pub(crate) fn in_progress(&self, summary: impl Into<String>, percent: u8) -> JobReport {
        JobReport::in_progress_with(summary, percent, self.job.next_payload())
    }

    pub(crate) fn bake_state(&self) -> Result<Option<BakeState>, Failure> {
        self.job.payload.as_ref().map(BakeState::read).transpose()
    }

    pub(crate) fn sides(&self) -> Result<Sides, Failure> {
        Sides::from_pair(
            self.pair,
            &self.lease.service,
            &self.job.parameters.task_definition,
        )
        .ok_or_else(|| {
            Failure::configuration(format!(
                "{} is not a rule of an Application Load Balancer; only its metrics can be judged",
                self.pair.route
            ))
        })
    }

    /// The first whole minute with the current weights, but at most [`BAKE_AHEAD`] before this
    /// action.
    pub(crate) fn first_minute(&self) -> i64 {
        let shifted = self
            .target
            .shift
            .as_ref()
            .map_or(self.job.since.secs(), |shift| shift.at.secs());
        let ahead = i64::try_from(BAKE_AHEAD.as_secs()).unwrap_or_default();
        let from = shifted.max(self.job.since.secs() - ahead);
        (from + 59).div_euclid(60)
    }

    /// The state, knowing from which judged minute on the canary has the last share: the first
    /// whole one after the weights were set.
    pub(crate) fn with_raise(&self, bake_state: BakeState, weights: Weights) -> BakeState {
        let percent = weights.percent(self.pair.idle());
        let is_raised = bake_state.last_percent.is_some_and(|last| percent >= last);
        let shifted = self.target.shift.as_ref().filter(|_| is_raised);
        let Some(shift) = shifted else {
            return bake_state;
        };
        let begins = (shift.at.secs() + 59).div_euclid(60);
        let minute = u32::try_from(begins - bake_state.first + 1).unwrap_or(1);
        bake_state.with_raise(minute)
    }

    /// Whether the share of the traffic is still to be raised by this judgement.
    pub(crate) fn raises(&self, bake_state: &BakeState) -> bool {
        bake_state.last_percent.is_some() && bake_state.raised.is_none()
    }

    pub(crate) fn minute(&self, bake_state: &BakeState) -> u32 {
        let bake = Bake {
            first: bake_state.first,
            end: u32::MAX,
        };
        bake.minute(
            self.job.now.secs(),
            i64::try_from(METRIC_DELAY.as_secs()).unwrap_or_default(),
        )
    }

    /// The key of this judgement's report in the bucket of reports.
    pub(crate) fn key(&self) -> String {
        let release = &self.job.release;
        let began: String = self
            .job
            .since
            .to_string()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        format!("{}/{}/{began}", release.pipeline, release.execution)
    }

    /// The wait of this action for a decision.
    pub(crate) fn awaiting(&self) -> Option<&AwaitingDecision> {
        self.target
            .awaiting
            .as_ref()
            .filter(|awaiting| awaiting.action == self.job.since)
    }

    /// Whether the report was retried for as long as a rollback waits for one.
    pub(crate) fn waited_for_report(&self) -> bool {
        let target = self.lease.release.as_ref().and_then(Release::pair);
        target
            .and_then(|target| target.traffic_return.as_ref())
            .is_some_and(|decided| self.job.now.since(decided.since) >= REPORT_DEADLINE)
    }
}
