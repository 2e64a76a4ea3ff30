//! What a release changes, a service or a blue/green pair, and what was recorded of it before that.
//!
//! What only a pair has is a field of [`PairTarget`]: no release of a single service can have it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    AwaitingDecision, Before, Change, FoundDeployment, JudgementRecord, OperatorDecision,
    PriorPair, PriorState, Refusal, SeenHealth, SuspendedStickiness, TrafficShift,
};
use crate::job::Failure;
use crate::observed::colour::{Colour, PerColour};
use crate::observed::percentages::Percentages;
use crate::observed::service::ServiceView;
use crate::observed::weights::Weights;
use crate::timestamp::Timestamp;

/// The target of a release, from the moment its prior state is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Service(Box<ServiceTarget>),
    Pair(Box<PairTarget>),
}

/// A single service that is deployed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTarget {
    pub prior: PriorService,
    /// The change of the service that was announced, before it was made.
    pub change: Option<Change>,
}

/// A blue/green pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairTarget {
    pub prior: PriorPair,
    pub recorded_at: Timestamp,
    /// The change of the idle colour that was announced, before it was made.
    pub change: Option<Change>,
    /// The weights of the route that were announced last.
    pub shift: Option<TrafficShift>,
    /// Whether scale-in was announced to be suspended, or to be restored; none when left alone.
    pub scale_in_suspended: Option<bool>,
    /// Tasks that the old colour was raised to, to take all of the traffic back.
    pub raised_to: Option<u32>,
    /// Whether it was announced that the old colour is scaled to no tasks.
    pub retiring: bool,
    /// Whether scale-in was announced to be restored after the new colour was reset last.
    pub recount: bool,
    /// What was seen of the new colour's health while it had traffic, if it was not all as filled.
    pub health: Option<SeenHealth>,
    /// The stickiness of the rule, if it was announced to be switched off with the return.
    pub stickiness: Option<SuspendedStickiness>,
    /// The decision to return the traffic to the old colour. Once made, it stays.
    pub traffic_return: Option<TrafficReturn>,
    /// Judgements that have ended.
    pub judgements: Vec<JudgementRecord>,
    /// The judgement that waits for an operator's decision.
    pub awaiting: Option<AwaitingDecision>,
}

/// The target before a release changed it: what a rollback restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prior {
    Service(PriorService),
    Pair {
        pair: Box<PriorPair>,
        recorded_at: Timestamp,
    },
}

/// A service before a release changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorService {
    pub task_definition: String,
    pub desired_count: u32,
    pub percentages: Percentages,
    /// `healthyPercent` of its early success criteria, when they are on.
    pub early_success: Option<u32>,
    /// The PRIMARY deployment as it was seen, failed or not. Older leases have none.
    pub found: Option<FoundDeployment>,
    pub recorded_at: Timestamp,
}

/// The decision of a step to return the traffic to the old colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficReturn {
    pub reason: String,
    pub since: Timestamp,
    /// Whether nothing was found against the new colour: no operator decided in time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub held: bool,
}

pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

impl PriorService {
    /// The prior release that `view` shows: the completed deployment if there is one (a PRIMARY
    /// that failed or never came up cannot be returned to), otherwise the PRIMARY; `None` when
    /// there is neither.
    #[must_use]
    pub fn from_view(view: &ServiceView) -> Option<Self> {
        let primary = view.primary()?;
        let completed = view
            .deployments
            .iter()
            .find(|deployment| view.is_completed(deployment));
        let proven = if view.is_completed(primary) {
            primary
        } else {
            completed.unwrap_or(primary)
        };

        Some(Self {
            task_definition: proven.task_definition.clone(),
            desired_count: view.desired,
            percentages: view.percentages,
            early_success: view.early_success,
            found: FoundDeployment::from_view(view),
            recorded_at: view.observed_at,
        })
    }

    fn renew(&mut self, had: PriorState) {
        self.found = had.found;
        self.desired_count = had.desired_count;
        self.percentages = had.percentages;
        self.early_success = had.early_success;
    }

    /// The deployment that was PRIMARY before the release.
    #[must_use]
    pub fn found(&self) -> Before<'_> {
        Before::new(self.found.as_ref(), &self.task_definition)
    }
}

impl Target {
    #[must_use]
    pub fn new(prior: Prior) -> Self {
        match prior {
            Prior::Service(prior) => Self::Service(Box::new(ServiceTarget {
                prior,
                change: None,
            })),
            Prior::Pair { pair, recorded_at } => {
                Self::Pair(Box::new(PairTarget::new(*pair, recorded_at)))
            }
        }
    }

    #[must_use]
    pub fn prior(&self) -> Prior {
        match self {
            Self::Service(service) => Prior::Service(service.prior.clone()),
            Self::Pair(pair) => Prior::Pair {
                pair: Box::new(pair.prior.clone()),
                recorded_at: pair.recorded_at,
            },
        }
    }

    /// The revision that served before the release: the service's, or that of the live colour.
    #[must_use]
    pub fn prior_task_definition(&self) -> &str {
        match self {
            Self::Service(service) => &service.prior.task_definition,
            Self::Pair(pair) => &pair.prior.of(pair.prior.live).task_definition,
        }
    }

    /// The services that the release changes, where `name` is the name or the ARN in its lease.
    #[must_use]
    pub fn services(&self, name: &str) -> Vec<String> {
        match self {
            Self::Service(_) => vec![name.to_owned()],
            Self::Pair(pair) => {
                let PerColour { blue, green } = pair.prior.services(name);
                vec![blue, green]
            }
        }
    }

