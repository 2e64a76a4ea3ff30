//! What a judgement must remember between looks, besides the data that can be read again.
//!
//! CloudWatch's data fills in later than it is read. What was left out must stay left out and the
//! highest evidence must stay reached, or a later look could reach another verdict.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arrival::Taken;
use super::counts::Counts;
use super::metric::Metric;
use super::verdict::Peak;

/// The part of a judge that cannot be made again from data. Small enough for a continuation token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Minutes that were taken in: they do not wait any more.
    pub taken: u32,
    /// Minutes whose answers were left out, and with them errors and 4xx.
    pub answers: MinuteRanges,
    /// Minutes whose response times were left out.
    pub latency: MinuteRanges,
    /// Minutes whose counts of a user's own were all left out.
    pub own: MinuteRanges,
    /// Minutes in which one of these counts was left out beside others that were not, by its place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_apart: BTreeMap<usize, MinuteRanges>,
    /// The highest evidence at which a rollback was allowed.
    pub highest: Option<Peak>,
}

impl Progress {
    /// Whether a minute that was taken in counted for a metric.
    pub fn was_used(&self, minute: u32, metric: Metric) -> bool {
        let is_skipped = match metric {
            Metric::Errors | Metric::ClientErrors => self.answers.contains(minute),
            Metric::Latency(_) => self.latency.contains(minute),
            Metric::Own(place) => {
                let apart = self.own_apart.get(&place);
                self.own.contains(minute) || apart.is_some_and(|apart| apart.contains(minute))
            }
        };
        !is_skipped
    }

    /// All minutes that were left out, list by list.
    pub fn skipped(&self) -> impl Iterator<Item = &MinuteRanges> {
        let together = [&self.answers, &self.latency, &self.own];
        together.into_iter().chain(self.own_apart.values())
    }

    /// The same lists, to be shortened.
    pub fn skipped_mut(&mut self) -> impl Iterator<Item = &mut MinuteRanges> {
        let together = [&mut self.answers, &mut self.latency, &mut self.own];
        together.into_iter().chain(self.own_apart.values_mut())
    }

    /// Notes what was left out of a minute.
    pub(super) fn note(&mut self, minute: u32, taken: &Taken) {
        self.taken = self.taken.max(minute);
        if taken.answers.is_none() {
            self.answers.add(minute);
        }
        if taken.latency.is_none() {
            self.latency.add(minute);
        }
        self.note_own(minute, &taken.own);
    }

    /// A minute without any of these counts is noted once, whatever their number: a token is short.
    fn note_own(&mut self, minute: u32, own: &[Option<Counts>]) {
        if own.iter().any(Option::is_some) {
            let missing = own
                .iter()
                .enumerate()
                .filter(|(_, counts)| counts.is_none());
            for (place, _) in missing {
                self.own_apart.entry(place).or_default().add(minute);
            }
        } else if !own.is_empty() {
            self.own.add(minute);
        }
    }
}

/// Minutes as inclusive ranges, in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinuteRanges(Vec<(u32, u32)>);

impl MinuteRanges {
    /// Whether no minute is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `minute` is in it.
    pub fn contains(&self, minute: u32) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= minute);
        after > 0 && minute <= self.0[after - 1].1
    }

    /// Whether the ranges are in ascending order and do not touch, so that they can be searched.
    pub fn is_sorted(&self) -> bool {
        let forward = self.0.iter().all(|(first, last)| first <= last);
        forward && self.0.windows(2).all(|pair| pair[0].1 < pair[1].0)
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().copied()
    }

    /// Makes one range of the two that are nearest to each other: how far apart they were, or
    /// nothing where there is one at most.
    pub fn join_nearest(&mut self) -> Option<u32> {
        let gaps = self.0.windows(2).map(|two| two[1].0 - two[0].1);
        let (at, gap) = gaps.enumerate().min_by_key(|(_, gap)| *gap)?;
        self.0[at].1 = self.0[at + 1].1;
        self.0.remove(at + 1);
        Some(gap)
    }

    /// Adds a minute, usually the latest of all, unless it is there already.
    fn add(&mut self, minute: u32) {
        if self.contains(minute) {
            return;
        }
        let after = self.0.partition_point(|(first, _)| *first <= minute);
        match after.checked_sub(1).map(|before| &mut self.0[before]) {
            Some((_, last)) if *last + 1 == minute => *last = minute,
            _ => self.0.insert(after, (minute, minute)),
        }
    }
}

impl FromIterator<(u32, u32)> for MinuteRanges {
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
