//! The return of the traffic to the old colour: at once what it can carry, the rest as it grows.
//!
//! Everything here is pure. The old colour never gets less than it has. It gets no more than its
//! healthy tasks can carry, unless the new one cannot serve or the wait is over.

use std::time::Duration;

use super::context::PairContext;
use super::size::{limit, required_tasks, share_carried};
use crate::limits::SIZING_DEADLINE;
use crate::observed::colour::Colour;
use crate::observed::weights::Weights;
use crate::timestamp::readable_of;

/// What one look changes to return traffic, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnChange {
    /// The count to raise the old colour to.
    pub raise: Option<u32>,
    /// The weights to set: the recorded ones, or the share that the old colour can carry now.
    pub weights: Option<Weights>,
    /// Tasks that all of the traffic needs, where `MaxCapacity` allows fewer.
    pub capped_from: Option<u32>,
}

impl ReturnChange {
    /// Sets weights and nothing else.
    #[must_use]
    pub(crate) const fn only_weights(weights: Weights) -> Self {
        Self {
            raise: None,
            weights: Some(weights),
            capped_from: None,
        }
    }

    /// What is changed, and what bounds it, in words; empty when nothing is.
    #[must_use]
    pub fn describe(&self, old: Colour) -> String {
        let parts = [
            self.raise
                .map(|tasks| format!("scaling {old} out to {tasks} tasks")),
            self.weights
                .map(|weights| format!("restoring traffic to {weights}")),
            self.limit(old),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// That the old colour may not have the tasks that the load needs, in words.
    #[must_use]
    pub fn limit(&self, old: Colour) -> Option<String> {
        limit(old, self.capped_from)
    }
}

/// The next look of a return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnStep {
    pub change: ReturnChange,
    /// What is changed, and how much the old colour lacks for all of the traffic, in words.
    pub summary: String,
}

/// Decides how traffic goes back to the recorded weights, `waited` after that was decided.
/// `max_capacity` is that of the old colour, if it scales by itself.
///
/// The old colour would fail under more than it can carry. Its tasks are waited for at most
/// `SIZING_DEADLINE`, and not at all when the new colour has no healthy target: then every second
/// on it is an outage.
#[must_use]
pub(crate) fn next_return_step(
    context: &PairContext<'_>,
    max_capacity: Option<u32>,
    waited: Duration,
) -> ReturnStep {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let (old, new) = (pair.live, pair.idle());
    let required = required_tasks(context, max_capacity);
    let healthy = pair.healthy(view, old);
    let new_cannot_serve = pair.healthy(view, new) == 0 && (healthy > 0 || required.tasks == 0);
    let is_late = waited >= SIZING_DEADLINE && healthy > 0;

    let had = context.weights().percent(old);
    let carried = share_carried(context, required.tasks);
    let weights = if new_cannot_serve || is_late || carried == 100 {
        Some(pair.weights())
    } else {
        (carried > had).then(|| Weights::with(old, carried))
    };

    let change = ReturnChange {
        raise: (view.of(old).desired < required.tasks).then_some(required.tasks),
        weights,
        capped_from: required.capped_from,
    };
    let lacks = format!(
        "{healthy} of {} healthy targets that {old} needs for all of the traffic; {}",
        required.tasks,
        readable_of(waited, SIZING_DEADLINE)
    );
    let changes = change.describe(old);
    let summary = if changes.is_empty() {
        lacks
    } else {
        format!("{changes}; {lacks}")
    };
    ReturnStep { change, summary }
}

#[cfg(test)]
mod tests;
