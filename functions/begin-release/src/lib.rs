//! The step that opens a release: it refuses what cannot work, takes the lease on the service, and records the prior release
//! before anything is changed.

mod pair;
mod subject;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use slipway::aws::{
    Clusters, Jobs, Ledger, Pairs, ReleaseName, Retry, Rules, Sdk, Services, TaskDefinitions,
};
use slipway::job::{Failure, Job, Report, StepError, StepResult};
use slipway::limits::ROLLOUT_DEADLINE_MINUTES;
use slipway::observed::service::{Rollout, ServiceView, revision};
use slipway::release::{Lease, OpenRelease, Prior, Record, RecordState, State};
use slipway::routing::mover::Traffic;
use slipway::strategy::{Percent, Room, Strategy, StrategyName, check_counts};
use slipway::timestamp::{Timestamp, readable};

/// What the names of pipelines begin with (template.yaml).
const PIPELINE_PREFIX: &str = "slipway-";

/// User parameters of a begin-release action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Id of the execution: `#{codepipeline.PipelineExecutionId}`.
    pub execution: String,
    /// Name or ARN of the service's cluster.
    pub cluster: String,
    /// Name or ARN of the service; with strategy `blue-green` the name of the pair, whose services are `<name>-blue` and
    /// `<name>-green`.
    pub service: String,
    /// Containers that the release will give new images: they must be in the service's current task definition.
    #[serde(default)]
    pub containers: Vec<String>,
    /// The image's digest, for the record.
    pub digest: Option<String>,
    pub strategy: StrategyName,
    /// Strategy `blue-green`: ARN of the listener rule that names both target groups, or of the listener whose default action does.
    pub rule: Option<String>,
    pub minimum_healthy_percent: Option<Percent<0, 100>>,
    pub minimum_healthy_tasks: Option<u32>,
    pub maximum_percent: Option<Percent<100, 200>>,
    pub maximum_tasks: Option<u32>,
    /// The count that update-service will set, if it will.
    pub desired_count: Option<u32>,
    /// Tasks to start with when the service has none; 1 when not given.
    pub initial_count: Option<u32>,
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
        // The functions' roles reach only pipelines of this prefix; the sweep could never learn how another one ended.
        if !self.pipeline.starts_with(PIPELINE_PREFIX) {
            return Err(refused(format!(
                "`pipeline` is `{}`; legal: a name that begins with {PIPELINE_PREFIX}; rename the pipeline",
                self.pipeline
            )));
        }
        self.strategy().check().map_err(refused)?;
        self.check_rule()?;
        check_counts(self.desired_count, self.initial_count).map_err(refused)
    }

    fn check_rule(&self) -> Result<(), Failure> {
        let is_arn = |rule: &str| {
            rule.starts_with("arn:")
                && (rule.contains(":listener-rule/app/") || rule.contains(":listener/app/"))
        };
        match (self.strategy, self.rule.as_deref()) {
            (StrategyName::BlueGreen, Some(rule)) if is_arn(rule) => match self.desired_count {
                None => Ok(()),
                Some(_) => Err(refused("`desired_count` is given; legal with strategy `blue-green`: none, since the idle colour is filled to the live one's size; remove it, or give `initial_count` for a first release".to_owned())),
            },
            (StrategyName::BlueGreen, found) => Err(refused(format!(
                "`rule` is {}; legal with strategy `blue-green`: the ARN of a listener rule or listener of an Application Load Balancer, arn:…:listener-rule/app/…; correct it",
                found.map_or("missing".to_owned(), |found| format!("`{found}`"))
            ))),
            (_, Some(_)) => Err(refused("`rule` is given; legal with strategy `blue-green` only; remove it, or correct `strategy`".to_owned())),
            (_, None) => Ok(()),
        }
    }

    fn open_release(&self, now: Timestamp) -> OpenRelease {
        OpenRelease {
            execution: self.execution.clone(),
            pipeline: self.pipeline.clone(),
            digest: self.digest.clone().filter(|digest| !digest.is_empty()),
            state: State::Open,
            began_at: now,
            prior: None,
            registering: None,
            registered: None,
            change: None,
            shift: None,
            scale_in_suspended: None,
            sized: None,
            restoring: None,
            judged: Vec::new(),
            holding: None,
            failure: None,
            rolling_back_since: None,
        }
    }
}

