//! The raise of the canary's share to the last one that is judged: a shift of traffic as
//! `swap-target-groups` makes it, within the same judgement.

use std::time::Duration;

use slipway::aws::ObservedPair;
use slipway::job::{Failure, JobReport, StepError, StepResult};
use slipway::observed::weights::Weights;
use slipway::release::{Change, Event, Lease, apply};
use slipway::strategy::blue_green::context::PairContext;
use slipway::strategy::blue_green::plan::ShiftPlan;
use slipway::strategy::blue_green::shift::{ShiftStep, ShiftTimes, next_step};
use slipway::strategy::blue_green::size::needed_by_new;
use slipway::strategy::canary::Outlook;

use crate::context::{CanaryContext, PairHealth};
use crate::{EvaluateCanary, watch_plan};

/// What became of a raise.
enum Raise {
    /// The judgement goes on, with what this job did.
    JudgedOn(String),
    /// A freeze holds the share, for this reason. The canary is judged at the share that it has, so
    /// the job does not end as a frozen one, and the time of a freeze does not count as a raise.
    Frozen(String),
    /// The new colour must not keep its traffic.
    Restore(String),
    Fail(Failure),
}

impl EvaluateCanary {
    /// Raises the share, or judges on at the share before for up to `left` minutes while what keeps
    /// it from the raise passes by itself. What AWS refuses is looked at again as in every step.
    pub(crate) async fn raise_or_judge_on(
        &self,
        context: CanaryContext<'_>,
        mut outlook: Outlook,
        health: &PairHealth,
        left: u32,
    ) -> StepResult {
        match self.raise(&context, &outlook, left).await {
            Ok(Raise::JudgedOn(progress)) => Ok(still_judged(&progress, &outlook, health)),
            Ok(Raise::Frozen(why)) => {
                outlook.state = outlook.state.with_raising(None);
                Ok(still_judged(&why, &outlook, health))
            }
            Ok(Raise::Restore(reason)) => self.abort(context, &reason, Some(outlook)).await,
            Ok(Raise::Fail(failure)) => self.fail(&context, failure).await,
            Err(error) if error.lasting_cause().is_none() => {
                Ok(still_judged(&error.to_string(), &outlook, health))
            }
            Err(error) => Err(error),
        }
    }

    /// Raises the share, once the new colour is large enough for it and no freeze holds it. It has
    /// as long for that as a shift has.
    async fn raise(
        &self,
        context: &CanaryContext<'_>,
        outlook: &Outlook,
        left: u32,
    ) -> Result<Raise, StepError> {
        let percent = outlook.state.last_percent.unwrap_or_default();
        let (lease, pair, target) = (&context.lease, context.pair, context.target);
        let seen = self
            .pairs
            .observe(lease, pair, &[pair.live, pair.idle()])
            .await?;
        let observed = PairContext {
            target,
            view: &seen.view,
        };
        let max_capacity = self.traffic.capacity_of_new(lease, &observed).await?;
        let plan = ShiftPlan {
            steps: vec![percent],
            max_capacity,
            ..watch_plan(&context.job.parameters, observed.filled_tasks())
        };
        let times = ShiftTimes {
            elapsed: outlook.state.raising_for(context.job.now.secs()),
            grace_left: lease.grace_left(context.job.now),
        };

        let step = next_step(&plan, &observed, times);
        if matches!(step, ShiftStep::Grow { .. } | ShiftStep::Shift { .. })
            && let Some(why) = self.frozen(context, left).await?
        {
            return Ok(Raise::Frozen(why));
        }

        self.act(context, &seen, &plan, step).await
    }

    /// Makes the step.
    async fn act(
        &self,
        context: &CanaryContext<'_>,
        seen: &ObservedPair,
        plan: &ShiftPlan,
        step: ShiftStep,
    ) -> Result<Raise, StepError> {
        let (lease, pair) = (&context.lease, context.pair);
        let observed = PairContext {
            target: context.target,
            view: &seen.view,
        };
        let progress = match step {
            ShiftStep::Grow { change, tasks, .. } => {
                self.announce(context, lease, change).await?;
                self.services.resize(seen.of(pair.idle()), tasks).await?;
                format!("{} grows to {tasks} tasks for a larger share", pair.idle())
            }
            ShiftStep::Shift { to, .. } => {
                let tasks = needed_by_new(&observed, plan.filled, plan.max_capacity).tasks;
                let lease = self.record_size(context, &observed, tasks).await?;
                self.traffic.route(&lease, pair, seen, to).await?;
                raised(to, context)
            }
            ShiftStep::Wait { summary, .. } | ShiftStep::Done { summary } => summary,
            ShiftStep::Confirm => "the weights are confirmed by the next job".to_owned(),
            ShiftStep::Restore { reason } => {
                return Ok(Raise::Restore(self.redacted(context, seen, reason).await));
            }
            ShiftStep::Fail { failure, .. } => return Ok(Raise::Fail(failure)),
        };
        Ok(Raise::JudgedOn(progress))
    }

    /// Why a freeze holds the share, if one does. One that outlasts the action holds it, too: the
    /// share before is safe, and the bake ends at it.
    async fn frozen(
        &self,
        context: &CanaryContext<'_>,
        left: u32,
    ) -> Result<Option<String>, StepError> {
        let Some(release) = &context.lease.release else {
            return Ok(None);
        };
        let needs = Duration::from_secs(60 * u64::from(left));
        // Boxed: the SDK's futures are deep.
        match Box::pin(self.gate.pass(context.job, release, needs)).await {
            Ok(()) => Ok(None),
            Err(StepError::Frozen(why)) => Ok(Some(why)),
            Err(StepError::Failed(failure)) if failure.is_frozen() => Ok(Some(failure.message)),
            Err(error) => Err(error),
        }
    }

    /// Records how many tasks the new colour was proven with, if that is more than it was filled
    /// with.
    async fn record_size(
        &self,
        context: &CanaryContext<'_>,
        observed: &PairContext<'_>,
        tasks: u32,
    ) -> Result<Lease, StepError> {
        match &context.target.change {
            Some(change) if tasks > observed.filled_tasks() => {
                let change = Change {
                    desired_count: Some(tasks),
                    ..change.clone()
                };
                self.announce(context, &context.lease, change).await
            }
            Some(_) | None => Ok(context.lease.clone()),
        }
    }

    async fn announce(
        &self,
        context: &CanaryContext<'_>,
        lease: &Lease,
        change: Change,
    ) -> Result<Lease, StepError> {
        let announcement = Event::ChangeAnnounced { change, had: None };
        let announced = apply(lease, announcement, context.job.now)?;
        self.ledger.advance(&announced).await?;
        Ok(announced)
    }
}

/// In progress, with what this job did and what the judge found.
fn still_judged(progress: &str, outlook: &Outlook, health: &PairHealth) -> JobReport {
    let summary = format!("{progress}; {}; {}", outlook.reason, health.health);
    JobReport::in_progress_with(summary, 50, Some(outlook.state.payload()))
}

fn raised(to: Weights, context: &CanaryContext<'_>) -> String {
    let new = context.pair.idle();
    format!("{}% to {new}, the judgement goes on", to.percent(new))
}
