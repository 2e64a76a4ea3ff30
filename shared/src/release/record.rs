//! The record of one execution: that it started, and how it ended and why.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::target::is_false;
use super::{
    Change, Conclusion, DeployRole, JudgementRecord, Lease, Outcome, Prior, Release, Target,
    TrafficShift, expires_at,
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
    /// The role of the pipeline, if it is known before the release begins.
    pub deploy_role: Option<DeployRole>,
    pub outcome: Option<Outcome>,
    pub reason: Option<String>,
    /// Whether the release could not be restored and an operator must repair the service.
    #[serde(default, skip_serializing_if = "is_false")]
    pub needs_operator: bool,
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
            deploy_role: None,
            outcome: None,
            reason: None,
            needs_operator: false,
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
            deploy_role: release.deploy_role.clone(),
            outcome: Some(conclusion.outcome),
            reason: Some(conclusion.reason.chars().take(REASON_CHARS).collect()),
            needs_operator: conclusion.needs_operator
                || unrestored && failure.is_some_and(Failure::needs_operator),
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
        was_deployed || is_prior
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
mod tests {
    use serde_json::json;

    use super::*;

    /// 400 days after the start.
    const EXPIRES: i64 = 1_767_603_600 + 34_560_000;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
    }

    fn started() -> Record {
        Record {
            v: 1,
            execution: "e-1".to_owned(),
            pipeline: "slipway-web".to_owned(),
            digest: Some("sha256:00".to_owned()),
            cluster: None,
            service: None,
            state: RecordState::Started,
            deploy_role: None,
            outcome: None,
            reason: None,
            needs_operator: false,
            prior: None,
            change: None,
            repaired: None,
            shift: None,
            judgements: Vec::new(),
            started_at: at(0),
            ended_at: None,
            expires_at: None,
        }
    }

    #[test]
    fn a_record_goes_from_started_to_begun_or_closed_and_keeps_what_it_was() {
        assert_eq!(
            Record::started("e-1", "slipway-web", Some("sha256:00"), at(0)),
            started()
        );
        assert_eq!(
            Record::started("e-1", "slipway-web", None, at(0)),
            Record {
                digest: None,
                ..started()
            }
        );

        let begun = Record {
            state: RecordState::Begun,
            cluster: Some("apps".to_owned()),
            service: Some("web".to_owned()),
            ..started()
        };
        assert_eq!(started().begun("apps", "web"), begun);
        let unreadable = Record {
            reason: Some("because".to_owned()),
            ..started()
        };
        assert_eq!(unreadable.begun("apps", "web"), begun, "it was readable");

        let closed = Record {
            state: RecordState::Closed,
            outcome: Some(Outcome::Superseded),
            reason: Some("because".to_owned()),
            ended_at: Some(at(9)),
            expires_at: Some(EXPIRES + 9),
            ..started()
        };

        assert_eq!(
            started().closed(Outcome::Superseded, "because", at(9)),
            closed
        );
    }

    #[test]
    fn the_record_of_a_digest_that_was_rolled_back_never_expires() {
        for (outcome, expires) in [
            (Outcome::Failed, Some(EXPIRES + 9)),
            (Outcome::RolledBack, None),
        ] {
            let closed = started().closed(outcome, "because", at(9));
            assert_eq!(closed.expires_at, expires, "{outcome}");
        }
    }

    #[test]
    fn an_unreadable_job_is_in_the_record_until_the_release_begins() {
        let failure = Failure::configuration("`cluster` is missing");
        let noted = Record {
            reason: Some("`cluster` is missing".to_owned()),
            ..started()
        };
        assert_eq!(started().with_unreadable_job(&failure), Some(noted));

        let begun = started().begun("apps", "web");
        assert_eq!(begun.with_unreadable_job(&failure), None);
        let closed = started().closed(Outcome::Superseded, "because", at(9));
        assert_eq!(closed.with_unreadable_job(&failure), None);
    }

    #[test]
    fn a_closed_release_is_refused_with_how_it_ended() {
        let refusal = |outcome| {
            Record {
                outcome,
                ..started()
            }
            .refusal()
        };
        let refused = |word: &str| {
            Failure::configuration(format!(
                "release already {word}; start again with a new execution"
            ))
        };

        assert_eq!(refusal(Some(Outcome::RolledBack)), refused("rolled back"));
        assert_eq!(refusal(Some(Outcome::Deployed)), refused("deployed"));
        assert_eq!(refusal(None), refused("closed"));
    }

    #[test]
    fn outcomes_are_written_and_stored_as_the_same_words() {
        let words = [
            (Outcome::Deployed, "deployed"),
            (Outcome::Unchanged, "unchanged"),
            (Outcome::RolledBack, "rolled-back"),
            (Outcome::Superseded, "superseded"),
            (Outcome::Held, "held"),
            (Outcome::Failed, "failed"),
        ];

        for (outcome, word) in words {
            assert_eq!(outcome.to_string(), word);
            assert_eq!(
                serde_json::to_value(outcome).expect("serializes"),
                json!(word)
            );
        }
    }

    #[test]
    fn a_record_is_stored_without_what_it_does_not_have() {
        let stored = json!({
            "v": 1, "execution": "e-1", "pipeline": "slipway-web", "digest": "sha256:00",
            "state": "started", "started_at": "2026-01-05T09:00:00Z",
        });
        assert_eq!(serde_json::to_value(started()).expect("serializes"), stored);
        assert_eq!(
            serde_json::from_value::<Record>(stored).expect("parses"),
            started()
        );

        let closed = started()
            .begun("apps", "web")
            .closed(Outcome::Failed, "because", at(9));
        let stored = json!({
            "v": 1, "execution": "e-1", "pipeline": "slipway-web", "digest": "sha256:00",
            "cluster": "apps", "service": "web", "state": "closed", "outcome": "failed",
            "reason": "because",
            "started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T09:00:09Z",
        });

        assert_eq!(serde_json::to_value(closed).expect("serializes"), stored);
    }
}
