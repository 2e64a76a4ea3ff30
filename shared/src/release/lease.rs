//! The lease on a service: at most one release is open on it, and only that release's steps change
//! the service.
//!
//! A lease is changed by [`apply`](super::apply) only, except for the names of its service: outside
//! tests nothing else assigns to its fields.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Change, DeployRole, EarlierRelease, LastKnownRouting, LeftRunning, Outcome, PairTarget,
    Restart, Target,
};
use crate::freeze::{Guards, Line};
use crate::job::{Failure, Origin};
use crate::limits::{FUNCTION_TIMEOUT, STALE_READ};
use crate::observed::service::{revision, short_name};
use crate::observed::weights::Weights;
use crate::timestamp::Timestamp;

/// The lease of one service, or of one blue/green pair. Every write raises `fence` by one, on the
/// condition that it was the number read before, so a writer that read an older number can no
/// longer write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub cluster: String,
    pub service: String,
    /// 0 before the lease is written for the first time.
    pub fence: u64,
    /// When the last change of the service was announced. The invocation that announced it can make
    /// it until its time-out.
    pub changed_at: Option<Timestamp>,
    /// What the last release of a pair left behind.
    pub last_known: Option<LastKnownRouting>,
    /// What is released again, once no release holds the lease.
    pub restart: Option<Box<Restart>>,
    /// What the last release left running; none if that is not known.
    pub left: Option<Box<LeftRunning>>,
    /// The release that holds the lease; none when it is free.
    pub release: Option<Release>,
}

/// A release between `begin-release` and its close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub execution: String,
    pub pipeline: String,
    pub digest: Option<String>,
    /// Whether it brings back what the service ran before its own stack updated it.
    pub brings_back: bool,
    /// The releases of the same execution before it, of other services, oldest first.
    pub earlier: Vec<EarlierRelease>,
    pub began_at: Timestamp,
    /// What began it; none in a lease that was written before this was recorded.
    pub origin: Option<Origin>,
    /// The role under which its service is observed and changed; none for the functions' own
    /// credentials.
    pub deploy_role: Option<DeployRole>,
    /// The role under which the pipeline is read, if the deploy role is of another account; none
    /// if that role reads it too.
    pub pipeline_role: Option<DeployRole>,
    pub phase: Phase,
    /// The proof that a rollback may pass the roles of the prior release; none if the registration
    /// of the new revision passes the same, or nothing could prove it.
    pub role_proof: Option<RoleProof>,
    /// What holds its steps back, once it is recorded.
    pub guards: Guards,
    /// What the release began with although an operator should know it, for the summary of each
    /// job of its first action.
    pub warning: Option<String>,
    /// The registration of a revision that was announced.
    pub registering: Option<Registering>,
    /// The revision that this release registered; not one that existed before.
    pub registered: Option<String>,
    /// The weights that it found and set back to what the last release of the pair left.
    pub repaired: Option<Weights>,
    /// Why a step failed, so that later invocations report the same failure.
    pub failure: Option<Failure>,
    /// When its execution was first seen to have succeeded without `finish-release`.
    pub succeeded_at: Option<Timestamp>,
    /// Since when STS refuses the role under which the pipeline is read; none while it does not.
    pub role_refused_since: Option<Timestamp>,
    /// Since when no look at the open release could read the status of its execution, for causes
    /// that last; none while it can be read.
    pub unread_since: Option<Timestamp>,
}

/// A service that a release changes, whichever name its pipeline gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedService {
    /// The region and the account, as in an ARN.
    pub place: String,
    pub cluster: String,
    pub name: String,
}

/// How far an open release is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The lease is taken and the prior release is not recorded: nothing may be changed yet.
    Beginning,
    /// The release's steps may change the target.
    Open(Target),
    /// Only `roll-back` may change the target, which is none if the prior release was never
    /// recorded.
    RollingBack {
        since: Timestamp,
        target: Option<Target>,
    },
}

