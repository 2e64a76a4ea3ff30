//! The legal ways from one state of a lease to the next: one match over phase and event; everything
//! else is refused.
//!
//! Nothing here ignores an event: it changes the lease or it is an [`IllegalTransition`].

use thiserror::Error;

use super::names::names;
use super::{
    AwaitingDecision, Conclusion, Event, EventName, LastKnownRouting, Lease, Outcome, PairTarget,
    Phase, Record, Refusal, Release, Target,
};
use crate::job::{Failure, StepError};
use crate::timestamp::Timestamp;

/// An event that must not happen to a lease in its phase.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("cannot {event}: {phase}{because}")]
pub struct IllegalTransition {
    pub phase: PhaseName,
    pub event: EventName,
    pub because: Refusal,
}

names! {
    /// The phase of a lease, for refusals. What a release is of matters as much as its phase.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum PhaseName {
        Free => "the lease is free",
        Beginning => "the release has not recorded the prior release",
        OpenService => "the release of a service is open",
        OpenPair => "the release of a pair is open",
        RollingBackUnrecorded =>
            "the release is being rolled back without a recorded prior release",
        RollingBackService => "the release of a service is being rolled back",
        RollingBackPair => "the release of a pair is being rolled back",
    }
}

impl Lease {
    #[must_use]
    pub fn phase(&self) -> PhaseName {
        match self.release.as_ref().map(|release| &release.phase) {
            None => PhaseName::Free,
            Some(Phase::Beginning) => PhaseName::Beginning,
            Some(Phase::Open(Target::Service(_))) => PhaseName::OpenService,
            Some(Phase::Open(Target::Pair(_))) => PhaseName::OpenPair,
            Some(Phase::RollingBack { target, .. }) => match target {
                None => PhaseName::RollingBackUnrecorded,
                Some(Target::Service(_)) => PhaseName::RollingBackService,
                Some(Target::Pair(_)) => PhaseName::RollingBackPair,
            },
        }
    }
}

/// The steps decide from the lease they read, so an illegal transition is a defect of the step: its
/// job fails.
impl From<IllegalTransition> for StepError {
    fn from(refused: IllegalTransition) -> Self {
        Failure::job(refused.to_string()).into()
    }
}

/// The lease after `event`, one fence number later. An event that announces a change is dated
/// `now`.
///
/// # Errors
/// When the event is illegal in the lease's phase.
pub fn apply(lease: &Lease, event: Event, now: Timestamp) -> Result<Lease, IllegalTransition> {
    let name = event.name();
    let mut next = Lease {
        fence: lease.fence + 1,
        ..lease.clone()
    };
    if name.announces() {
        next.changed_at = Some(now);
    }
    let in_grace = lease.grace_left(now).is_some();

    let changed = match (&mut next.release, event) {
        (free @ None, Event::Taken(release)) => {
            *free = Some(release);
            Ok(())
        }
        (Some(release), Event::Closed(outcome)) if may_end_as(&release.phase, outcome) => {
            if let Some(pair) = release.pair() {
                next.last_known = LastKnownRouting::after(pair, outcome, lease.last_known);
            }
            next.release = None;
            Ok(())
        }
        (Some(_), Event::Closed(outcome)) => Err(Refusal::Outcome(outcome)),
        (Some(release), event) => step(release, event, now, in_grace),
        (None, _) => Err(Refusal::Phase),
    };
    changed.map(|()| next).map_err(|because| IllegalTransition {
        phase: lease.phase(),
        event: name,
        because,
    })
}

