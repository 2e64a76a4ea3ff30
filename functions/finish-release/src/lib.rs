//! The step that closes a release: it checks the truth once more, records the outcome with its reason, and gives the lease
//! back.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use slipway::aws::{Held, Hold, Jobs, Ledger, Pairs, ReleaseName, Retry, Sdk, Services};
use slipway::job::{Failure, Job, Report, StepError, StepResult};
use slipway::limits::FINISH_DEADLINE;
use slipway::observed::service::{ServiceView, check_revision_arn, revision};
use slipway::release::{Lease, OpenRelease, Outcome, Prior};
use slipway::strategy::blue_green::PriorPair;
use slipway::timestamp::{Timestamp, readable};

/// User parameters of a finish-release action.
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
    /// ARN of the revision that must be running.
    pub task_definition: String,
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
}

/// The function: one CodePipeline job is one look.
#[derive(Debug)]
pub struct FinishRelease {
    jobs: Jobs,
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
}

/// What a look found: the service that should serve, and what keeps that from being the truth.
struct Seen {
    view: ServiceView,
    missing: String,
}

impl FinishRelease {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            jobs: Jobs::new(sdk, "finish-release"),
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
        check_revision_arn(&spec.task_definition).map_err(Failure::configuration)?;
        let Held {
            lease,
            release,
            prior,
        } = match self.ledger.hold(spec.name()).await? {
            Hold::Held(held) => *held,
            Hold::Closed(record) => match (record.outcome, &record.reason) {
                (Some(outcome @ (Outcome::Deployed | Outcome::Unchanged)), Some(reason)) => {
                    return Ok(done(outcome, reason));
                }
                _ => return Err(record.refusal().into()),
            },
        };
        let Seen { view, missing } = match &prior.pair {
            Some(pair) => self.look_at_pair(spec, &lease, &release, pair).await?,
            None => self.look(spec).await?,
        };
        let elapsed = job.now.since(job.since);
        if !missing.is_empty() && elapsed >= FINISH_DEADLINE {
            return Err(Failure::job(format!(
                "the service does not run {} steadily: {missing}",
                revision(&spec.task_definition)
            ))
            .into());
        }
        if !missing.is_empty() {
            return Ok(Report::going(
                format!(
                    "not steady: {missing}; {} of {}",
                    readable(elapsed),
                    readable(FINISH_DEADLINE)
                ),
                50,
            ));
        }
        if let Some(left) = lease.settling(job.now) {
            let summary = format!(
                "steady; lets invocations that may still run end: {} left",
                readable(left)
            );
            return Ok(Report::going(summary, 90));
        }
        let (outcome, reason) = truth(spec, &release, &prior, &view, job.now);
        self.ledger.close(&lease, outcome, &reason, job.now).await?;
        Ok(done(outcome, &reason))
    }

    async fn look(&self, spec: &Spec) -> Result<Seen, StepError> {
        let seen = self.services.observe(&spec.cluster, &spec.service).await?;
        let view = seen
            .ok_or_else(|| {
                Failure::job(format!(
                    "service `{}` is gone from cluster `{}`",
                    spec.service, spec.cluster
                ))
            })?
            .view;
        let missing = view.missing(&spec.task_definition, 1).join("; ");
        Ok(Seen { view, missing })
    }

    /// The colour that runs what was asked must be steady and have all of the traffic, and scale-in must be given back.
    async fn look_at_pair(
        &self,
        spec: &Spec,
        lease: &Lease,
        release: &OpenRelease,
        pair: &PriorPair,
    ) -> Result<Seen, StepError> {
        let unchanged = spec.task_definition == pair.of(pair.live).task_definition;
        let live = if unchanged { pair.live } else { pair.idle() };
        if release.scale_in_suspended == Some(true) {
            return Err(Failure::configuration(
                "scale-in is still suspended on both colours; run update-service with mode `retire` before this action",
            )
            .into());
        }
        let seen = self.pairs.observe(lease, pair, &[live]).await?.view;
        let mut missing = seen.of(live).missing(&spec.task_definition, 1);
        if seen.weights.live() != Some(live) {
            missing.push(format!(
                "the weights are {} and {live} must have all of the traffic",
                seen.weights
            ));
        }
        Ok(Seen {
            view: seen.of(live).clone(),
            missing: missing.join("; "),
        })
    }
}

fn truth(
    spec: &Spec,
    release: &OpenRelease,
    prior: &Prior,
    view: &ServiceView,
    now: Timestamp,
) -> (Outcome, String) {
    let runs = format!(
        "{} on {} of {} tasks",
        revision(&spec.task_definition),
        view.running,
        view.desired
    );
    let healthy = view
        .target_groups
        .iter()
        .map(|group| format!(", {} targets healthy in {}", group.healthy, group.name()))
        .collect::<String>();
    if spec.task_definition == prior.task_definition && release.change.is_none() {
        return (
            Outcome::Unchanged,
            format!("nothing to do: the service already runs {runs}{healthy}"),
        );
    }
    let took = readable(now.since(release.began_at));
    (
        Outcome::Deployed,
        format!(
            "the service runs {runs}{healthy}; it ran {} before; took {took}",
            revision(&prior.task_definition)
        ),
    )
}

fn done(outcome: Outcome, reason: &str) -> Report {
    Report::done(
        format!("{outcome}: {reason}"),
        [("Outcome", outcome.to_string())],
    )
}

#[cfg(test)]
mod tests;
