//! The record of one execution: that it started, and how it ended and why.

use serde::{Deserialize, Serialize};

use super::target::is_false;
use super::{
    Change, Conclusion, DeployRole, JudgementRecord, Lease, Outcome, Prior, Release, Target,
    TrafficShift,
};
use crate::job::Failure;
use crate::limits::{FORMAT_VERSION, REASON_CHARS};
use crate::observed::weights::Weights;
use crate::timestamp::Timestamp;

/// One execution of a pipeline that is a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub v: u32,
    pub execution: String,
    pub pipeline: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Known once the release has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub state: RecordState,
    /// The role of the pipeline, if it is known before the release begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_role: Option<DeployRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the release could not be restored and an operator must repair the service.
    #[serde(default, skip_serializing_if = "is_false")]
    pub needs_operator: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<Prior>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// The weights that the release found and set back to what the last release of the pair left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repaired: Option<Weights>,
    /// The weights of the production rule that the release announced last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<TrafficShift>,
    /// The judgements of the new colour that ended, with where their reports are.
    #[serde(default, rename = "judged", skip_serializing_if = "Vec::is_empty")]
    pub judgements: Vec<JudgementRecord>,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// An execution that was started and whose release has neither begun nor ended: the sweep checks
/// whether it has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub v: u32,
    pub execution: String,
    pub pipeline: String,
    /// The role under which the execution's status is read; none for the functions' own
    /// credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_role: Option<DeployRole>,
}

impl Started {
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            v: record.v,
            execution: record.execution.clone(),
            pipeline: record.pipeline.clone(),
            deploy_role: record.deploy_role.clone(),
        }
    }
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
        }
    }

    /// Whether a revision that this execution registered may be the base of another release: its
    /// own was deployed, or it is what a rollback returned to.
    #[must_use]
    pub fn vouches_for(&self, task_definition: &str) -> bool {
        let was_deployed = matches!(self.outcome, Some(Outcome::Deployed | Outcome::Unchanged));
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
        Self {
            state: RecordState::Closed,
            outcome: Some(outcome),
            reason: Some(reason.to_owned()),
            ended_at: Some(now),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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

        let closed = Record {
            state: RecordState::Closed,
            outcome: Some(Outcome::Superseded),
            reason: Some("because".to_owned()),
            ended_at: Some(at(9)),
            ..started()
        };

        assert_eq!(
            started().closed(Outcome::Superseded, "because", at(9)),
            closed
        );
    }

    #[test]
    fn the_mark_of_a_started_execution_names_it_and_its_pipeline() {
        let mark = Started {
            v: 1,
            execution: "e-1".to_owned(),
            pipeline: "slipway-web".to_owned(),
            deploy_role: None,
        };

        assert_eq!(Started::of(&started()), mark);

        let stored = json!({"v": 1, "execution": "e-1", "pipeline": "slipway-web"});
        assert_eq!(serde_json::to_value(mark).expect("serializes"), stored);
    }

    #[test]
    fn a_started_execution_keeps_the_role_under_which_its_status_is_read() {
        let role = DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web".to_owned(),
        };
        let record = Record {
            deploy_role: Some(role.clone()),
            ..started()
        };
        let stored = json!({"arn": role.arn, "external_id": role.external_id});

        let mark = Started::of(&record);
        assert_eq!(mark.deploy_role.as_ref(), Some(&role));
        let written = serde_json::to_value(&mark).expect("serializes");
        assert_eq!(written["deploy_role"], stored);
        assert_eq!(
            serde_json::from_value::<Started>(written).expect("parses"),
            mark
        );

        let written = serde_json::to_value(&record).expect("serializes");
        assert_eq!(written["deploy_role"], stored);
        assert_eq!(
            serde_json::from_value::<Record>(written).expect("parses"),
            record
        );
        assert_eq!(record.begun("apps", "web").deploy_role, Some(role));
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
