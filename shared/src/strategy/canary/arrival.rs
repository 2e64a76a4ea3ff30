//! Decides which minutes have arrived whole and are read at all.
//!
//! CloudWatch publishes the beginning of some minutes before their end, and each counter by itself.
//! A minute whose requests are there in part while its errors are there in full looks harmful, and
//! one whose errors are there in part looks healthy. So a metric is read only once it has not
//! changed between two observations a minute apart, and errors only while the counters of their
//! minute agree with each other. Until then it is unknown, which the judge waits for and then
//! leaves out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::judge::clean::WAIT_MINUTES;
use crate::limits::METRIC_DELAY;
use crate::metrics::source::{Data, Group, Key, Metric, Points, Side};

/// How long nothing of a minute may have changed, in seconds: two observations a minute apart, less
/// the jitter of jobs. Ours.
const STEADY_SECS: i64 = 50;

/// Seconds after the end of a minute from which on one observation is enough: the judge then waits
/// no longer, and a canary whose counters are corrected repeatedly must be judged too.
pub(crate) const FINAL_SECS: i64 = METRIC_DELAY.as_secs() as i64 + WAIT_MINUTES as i64 * 60;

/// One minute of the hour before the bake may not balance, or one in this number, because a point
/// may be lost. Ours.
const UNBALANCED_ONE_IN: usize = 20;

/// The last observation of a minute: a digest of each group's points, and since when they are the
/// same, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinuteArrival {
    #[serde(rename = "e")]
    errors: (u32, i64),
    #[serde(rename = "l")]
    latency: (u32, i64),
    #[serde(rename = "c")]
    custom: (u32, i64),
}

/// The observations of the newest minutes, by judged minute.
pub type Arrivals = BTreeMap<u32, MinuteArrival>;

impl MinuteArrival {
    fn group(self, group: Group) -> (u32, i64) {
        match group {
            Group::Errors => self.errors,
            Group::Latency => self.latency,
            Group::Custom => self.custom,
        }
    }
}

/// Observes every minute from 1 to `last` that is not final yet. `first` is the first judged minute
/// since the Unix epoch.
#[must_use]
pub(crate) fn observe_arrivals(
    earlier: &Arrivals,
    data: &Data,
    first: i64,
    last: u32,
    now_secs: i64,
) -> Arrivals {
    let recent = (1..=last).filter(|&minute| age_secs(first, minute, now_secs) < FINAL_SECS);
    recent
        .map(|minute| {
            let seen = |group: Group| {
                let digest = digest(data, first + i64::from(minute) - 1, group);
                let known = earlier.get(&minute).map(|arrival| arrival.group(group));
                let since = known
                    .filter(|(before, _)| *before == digest)
                    .map_or(now_secs, |(_, since)| since);
                (digest, since)
            };
            let [errors, latency, custom] =
                [Group::Errors, Group::Latency, Group::Custom].map(seen);
            (
                minute,
                MinuteArrival {
                    errors,
                    latency,
                    custom,
                },
            )
        })
        .collect()
}

/// Whether the points of a minute have not changed for long enough. `arrivals` are those of this
/// evaluation.
#[must_use]
pub fn is_steady(
    arrivals: &Arrivals,
    first: i64,
    minute: u32,
    group: Group,
    now_secs: i64,
) -> bool {
    match arrivals.get(&minute) {
        Some(arrival) => now_secs - arrival.group(group).1 >= STEADY_SECS,
        None => age_secs(first, minute, now_secs) >= FINAL_SECS,
    }
}

/// Seconds since the end of a judged minute.
fn age_secs(first: i64, minute: u32, now_secs: i64) -> i64 {
    now_secs - (first + i64::from(minute)) * 60
}

/// FNV-1a over the ids and values of a minute's points, in the order of the ids; what is absent is
/// not in it.
fn digest(data: &Data, at: i64, group: Group) -> u32 {
    const BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;

    let in_group = data
        .iter()
        .filter(|(key, _)| key.metric.group() == Some(group));
    let found: BTreeMap<String, f64> = in_group
        .filter_map(|(key, points)| Some((key.id(), *points.get(&at)?)))
        .collect();
    let bytes = found
        .iter()
        .flat_map(|(id, value)| id.bytes().chain(value.to_bits().to_be_bytes()));
    bytes.fold(BASIS, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(PRIME)
    })
}

/// Whether requests, responses and response times of one side agree in a minute: `None` where there
/// are no response times.
///
/// Every response has a status class and a response time, and belongs to a request. So there are no
/// fewer requests than either, and, once the 2xx are there, no fewer responses than response times.
/// One in 2,000, or 2, may be missing (ours): a counter that has arrived in part lacks more, unless
/// hardly any of its requests failed.
fn balance(data: &Data, side: Side, at: i64) -> Option<bool> {
    let point = |metric: Metric| {
        data.get(&Key::new(side, metric))
            .and_then(|points: &Points| points.get(&at))
            .copied()
    };
    let classes = [
        Metric::Responses2xx,
        Metric::Responses3xx,
        Metric::Responses4xx,
        Metric::Responses5xx,
    ];

    let timed = point(Metric::ResponseTimes)?;
    let answers: f64 = classes.into_iter().filter_map(point).sum();
    let slack = (timed / 2_000.0).max(2.0);
    let requests = point(Metric::Requests).unwrap_or(0.0);
    let all_requests = requests + slack >= answers.max(timed);
    let all_answers = point(Metric::Responses2xx).is_none() || answers + slack >= timed;
    Some(all_requests && all_answers)
}

/// Whether the counters of a side contradict each other in a minute, where those of the hour before
/// did not.
#[must_use]
pub(crate) fn is_contradictory(data: &Data, side: Side, at: i64) -> bool {
    balance(data, side, at) == Some(false)
}

/// Whether the counters of a side agreed with each other in the minutes before `until`, all of them
/// complete: then a later contradiction means that something is missing. They never agree where
/// responses come long after their requests, or without a status class. A side without requests in
/// that time counts as one whose counters agree: what is in doubt is left out, not judged.
#[must_use]
pub(crate) fn agrees(data: &Data, side: Side, until: i64) -> bool {
    let requests = data
        .get(&Key::new(side, Metric::Requests))
        .into_iter()
        .flat_map(|points| points.range(..until));
    let minutes: Vec<bool> = requests
        .filter_map(|(at, _)| balance(data, side, *at))
        .collect();
    let unbalanced = minutes.iter().filter(|balanced| !**balanced).count();

    unbalanced <= (minutes.len() / UNBALANCED_ONE_IN).max(1)
}

#[cfg(test)]
mod tests;
