//! Adds minutes up: to the points of a chart, and to the totals of a metric.

use super::judgement::Judgement;
use super::stored::StoredReading;
use crate::judge::tally::{Tally, Totals};

/// Points of a chart. More are indistinguishable at the width of a phone, and a bake of 15 days
/// would make a page of megabytes; neighbouring minutes share a point instead.
pub(super) const POINTS_MAX: usize = 60;

/// Canary requests that a point should have on average. With fewer, its interval fills the chart.
const POINT_REQUESTS: u64 = 30;

/// Points that are kept even so, since fewer show no course of time.
const POINTS_MIN: usize = 6;

/// Lengths of a point in minutes that readers count in.
const POINT_MINUTES: [u32; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 300, 360];

/// Neighbouring minutes of one metric, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bucket {
    pub(super) first: u32,
    pub(super) last: u32,
    /// How many of its minutes counted.
    pub(super) used: u32,
    pub(super) totals: Totals,
}

impl Bucket {
    fn absorb(&mut self, reading: &StoredReading) {
        let counts = (reading.c.n, reading.c.bad, reading.b.n, reading.b.bad);
        let (Some(n_c), Some(x_c), Some(n_b), Some(x_b)) = counts else {
            return;
        };
        if reading.used.is_none() || n_c == 0 || n_b == 0 {
            return;
        }

        self.used += 1;
        self.totals
            .absorb(Tally::new(n_c, x_c), Tally::new(n_b, x_b));
    }
}

/// All minutes of a metric that counted.
pub(super) fn total(judgement: &Judgement, metric: usize) -> Bucket {
    sum(judgement, metric, 1, judgement.minutes.len() as u32)
}

/// The minutes of a metric in buckets of `width` minutes; the last may be shorter.
pub(super) fn buckets(judgement: &Judgement, metric: usize, width: u32) -> Vec<Bucket> {
    let minutes = judgement.minutes.len() as u32;
    let first = (1..=minutes).step_by(width as usize);
    first
        .map(|first| sum(judgement, metric, first, minutes.min(first + width - 1)))
        .collect()
}

/// How many minutes share a row of a table: as few as fit.
pub(super) fn row_minutes(judgement: &Judgement) -> u32 {
    point_minutes(judgement, u64::MAX)
}

/// How many minutes share a point of a chart of `metric`: more where there is little traffic.
pub(super) fn chart_minutes(judgement: &Judgement, metric: usize) -> u32 {
    point_minutes(judgement, total(judgement, metric).totals.canary.requests)
}

fn point_minutes(judgement: &Judgement, requests: u64) -> u32 {
    let minutes = judgement.minutes.len();
    let points = |width: u32| minutes.div_ceil(width as usize);
    let busy = |width: u32| requests / points(width).max(1) as u64 >= POINT_REQUESTS;
    let fits = |width: u32| points(width) <= POINTS_MAX;
    let enough =
        |width: &&u32| fits(**width) && (busy(**width) || points(**width * 2) < POINTS_MIN);

    POINT_MINUTES
        .iter()
        .find(enough)
        .copied()
        .unwrap_or(minutes.div_ceil(POINTS_MAX) as u32)
}

fn sum(judgement: &Judgement, metric: usize, first: u32, last: u32) -> Bucket {
    let mut bucket = Bucket {
        first,
        last,
        ..Bucket::default()
    };
    // Minutes are numbered from 1 without a gap.
    let minutes = first as usize - 1..last as usize;

    for minute in judgement.minutes.get(minutes).into_iter().flatten() {
        if let Some(reading) = minute.readings.get(metric) {
            bucket.absorb(reading);
        }
    }

    bucket
}
