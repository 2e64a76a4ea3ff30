//! The step that changes a service: in place it announces the change, makes it once, and looks until the service truly runs the
//! task definition. Of a blue/green pair it fills, sizes or retires a colour ([`pair`]).

mod pair;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use slipway::aws::{
    AwsError, ErrorKind, Held, Jobs, Ledger, Observed, Pairs, ReleaseName, Retry, Sdk, Services,
};
use slipway::job::{Failure, Job, Report, StepError, StepResult};
use slipway::limits::{BAKE_MAX_MINUTES, ROLLOUT_DEADLINE_MAX_MINUTES, ROLLOUT_DEADLINE_MINUTES};
use slipway::observed::service::{check_revision_arn, revision};
use slipway::release::{Change, Lease, OpenRelease, Prior};
use slipway::strategy::in_place::deploy::{Asked, Step, next_step};
use slipway::strategy::{Percent, Room, Strategy, StrategyName, check_counts};

/// User parameters of an update-service action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Id of the execution: `#{codepipeline.PipelineExecutionId}`.
    pub execution: String,
    /// Name or ARN of the service's cluster.
    pub cluster: String,
    /// Name or ARN of the service.
    pub service: String,
    /// ARN of the revision to deploy.
    pub task_definition: String,
    pub strategy: StrategyName,
    /// What to do with a blue/green pair; needed with strategy `blue-green` and only then.
    pub mode: Option<Mode>,
    pub minimum_healthy_percent: Option<Percent<0, 100>>,
    pub minimum_healthy_tasks: Option<u32>,
    pub maximum_percent: Option<Percent<100, 200>>,
    pub maximum_tasks: Option<u32>,
    /// Sets the service's count; when not given the count is left alone.
    pub desired_count: Option<u32>,
    /// Tasks to start with when the service has none; 1 when not given.
    pub initial_count: Option<u32>,
    /// How long the rollout may take, in minutes; 30 when not given.
    pub deadline_minutes: Option<u32>,
    /// Mode `retire`: how long the old colour stays after the traffic left it, in minutes; 5 when not given, and longer while
    /// the rule binds clients to it.
    pub drain_minutes: Option<u32>,
}

/// What to do with a blue/green pair.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Deploys the task definition to the idle colour, at the live one's size.
    Fill,
    /// Makes the colour that was live large enough to take all of the traffic.
    Size,
    /// Scales the colour that was live to no tasks.
    Retire,
}

