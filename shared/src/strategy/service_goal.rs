//! The goal of a change to a service, of whatever strategy.

use crate::observed::percentages::Percentages;

/// What a service is made to run.
#[derive(Clone, Copy, Debug)]
pub struct ServiceGoal<'a> {
    /// The one that the service has when not given; no deployment begins then.
    pub task_definition: Option<&'a str>,
    pub percentages: Percentages,
    /// `healthyPercent` of the early success criteria before the release; as seen when not given.
    pub early_success: Option<u32>,
    pub desired: Option<u32>,
}
