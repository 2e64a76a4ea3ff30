//! The steps towards the new colour: each passes the gate first, and is announced before it is
//! made.

use slipway::job::{JobReport, StepError, StepResult};
use slipway::observed::weights::Weights;
use slipway::release::{Change, Lease};
use slipway::strategy::blue_green::plan::ShiftPlan;

use crate::context::ShiftContext;
use crate::{RouteKind, Swap};

impl<R: RouteKind> Swap<R> {
    /// Raises the new colour to what the load needs.
    pub(crate) async fn grow(
        &self,
        context: &ShiftContext<'_>,
        plan: &ShiftPlan,
        lease: &Lease,
        change: Change,
        percent: u8,
    ) -> StepResult {
        let ShiftContext { pair, seen, .. } = context;
        self.pass_gate(context, plan).await?;
        let needed = context.needed(plan);
        let tasks = needed.tasks;
        self.announce(context, lease, change).await?;
        self.services.resize(seen.of(pair.idle()), tasks).await?;

        let new = pair.idle();
        let summary = format!("{new} grows to {tasks} tasks first");
        let summary = context.with_limit(summary, needed);
        Ok(JobReport::in_progress(summary, percent))
    }

    /// Sets the weights of the next step.
    pub(crate) async fn route(
        &self,
        context: &ShiftContext<'_>,
        plan: &ShiftPlan,
        lease: Lease,
        to: Weights,
        percent: u8,
    ) -> StepResult {
        let ShiftContext { pair, seen, .. } = context;
        let needed = context.needed(plan);
        self.pass_gate(context, plan).await?;
        self.prove_restorable(context).await?;
        let lease = self.record_size(context, lease, needed.tasks).await?;
        self.traffic.route(&lease, pair, seen, to).await?;

        let new = pair.idle();
        let summary = format!("{}% to {new}, baking begins", to.percent(new));
        let summary = context.with_limit(summary, needed);
        Ok(JobReport::in_progress(summary, percent))
    }

    /// Whether more traffic may go to the new colour now. Its health was decided about before: what
    /// a freeze holds is a healthy colour with the share that it has.
    async fn pass_gate(
        &self,
        context: &ShiftContext<'_>,
        plan: &ShiftPlan,
    ) -> Result<(), StepError> {
        let percent = context.seen.view.weights.percent(context.pair.idle());
        let needs = plan.left(percent);
        // Boxed: the SDK's futures are deep.
        Box::pin(self.gate.pass(context.job, context.release, needs)).await
    }

    /// Proves once more, before the first shift, that tasks of the old colour could be started
    /// again, if that was proven long ago.
    async fn prove_restorable(&self, context: &ShiftContext<'_>) -> Result<(), StepError> {
        let ShiftContext {
            job,
            target,
            pair,
            seen,
            ..
        } = context;
        let prior = &pair.of(pair.live).task_definition;
        let is_first = seen.view.weights == pair.weights();

        if is_first {
            let (live, new) = (seen.view.of(pair.live), &job.parameters.task_definition);
            self.priors
                .prove_again(prior, target.recorded_at, live, new)
                .await?;
        }
        Ok(())
    }

    /// Records how many tasks the new colour was proven with, if that is more than it was filled
    /// with: from here on it is judged by them, and so is a return of the traffic.
    async fn record_size(
        &self,
        context: &ShiftContext<'_>,
        lease: Lease,
        tasks: u32,
    ) -> Result<Lease, StepError> {
        let filled = context.observed().filled_tasks();

        match &context.target.change {
            Some(change) if tasks > filled => {
                let change = Change {
                    desired_count: Some(tasks),
                    ..change.clone()
                };
                self.announce(context, &lease, change).await
            }
            Some(_) | None => Ok(lease),
        }
    }
}
