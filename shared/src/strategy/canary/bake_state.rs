//! What one look hands to the next in the continuation token: what was fixed before the bake, and what cannot be read again.
//!
//! The token is short, so minutes are written as ranges and metrics by their place. Where even that is too long, ranges that are
//! near to each other become one: then more minutes are skipped than had to be, which costs time and never the error rate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::arrival::Sightings;
use crate::job::Failure;
use crate::judge::Progress;
use crate::judge::progress::{MinuteRanges, PROGRESS_VERSION, Peak};
use crate::limits::PAYLOAD_CHARS;

type Range = (u32, u32);

/// What is known from earlier looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The first judged minute since the Unix epoch.
    #[serde(rename = "f")]
    pub first: i64,
    /// Latency thresholds in milliseconds.
    #[serde(rename = "x")]
    pub thresholds_ms: Vec<f64>,
    /// Clumping of errors, and of slow requests.
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
    /// What the last look saw of the newest minutes.
    #[serde(rename = "q", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sightings: Sightings,
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

impl Memory {
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
            sightings: Sightings::new(),
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

    /// The same with what a look saw.
    #[must_use]
    pub fn with_sightings(self, sightings: Sightings) -> Self {
        Self { sightings, ..self }
    }

    /// Reads what an earlier look wrote.
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

