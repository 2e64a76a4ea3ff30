//! State carried between evaluations in the continuation token: what was fixed before the bake, and
//! what cannot be read again.
//!
//! The token is short, so minutes are written as ranges and metrics by their place. Where even that
//! is too long, ranges that are near to each other become one: then more minutes are skipped than
//! had to be, which costs time and never the error rate.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::arrival::Arrivals;
use crate::job::Failure;
use crate::judge::Progress;
use crate::judge::progress::{MinuteRanges, PROGRESS_VERSION, Peak};
use crate::limits::PAYLOAD_CHARS;

type Range = (u32, u32);

/// What is known from earlier evaluations. The short names are those in the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BakeState {
    /// The first judged minute since the Unix epoch.
    #[serde(rename = "f")]
    pub first: i64,
    /// Latency thresholds in milliseconds.
    #[serde(rename = "x")]
    pub thresholds_ms: Vec<f64>,
    /// Overdispersion of errors, and of slow requests.
    #[serde(rename = "e")]
    pub dispersion_errors: f64,
    #[serde(rename = "l")]
    pub dispersion_latency: f64,
    /// Bad requests of the live colour per request, in the hour before.
    #[serde(rename = "r")]
    pub rate: f64,
    /// Whether the live colour's counters agreed with each other in the hour before.
    #[serde(rename = "b", default, skip_serializing_if = "std::ops::Not::not")]
    pub agrees: bool,
    /// The places of a user's counts that had a value in the hour before.
    #[serde(rename = "k", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub known_counts: BTreeSet<usize>,
    /// The last observation of the newest minutes.
    #[serde(rename = "q", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arrivals: Arrivals,
    /// The minute in which a hold began.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u32>,
    /// Highest evidence, the place of the metric behind it, and its minute.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    highest: Option<(f64, usize, u32)>,
    /// Skipped minutes by the place of the metric: `3,7-9`.
    #[serde(rename = "s", default, skip_serializing_if = "BTreeMap::is_empty")]
    skipped: BTreeMap<usize, String>,
}

impl BakeState {
    /// What is known when nothing has been judged yet.
    #[must_use]
    pub fn new(first: i64, thresholds_ms: Vec<f64>, dispersion: (f64, f64), rate: f64) -> Self {
        let (dispersion_errors, dispersion_latency) = dispersion;
        Self {
            first,
            thresholds_ms,
            dispersion_errors,
            dispersion_latency,
            rate,
            agrees: false,
            known_counts: BTreeSet::new(),
            arrivals: Arrivals::new(),
            held: None,
            highest: None,
            skipped: BTreeMap::new(),
        }
    }

    /// The same, knowing whether the counters of the hour before agreed with each other.
    #[must_use]
    pub fn with_agreement(self, agrees: bool) -> Self {
        Self { agrees, ..self }
    }

    /// The same, knowing which of a user's counts had a value in the hour before.
    #[must_use]
    pub fn with_known_counts(self, known_counts: BTreeSet<usize>) -> Self {
        Self {
            known_counts,
            ..self
        }
    }

    /// The same with the last observation of the newest minutes.
    #[must_use]
    pub fn with_arrivals(self, arrivals: Arrivals) -> Self {
        Self { arrivals, ..self }
    }

    /// Reads what an earlier evaluation wrote.
    ///
    /// # Errors
    /// When it was written by another version.
    pub fn read(payload: &Value) -> Result<Self, Failure> {
        serde_json::from_value(payload.clone()).map_err(|e| {
            Failure::job(format!(
                "the continuation token was not written by this version: {e}; release again"
            ))
        })
    }

    /// The same, held since that minute, unless it began before.
    #[must_use]
    pub fn with_hold(self, minute: u32) -> Self {
        Self {
            held: self.held.or(Some(minute)),
            ..self
        }
    }

    /// The progress of a judge of the metrics of these names.
    ///
    /// # Errors
    /// When it names a metric that there is not, because the settings were changed during the bake,
    /// or when skipped minutes cannot be read: what was skipped must stay skipped.
    pub fn progress(&self, names: &[String]) -> Result<Progress, Failure> {
        let name = |index: usize| {
            names.get(index).cloned().ok_or_else(|| {
                Failure::configuration(
                    "the metrics differ from those that the bake began with; release again",
                )
            })
        };

        let mut skipped = BTreeMap::new();
        for (index, text) in &self.skipped {
            skipped.insert(name(*index)?, ranges(text).ok_or_else(|| damaged(text))?);
        }

        let peak = |(log_e, index, minute): (f64, usize, u32)| {
            Ok(Peak {
                log_e,
                metric: name(index)?,
                minute,
            })
        };

        let highest = self.highest.map(peak).transpose()?;
        Ok(Progress {
            v: PROGRESS_VERSION,
            skipped,
            highest,
        })
    }

    /// The same with what an evaluation left, short enough for a token.
    #[must_use]
    pub(crate) fn with_progress(self, progress: &Progress, names: &[String]) -> Self {
        let place = |name: &str| names.iter().position(|known| known == name);
        let mut skipped: BTreeMap<usize, Vec<Range>> = BTreeMap::new();
        for (name, ranges) in &progress.skipped {
            skipped.extend(place(name).map(|place| (place, pairs(ranges))));
        }

        let highest = progress.highest.as_ref();
        let highest =
            highest.and_then(|peak| Some((peak.log_e, place(&peak.metric)?, peak.minute)));
        let mut state = Self { highest, ..self };

        loop {
            state.skipped = skipped
                .iter()
                .map(|(place, ranges)| (*place, written(ranges)))
                .collect();
            if state.payload().to_string().len() <= PAYLOAD_CHARS || !join(&mut skipped) {
                return state;
            }
        }
    }

    /// What goes into the token.
    #[must_use]
    pub fn payload(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Makes one range of the two that are nearest to each other; `false` when every metric has one at
/// most.
fn join(skipped: &mut BTreeMap<usize, Vec<Range>>) -> bool {
    let gaps = skipped.iter().flat_map(|(place, ranges)| {
        ranges
            .windows(2)
            .enumerate()
            .map(|(at, two)| (two[1].0 - two[0].1, *place, at))
    });
    let Some((_, place, at)) = gaps.min() else {
        return false;
    };

    if let Some(ranges) = skipped.get_mut(&place) {
        ranges[at].1 = ranges[at + 1].1;
        ranges.remove(at + 1);
    }

    true
}

fn written(ranges: &[Range]) -> String {
    let one = |(first, last): &Range| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };

    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}

/// The minutes of a text; `None` if a part of it is not one.
fn ranges(text: &str) -> Option<MinuteRanges> {
    let one = |part: &str| -> Option<Range> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.parse().ok()?, last.parse().ok()?))
    };

    let parts = text.split(',').filter(|_| !text.is_empty());
    let pairs: Vec<Range> = parts.map(one).collect::<Option<_>>()?;
    let ranges = serde_json::to_value(pairs).and_then(serde_json::from_value);
    ranges.ok()
}

fn damaged(text: &str) -> Failure {
    Failure::job(format!(
        "the skipped minutes in the continuation token are `{text}`; expected ranges such as \
         `3,7-9`; release again"
    ))
}

fn pairs(ranges: &MinuteRanges) -> Vec<Range> {
    serde_json::to_value(ranges)
        .and_then(serde_json::from_value)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
