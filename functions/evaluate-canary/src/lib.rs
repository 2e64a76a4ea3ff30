//! The step that judges the new colour of a pair beside the live one, by their responses to the
//! same traffic. It promotes, restores the traffic in the same job, or waits for an operator's
//! decision.
//!
//! It never promotes without data, and moves traffic to the new colour only up to the last share
//! that is judged.

mod context;
mod evaluation;
mod measuring;
mod outcome;
mod parameters;
mod raise;

use std::time::Duration;

use slipway::aws::{
    Balancers, Ledger, Metrics, ObservedPair, Pairs, Reports, Sdk, Services, TaskDefinitions,
};
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::observed::alarm::active;
use slipway::observed::weights::Weights;
use slipway::release::{ActiveRelease, Event, PairTarget, SeenHealth, apply};
use slipway::routing::mover::TrafficMover;
use slipway::step::{Gate, Step};
use slipway::strategy::blue_green::context::PairContext;
use slipway::strategy::blue_green::health::health_to_record;
use slipway::strategy::blue_green::plan::ShiftPlan;
use slipway::strategy::blue_green::watch::{WatchStep, watch};

use context::{CanaryContext, PairHealth};
pub use parameters::Parameters;

/// The step: one CodePipeline job is one evaluation.
#[derive(Debug)]
pub struct EvaluateCanary {
    sdk: Sdk,
    ledger: Ledger,
    pairs: Pairs,
    services: Services,
    balancers: Balancers,
    task_definitions: TaskDefinitions,
    traffic: TrafficMover,
    metrics: Metrics,
    reports: Reports,
    gate: Gate,
}

impl EvaluateCanary {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ledger: Ledger::new(sdk),
            pairs: Pairs::new(sdk),
            services: Services::new(sdk),
            balancers: Balancers::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
            traffic: TrafficMover::new(sdk),
            metrics: Metrics::new(sdk),
            reports: Reports::new(sdk),
            gate: Gate::new(sdk),
        }
    }
}

impl Step for EvaluateCanary {
    const NAME: &'static str = "evaluate-canary";
    type Parameters = Parameters;
    type Found = ActiveRelease;

    fn works(parameters: &Parameters) -> Duration {
        parameters.works()
    }

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self::new(sdk)
    }

    async fn find_release(&self, job: &Job<Parameters>) -> Result<ActiveRelease, StepError> {
        job.parameters.validate()?;
        self.ledger.prove_lease(&job.release).await?.active()
    }

    async fn step(&self, job: &Job<Parameters>, found: ActiveRelease) -> StepResult {
        let ActiveRelease { lease, target, .. } = found;
        let target = PairTarget::required(&target)?;
        let pair = &target.prior;

        if let Some(summary) = pair.already_live(&job.parameters.task_definition) {
            let outputs = [("Verdict", "unchanged".to_owned())];
            return Ok(JobReport::done(summary, outputs));
        }

        let context = CanaryContext {
            job,
            lease,
            target,
            pair,
        };
        // The link of a custom action leads to the report by its key.
        let key = context.key();
        let report = Box::pin(self.look(context)).await?;
        Ok(report.with_external_id(Some(&key)))
    }

    /// A decision that comes too early or twice is refused to the operator; it is not a failure of
    /// the release.
    async fn record_failure(
        &self,
        ledger: &Ledger,
        job: &Job<Parameters>,
        result: StepResult,
    ) -> StepResult {
        match job.parameters.decision {
            Some(_) => result,
            None => ledger.record_failure(&job.release, result).await,
        }
    }
}

impl EvaluateCanary {
    /// Goes on with the judgement, or with what followed it.
    async fn look(&self, context: CanaryContext<'_>) -> StepResult {
        let (job, target) = (context.job, context.target);
        if target.traffic_return.is_some() {
            return self.restore(context, None).await;
        }

        // Once a judgement has ended, later invocations of its action return it unchanged.
        let ended = target
            .judgements
            .iter()
            .find(|judged| judged.since == job.since);
        if let Some(judged) = ended {
            return Ok(outcome::done(judged));
        }

        match job.parameters.decision {
            Some(decision) => self.record_decision(context, decision).await,
            None => self.evaluate(context).await,
        }
    }

