//! What can happen to a lease and the release that holds it.
//!
//! An event only states what happened. Whether it may happen, and what it changes, is decided in
//! `transition`.

use std::time::Duration;

use super::names::names;
use super::{
    Change, Drift, JudgementRecord, OperatorDecision, Outcome, Prior, PriorState, Registering,
    Release, Restart, SeenHealth, TrafficReturn,
};
use crate::freeze::Guards;
use crate::job::Failure;
use crate::observed::percentages::Percentages;
use crate::observed::weights::Weights;
use crate::timestamp::Timestamp;

/// One event. Each change of AWS is announced by an event that is written before the change is
/// made, never after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A release takes the free lease.
    Taken(Box<Release>),
    /// The route of a pair that no release holds is about to be set to what the last one left or
    /// found: its weights, or its stickiness.
    RepairAnnounced,
    /// What is released again, while no release holds the lease, is this; none once it is started.
    RestartNoted(Option<Box<Restart>>),
    /// This runs in place of what the last release left, while no release holds the lease; none
    /// once that runs again.
    DriftNoted(Option<Drift>),
    /// The target as it was before the first change is recorded.
    PriorRecorded(Prior),
    /// ECS is about to be requested to run what already runs, which proves that the roles of the
    /// prior release may be passed.
    RoleProofAnnounced,
    /// ECS accepted it.
    RoleProofMade,
    /// What holds the steps of the release back is recorded.
    Guarded(Guards),
    /// A revision is about to be registered.
    RegistrationAnnounced(Registering),
    /// The announced revision was registered, so that it can be retired if the release does not
    /// deploy it.
    Registered { task_definition: String },
    /// A deployment is about to be started, of a service that was like this before.
    ChangeAnnounced {
        change: Change,
        had: Option<PriorState>,
    },
    /// The announced change became this deployment.
    DeploymentRecorded { deployment: String },
    /// The weights of the route are about to be set.
    ShiftAnnounced { from: Weights, to: Weights },
    /// Route 53 has the announced weights, and brings them to its servers by this change.
    ShiftSubmitted { change: String },
    /// The announced weights are set, and decide about all new traffic.
    ShiftConfirmed,
    /// The shift that is announced next also switches the stickiness of the rule off, which bound
    /// clients for this long. Without a duration: the rule is sticky, or its owner has to decide.
    StickinessNoted { off: Option<Duration> },
    /// Scale-in of both colours is about to be suspended.
    ScaleInSuspensionAnnounced,
    /// Scale-in of both colours is about to be set to what was recorded.
    ScaleInRestorationAnnounced,
    /// The old colour is about to be raised to this many tasks.
    RaiseAnnounced { tasks: u32 },
    /// The old colour is about to be scaled to no tasks.
    RetirementAnnounced,
    /// `roll-back` is about to restore the service, or the new colour; a service with these
    /// percentages, if they are not the recorded ones.
    RestorationAnnounced { percentages: Option<Percentages> },
    /// The prior revision was not ACTIVE any more, and the same definition was registered as this
    /// one.
    PriorRegistered { task_definition: String },
    /// The health of the new colour, while it had traffic, is other than at the looks before.
    HealthSeen(SeenHealth),
    /// The traffic is to be returned to the old colour.
    ReturnDecided(TrafficReturn),
    /// A judgement ended.
    JudgementRecorded(JudgementRecord),
    /// The judgement of the action that began at this time waits for an operator.
    DecisionAwaited { action: Timestamp },
    /// An operator decided.
    OperatorDecided(OperatorDecision),
    /// A step failed.
    FailureRecorded(Failure),
    /// The execution succeeded without `finish-release`, which closes a release.
    SuccessNoted,
    /// STS refuses the role under which the pipeline is read, or no longer does.
    RoleNoted { refused: bool },
    /// The status of the execution cannot be read, or can be again.
    StatusNoted { unread: bool },
    /// `roll-back` takes the release away from its steps.
    TakenOver,
    /// The release ends and the lease is free. [`close`](super::close) also returns the record.
    Closed(Outcome),
}

