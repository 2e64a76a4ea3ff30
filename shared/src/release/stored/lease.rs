//! The item of a lease, with the release that holds it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_with::skip_serializing_none;

use super::Contradiction;
use crate::freeze::{Freeze, Guards, Line};
use crate::job::{Failure, Origin};
use crate::limits::FORMAT_VERSION;
use crate::observed::weights::Weights;
use crate::release::EarlierRelease;
use crate::release::target::is_false;
use crate::release::{
    AwaitingDecision, Change, DeployRole, JudgementRecord, LastKnownRouting, Lease, LeftRunning,
    PairTarget, Phase, Prior, Registering, Release, Restart, RoleProof, SeenHealth, ServiceTarget,
    SuspendedStickiness, Target, TrafficReturn, TrafficShift,
};
use crate::timestamp::Timestamp;

#[skip_serializing_none]
#[derive(Serialize, Deserialize)]
struct StoredLease {
    v: u32,
    cluster: String,
    service: String,
    fence: u64,
    changed_at: Option<Timestamp>,
    settled: Option<LastKnownRouting>,
    restart: Option<Box<Restart>>,
    left: Option<Box<LeftRunning>>,
    release: Option<StoredRelease>,
}

#[skip_serializing_none]
#[derive(Serialize, Deserialize)]
struct StoredRelease {
    execution: String,
    pipeline: String,
    digest: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    brings_back: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<EarlierRelease>,
    state: StoredState,
    began_at: Timestamp,
    origin: Option<Origin>,
    deploy_role: Option<DeployRole>,
    pipeline_role: Option<DeployRole>,
    prior: Option<Prior>,
    role_proof: Option<RoleProof>,
    freeze: Option<Freeze>,
    line: Option<Line>,
    warning: Option<String>,
    registering: Option<Registering>,
    registered: Option<String>,
    change: Option<Change>,
    repaired: Option<Weights>,
    shift: Option<TrafficShift>,
    scale_in_suspended: Option<bool>,
    sized: Option<u32>,
    #[serde(default, skip_serializing_if = "is_false")]
    retiring: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    recount: bool,
    health: Option<SeenHealth>,
    stickiness: Option<SuspendedStickiness>,
    restoring: Option<TrafficReturn>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    judged: Vec<JudgementRecord>,
    holding: Option<AwaitingDecision>,
    failure: Option<Failure>,
    succeeded_at: Option<Timestamp>,
    role_refused_since: Option<Timestamp>,
    unread_since: Option<Timestamp>,
    rolling_back_since: Option<Timestamp>,
}

/// Where a release stands.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredState {
    Open,
    RollingBack,
}

