//! The step that moves production traffic between the two target groups of a pair, one change of weights a job, and gives it back
//! in the same job when the new colour's health goes.

mod spec;

use serde_json::Value;
use slipway::aws::{Held, Jobs, Ledger, ObservedPair, Pairs, Retry, Sdk};
use slipway::job::{Failure, Job, Report, StepResult};
use slipway::observed::service::revision;
use slipway::release::{Lease, OpenRelease};
use slipway::routing::mover::{Traffic, WayBack};
use slipway::strategy::blue_green::PriorPair;
use slipway::strategy::blue_green::rollback::filled;
use slipway::strategy::blue_green::shift::{Asked, Step, next_step};

pub use spec::{ShiftName, Spec};

/// The function: one CodePipeline job is one look.
#[derive(Debug)]
pub struct SwapTargetGroups {
    jobs: Jobs,
    ledger: Ledger,
    pairs: Pairs,
    traffic: Traffic,
}

/// What a look works with.
struct Look<'a> {
    job: &'a Job<Spec>,
    release: &'a OpenRelease,
    pair: &'a PriorPair,
    seen: ObservedPair,
}

impl SwapTargetGroups {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            jobs: Jobs::new(sdk, "swap-target-groups"),
            ledger: Ledger::new(sdk),
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
        let Some(pair) = &prior.pair else {
            return Err(Failure::configuration(
                "begin-release took the lease on a single service, whose traffic cannot be moved; legal: strategy `blue-green` in begin-release and update-service",
            )
            .into());
        };
        if spec.task_definition == pair.of(pair.live).task_definition {
            let live = pair.live;
            let summary = format!(
                "nothing to do: {live} is live and runs {}",
                revision(&spec.task_definition)
            );
            return Ok(Report::done(summary, [("LiveColour", live.to_string())]));
        }
        if release.restoring.is_some() {
            return self.restore(job, lease, pair).await;
        }
        let seen = self.pairs.observe(&lease, pair, &[pair.idle()]).await?;
        self.shift(
            &Look {
                job,
                release: &release,
                pair,
                seen,
            },
            lease,
        )
        .await
    }

    async fn shift(&self, look: &Look<'_>, lease: Lease) -> StepResult {
        let Look {
            job,
            release,
            pair,
            seen,
        } = look;
        let asked = Asked {
            task_definition: job.spec.task_definition.clone(),
            steps: job.spec.percentages(),
            step_bake: job.spec.step_bake(),
            last_bake: job.spec.last_bake(),
            filled: filled(release, pair),
            minimum_healthy_percent: job.spec.minimum_healthy_percent(),
        };
        let (elapsed, settling) = (job.now.since(job.since), lease.settling(job.now));
        match next_step(&asked, release, pair, &seen.view, elapsed, settling) {
            Step::Shift { to, percent } => {
                self.traffic.route(&lease, pair, seen, to).await?;
                let new = pair.idle();
                Ok(Report::going(
                    format!("{}% to {new}, baking begins", to.percent(new)),
                    percent,
                ))
            }
            Step::Confirm => {
                self.ledger.advance(&lease.with_shift_made(job.now)).await?;
                Ok(Report::going(
                    format!("weights are {}", seen.view.weights),
                    0,
                ))
            }
            Step::Wait { summary, percent } => Ok(Report::going(summary, percent)),
            Step::Done { summary } => Ok(Report::done(
                summary,
                [("LiveColour", pair.idle().to_string())],
            )),
            Step::Restore { reason } => {
                let lease = lease.with_restoring(&reason, job.now);
                self.ledger.advance(&lease).await?;
                self.restore(job, lease, pair).await
            }
            Step::Fail(failure) => {
                // What looks like somebody else's change may be that of another invocation since the lease was read.
                self.ledger
                    .advance(&lease.with_failure(failure.clone()))
                    .await?;
                Err(failure.into())
            }
        }
    }

    /// Gives the recorded weights back, once the old colour can take all of the traffic, and fails the job with the reason.
    async fn restore(&self, job: &Job<Spec>, lease: Lease, pair: &PriorPair) -> StepResult {
        match self.traffic.give_back(lease, pair, job.now).await? {
            WayBack::Going(summary) => Ok(Report::going(summary, 50)),
            WayBack::Back(reason, _) => Err(Failure::job(reason).into()),
        }
    }
}
