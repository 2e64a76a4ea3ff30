//! The release page: what is released, what was and why, as one static HTML file.
//!
//! [`html`] makes it of items of the ledger and of nothing else, so that a command and a function
//! write the same bytes. The page has no script and loads nothing: it opens from a file, a bucket
//! or a mail, on a phone and on paper. Only the templates hold markup, and they escape whatever
//! they print; the bounds of the lists keep the page small, however long the ledger is.

mod bars;
mod figures;
mod history;
mod period;
mod services;
mod text;
mod weights;

use askama::Template;

use crate::release::{JudgementRecord, Lease, Push, Record, Started, ended, start_of};
use crate::timestamp::Timestamp;

use figures::FigureSection;
use history::{HistoryRow, RefusedRow, history, refused};
use period::Period;
use services::{OpenRow, ServiceRow, StartedRow};
use text::moment;
use weights::{WeightsChart, weights};

/// What a page is made of.
pub struct Contents<'a> {
    /// All leases, free ones too.
    pub leases: &'a [Lease],
    /// The executions whose release has not begun.
    pub started: &'a [Started],
    /// The records of the period; those that ended before it are left out.
    pub records: &'a [Record],
    /// The claims of pushes, for the figures and for those that were refused.
    pub pushes: &'a [Push],
    /// How long the period is, which ends now.
    pub days: u32,
    pub now: Timestamp,
    /// Where readers open the report of a judgement, if they can.
    pub address: &'a dyn Fn(&JudgementRecord) -> Option<String>,
}

/// The page as one self-contained HTML file.
#[must_use]
pub fn html(contents: &Contents<'_>) -> String {
    Page::new(contents)
        .render()
        .expect("writing to a string never fails")
}

#[derive(Template)]
#[template(path = "releases.html")]
struct Page {
    now: String,
    days: u32,
    releases: usize,
    open: Vec<OpenRow>,
    started: Vec<StartedRow>,
    services: Vec<ServiceRow>,
    figures: FigureSection,
    weights: Vec<WeightsChart>,
    /// Pairs whose weights are not drawn.
    undrawn: usize,
    history: Vec<HistoryRow>,
    /// Releases of the period that are not listed.
    unlisted: usize,
    refused: Vec<RefusedRow>,
    unlisted_refusals: usize,
}

impl Page {
    fn new(contents: &Contents<'_>) -> Self {
        let Contents { days, now, .. } = *contents;
        let since = start_of(days, now);
        let period = Period::new(days, now);
        let ended = ended(contents.records, contents.pushes, since, now);
        let mut leases: Vec<&Lease> = contents.leases.iter().collect();
        leases.sort_by_key(|lease| services::name_of(lease));
        let (weights, undrawn) = weights(&leases, contents.records, period);
        let (history, unlisted) = history(&ended, contents.address);
        let (refused, unlisted_refusals) = refused(contents.pushes, since);

        Self {
            now: moment(now),
            days,
            releases: ended.len(),
            open: services::open(&leases, now),
            started: services::started(contents.started),
            services: services::rows(&leases, &ended),
            figures: FigureSection::new(&ended, days, period),
            weights,
            undrawn,
            history,
            unlisted,
            refused,
            unlisted_refusals,
        }
    }
}

#[cfg(test)]
mod tests;
