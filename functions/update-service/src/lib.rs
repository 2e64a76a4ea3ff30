//! The step that changes a service. In place it announces the change, makes it once, and observes
//! until the service runs the task definition; of a blue/green pair it fills, sizes or retires a
//! colour ([`pair`], [`retire`]).
//!
//! It never repeats a change whose effect it can observe, and never overwrites an external
//! deployment.

mod failed;
mod pair;
mod parameters;
mod retire;

use std::time::Duration;

use serde_json::{Value, json};
use slipway::aws::{
    AwsError, Balancers, Ledger, Metrics, ObservedService, Pairs, PriorRevisions, Rules, Sdk,
    Services, TaskDefinitions,
};
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::observed::percentages::Percentages;
use slipway::observed::service::{ServiceView, revision};
use slipway::release::{
    ActiveRelease, Before, Change, Event, Lease, PriorState, Release, ServiceTarget, Target, apply,
};
use slipway::step::{Gate, Step};
use slipway::strategy::StrategyName;
use slipway::strategy::in_place::deploy::{
    DeployContext, DeployGoal, DeployStep, NewPercentages, next_step,
};
use slipway::strategy::service_goal::ServiceGoal;

use failed::Failed;
pub use parameters::{Mode, Parameters};

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct UpdateService {
    ledger: Ledger,
    services: Services,
    task_definitions: TaskDefinitions,
    priors: PriorRevisions,
    pairs: Pairs,
    rules: Rules,
    balancers: Balancers,
    metrics: Metrics,
    gate: Gate,
}

/// What one invocation works with.
struct UpdateContext<'a> {
    job: &'a Job<Parameters>,
    lease: &'a Lease,
    release: &'a Release,
    /// The change that this release announced.
    announced: Option<&'a Change>,
}

impl UpdateService {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
            priors: PriorRevisions::new(sdk),
            pairs: Pairs::new(sdk),
            rules: Rules::new(sdk),
            balancers: Balancers::new(sdk),
            metrics: Metrics::new(sdk),
            gate: Gate::new(sdk),
        }
    }
}

impl Step for UpdateService {
    const NAME: &'static str = "update-service";
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
        let ActiveRelease {
            lease,
            release,
            target,
        } = found;

        let context = UpdateContext {
            job,
            lease: &lease,
            release: &release,
            announced: target.change(),
        };

        match (&target, job.parameters.mode) {
            (Target::Pair(pair), Some(mode)) => self.pair(&context, pair, mode).await,
            (Target::Service(service), None) => self.in_place(&context, service).await,
            (Target::Pair(_), None) => {
                let strategy = job.parameters.strategy;
                Err(other_strategy(strategy, "blue/green pair", "`blue-green`").into())
            }
            (Target::Service(_), Some(_)) => {
                let strategy = job.parameters.strategy;
                Err(other_strategy(strategy, "single service", "that of begin-release").into())
            }
        }
    }
}

impl UpdateService {
    async fn in_place(&self, context: &UpdateContext<'_>, target: &ServiceTarget) -> StepResult {
        let job = context.job;
        let seen = self.services.observe_of(&job.release).await?;
        let prior = &target.prior;
        if context.announced.is_none() {
            let new = &job.parameters.task_definition;
            self.priors
                .prove_again(&prior.task_definition, prior.recorded_at, &seen.view, new)
                .await?;
        }
        let goal = job
            .parameters
            .goal(seen.view.desired, context.announced, prior)?;
        self.deploy(context, prior.found(), goal, &seen).await
    }

    /// Whether the change may be made now.
    async fn pass_gate(&self, context: &UpdateContext<'_>) -> Result<(), StepError> {
        let UpdateContext { job, release, .. } = context;
        // Boxed: the SDK's futures are deep.
        Box::pin(self.gate.pass(job, release, job.parameters.deadline())).await
    }

    /// Brings one service a step nearer to the goal.
    async fn deploy(
        &self,
        context: &UpdateContext<'_>,
        before: Before<'_>,
        goal: DeployGoal,
        seen: &ObservedService,
    ) -> StepResult {
        let UpdateContext {
            job,
            lease,
            announced,
            ..
        } = context;
        let deployment = announced.and_then(|change| change.deployment.as_deref());
        let deploy_context = DeployContext {
            announced: *announced,
            before,
            view: &seen.view,
            was_seen: was_seen(job, deployment, &seen.view),
            elapsed: job.worked(),
            since_change: lease.changed_at.map(|at| job.now.since(at)),
        };

        match next_step(&goal, &deploy_context) {
            DeployStep::Apply => self.apply(context, goal.change, seen).await,
            DeployStep::Record { deployment } => self.record(context, &deployment, seen).await,
            DeployStep::Wait { summary, percent } => {
                Ok(in_progress(job, summary, percent).with_external_id(deployment))
            }
            DeployStep::SetPercentages(new) => self.set_percentages(context, new, seen).await,
            DeployStep::Done { summary } => Ok(done(job, summary).with_external_id(deployment)),
            DeployStep::Fail { failure, cause } => {
                let failed = Failed {
                    goal: &goal,
                    decided_from: &deploy_context,
                    failure,
                    cause,
                };
                Err(self.failed(context, seen, failed).await)
            }
        }
    }