impl Serialize for Lease {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredLease::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Lease {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(StoredLease::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl From<Lease> for StoredLease {
    fn from(lease: Lease) -> Self {
        Self {
            v: FORMAT_VERSION,
            cluster: lease.cluster,
            service: lease.service,
            fence: lease.fence,
            changed_at: lease.changed_at,
            settled: lease.last_known,
            restart: lease.restart,
            left: lease.left,
            release: lease.release.map(StoredRelease::from),
        }
    }
}

impl TryFrom<StoredLease> for Lease {
    type Error = Contradiction;

    fn try_from(stored: StoredLease) -> Result<Self, Contradiction> {
        Ok(Self {
            cluster: stored.cluster,
            service: stored.service,
            fence: stored.fence,
            changed_at: stored.changed_at,
            last_known: stored.settled,
            restart: stored.restart,
            left: stored.left,
            release: stored.release.map(Release::try_from).transpose()?,
        })
    }
}

impl From<Release> for StoredRelease {
    fn from(release: Release) -> Self {
        let (state, since, target) = match release.phase {
            Phase::Beginning => (StoredState::Open, None, None),
            Phase::Open(target) => (StoredState::Open, None, Some(target)),
            Phase::RollingBack { since, target } => (StoredState::RollingBack, Some(since), target),
        };
        let stored = Self {
            execution: release.execution,
            pipeline: release.pipeline,
            digest: release.digest,
            brings_back: release.brings_back,
            earlier: release.earlier,
            state,
            began_at: release.began_at,
            origin: release.origin,
            deploy_role: release.deploy_role,
            pipeline_role: release.pipeline_role,
            prior: None,
            role_proof: release.role_proof,
            freeze: release.guards.freeze,
            line: release.guards.line,
            warning: release.warning,
            registering: release.registering,
            registered: release.registered,
            change: None,
            repaired: release.repaired,
            shift: None,
            scale_in_suspended: None,
            sized: None,
            retiring: false,
            recount: false,
            health: None,
            stickiness: None,
            restoring: None,
            judged: Vec::new(),
            holding: None,
            failure: release.failure,
            succeeded_at: release.succeeded_at,
            role_refused_since: release.role_refused_since,
            unread_since: release.unread_since,
            rolling_back_since: since,
        };

        match target {
            None => stored,
            Some(target) => stored.with_target(target),
        }
    }
}

impl StoredRelease {
    fn with_target(self, target: Target) -> Self {
        let prior = Some(target.prior());
        match target {
            Target::Service(service) => Self {
                prior,
                change: service.change,
                ..self
            },
            Target::Pair(pair) => Self {
                prior,
                change: pair.change,
                shift: pair.shift,
                scale_in_suspended: pair.scale_in_suspended,
                sized: pair.raised_to,
                retiring: pair.retiring,
                recount: pair.recount,
                health: pair.health,
                stickiness: pair.stickiness,
                restoring: pair.traffic_return,
                judged: pair.judgements,
                holding: pair.awaiting,
                ..self
            },
        }
    }

    /// The fields that only the release of a pair has, each with whether it is there.
    fn pair_fields(&self) -> [(&'static str, bool); 11] {
        [
            ("release.repaired", self.repaired.is_some()),
            ("release.shift", self.shift.is_some()),
            (
                "release.scale_in_suspended",
                self.scale_in_suspended.is_some(),
            ),
            ("release.sized", self.sized.is_some()),
            ("release.retiring", self.retiring),
            ("release.recount", self.recount),
            ("release.health", self.health.is_some()),
            ("release.stickiness", self.stickiness.is_some()),
            ("release.restoring", self.restoring.is_some()),
            ("release.judged", !self.judged.is_empty()),
            ("release.holding", self.holding.is_some()),
        ]
    }

    /// The fields that no release has before its prior state is recorded.
    fn target_fields(&self) -> impl Iterator<Item = (&'static str, bool)> {
        [
            ("release.registering", self.registering.is_some()),
            ("release.registered", self.registered.is_some()),
            ("release.change", self.change.is_some()),
        ]
        .into_iter()
        .chain(self.pair_fields())
    }

    /// What the release changes, with the fields that belong to it.
    fn target(&mut self) -> Result<Option<Target>, Contradiction> {
        match self.prior.take() {
            None => absent(self.target_fields(), "none without `release.prior`").map(|()| None),
            Some(Prior::Service(prior)) => {
                absent(self.pair_fields(), "none for a single service")?;
                Ok(Some(Target::Service(Box::new(ServiceTarget {
                    prior,
                    change: self.change.take(),
                }))))
            }
            Some(Prior::Pair { pair, recorded_at }) => {
                Ok(Some(Target::Pair(Box::new(PairTarget {
                    prior: *pair,
                    recorded_at,
                    change: self.change.take(),
                    shift: self.shift.take(),
                    scale_in_suspended: self.scale_in_suspended,
                    raised_to: self.sized,
                    retiring: self.retiring,
                    recount: self.recount,
                    health: self.health,
                    stickiness: self.stickiness,
                    traffic_return: self.restoring.take(),
                    judgements: std::mem::take(&mut self.judged),
                    awaiting: self.holding.take(),
                }))))
            }
        }
    }
}

fn absent(
    fields: impl IntoIterator<Item = (&'static str, bool)>,
    expected: &'static str,
) -> Result<(), Contradiction> {
    match fields.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((field, _)) => Err(Contradiction {
            field,
            found: "given",
            expected,
        }),
    }
}

impl TryFrom<StoredRelease> for Release {
    type Error = Contradiction;

    fn try_from(mut stored: StoredRelease) -> Result<Self, Contradiction> {
        let target = stored.target()?;
        let since = |found, expected| Contradiction {
            field: "release.rolling_back_since",
            found,
            expected,
        };

        let phase = match (stored.state, stored.rolling_back_since, target) {
            (StoredState::Open, Some(_), _) => {
                return Err(since("given", "none in state `open`"));
            }
            (StoredState::Open, None, None) => Phase::Beginning,
            (StoredState::Open, None, Some(target)) => Phase::Open(target),
            (StoredState::RollingBack, Some(since), target) => Phase::RollingBack { since, target },
            (StoredState::RollingBack, None, _) => {
                return Err(since("missing", "an instant in state `rolling-back`"));
            }
        };

        Ok(Self {
            execution: stored.execution,
            pipeline: stored.pipeline,
            digest: stored.digest,
            brings_back: stored.brings_back,
            earlier: stored.earlier,
            began_at: stored.began_at,
            origin: stored.origin,
            deploy_role: stored.deploy_role,
            pipeline_role: stored.pipeline_role,
            phase,
            role_proof: stored.role_proof,
            guards: Guards {
                freeze: stored.freeze,
                line: stored.line,
            },
            warning: stored.warning,
            registering: stored.registering,
            registered: stored.registered,
            repaired: stored.repaired,
            failure: stored.failure,
            succeeded_at: stored.succeeded_at,
            role_refused_since: stored.role_refused_since,
            unread_since: stored.unread_since,
        })
    }
}