/// How far the proof of the roles is: an UpdateService that names the revision that already runs.
/// It changes nothing, unless it arrives after the first change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleProof {
    /// The release begins with it.
    Needed,
    /// The call is about to be made, or was made without a result that was recorded.
    Announced,
    /// ECS accepted the call.
    Made,
}

/// A registration that was announced, so that the revision can be attributed to this release even
/// if the process died before it recorded the revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registering {
    pub family: String,
    /// The family's newest revision before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
}

impl Release {
    /// A release that takes its lease now.
    #[must_use]
    pub fn begin(execution: &str, pipeline: &str, digest: Option<&str>, now: Timestamp) -> Self {
        Self {
            execution: execution.to_owned(),
            pipeline: pipeline.to_owned(),
            digest: digest.map(ToOwned::to_owned),
            brings_back: false,
            earlier: Vec::new(),
            began_at: now,
            origin: None,
            deploy_role: None,
            pipeline_role: None,
            phase: Phase::Beginning,
            role_proof: None,
            guards: Guards::default(),
            warning: None,
            registering: None,
            registered: None,
            repaired: None,
            failure: None,
            succeeded_at: None,
            role_refused_since: None,
            unread_since: None,
        }
    }

    /// What is waited for if ECS does not find a revision that this release registered: it is
    /// eventually consistent (remind101/empire#353, hashicorp/terraform-provider-aws#45553).
    /// `waited`: since the action began.
    #[must_use]
    pub fn awaits_revision(&self, task_definition: &str, waited: Duration) -> Option<String> {
        let is_own = |registered: &String| registered == task_definition;
        let is_new = self.registered.as_ref().is_some_and(is_own) && waited < STALE_READ;
        is_new.then(|| {
            format!(
                "{} was registered and is not found yet; retrying",
                revision(task_definition)
            )
        })
    }

    /// Whether a restart stays planned when this release takes the lease: if this one brings back
    /// what is older, and is not itself what was planned.
    #[must_use]
    pub(crate) fn leaves(&self, restart: &Restart) -> bool {
        self.brings_back && self.digest.as_ref() != Some(&restart.digest)
    }

    /// What the release changes, once its prior state is recorded.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match &self.phase {
            Phase::Beginning => None,
            Phase::Open(target) => Some(target),
            Phase::RollingBack { target, .. } => target.as_ref(),
        }
    }

    /// The pair that the release changes, if its target is one.
    #[must_use]
    pub fn pair(&self) -> Option<&PairTarget> {
        match self.target()? {
            Target::Pair(pair) => Some(pair),
            Target::Service(_) => None,
        }
    }

    /// The announced end state of the service, or of the idle colour.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        self.target().and_then(Target::change)
    }

    /// Whether the release found, registered or deploys this revision.
    #[must_use]
    pub fn names(&self, task_definition: &str) -> bool {
        self.registered.as_deref() == Some(task_definition)
            || self
                .target()
                .is_some_and(|target| target.names(task_definition))
    }

    /// When the release was taken over to be rolled back; none while it is open.
    #[must_use]
    pub fn rolling_back_since(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Beginning | Phase::Open(_) => None,
            Phase::RollingBack { since, .. } => Some(since),
        }
    }

    #[must_use]
    pub fn is_rolling_back(&self) -> bool {
        self.rolling_back_since().is_some()
    }

    /// What is left of the time in which a step that announced a change before the take-over can
    /// still make it; none while the release is open.
    #[must_use]
    pub fn steps_left(&self, now: Timestamp) -> Option<Duration> {
        time_left(self.rolling_back_since()?, now)
    }

    /// Whether a change of the target was made, as far as the ledger shows: traffic moves, or a
    /// deployment is recorded.
    #[must_use]
    pub(crate) fn has_made_change(&self) -> bool {
        let deployed = self
            .change()
            .is_some_and(|change| change.deployment.is_some());
        deployed || self.pair().is_some_and(|pair| pair.shift.is_some())
    }

    /// Whether a change of the target was announced, so that it was made or may have been.
    #[must_use]
    pub fn has_announced_change(&self) -> bool {
        self.target().is_some_and(Target::has_announced_change)
    }

    /// The stage into which the transition is disabled when the release ends like this: it failed
    /// after a change. What an operator stopped or a freeze ended stops no other.
    #[must_use]
    pub fn stops_before(&self, outcome: Outcome) -> Option<&str> {
        let failed = matches!(outcome, Outcome::RolledBack | Outcome::Failed)
            && self.has_announced_change()
            && self.failure.as_ref().is_some_and(|it| !it.is_frozen());
        self.guards.line.as_ref().filter(|_| failed).map(Line::next)
    }
}

