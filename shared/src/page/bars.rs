//! Bars over the buckets of a period. What is good goes up and what is bad goes down, so that it
//! takes no colour to distinguish them.

use std::time::Duration;

use crate::judge::report::chart::{FRAME, Frame, PathData, Tick, height, unit};
use crate::timestamp::readable;

use super::period::Period;

/// Lines that a scale is divided by, at most.
const LINES_MAX: u64 = 4;
/// Steps of a scale of durations, in seconds.
const DURATIONS: [u64; 14] = [
    10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
];
/// The drawing of a row: its middle, and the length of its longest bar.
const MINI: (f64, f64) = (12.0, 10.0);
/// The place of a bar in it.
const MINI_BAR: f64 = 3.0;

/// One chart.
#[derive(Debug)]
pub(super) struct Bars {
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    pub(super) description: String,
    pub(super) caption: String,
    pub(super) up: String,
    pub(super) down: String,
    /// How wide a bar is.
    pub(super) width: String,
    /// Where the axis is.
    pub(super) zero: String,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) frame: Frame,
}

/// What a chart is about.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    pub(super) description: String,
    pub(super) caption: String,
}

/// The bars of a row, without axes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mini {
    pub(super) up: String,
    pub(super) down: String,
    pub(super) width: String,
}

/// A scale from `-down` to `up`, divided by steps.
struct Scale {
    up: u64,
    down: u64,
    step: u64,
}

impl Scale {
    fn new(up: u64, down: u64, step: u64) -> Self {
        let whole = |value: u64| value.div_ceil(step) * step;
        Self {
            up: whole(up).max(step),
            down: whole(down),
            step,
        }
    }

    fn y(&self, value: f64) -> f64 {
        height(value, -(self.down as f64), self.up as f64)
    }

    fn ticks(&self, label: impl Fn(u64) -> String) -> Vec<Tick> {
        let below = (1..=self.down / self.step).map(|line| (-1.0, line * self.step));
        let above = (0..=self.up / self.step).map(|line| (1.0, line * self.step));
        let lines = below.chain(above);
        lines
            .map(|(sign, value)| Tick {
                at: unit(self.y(sign * value as f64)),
                label: label(value),
            })
            .collect()
    }
}

/// Counts, those of one kind above the axis and those of the other below it.
pub(super) fn counts(words: Words, period: Period, up: &[u32], down: &[u32]) -> Bars {
    let most = |counts: &[u32]| u64::from(counts.iter().copied().max().unwrap_or_default());
    let (highest, lowest) = (most(up), most(down));
    let scale = Scale::new(highest, lowest, count_step(highest + lowest));
    let ticks = scale.ticks(|count| count.to_string());
    let values = |counts: &[u32], sign: f64| -> Vec<f64> {
        let counts = counts.iter();
        counts.map(|count| sign * f64::from(*count)).collect()
    };
    drawn(
        words,
        period,
        &scale,
        ticks,
        [values(up, 1.0), values(down, -1.0)],
    )
}

/// Durations, of which a bucket may have none.
pub(super) fn durations(words: Words, period: Period, values: &[Option<Duration>]) -> Bars {
    let secs = values
        .iter()
        .map(|value| value.map_or(0, |it| it.as_secs()));
    let secs: Vec<u64> = secs.collect();
    let longest = secs.iter().copied().max().unwrap_or_default();
    let mut steps = DURATIONS.into_iter();
    let step = steps.find(|step| longest.div_ceil(*step) <= LINES_MAX);
    let scale = Scale::new(longest, 0, step.unwrap_or(longest));
    let ticks = scale.ticks(|secs| readable(Duration::from_secs(secs)));
    let up = secs.iter().map(|secs| *secs as f64).collect();
    drawn(words, period, &scale, ticks, [up, Vec::new()])
}

fn drawn(
    words: Words,
    period: Period,
    scale: &Scale,
    y_ticks: Vec<Tick>,
    values: [Vec<f64>; 2],
) -> Bars {
    let [up, down] = values.map(|values| {
        let mut path = PathData::default();
        for (index, value) in values.iter().enumerate() {
            if *value != 0.0 {
                path.bar(period.middle(index), scale.y(0.0), scale.y(*value));
            }
        }
        path.finish()
    });
    Bars {
        id: words.id,
        heading: words.heading,
        description: words.description,
        caption: words.caption,
        up,
        down,
        width: period.bar_width(),
        zero: unit(scale.y(0.0)),
        x_ticks: period.ticks(),
        y_ticks,
        frame: FRAME,
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that needs few enough lines.
fn count_step(range: u64) -> u64 {
    let mut power = 1;
    loop {
        let steps = [power, 2 * power, 5 * power];
        if let Some(step) = steps.into_iter().find(|step| range / step <= LINES_MAX) {
            return step;
        }
        power *= 10;
    }
}

/// The counts of one row, on a scale of its own.
pub(super) fn mini(up: &[u32], down: &[u32]) -> Mini {
    let most = up.iter().chain(down).copied().max().unwrap_or_default();
    let (middle, longest) = MINI;
    let path = |counts: &[u32], sign: f64| {
        let mut path = PathData::default();
        for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let x = (index as f64 + 0.5) * MINI_BAR;
            let length = longest * f64::from(*count) / f64::from(most);
            path.bar(x, middle, middle - sign * length);
        }
        path.finish()
    };
    Mini {
        up: path(up, 1.0),
        down: path(down, -1.0),
        width: unit(up.len() as f64 * MINI_BAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::at;

    fn words() -> Words {
        Words {
            id: "c",
            heading: "Counts",
            description: String::new(),
            caption: String::new(),
        }
    }

    fn labels(bars: &Bars) -> Vec<&str> {
        bars.y_ticks
            .iter()
            .map(|tick| tick.label.as_str())
            .collect()
    }

    #[test]
    fn deployments_go_up_and_failed_changes_down_from_one_axis() {
        let period = Period::new(3, at(0));
        let bars = counts(words(), period, &[2, 0, 1], &[0, 1, 0]);
        // A third of the height is below the axis.
        assert_eq!(bars.zero, "116");
        assert_eq!(bars.up, "M102 116V12M302 116V64");
        assert_eq!(bars.down, "M202 116V168");
        assert_eq!(labels(&bars), ["1", "0", "1", "2"]);
    }

    #[test]
    fn scales_have_few_and_round_lines() {
        let period = Period::new(1, at(0));
        for most in [0, 1, 3, 4, 5, 9, 40, 99, 12_345] {
            let bars = counts(words(), period, &[most], &[]);
            assert!(labels(&bars).len() <= 6, "{most}: {:?}", labels(&bars));
        }
        for (secs, top) in [
            (0, "10s"),
            (75, "1m30s"),
            (3_601, "1h30m"),
            (100 * 86_400, "2400h00m"),
        ] {
            let bars = durations(words(), period, &[Some(Duration::from_secs(secs))]);
            assert_eq!(labels(&bars).last(), Some(&top));
        }
    }

    #[test]
    fn a_bucket_without_a_duration_has_no_bar() {
        let period = Period::new(2, at(0));
        let half = Some(Duration::from_secs(20));
        let bars = durations(words(), period, &[None, half]);
        assert_eq!(bars.up, "M277 168V12");
    }

    #[test]
    fn the_bars_of_a_row_are_as_long_as_its_longest_allows() {
        let row = mini(&[2, 0], &[0, 1]);
        assert_eq!(row.up, "M1.5 12V2");
        assert_eq!(row.down, "M4.5 12V17");
        assert_eq!(row.width, "6");
        assert_eq!(mini(&[0], &[0]).up, "");
    }
}
