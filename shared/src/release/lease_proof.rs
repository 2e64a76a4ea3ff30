//! Whether a step may act for its release: it holds the lease, and its release is open and has
//! recorded the prior release.
//!
//! The only proof of it is an [`ActiveRelease`]; nothing else may lead to a change of the service.

use super::{Event, Lease, Phase, Record, RecordState, Release, Target, apply};
use crate::job::{Failure, ReleaseRef, StepError};
use crate::timestamp::Timestamp;

/// An open release, with its lease as it was read and what it may change.
#[derive(Debug)]
pub struct ActiveRelease {
    pub lease: Lease,
    pub release: Release,
    pub target: Target,
}

/// What a step may do for its release.
#[derive(Debug)]
pub enum LeaseProof {
    /// The release is open and its steps may act.
    Active(Box<ActiveRelease>),
    /// The release is closed.
    Closed(Box<Record>),
}

impl LeaseProof {
    /// The open release, for a step that has nothing to do once it is closed.
    ///
    /// # Errors
    /// A ConfigurationError with the outcome of the release.
    pub fn active(self) -> Result<ActiveRelease, StepError> {
        match self {
            Self::Active(active) => Ok(*active),
            Self::Closed(record) => Err(record.refusal().into()),
        }
    }
}

/// What a step of the release `wanted` may do, from the lease of its service and the record of its
/// execution. The record counts only when the execution does not hold the lease.
///
/// # Errors
/// A failure with the reason why the step cannot act: another release holds the service, this one
/// is being rolled back, or it failed before.
pub fn prove_lease(
    lease: Option<Lease>,
    record: Option<Record>,
    wanted: &ReleaseRef,
) -> Result<LeaseProof, Failure> {
    let Some((lease, release)) = lease.and_then(|lease| {
        lease
            .held_by(&wanted.execution)
            .cloned()
            .map(|release| (lease, release))
    }) else {
        return match record {
            Some(record) if record.state == RecordState::Closed => {
                Ok(LeaseProof::Closed(Box::new(record)))
            }
            _ => Err(Failure::configuration(format!(
                "execution {} holds no release of service {} in cluster {}; run begin-release \
                 before this action, with the same pipeline, cluster and service",
                wanted.execution, wanted.service, wanted.cluster
            ))),
        };
    };

    match (&release.failure, &release.phase) {
        (Some(failure), _) => Err(failure.clone()),
        (None, Phase::RollingBack { .. }) => Err(Failure::configuration(
            "the release is being rolled back; start again with a new execution",
        )),
        (None, Phase::Open(target)) => Ok(LeaseProof::Active(Box::new(ActiveRelease {
            target: target.clone(),
            lease,
            release,
        }))),
        (None, Phase::Beginning) => Err(Failure::configuration(
            "the release has not begun; run begin-release before this action",
        )),
    }
}

/// The lease with the failure of a step recorded, so that later invocations report the same
/// failure. `None` when the execution does not hold the lease, or when the event is refused: a
/// release that is being rolled back ends by its first failure, and so does one that has recorded a
/// failure before.
#[must_use]
pub fn record_failure(
    lease: &Lease,
    execution: &str,
    failure: &Failure,
    now: Timestamp,
) -> Option<Lease> {
    lease.held_by(execution)?;
    apply(lease, Event::FailureRecorded(failure.clone()), now).ok()
}
