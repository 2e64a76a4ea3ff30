//! Why a step of a strategy fails, as a value: what follows from a failure is decided by this and
//! never by its text.

/// The cause of a failed step. It leads to the next action of the same invocation and is not
/// stored; what the ledger keeps of it is [`crate::job::FailureCause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepFailureCause {
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
