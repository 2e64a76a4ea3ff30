//! Words that several commands have in common.

use slipway::image::short_digest;
use slipway::observed::pipeline::{ActionNow, StageNow};
use slipway::observed::service::short_name;
use slipway::release::{Lease, Outcome, Record, RecordState};
use slipway::timestamp::Timestamp;

use crate::{Cell, Tone};

/// The name by which commands take a service.
pub(crate) fn name_of(lease: &Lease) -> String {
    format!("{}/{}", lease.cluster_name(), short_name(&lease.service))
}

pub(crate) fn outcome(outcome: Outcome) -> Cell {
    let tone = match outcome {
        Outcome::Deployed | Outcome::Unchanged => Tone::Good,
        Outcome::RolledBack | Outcome::Failed => Tone::Bad,
        Outcome::Superseded | Outcome::Held => Tone::Waiting,
    };
    Cell::new(&outcome.to_string(), tone)
}

/// How a record's release ended, or how far it is.
pub(crate) fn ending(record: &Record) -> Cell {
    match (record.outcome, record.state) {
        (Some(known), _) => outcome(known),
        (None, RecordState::Started) => Cell::new("started", Tone::Waiting),
        (None, RecordState::Begun) => Cell::new("begun", Tone::Waiting),
        (None, RecordState::Closed) => "closed".into(),
    }
}

pub(crate) fn digest(digest: Option<&str>) -> Cell {
    digest.map(short_digest).unwrap_or("-").into()
}

pub(crate) fn instant(at: Option<Timestamp>) -> Cell {
    at.map_or("-".into(), |at| at.to_string().into())
}

pub(crate) fn optional(text: Option<&str>) -> Cell {
    text.unwrap_or("-").into()
}

/// Where an execution is in its pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// It waits in front of a stage, into which the transition may be disabled for a reason.
    Before {
        stage: &'a str,
        disabled: Option<&'a str>,
    },
    /// An approval waits for an answer.
    Approval {
        action: &'a str,
    },
    Running(&'a ActionNow),
}

/// Where an execution is; none between two actions, and after its end.
pub(crate) fn place<'a>(stages: &'a [StageNow], execution: &str) -> Option<Place<'a>> {
    stages.iter().find_map(|stage| {
        if stage.inbound.iter().any(|inbound| inbound == execution) {
            return Some(Place::Before {
                stage: &stage.name,
                disabled: stage.disabled.as_deref(),
            });
        }
        if stage.execution.as_deref() != Some(execution) {
            return None;
        }
        let mut actions = stage.actions.iter();
        let action = actions.find(|action| action.is_running())?;
        Some(match action.token {
            Some(_) => Place::Approval {
                action: &action.name,
            },
            None => Place::Running(action),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(actions: &[(&str, &str, bool)]) -> StageNow {
        let actions = actions.iter().map(|(name, status, has_token)| ActionNow {
            name: (*name).to_owned(),
            status: Some((*status).to_owned()),
            summary: None,
            percent: None,
            token: has_token.then(|| "t".to_owned()),
        });
        StageNow {
            name: "Release".to_owned(),
            execution: Some("e-1".to_owned()),
            inbound: vec!["e-2".to_owned()],
            disabled: Some("e-0 failed".to_owned()),
            actions: actions.collect(),
        }
    }

    #[test]
    fn an_execution_is_before_a_stage_at_an_approval_or_in_an_action() {
        let waits = [stage(&[
            ("begin-release", "Succeeded", false),
            ("approve", "InProgress", true),
        ])];
        let approval = Place::Approval { action: "approve" };
        assert_eq!(place(&waits, "e-1"), Some(approval));
        let before = Place::Before {
            stage: "Release",
            disabled: Some("e-0 failed"),
        };
        assert_eq!(place(&waits, "e-2"), Some(before));
        assert_eq!(place(&waits, "e-3"), None);

        let runs = [stage(&[("fill", "InProgress", false)])];
        assert_eq!(
            place(&runs, "e-1"),
            Some(Place::Running(&runs[0].actions[0]))
        );
        let over = [stage(&[("fill", "Failed", false)])];
        assert_eq!(place(&over, "e-1"), None);
    }
}
