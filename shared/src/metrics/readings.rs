//! From points to what the judge reads: one reading of every metric in every minute.

use std::collections::BTreeMap;

use super::queries::{Data, Points};
use crate::judge::clean::{Reading, SideCounts};
use crate::limits::COUNTED_A_MINUTE;
use crate::strategy::canary::arrival::{
    FINAL_SECS, Group, Sightings, agrees, is_contradictory, is_steady,
};
use crate::strategy::canary::bake_state::Memory;
use crate::strategy::canary::config::{Custom, Settings, Worse};
use crate::strategy::canary::missing_data::{Around, STRAGGLE_SECS, counted};

/// The readings of all metrics, by minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings(BTreeMap<(u32, usize), Reading>);

/// What is asked of the points.
struct Source<'a> {
    data: &'a Data,
    memory: &'a Memory,
    /// How many errors come at once.
    clump: f64,
    now_secs: i64,
}

impl Readings {
    /// The readings of minutes 1 to `last`, in the order of [`Settings::metrics`]. What has not arrived whole by `sightings`, those of this look,
    /// is not read.
    #[must_use]
    pub fn of(
        data: &Data,
        settings: &Settings,
        memory: &Memory,
        sightings: &Sightings,
        last: u32,
        now_secs: i64,
    ) -> Self {
        let clump = settings
            .judge
            .dispersion_errors
            .max(memory.dispersion_errors);
        let source = Source {
            data,
            memory,
            clump,
            now_secs,
        };
        // What the hour before showed of the live colour need not hold for the new one, such as one that is too slow to answer in time.
        let canary_agrees = agrees(data, 'c', (now_secs - FINAL_SECS).div_euclid(60));
        let mut readings = BTreeMap::new();
        for minute in 1..=last {
            let at = memory.first + i64::from(minute) - 1;
            let has_arrived = |group| is_steady(sightings, memory.first, minute, group, now_secs);
            let contradicts =
                |side, agrees| memory.agrees && agrees && is_contradictory(data, side, at);
            if has_arrived(Group::Errors)
                && !contradicts('c', canary_agrees)
                && !contradicts('b', true)
            {
                readings.insert((minute, 0), source.errors(at));
            }
            if has_arrived(Group::Latency) {
                for index in 0..memory.thresholds_ms.len() {
                    readings.insert((minute, 1 + index), source.latency(at, index));
                }
            }
            if !has_arrived(Group::Custom) {
                continue;
            }
            for (place, (index, custom)) in settings.counts().enumerate() {
                let metric = 1 + memory.thresholds_ms.len() + place;
                readings.insert((minute, metric), source.custom(at, index, custom));
            }
        }
        Self(readings)
    }

    /// What is known of a minute and a metric.
    #[must_use]
    pub fn get(&self, minute: u32, metric: usize) -> Reading {
        self.0.get(&(minute, metric)).copied().unwrap_or_default()
    }
}

impl Readings {
    /// In how many minutes both sides of a metric are known.
    #[must_use]
    pub fn usable(&self, metric: usize, last: u32) -> usize {
        let known = |side: SideCounts| {
            side.bad.is_some() && side.requests.is_some_and(|requests| requests > 0)
        };
        let minutes = (1..=last).map(|minute| self.get(minute, metric));
        minutes
            .filter(|reading| known(reading.canary) && known(reading.baseline))
            .count()
    }
}

