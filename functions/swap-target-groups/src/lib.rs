//! The step that moves production traffic between the two target groups of a pair, one change of
//! weights a job, and restores it in the same job when the new colour becomes unhealthy.
//! `swap-records` is the same step for another kind of route.
//!
//! It never moves traffic to a colour without checking its health and its size in the same
//! invocation.

mod context;
mod forward;
mod last_bake;
mod parameters;

use std::marker::PhantomData;
use std::time::Duration;

use slipway::aws::{Ledger, Metrics, Pairs, PriorRevisions, Sdk, Services, TaskDefinitions};
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::observed::alarm::active;
use slipway::observed::route::Route;
use slipway::release::{
    ActiveRelease, Change, Event, Lease, PairTarget, PriorPair, TrafficReturn, apply,
};
use slipway::routing::mover::{ReturnProgress, TrafficMover};
use slipway::step::{Gate, Step};
use slipway::strategy::blue_green::health::health_to_record;
use slipway::strategy::blue_green::plan::ShiftPlan;
use slipway::strategy::blue_green::shift::{ShiftStep, ShiftTimes, by_alarm, next_step};

use context::ShiftContext;
pub use parameters::{Parameters, ShiftName};

/// The step for pairs behind a listener rule.
pub type SwapTargetGroups = Swap<TargetGroups>;

/// What routes the traffic that a step moves.
pub trait RouteKind {
    /// The function's name.
    const STEP: &'static str;

    /// Refuses a pair with another kind of route.
    ///
    /// # Errors
    /// A ConfigurationError with the step that moves its traffic.
    fn check_route(route: &Route) -> Result<(), Failure>;
}

/// The target groups of a listener rule.
#[derive(Debug)]
pub struct TargetGroups;

impl RouteKind for TargetGroups {
    const STEP: &'static str = "swap-target-groups";

    fn check_route(route: &Route) -> Result<(), Failure> {
        match route {
            Route::Rule(_) => Ok(()),
            Route::Record(_) => Err(Failure::configuration(format!(
                "{route} routes the traffic of the pair; expected a listener rule; run \
                 swap-records in place of this action"
            ))),
        }
    }
}

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct Swap<R> {
    kind: PhantomData<R>,
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
    task_definitions: TaskDefinitions,
    priors: PriorRevisions,
    traffic: TrafficMover,
    metrics: Metrics,
    gate: Gate,
}

impl<R: RouteKind> Swap<R> {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            kind: PhantomData,
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            pairs: Pairs::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
            priors: PriorRevisions::new(sdk),
            traffic: TrafficMover::new(sdk),
            metrics: Metrics::new(sdk),
            gate: Gate::new(sdk),
        }
    }
}

impl<R: RouteKind> Step for Swap<R> {
    const NAME: &'static str = R::STEP;
    type Parameters = Parameters;
    type Found = ActiveRelease;

    fn works(parameters: &Parameters) -> Duration {
        parameters.total(Duration::ZERO)
    }

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self::new(sdk)
    }

    async fn find_release(&self, job: &Job<Parameters>) -> Result<ActiveRelease, StepError> {
        job.parameters.validate()?;
        self.ledger.prove_lease(&job.release).await?.active()
    }

    async fn step(&self, job: &Job<Parameters>, found: ActiveRelease) -> StepResult {
        let ActiveRelease {
            lease,
            release,
            target,
        } = found;
        let target = PairTarget::required(&target)?;
        let pair = &target.prior;
        R::check_route(&pair.route)?;
        job.parameters.validate_total(answers(pair))?;

        if let Some(summary) = pair.already_live(&job.parameters.task_definition) {
            let outputs = [("LiveColour", pair.live.to_string())];
            return Ok(JobReport::done(summary, outputs));
        }

        if target.traffic_return.is_some() {
            return self.restore(job, lease, pair).await;
        }

        let seen = self
            .pairs
            .observe(&lease, pair, &[pair.live, pair.idle()])
            .await?;
        let context = ShiftContext {
            job,
            target,
            pair,
            release: &release,
            seen,
        };
        self.shift(&context, lease).await
    }
}

