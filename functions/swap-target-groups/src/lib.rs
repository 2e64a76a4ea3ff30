//! The step that moves production traffic between the two target groups of a pair, one change of
//! weights a job, and restores it in the same job when the new colour becomes unhealthy.
//!
//! It never moves traffic to a colour without checking its health and its size in the same
//! invocation.

mod parameters;

use slipway::aws::{Ledger, ObservedPair, Pairs, Sdk, Services};
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::release::{
    ActiveRelease, Change, Event, Lease, PairTarget, PriorPair, TrafficReturn, apply,
};
use slipway::routing::mover::{ReturnProgress, TrafficMover};
use slipway::step::Step;
use slipway::strategy::blue_green::context::PairContext;
use slipway::strategy::blue_green::plan::ShiftPlan;
use slipway::strategy::blue_green::shift::{ShiftStep, ShiftTimes, next_step};
use slipway::strategy::blue_green::size::needed_by_new;

pub use parameters::{Parameters, ShiftName};

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct SwapTargetGroups {
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
    traffic: TrafficMover,
}

/// What one invocation works with.
struct Context<'a> {
    job: &'a Job<Parameters>,
    target: &'a PairTarget,
    pair: &'a PriorPair,
    seen: ObservedPair,
}

impl Context<'_> {
    fn observed(&self) -> PairContext<'_> {
        PairContext {
            target: self.target,
            view: &self.seen.view,
        }
    }
}

impl SwapTargetGroups {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            pairs: Pairs::new(sdk),
            traffic: TrafficMover::new(sdk),
        }
    }
}

impl Step for SwapTargetGroups {
    const NAME: &'static str = "swap-target-groups";
    type Parameters = Parameters;
    type Claim = ActiveRelease;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self::new(sdk)
    }

    async fn claim(&self, job: &Job<Parameters>) -> Result<ActiveRelease, StepError> {
        job.parameters.validate()?;
        self.ledger.claim(&job.release).await?.active()
    }

    async fn step(&self, job: &Job<Parameters>, claim: ActiveRelease) -> StepResult {
        let ActiveRelease { lease, target, .. } = claim;
        let target = PairTarget::required(&target)?;
        let pair = &target.prior;

        if let Some(summary) = pair.already_live(&job.parameters.task_definition) {
            let outputs = [("LiveColour", pair.live.to_string())];
            return Ok(JobReport::done(summary, outputs));
        }

        if target.traffic_return.is_some() {
            return self.restore(job, lease, pair).await;
        }

        let seen = self.pairs.observe(&lease, pair, &[pair.idle()]).await?;
        let context = Context {
            job,
            target,
            pair,
            seen,
        };
        self.shift(&context, lease).await
    }
}

impl SwapTargetGroups {
    async fn shift(&self, context: &Context<'_>, lease: Lease) -> StepResult {
        let Context {
            job, pair, seen, ..
        } = context;
        let observed = context.observed();
        let plan = shift_plan(&job.parameters, observed.filled_tasks());
        let times = ShiftTimes {
            elapsed: job.now.since(job.since),
            grace_left: lease.grace_left(job.now),
        };

        match next_step(&plan, &observed, times) {
            ShiftStep::Grow {
                change,
                tasks,
                percent,
            } => {
                self.announce(context, &lease, change).await?;
                self.services.resize(seen.of(pair.idle()), tasks).await?;

                let summary = format!("{} grows to {tasks} tasks first", pair.idle());
                Ok(JobReport::in_progress(summary, percent))
            }
            ShiftStep::Shift { to, percent } => {
                let lease = self.record_size(context, lease).await?;
                self.traffic.route(&lease, pair, seen, to).await?;

                let new = pair.idle();
                let summary = format!("{}% to {new}, baking begins", to.percent(new));
                Ok(JobReport::in_progress(summary, percent))
            }
            ShiftStep::Confirm => {
                let confirmed = apply(&lease, Event::ShiftConfirmed, job.now)?;
                self.ledger.advance(&confirmed).await?;

                let summary = format!("weights are {}", seen.view.weights);
                Ok(JobReport::in_progress(summary, 0))
            }
            ShiftStep::Wait { summary, percent } => Ok(JobReport::in_progress(summary, percent)),
            ShiftStep::Done { summary } => {
                let outputs = [("LiveColour", pair.idle().to_string())];
                Ok(JobReport::done(summary, outputs))
            }
            ShiftStep::Restore { reason } => self.abort(context, lease, reason).await,
            ShiftStep::Fail { failure, .. } => self.fail(context, &lease, failure).await,
        }
    }

    /// Records how many tasks the new colour was proven with, if that is more than it was filled
    /// with: from here on it is judged by them, and so is a return of the traffic.
    async fn record_size(&self, context: &Context<'_>, lease: Lease) -> Result<Lease, StepError> {
        let observed = context.observed();
        let filled = observed.filled_tasks();
        let tasks = needed_by_new(&observed, filled);

        match &context.target.change {
            Some(change) if tasks > filled => {
                let change = Change {
                    desired_count: Some(tasks),
                    ..change.clone()
                };
                self.announce(context, &lease, change).await
            }
            Some(_) | None => Ok(lease),
        }
    }

    async fn announce(
        &self,
        context: &Context<'_>,
        lease: &Lease,
        change: Change,
    ) -> Result<Lease, StepError> {
        let announcement = Event::ChangeAnnounced { change, had: None };
        let announced = apply(lease, announcement, context.job.now)?;
        self.ledger.advance(&announced).await?;
        Ok(announced)
    }

    /// Records the decision to restore the traffic, and restores it in the same invocation.
    async fn abort(&self, context: &Context<'_>, lease: Lease, reason: String) -> StepResult {
        let job = context.job;
        let decision = TrafficReturn {
            reason,
            since: job.now,
            held: false,
        };
        let lease = apply(&lease, Event::ReturnDecided(decision), job.now)?;
        self.ledger.advance(&lease).await?;

        self.restore(job, lease, context.pair).await
    }

    /// Ends the shift as failed. What looks like an external change may be that of another
    /// invocation since the lease was read: then this write loses, and the next job observes again.
    async fn fail(&self, context: &Context<'_>, lease: &Lease, failure: Failure) -> StepResult {
        let failed = Event::FailureRecorded(failure.clone());
        self.ledger
            .advance(&apply(lease, failed, context.job.now)?)
            .await?;
        Err(failure.into())
    }

    /// Restores the recorded weights, once the old colour can take all of the traffic, and fails
    /// the job with the reason.
    async fn restore(&self, job: &Job<Parameters>, lease: Lease, pair: &PriorPair) -> StepResult {
        match self.traffic.return_traffic(lease, pair, job.now).await? {
            ReturnProgress::Returning(summary) => Ok(JobReport::in_progress(summary, 50)),
            ReturnProgress::Returned(reason, _) => Err(Failure::job(reason).into()),
        }
    }
}

fn shift_plan(parameters: &Parameters, filled: u32) -> ShiftPlan {
    ShiftPlan {
        task_definition: parameters.task_definition.clone(),
        steps: parameters.percentages(),
        step_bake: parameters.step_bake(),
        last_bake: parameters.last_bake(),
        filled,
        minimum_healthy_percent: parameters.minimum_healthy_percent(),
    }
}
