//! What is carried between evaluations in few characters: minutes as ranges, and metrics by their
//! place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::job::Failure;
use crate::judge::Progress;
use crate::judge::canary::answers::BadRule;
use crate::judge::canary::hour_before::{HourBefore, Measured};
use crate::judge::canary::metric::Metric;
use crate::judge::canary::progress::MinuteRanges;
use crate::judge::canary::verdict::Peak;

/// [`HourBefore`] in few characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptPrior(BadRule, Option<f64>, Vec<KeptMeasured>);

/// [`Measured`] in few characters: φ, whether events come one by one, and both rates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct KeptMeasured(f64, u8, f64, f64);

/// [`Progress`] in few characters: minutes taken in, minutes left out as `3,7-9` (of own counts
/// also by count, as [`written_own`] has it), and the highest evidence with the place of its metric
/// and its minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptProgress(u32, String, String, String, Option<(f64, usize, u32)>);

/// Errors, 4xx, then the thresholds, then a user's own.
const FIRST_THRESHOLD: usize = 2;
const FIRST_OWN: usize = 10;

/// Before each count of a user's own that was left out beside others, and between its place and its
/// minutes.
const APART: char = ';';
const AT: char = '=';

impl KeptPrior {
    pub(super) fn new(prior: &HourBefore) -> Self {
        let measured = [prior.errors, prior.client_errors].into_iter();
        let metrics = measured.chain(prior.latency.iter().copied());
        Self(
            prior.rule,
            prior.requests_a_minute.map(short),
            metrics.map(KeptMeasured::new).collect(),
        )
    }

    pub(super) fn prior(&self) -> HourBefore {
        let at = |place: usize| {
            let kept = self.2.get(place);
            kept.map_or(Measured::UNKNOWN, |kept| kept.measured())
        };
        HourBefore {
            rule: self.0,
            requests_a_minute: self.1,
            errors: at(0),
            client_errors: at(1),
            latency: (FIRST_THRESHOLD..self.2.len()).map(at).collect(),
        }
    }
}

impl KeptMeasured {
    fn new(measured: Measured) -> Self {
        Self(
            short(measured.phi),
            u8::from(measured.one_by_one),
            short(measured.rate),
            short(measured.rate_to_promote),
        )
    }

    fn measured(self) -> Measured {
        Measured {
            phi: self.0,
            one_by_one: self.1 > 0,
            rate: self.2,
            rate_to_promote: self.3,
        }
    }
}

impl KeptProgress {
    pub(super) fn new(progress: &Progress) -> Self {
        let highest = progress.highest;
        Self(
            progress.taken,
            written(&progress.answers),
            written(&progress.latency),
            written_own(progress),
            highest.map(|peak| (peak.log_e, place(peak.metric), peak.minute)),
        )
    }

    /// The progress that was kept.
    ///
    /// # Errors
    /// When minutes that were left out cannot be read.
    pub(super) fn progress(&self) -> Result<Progress, Failure> {
        let Self(taken, answers, latency, own, highest) = self;
        let read = |text: &str| ranges(text).ok_or_else(|| damaged(text));
        let (own, apart) = own.split_once(APART).unwrap_or((own.as_str(), ""));
        let apart = apart.split(APART).filter(|_| !apart.is_empty());
        let own_apart = apart
            .map(|count| place_and_ranges(count).ok_or_else(|| damaged(count)))
            .collect::<Result<BTreeMap<_, _>, Failure>>()?;
        Ok(Progress {
            taken: *taken,
            answers: read(answers)?,
            latency: read(latency)?,
            own: read(own)?,
            own_apart,
            highest: highest.map(|(log_e, place, minute)| Peak {
                log_e,
                metric: metric(place),
                minute,
            }),
        })
    }
}

pub(super) fn place(metric: Metric) -> usize {
    match metric {
        Metric::Errors => 0,
        Metric::ClientErrors => 1,
        Metric::Latency(threshold) => FIRST_THRESHOLD + threshold,
        Metric::Own(place) => FIRST_OWN + place,
    }
}

pub(super) fn metric(place: usize) -> Metric {
    match place {
        0 => Metric::Errors,
        1 => Metric::ClientErrors,
        FIRST_THRESHOLD..FIRST_OWN => Metric::Latency(place - FIRST_THRESHOLD),
        _ => Metric::Own(place - FIRST_OWN),
    }
}

/// Six digits are kept: the measurement is not more exact.
fn short(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

fn written(ranges: &MinuteRanges) -> String {
    let one = |(first, last): (u32, u32)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}

/// The minutes without any count of a user's own, then those without one of them, by its place:
/// `3,7-9;1=5;2=4,6`.
fn written_own(progress: &Progress) -> String {
    let apart = progress.own_apart.iter();
    let apart = apart.map(|(place, ranges)| format!("{APART}{place}{AT}{}", written(ranges)));
    [written(&progress.own)].into_iter().chain(apart).collect()
}

/// The place and the minutes of a count that was left out beside others.
fn place_and_ranges(text: &str) -> Option<(usize, MinuteRanges)> {
    let (place, minutes) = text.split_once(AT)?;
    Some((place.parse().ok()?, ranges(minutes)?))
}

/// The minutes of a text; `None` if a part of it is not one, or they are out of order.
fn ranges(text: &str) -> Option<MinuteRanges> {
    let one = |part: &str| -> Option<(u32, u32)> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    let parts = text.split(',').filter(|_| !text.is_empty());
    let ranges: MinuteRanges = parts.map(one).collect::<Option<_>>()?;
    ranges.is_sorted().then_some(ranges)
}

fn damaged(text: &str) -> Failure {
    Failure::job(format!(
        "the skipped minutes in the continuation token are `{text}`; expected ranges such as \
         `3,7-9`; release again"
    ))
}
