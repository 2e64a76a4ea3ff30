//! The period that a page shows: its days in buckets, and where they are drawn.

use crate::judge::report::chart::{LEFT, RIGHT, Tick, unit};
use crate::release::start_of;
use crate::timestamp::Timestamp;

use super::text::day;

/// So many bars fit beside each other on a phone.
const BUCKETS_MAX: u32 = 30;
/// So many dates fit below them.
const DATES_MAX: usize = 6;
/// How much of its place a bar takes.
const BAR: f64 = 0.7;
const DAY_SECS: i64 = 86_400;

/// A period that ends now, in buckets of whole days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    start: Timestamp,
    bucket_days: u32,
    count: u32,
}

impl Period {
    pub(super) fn new(days: u32, now: Timestamp) -> Self {
        let days = days.max(1);
        let bucket_days = days.div_ceil(BUCKETS_MAX);
        let count = days.div_ceil(bucket_days);
        Self {
            start: start_of(bucket_days * count, now),
            bucket_days,
            count,
        }
    }

    pub(super) fn bucket_days(self) -> u32 {
        self.bucket_days
    }

    pub(super) fn count(self) -> usize {
        self.count as usize
    }

    /// The bucket of an instant; what is outside the period is in its first or last one.
    pub(super) fn bucket(self, at: Timestamp) -> usize {
        let passed = at.since(self.start).as_secs();
        let length = u64::from(self.bucket_days) * DAY_SECS as u64;
        let index = usize::try_from(passed / length).unwrap_or(usize::MAX);
        index.min(self.count() - 1)
    }

    /// When a bucket begins.
    pub(super) fn begin(self, index: usize) -> Timestamp {
        let days = i64::from(self.bucket_days) * index as i64;
        Timestamp::from_secs(self.start.secs() + days * DAY_SECS).unwrap_or(self.start)
    }

    /// Where an instant is drawn.
    pub(super) fn x(self, at: Timestamp) -> f64 {
        let whole = f64::from(self.bucket_days) * f64::from(self.count) * DAY_SECS as f64;
        let share = at.since(self.start).as_secs_f64() / whole;
        LEFT + (RIGHT - LEFT) * share.min(1.0)
    }

    /// Where the bar of a bucket is drawn.
    pub(super) fn middle(self, index: usize) -> f64 {
        LEFT + (RIGHT - LEFT) * (index as f64 + 0.5) / f64::from(self.count)
    }

    pub(super) fn bar_width(self) -> String {
        unit((RIGHT - LEFT) / f64::from(self.count) * BAR)
    }

    /// The days on which some buckets begin.
    pub(super) fn ticks(self) -> Vec<Tick> {
        let step = self.count().div_ceil(DATES_MAX);
        let shown = (0..self.count()).step_by(step);
        shown
            .map(|index| Tick {
                at: unit(self.middle(index)),
                label: day(self.begin(index)),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::at;

    const NOW: i64 = 100 * DAY_SECS;

    fn period(days: u32) -> Period {
        Period::new(days, at(NOW))
    }

    #[test]
    fn a_long_period_has_buckets_of_several_days() {
        let seen = |days: u32| (period(days).count(), period(days).bucket_days());
        assert_eq!(seen(0), (1, 1));
        assert_eq!(seen(7), (7, 1));
        assert_eq!(seen(30), (30, 1));
        assert_eq!(seen(45), (23, 2));
        assert_eq!(seen(400), (29, 14));
        for days in [1, 7, 30, 45, 400] {
            assert!(period(days).ticks().len() <= DATES_MAX, "{days}");
        }
    }

    #[test]
    fn an_instant_is_in_its_bucket_and_what_is_outside_at_an_edge() {
        let seen = |secs: i64| period(7).bucket(at(secs));
        let begin = NOW - 7 * DAY_SECS;
        assert_eq!(seen(begin), 0);
        assert_eq!(seen(begin + DAY_SECS - 1), 0);
        assert_eq!(seen(begin + DAY_SECS), 1);
        assert_eq!([seen(begin - 1), seen(NOW), seen(NOW + 1)], [0, 6, 6]);
        assert_eq!(period(7).begin(1), at(begin + DAY_SECS));

        let x = |secs: i64| period(7).x(at(secs));
        assert_eq!([x(begin - 1), x(begin)], [LEFT, LEFT]);
        assert_eq!([x(NOW), x(NOW + 1)], [RIGHT, RIGHT]);
    }
}
