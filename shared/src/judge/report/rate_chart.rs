//! Draws the rate of a metric on both sides, minute by minute, with intervals.

use super::chart::{FRAME, Frame, LEFT, Minutes, PathData, RIGHT, Tick, height, unit};
use super::interval::wilson;
use super::judgement::Judgement;
use super::series::{Bucket, buckets, total};
use super::text::visible;
use crate::judge::numbers::percent;
use crate::judge::tally::Tally;

/// Room above the highest rate, at least and for the intervals at most.
const HEADROOM: (f64, f64) = (1.1, 1.8);
/// Half the width of the band around a point without neighbours.
const LONE_BAND: f64 = 4.0;
/// Lines that the scale of rates is divided by, at most.
const Y_TICKS_MAX: f64 = 5.0;

/// One metric's rates.
#[derive(Debug)]
pub(super) struct RateChart {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether this metric decided.
    pub(super) decisive: bool,
    pub(super) description: String,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) band: String,
    pub(super) baseline: String,
    pub(super) baseline_dots: String,
    pub(super) bars: String,
    pub(super) canary: String,
    pub(super) canary_dots: String,
    /// Buckets of which no minute counted: left edge and width.
    pub(super) gaps: Vec<(String, String)>,
    /// Nothing counted at all.
    pub(super) empty: bool,
    pub(super) frame: Frame,
}

/// Draws metric `index` with `width` minutes to a point.
pub(super) fn rates(judgement: &Judgement, index: usize, width: u32, decisive: bool) -> RateChart {
    let metric = &judgement.metrics[index];
    let all = total(judgement, index);
    let points = buckets(judgement, index, width);
    let top = top(&points, &all, metric.dispersion);
    let place = RatePlot {
        x: Minutes::to(judgement.verdict.minute),
        top,
        dispersion: metric.dispersion,
    };
    let canary = place.side(&points, |b| b.totals.canary);
    let baseline = place.side(&points, |b| b.totals.baseline);

    RateChart {
        id: format!("rate-{index}"),
        name: visible(&metric.label),
        decisive,
        description: describe(&all),
        x_ticks: place.x.ticks(),
        y_ticks: y_ticks(top),
        band: baseline.band,
        baseline: baseline.line,
        baseline_dots: baseline.dots,
        bars: canary.bars,
        canary: canary.line,
        canary_dots: canary.dots,
        gaps: gaps(&points, place.x),
        empty: all.used == 0,
        frame: FRAME,
    }
}

/// Where a rate is drawn.
struct RatePlot {
    x: Minutes,
    top: f64,
    dispersion: f64,
}

/// The paths of one side.
struct SidePaths {
    line: String,
    dots: String,
    bars: String,
    band: String,
}

impl RatePlot {
    fn side(&self, points: &[Bucket], tally: impl Fn(&Bucket) -> Tally) -> SidePaths {
        let (mut line, mut dots, mut bars, mut band) =
            <(PathData, PathData, PathData, PathData)>::default();
        // A gap in the data is a gap in the line.
        for run in points.split(|bucket| bucket.used == 0) {
            let mut edges = Vec::with_capacity(run.len());
            for (position, bucket) in run.iter().enumerate() {
                let Tally { requests, bad } = tally(bucket);
                let Some((low, high)) = wilson(bad, requests, self.dispersion) else {
                    continue;
                };

                let x = self.x.x(middle(bucket));
                let y = |rate: f64| height(rate, 0.0, self.top);
                let at = y(bad as f64 / requests as f64);
                line.to(x, at, position == 0);
                dots.dot(x, at);
                bars.bar(x, y(low), y(high));
                edges.push((x, y(low), y(high)));
            }

            if let [(x, low, high)] = edges[..] {
                // A band over a single point would have no width.
                edges = vec![(x - LONE_BAND, low, high), (x + LONE_BAND, low, high)];
            }

            band.area(&edges);
        }

        SidePaths {
            line: line.finish(),
            dots: dots.finish(),
            bars: bars.finish(),
            band: band.finish(),
        }
    }
}

/// The middle of a bucket; minute t lasts from t − 1 to t.
fn middle(bucket: &Bucket) -> f64 {
    f64::from(bucket.first + bucket.last - 1) / 2.0
}

fn gaps(points: &[Bucket], x: Minutes) -> Vec<(String, String)> {
    let unused = points
        .chunk_by(|a, b| (a.used == 0) == (b.used == 0))
        .filter(|run| run[0].used == 0);
    let edges = unused.map(|run| {
        (
            x.x(f64::from(run[0].first - 1)).max(LEFT),
            x.x(f64::from(run[run.len() - 1].last)).min(RIGHT),
        )
    });

    edges
        .map(|(left, right)| (unit(left), unit(right - left)))
        .collect()
}

/// The top of the scale. Intervals of single minutes with few requests reach almost to 100 % and
/// would flatten the rates, so they get room only up to a multiple of the highest rate; that of the
/// whole bake always fits.
fn top(points: &[Bucket], all: &Bucket, dispersion: f64) -> f64 {
    let upper =
        |tally: Tally| wilson(tally.bad, tally.requests, dispersion).map_or(0.0, |(_, high)| high);
    let sides = || {
        points
            .iter()
            .flat_map(|bucket| [bucket.totals.canary, bucket.totals.baseline])
    };
    let highest = sides().filter_map(Tally::rate).fold(0.0, f64::max);
    let widest = sides().map(upper).fold(0.0, f64::max);
    let whole = upper(all.totals.canary).max(upper(all.totals.baseline));
    let top = (widest * 1.02)
        .clamp(highest * HEADROOM.0, highest * HEADROOM.1)
        .max(whole);

    if top > 0.0 { top.min(1.0) } else { 1.0 }
}

fn y_ticks(top: f64) -> Vec<Tick> {
    // In percent, the smallest of 1, 2 and 5 times a power of ten that needs few enough lines.
    let percent = top * 100.0;
    let power = (percent / Y_TICKS_MAX).log10().floor();
    let steps = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * 10f64.powf(power));
    let step = steps
        .into_iter()
        .find(|step| percent / step <= Y_TICKS_MAX)
        .unwrap_or(percent);
    let decimals = (-step.log10().floor()).clamp(0.0, 8.0) as usize;
    let count = (percent / step + 1e-9).floor() as u32;
    let tick = |value: f64| Tick {
        at: unit(height(value, 0.0, percent)),
        label: format!("{value:.decimals$}%"),
    };

    (0..=count)
        .map(|index| tick(f64::from(index) * step))
        .collect()
}

fn describe(all: &Bucket) -> String {
    match (all.totals.canary.rate(), all.totals.baseline.rate()) {
        (Some(canary), Some(baseline)) => {
            format!(
                "Canary {}, baseline {} over the whole bake.",
                percent(canary),
                percent(baseline)
            )
        }
        _ => "No minute counted.".to_owned(),
    }
}
