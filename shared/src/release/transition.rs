//! The legal ways from one state of a lease to the next; everything else is refused. `apply`
//! decides about the events that take and free the lease or find it free, `step` about those of a
//! release that goes on: one match over the events, none of them left to a catch-all, so that a new
//! event does not compile until it has its place. What an event needs of the phase it gets from a
//! method of [`Phase`], which refuses the other phases.
//!
//! Nothing here ignores an event: it changes the lease or it is an [`IllegalTransition`].

use thiserror::Error;

use super::leaving::left_after;
use super::{
    Conclusion, Drift, Event, EventName, LastKnownRouting, Lease, LeftRunning, Outcome, PairTarget,
    Phase, PhaseName, Prior, Record, Refusal, Registering, Release, RoleProof, ServiceTarget,
    Target,
};
use crate::freeze::Guards;
use crate::job::{Failure, StepError};
use crate::observed::percentages::Percentages;
use crate::observed::weights::Weights;
use crate::timestamp::Timestamp;

/// An event that must not happen to a lease in its phase.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("cannot {event}: {phase}{because}")]
pub struct IllegalTransition {
    pub phase: PhaseName,
    pub event: EventName,
    pub because: Refusal,
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
            next.restart = next.restart.take().filter(|it| release.leaves(it));
            if let Some(left) = &mut next.left {
                left.drift = None;
            }
            *free = Some(*release);
            Ok(())
        }
        (None, Event::RepairAnnounced) if next.last_known.is_some() => Ok(()),
        (None, Event::StickinessNoted { off: None }) => give_back(&mut next.last_known),
        (None, Event::RestartNoted(restart)) => {
            next.restart = restart;
            Ok(())
        }
        (None, Event::DriftNoted(drift)) => note_drift(&mut next.left, drift),
        (Some(release), Event::Closed(outcome)) if may_end_as(&release.phase, outcome) => {
            let name = lease.service.as_str();
            if let Some(pair) = release.pair() {
                let (role, before) = (release.deploy_role.as_ref(), next.last_known.take());
                next.last_known = LastKnownRouting::after((name, pair), outcome, role, before);
            }
            next.left = left_after((name, &*release), outcome, now, next.left.take());
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
    let phase = &mut release.phase;
    match event {
        Event::PriorRecorded(prior) => phase.record_prior(prior)?,
        Event::FailureRecorded(failure) => fail(release, failure)?,
        Event::SuccessNoted => note_success(release, now)?,
        Event::RoleNoted { refused } => note_role(release, refused.then_some(now))?,
        Event::StatusNoted { unread } => note_status(release, unread.then_some(now))?,
        Event::TakenOver => phase.take_over(now)?,
        // Only the steps of an open release prove roles, register and deploy.
        Event::Guarded(guards) => guard(release, guards)?,
        Event::RoleProofAnnounced => prove_roles(release, RoleProof::Announced)?,
        Event::RoleProofMade => prove_roles(release, RoleProof::Made)?,
        Event::RegistrationAnnounced(new) => announce_registration(release, new)?,
        Event::Registered { task_definition } => register(release, task_definition)?,
        Event::ChangeAnnounced { change, had } => phase.open_target()?.announce(change, had),
        Event::DeploymentRecorded { deployment } => {
            phase.open_target()?.record_deployment(deployment)?;
        }
        // Only they suspend scale-in, judge the new colour and retire the old one.
        Event::ScaleInSuspensionAnnounced => phase.open_pair()?.scale_in_suspended = Some(true),
        Event::RetirementAnnounced => phase.open_pair()?.retiring = true,
        Event::HealthSeen(seen) => phase.open_pair()?.health = Some(seen),
        Event::ReturnDecided(decision) => phase.open_pair()?.decide_return(decision)?,
        Event::JudgementRecorded(judgement) => phase.open_pair()?.record_judgement(judgement),
        Event::DecisionAwaited { action } => phase.open_pair()?.await_decision(action, now),
        Event::OperatorDecided(decision) => phase.open_pair()?.record_decision(decision)?,
        // The traffic and the tasks of a pair also change while it is being rolled back.
        Event::ShiftAnnounced { from, to } => shift(release, (from, to), now, in_grace)?,
        Event::ShiftSubmitted { change } => phase.pair()?.shift_mut()?.submit(change)?,
        Event::ShiftConfirmed => phase.pair()?.shift_mut()?.confirm(now)?,
        Event::StickinessNoted { off } => phase.pair()?.note_stickiness(off, now),
        Event::ScaleInRestorationAnnounced => restore_scale_in(phase.pair()?),
        Event::RaiseAnnounced { tasks } => phase.pair()?.raised_to = Some(tasks),
        Event::RestorationAnnounced { percentages } => phase.restore(percentages)?,
        Event::PriorRegistered { task_definition } => phase.register_prior(task_definition)?,
        Event::Taken(_)
        | Event::RepairAnnounced
        | Event::RestartNoted(_)
        | Event::DriftNoted(_)
        | Event::Closed(_) => return Err(Refusal::Phase),
    }
    Ok(())
}

