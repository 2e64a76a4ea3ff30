//! A blue/green pair: fills the idle colour, or sizes the old one for all of the traffic. How that
//! one is retired is in [`super::retire`].

use slipway::job::{Failure, JobReport, StepError, StepResult};
use slipway::observed::colour::Colour;
use slipway::release::{Change, Event, Lease, PairTarget, PriorPair, apply};
use slipway::strategy::blue_green::context::PairContext;
use slipway::strategy::blue_green::size::required_tasks;
use slipway::strategy::in_place::deploy::{DeployGoal, RolloutBounds};
use slipway::timestamp::readable;

use crate::{Mode, Parameters, UpdateContext, UpdateService, done};

impl UpdateService {
    pub(crate) async fn pair(
        &self,
        context: &UpdateContext<'_>,
        target: &PairTarget,
        mode: Mode,
    ) -> StepResult {
        let job = context.job;
        let already_live = target.prior.already_live(&job.parameters.task_definition);
        if let Some(summary) = already_live {
            return Ok(done(job, summary));
        }

        match mode {
            Mode::Fill => self.fill(context, target).await,
            Mode::Size => self.size(context, target).await,
            Mode::Retire => self.retire(context, target).await,
        }
    }

    /// Suspends scale-in first, so that automatic scaling removes no task from either colour, then
    /// deploys to the idle one.
    async fn fill(&self, context: &UpdateContext<'_>, target: &PairTarget) -> StepResult {
        let UpdateContext { job, lease, .. } = context;
        let pair = &target.prior;
        if self.must_suspend_scale_in(lease, target).await? {
            self.ledger
                .advance(&apply(lease, Event::ScaleInSuspensionAnnounced, job.now)?)
                .await?;
            self.pairs.suspend_scale_in(lease, pair, true).await?;

            return Ok(JobReport::in_progress(
                "scale-in is suspended on both colours during the release",
                0,
            ));
        }

        let idle = pair.idle();
        let names = pair.services(&lease.service);
        let seen = self
            .pairs
            .observe_services(&lease.cluster, &names, &[idle])
            .await?;
        let live_seen = seen.of(pair.live);
        let idle_seen = seen.of(idle);
        let new = &job.parameters.task_definition;
        if target.change.is_none() {
            let prior = &pair.of(pair.live).task_definition;
            self.priors
                .prove_again(prior, target.recorded_at, &live_seen.view, new)
                .await?;
        }

        let mut goal = fill_goal(&job.parameters, target, live_seen.view.desired);
        // The release borrows nothing from the colour: percentages that differ now were set
        // by another writer, and stay.
        if target.change.is_some() {
            goal.change.percentages = idle_seen.view.percentages;
            goal.recorded.percentages = idle_seen.view.percentages;
        }

        let runs = idle_seen.view.primary().map(|it| &it.task_definition);
        if target.change.is_none() && runs == Some(new) {
            // The change is made anyway, so that the ledger records what the colour gets its
            // traffic for.
            return self.apply(context, goal.change, idle_seen).await;
        }

        self.deploy(context, pair.of(idle).found(), goal, idle_seen)
            .await
    }

    /// An invocation may have announced the suspension and died before making it, so the scalable
    /// targets are read as well.
    async fn must_suspend_scale_in(
        &self,
        lease: &Lease,
        target: &PairTarget,
    ) -> Result<bool, StepError> {
        let pair = &target.prior;
        let scales =
            pair.of(Colour::Blue).suspended.is_some() || pair.of(Colour::Green).suspended.is_some();
        let announced = target.scale_in_suspended == Some(true);

        let is_due = target.change.is_none() && scales;
        Ok(is_due && (!announced || self.may_scale_in(lease, pair).await?))
    }

    async fn may_scale_in(&self, lease: &Lease, pair: &PriorPair) -> Result<bool, StepError> {
        let names = pair.services(&lease.service);
        let scaling = self.pairs.scaling(&lease.cluster, &names).await?;
        Ok(pair.may_scale_in(scaling))
    }

    /// Makes the old colour large enough to take all of the traffic.
    async fn size(&self, context: &UpdateContext<'_>, target: &PairTarget) -> StepResult {
        let UpdateContext { job, lease, .. } = context;
        let pair = &target.prior;
        let old = pair.live;
        let seen = self.pairs.observe(lease, pair, &[old]).await?;

        let names = pair.services(&lease.service);
        let scaling = self.pairs.scaling(&lease.cluster, &names).await?;
        let max_capacity = scaling.of(old).map(|scaling| scaling.max_capacity);
        let pair_context = PairContext {
            target,
            view: &seen.view,
        };
        let needed = required_tasks(&pair_context, max_capacity).tasks;
        let desired = seen.view.of(old).desired;
        let healthy = pair.healthy(&seen.view, old);

        let summary = format!(
            "{healthy} of {needed} healthy targets that {old} needs for all of the traffic"
        );
        if healthy >= needed && desired >= needed {
            return Ok(done(job, summary));
        }

        let elapsed = job.now.since(job.since);
        let deadline = job.parameters.deadline();
        if elapsed >= deadline {
            return Err(Failure::job(format!(
                "{summary} after {} (deadline {})",
                readable(elapsed),
                readable(deadline)
            ))
            .into());
        }

        if desired < needed {
            let raised = Event::RaiseAnnounced { tasks: needed };
            self.ledger.advance(&apply(lease, raised, job.now)?).await?;
            self.services.resize(seen.of(old), needed).await?;
        }
        Ok(JobReport::in_progress(summary, 50))
    }
}

/// The new revision on the idle colour, with as many tasks as the live one has. The count of a
/// change that is announced stays as it was announced.
fn fill_goal(parameters: &Parameters, target: &PairTarget, live: u32) -> DeployGoal {
    let idle = target.prior.of(target.prior.idle());
    let announced = target
        .change
        .as_ref()
        .and_then(|change| change.desired_count);
    let count = match (announced, live) {
        (Some(announced), _) => announced,
        (None, 0) => parameters.initial_count.unwrap_or(1),
        (None, live) => live,
    };

    DeployGoal {
        change: Change {
            task_definition: parameters.task_definition.clone(),
            percentages: idle.percentages,
            desired_count: Some(count),
            deployment: None,
            promise: None,
            set_before: None,
            given: None,
        },
        size: count,
        deadline: parameters.deadline(),
        made_with: idle.percentages,
        recorded: RolloutBounds {
            percentages: idle.percentages,
            early_success: None,
        },
    }
}