/// The function: one CodePipeline job is one look.
#[derive(Debug)]
pub struct BeginRelease {
    jobs: Jobs,
    ledger: Ledger,
    services: Services,
    clusters: Clusters,
    task_definitions: TaskDefinitions,
    rules: Rules,
    pairs: Pairs,
    traffic: Traffic,
}

impl BeginRelease {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            jobs: Jobs::new(sdk, "begin-release"),
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            clusters: Clusters::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
            rules: Rules::new(sdk),
            pairs: Pairs::new(sdk),
            traffic: Traffic::new(sdk),
        }
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When Lambda should deliver the event again.
    pub async fn answer(&self, event: Value) -> Result<Value, Retry> {
        let step = async |job: Job<Spec>| {
            let result = self.step(&job).await;
            self.remembering(&job, result).await
        };
        self.jobs.settle(event, step).await
    }

    /// Writes why the release did not begin into its record, or into the lease if it holds it already, so that the record tells it
    /// when it is closed.
    async fn remembering(&self, job: &Job<Spec>, result: StepResult) -> StepResult {
        let Err(StepError::Failed(failure)) = &result else {
            return result;
        };
        let spec = &job.spec;
        let known = self.ledger.record(&spec.execution).await?;
        let record = known.unwrap_or_else(|| {
            Record::started(
                &spec.execution,
                &spec.pipeline,
                spec.digest.as_deref(),
                job.now,
            )
        });
        if record.state != RecordState::Started {
            return self.ledger.remembering(spec.name(), result).await;
        }
        self.ledger
            .put_record(&Record {
                reason: Some(failure.message.clone()),
                ..record
            })
            .await?;
        result
    }

    async fn step(&self, job: &Job<Spec>) -> StepResult {
        let spec = &job.spec;
        spec.check()?;
        let standing = self.ledger.lease(&spec.cluster, &spec.service).await?;
        let lease = match standing {
            Some(lease) if lease.held_by(&spec.execution).is_some() => lease,
            Some(Lease {
                release: Some(other),
                ..
            }) => return Ok(waiting(&other, job.now)),
            free => match self.take(job, free.as_ref()).await? {
                Taken::Lease(lease) => *lease,
                Taken::NotYet(report) => return Ok(report),
            },
        };
        self.record_prior(job, lease).await
    }

    /// Takes a free lease, if the release can work.
    async fn take(&self, job: &Job<Spec>, free: Option<&Lease>) -> Result<Taken, StepError> {
        let spec = &job.spec;
        let record = self.ledger.record(&spec.execution).await?;
        if let Some(closed) = record
            .as_ref()
            .filter(|record| record.state == RecordState::Closed)
        {
            return Err(closed.refusal().into());
        }
        let subject = self
            .look(spec, free.and_then(|lease| lease.settled))
            .await?;
        self.preflight(spec, subject.live()).await?;
        for view in subject.views() {
            if let Some(report) = unsettled(view, job)? {
                return Ok(Taken::NotYet(report));
            }
        }
        let release = spec.open_release(job.now);
        let lease = free.map_or_else(
            || Lease::first(&spec.cluster, &spec.service, release.clone()),
            |lease| lease.taken(release.clone()),
        );
        let record = record.unwrap_or_else(|| {
            Record::started(
                &spec.execution,
                &spec.pipeline,
                release.digest.as_deref(),
                job.now,
            )
        });
        self.ledger
            .advance_with(&lease, &record.begun(&spec.cluster, &spec.service))
            .await?;
        Ok(Taken::Lease(Box::new(lease)))
    }

    /// Records what there is under the lease, once.
    async fn record_prior(&self, job: &Job<Spec>, lease: Lease) -> StepResult {
        let spec = &job.spec;
        let recorded = lease
            .held_by(&spec.execution)
            .and_then(|release| release.prior.clone());
        let (lease, prior) = match recorded {
            Some(prior) => (lease, prior),
            None => {
                let subject = self.look(spec, lease.settled).await?;
                let prior = subject
                    .prior()
                    .ok_or_else(|| no_deployment(&spec.service))?;
                let lease = lease.with_prior(prior.clone());
                self.ledger.advance(&lease).await?;
                (lease, prior)
            }
        };
        match &prior.pair {
            Some(pair) => self.settle_pair(&lease, &prior, pair).await,
            None => Ok(begun_in_place(spec, prior)),
        }
    }

    /// Refuses what can never work with what is live.
    async fn preflight(&self, spec: &Spec, live: &ServiceView) -> Result<(), StepError> {
        let arn = Prior::of(live)
            .ok_or_else(|| no_deployment(&spec.service))?
            .task_definition;
        let found = self.task_definitions.describe(&arn).await?;
        let (_, definition) = found.ok_or_else(|| {
            Failure::configuration(format!("the service's task definition {arn} is not there"))
        })?;
        if let Some(missing) = spec
            .containers
            .iter()
            .find(|name| !definition.container_names().any(|known| known == *name))
        {
            let legal = definition.container_names().collect::<Vec<_>>().join(", ");
            return Err(Failure::configuration(format!(
                "`containers` names `{missing}`, which task definition {} does not have; legal: {legal}; correct the name",
                revision(&arn)
            ))
            .into());
        }
        let instances = match definition.static_host_port() {
            Some(_) => self.clusters.instances(&spec.cluster).await?,
            None => None,
        };
        let room = Room {
            desired: size(spec, live.desired),
            static_port_instances: instances,
        };
        spec.strategy().plan(room).map_err(refused)?;
        Ok(())
    }
}

