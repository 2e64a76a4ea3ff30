//! From points to what the judge reads: one reading of every metric in every minute.

use std::collections::BTreeMap;

use super::queries::{Data, Points};
use crate::judge::clean::{Reading, Side};
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
        let known =
            |side: Side| side.bad.is_some() && side.requests.is_some_and(|requests| requests > 0);
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
fn sided(requests: Option<f64>, bad: Option<f64>) -> Side {
    let requests = requests.and_then(whole);
    let bad = bad
        .and_then(whole)
        .filter(|bad| requests.is_some_and(|requests| *bad <= requests));
    Side { requests, bad }
}

/// A count; what is none, such as a sum of fractions of a user's own, is unknown.
fn whole(number: f64) -> Option<u64> {
    let rounded = number.round();
    ((rounded - number).abs() < 1e-6 && rounded >= 0.0 && rounded <= COUNTED_A_MINUTE as f64)
        .then_some(rounded as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::canary::arrival::sightings;
    use crate::strategy::canary::config::tests::{memory as memory_metric, orders, settings};
    use serde_json::json;

    const FIRST: i64 = 29_460_060;

    fn read(points: &[(&str, f64)], settings: &Settings, age_secs: i64) -> Readings {
        let data: Data = points
            .iter()
            .map(|(id, value)| ((*id).to_owned(), Points::from([(FIRST, *value)])))
            .collect();
        let memory = Memory::new(FIRST, vec![60.0, 90.0, 200.0, 300.0], (1.0, 1.0), 0.001);
        let now_secs = (FIRST + 1) * 60 + age_secs;
        let seen = sightings(&Sightings::new(), &data, FIRST, 1, now_secs - 60);
        Readings::of(&data, settings, &memory, &seen, 1, now_secs)
    }

    fn side(requests: u64, bad: Option<u64>) -> Side {
        Side {
            requests: Some(requests),
            bad,
        }
    }

    #[test]
    fn errors_are_answers_and_refused_connections() {
        let points = [
            ("c_n", 150.0),
            ("c_e", 2.0),
            ("c_x", 3.0),
            ("b_n", 2_850.0),
            ("b_e", 4.0),
        ];
        let reading = read(&points, &Settings::default(), 130).get(1, 0);
        assert_eq!(
            (reading.canary, reading.baseline),
            (side(150, Some(5)), side(2_850, None))
        );
        assert_eq!(reading.canary_bad_promote, Some(5));
        let later = read(&points, &Settings::default(), 250).get(1, 0);
        assert_eq!(
            later.baseline,
            side(2_850, Some(4)),
            "connections of the baseline were no error after all"
        );
    }

    #[test]
    fn nothing_is_known_without_requests_and_contradictions_wait() {
        let reading = read(
            &[("c_e", 2.0), ("b_n", 10.0), ("b_e", 12.0)],
            &Settings::default(),
            130,
        )
        .get(1, 0);
        assert_eq!(
            (reading.canary, reading.baseline),
            (Side::default(), side(10, None))
        );
    }

    #[test]
    fn a_dead_target_refuses_more_connections_than_there_are_requests() {
        let points = [
            ("c_n", 150.0),
            ("c_x", 300.0),
            ("b_n", 2_850.0),
            ("b_e", 4.0),
        ];
        assert_eq!(
            read(&points, &Settings::default(), 130).get(1, 0).canary,
            side(150, None)
        );
        assert_eq!(
            read(&points, &Settings::default(), 250).get(1, 0).canary,
            side(150, Some(150))
        );
    }

    #[test]
    fn slow_requests_are_counted_among_response_times() {
        let points = [
            ("c_s", 149.0),
            ("c_t1", 20.0),
            ("c_p1", 9.0),
            ("b_s", 2_840.0),
        ];
        let readings = read(&points, &Settings::default(), 130);
        let reading = readings.get(1, 2);
        assert_eq!(
            (reading.canary, reading.baseline),
            (side(149, Some(20)), side(2_840, Some(0)))
        );
        assert_eq!(reading.canary_bad_promote, Some(9));
        assert_eq!(readings.get(2, 2), Reading::default());
    }

    #[test]
    fn fewer_can_be_worse() {
        let settings = settings(json!([memory_metric(), orders()]));
        let points = [
            ("c_m1n", 50.0),
            ("c_m1x", 40.0),
            ("b_m1n", 100.0),
            ("b_m1x", 95.0),
        ];
        let reading = read(&points, &settings, 300).get(1, 5);
        assert_eq!(
            (reading.canary, reading.baseline),
            (side(50, Some(10)), side(100, Some(5)))
        );
    }

    #[test]
    fn a_minute_that_has_not_arrived_whole_is_not_read() {
        let settings = settings(json!([orders()]));
        let points = [
            ("c_n", 100.0),
            ("c_s", 100.0),
            ("b_n", 900.0),
            ("b_s", 900.0),
            ("c_m0n", 50.0),
            ("b_m0n", 90.0),
        ];
        let data: Data = points
            .iter()
            .map(|(id, value)| ((*id).to_owned(), Points::from([(FIRST, *value)])))
            .collect();
        let memory = Memory::new(FIRST, vec![60.0], (1.0, 1.0), 0.001);
        let now_secs = (FIRST + 1) * 60 + 130;
        let new = sightings(&Sightings::new(), &data, FIRST, 1, now_secs);
        assert_eq!(
            Readings::of(&data, &settings, &memory, &new, 1, now_secs),
            Readings::default()
        );
        let old = sightings(&Sightings::new(), &data, FIRST, 1, now_secs - 60);
        assert_eq!(
            Readings::of(&data, &settings, &memory, &old, 1, now_secs)
                .0
                .len(),
            3
        );
    }

    #[test]
    fn errors_of_a_minute_that_contradicts_itself_are_not_read() {
        let points = [
            ("c_n", 100.0),
            ("c_s", 100.0),
            ("c_2", 90.0),
            ("b_n", 900.0),
            ("b_s", 900.0),
            ("b_2", 900.0),
        ];
        let data: Data = points
            .iter()
            .map(|(id, value)| ((*id).to_owned(), Points::from([(FIRST, *value)])))
            .collect();
        let now_secs = (FIRST + 1) * 60 + 130;
        let seen = sightings(&Sightings::new(), &data, FIRST, 1, now_secs - 60);
        let read = |agrees| {
            let memory = Memory::new(FIRST, vec![60.0], (1.0, 1.0), 0.001).with_agreement(agrees);
            Readings::of(&data, &Settings::default(), &memory, &seen, 1, now_secs)
        };
        assert_eq!(
            read(true).get(1, 0),
            Reading::default(),
            "ten answers are missing"
        );
        assert_eq!(
            read(true).get(1, 1).canary,
            side(100, Some(0)),
            "response times and slow ones come of one metric"
        );
        assert_eq!(
            read(false).get(1, 0).canary,
            side(100, Some(0)),
            "they never agree here"
        );
    }

    #[test]
    fn a_canary_whose_counters_never_agree_is_judged_all_the_same() {
        let answers = |until: i64| -> Data {
            let points = |value: f64| -> Points {
                (0..until).map(|minute| (FIRST + minute, value)).collect()
            };
            let all = [
                ("c_n", 100.0),
                ("c_s", 100.0),
                ("c_2", 40.0),
                ("c_e", 30.0),
                ("b_n", 900.0),
                ("b_s", 900.0),
                ("b_2", 900.0),
            ];
            all.into_iter()
                .map(|(id, value)| (id.to_owned(), points(value)))
                .collect()
        };
        let read = |until: u32| {
            let data = answers(i64::from(until));
            let now_secs = (FIRST + i64::from(until)) * 60 + 130;
            let seen = sightings(&Sightings::new(), &data, FIRST, until, now_secs - 60);
            let memory = Memory::new(FIRST, Vec::new(), (1.0, 1.0), 0.001).with_agreement(true);
            Readings::of(&data, &Settings::default(), &memory, &seen, until, now_secs)
                .get(until, 0)
                .canary
        };
        assert_eq!(
            read(5),
            Side::default(),
            "one final minute may have lost a point"
        );
        assert_eq!(read(6), side(100, Some(30)), "two have not");
    }
}
