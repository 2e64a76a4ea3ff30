//! The services of the ledger, and what is released now.

use crate::image::short_digest;
use crate::judge::report::visible;
use crate::observed::service::short_name;
use crate::release::{EndedRelease, Lease, Outcome, Release, Standing, Started};
use crate::timestamp::{Timestamp, readable};

use super::text::{moment, reason};

/// An open release.
#[derive(Debug)]
pub(super) struct OpenRow {
    pub(super) service: String,
    pub(super) state: String,
    pub(super) class: &'static str,
    pub(super) since: String,
    pub(super) lasts: String,
    pub(super) digest: String,
    pub(super) weights: Option<String>,
    pub(super) pipeline: String,
    pub(super) execution: String,
    /// Why it is not just going on.
    pub(super) note: Option<String>,
}

/// An execution whose release has not begun.
#[derive(Debug)]
pub(super) struct StartedRow {
    pub(super) pipeline: String,
    pub(super) execution: String,
}

/// A service or a pair.
#[derive(Debug)]
pub(super) struct ServiceRow {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) class: &'static str,
    pub(super) weights: Option<String>,
    pub(super) deployed: Option<DeployedCell>,
    pub(super) last: Option<LastCell>,
}

/// The last revision that was deployed in the period.
#[derive(Debug)]
pub(super) struct DeployedCell {
    pub(super) revision: String,
    pub(super) digest: String,
    pub(super) at: String,
}

/// How the last release of the period ended.
#[derive(Debug)]
pub(super) struct LastCell {
    pub(super) outcome: String,
    pub(super) class: &'static str,
    pub(super) at: String,
}

/// The name by which commands take a service.
pub(super) fn name_of(lease: &Lease) -> String {
    format!("{}/{}", lease.cluster_name(), short_name(&lease.service))
}

/// The digest of an image, short enough for a row.
pub(super) fn digest(digest: Option<&str>) -> String {
    digest.map_or("no digest".to_owned(), |digest| {
        visible(short_digest(digest))
    })
}

/// The style of an outcome; its word is beside it.
pub(super) fn class_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Deployed | Outcome::Unchanged => "good",
        Outcome::RolledBack | Outcome::Failed => "bad",
        Outcome::Superseded | Outcome::Held => "unsure",
    }
}

fn class_of_open(standing: Standing) -> &'static str {
    match standing {
        Standing::RollingBack | Standing::ReturningTraffic | Standing::Failed => "bad",
        Standing::WaitingForDecision => "unsure",
        Standing::Beginning | Standing::Open => "wait",
    }
}

/// The open releases.
pub(super) fn open(leases: &[&Lease], now: Timestamp) -> Vec<OpenRow> {
    let open = leases
        .iter()
        .filter_map(|lease| Some((lease, lease.release.as_ref()?)));
    open.map(|(lease, release)| {
        let standing = release.standing();
        OpenRow {
            service: visible(&name_of(lease)),
            state: standing.to_string(),
            class: class_of_open(standing),
            since: moment(release.began_at),
            lasts: readable(now.since(release.began_at)),
            digest: digest(release.digest.as_deref()),
            weights: weights(lease),
            pipeline: visible(&release.pipeline),
            execution: visible(&release.execution),
            note: note(lease, release, standing),
        }
    })
    .collect()
}

fn note(lease: &Lease, release: &Release, standing: Standing) -> Option<String> {
    if standing == Standing::WaitingForDecision {
        let name = visible(&name_of(lease));
        return Some(format!(
            "the judgement is inconclusive: slipway decide promote {name}, or roll-back"
        ));
    }
    let returning = release.pair().and_then(|pair| pair.traffic_return.as_ref());
    let returning = returning.map(|returning| returning.reason.as_str());
    let failure = release.failure.as_ref();
    let failure = failure.map(|failure| failure.message.as_str());
    let text = returning.or(failure).or(release.warning.as_deref());
    text.map(reason)
}

fn weights(lease: &Lease) -> Option<String> {
    lease.known_weights().map(|weights| weights.to_string())
}

pub(super) fn started(marks: &[Started]) -> Vec<StartedRow> {
    let rows = marks.iter().map(|mark| StartedRow {
        pipeline: visible(&mark.pipeline),
        execution: visible(&mark.execution),
    });
    rows.collect()
}

/// The services by name, with what became of them in the releases of the period, the oldest first.
pub(super) fn rows(leases: &[&Lease], ended: &[EndedRelease<'_>]) -> Vec<ServiceRow> {
    let rows = leases.iter().map(|lease| {
        let name = name_of(lease);
        let deployed = newest_of(ended, &name).find(|it| it.outcome == Outcome::Deployed);
        let last = newest_of(ended, &name).next();
        let standing = lease.release.as_ref().map(Release::standing);
        ServiceRow {
            name: visible(&name),
            state: standing.map_or("free".to_owned(), |standing| standing.to_string()),
            class: standing.map_or("good", class_of_open),
            weights: weights(lease),
            deployed: deployed.map(|release| DeployedCell {
                revision: visible(release.revision().unwrap_or("no revision")),
                digest: digest(release.record.digest.as_deref()),
                at: moment(release.ended_at),
            }),
            last: last.map(|release| LastCell {
                outcome: release.outcome.to_string(),
                class: class_of(release.outcome),
                at: moment(release.ended_at),
            }),
        }
    });
    rows.collect()
}

/// The releases of a service, the newest first.
fn newest_of<'r, 'a>(
    ended: &'r [EndedRelease<'a>],
    name: &'r str,
) -> impl Iterator<Item = &'r EndedRelease<'a>> {
    let newest = ended.iter().rev();
    newest.filter(move |release| release.service.as_deref() == Some(name))
}
