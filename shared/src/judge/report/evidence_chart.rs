//! Draws evidence over time against its limit, on a logarithmic scale.

use super::chart::{FRAME, Frame, Minutes, PathData, Tick, height, unit};
use super::judgement::{Judgement, Look};
use super::series::POINTS_MAX;
use crate::judge::numbers::{evidence, odds, plain, ranges, thousands};

/// The scale always reaches from a tenth to a little above the limit, so that charts are alike.
const LOW: f64 = 0.1;
/// What lies beyond these is drawn at the edge: it changes nothing in the verdict.
const LOWEST: f64 = 1e-3;
const ABOVE_LIMIT_MIN: f64 = 4.0;
const ABOVE_LIMIT_MAX: f64 = 1e3;
/// Labels of an axis that are closer than this touch at the width of a phone.
const LABEL_HEIGHT: f64 = 14.0;

/// Evidence against one limit.
#[derive(Debug)]
pub(super) struct EvidenceChart {
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    pub(super) limit_label: String,
    pub(super) description: String,
    pub(super) caption: String,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) limit_y: String,
    /// Where the name of the limit stands.
    pub(super) limit_text_y: String,
    pub(super) line: String,
    pub(super) end: (String, String),
    /// The last value is beyond the scale: `↑` or `↓`.
    pub(super) beyond: &'static str,
    pub(super) frame: Frame,
}

/// The family's evidence of harm, with the limit of a rollback.
pub(super) fn harm(judgement: &Judgement) -> EvidenceChart {
    let limit = -judgement.settings.alpha.ln();
    let odds = odds(judgement.settings.alpha);
    let caption = format!(
        "All metrics together. A canary within tolerance ever reaches {odds} with a chance of at \
         most 1 in {odds}, however often it is looked at."
    );
    let labels = ChartTexts {
        id: "harm",
        heading: "Evidence of harm",
        limit: format!("roll back at {odds}"),
        caption,
    };

    draw(judgement, limit, labels, |look| look.log_e)
}

/// The least evidence of health, with the limit of a promotion.
pub(super) fn health(judgement: &Judgement) -> EvidenceChart {
    let limit = -judgement.settings.alpha_promote.ln();
    let odds = odds(judgement.settings.alpha_promote);
    let caption = format!(
        "The metric with the least of it counts. A canary beyond its bound ever reaches {odds} \
         with a chance of at most 1 in {odds}. A promotion also needs {} usable minutes and \
         evidence of harm of at most 2.",
        judgement.settings.min_minutes
    );
    let labels = ChartTexts {
        id: "health",
        heading: "Evidence of health",
        limit: format!("promote at {odds}"),
        caption,
    };

    draw(judgement, limit, labels, |look| look.log_e_promote)
}

/// The texts of a chart.
struct ChartTexts {
    id: &'static str,
    heading: &'static str,
    limit: String,
    caption: String,
}

/// Draws the logarithm of the evidence that `value` reads from each look.
fn draw(
    judgement: &Judgement,
    limit: f64,
    labels: ChartTexts,
    value: impl Fn(&Look) -> f64,
) -> EvidenceChart {
    let looks = judgement.looks();
    let points = thin(looks.map(|look| (look.minute, value(look))).collect());
    let (low, high) = scale(&points, limit);
    let x = Minutes::to(judgement.verdict.minute);
    let y = |log: f64| height(log, low, high);

    let mut line = PathData::default();
    // Before the first look nothing is known, which is evidence of 1.
    line.to(x.x(0.0), y(0.0), true);
    for (minute, log) in &points {
        line.to(x.x(f64::from(*minute)), y(*log), false);
    }

    let last = value(&judgement.verdict);
    let limit_y = y(limit);
    EvidenceChart {
        description: describe(labels.heading, &labels.limit, limit, &points, last),
        id: labels.id,
        heading: labels.heading,
        limit_label: labels.limit,
        caption: labels.caption,
        x_ticks: x.ticks(),
        y_ticks: decades(low, high, limit, y),
        limit_y: unit(limit_y),
        limit_text_y: unit(limit_y - 5.0),
        line: line.finish(),
        end: (
            unit(x.x(f64::from(judgement.verdict.minute))),
            unit(y(last)),
        ),
        beyond: beyond(last, low, high),
        frame: FRAME,
    }
}

/// Where a value lies beyond the scale.
fn beyond(value: f64, low: f64, high: f64) -> &'static str {
    if value > high {
        "↑"
    } else if value < low {
        "↓"
    } else {
        ""
    }
}

/// Keeps the highest of neighbouring looks where there are more than a chart can show, and the
/// last.
fn thin(looks: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    let width = looks.len().div_ceil(2 * POINTS_MAX).max(1);
    let highest = |chunk: &[(u32, f64)]| chunk.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
    let mut points: Vec<_> = looks.chunks(width).filter_map(highest).collect();
    points.extend(looks.last().filter(|last| points.last() != Some(last)));
    points
}

