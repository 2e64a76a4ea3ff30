//! Decides which counters of a minute are settled.
//!
//! CloudWatch publishes the beginning of some minutes before their end, each counter by itself, and
//! corrects them for some minutes. What is short together passes every other check, so a first
//! reading is never judged: a group of counters is settled once two observations a minute apart
//! agree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::judge::canary::arrival::WAIT_MINUTES;
use crate::limits::METRIC_DELAY;
use crate::metrics::source::{Data, Group};

/// How long nothing of a group may have changed, in seconds: two observations a minute apart, less
/// the jitter of jobs. Ours.
const STEADY_SECS: i64 = 50;

/// Seconds after the end of a minute from which on it is not observed any more: the judge has taken
/// it in by then.
const OBSERVED_SECS: i64 = METRIC_DELAY.as_secs() as i64 + (WAIT_MINUTES as i64 + 1) * 60;

/// The last observation of a group: a digest of its points, and since when they are the same, in
/// seconds since the Unix epoch.
type Observation = (u32, i64);

/// The last observation of a minute: of answers, of response times, and of a user's own metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinuteArrival(Observation, Observation, Observation);

/// The observations of the newest minutes, by judged minute.
pub type Arrivals = BTreeMap<u32, MinuteArrival>;

impl MinuteArrival {
    fn group(self, group: Group) -> Observation {
        match group {
            Group::Answers => self.0,
            Group::Latency => self.1,
            Group::Custom => self.2,
        }
    }
}

/// Observes every minute from 1 to `last` that may not be taken in yet. `first` is the first judged
/// minute since the Unix epoch.
#[must_use]
pub(crate) fn observe_arrivals(
    earlier: &Arrivals,
    data: &Data,
    first: i64,
    last: u32,
    now_secs: i64,
) -> Arrivals {
    let age_secs = |minute: u32| now_secs - (first + i64::from(minute)) * 60;
    let recent = (1..=last).filter(|&minute| age_secs(minute) < OBSERVED_SECS);
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
            let [answers, latency, custom] =
                [Group::Answers, Group::Latency, Group::Custom].map(seen);
            (minute, MinuteArrival(answers, latency, custom))
        })
        .collect()
}

/// Whether the points of a group have not changed for long enough. `arrivals` are those of this
/// evaluation; a minute that is not observed any more is settled.
#[must_use]
pub fn is_settled(arrivals: &Arrivals, minute: u32, group: Group, now_secs: i64) -> bool {
    arrivals
        .get(&minute)
        .is_none_or(|arrival| now_secs - arrival.group(group).1 >= STEADY_SECS)
}

/// FNV-1a over the ids and values of a minute's points, in the order of the ids; what is absent is
/// not in it.
fn digest(data: &Data, at: i64, group: Group) -> u32 {
    const BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;

    let in_group = data.iter().filter(|(key, _)| key.metric.group() == group);
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

#[cfg(test)]
mod tests;
