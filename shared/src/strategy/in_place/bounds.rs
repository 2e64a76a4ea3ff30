//! What bounds the rollouts of a service, and when a release sets it after its change: it follows
//! the count during the rollout, and is restored afterwards.
//!
//! Everything here is pure. Percentages that ECS would refuse are never set, and those that another
//! writer set during the release are never overwritten.

use crate::observed::percentages::Percentages;
use crate::observed::service::{ServiceView, revision};
use crate::release::Change;

/// What bounds the rollouts of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolloutBounds {
    pub percentages: Percentages,
    /// `healthyPercent` of the early success criteria; as seen when not given.
    pub early_success: Option<u32>,
}

/// Percentages that are set after the change was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPercentages {
    /// The change, as it is announced again.
    pub announced: Change,
    pub bounds: RolloutBounds,
    pub summary: String,
    /// Whether a rollout needs them, so that the release fails when ECS refuses them.
    pub required: bool,
}

/// The planned percentages of a rollout in progress, if the service has others of the release,
/// `own`: a number of tasks is another percentage of another count.
pub(super) fn following(
    view: &ServiceView,
    announced: &Change,
    own: &[Percentages],
    planned: Percentages,
) -> Option<NewPercentages> {
    let is_behind = own.contains(&view.percentages) && view.percentages != planned;

    if !is_behind || !view.accepts(planned) {
        return None;
    }

    Some(NewPercentages {
        announced: Change {
            percentages: planned,
            set_before: Some(view.percentages),
            ..announced.clone()
        },
        bounds: RolloutBounds {
            percentages: planned,
            early_success: None,
        },
        summary: format!(
            "the percentages follow the count of {} tasks: {}",
            view.desired,
            planned.summary(view.desired)
        ),
        required: true,
    })
}

/// The recorded percentages, if the service has those of the release, `own`.
pub(super) fn restored(
    view: &ServiceView,
    announced: &Change,
    own: &[Percentages],
    recorded: RolloutBounds,
) -> Option<NewPercentages> {
    let is_borrowed = own.contains(&view.percentages) && view.percentages != recorded.percentages;

    if !is_borrowed || !view.accepts(recorded.percentages) {
        return None;
    }
    Some(NewPercentages {
        announced: announced.clone(),
        bounds: recorded,
        summary: format!(
            "{} is steady; restoring its own percentages: {}",
            revision(&announced.task_definition),
            recorded.percentages.summary(view.desired)
        ),
        required: false,
    })
}
