//! Which change of the ledger is a notice: an item and what it was before.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Ended, Hold, NamedRelease, Notice, Occasion};
use crate::events::{LedgerChange, StartedApproval};
use crate::limits::FORMAT_VERSION;
use crate::release::{
    AwaitingDecision, JudgementRecord, Lease, Prior, Record, RecordState, Release,
};
use crate::timestamp::Timestamp;

/// What a change of the ledger announces, if anything.
///
/// # Errors
/// If an item is of a version that these functions do not know, or cannot be read.
pub fn of_change(change: &LedgerChange) -> Result<Option<Notice>, String> {
    let (old, Some(new)) = (change.old.as_ref(), change.new.as_ref()) else {
        return Ok(None);
    };
    let key = |name: &str| new[name].as_str().unwrap_or_default();
    if key("sk") == "record" && key("pk").starts_with("execution#") {
        let old = old.map(checked).transpose()?;
        return Ok(of_record(old.as_ref(), &checked(new)?, change.at));
    }
    // Beside the leases are marks, whose keys have a number sign and no slash.
    if key("pk") == "lease" && !key("sk").contains('#') {
        let old = old.map(checked).transpose()?;
        return Ok(of_lease(old.as_ref(), &checked(new)?, change.at));
    }
    Ok(None)
}

/// The item's value, if it is of this version.
fn checked<T: DeserializeOwned>(item: &Value) -> Result<T, String> {
    let version = &item["v"];
    if *version != FORMAT_VERSION {
        return Err(format!(
            "`v` of a ledger item is {version}; expected {FORMAT_VERSION}"
        ));
    }
    serde_json::from_value(item.clone()).map_err(|e| format!("failed to read a ledger item: {e}"))
}

/// A record announces each of its states but the first: that its release has begun, and how it
/// ended.
fn of_record(old: Option<&Record>, new: &Record, at: Timestamp) -> Option<Notice> {
    if old.is_some_and(|old| old.state == new.state) {
        return None;
    }
    let occasion = match new.state {
        RecordState::Started => return None,
        RecordState::Begun => Occasion::Started,
        RecordState::Closed => Occasion::Ended(Box::new(ended(new)?)),
    };
    Some(Notice {
        release: named(new),
        at,
        occasion,
    })
}

fn named(record: &Record) -> NamedRelease {
    let target = record.cluster.as_deref().zip(record.service.as_deref());
    NamedRelease::new(
        [&record.pipeline, &record.execution],
        record.digest.as_deref(),
        target.map(|(cluster, service)| [cluster, service]),
    )
}

fn ended(record: &Record) -> Option<Ended> {
    let prior = record.prior.as_ref().map(|prior| match prior {
        Prior::Service(service) => service.task_definition.clone(),
        Prior::Pair { pair, .. } => pair.of(pair.live).task_definition.clone(),
    });
    let change = record.change.as_ref();
    Some(Ended {
        outcome: record.outcome?,
        reason: record.reason.clone(),
        needs_operator: record.needs_operator,
        started_at: record.started_at,
        task_definition: change.map(|change| change.task_definition.clone()),
        prior,
        reports: reports(&record.judgements),
    })
}

fn reports(judgements: &[JudgementRecord]) -> Vec<String> {
    let reports = judgements.iter().map(|judgement| judgement.report.clone());
    reports.collect()
}

/// A lease announces that its release has begun to wait for a decision, or that what the last one
/// left was replaced.
fn of_lease(old: Option<&Lease>, new: &Lease, at: Timestamp) -> Option<Notice> {
    of_hold(old, new, at).or_else(|| of_drift(old, new, at))
}

fn of_drift(old: Option<&Lease>, new: &Lease, at: Timestamp) -> Option<Notice> {
    let left = new.left.as_deref()?;
    let drift = left.drift.as_ref()?;
    let before = old.and_then(|old| old.left.as_deref());
    let before = before.and_then(|left| left.drift.as_ref());
    if before == Some(drift) {
        return None;
    }

    // The service is observed under this role alone, whose external id is the pipeline.
    let owner = left.deploy_role.as_ref()?.external_id.as_str();
    let pipeline = owner.rsplit(':').next()?;
    Some(Notice {
        release: NamedRelease::new(
            [pipeline, &left.execution],
            None,
            Some([&new.cluster, &new.service]),
        ),
        at,
        occasion: Occasion::Drift {
            found: left.shown_drift()?,
            seen_at: drift.seen_at,
        },
    })
}

fn of_hold(old: Option<&Lease>, new: &Lease, at: Timestamp) -> Option<Notice> {
    let release = new.release.as_ref()?;
    let waits = awaiting(release).filter(|it| it.decision.is_none())?;
    let before = old
        .and_then(|old| old.held_by(&release.execution))
        .and_then(awaiting);
    if before.is_some_and(|before| before.action == waits.action) {
        return None;
    }

    let pair = release.pair()?;
    let traffic = pair.shift.as_ref().map(|shift| shift.to.to_string());
    Some(Notice {
        release: NamedRelease::new(
            [&release.pipeline, &release.execution],
            release.digest.as_deref(),
            Some([&new.cluster, &new.service]),
        ),
        at,
        occasion: Occasion::Hold(Box::new(Hold {
            action: waits.action,
            traffic,
            reports: reports(&pair.judgements),
        })),
    })
}

fn awaiting(release: &Release) -> Option<&AwaitingDecision> {
    release.pair()?.awaiting.as_ref()
}

/// Whether an approval began after a release after which another one may follow. One that began
/// before its end is over.
fn waits_after(record: &Record, approval: &StartedApproval) -> bool {
    record.ended_well() && record.ended_at <= Some(approval.at)
}

/// The notice of an approval that waits, with what the ledger has of its execution; none if the
/// execution is another pipeline's, or ended so that no release follows.
#[must_use]
pub fn of_approval(record: &Record, approval: &StartedApproval) -> Option<Notice> {
    if record.pipeline != approval.pipeline {
        return None;
    }
    let release = match record.state {
        RecordState::Started | RecordState::Begun => named(record),
        // Between two releases: the ledger does not have which service is next.
        RecordState::Closed if waits_after(record, approval) => {
            named(&record.followed(approval.at))
        }
        RecordState::Closed => return None,
    };
    Some(Notice {
        release,
        at: approval.at,
        occasion: Occasion::Approval {
            stage: approval.stage.clone(),
            action: approval.action.clone(),
            id: approval.id.clone(),
        },
    })
}
