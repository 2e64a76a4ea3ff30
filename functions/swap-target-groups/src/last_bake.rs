//! The answers of the new colour while it has all of the traffic: no other one is left to compare
//! them with, so most requests must not fail.
//!
//! What cannot be read decides nothing: health and alarms are watched as well, and `retire` looks
//! at the answers before it stops the old colour.

use slipway::metrics::Sides;
use slipway::metrics::alb::answer_queries;
use slipway::metrics::source::Observations;
use slipway::release::Lease;
use slipway::strategy::blue_green::in_use::{must_go_back, settled_departure};
use slipway::strategy::blue_green::shift::ShiftStep;

use crate::context::ShiftContext;
use crate::{RouteKind, Swap};

impl<R: RouteKind> Swap<R> {
    /// The step of the last bake, unless the new colour fails most requests: then the traffic goes
    /// back.
    pub(crate) async fn unless_failing(
        &self,
        context: &ShiftContext<'_>,
        lease: &Lease,
        step: ShiftStep,
    ) -> ShiftStep {
        let is_baking = matches!(step, ShiftStep::Wait { .. } | ShiftStep::Done { .. });
        let observed = context.observed();
        let Some(departure) = settled_departure(&observed).filter(|_| is_baking) else {
            return step;
        };
        let definition = &context.job.parameters.task_definition;
        let Some(sides) = Sides::from_pair(context.pair, &lease.service, definition) else {
            return step;
        };

        let (queries, minutes) = (answer_queries(&sides), departure.minutes());
        let read = self.metrics.read(&queries, minutes.start, minutes.end);
        let Ok(data) = read.await else {
            return step;
        };
        let answers = Observations {
            data: &data,
            now_secs: departure.now.secs(),
        };
        match must_go_back(&observed, &answers, departure) {
            Some(reason) => ShiftStep::Restore { reason },
            None => step,
        }
    }
}
