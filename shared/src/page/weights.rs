//! How the traffic of pairs was shared in the period, as far as the ledger has it: what a release
//! found, and the last move of its weights. The moves before that are not kept.

use crate::judge::report::chart::{FRAME, Frame, PathData, Tick, height, unit};
use crate::judge::report::visible;
use crate::observed::colour::Colour;
use crate::observed::weights::Weights;
use crate::release::{Lease, Prior, Record, RecordState, Release, TrafficShift};
use crate::timestamp::Timestamp;

use super::period::Period;
use super::services::name_of;
use super::text::moment;

/// How many pairs are drawn.
const PAIRS_MAX: usize = 12;
/// How many moves of a pair are listed.
const MOVES_MAX: usize = 8;

/// The traffic of one pair.
#[derive(Debug)]
pub(super) struct WeightsChart {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) description: String,
    pub(super) line: String,
    pub(super) moves: Vec<MoveRow>,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) frame: Frame,
}

/// A move of the weights.
#[derive(Debug)]
pub(super) struct MoveRow {
    pub(super) at: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) ended: String,
}

/// What is known of a release of a pair.
struct PairRelease<'a> {
    began_at: Timestamp,
    found: Weights,
    shift: Option<&'a TrafficShift>,
    ended: String,
}

impl<'a> PairRelease<'a> {
    fn of_record(record: &'a Record) -> Option<Self> {
        let Some(Prior::Pair { pair, .. }) = &record.prior else {
            return None;
        };
        let outcome = record
            .outcome
            .filter(|_| record.state == RecordState::Closed)?;
        Some(Self {
            began_at: record.started_at,
            found: pair.weights(),
            shift: record.shift.as_ref(),
            ended: outcome.to_string(),
        })
    }

    fn of_open(release: &'a Release) -> Option<Self> {
        let pair = release.pair()?;
        Some(Self {
            began_at: release.began_at,
            found: pair.prior.weights(),
            shift: pair.shift.as_ref().filter(|shift| shift.made),
            ended: release.standing().to_string(),
        })
    }

    /// The weights at instants, in order.
    fn points(&self) -> Vec<(Timestamp, Weights)> {
        let moved = self.shift.into_iter();
        let moved = moved.flat_map(|shift| [(shift.at, shift.from), (shift.at, shift.to)]);
        std::iter::once((self.began_at, self.found))
            .chain(moved)
            .collect()
    }

    fn row(&self) -> Option<MoveRow> {
        let shift = self.shift?;
        Some(MoveRow {
            at: moment(shift.at),
            from: shift.from.to_string(),
            to: shift.to.to_string(),
            ended: self.ended.clone(),
        })
    }
}

/// The charts of the first pairs, and how many more pairs there are.
pub(super) fn weights(
    leases: &[&Lease],
    records: &[Record],
    period: Period,
) -> (Vec<WeightsChart>, usize) {
    let mut pairs = leases
        .iter()
        .filter_map(|lease| Some((*lease, lease.known_weights()?)));
    let drawn: Vec<WeightsChart> = pairs
        .by_ref()
        .take(PAIRS_MAX)
        .enumerate()
        .map(|(index, (lease, now))| chart(index, lease, now, records, period))
        .collect();
    (drawn, pairs.count())
}

fn chart(
    index: usize,
    lease: &Lease,
    now: Weights,
    records: &[Record],
    period: Period,
) -> WeightsChart {
    let own = records
        .iter()
        .filter(|record| record.is_of(&lease.cluster, &lease.service))
        .filter(|record| record.ended_at >= Some(period.begin(0)));
    let mut releases: Vec<PairRelease<'_>> = own.filter_map(PairRelease::of_record).collect();
    releases.extend(lease.release.as_ref().and_then(PairRelease::of_open));
    releases.sort_by_key(|release| release.began_at);

    let moves: Vec<MoveRow> = releases.iter().filter_map(PairRelease::row).collect();
    let newest = moves.len().saturating_sub(MOVES_MAX);
    WeightsChart {
        id: format!("weights-{index}"),
        service: visible(&name_of(lease)),
        description: format!("{now} now; moves in the period: {}.", moves.len()),
        line: line(&releases, now, period),
        moves: moves.into_iter().skip(newest).rev().collect(),
        x_ticks: period.ticks(),
        y_ticks: y_ticks(),
        frame: FRAME,
    }
}

/// The share of green: level until it moves.
fn line(releases: &[PairRelease<'_>], now: Weights, period: Period) -> String {
    let share = |weights: Weights| height(f64::from(weights.percent(Colour::Green)), 0.0, 100.0);
    let points = releases.iter().flat_map(PairRelease::points);
    let mut path = PathData::default();
    let mut last: Option<f64> = None;
    for (at, weights) in points {
        let x = period.x(at);
        let y = share(weights);
        match last {
            Some(before) if before == y => {}
            Some(before) => {
                path.to(x, before, false);
                path.to(x, y, false);
            }
            None => path.to(x, y, true),
        }
        last = Some(y);
    }

    // What the ledger has now, since the last move that it has.
    let end = FRAME.right;
    match last {
        Some(before) => {
            path.to(end, before, false);
            path.to(end, share(now), false);
        }
        None => {
            path.to(FRAME.left, share(now), true);
            path.to(end, share(now), false);
        }
    }
    path.finish()
}

fn y_ticks() -> Vec<Tick> {
    let lines = [(100.0, "green"), (50.0, "half"), (0.0, "blue")];
    let tick = |(percent, label): (f64, &str)| Tick {
        at: unit(height(percent, 0.0, 100.0)),
        label: label.to_owned(),
    };
    lines.map(tick).into()
}
