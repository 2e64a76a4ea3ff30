//! The lease on a service: at most one release is open on it, and only that release's steps change the service.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Record, RecordState};
use crate::job::Failure;
use crate::limits::{FORMAT_VERSION, FUNCTION_TIMEOUT};
use crate::observed::service::{Rollout, ServiceView};
use crate::strategy::Percentages;
use crate::strategy::blue_green::{Colour, PriorPair, Settled, Shift, Weights};
use crate::timestamp::Timestamp;

/// The lease of one service, or of one blue/green pair. Every write raises `fence` by one, on the condition that it was the number read before, so
/// whoever read an older number can no longer write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub v: u32,
    pub cluster: String,
    pub service: String,
    pub fence: u64,
    /// When the last change of the service was announced; an invocation that announced it may live one time-out longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// What the last release of a pair left behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
    /// The release that holds the lease; none when it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<OpenRelease>,
}

/// A release between `begin-release` and its close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRelease {
    pub execution: String,
    pub pipeline: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    pub state: State,
    pub began_at: Timestamp,
    /// The service as it was before the first change. No change is made without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<Prior>,
    /// The registration of a revision that was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registering: Option<Registering>,
    /// The revision that this release registered; not one that was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<String>,
    /// The change of the service that was announced, before it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// The weights of the production rule that were announced last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<Shift>,
    /// Whether scale-in of a pair was announced to be suspended, or to be given back again; none when it was never touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_in_suspended: Option<bool>,
    /// Tasks that the old colour was made to have, to take all of the traffic back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sized: Option<u32>,
    /// Why the traffic goes back to the old colour: once that is decided, it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restoring: Option<Restoring>,
    /// Judgements that have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judged: Vec<Judged>,
    /// The judgement that waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holding: Option<Holding>,
    /// Why a step failed, so that every later look at the same step says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolling_back_since: Option<Timestamp>,
}

/// A registration that was announced, so that its revision is known for this release's even if nobody could write it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registering {
    pub family: String,
    /// The family's newest revision before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
}

/// The decision of a step to give the traffic back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restoring {
    pub reason: String,
    pub since: Timestamp,
    /// Whether nothing was found against the new colour: nobody decided while the release held.
    #[serde(default, skip_serializing_if = "is_false")]
    pub held: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A judgement of the new colour, ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// When its action began: an action whose judgement has ended says the same ever after.
    pub since: Timestamp,
    /// `promote`, `rollback` or `inconclusive`.
    pub verdict: String,
    pub summary: String,
    /// What the judge measured, by output variable.
    pub outputs: BTreeMap<String, String>,
    /// Where the report is: bucket and key, without the ending.
    pub report: String,
}

/// A judgement that showed nothing either way and waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// When the action that holds began.
    pub action: Timestamp,
    pub since: Timestamp,
    /// What the person wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// What a person decides while a release holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The new colour goes on.
    Promote,
    /// The traffic goes back.
    RollBack,
}

/// Where an open release stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its steps may change the service.
    Open,
    /// Only `roll-back` may.
    RollingBack,
}

/// A service before a release changed it: what a rollback restores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prior {
    pub task_definition: String,
    pub desired_count: u32,
    pub percentages: Percentages,
    pub recorded_at: Timestamp,
    /// Both colours, when it is a blue/green pair; the fields above are then the live one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<PriorPair>,
}

impl Prior {
    /// The prior release as `view` shows it: the completed deployment if there is one (a PRIMARY that failed or never came up
    /// is nothing to return to), otherwise the PRIMARY; `None` when there is neither.
    #[must_use]
    pub fn of(view: &ServiceView) -> Option<Self> {
        let primary = view.primary()?;
        let completed = view
            .deployments
            .iter()
            .find(|d| d.rollout == Rollout::Completed);
        let proven = if primary.rollout == Rollout::Completed {
            primary
        } else {
            completed.unwrap_or(primary)
        };
        Some(Self {
            task_definition: proven.task_definition.clone(),
            desired_count: view.desired,
            percentages: view.percentages,
            recorded_at: view.observed_at,
            pair: None,
        })
    }
}

/// The end state that a release wants for its service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub task_definition: String,
    pub percentages: Percentages,
    /// Only when the release was asked to set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_count: Option<u32>,
    /// The deployment that ECS made of it, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
}

impl OpenRelease {
    /// Whether anything was changed for it, or may have been.
    #[must_use]
    pub fn touched(&self) -> bool {
        self.change.is_some() || self.shift.is_some() || self.scale_in_suspended.is_some()
    }

