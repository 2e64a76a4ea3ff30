//! What the ledger has of the last days, by a query a pipeline of the index and one of its claims:
//! the ledger is never read as a whole.

use std::collections::BTreeSet;

use clap::builder::RangedI64ValueParser;
use slipway::aws::{Listing, Pipelines, Unreadable};
use slipway::release::{Push, Record, start_of};
use slipway::timestamp::Timestamp;

use crate::{Failed, Session};

/// How many days before the period a release may have begun that ended in it, as the index has the
/// records by their beginnings: an approval waits as long at most (AWS CodePipeline quotas).
const OPEN_DAYS: u32 = 60;

/// The releases of some pipelines that may have ended since a time, and their pushes.
#[derive(Debug, Default)]
pub(crate) struct Past {
    pub(crate) records: Vec<Record>,
    pub(crate) pushes: Vec<Push>,
    pub(crate) unreadable: Vec<Unreadable>,
}

/// How many days are read: older records of good releases have expired.
pub(crate) fn days() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=400)
}

/// The names of all pipelines that may have released something: those that there are, and those of
/// open releases, which may be deleted.
///
/// # Errors
/// When a call fails.
pub(crate) async fn pipelines(
    session: &Session,
    listing: &Listing,
) -> Result<BTreeSet<String>, Failed> {
    let there = Pipelines::new(&session.sdk).names().await?;
    let open = listing.leases.iter().filter_map(|it| it.release.as_ref());
    let open = open.map(|release| release.pipeline.clone());
    let started = listing.started.iter().map(|mark| mark.pipeline.clone());
    Ok(there.into_iter().chain(open).chain(started).collect())
}

impl Past {
    /// # Errors
    /// When a call fails.
    pub(crate) async fn read(
        session: &Session,
        pipelines: &BTreeSet<String>,
        since: Timestamp,
    ) -> Result<Self, Failed> {
        let ledger = session.ledger();
        let begun = start_of(OPEN_DAYS, since);
        let mut past = Self::default();
        for pipeline in pipelines {
            let released = ledger.releases(pipeline, begun).await?;
            let claimed = ledger.pushes(pipeline).await?;
            past.records.extend(released.records);
            past.pushes.extend(claimed.pushes);
            past.unreadable.extend(released.unreadable);
            past.unreadable.extend(claimed.unreadable);
        }
        past.records.sort_by_key(|record| record.started_at);
        Ok(past)
    }
}
