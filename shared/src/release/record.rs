//! The record of one execution: that it started, and how it ended and why.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::earlier::is_same;
use super::target::is_false;
use super::{
    Change, Conclusion, DeployRole, EarlierRelease, JudgementRecord, Lease, Outcome, Prior,
    Release, Target, TrafficShift, expires_at,
};
use crate::job::Failure;
use crate::limits::{FORMAT_VERSION, REASON_CHARS};
use crate::observed::weights::Weights;
use crate::timestamp::Timestamp;

/// One execution of a pipeline that is a release.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub v: u32,
    pub execution: String,
    pub pipeline: String,
    pub digest: Option<String>,
    /// Known once the release has begun.
    pub cluster: Option<String>,
    pub service: Option<String>,
    pub state: RecordState,
    /// The releases of the same execution before this one, of other services, oldest first: all of
    /// them were deployed, or changed nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierRelease>,
    /// The source action that took the digest, if `start-pipeline` or `roll-back` started it.
    pub action: Option<String>,
    /// Whether it brings back what the service ran before its own stack updated it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub brings_back: bool,
    /// The role of the pipeline, if it is known before the release begins.
    pub deploy_role: Option<DeployRole>,
    pub outcome: Option<Outcome>,
    pub reason: Option<String>,
    /// Whether the release could not be restored and an operator must repair the service.
    #[serde(default, skip_serializing_if = "is_false")]
    pub needs_operator: bool,
    /// Whether an operator took the release back, and nothing was found against its image: then it
    /// refuses no later push.
    #[serde(default, skip_serializing_if = "is_false")]
    pub withdrawn: bool,
    /// Whether it ended because a freeze lasted longer than an action can wait.
    #[serde(default, skip_serializing_if = "is_false")]
    pub frozen: bool,
    pub prior: Option<Prior>,
    pub change: Option<Change>,
    /// The weights that the release found and set back to what the last release of the pair left.
    pub repaired: Option<Weights>,
    /// The weights of the production rule that the release announced last.
    pub shift: Option<TrafficShift>,
    /// The judgements of the new colour that ended, with where their reports are.
    #[serde(default, rename = "judged", skip_serializing_if = "Vec::is_empty")]
    pub judgements: Vec<JudgementRecord>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// When DynamoDB may delete it, in seconds since the Unix epoch. Nothing decides by it.
    pub expires_at: Option<i64>,
}

/// How far an execution is, by its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordState {
    /// The execution was started; its release has not begun.
    Started,
    /// The release holds the lease of its service.
    Begun,
    /// Nothing more will happen.
    Closed,
}

impl Record {
    /// An execution that was just started for a digest.
    #[must_use]
    pub fn started(execution: &str, pipeline: &str, digest: Option<&str>, now: Timestamp) -> Self {
        Self {
            v: FORMAT_VERSION,
            execution: execution.to_owned(),
            pipeline: pipeline.to_owned(),
            digest: digest.map(ToOwned::to_owned),
            cluster: None,
            service: None,
            state: RecordState::Started,
            earlier: Vec::new(),
            action: None,
            brings_back: false,
            deploy_role: None,
            outcome: None,
            reason: None,
            needs_operator: false,
            withdrawn: false,
            frozen: false,
            prior: None,
            change: None,
            repaired: None,
            shift: None,
            judgements: Vec::new(),
            started_at: now,
            ended_at: None,
            expires_at: None,
        }
    }

    /// The record of a release that ended. A failure that needs an operator needs one still when
    /// nothing was restored.
    pub(super) fn of_release(
        lease: &Lease,
        release: &Release,
        conclusion: &Conclusion,
        now: Timestamp,
    ) -> Self {
        let failure = release.failure.as_ref();
        let unrestored = conclusion.outcome == Outcome::Failed;
        let pair = release.pair();

        Self {
            v: FORMAT_VERSION,
            execution: release.execution.clone(),
            pipeline: release.pipeline.clone(),
            digest: release.digest.clone(),
            cluster: Some(lease.cluster.clone()),
            service: Some(lease.service.clone()),
            state: RecordState::Closed,
            earlier: release.earlier.clone(),
            action: None,
            brings_back: false,
            deploy_role: release.deploy_role.clone(),
            outcome: Some(conclusion.outcome),
            reason: Some(conclusion.reason.chars().take(REASON_CHARS).collect()),
            needs_operator: conclusion.needs_operator
                || unrestored && failure.is_some_and(Failure::needs_operator),
            withdrawn: conclusion.withdrawn,
            frozen: failure.is_some_and(Failure::is_frozen),
            prior: release.target().map(Target::prior),
            change: release.change().cloned(),
            repaired: release.repaired,
            shift: pair.and_then(|pair| pair.shift.clone()),
            judgements: pair.map_or_else(Vec::new, |pair| pair.judgements.clone()),
            started_at: release.began_at,
            ended_at: Some(now),
            expires_at: is_good(conclusion.outcome).then(|| expires_at(now)),
        }
    }