impl Spec {
    fn name(&self) -> ReleaseName<'_> {
        ReleaseName {
            pipeline: &self.pipeline,
            execution: &self.execution,
            cluster: &self.cluster,
            service: &self.service,
        }
    }

    fn strategy(&self) -> Strategy {
        Strategy {
            name: self.strategy,
            minimum_healthy_percent: self.minimum_healthy_percent,
            minimum_healthy_tasks: self.minimum_healthy_tasks,
            maximum_percent: self.maximum_percent,
            maximum_tasks: self.maximum_tasks,
        }
    }

    fn check(&self) -> Result<(), Failure> {
        check_revision_arn(&self.task_definition).map_err(Failure::configuration)?;
        self.strategy().check().map_err(Failure::configuration)?;
        check_counts(self.desired_count, self.initial_count).map_err(Failure::configuration)?;
        self.check_mode()?;
        match self.deadline_minutes {
            Some(minutes) if !(1..=ROLLOUT_DEADLINE_MAX_MINUTES).contains(&minutes) => {
                Err(Failure::configuration(format!(
                    "`deadline_minutes` is {minutes}; legal: 1 to {ROLLOUT_DEADLINE_MAX_MINUTES}; correct it"
                )))
            }
            _ => self.check_count(),
        }
    }

    fn check_mode(&self) -> Result<(), Failure> {
        let refuse = |why: String| Err(Failure::configuration(why));
        match (self.strategy, self.mode, self.drain_minutes) {
            (StrategyName::BlueGreen, None, _) => refuse("`mode` is missing; legal with strategy `blue-green`: `fill`, `size`, `retire`; add it".to_owned()),
            (StrategyName::BlueGreen, Some(_), _) if self.desired_count.is_some() => refuse("`desired_count` is given; legal with strategy `blue-green`: none, since the idle colour is filled to the live one's size; remove it, or give `initial_count` for a first release".to_owned()),
            (StrategyName::BlueGreen, Some(mode), Some(_)) if mode != Mode::Retire => refuse("`drain_minutes` is given; legal with mode `retire` only; remove it".to_owned()),
            (StrategyName::BlueGreen, Some(_), Some(minutes)) if minutes > BAKE_MAX_MINUTES => refuse(format!("`drain_minutes` is {minutes}; legal: 0 to {BAKE_MAX_MINUTES}; correct it")),
            (StrategyName::BlueGreen, ..) => Ok(()),
            (_, Some(_), _) => refuse("`mode` is given; legal with strategy `blue-green` only; remove it, or correct `strategy`".to_owned()),
            (_, None, Some(_)) => refuse("`drain_minutes` is given; legal with strategy `blue-green` and mode `retire` only; remove it".to_owned()),
            (_, None, None) => Ok(()),
        }
    }

    /// Refuses a count that the strategy can never roll, in case begin-release was not told of it.
    fn check_count(&self) -> Result<(), Failure> {
        let Some(desired) = self.desired_count else {
            return Ok(());
        };
        let planned = self.strategy().plan(Room {
            desired,
            static_port_instances: None,
        });
        planned
            .map(drop)
            .map_err(|why| Failure::configuration(format!("`desired_count` is {desired}: {why}")))
    }

    /// What is asked of a service that was `prior` and has `live` tasks. What was announced once stays as it was announced.
    fn asked(
        &self,
        prior: &Prior,
        live: u32,
        announced: Option<&Change>,
    ) -> Result<Asked, Failure> {
        let initial = (prior.desired_count == 0).then(|| self.initial_count.unwrap_or(1));
        let desired_count = self.desired_count.or(initial);
        let room = Room {
            desired: desired_count.unwrap_or(live),
            static_port_instances: None,
        };
        let percentages = match announced {
            Some(change) => change.percentages,
            None => self.strategy().plan(room).map_err(Failure::configuration)?,
        };
        Ok(Asked {
            change: Change {
                task_definition: self.task_definition.clone(),
                percentages,
                desired_count,
                deployment: None,
            },
            size: desired_count.unwrap_or(1),
            deadline: self.deadline(),
        })
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(
            u64::from(self.deadline_minutes.unwrap_or(ROLLOUT_DEADLINE_MINUTES)) * 60,
        )
    }
}

/// The function: one CodePipeline job is one look.
#[derive(Debug)]
pub struct UpdateService {
    jobs: Jobs,
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
}

