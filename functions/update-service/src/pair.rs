//! What the step does with a blue/green pair: fill the idle colour, size the old one for all of the traffic, retire it.

use std::time::Duration;

use slipway::job::{Failure, Job, Report, StepError, StepResult};
use slipway::limits::STICKY_DRAIN;
use slipway::observed::service::revision;
use slipway::release::{Change, Lease, OpenRelease};
use slipway::strategy::blue_green::{Colour, PriorPair, retire, size};
use slipway::strategy::in_place::deploy::Asked;
use slipway::timestamp::readable;

use crate::{Mode, Spec, UpdateService};

/// How long the old colour stays after the traffic left it unless the action says otherwise, in minutes.
const DRAIN_MINUTES: u32 = 5;

impl UpdateService {
    pub(crate) async fn pair(
        &self,
        job: &Job<Spec>,
        lease: &Lease,
        release: &OpenRelease,
        pair: &PriorPair,
        mode: Mode,
    ) -> StepResult {
        if job.spec.task_definition == pair.of(pair.live).task_definition {
            let live = pair.live;
            let summary = format!(
                "nothing to do: {live} is live and runs {}",
                revision(&job.spec.task_definition)
            );
            return Ok(done(job, summary));
        }
        match mode {
            Mode::Fill => self.fill(job, lease, release, pair).await,
            Mode::Size => self.size(job, lease, release, pair).await,
            Mode::Retire => self.retire(job, lease, release, pair).await,
        }
    }

    /// Suspends scale-in first, so that nothing takes tasks from either colour, then deploys to the idle one.
    async fn fill(
        &self,
        job: &Job<Spec>,
        lease: &Lease,
        release: &OpenRelease,
        pair: &PriorPair,
    ) -> StepResult {
        // The look at what scales finds an announcement whose invocation died before it was made.
        let scales = pair.blue.suspended.is_some() || pair.green.suspended.is_some();
        let announced = release.scale_in_suspended == Some(true);
        if release.change.is_none() && scales && (!announced || self.may_scale_in(lease).await?) {
            self.ledger
                .advance(&lease.with_scale_in(true, job.now))
                .await?;
            self.pairs.suspend_scale_in(lease, pair, true).await?;
            return Ok(Report::going(
                "scale-in is suspended on both colours during the release",
                0,
            ));
        }
        let idle = pair.idle();
        let [blue, green] = self.pairs.colours(lease, &[idle]).await?;
        let (live_seen, idle_seen) = if idle == Colour::Green {
            (blue, green)
        } else {
            (green, blue)
        };
        let count = match live_seen.view.desired {
            0 => job.spec.initial_count.unwrap_or(1),
            live => live,
        };
        let count = release
            .change
            .as_ref()
            .and_then(|change| change.desired_count)
            .unwrap_or(count);
        let asked = Asked {
            change: Change {
                task_definition: job.spec.task_definition.clone(),
                percentages: pair.of(idle).percentages,
                desired_count: Some(count),
                deployment: None,
            },
            size: count,
            deadline: job.spec.deadline(),
        };
        let runs = idle_seen
            .view
            .primary()
            .map(|primary| primary.task_definition.as_str());
        if release.change.is_none() && runs == Some(&job.spec.task_definition) {
            // It is asked for all the same, so that the ledger tells what the colour gets its traffic for.
            return self.apply(job, lease, asked.change, &idle_seen).await;
        }
        self.deploy(
            job,
            lease,
            release,
            &pair.of(idle).task_definition,
            asked,
            &idle_seen,
        )
        .await
    }

    async fn may_scale_in(&self, lease: &Lease) -> Result<bool, StepError> {
        let scaling = self.pairs.scaling(&lease.cluster, &lease.service).await?;
        Ok(scaling
            .into_iter()
            .flatten()
            .any(|scaling| !scaling.scale_in_suspended))
    }

    async fn size(
        &self,
        job: &Job<Spec>,
        lease: &Lease,
        release: &OpenRelease,
        pair: &PriorPair,
    ) -> StepResult {
        let old = pair.live;
        let seen = self.pairs.observe(lease, pair, &[old]).await?;
        let needed = size::enough(release, pair, &seen.view);
        let (desired, healthy) = (seen.view.of(old).desired, seen.view.healthy(pair, old));
        let (elapsed, deadline) = (job.now.since(job.since), job.spec.deadline());
        let summary = format!(
            "{healthy} of {needed} healthy targets that {old} needs for all of the traffic"
        );
        if healthy >= needed && desired >= needed {
            return Ok(done(job, summary));
        }
        if elapsed >= deadline {
            return Err(Failure::job(format!(
                "{summary} after {} (deadline {})",
                readable(elapsed),
                readable(deadline)
            ))
            .into());
        }
        if desired < needed {
            self.ledger
                .advance(&lease.with_sized(needed, job.now))
                .await?;
            self.services.resize(seen.of(old), needed).await?;
        }
        Ok(Report::going(summary, 50))
    }

    async fn retire(
        &self,
        job: &Job<Spec>,
        lease: &Lease,
        release: &OpenRelease,
        pair: &PriorPair,
    ) -> StepResult {
        let asked =
            Duration::from_secs(u64::from(job.spec.drain_minutes.unwrap_or(DRAIN_MINUTES)) * 60);
        let seen = self.pairs.observe(lease, pair, &[]).await?;
        let sticky = seen.rule.view.sticky.unwrap_or_default().min(STICKY_DRAIN);
        let scaling = self.pairs.scaling(&lease.cluster, &lease.service).await?;
        let settling = lease.settling(job.now);
        match retire::next_step(
            release,
            pair,
            &seen.view,
            scaling,
            asked.max(sticky),
            settling,
        ) {
            retire::Step::Stop => {
                self.ledger.advance(&lease.announced(job.now)).await?;
                self.services.resize(seen.of(pair.live), 0).await?;
                Ok(Report::going(format!("{} stops its tasks", pair.live), 75))
            }
            retire::Step::GiveBack => {
                self.ledger
                    .advance(&lease.with_scale_in(false, job.now))
                    .await?;
                self.pairs.suspend_scale_in(lease, pair, false).await?;
                Ok(Report::going("scale-in is given back to both colours", 40))
            }
            retire::Step::Wait { summary, percent } => Ok(Report::going(summary, percent)),
            retire::Step::Done { summary } => Ok(done(job, summary)),
            retire::Step::Fail(failure) => {
                // As in swap-target-groups: the weights may be newer than the lease that was read.
                self.ledger
                    .advance(&lease.with_failure(failure.clone()))
                    .await?;
                Err(failure.into())
            }
        }
    }
}

fn done(job: &Job<Spec>, summary: String) -> Report {
    Report::done(
        summary,
        [("TaskDefinitionArn", job.spec.task_definition.clone())],
    )
}