    /// What a release of a pair leaves behind when it closes, given what the one before did. One in which somebody else had the last
    /// word adds nothing.
    fn settled(&self, outcome: Outcome, before: Option<Settled>) -> Option<Settled> {
        let pair = self
            .prior
            .as_ref()
            .and_then(|prior| prior.pair.as_ref())
            .filter(|_| outcome != Outcome::Superseded);
        let Some(pair) = pair else { return before };
        let promoted = self.shift.as_ref().filter(|_| outcome == Outcome::Deployed);
        let weights = promoted.map_or(pair.weights(), |shift| shift.to);
        let owed = |colour: Colour| match self.scale_in_suspended {
            Some(true) => pair.of(colour).suspended,
            Some(false) => None,
            None => before.and_then(|before| before.owed(colour)),
        };
        Some(Settled {
            live: if promoted.is_some() {
                pair.idle()
            } else {
                pair.live
            },
            blue: weights.blue,
            green: weights.green,
            owed_blue: owed(Colour::Blue),
            owed_green: owed(Colour::Green),
        })
    }
}

impl Lease {
    /// The lease of a service that never had one, taken by `release`.
    #[must_use]
    pub fn first(cluster: &str, service: &str, release: OpenRelease) -> Self {
        let (cluster, service) = (cluster.to_owned(), service.to_owned());
        Self {
            v: FORMAT_VERSION,
            cluster,
            service,
            fence: 1,
            changed_at: None,
            settled: None,
            release: Some(release),
        }
    }

    /// The release, if `execution` holds the lease.
    #[must_use]
    pub fn held_by(&self, execution: &str) -> Option<&OpenRelease> {
        self.release
            .as_ref()
            .filter(|release| release.execution == execution)
    }

    /// The same lease one fence number later, with its release changed.
    fn next(&self, edit: impl FnOnce(&mut OpenRelease)) -> Self {
        let mut next = Self {
            fence: self.fence + 1,
            ..self.clone()
        };
        if let Some(release) = &mut next.release {
            edit(release);
        }
        next
    }

    /// A free lease, taken.
    #[must_use]
    pub fn taken(&self, release: OpenRelease) -> Self {
        Self {
            fence: self.fence + 1,
            release: Some(release),
            ..self.clone()
        }
    }

    #[must_use]
    pub fn with_prior(&self, prior: Prior) -> Self {
        self.next(|release| release.prior = Some(prior))
    }

    /// Announces a change; it is made after this is written, never before.
    #[must_use]
    pub fn with_change(&self, change: Change, now: Timestamp) -> Self {
        Self {
            changed_at: Some(now),
            ..self.next(|release| release.change = Some(change))
        }
    }

    /// Announces the registration of a revision.
    #[must_use]
    pub fn with_registering(&self, family: &str, newest: Option<String>, now: Timestamp) -> Self {
        let registering = Registering {
            family: family.to_owned(),
            newest,
        };
        Self {
            changed_at: Some(now),
            ..self.next(|release| release.registering = Some(registering))
        }
    }

    /// Announces a change that is told nowhere else, such as a restoration.
    #[must_use]
    pub fn announced(&self, now: Timestamp) -> Self {
        Self {
            changed_at: Some(now),
            ..self.next(|_| {})
        }
    }

    /// Remembers the revision that was registered, so that it can be retired if the release does not deploy it.
    #[must_use]
    pub fn with_registered(&self, arn: &str) -> Self {
        self.next(|release| release.registered = Some(arn.to_owned()))
    }

    /// Remembers the deployment that the announced change became.
    #[must_use]
    pub fn with_deployment(&self, deployment: &str) -> Self {
        self.next(|release| {
            if let Some(change) = &mut release.change {
                change.deployment = Some(deployment.to_owned());
            }
        })
    }

    /// Announces weights; they are set after this is written, never before. Weights that were announced earlier stay known as
    /// long as an invocation that hung can still set them.
    #[must_use]
    pub fn with_shift(&self, from: Weights, to: Weights, now: Timestamp) -> Self {
        let next = self.next(|release| {
            let before = release
                .shift
                .take()
                .filter(|_| self.settling(now).is_some());
            let known = before.map_or_else(Vec::new, Shift::announced);
            release.shift = Some(Shift {
                from,
                to,
                at: now,
                made: false,
                known,
            });
        });
        Self {
            changed_at: Some(now),
            ..next
        }
    }