/// What a release owes of stickiness is only given back where one is known.
fn give_back(known: &mut Option<LastKnownRouting>) -> Result<(), Refusal> {
    known.as_mut().ok_or(Refusal::Phase)?.stickiness = None;
    Ok(())
}

/// What runs in place of what a release left is noted of what is known to be left.
fn note_drift(left: &mut Option<Box<LeftRunning>>, drift: Option<Drift>) -> Result<(), Refusal> {
    left.as_mut().ok_or(Refusal::Phase)?.drift = drift;
    Ok(())
}

/// The phases in which an event is legal, by what it gets: in any other it is refused.
impl Phase {
    /// From here on the release's steps may change the target.
    fn record_prior(&mut self, prior: Prior) -> Result<(), Refusal> {
        let Self::Beginning = self else {
            return Err(Refusal::Phase);
        };
        *self = Self::Open(Target::new(prior));
        Ok(())
    }

    /// From here on only `roll-back` changes the target.
    fn take_over(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.before_take_over()?;
        let target = match std::mem::replace(self, Self::Beginning) {
            Self::Open(target) => Some(target),
            Self::Beginning | Self::RollingBack { .. } => None,
        };
        *self = Self::RollingBack { since: now, target };
        Ok(())
    }

    fn before_take_over(&self) -> Result<(), Refusal> {
        match self {
            Self::Beginning | Self::Open(_) => Ok(()),
            Self::RollingBack { .. } => Err(Refusal::Phase),
        }
    }

    /// The target of an open release.
    fn open_target(&mut self) -> Result<&mut Target, Refusal> {
        match self {
            Self::Open(target) => Ok(target),
            Self::Beginning | Self::RollingBack { .. } => Err(Refusal::Phase),
        }
    }

    /// The pair of an open release.
    fn open_pair(&mut self) -> Result<&mut PairTarget, Refusal> {
        match self.open_target()? {
            Target::Pair(pair) => Ok(pair),
            Target::Service(_) => Err(Refusal::Phase),
        }
    }

    /// The pair of a release that is open or is being rolled back.
    fn pair(&mut self) -> Result<&mut PairTarget, Refusal> {
        let target = match self {
            Self::Open(target) => Some(target),
            Self::RollingBack { target, .. } => target.as_mut(),
            Self::Beginning => None,
        };
        match target {
            Some(Target::Pair(pair)) => Ok(pair),
            Some(Target::Service(_)) | None => Err(Refusal::Phase),
        }
    }

    /// The prior revision has this name from now on.
    fn register_prior(&mut self, task_definition: String) -> Result<(), Refusal> {
        self.restorable_service()?.prior.task_definition = task_definition;
        Ok(())
    }

    /// The service of a release that is being rolled back.
    fn restorable_service(&mut self) -> Result<&mut ServiceTarget, Refusal> {
        match self {
            Self::RollingBack {
                target: Some(Target::Service(service)),
                ..
            } => Ok(service),
            Self::Beginning | Self::Open(_) | Self::RollingBack { .. } => Err(Refusal::Phase),
        }
    }

