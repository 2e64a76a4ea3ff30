//! Whether the weights that were observed are this release's own.

use super::context::PairContext;
use crate::job::Failure;
use crate::observed::weights::Weights;
use crate::release::TrafficShift;

/// The status of the last announced traffic move.
pub(super) enum WeightsStatus {
    /// The weights are as this release left or found them.
    Known,
    /// The announced weights are set, and that is not recorded yet.
    Unconfirmed,
    /// Another writer set the weights.
    External { expected: Weights },
}

/// Compares the observed weights with what was announced, or recorded when nothing was.
pub(super) fn weights_status(context: &PairContext<'_>) -> WeightsStatus {
    let (seen, recorded) = (context.view.weights, context.pair().weights());

    match &context.target.shift {
        None if seen == recorded => WeightsStatus::Known,
        None => WeightsStatus::External { expected: recorded },
        Some(TrafficShift { to, made: true, .. }) if seen == *to => WeightsStatus::Known,
        Some(TrafficShift {
            to, made: false, ..
        }) if seen == *to => WeightsStatus::Unconfirmed,
        // Announced and not set: the invocation died in between. After a move that was made the
        // same weights are another writer's.
        Some(shift) if shift.may_be_unmade() && seen == shift.from => WeightsStatus::Known,
        Some(TrafficShift { to, .. }) => WeightsStatus::External { expected: *to },
    }
}

/// The failure of a step that finds another writer's weights.
pub(super) fn overridden(context: &PairContext<'_>, expected: Weights) -> Failure {
    let seen = context.view.weights;
    Failure::overridden(format!(
        "overridden: the weights are {seen}, expected {expected}; \
         another writer changed the {}, find it, then retry the release",
        context.pair().route.noun()
    ))
}