    /// The same with a hold that began in that minute, unless it began before.
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
    /// When it names a metric that there is not, because the settings were changed during the bake.
    pub fn progress(&self, names: &[String]) -> Result<Progress, Failure> {
        let name = |index: usize| {
            names.get(index).cloned().ok_or_else(|| {
                Failure::configuration(
                    "the metrics are not those that the bake began with; release again",
                )
            })
        };
        let mut skipped = BTreeMap::new();
        for (index, text) in &self.skipped {
            skipped.insert(name(*index)?, ranges(text));
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

    /// The same with what a look left, short enough for a token.
    #[must_use]
    pub fn with_progress(self, progress: &Progress, names: &[String]) -> Self {
        let place = |name: &str| names.iter().position(|known| known == name);
        let mut skipped: BTreeMap<usize, Vec<Range>> = BTreeMap::new();
        for (name, ranges) in &progress.skipped {
            skipped.extend(place(name).map(|place| (place, pairs(ranges))));
        }
        let highest = progress.highest.as_ref();
        let highest =
            highest.and_then(|peak| Some((peak.log_e, place(&peak.metric)?, peak.minute)));
        let mut memory = Self { highest, ..self };
        loop {
            memory.skipped = skipped
                .iter()
                .map(|(place, ranges)| (*place, written(ranges)))
                .collect();
            if memory.payload().to_string().len() <= PAYLOAD_CHARS || !join(&mut skipped) {
                return memory;
            }
        }
    }

    /// What goes into the token.
    #[must_use]
    pub fn payload(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Makes one range of the two that are nearest to each other; `false` when every metric has one at most.
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

fn ranges(text: &str) -> MinuteRanges {
    let one = |part: &str| -> Option<Range> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    let pairs: Vec<Range> = text.split(',').filter_map(one).collect();
    serde_json::to_value(pairs)
        .and_then(serde_json::from_value)
        .unwrap_or_default()
}

fn pairs(ranges: &MinuteRanges) -> Vec<Range> {
    serde_json::to_value(ranges)
        .and_then(serde_json::from_value)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::arrival::sightings;
    use super::*;
    use crate::job::Token;
    use crate::limits::TOKEN_CHARS;
    use crate::metrics::queries::Data;
    use crate::timestamp::Timestamp;

    fn names() -> Vec<String> {
        (0..15).map(|index| format!("metric {index}")).collect()
    }

    fn memory() -> Memory {
        Memory::new(
            29_460_060,
            vec![61.123, 120.456, 300.789, 451.184],
            (1.2345, 10.1234),
            0.001_234,
        )
    }

    fn progress(skipped: impl Fn(u32) -> bool) -> Progress {
        let minutes: Vec<Range> = (1..=1_380)
            .filter(|minute| skipped(*minute))
            .map(|minute| (minute, minute))
            .collect();
        let ranges: MinuteRanges =
            serde_json::from_value(serde_json::to_value(minutes).unwrap()).unwrap();
        Progress {
            v: PROGRESS_VERSION,
            skipped: names()
                .into_iter()
                .map(|name| (name, ranges.clone()))
                .collect(),
            highest: Some(Peak {
                log_e: 3.218_875_824_868_201,
                metric: names()[14].clone(),
                minute: 1_379,
            }),
        }
    }

    #[test]
    fn progress_survives_the_token() {
        let progress = progress(|minute| minute == 7 || minute == 30);
        let kept = memory().with_progress(&progress, &names());
        let read = Memory::read(&kept.payload()).expect("of this version");
        assert_eq!(read, kept);
        assert_eq!(read.progress(&names()), Ok(progress));
        assert!(
            read.progress(&names()[..3]).is_err(),
            "the metrics were changed"
        );
    }

    #[test]
    fn the_token_is_short_enough_whatever_was_skipped() {
        for skipped in [
            |minute| minute % 2 == 0,
            |minute| minute % 7 == 0,
            |minute: u32| minute.is_power_of_two(),
        ] {
            let progress = progress(skipped);
            let now_secs = (memory().first + 1_380) * 60;
            let seen = sightings(
                &Sightings::new(),
                &Data::new(),
                memory().first,
                1_380,
                now_secs,
            );
            assert_eq!(seen.len(), 6);
            let kept = memory()
                .with_sightings(seen)
                .with_hold(1_380)
                .with_progress(&progress, &names());
            let since = Timestamp::from_secs(1_767_603_600).expect("in range");
            let token = Token::new("evaluate-canary", since)
                .with_payload(Some(kept.payload()))
                .text();
            assert!(token.len() <= TOKEN_CHARS, "{}", token.len());
            let read = kept.progress(&names()).expect("the same metrics");
            assert_eq!(read.highest, progress.highest);
            for (name, ranges) in &progress.skipped {
                let lost = (1..=1_380).find(|minute| {
                    ranges.contains(*minute) && !read.skipped[name].contains(*minute)
                });
                assert_eq!(lost, None, "what was skipped stays skipped");
            }
        }
    }

    #[test]
    fn the_token_has_short_names_and_only_what_there_is() {
        let first = Memory::new(100, vec![60.5, 90.0], (1.5, 2.5), 0.001);
        assert_eq!(
            first.payload(),
            serde_json::json!({"f": 100, "x": [60.5, 90.0], "e": 1.5, "l": 2.5, "r": 0.001})
        );
        let names: Vec<String> = ["errors", "orders"].map(ToOwned::to_owned).into();
        let ranges = |text: &str| serde_json::from_str::<MinuteRanges>(text).unwrap();
        let progress = Progress {
            v: PROGRESS_VERSION,
            skipped: [
                ("errors".to_owned(), ranges("[[3,3],[7,9]]")),
                ("orders".to_owned(), ranges("[[1,2]]")),
            ]
            .into(),
            highest: Some(Peak {
                log_e: 2.5,
                metric: "orders".to_owned(),
                minute: 6,
            }),
        };
        let kept = first.with_hold(30).with_progress(&progress, &names);
        assert_eq!(
            kept.payload(),
            serde_json::json!({
                "f": 100, "x": [60.5, 90.0], "e": 1.5, "l": 2.5, "r": 0.001, "h": 30, "p": [2.5, 1, 6],
                "s": {"0": "3,7-9", "1": "1-2"},
            })
        );
        assert_eq!(kept.progress(&names), Ok(progress));
    }

    #[test]
    fn a_hold_begins_once() {
        let held = memory().with_hold(30).with_hold(31);
        assert_eq!(held.held, Some(30));
        assert_eq!(memory().held, None);
    }

    #[test]
    fn a_token_of_another_version_and_changed_metrics_are_refused() {
        let refused = Memory::read(&serde_json::json!({"f": 100, "more": 1})).unwrap_err();
        assert!(
            refused
                .message
                .starts_with("the continuation token was not written by this version: "),
            "{refused}"
        );
        assert!(refused.message.ends_with("; release again"), "{refused}");
        let kept = memory().with_progress(&progress(|minute| minute == 7), &names());
        let changed = kept.progress(&names()[..14]).unwrap_err();
        assert_eq!(
            changed,
            Failure::configuration(
                "the metrics are not those that the bake began with; release again"
            )
        );
    }

    #[test]
    fn the_nearest_ranges_become_one_where_room_is_short() {
        let mut skipped = BTreeMap::from([
            (0, vec![(1, 1), (4, 5), (20, 20)]),
            (1, vec![(2, 2), (9, 9)]),
        ]);
        assert!(join(&mut skipped));
        assert_eq!(
            skipped,
            BTreeMap::from([(0, vec![(1, 5), (20, 20)]), (1, vec![(2, 2), (9, 9)])])
        );
        assert!(join(&mut skipped) && join(&mut skipped));
        assert_eq!(
            skipped,
            BTreeMap::from([(0, vec![(1, 20)]), (1, vec![(2, 9)])])
        );
        assert!(!join(&mut skipped), "there is nothing more to make one of");
    }
}
