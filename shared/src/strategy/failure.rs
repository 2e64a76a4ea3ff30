//! Why a step of a strategy fails, as a value: what follows from a failure is decided by this and
//! never by its text.

use serde::{Deserialize, Serialize};

/// The cause of a failed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCause {
    /// Another writer changed the service or the rule while the release was open.
    Overridden,
    /// The rollout failed: tasks of the new revision ran, or tried to, and their stop reasons
    /// explain it.
    Rollout,
    /// The new colour never became ready for its first traffic.
    NotReady,
    /// The service or the weights are not in a state in which the step can begin.
    Precondition,
}
