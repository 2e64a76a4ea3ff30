//! Which minutes have arrived whole, and are read at all.
//!
//! CloudWatch publishes the beginning of some minutes before their end, and each counter by itself. A minute whose requests are there in part while
//! its errors are there in full looks harmful, and one whose errors are there in part looks healthy. So what a metric is judged by is read only
//! once it has not changed between two looks a minute apart, and errors only while the counters of their minute agree with each other. Until
//! then it is unknown, which the judge waits for and then leaves out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::judge::clean::WAIT_MINUTES;
use crate::limits::METRIC_DELAY;
use crate::metrics::queries::{Data, Points};

/// How long nothing of a minute may have changed, in seconds: two looks a minute apart, less the jitter of jobs. Ours.
pub const STEADY_SECS: i64 = 50;

/// Seconds after the end of a minute from which on it does not have to be seen twice: the judge then waits no longer, and a canary whose counters
/// are corrected again and again must be judged too.
pub const FINAL_SECS: i64 = METRIC_DELAY.as_secs() as i64 + WAIT_MINUTES as i64 * 60;

/// One minute of the hour before the bake may not balance, or one in so many, as a point may be lost. Ours.
const UNBALANCED_ONE_IN: usize = 20;

/// Series that are judged together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Requests, 5xx and refused connections.
    Errors,
    /// Response times: all come from one metric.
    Latency,
    /// A user's own metrics.
    Custom,
}

/// What the last look saw of a minute: a digest of each group's points, and since when they are the same, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    #[serde(rename = "e")]
    errors: (u32, i64),
    #[serde(rename = "l")]
    latency: (u32, i64),
    #[serde(rename = "c")]
    custom: (u32, i64),
}

/// The sightings of the newest minutes, by judged minute.
pub type Sightings = BTreeMap<u32, Sighting>;

impl Sighting {
    fn of(self, group: Group) -> (u32, i64) {
        match group {
            Group::Errors => self.errors,
            Group::Latency => self.latency,
            Group::Custom => self.custom,
        }
    }
}

/// What this look saw of every minute from 1 to `last` that is not final yet. `first` is the first judged minute since the Unix epoch.
#[must_use]
pub fn sightings(
    earlier: &Sightings,
    data: &Data,
    first: i64,
    last: u32,
    now_secs: i64,
) -> Sightings {
    let recent = (1..=last).filter(|&minute| age_secs(first, minute, now_secs) < FINAL_SECS);
    recent
        .map(|minute| {
            let seen = |group: Group| {
                let digest = digest(data, first + i64::from(minute) - 1, group);
                let known = earlier.get(&minute).map(|sighting| sighting.of(group));
                let since = known
                    .filter(|(before, _)| *before == digest)
                    .map_or(now_secs, |(_, since)| since);
                (digest, since)
            };
            let [errors, latency, custom] =
                [Group::Errors, Group::Latency, Group::Custom].map(seen);
            (
                minute,
                Sighting {
                    errors,
                    latency,
                    custom,
                },
            )
        })
        .collect()
}

/// Whether the points of a minute have not changed for long enough. `sightings` are those of this look.
#[must_use]
pub fn is_steady(
    sightings: &Sightings,
    first: i64,
    minute: u32,
    group: Group,
    now_secs: i64,
) -> bool {
    match sightings.get(&minute) {
        Some(sighting) => now_secs - sighting.of(group).1 >= STEADY_SECS,
        None => age_secs(first, minute, now_secs) >= FINAL_SECS,
    }
}

/// Seconds since the end of a judged minute.
fn age_secs(first: i64, minute: u32, now_secs: i64) -> i64 {
    now_secs - (first + i64::from(minute)) * 60
}

/// FNV-1a over the ids and values of a minute's points; what is absent is not in it.
fn digest(data: &Data, at: i64, group: Group) -> u32 {
    const BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;

    let points = data.iter().filter(|(id, _)| group_of(id) == Some(group));
    let found = points.filter_map(|(id, points)| Some((id, points.get(&at)?)));
    let bytes = found.flat_map(|(id, value)| id.bytes().chain(value.to_bits().to_be_bytes()));
    bytes.fold(BASIS, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(PRIME)
    })
}

/// The group of a query by its id after the side: `c_n`, `b_t2`, `c_m0x`. Answers of other classes than 5xx are only compared.
fn group_of(id: &str) -> Option<Group> {
    match id.get(2..3) {
        Some("n" | "e" | "x") => Some(Group::Errors),
        Some("s" | "t" | "p") => Some(Group::Latency),
        Some("m") => Some(Group::Custom),
        _ => None,
    }
}

/// Whether requests, answers and response times of one side agree in a minute: `None` where there are no response times.
///
/// Every answer has a status class and a response time, and belongs to a request. So there are no fewer requests than either, and, once the 2xx are
/// there, no fewer answers than response times. One in 2,000, or 2, may be missing (ours): what is missing of a counter that has arrived in part
/// is more, unless hardly any of its requests failed.
fn balance(data: &Data, side: char, at: i64) -> Option<bool> {
    let point = |id: &str| {
        data.get(&format!("{side}_{id}"))
            .and_then(|points: &Points| points.get(&at))
            .copied()
    };
    let timed = point("s")?;
    let answers: f64 = ["2", "3", "4", "e"].iter().filter_map(|id| point(id)).sum();
    let slack = (timed / 2_000.0).max(2.0);
    let all_requests = point("n").unwrap_or(0.0) + slack >= answers.max(timed);
    let all_answers = point("2").is_none() || answers + slack >= timed;
    Some(all_requests && all_answers)
}

/// Whether the counters of a side contradict each other in a minute, where those of the hour before did not.
#[must_use]
pub fn is_contradictory(data: &Data, side: char, at: i64) -> bool {
    balance(data, side, at) == Some(false)
}

/// Whether the counters of a side agreed with each other in the minutes before `until`, all of them complete: then a later contradiction says that
/// something is missing. They never do where answers come long after their requests, or without a status class. A side without requests in
/// that time is taken for one whose counters agree: what is in doubt is left out, not judged.
#[must_use]
pub fn agrees(data: &Data, side: char, until: i64) -> bool {
    let requests = data
        .get(&format!("{side}_n"))
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