fn scale(points: &[(u32, f64)], limit: f64) -> (f64, f64) {
    let lowest = points
        .iter()
        .fold(f64::INFINITY, |low, (_, log)| low.min(*log));
    let highest = points
        .iter()
        .fold(f64::NEG_INFINITY, |high, (_, log)| high.max(*log));
    let low = lowest.clamp(LOWEST.ln(), LOW.ln());
    let high = highest.clamp(limit + ABOVE_LIMIT_MIN.ln(), limit + ABOVE_LIMIT_MAX.ln());

    (low, high)
}

/// Powers of ten, without one that would touch the limit's own label.
fn decades(low: f64, high: f64, limit: f64, y: impl Fn(f64) -> f64) -> Vec<Tick> {
    let ten = 10f64.ln();
    let first = (low / ten - 1e-9).ceil() as i32;
    let last = (high / ten).floor() as i32;
    let powers =
        (first..=last).filter(|power| (y(f64::from(*power) * ten) - y(limit)).abs() > LABEL_HEIGHT);
    let tick = |log: f64, label| Tick {
        at: unit(y(log)),
        label,
    };

    let label = |power: i32| {
        if power < 0 {
            plain(10f64.powi(power))
        } else {
            thousands(10u64.saturating_pow(power.unsigned_abs()))
        }
    };

    let ticks = powers.map(|power| tick(f64::from(power) * ten, label(power)));
    ticks
        .chain(std::iter::once(tick(limit, plain(limit.exp().round()))))
        .collect()
}

/// The chart in words, for those who do not see it.
fn describe(
    heading: &str,
    limit_label: &str,
    limit: f64,
    points: &[(u32, f64)],
    last: f64,
) -> String {
    let highest = points.iter().copied().fold(
        (0, 0.0),
        |top, point| if point.1 > top.1 { point } else { top },
    );
    let reached: Vec<u32> = points
        .iter()
        .filter(|(_, log)| *log >= limit)
        .map(|(minute, _)| *minute)
        .collect();
    let reached = if reached.is_empty() {
        "never".to_owned()
    } else {
        format!("in minutes {}", ranges(&reached))
    };

    format!(
        "{heading}, logarithmic. Limit: {limit_label}, reached {reached}. Highest {} in minute \
         {}; {} at the last look.",
        evidence(highest.1),
        highest.0,
        evidence(last)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_of_many_looks_keeps_peaks_and_the_last_look() {
        let looks: Vec<(u32, f64)> = (1..=301)
            .map(|minute| (minute, if minute == 77 { 9.0 } else { 0.5 }))
            .collect();
        let mut falling = looks.clone();
        falling[300].1 = 0.1;
        falling[299].1 = 0.2;

        let points = thin(falling);
        assert!(points.len() <= 2 * POINTS_MAX + 1, "{}", points.len());
        assert!(points.contains(&(77, 9.0)));
        assert_eq!(points.last(), Some(&(301, 0.1)));
        assert_eq!(
            thin(looks[..3].to_vec()),
            [(1, 0.5), (2, 0.5), (3, 0.5)],
            "few looks are all drawn, the last one once"
        );
    }

    #[test]
    fn the_last_look_is_drawn_although_an_earlier_one_of_its_point_is_higher() {
        let looks: Vec<(u32, f64)> = (1..=240)
            .map(|minute| (minute, if minute == 239 { 3.0 } else { 1.0 }))
            .collect();
        let points = thin(looks);
        assert_eq!(points[points.len() - 2..], [(239, 3.0), (240, 1.0)]);
    }

    #[test]
    fn the_scale_reaches_from_a_tenth_to_beyond_the_limit() {
        let limit = 200_f64.ln();
        let scale = |logs: &[f64]| {
            let points: Vec<(u32, f64)> = logs.iter().map(|log| (1, *log)).collect();
            scale(&points, limit)
        };

        assert_eq!(scale(&[0.0]), (0.1_f64.ln(), limit + 4_f64.ln()));
        assert_eq!(
            scale(&[-900.0, 900.0]),
            (1e-3_f64.ln(), limit + 1e3_f64.ln())
        );
        assert_eq!(scale(&[-3.0, limit + 3.0]), (-3.0, limit + 3.0));
    }

    #[test]
    fn a_chart_is_described_by_its_limit_its_highest_and_its_last_look() {
        let points = [(1, 0.0), (2, 20_f64.ln()), (3, 20_f64.ln() + 0.1), (4, 1.0)];
        assert_eq!(
            describe(
                "Evidence of health",
                "promote at 20",
                20_f64.ln(),
                &points,
                1.0
            ),
            "Evidence of health, logarithmic. Limit: promote at 20, reached in minutes 2–3. \
             Highest 22.1 in minute 3; 2.7 at the last look."
        );
        assert!(describe("a", "b", 9.0, &points, 1.0).contains("Limit: b, reached never."));
    }
}