    /// Observes the pair and the alarms first: harm that shows there needs no statistics.
    async fn evaluate(&self, context: CanaryContext<'_>) -> StepResult {
        context.sides()?;

        let (job, target, pair) = (context.job, context.target, context.pair);
        let seen = self
            .pairs
            .observe(&context.lease, pair, &[pair.live, pair.idle()])
            .await?;
        let pair_context = PairContext {
            target,
            view: &seen.view,
        };
        let plan = watch_plan(&job.parameters, pair_context.filled_tasks());

        let step = watch(&plan, &pair_context);
        let recorded = health_to_record(&plan, &pair_context);
        let context = self.record_health(context, recorded).await?;
        let health = match step {
            WatchStep::Healthy { health } => health,
            WatchStep::Confirm => return self.confirm_shift(&context, seen.view.weights).await,
            WatchStep::Unseen { summary } | WatchStep::Wait { summary } => {
                return self.retry_unless_alarm(context, summary).await;
            }
            WatchStep::Restore { reason } => return self.unhealthy(context, &seen, reason).await,
            // Lambda may deliver the first job of a judgement again, long after the traffic moved
            // on. The next job observes the current weights.
            WatchStep::NothingToCompare(failure)
                if job.is_first() && !target.judgements.is_empty() =>
            {
                let summary = format!("observing once more: {}", failure.message);
                return Ok(JobReport::in_progress(summary, 0));
            }
            WatchStep::NothingToCompare(failure) | WatchStep::Overridden(failure) => {
                return self.fail(&context, failure).await;
            }
        };

        if let Some(reason) = self.active_alarm(job).await? {
            return self.abort(context, &reason, None).await;
        }

        let health = PairHealth {
            weights: seen.view.weights,
            health,
            sticky: seen.route.sticky().is_some(),
        };
        self.judge(context, &health).await
    }

    /// Records what the next looks must know of the new colour's health.
    async fn record_health<'a>(
        &self,
        context: CanaryContext<'a>,
        seen: Option<SeenHealth>,
    ) -> Result<CanaryContext<'a>, StepError> {
        let Some(seen) = seen else {
            return Ok(context);
        };
        let lease = apply(&context.lease, Event::HealthSeen(seen), context.job.now)?;
        self.ledger.advance(&lease).await?;
        Ok(CanaryContext { lease, ..context })
    }

    /// Ends the judgement of a colour that must not keep its traffic. The reason can quote ECS.
    async fn unhealthy(
        &self,
        context: CanaryContext<'_>,
        seen: &ObservedPair,
        reason: String,
    ) -> StepResult {
        let reason = self.redacted(&context, seen, reason).await;
        self.abort(context, &reason, None).await
    }

    /// A reason that can quote ECS, without the secrets of the new revision.
    async fn redacted(
        &self,
        context: &CanaryContext<'_>,
        seen: &ObservedPair,
        reason: String,
    ) -> String {
        let texts = seen.view.of(context.pair.idle()).texts();
        let wanted = &context.job.parameters.task_definition;
        let definitions = &self.task_definitions;
        definitions.without_secrets(reason, texts, wanted).await
    }

    async fn confirm_shift(&self, context: &CanaryContext<'_>, weights: Weights) -> StepResult {
        let confirmed = apply(&context.lease, Event::ShiftConfirmed, context.job.now)?;
        self.ledger.advance(&confirmed).await?;
        Ok(context.in_progress(format!("weights are {weights}"), 0))
    }

    /// Ends the judgement as failed. What looks like an external change may be that of another
    /// invocation since the lease was read: then this write loses, and the next job observes again.
    async fn fail(&self, context: &CanaryContext<'_>, failure: Failure) -> StepResult {
        let failed = Event::FailureRecorded(failure.clone());
        let lease = apply(&context.lease, failed, context.job.now)?;
        self.ledger.advance(&lease).await?;
        Err(failure.into())
    }

    /// Stays in progress, unless an alarm ends the judgement at once.
    async fn retry_unless_alarm(&self, context: CanaryContext<'_>, summary: String) -> StepResult {
        if let Some(reason) = self.active_alarm(context.job).await? {
            return self.abort(context, &reason, None).await;
        }

        Ok(context.in_progress(summary, 0))
    }

    /// The reason of an alarm that ends the judgement, if one does.
    async fn active_alarm(&self, job: &Job<Parameters>) -> Result<Option<String>, StepError> {
        let names = job.parameters.alarms.as_deref().unwrap_or_default();
        let alarms = self.metrics.alarms(names).await?;
        Ok(active(&alarms)?)
    }
}

/// The plan of a watch: it moves no traffic, so it has no steps and no bake.
fn watch_plan(parameters: &Parameters, filled: u32) -> ShiftPlan {
    ShiftPlan {
        task_definition: parameters.task_definition.clone(),
        steps: Vec::new(),
        step_bake: Duration::ZERO,
        last_bake: Duration::ZERO,
        answers: Duration::ZERO,
        filled,
        minimum_healthy_percent: parameters.minimum_healthy_percent(),
        max_capacity: None,
    }
}

#[cfg(test)]
mod tests;
