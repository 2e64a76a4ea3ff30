//! The step that moves production traffic between the two target groups of a pair, one change of weights a job, and gives it back
//! in the same job when the new colour's health goes.

mod spec;

use serde_json::Value;
use slipway::aws::{Held, Jobs, Ledger, ObservedPair, Pairs, Retry, Sdk, Services};
use slipway::blue_green::restore::{Way, filled, way_back};
use slipway::blue_green::shift::{Asked, Step, next_step};
use slipway::blue_green::{PriorPair, Shift, Weights};
use slipway::job::{Failure, Job, Report, StepError, StepResult};
use slipway::ledger::{Lease, OpenRelease};
use slipway::service::revision;

pub use spec::{ShiftName, Spec};

/// The function: one CodePipeline job is one look.
#[derive(Debug)]
pub struct SwapTargetGroups {
    jobs: Jobs,
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
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
        let Held { lease, release, prior } = self.ledger.hold(spec.name()).await?.open()?;
        let Some(pair) = &prior.pair else {
            return Err(Failure::configuration(
                "begin-release took the lease on a single service, whose traffic cannot be moved; legal: strategy `blue-green` in begin-release and update-service",
            )
            .into());
        };
        if spec.task_definition == pair.of(pair.live).task_definition {
            let live = pair.live;
            let summary = format!("nothing to do: {live} is live and runs {}", revision(&spec.task_definition));
            return Ok(Report::done(summary, [("LiveColour", live.to_string())]));
        }
        if release.restoring.is_some() {
            return self.restore(job, lease, &release, pair).await;
        }
        let seen = self.pairs.observe(&lease, pair, &[pair.idle()]).await?;
        self.shift(&Look { job, release: &release, pair, seen }, lease).await
    }

    async fn shift(&self, look: &Look<'_>, lease: Lease) -> StepResult {
        let Look { job, release, pair, seen } = look;
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
                self.route(look, &lease, to).await?;
                let new = pair.idle();
                Ok(Report::going(format!("{}% to {new}, baking begins", to.percent(new)), percent))
            }
            Step::Confirm => {
                self.ledger.advance(&lease.with_shift_made(job.now)).await?;
                Ok(Report::going(format!("weights are {}", seen.view.weights), 0))
            }
            Step::Wait { summary, percent } => Ok(Report::going(summary, percent)),
            Step::Done { summary } => Ok(Report::done(summary, [("LiveColour", pair.idle().to_string())])),
            Step::Restore { reason } => {
                let lease = lease.with_restoring(&reason, job.now);
                self.ledger.advance(&lease).await?;
                self.restore(job, lease, release, pair).await
            }
            Step::Fail(failure) => {
                // What looks like somebody else's change may be that of another invocation since the lease was read.
                self.ledger.advance(&lease.with_failure(failure.clone())).await?;
                Err(failure.into())
            }
        }
    }

    /// Announces weights, sets them, and writes down that they are set.
    async fn route(&self, look: &Look<'_>, lease: &Lease, to: Weights) -> Result<(), StepError> {
        let announced = lease.with_shift(look.seen.view.weights, to, look.job.now);
        self.ledger.advance(&announced).await?;
        self.pairs.route(&look.seen, look.pair, to).await?;
        self.ledger.advance(&announced.with_shift_made(self.jobs.now())).await
    }

    /// Gives the recorded weights back, once the old colour can take all of the traffic, and fails the job with the reason.
    async fn restore(&self, job: &Job<Spec>, lease: Lease, release: &OpenRelease, pair: &PriorPair) -> StepResult {
        let seen = self.pairs.observe(&lease, pair, &[pair.live, pair.idle()]).await?;
        let Some(restoring) = lease.release.as_ref().and_then(|release| release.restoring.clone()) else {
            return Err(Failure::job("the traffic goes back for a reason that was not recorded").into());
        };
        let waited = job.now.since(restoring.since);
        let recorded = pair.weights();
        let known = release.shift.clone().map_or_else(Vec::new, Shift::announced);
        if seen.view.weights != recorded && !known.contains(&seen.view.weights) {
            let (reason, weights) = (restoring.reason, seen.view.weights);
            return Err(Failure::job(format!(
                "{reason}; somebody set the weights to {weights} meanwhile, which is left alone"
            ))
            .into());
        }
        if seen.view.weights != recorded {
            match way_back(release, pair, &seen.view, waited) {
                Way::Size { count } => {
                    self.ledger.advance(&lease.with_sized(count, job.now)).await?;
                    self.services.resize(seen.of(pair.live), count).await?;
                    return Ok(Report::going(
                        format!("{}; {} grows to {count} tasks first", restoring.reason, pair.live),
                        50,
                    ));
                }
                Way::Wait(why) => return Ok(Report::going(format!("{}; {why}", restoring.reason), 50)),
                Way::Move => self.route(&Look { job, release, pair, seen }, &lease, recorded).await?,
            }
        }
        Err(Failure::job(format!("{}; the traffic is back at {recorded}", restoring.reason)).into())
    }
}