    /// Remembers that the announced weights are set, as known `now`: from here on they bake, and the other colour drains.
    #[must_use]
    pub fn with_shift_made(&self, now: Timestamp) -> Self {
        self.next(|release| {
            if let Some(shift) = &mut release.shift {
                (shift.made, shift.at) = (true, now);
            }
        })
    }

    /// Announces that scale-in of the pair is suspended, or given back.
    #[must_use]
    pub fn with_scale_in(&self, suspended: bool, now: Timestamp) -> Self {
        Self {
            changed_at: Some(now),
            ..self.next(|release| release.scale_in_suspended = Some(suspended))
        }
    }

    /// Announces that the old colour is made this large.
    #[must_use]
    pub fn with_sized(&self, count: u32, now: Timestamp) -> Self {
        Self {
            changed_at: Some(now),
            ..self.next(|release| release.sized = Some(count))
        }
    }

    /// Remembers that the traffic goes back to the old colour, and why.
    #[must_use]
    pub fn with_restoring(&self, reason: &str, now: Timestamp) -> Self {
        self.restoring(reason, false, now)
    }

    /// Remembers that the traffic goes back because nobody decided while the release held.
    #[must_use]
    pub fn with_held(&self, reason: &str, now: Timestamp) -> Self {
        self.restoring(reason, true, now)
    }

    fn restoring(&self, reason: &str, held: bool, now: Timestamp) -> Self {
        let restoring = Restoring {
            reason: reason.to_owned(),
            since: now,
            held,
        };
        self.next(|release| release.restoring = release.restoring.take().or(Some(restoring)))
    }

    /// Remembers how a judgement ended; a hold of the same action is over.
    #[must_use]
    pub fn with_judged(&self, judged: Judged) -> Self {
        self.next(|release| {
            release.holding = release
                .holding
                .take()
                .filter(|holding| holding.action != judged.since);
            release.judged.retain(|known| known.since != judged.since);
            release.judged.push(judged);
        })
    }

    /// Remembers that the judgement of an action waits for a person.
    #[must_use]
    pub fn with_holding(&self, action: Timestamp, now: Timestamp) -> Self {
        self.next(|release| {
            release.holding = Some(Holding {
                action,
                since: now,
                decision: None,
            })
        })
    }

    /// Remembers what a person decided.
    #[must_use]
    pub fn with_decision(&self, decision: Decision) -> Self {
        self.next(|release| {
            if let Some(holding) = &mut release.holding {
                holding.decision = Some(decision);
            }
        })
    }

    /// What is left of the time in which an invocation that announced a change and hung can still make it: the next, different
    /// change waits for it.
    #[must_use]
    pub fn settling(&self, now: Timestamp) -> Option<Duration> {
        let since = now.since(self.changed_at?);
        FUNCTION_TIMEOUT
            .checked_sub(since)
            .filter(|left| !left.is_zero())
    }

    #[must_use]
    pub fn with_failure(&self, failure: Failure) -> Self {
        self.next(|release| release.failure = Some(failure))
    }

    /// Takes the release away from its steps: from here on only `roll-back` writes to the service.
    #[must_use]
    pub fn taken_over(&self, now: Timestamp) -> Self {
        self.next(|release| {
            release.state = State::RollingBack;
            release.rolling_back_since = Some(now);
        })
    }

    /// The lease given back, and the record of the release that held it.
    #[must_use]
    pub fn closed(&self, outcome: Outcome, reason: &str, now: Timestamp) -> Option<(Self, Record)> {
        let release = self.release.as_ref()?;
        let record = Record {
            v: FORMAT_VERSION,
            execution: release.execution.clone(),
            pipeline: release.pipeline.clone(),
            digest: release.digest.clone(),
            cluster: Some(self.cluster.clone()),
            service: Some(self.service.clone()),
            state: RecordState::Closed,
            outcome: Some(outcome),
            reason: Some(reason.chars().take(crate::limits::REASON_CHARS).collect()),
            prior: release.prior.clone(),
            change: release.change.clone(),
            shift: release.shift.clone(),
            judged: release.judged.clone(),
            started_at: release.began_at,
            ended_at: Some(now),
        };
        let settled = release.settled(outcome, self.settled);
        Some((
            Self {
                fence: self.fence + 1,
                settled,
                release: None,
                ..self.clone()
            },
            record,
        ))
    }
}

#[cfg(test)]
mod tests;