impl UpdateService {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            jobs: Jobs::new(sdk, "update-service"),
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            pairs: Pairs::new(sdk),
        }
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When Lambda should deliver the event again.
    pub async fn answer(&self, event: Value) -> Result<Value, Retry> {
        let step = async |job: Job<Spec>| {
            let result = self.step(&job).await;
            self.ledger.remembering(job.spec.name(), result).await
        };
        self.jobs.settle(event, step).await
    }

    async fn step(&self, job: &Job<Spec>) -> StepResult {
        let spec = &job.spec;
        spec.check()?;
        let Held {
            lease,
            release,
            prior,
        } = self.ledger.hold(spec.name()).await?.open()?;
        match (&prior.pair, spec.mode) {
            (Some(pair), Some(mode)) => self.pair(job, &lease, &release, pair, mode).await,
            (None, None) => self.in_place(job, &lease, &release, &prior).await,
            (Some(_), None) => Err(other_strategy("blue/green pair", "`blue-green`").into()),
            (None, Some(_)) => {
                Err(other_strategy("single service", "that of begin-release").into())
            }
        }
    }

    async fn in_place(
        &self,
        job: &Job<Spec>,
        lease: &Lease,
        release: &OpenRelease,
        prior: &Prior,
    ) -> StepResult {
        let spec = &job.spec;
        let seen = self.services.observe(&spec.cluster, &spec.service).await?;
        let seen = seen.ok_or_else(|| {
            Failure::job(format!(
                "service `{}` is gone from cluster `{}`",
                spec.service, spec.cluster
            ))
        })?;
        let asked = spec.asked(prior, seen.view.desired, release.change.as_ref())?;
        self.deploy(job, lease, release, &prior.task_definition, asked, &seen)
            .await
    }

    /// Brings one service to what is asked, one step nearer.
    async fn deploy(
        &self,
        job: &Job<Spec>,
        lease: &Lease,
        release: &OpenRelease,
        before: &str,
        asked: Asked,
        seen: &Observed,
    ) -> StepResult {
        let spec = &job.spec;
        let deployment = release
            .change
            .as_ref()
            .and_then(|change| change.deployment.as_deref());
        let (elapsed, changed) = (
            job.now.since(job.since),
            lease.changed_at.map(|at| job.now.since(at)),
        );
        match next_step(&asked, release, before, &seen.view, elapsed, changed) {
            Step::Apply => self.apply(job, lease, asked.change, seen).await,
            Step::Adopt { deployment } => {
                self.ledger
                    .advance(&lease.with_deployment(&deployment))
                    .await?;
                Ok(Report::going(
                    format!(
                        "{}: {}",
                        revision(&spec.task_definition),
                        seen.view.progress(&spec.task_definition)
                    ),
                    0,
                )
                .with_external_id(Some(&deployment)))
            }
            Step::Wait { summary, percent } => {
                Ok(Report::going(summary, percent).with_external_id(deployment))
            }
            Step::Done { summary } => Ok(Report::done(
                summary,
                [("TaskDefinitionArn", spec.task_definition.clone())],
            )
            .with_external_id(deployment)),
            Step::Fail { failure, rollout } => {
                Err(self.explained(spec, seen, failure, rollout).await)
            }
        }
    }

    /// Announces the change in the ledger, makes it, and writes down which deployment it became.
    async fn apply(
        &self,
        job: &Job<Spec>,
        lease: &Lease,
        change: Change,
        seen: &Observed,
    ) -> StepResult {
        let announced = lease.with_change(change.clone(), job.now);
        self.ledger.advance(&announced).await?;
        let deployment = self
            .services
            .apply(
                seen,
                &change.task_definition,
                change.percentages,
                change.desired_count,
            )
            .await
            .map_err(|error| refused(error, &change.task_definition))?;
        self.ledger
            .advance(&announced.with_deployment(&deployment))
            .await?;
        let size = change.desired_count.unwrap_or(seen.view.desired);
        let (floor, ceiling) = (
            change.percentages.floor(size),
            change.percentages.ceiling(size),
        );
        let summary = format!(
            "deploys {} to {size} tasks; at least {floor} healthy, at most {ceiling} running",
            revision(&change.task_definition)
        );
        Ok(Report::going(summary, 0).with_external_id(Some(&deployment)))
    }

    /// The failure, with the reasons for which the new tasks stopped. That they cannot be read takes nothing from the failure.
    async fn explained(
        &self,
        spec: &Spec,
        seen: &Observed,
        failure: Failure,
        rollout: bool,
    ) -> StepError {
        let (cluster, service) = seen.name();
        let reasons = match rollout {
            true => {
                self.services
                    .stop_reasons(cluster, service, &spec.task_definition)
                    .await
            }
            false => Ok(Vec::new()),
        };
        let told = match reasons {
            Ok(reasons) if reasons.is_empty() => String::new(),
            Ok(reasons) => format!("; tasks stopped because: {}", reasons.join(" | ")),
            Err(error) => format!("; why tasks stopped could not be read: {error}"),
        };
        Failure {
            message: format!("{}{told}", failure.message),
            ..failure
        }
        .into()
    }
}

fn other_strategy(held: &str, legal: &str) -> Failure {
    Failure::configuration(format!(
        "`strategy` does not fit: begin-release took the lease on a {held}; legal: {legal}; give both actions the same strategy"
    ))
}

/// ECS's own words do not say which task definition it does not know.
fn refused(error: AwsError, task_definition: &str) -> StepError {
    if error.kind == ErrorKind::Rejected && error.message.contains("TaskDefinition") {
        return Failure::configuration(format!(
            "`task_definition` is {task_definition}: {error}; legal: an active revision, such as register-task-definition's TaskDefinitionArn; correct it"
        ))
        .into();
    }
    error.into()
}

#[cfg(test)]
mod tests;