    /// The ARN of the pipeline whose execution it is; none if it has no deploy role.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        let role = self.deploy_role.as_ref();
        role.map(|role| role.external_id.as_str())
    }

    /// Whether a revision that this execution registered may be the base of another release: its
    /// own was deployed, or it is what a rollback returned to.
    #[must_use]
    pub fn vouches_for(&self, task_definition: &str) -> bool {
        let was_deployed = self.outcome.is_some_and(is_good);
        let is_prior = match &self.prior {
            Some(Prior::Service(prior)) => prior.task_definition == task_definition,
            Some(Prior::Pair { .. }) | None => false,
        };
        was_deployed || is_prior || self.deployed_earlier(task_definition)
    }

    /// Whether an earlier release of the execution deployed this revision.
    fn deployed_earlier(&self, task_definition: &str) -> bool {
        let mut earlier = self.earlier.iter();
        earlier.any(|release| release.deployed(task_definition))
    }

    /// Whether the execution deployed this revision, in this release or in an earlier one.
    #[must_use]
    pub fn deployed(&self, task_definition: &str) -> bool {
        let change = self.change.as_ref();
        change.is_some_and(|change| change.task_definition == task_definition)
            || self.deployed_earlier(task_definition)
    }

    /// Whether a release of this service may be the execution's next one: this one is closed and
    /// ended well, and none was of that service. What was not deployed goes no further, and a late
    /// delivery of an earlier job begins nothing again.
    #[must_use]
    pub fn may_precede(&self, cluster: &str, service: &str) -> bool {
        self.ended_well()
            && !self.is_of(cluster, service)
            && !self.earlier.iter().any(|it| it.is_of(cluster, service))
    }

    /// Whether its release is closed and ended so that another one of the execution may follow.
    #[must_use]
    pub fn ended_well(&self) -> bool {
        self.as_earlier().is_some()
    }

    /// Whether its release is of this service.
    #[must_use]
    pub fn is_of(&self, cluster: &str, service: &str) -> bool {
        let own = self.cluster.as_deref().zip(self.service.as_deref());
        own.is_some_and(|(own_cluster, own_service)| {
            is_same([own_cluster, own_service], [cluster, service])
        })
    }

    /// The same execution before its next release begins.
    #[must_use]
    pub fn followed(&self, now: Timestamp) -> Self {
        let earlier = self.earlier.iter().cloned().chain(self.as_earlier());
        Self {
            earlier: earlier.collect(),
            ..Self::started(&self.execution, &self.pipeline, self.digest.as_deref(), now)
        }
    }

    /// The release before this one, which has just begun in its place.
    #[must_use]
    pub(crate) fn follows(&self) -> Option<&EarlierRelease> {
        let has_begun = self.state == RecordState::Begun;
        self.earlier.last().filter(|_| has_begun)
    }

    /// The release as later ones of its execution know it; none unless it ended well.
    fn as_earlier(&self) -> Option<EarlierRelease> {
        let change = self.change.as_ref();
        Some(EarlierRelease {
            outcome: self.outcome.filter(|outcome| is_good(*outcome))?,
            cluster: self.cluster.clone()?,
            service: self.service.clone()?,
            task_definition: change.map(|change| change.task_definition.clone()),
            ended_at: self.ended_at?,
        })
    }

    /// Why no release of another service begins while this one is open.
    #[must_use]
    pub fn open_elsewhere(&self) -> Failure {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        Failure::configuration(format!(
            "execution {} has an open release of service {} in cluster {}; expected one release \
             at a time: run finish-release before the next begin-release",
            self.execution,
            name(&self.service),
            name(&self.cluster)
        ))
    }

    /// Why a step of a closed release cannot act, as after RetryStageExecution.
    #[must_use]
    pub fn refusal(&self) -> Failure {
        let outcome = self.outcome.map_or_else(
            || "closed".to_owned(),
            |outcome| outcome.to_string().replace('-', " "),
        );

        Failure::configuration(format!(
            "release already {outcome}; start again with a new execution"
        ))
    }

    /// The same execution with why a job of it cannot be read. `None` once its release has begun:
    /// the failure is the release's then.
    #[must_use]
    pub fn with_unreadable_job(self, failure: &Failure) -> Option<Self> {
        (self.state == RecordState::Started).then(|| Self {
            reason: Some(failure.message.clone()),
            ..self
        })
    }

    /// The same execution once its release holds the lease.
    #[must_use]
    pub fn begun(self, cluster: &str, service: &str) -> Self {
        Self {
            state: RecordState::Begun,
            cluster: Some(cluster.to_owned()),
            service: Some(service.to_owned()),
            reason: None,
            ..self
        }
    }

    /// The same execution, ended before it held a lease.
    #[must_use]
    pub fn closed(self, outcome: Outcome, reason: &str, now: Timestamp) -> Self {
        let changed_nothing = self.state == RecordState::Started && outcome != Outcome::RolledBack;
        Self {
            state: RecordState::Closed,
            outcome: Some(outcome),
            reason: Some(reason.to_owned()),
            ended_at: Some(now),
            expires_at: changed_nothing.then(|| expires_at(now)),
            ..self
        }
    }
}

/// Whether what a release registered runs. A record of another outcome never expires: a release
/// without a record vouches for its revision, and no push may bring back what was rolled back.
fn is_good(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Deployed | Outcome::Unchanged)
}

#[cfg(test)]
mod tests;
