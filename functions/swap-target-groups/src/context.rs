//! What one invocation works with: the job, the pair as it was recorded and as it was seen.

use slipway::aws::ObservedPair;
use slipway::job::Job;
use slipway::release::{PairTarget, PriorPair, Release};
use slipway::strategy::blue_green::context::PairContext;
use slipway::strategy::blue_green::plan::ShiftPlan;
use slipway::strategy::blue_green::size::{RequiredTasks, limit, needed_by_new};

use crate::Parameters;

/// What one invocation works with.
pub(crate) struct ShiftContext<'a> {
    pub(crate) job: &'a Job<Parameters>,
    pub(crate) target: &'a PairTarget,
    pub(crate) pair: &'a PriorPair,
    pub(crate) release: &'a Release,
    pub(crate) seen: ObservedPair,
}

impl ShiftContext<'_> {
    pub(crate) fn observed(&self) -> PairContext<'_> {
        PairContext {
            target: self.target,
            view: &self.seen.view,
        }
    }

    /// The tasks that the new colour needs before it takes more of the traffic.
    pub(crate) fn needed(&self, plan: &ShiftPlan) -> RequiredTasks {
        needed_by_new(&self.observed(), plan.filled, plan.max_capacity)
    }

    /// A summary, with what bounds the tasks that the new colour needs, if anything does.
    pub(crate) fn with_limit(&self, summary: String, needed: RequiredTasks) -> String {
        match limit(self.pair.idle(), needed.capped_from) {
            Some(limit) => format!("{summary}; {limit}"),
            None => summary,
        }
    }
}