/// The release after an event that leaves it open.
fn step(
    release: &mut Release,
    event: Event,
    now: Timestamp,
    in_grace: bool,
) -> Result<(), Refusal> {
    use Phase::{Beginning, Open, RollingBack};
    use Target::Pair;

    match (&mut release.phase, event) {
        (Beginning, Event::PriorRecorded(prior)) => release.phase = Open(Target::new(prior)),
        (Beginning | Open(_), Event::FailureRecorded(failure)) => fail(release, failure)?,
        (Beginning | Open(_), Event::TakenOver) => take_over(release, now),

        (Open(_), Event::RegistrationAnnounced(new)) => release.registering = Some(new),
        (Open(_), Event::Registered { task_definition }) => register(release, task_definition)?,
        (Open(target), Event::ChangeAnnounced(change)) => *target.change_mut() = Some(change),
        (Open(target), Event::DeploymentRecorded { deployment }) => {
            target.record_deployment(deployment)?;
        }

        // Only the steps of an open release suspend scale-in, judge the new colour and retire the
        // old one.
        (Open(Pair(pair)), Event::ScaleInSuspensionAnnounced) => {
            pair.scale_in_suspended = Some(true);
        }
        (Open(Pair(pair)), Event::RetirementAnnounced) => pair.retiring = true,
        (Open(Pair(pair)), Event::ReturnDecided(decision)) => pair.decide_return(decision)?,
        (Open(Pair(pair)), Event::JudgementRecorded(judgement)) => pair.record_judgement(judgement),
        (Open(Pair(pair)), Event::DecisionAwaited { action }) => {
            pair.awaiting = Some(AwaitingDecision::new(action, now));
        }
        (Open(Pair(pair)), Event::OperatorDecided(decision)) => pair.record_decision(decision)?,

        (Open(Pair(pair)), event) => route(pair, event, now, in_grace)?,
        (RollingBack { target, .. }, event) => restore(target.as_mut(), event, now, in_grace)?,
        _ => return Err(Refusal::Phase),
    }
    Ok(())
}

/// The target after an event that is legal while it is being rolled back.
fn restore(
    target: Option<&mut Target>,
    event: Event,
    now: Timestamp,
    in_grace: bool,
) -> Result<(), Refusal> {
    match (target, event) {
        (Some(_), Event::RestorationAnnounced) => Ok(()),
        (Some(Target::Pair(pair)), event) => route(pair, event, now, in_grace),
        _ => Err(Refusal::Phase),
    }
}

/// The pair after an event that is legal both while the release is open and while it is being
/// rolled back.
fn route(
    pair: &mut PairTarget,
    event: Event,
    now: Timestamp,
    in_grace: bool,
) -> Result<(), Refusal> {
    match event {
        Event::ShiftAnnounced { from, to } => pair.announce_shift(from, to, now, in_grace),
        Event::ShiftConfirmed => pair.confirm_shift(now)?,
        Event::ScaleInRestorationAnnounced => pair.scale_in_suspended = Some(false),
        Event::RaiseAnnounced { tasks } => pair.raised_to = Some(tasks),
        _ => return Err(Refusal::Phase),
    }
    Ok(())
}

fn register(release: &mut Release, task_definition: String) -> Result<(), Refusal> {
    if release.registering.is_none() {
        return Err(Refusal::NoRegistration);
    }
    release.registered = Some(task_definition);
    Ok(())
}

/// The first failure stays, since later ones are mostly its consequences.
fn fail(release: &mut Release, failure: Failure) -> Result<(), Refusal> {
    if release.failure.is_some() {
        return Err(Refusal::FailureRecorded);
    }
    release.failure = Some(failure);
    Ok(())
}

/// From here on only `roll-back` changes the target.
fn take_over(release: &mut Release, now: Timestamp) {
    let target = match std::mem::replace(&mut release.phase, Phase::Beginning) {
        Phase::Open(target) => Some(target),
        Phase::RollingBack { target, .. } => target,
        Phase::Beginning => None,
    };
    release.phase = Phase::RollingBack { since: now, target };
}

/// A release that was not rolled back cannot end as if it was, and one that was cannot end as if it
/// went on.
fn may_end_as(phase: &Phase, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Failed | Outcome::Superseded => true,
        Outcome::Deployed | Outcome::Unchanged => matches!(phase, Phase::Open(_)),
        Outcome::RolledBack | Outcome::Held => {
            matches!(
                phase,
                Phase::RollingBack {
                    target: Some(_),
                    ..
                }
            )
        }
    }
}

/// The free lease after its release ended, and the release's record.
///
/// # Errors
/// When the lease is free, or its release cannot end like this in its phase.
pub fn close(
    lease: &Lease,
    conclusion: &Conclusion,
    now: Timestamp,
) -> Result<(Lease, Record), IllegalTransition> {
    let free = apply(lease, Event::Closed(conclusion.outcome), now)?;
    let record = lease
        .release
        .as_ref()
        .map(|release| Record::of_release(lease, release, conclusion, now));
    record
        .map(|record| (free, record))
        .ok_or(IllegalTransition {
            phase: lease.phase(),
            event: EventName::Closed,
            because: Refusal::Phase,
        })
}