    /// A release is being rolled back, to a prior release that was recorded.
    fn restore(&mut self, percentages: Option<Percentages>) -> Result<(), Refusal> {
        match self {
            Self::RollingBack {
                target: Some(target),
                ..
            } => {
                target.restore_with(percentages);
                if let Target::Pair(pair) = target {
                    pair.recount = false;
                }
                Ok(())
            }
            Self::Beginning | Self::Open(_) | Self::RollingBack { .. } => Err(Refusal::Phase),
        }
    }
}

/// The proof of the roles is made before anything is changed, and once.
fn prove_roles(release: &mut Release, after: RoleProof) -> Result<(), Refusal> {
    release.phase.open_target()?;
    let before = match after {
        RoleProof::Made => &[RoleProof::Announced][..],
        RoleProof::Needed | RoleProof::Announced => &[RoleProof::Needed, RoleProof::Announced],
    };
    let proof = release.role_proof.as_mut();
    let proof = proof.filter(|proof| before.contains(proof));
    *proof.ok_or(Refusal::NoRoleProof)? = after;
    Ok(())
}

fn guard(release: &mut Release, guards: Guards) -> Result<(), Refusal> {
    release.phase.open_target()?;
    release.guards = guards;
    Ok(())
}

fn announce_registration(release: &mut Release, new: Registering) -> Result<(), Refusal> {
    release.phase.open_target()?;
    release.registering = Some(new);
    Ok(())
}

fn register(release: &mut Release, task_definition: String) -> Result<(), Refusal> {
    release.phase.open_target()?;
    if release.registering.is_none() {
        return Err(Refusal::NoRegistration);
    }
    release.registered = Some(task_definition);
    Ok(())
}

fn shift(
    release: &mut Release,
    (from, to): (Weights, Weights),
    now: Timestamp,
    in_grace: bool,
) -> Result<(), Refusal> {
    let pair = release.phase.pair()?;
    pair.announce_shift(from, to, now, in_grace);
    note_repair(release, from);
    Ok(())
}

/// A count that is below the minimum of its scalable target is raised then.
fn restore_scale_in(pair: &mut PairTarget) {
    pair.scale_in_suspended = Some(false);
    pair.recount = true;
}

/// Before the new colour is filled, a shift sets back weights that were found.
fn note_repair(release: &mut Release, found: Weights) {
    if release.change().is_none() {
        release.repaired.get_or_insert(found);
    }
}

/// The first failure stays, since later ones are mostly its consequences.
fn fail(release: &mut Release, failure: Failure) -> Result<(), Refusal> {
    release.phase.before_take_over()?;
    if release.failure.is_some() {
        return Err(Refusal::FailureRecorded);
    }
    release.failure = Some(failure);
    Ok(())
}

/// The first time stays: the deadline of the release counts from it.
fn note_success(release: &mut Release, now: Timestamp) -> Result<(), Refusal> {
    let Release {
        phase,
        succeeded_at,
        ..
    } = release;
    phase.before_take_over()?;

    if succeeded_at.is_some() {
        return Err(Refusal::SuccessNoted);
    }
    *succeeded_at = Some(now);
    Ok(())
}

/// What was taken over has the deadline of its rollback.
fn note_role(release: &mut Release, refused_since: Option<Timestamp>) -> Result<(), Refusal> {
    release.phase.before_take_over()?;
    release.role_refused_since = refused_since;
    Ok(())
}

/// What was taken over is restored whatever its execution does.
fn note_status(release: &mut Release, unread_since: Option<Timestamp>) -> Result<(), Refusal> {
    release.phase.before_take_over()?;
    release.unread_since = unread_since;
    Ok(())
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
    let closed = apply(lease, Event::Closed(conclusion.outcome), now)?;
    let free = Lease {
        restart: conclusion.restart.clone().or(closed.restart),
        ..closed
    };
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
