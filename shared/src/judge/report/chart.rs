//! Coordinates, scales and ticks that all charts share, those of the release page too.
//!
//! A chart is drawn in units of which 360 make its width, so that its text is readable when a phone
//! shows it one to one. Many marks of one kind share one path, which keeps the page small.

use std::fmt::Write;

/// The drawing, in units: its size, and the area inside the axes.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 200.0;
pub(crate) const LEFT: f64 = 52.0;
pub(crate) const RIGHT: f64 = 352.0;
pub(crate) const TOP: f64 = 12.0;
pub(crate) const BOTTOM: f64 = 168.0;

/// Fewer minutes than this are drawn on an axis this long, so that one minute is not a whole chart.
const MINUTES_MIN: u32 = 5;
/// Ticks that an axis can carry without their labels touching at the width of a phone.
const X_TICKS_MAX: u32 = 7;

/// The fixed measures of the drawing, for the templates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

pub(crate) const FRAME: Frame = Frame {
    width: WIDTH,
    height: HEIGHT,
    left: LEFT,
    right: RIGHT,
    top: TOP,
    bottom: BOTTOM,
};

/// A tick: where it is drawn, and its label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: String,
    pub(crate) label: String,
}

/// The axis of minutes, from the start of the bake to the last look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minutes {
    last: f64,
}

impl Minutes {
    pub(super) fn to(last: u32) -> Self {
        Self {
            last: f64::from(last.max(MINUTES_MIN)),
        }
    }

    pub(super) fn x(self, minute: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * minute / self.last
    }

    pub(super) fn ticks(self) -> Vec<Tick> {
        let last = self.last as u32;
        let steps = [
            1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320,
        ];
        let step = steps
            .into_iter()
            .find(|step| last / step <= X_TICKS_MAX)
            .unwrap_or(last);
        let minutes = (0..=last).step_by(step as usize);

        minutes
            .map(|minute| Tick {
                at: unit(self.x(f64::from(minute))),
                label: minute.to_string(),
            })
            .collect()
    }
}

/// Maps a value between `low` and `high` to a height; what is beyond stays at the edge.
pub(crate) fn height(value: f64, low: f64, high: f64) -> f64 {
    let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
    BOTTOM - (BOTTOM - TOP) * share
}

/// A coordinate with one decimal at most.
pub(crate) fn unit(coordinate: f64) -> String {
    let text = format!("{coordinate:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Path data that grows point by point.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathData(String);

impl PathData {
    /// Goes on to a point, from the one before unless a new line begins.
    pub(crate) fn to(&mut self, x: f64, y: f64, begins: bool) {
        self.push(if begins { 'M' } else { 'L' }, x, y);
    }

    /// A dot; line caps give it its shape.
    pub(super) fn dot(&mut self, x: f64, y: f64) {
        self.push('M', x, y);
        // A line of no length at all is left out by some renderers.
        self.0.push_str("h.01");
    }

    /// An upright bar.
    pub(crate) fn bar(&mut self, x: f64, low: f64, high: f64) {
        self.push('M', x, low);
        self.0.push('V');
        self.0.push_str(&unit(high));
    }

    /// An area between two lines over the same places.
    pub(super) fn area(&mut self, edges: &[(f64, f64, f64)]) {
        let upper = edges.iter().map(|(x, _, high)| (*x, *high));
        let lower = edges.iter().rev().map(|(x, low, _)| (*x, *low));
        for (index, (x, y)) in upper.chain(lower).enumerate() {
            self.to(x, y, index == 0);
        }

        if !edges.is_empty() {
            self.0.push('Z');
        }
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    fn push(&mut self, command: char, x: f64, y: f64) {
        let _ = write!(self.0, "{command}{} {}", unit(x), unit(y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_round() {
        for last in [1, 5, 7, 8, 17, 30, 60, 180, 1440, 21_600] {
            let ticks = Minutes::to(last).ticks();
            assert!((2..=9).contains(&ticks.len()), "{last}: {ticks:?}");
        }

        let labels: Vec<_> = Minutes::to(30)
            .ticks()
            .into_iter()
            .map(|tick| tick.label)
            .collect();
        assert_eq!(labels, ["0", "5", "10", "15", "20", "25", "30"]);
    }

    #[test]
    fn values_beyond_the_scale_stay_at_its_edge() {
        assert_eq!(height(1e300, 0.0, 1.0), TOP);
        assert_eq!(height(-5.0, 0.0, 1.0), BOTTOM);
    }

    #[test]
    fn paths_are_short() {
        let mut path = PathData::default();
        path.to(1.0, 2.04, true);
        path.to(3.25, 4.0, false);
        path.bar(5.0, 6.0, 7.5);
        assert_eq!(path.finish(), "M1 2L3.2 4M5 6V7.5");
    }
}