names! {
    /// The name of an event, for refusals.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum EventName {
        Taken => "take the lease",
        RepairAnnounced => "announce a repair of the weights",
        RestartNoted => "note what is released again",
        DriftNoted => "note a drift",
        PriorRecorded => "record the prior release",
        RoleProofAnnounced => "announce a proof of the roles",
        RoleProofMade => "record a proof of the roles",
        Guarded => "record its guards",
        RegistrationAnnounced => "announce a registration",
        Registered => "record a registration",
        ChangeAnnounced => "announce a deployment",
        DeploymentRecorded => "record a deployment",
        ShiftAnnounced => "announce a traffic shift",
        ShiftSubmitted => "record the change of a traffic shift",
        ShiftConfirmed => "confirm a traffic shift",
        StickinessNoted => "note whether the rule is sticky",
        ScaleInSuspensionAnnounced => "announce the suspension of scale-in",
        ScaleInRestorationAnnounced => "announce the restoration of scale-in",
        RaiseAnnounced => "announce a raise of the old colour",
        RetirementAnnounced => "announce the retirement of the old colour",
        RestorationAnnounced => "announce a restoration",
        PriorRegistered => "record a registration of the prior release",
        HealthSeen => "record the health of the new colour",
        ReturnDecided => "decide to return the traffic",
        JudgementRecorded => "record a judgement",
        DecisionAwaited => "wait for a decision",
        OperatorDecided => "record an operator's decision",
        FailureRecorded => "record a failure",
        SuccessNoted => "note the success of the execution",
        RoleNoted => "note whether the role is refused",
        StatusNoted => "note whether the status of the execution can be read",
        TakenOver => "take the release over",
        Closed => "close the release",
    }
}

impl Event {
    #[must_use]
    pub fn name(&self) -> EventName {
        match self {
            Self::Taken(_) => EventName::Taken,
            Self::RepairAnnounced => EventName::RepairAnnounced,
            Self::RestartNoted(_) => EventName::RestartNoted,
            Self::DriftNoted(_) => EventName::DriftNoted,
            Self::PriorRecorded(_) => EventName::PriorRecorded,
            Self::RoleProofAnnounced => EventName::RoleProofAnnounced,
            Self::RoleProofMade => EventName::RoleProofMade,
            Self::Guarded(_) => EventName::Guarded,
            Self::RegistrationAnnounced(_) => EventName::RegistrationAnnounced,
            Self::Registered { .. } => EventName::Registered,
            Self::ChangeAnnounced { .. } => EventName::ChangeAnnounced,
            Self::DeploymentRecorded { .. } => EventName::DeploymentRecorded,
            Self::ShiftAnnounced { .. } => EventName::ShiftAnnounced,
            Self::ShiftSubmitted { .. } => EventName::ShiftSubmitted,
            Self::ShiftConfirmed => EventName::ShiftConfirmed,
            Self::StickinessNoted { .. } => EventName::StickinessNoted,
            Self::ScaleInSuspensionAnnounced => EventName::ScaleInSuspensionAnnounced,
            Self::ScaleInRestorationAnnounced => EventName::ScaleInRestorationAnnounced,
            Self::RaiseAnnounced { .. } => EventName::RaiseAnnounced,
            Self::RetirementAnnounced => EventName::RetirementAnnounced,
            Self::RestorationAnnounced { .. } => EventName::RestorationAnnounced,
            Self::PriorRegistered { .. } => EventName::PriorRegistered,
            Self::HealthSeen(_) => EventName::HealthSeen,
            Self::ReturnDecided(_) => EventName::ReturnDecided,
            Self::JudgementRecorded(_) => EventName::JudgementRecorded,
            Self::DecisionAwaited { .. } => EventName::DecisionAwaited,
            Self::OperatorDecided(_) => EventName::OperatorDecided,
            Self::FailureRecorded(_) => EventName::FailureRecorded,
            Self::SuccessNoted => EventName::SuccessNoted,
            Self::RoleNoted { .. } => EventName::RoleNoted,
            Self::StatusNoted { .. } => EventName::StatusNoted,
            Self::TakenOver => EventName::TakenOver,
            Self::Closed(_) => EventName::Closed,
        }
    }
}

impl EventName {
    /// Whether the event announces a change that an invocation makes after it is written, until its
    /// time-out.
    #[must_use]
    pub(super) fn announces(self) -> bool {
        matches!(
            self,
            Self::RoleProofAnnounced
                | Self::RegistrationAnnounced
                | Self::ChangeAnnounced
                | Self::ShiftAnnounced
                | Self::ScaleInSuspensionAnnounced
                | Self::ScaleInRestorationAnnounced
                | Self::RaiseAnnounced
                | Self::RetirementAnnounced
                | Self::RestorationAnnounced
                | Self::RepairAnnounced
        )
    }
}
