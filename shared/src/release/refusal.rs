//! Why an event is illegal for a release.

use std::fmt;

use super::Outcome;

/// What makes an event illegal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The phase alone.
    Phase,
    NoRoleProof,
    NoRegistration,
    NoChange,
    NoShift,
    ShiftConfirmed,
    ReturnDecided,
    NoWait,
    FailureRecorded,
    SuccessNoted,
    /// A release does not end with this outcome in this phase.
    Outcome(Outcome),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase => Ok(()),
            Self::NoRoleProof => f.write_str(" and has no roles to prove"),
            Self::NoRegistration => f.write_str(" and has announced no registration"),
            Self::NoChange => f.write_str(" and has announced no change"),
            Self::NoShift => f.write_str(" and has announced no traffic shift"),
            Self::ShiftConfirmed => f.write_str(" and its traffic shift is confirmed already"),
            Self::ReturnDecided => f.write_str(" and the traffic is being returned already"),
            Self::NoWait => f.write_str(" and does not wait for a decision"),
            Self::FailureRecorded => f.write_str(" and has recorded a failure already"),
            Self::SuccessNoted => f.write_str(" and the success of its execution is noted already"),
            Self::Outcome(outcome) => write!(f, ", which cannot end as {outcome}"),
        }
    }
}