impl<R: RouteKind> Swap<R> {
    async fn shift(&self, context: &ShiftContext<'_>, lease: Lease) -> StepResult {
        let ShiftContext { job, pair, .. } = context;
        let observed = context.observed();
        let max_capacity = self.traffic.capacity_of_new(&lease, &observed).await;
        let plan = ShiftPlan {
            max_capacity: max_capacity.clone().unwrap_or_default(),
            ..shift_plan(&job.parameters, observed.filled_tasks(), answers(pair))
        };
        let times = ShiftTimes {
            elapsed: job.worked(),
            grace_left: lease.grace_left(job.now),
        };

        let step = next_step(&plan, &observed, times);
        let lease = self.record_health(context, &plan, lease).await?;
        let step = self.unless_alarm(context, step).await?;
        // Boxed: the SDK's futures are deep.
        match Box::pin(self.unless_failing(context, &lease, step)).await {
            ShiftStep::Grow {
                change, percent, ..
            } => {
                max_capacity?;
                self.grow(context, &plan, &lease, change, percent).await
            }
            ShiftStep::Shift { to, percent } => {
                max_capacity?;
                self.route(context, &plan, lease, to, percent).await
            }
            ShiftStep::Confirm => {
                let summary = self.traffic.confirm(&lease, pair, &context.seen).await?;
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

    /// The step, unless one of the action's alarms is in ALARM. Traffic that goes back anyway waits
    /// for no alarm.
    async fn unless_alarm(
        &self,
        context: &ShiftContext<'_>,
        step: ShiftStep,
    ) -> Result<ShiftStep, StepError> {
        if matches!(step, ShiftStep::Restore { .. } | ShiftStep::Fail { .. }) {
            return Ok(step);
        }
        let names = context.job.parameters.alarms.as_deref().unwrap_or_default();
        let alarms = self.metrics.alarms(names).await?;
        Ok(match active(&alarms)? {
            Some(reason) => by_alarm(&context.observed(), reason),
            None => step,
        })
    }

    /// Records what the next looks must know of the new colour's health.
    async fn record_health(
        &self,
        context: &ShiftContext<'_>,
        plan: &ShiftPlan,
        lease: Lease,
    ) -> Result<Lease, StepError> {
        let Some(seen) = health_to_record(plan, &context.observed()) else {
            return Ok(lease);
        };
        let recorded = apply(&lease, Event::HealthSeen(seen), context.job.now)?;
        self.ledger.advance(&recorded).await?;
        Ok(recorded)
    }

    async fn announce(
        &self,
        context: &ShiftContext<'_>,
        lease: &Lease,
        change: Change,
    ) -> Result<Lease, StepError> {
        let announcement = Event::ChangeAnnounced { change, had: None };
        let announced = apply(lease, announcement, context.job.now)?;
        self.ledger.advance(&announced).await?;
        Ok(announced)
    }

    /// Records the decision to restore the traffic, and restores it in the same invocation.
    async fn abort(&self, context: &ShiftContext<'_>, lease: Lease, reason: String) -> StepResult {
        let job = context.job;
        let new = context.seen.view.of(context.pair.idle());
        let wanted = &job.parameters.task_definition;
        let definitions = &self.task_definitions;
        let decision = TrafficReturn {
            reason: definitions
                .without_secrets(reason, new.texts(), wanted)
                .await,
            since: job.now,
            held: false,
        };
        let lease = apply(&lease, Event::ReturnDecided(decision), job.now)?;
        self.ledger.advance(&lease).await?;

        self.restore(job, lease, context.pair).await
    }

    /// Ends the shift as failed. What looks like an external change may be that of another
    /// invocation since the lease was read: then this write loses, and the next job observes again.
    async fn fail(
        &self,
        context: &ShiftContext<'_>,
        lease: &Lease,
        failure: Failure,
    ) -> StepResult {
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

/// For how long clients may still use a DNS answer from before a step.
fn answers(pair: &PriorPair) -> Duration {
    pair.route.ttl().unwrap_or_default()
}

fn shift_plan(parameters: &Parameters, filled: u32, answers: Duration) -> ShiftPlan {
    ShiftPlan {
        task_definition: parameters.task_definition.clone(),
        steps: parameters.percentages(),
        step_bake: parameters.step_bake(),
        last_bake: parameters.last_bake(),
        answers,
        filled,
        minimum_healthy_percent: parameters.minimum_healthy_percent(),
        max_capacity: None,
    }
}