    /// Records the deployment that the change became.
    async fn record(
        &self,
        context: &UpdateContext<'_>,
        deployment: &str,
        seen: &ObservedService,
    ) -> StepResult {
        let UpdateContext { job, lease, .. } = context;
        self.ledger
            .advance(&apply(lease, deployed(deployment), job.now)?)
            .await?;

        let task_definition = &job.parameters.task_definition;
        let progress = seen.view.progress(task_definition);
        let summary = format!("{}: {progress}", revision(task_definition));
        Ok(JobReport::in_progress(summary, 0).with_external_id(Some(deployment)))
    }

    /// Announces the change in the ledger, makes it, and records the deployment that it became.
    async fn apply(
        &self,
        context: &UpdateContext<'_>,
        change: Change,
        seen: &ObservedService,
    ) -> StepResult {
        self.pass_gate(context).await?;
        let UpdateContext { job, lease, .. } = context;
        // It may have been turned on since the release began.
        seen.view
            .check_percentages(seen.name(), change.percentages)
            .map_err(Failure::configuration)?;

        let new = &change.task_definition;
        let awaited = context.release.awaits_revision(new, job.worked());
        let announcement = Event::ChangeAnnounced {
            change: change.clone(),
            had: Some(PriorState::from_view(&seen.view)),
        };
        let announced = apply(lease, announcement, job.now)?;
        self.ledger.advance(&announced).await?;

        let deployment = self
            .services
            .apply(
                seen,
                &ServiceGoal {
                    task_definition: Some(&change.task_definition),
                    percentages: change.percentages,
                    early_success: None,
                    desired: change.desired_count,
                },
            )
            .await
            .map_err(|error| refused(error, &change.task_definition, awaited))?;
        self.ledger
            .advance(&apply(&announced, deployed(&deployment), job.now)?)
            .await?;

        let size = change.desired_count.unwrap_or(seen.view.desired);
        let summary = format!(
            "deploying {} to {size} tasks; {}",
            revision(&change.task_definition),
            change.percentages.summary(size)
        );
        Ok(JobReport::in_progress(summary, 0).with_external_id(Some(&deployment)))
    }

    /// Announces the change once more, with other percentages, and sets them.
    async fn set_percentages(
        &self,
        context: &UpdateContext<'_>,
        new: NewPercentages,
        seen: &ObservedService,
    ) -> StepResult {
        let UpdateContext { job, lease, .. } = context;
        let percent = seen.view.percent(&new.announced.task_definition);
        let deployment = new.announced.deployment.clone();

        let announcement = Event::ChangeAnnounced {
            change: new.announced,
            had: None,
        };
        let announced = apply(lease, announcement, job.now)?;
        self.ledger.advance(&announced).await?;
        let set = self
            .services
            .set_percentages(seen, new.bounds.percentages, new.bounds.early_success)
            .await;

        let report = match set.map_err(StepError::from) {
            Ok(()) => in_progress(job, new.summary, percent),
            // The rollout has ended, and its safety does not depend on this: a refusal must not
            // fail the release. Until AWS has refused it for a long time, the next job looks again.
            Err(StepError::Refused(failure)) if !new.required && job.refused_for_long => {
                let summary = format!("{} is steady", revision(&job.parameters.task_definition));
                let (cluster, service) = seen.name();
                let Percentages {
                    minimum_healthy,
                    maximum,
                } = new.bounds.percentages;
                let warning = format!(
                    "warning: restoring its own percentages failed: {failure}; restore them: aws \
                     ecs update-service --cluster {cluster} --service {service} \
                     --deployment-configuration \
                     minimumHealthyPercent={minimum_healthy},maximumPercent={maximum}"
                );
                done(job, summary).with_warning(Some(warning))
            }
            Err(error) => return Err(error),
        };
        Ok(report.with_external_id(deployment.as_deref()))
    }
}

fn done(job: &Job<Parameters>, summary: String) -> JobReport {
    let task_definition = job.parameters.task_definition.clone();
    JobReport::done(summary, [("TaskDefinitionArn", task_definition)])
}

/// In progress: the next job receives what is remarked on.
fn in_progress(job: &Job<Parameters>, summary: String, percent: u8) -> JobReport {
    JobReport::in_progress_with(summary, percent, job.next_payload())
}

/// Whether an earlier job of the action saw this deployment as PRIMARY. That this one does is kept
/// for the next.
fn was_seen(job: &Job<Parameters>, deployment: Option<&str>, view: &ServiceView) -> bool {
    let Some(deployment) = deployment else {
        return false;
    };
    if view.primary().is_some_and(|it| it.id == deployment) {
        job.keep(json!(deployment));
    }
    job.payload.as_ref().and_then(Value::as_str) == Some(deployment)
}

fn deployed(deployment: &str) -> Event {
    Event::DeploymentRecorded {
        deployment: deployment.to_owned(),
    }
}

fn other_strategy(strategy: StrategyName, found: &str, expected: &str) -> Failure {
    Failure::configuration(format!(
        "`strategy` is `{}`, but begin-release took the lease on a {found}; expected {expected}: \
         set the same strategy in both actions",
        strategy.rules().word
    ))
}

/// ECS's error does not name the task definition that it refuses. It may not find yet what was just
/// registered.
fn refused(error: AwsError, task_definition: &str, awaited: Option<String>) -> StepError {
    if let Some(awaited) = awaited.filter(|_| error.misses_task_definition()) {
        return StepError::Busy(awaited);
    }
    if error.refuses_task_definition() {
        return Failure::configuration(format!(
            "`task_definition` is {task_definition}: {error}; expected an active revision, such as \
             register-task-definition's TaskDefinitionArn"
        ))
        .into();
    }

    error.into()
}

#[cfg(test)]
mod tests;