    /// Whether the release found this revision, returns to it, or deploys it.
    #[must_use]
    pub fn names(&self, task_definition: &str) -> bool {
        let is_named = |prior: &str, found: Before<'_>| {
            prior == task_definition || found.task_definition == task_definition
        };
        let is_prior = match self {
            Self::Service(service) => {
                is_named(&service.prior.task_definition, service.prior.found())
            }
            Self::Pair(pair) => [Colour::Blue, Colour::Green].iter().any(|colour| {
                let prior = pair.prior.of(*colour);
                is_named(&prior.task_definition, prior.found())
            }),
        };
        let change = self.change();
        is_prior || change.is_some_and(|change| change.task_definition == task_definition)
    }

    /// Whether the service, or the live colour, ran this revision before the release.
    #[must_use]
    pub fn ran(&self, task_definition: &str) -> bool {
        let found = match self {
            Self::Service(service) => service.prior.found(),
            Self::Pair(pair) => pair.prior.of(pair.prior.live).found(),
        };
        found.task_definition == task_definition
    }

    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Service(service) => service.change.as_ref(),
            Self::Pair(pair) => pair.change.as_ref(),
        }
    }

    /// What a single service had when its first change was announced is what a rollback restores:
    /// automatic scaling may have moved it since the release began.
    pub(super) fn announce(&mut self, change: Change, had: Option<PriorState>) {
        if let Some(had) = had.filter(|_| self.change().is_none()) {
            match self {
                Self::Service(service) => service.prior.renew(had),
                Self::Pair(pair) => pair.prior.idle_mut().found = had.found,
            }
        }
        *self.change_mut() = Some(change);
    }

    pub(super) fn change_mut(&mut self) -> &mut Option<Change> {
        match self {
            Self::Service(service) => &mut service.change,
            Self::Pair(pair) => &mut pair.change,
        }
    }

    /// Percentages that a rollback is about to set count as set by the release.
    pub(super) fn restore_with(&mut self, percentages: Option<Percentages>) {
        if let Some((change, percentages)) = self.change_mut().as_mut().zip(percentages) {
            change.announce_percentages(percentages);
        }
    }

    pub(super) fn record_deployment(&mut self, deployment: String) -> Result<(), Refusal> {
        let change = self.change_mut().as_mut().ok_or(Refusal::NoChange)?;
        change.deployment = Some(deployment);
        Ok(())
    }

    /// Whether a change was announced, so that it was made or may have been.
    #[must_use]
    pub fn has_announced_change(&self) -> bool {
        match self {
            Self::Service(service) => service.change.is_some(),
            Self::Pair(pair) => {
                pair.change.is_some() || pair.shift.is_some() || pair.scale_in_suspended.is_some()
            }
        }
    }
}

impl PairTarget {
    /// The pair of a release, for a step that works on pairs only.
    ///
    /// # Errors
    /// A ConfigurationError when the release is of a single service.
    pub fn required(target: &Target) -> Result<&Self, Failure> {
        match target {
            Target::Pair(pair) => Ok(pair),
            Target::Service(_) => Err(Failure::configuration(
                "begin-release took the lease on a single service; expected a blue/green pair: set \
                 `strategy` to `blue-green` in begin-release and update-service",
            )),
        }
    }

    /// A pair that was recorded and not changed yet.
    #[must_use]
    pub fn new(prior: PriorPair, recorded_at: Timestamp) -> Self {
        Self {
            prior,
            recorded_at,
            change: None,
            shift: None,
            scale_in_suspended: None,
            raised_to: None,
            retiring: false,
            recount: false,
            health: None,
            stickiness: None,
            traffic_return: None,
            judgements: Vec::new(),
            awaiting: None,
        }
    }

    /// `in_grace`: whether an invocation can still make the change that was announced last. As long
    /// as one can set the weights of the shift before, they stay known; a later announcement of
    /// another change does not make that longer.
    pub(super) fn announce_shift(
        &mut self,
        from: Weights,
        to: Weights,
        now: Timestamp,
        in_grace: bool,
    ) {
        let before = self
            .shift
            .take()
            .filter(|shift| in_grace && shift.may_be_made_late(now));
        let known = before.map_or_else(Vec::new, TrafficShift::possible_weights);
        self.shift = Some(TrafficShift {
            from,
            to,
            at: now,
            made: false,
            change: None,
            known,
        });
    }

    pub(super) fn shift_mut(&mut self) -> Result<&mut TrafficShift, Refusal> {
        self.shift.as_mut().ok_or(Refusal::NoShift)
    }

    /// The first reason stays: it is what the operator is shown, and the deadline counts from it.
    pub(super) fn decide_return(&mut self, decision: TrafficReturn) -> Result<(), Refusal> {
        if self.traffic_return.is_some() {
            return Err(Refusal::ReturnDecided);
        }
        self.traffic_return = Some(decision);
        Ok(())
    }

    /// Replaces an earlier record of the same action, and ends its wait for a decision.
    pub(super) fn record_judgement(&mut self, judgement: JudgementRecord) {
        self.awaiting
            .take_if(|awaiting| awaiting.action == judgement.since);
        self.judgements
            .retain(|known| known.since != judgement.since);
        self.judgements.push(judgement);
    }

    pub(super) fn await_decision(&mut self, action: Timestamp, now: Timestamp) {
        self.awaiting = Some(AwaitingDecision::new(action, now));
    }

    /// `off`: for how long the rule bound clients, if that is about to end.
    pub(super) fn note_stickiness(&mut self, off: Option<Duration>, now: Timestamp) {
        self.stickiness = off.map(|duration| SuspendedStickiness::new(duration, now));
    }

    pub(super) fn record_decision(&mut self, decision: OperatorDecision) -> Result<(), Refusal> {
        let awaiting = self.awaiting.as_mut().ok_or(Refusal::NoWait)?;
        awaiting.decision = Some(decision);
        Ok(())
    }
}