impl Source<'_> {
    fn points(&self, id: &str) -> Option<&Points> {
        self.data.get(id)
    }

    fn at(&self, id: &str, at: i64) -> Option<f64> {
        self.points(id)?.get(&at).copied()
    }

    /// Seconds since the end of a minute.
    fn age_secs(&self, at: i64) -> i64 {
        self.now_secs - (at + 1) * 60
    }

    /// Events per request; 0 where either is absent.
    fn rate(&self, counter: &str, requests: &str, at: i64) -> f64 {
        match (self.at(counter, at), self.at(requests, at)) {
            (Some(count), Some(requests)) if requests > 0.0 => count / requests,
            _ => 0.0,
        }
    }

    /// A counter that CloudWatch leaves out where it is 0.
    fn counter(
        &self,
        side: char,
        counter: &str,
        requests: &str,
        usually: (f64, f64),
        at: i64,
    ) -> Option<f64> {
        let (usual, clump) = usually;
        let id = |side: char, name: &str| format!("{side}_{name}");
        let (own, of) = (id(side, counter), id(side, requests));
        let all = self.at(&of, at)?;
        let other = if side == 'c' { 'b' } else { 'c' };
        let around = Around {
            requests: all,
            age_secs: self.age_secs(at),
            other: self.rate(&id(other, counter), &id(other, requests), at),
            usual: if side == 'b' { usual } else { 0.0 },
            clump,
            neighbours: [self.rate(&own, &of, at - 1), self.rate(&own, &of, at + 1)],
        };
        counted(self.at(&own, at), &around)
    }

    /// 5XX and connections that the target did not take: the load balancer's own 5XX are not told by target group.
    fn errors(&self, at: i64) -> Reading {
        let side = |side: char| {
            let clump = self.clump;
            let answered = self.counter(side, "e", "n", (self.memory.rate, clump), at);
            let refused = self.counter(side, "x", "n", (0.0, clump), at);
            let requests = self.at(&format!("{side}_n"), at);
            let bad = answered.zip(refused).map(|(e, x)| e + x);
            // A balancer tries again where a target takes no connection, and counts each time: a dead target has more than requests.
            let most = requests
                .filter(|_| self.age_secs(at) >= STRAGGLE_SECS)
                .unwrap_or(f64::INFINITY);
            sided(requests, bad.map(|bad| bad.min(most)))
        };
        let canary = side('c');
        Reading {
            canary,
            baseline: side('b'),
            canary_bad_promote: canary.bad,
        }
    }

    /// Of how many response times there are, and how many are above the threshold. Both come of one metric and so at once.
    fn latency(&self, at: i64, index: usize) -> Reading {
        let slow = |side: char, id: &str| {
            self.at(&format!("{side}_s"), at)
                .map(|_| self.at(&format!("{side}_{id}{index}"), at).unwrap_or(0.0))
        };
        let side = |side: char| sided(self.at(&format!("{side}_s"), at), slow(side, "t"));
        let canary = side('c');
        let lax = slow('c', "p")
            .and_then(whole)
            .filter(|lax| canary.requests.is_some_and(|requests| *lax <= requests));
        Reading {
            canary,
            baseline: side('b'),
            canary_bad_promote: lax,
        }
    }

    fn custom(&self, at: i64, index: usize, custom: &Custom) -> Reading {
        let side = |side: char| {
            let total = self.at(&format!("{side}_m{index}n"), at);
            let usually = (0.0, custom.dispersion);
            let count = self.counter(
                side,
                &format!("m{index}x"),
                &format!("m{index}n"),
                usually,
                at,
            );
            sided(
                total,
                match custom.worse {
                    Worse::More => count,
                    Worse::Less => total.zip(count).map(|(total, count)| total - count),
                },
            )
        };
        let canary = side('c');
        Reading {
            canary,
            baseline: side('b'),
            canary_bad_promote: canary.bad,
        }
    }
}

/// Counts that contradict each other are not complete yet: one of them is unknown.
fn sided(requests: Option<f64>, bad: Option<f64>) -> SideCounts {
    let requests = requests.and_then(whole);
    let bad = bad
        .and_then(whole)
        .filter(|bad| requests.is_some_and(|requests| *bad <= requests));
    SideCounts { requests, bad }
}

/// A count; what is none, such as a sum of fractions of a user's own, is unknown.
fn whole(number: f64) -> Option<u64> {
    let rounded = number.round();
    ((rounded - number).abs() < 1e-6 && rounded >= 0.0 && rounded <= COUNTED_A_MINUTE as f64)
        .then_some(rounded as u64)
}

#[cfg(test)]
mod tests;