/// What became of the wish for a lease.
enum Taken {
    Lease(Box<Lease>),
    NotYet(Report),
}

fn begun_in_place(spec: &Spec, prior: Prior) -> Report {
    let desired = size(spec, prior.desired_count);
    let bounds = spec.strategy().percentages(desired);
    let summary = format!(
        "{} runs {} with {} tasks; the rollout keeps at least {} healthy and at most {} running",
        spec.service,
        revision(&prior.task_definition),
        prior.desired_count,
        bounds.floor(desired),
        bounds.ceiling(desired)
    );
    Report::done(summary, [("PriorTaskDefinitionArn", prior.task_definition)])
}

/// The count that the service will have.
fn size(spec: &Spec, live: u32) -> u32 {
    match (spec.desired_count, live) {
        (Some(desired), _) => desired,
        (None, 0) => spec.initial_count.unwrap_or(1),
        (None, live) => live,
    }
}

fn refused(why: String) -> Failure {
    Failure::configuration(why)
}

fn no_deployment(service: &str) -> Failure {
    Failure::configuration(format!(
        "service `{service}` has no deployment; legal: a service that ECS deploys; create it again"
    ))
}

/// A deployment that somebody else has under way is let end first, as long as there is a completed one to protect.
fn unsettled(view: &ServiceView, job: &Job<Spec>) -> Result<Option<Report>, Failure> {
    let completed = view
        .deployments
        .iter()
        .any(|deployment| deployment.rollout == Rollout::Completed);
    let Some(primary) = view
        .primary()
        .filter(|primary| primary.rollout == Rollout::InProgress && completed)
    else {
        return Ok(None);
    };
    let (waited, what) = (
        job.now.since(job.since),
        format!("{} ({})", revision(&primary.task_definition), primary.id),
    );
    if waited.as_secs() >= u64::from(ROLLOUT_DEADLINE_MINUTES) * 60 {
        return Err(refused(format!(
            "the service has been deploying {what} by other hands for more than {}; let it end or stop it, then release again",
            readable(waited)
        )));
    }
    let summary = format!(
        "waits for the deployment of {what}, which somebody else has under way: {}",
        view.progress(&primary.task_definition)
    );
    Ok(Some(Report::going(summary, 0)))
}

fn waiting(other: &OpenRelease, now: Timestamp) -> Report {
    let doing = if other.state == State::RollingBack {
        "is being rolled back"
    } else {
        "is open"
    };
    let age = readable(now.since(other.began_at));
    Report::going(
        format!(
            "waits for release {} of {}, which {doing} on this service since {age} ago",
            other.execution, other.pipeline
        ),
        0,
    )
}

#[cfg(test)]
mod tests;
