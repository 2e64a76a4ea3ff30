//! The delivery figures of the period: of all services over time, and of each.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::judge::report::visible;
use crate::release::{Effect, EndedRelease, FigureTexts, Figures};
use crate::timestamp::readable;

use super::bars::{Bars, Mini, Words, counts, durations, mini};
use super::period::Period;
use super::text::moment;

/// The figures of a page.
#[derive(Debug)]
pub(super) struct FigureSection {
    pub(super) all: FigureTexts,
    pub(super) charts: Vec<Bars>,
    /// What one bar is of: `day`, `2 days`.
    pub(super) bucket: String,
    pub(super) buckets: Vec<BucketRow>,
    pub(super) services: Vec<FigureRow>,
}

/// The figures of one service.
#[derive(Debug)]
pub(super) struct FigureRow {
    pub(super) service: String,
    pub(super) texts: FigureTexts,
    pub(super) mini: Mini,
}

/// What the charts draw of one bucket.
#[derive(Debug)]
pub(super) struct BucketRow {
    pub(super) from: String,
    pub(super) deployed: u32,
    pub(super) failed: u32,
    pub(super) lead: String,
    pub(super) restore: String,
}

impl FigureSection {
    pub(super) fn new(ended: &[EndedRelease<'_>], days: u32, period: Period) -> Self {
        let buckets = of_buckets(ended.iter(), period);
        let mut services: BTreeMap<&str, Vec<&EndedRelease<'_>>> = BTreeMap::new();
        for release in ended {
            if let Some(service) = &release.service {
                services.entry(service).or_default().push(release);
            }
        }
        let rows = services.iter().map(|(service, releases)| {
            let own = of_buckets(releases.iter().copied(), period);
            FigureRow {
                service: visible(service),
                texts: Figures::of(releases.iter().copied()).texts(days),
                mini: mini(&deployed(&own), &failed(&own)),
            }
        });

        let bucket = match period.bucket_days() {
            1 => "day".to_owned(),
            days => format!("{days} days"),
        };
        Self {
            services: rows.collect(),
            charts: charts(&buckets, period, &bucket),
            buckets: rows_of(&buckets, period),
            all: Figures::of(ended).texts(days),
            bucket,
        }
    }
}

/// The figures of each bucket of the period.
fn of_buckets<'r, 'a: 'r>(
    releases: impl Iterator<Item = &'r EndedRelease<'a>>,
    period: Period,
) -> Vec<Figures> {
    let mut found: Vec<Vec<&EndedRelease<'a>>> = vec![Vec::new(); period.count()];
    for release in releases.filter(|release| release.effect != Effect::Nothing) {
        found[period.bucket(release.ended_at)].push(release);
    }
    let buckets = found.into_iter();
    buckets.map(Figures::of).collect()
}

fn deployed(buckets: &[Figures]) -> Vec<u32> {
    buckets.iter().map(|bucket| bucket.deployed).collect()
}

fn failed(buckets: &[Figures]) -> Vec<u32> {
    buckets.iter().map(|bucket| bucket.failed).collect()
}

fn charts(buckets: &[Figures], period: Period, bucket: &str) -> Vec<Bars> {
    let deployed = deployed(buckets);
    let failed = failed(buckets);
    let sum = |counts: &[u32]| counts.iter().sum::<u32>();
    let changes = Words {
        id: "changes",
        heading: "Deployments and failed changes",
        description: format!(
            "{} deployments above the axis and {} failed changes below it.",
            sum(&deployed),
            sum(&failed)
        ),
        caption: format!("Each bar is a {bucket}: deployments go up, failed changes go down."),
    };
    let leads: Vec<_> = buckets.iter().map(Figures::lead).collect();
    let lead = Words {
        id: "lead",
        heading: "Lead time from push",
        description: longest(&leads),
        caption: format!("The median of a {bucket}, from the push to the end of the deployment."),
    };
    let restores: Vec<_> = buckets.iter().map(Figures::restore).collect();
    let restore = Words {
        id: "restore",
        heading: "Time to restore",
        description: longest(&restores),
        caption: format!(
            "The median of a {bucket}, from the beginning of a failed change to its restoration."
        ),
    };
    vec![
        counts(changes, period, &deployed, &failed),
        durations(lead, period, &leads),
        durations(restore, period, &restores),
    ]
}

fn longest(values: &[Option<Duration>]) -> String {
    match values.iter().flatten().max() {
        Some(longest) => format!("At most {}.", readable(*longest)),
        None => "No value in the period.".to_owned(),
    }
}

/// The buckets in which something was deployed or failed.
fn rows_of(buckets: &[Figures], period: Period) -> Vec<BucketRow> {
    let shown = |value: Option<Duration>| value.map_or("–".to_owned(), readable);
    let filled = buckets
        .iter()
        .enumerate()
        .filter(|(_, bucket)| bucket.deployed + bucket.failed > 0);
    filled
        .map(|(index, bucket)| BucketRow {
            from: moment(period.begin(index)),
            deployed: bucket.deployed,
            failed: bucket.failed,
            lead: shown(bucket.lead()),
            restore: shown(bucket.restore()),
        })
        .collect()
}
