//! What was released in the period and how it ended, and what was refused.

use std::cmp::Reverse;

use crate::judge::report::visible;
use crate::release::{EndedRelease, JudgementRecord, Push};
use crate::timestamp::{Timestamp, readable};

use super::services::{class_of, digest};
use super::text::{moment, reason};

/// How many releases are listed. With all that is in a row the page stays below 300 KB.
const HISTORY_MAX: usize = 200;
/// How many refused pushes are listed.
const REFUSED_MAX: usize = 30;
/// How many reports of one release are linked.
const REPORTS_MAX: usize = 5;

/// A release that ended.
#[derive(Debug)]
pub(super) struct HistoryRow {
    pub(super) outcome: String,
    pub(super) class: &'static str,
    /// The pipeline, if no release had begun.
    pub(super) name: String,
    pub(super) revision: Option<String>,
    pub(super) digest: String,
    pub(super) ended: String,
    pub(super) took: Option<String>,
    pub(super) execution: String,
    pub(super) reason: Option<String>,
    pub(super) needs_operator: bool,
    pub(super) reports: Vec<ReportRow>,
}

/// The report of a judgement.
#[derive(Debug)]
pub(super) struct ReportRow {
    pub(super) verdict: String,
    /// Where it opens.
    pub(super) link: Option<String>,
    /// Where it is.
    pub(super) place: String,
}

/// A push that started nothing.
#[derive(Debug)]
pub(super) struct RefusedRow {
    pub(super) at: String,
    pub(super) pipeline: String,
    pub(super) tag: Option<String>,
    pub(super) digest: String,
    pub(super) refusal: String,
}

/// The newest releases, and how many more there are.
pub(super) fn history(
    ended: &[EndedRelease<'_>],
    address: &dyn Fn(&JudgementRecord) -> Option<String>,
) -> (Vec<HistoryRow>, usize) {
    let newest = ended.iter().rev().take(HISTORY_MAX);
    let rows = newest.map(|release| HistoryRow::of(release, address));
    (rows.collect(), ended.len().saturating_sub(HISTORY_MAX))
}

impl HistoryRow {
    fn of(
        release: &EndedRelease<'_>,
        address: &dyn Fn(&JudgementRecord) -> Option<String>,
    ) -> Self {
        let record = release.record;
        let is_last = release.earlier.is_none();
        let took = release.ended_at.since(record.started_at);
        let judgements = record.judgements.iter().filter(|_| is_last);
        let reports = judgements.take(REPORTS_MAX).map(|judgement| {
            let link = address(judgement).filter(|link| is_linked(link));
            ReportRow {
                verdict: visible(&judgement.verdict),
                link,
                place: visible(&judgement.report),
            }
        });

        Self {
            outcome: release.outcome.to_string(),
            class: class_of(release.outcome),
            name: visible(release.service.as_deref().unwrap_or(&record.pipeline)),
            revision: release.revision().map(visible),
            digest: digest(record.digest.as_deref()),
            ended: moment(release.ended_at),
            took: is_last.then(|| readable(took)),
            execution: visible(&record.execution),
            reason: release.reason().map(reason),
            needs_operator: is_last && record.needs_operator,
            reports: reports.collect(),
        }
    }
}

/// Whether an address is a link: nothing else, such as a script, and no invisible letter.
fn is_linked(address: &str) -> bool {
    address.starts_with("https://") && address.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The newest refused pushes since then, and how many more there are.
pub(super) fn refused(pushes: &[Push], since: Timestamp) -> (Vec<RefusedRow>, usize) {
    let mut found: Vec<(&Push, &str)> = pushes
        .iter()
        .filter(|push| push.claimed_at >= since)
        .filter_map(|push| Some((push, push.refusal.as_deref()?)))
        .collect();
    found.sort_by_key(|(push, _)| Reverse(push.claimed_at));

    let more = found.len().saturating_sub(REFUSED_MAX);
    let rows = found.iter().take(REFUSED_MAX);
    let rows = rows.map(|(push, refusal)| RefusedRow {
        at: moment(push.claimed_at),
        pipeline: visible(&push.pipeline),
        tag: push.tag.as_deref().map(visible),
        digest: digest(Some(&push.digest)),
        refusal: reason(refusal),
    });
    (rows.collect(), more)
}
