//! Sorts the minutes of every metric into those that counted and those that did not, with the
//! reason.

use serde::{Deserialize, Serialize};

use super::stored::{StoredMinute, StoredReading};

/// What became of the minutes of one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// The name of the metric.
    pub metric: String,
    /// Minutes that counted.
    pub usable: u32,
    /// Those among them that a later look had to wait for.
    pub late: Vec<u32>,
    /// Skipped because a value never arrived.
    pub missing: Vec<u32>,
    /// Skipped because one side had no requests.
    pub idle: Vec<u32>,
    /// Left out although known: in the warm-up, or because the counters contradict each other.
    pub left_out: Vec<u32>,
    /// Still waited for at the last look, or behind such a minute.
    pub waiting: Vec<u32>,
}

impl Quality {
    /// Sorts the minutes of metric `index`, of which the judge consumed the first `consumed`.
    pub(super) fn from_minutes(
        metric: &str,
        minutes: &[StoredMinute],
        index: usize,
        consumed: usize,
    ) -> Self {
        let mut quality = Self {
            metric: metric.to_owned(),
            usable: 0,
            late: Vec::new(),
            missing: Vec::new(),
            idle: Vec::new(),
            left_out: Vec::new(),
            waiting: Vec::new(),
        };
        for minute in minutes {
            quality.sort(minute.t, &minute.readings[index], consumed);
        }

        quality
    }

    fn sort(&mut self, t: u32, reading: &StoredReading, consumed: usize) {
        let known = [reading.c.n, reading.c.bad, reading.b.n, reading.b.bad];
        match reading.used {
            Some(used) => {
                self.usable += 1;
                if used > t {
                    self.late.push(t);
                }
            }
            None if t as usize > consumed => self.waiting.push(t),
            None if known.contains(&None) => self.missing.push(t),
            None if reading.c.n == Some(0) || reading.b.n == Some(0) => self.idle.push(t),
            None => self.left_out.push(t),
        }
    }
}