impl Lease {
    /// The lease of a service that never had one. It is not in the ledger.
    #[must_use]
    pub fn unwritten(cluster: &str, service: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            fence: 0,
            changed_at: None,
            last_known: None,
            restart: None,
            left: None,
            release: None,
        }
    }

    /// The same lease under the names that a release gives before it takes it: as ARNs they name a
    /// region and an account, which may be others than those of the release before.
    #[must_use]
    pub fn named(self, cluster: &str, service: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            ..self
        }
    }

    /// The name of the cluster, which the release that took the lease last gave as a name or an
    /// ARN.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        short_name(&self.cluster)
    }

    /// Whether both are leases of one service, or of one pair.
    #[must_use]
    pub fn is_of_same_service(&self, other: &Self) -> bool {
        self.cluster_name() == other.cluster_name()
            && short_name(&self.service) == short_name(&other.service)
    }

    /// The services that the open release changes: one, or those of a pair; none before they are
    /// recorded.
    #[must_use]
    pub fn services(&self) -> Vec<ReleasedService> {
        let Some(target) = self.release.as_ref().and_then(Release::target) else {
            return Vec::new();
        };

        let revision = target.prior_task_definition();
        let place: Vec<&str> = revision.split(':').skip(3).take(2).collect();
        let service = |name: String| ReleasedService {
            place: place.join(":"),
            cluster: self.cluster_name().to_owned(),
            name: short_name(&name).to_owned(),
        };
        let names = target.services(&self.service);
        names.into_iter().map(service).collect()
    }

    /// The release, if `execution` holds the lease.
    #[must_use]
    pub fn held_by(&self, execution: &str) -> Option<&Release> {
        self.release
            .as_ref()
            .filter(|release| release.execution == execution)
    }

    /// Whether the release of `execution` has made a change of its target, or an invocation before
    /// that of `now` announced one: its result may have been lost. An invocation whose own change
    /// is refused has changed nothing.
    #[must_use]
    pub(crate) fn may_have_made_change(&self, execution: &str, now: Timestamp) -> bool {
        let is_earlier = self.changed_at.is_some_and(|announced| announced < now);
        self.held_by(execution).is_some_and(|release| {
            release.has_made_change() || (is_earlier && release.change().is_some())
        })
    }

    /// Whether it is time to look whether what the last release left still runs.
    #[must_use]
    pub fn is_drift_due(&self, now: Timestamp) -> bool {
        self.left.as_ref().is_some_and(|left| left.is_due(now))
    }

    /// What is left of the time in which an invocation that announced a change can still make it.
    /// The next, different change waits until it is over.
    #[must_use]
    pub fn grace_left(&self, now: Timestamp) -> Option<Duration> {
        time_left(self.changed_at?, now)
    }
}

/// What is left of the time-out of an invocation that began at `since` at the latest.
fn time_left(since: Timestamp, now: Timestamp) -> Option<Duration> {
    FUNCTION_TIMEOUT
        .checked_sub(now.since(since))
        .filter(|left| !left.is_zero())
}
