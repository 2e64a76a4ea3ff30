//! The stored form of a judgement, version 2.
//!
//! Everything is checked on the way in: a record that contradicts itself is refused, because its
//! report would look as reliable as a true one.

use serde::{Deserialize, Serialize};

use crate::judge::canary::hour_before::HourBefore;
use crate::judge::canary::metric::OwnCount;
use crate::judge::canary::progress::MinuteRanges;
use crate::judge::canary::{Decision, JudgeConfig, Progress, Reason, Setup};
use crate::judge::strict::FieldError;
use crate::limits::JUDGED_MINUTES;

use super::quality::Quality;
use super::stored::{StoredMetric, StoredMinute};

/// The version of the stored form. Version 1 was that of the first judge, which this one cannot
/// judge again.
pub(super) const JUDGEMENT_VERSION: u32 = 2;

/// A stored judgement that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not JSON, or not of this shape.
    #[error("failed to parse the judgement: {0}")]
    Json(#[from] serde_json::Error),
    /// A setting is out of its range.
    #[error("failed to read the judgement: settings.{0}")]
    Setting(#[from] FieldError),
    /// Written by another version.
    #[error(
        "failed to read the judgement: version {found}, expected {JUDGEMENT_VERSION}; use the \
         release that wrote it"
    )]
    Version {
        /// The version found.
        found: u64,
    },
    /// Its parts do not fit together.
    #[error("failed to read the judgement: {0}")]
    Contradiction(&'static str),
}

/// One judgement with everything it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    pub(super) v: u32,
    pub(super) name: String,
    pub(super) facts: Vec<Fact>,
    pub(super) notes: Vec<String>,
    pub(super) settings: JudgeConfig,
    pub(super) thresholds_ms: Vec<f64>,
    pub(super) own: Vec<OwnCount>,
    /// What the hour before showed.
    pub(super) prior: HourBefore,
    pub(super) metrics: Vec<StoredMetric>,
    pub(super) verdict: Look,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ending: Option<JudgementEnding>,
    pub(super) quality: Vec<Quality>,
    /// What was kept before the last look.
    pub(super) progress: Progress,
    pub(super) looks: Vec<Look>,
    pub(super) minutes: Vec<StoredMinute>,
}

/// Something to know about the deployment, such as its image or when the bake began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// What ended a judgement that its evidence did not decide: an alarm, lost targets, or an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgementEnding {
    /// What happened to the canary.
    pub decision: Decision,
    /// Why, as a sentence.
    pub reason: String,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The minute of the look, from 1.
    pub minute: u32,
    /// What it decided.
    pub decision: Decision,
    pub reason: Reason,
    /// The verdict as a sentence.
    pub sentence: String,
    /// ln of the family's evidence of harm.
    pub log_e: f64,
    /// ln of the highest such evidence at which a rollback was allowed.
    pub highest_log_e: Option<f64>,
    /// ln of the least evidence of health of those that a promotion requires.
    pub log_e_promote: f64,
    /// The metric with that evidence.
    pub weakest: String,
    /// Minutes that were usable since the last configured raise of the share.
    pub usable_minutes: u32,
    /// The evidence of each metric, in the order of the metrics.
    pub evidence: Vec<MetricEvidence>,
}

/// One metric's evidence at one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricEvidence {
    /// ln of its part w·E of its family's evidence of harm.
    pub harm: f64,
    /// ln of its evidence of health.
    pub health: f64,
}

/// The version alone, of a record of any version.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

impl Judgement {
    /// Reads the stored form.
    ///
    /// # Errors
    /// Another version, an unknown or missing field, or parts that do not fit together.
    pub fn from_json(text: &str) -> Result<Self, RecordError> {
        let Versioned { v } = serde_json::from_str(text)?;
        if v != u64::from(JUDGEMENT_VERSION) {
            return Err(RecordError::Version { found: v });
        }
        let judgement: Self = serde_json::from_str(text)?;
        judgement.check_contents()?;
        Ok(judgement)
    }

    /// The stored form: one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and lists always serialize")
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The verdict that stands.
    pub fn verdict(&self) -> &Look {
        &self.verdict
    }

    /// What ended it, if that was not its verdict.
    pub fn ending(&self) -> Option<&JudgementEnding> {
        self.ending.as_ref()
    }

    /// The looks in order; the last one is the verdict.
    pub fn looks(&self) -> impl Iterator<Item = &Look> {
        self.looks.iter().chain(std::iter::once(&self.verdict))
    }

    /// What it was judged by.
    pub(super) fn setup(&self) -> Setup {
        Setup {
            config: self.settings.clone(),
            thresholds: self.thresholds_ms.len(),
            own: self.own.clone(),
            prior: self.prior.clone(),
        }
    }

    /// Adds something to know about the deployment, shown beneath its name.
    #[must_use]
    pub fn with_fact(mut self, name: &str, value: &str) -> Self {
        self.facts.push(Fact {
            name: name.to_owned(),
            value: value.to_owned(),
        });
        self
    }

    /// Records what ended it, where that was not its verdict.
    #[must_use]
    pub fn with_ending(mut self, decision: Decision, reason: &str) -> Self {
        self.ending = (decision != self.verdict.decision).then(|| JudgementEnding {
            decision,
            reason: reason.to_owned(),
        });
        self
    }

    /// Adds a sentence about the data, such as that the rule is sticky.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        self.notes.push(note.to_owned());
        self
    }

    fn check_contents(&self) -> Result<(), RecordError> {
        JudgeConfig::from_json(&serde_json::to_value(&self.settings)?)?;
        match self.contradiction() {
            Some(what) => Err(RecordError::Contradiction(what)),
            None => Ok(()),
        }
    }

    /// What does not fit together, if anything. The rest is checked by the judge in a replay.
    fn contradiction(&self) -> Option<&'static str> {
        let rules = self.rules_of_minutes().into_iter();
        rules
            .chain(self.rules_of_looks())
            .find(|(holds, _)| !holds)
            .map(|(_, what)| what)
    }

    fn rules_of_minutes(&self) -> [(bool, &'static str); 8] {
        let now = self.verdict.minute;
        let metrics = self.metrics.len();
        let minutes = now.min(self.settings.end) as usize;
        let in_order = |(index, minute): (usize, &StoredMinute)| minute.t as usize == index + 1;
        let used_in_time = |minute: &StoredMinute| {
            let mut used = minute.readings.iter().filter_map(|reading| reading.used);
            used.all(|at| (minute.t..=now).contains(&at))
        };
        let complete = |minute: &StoredMinute| minute.readings.len() == metrics;
        let mut skipped = self.progress.skipped();

        [
            (
                (1..=JUDGED_MINUTES).contains(&now),
                "verdict.minute is outside the bake",
            ),
            (metrics > 0, "metrics is empty"),
            (
                self.prior.latency.len() == self.thresholds_ms.len(),
                "prior.latency differs from thresholds_ms",
            ),
            (
                skipped.all(MinuteRanges::is_sorted),
                "progress has minutes out of order",
            ),
            (
                self.minutes.len() == minutes,
                "minutes do not reach to the verdict",
            ),
            (
                self.minutes.iter().enumerate().all(in_order),
                "minutes are not numbered from 1",
            ),
            (
                self.minutes.iter().all(complete),
                "minutes[].readings differ from metrics",
            ),
            (
                self.minutes.iter().all(used_in_time),
                "minutes[].readings[].used is before its minute or after the verdict",
            ),
        ]
    }

    fn rules_of_looks(&self) -> [(bool, &'static str); 5] {
        let now = self.verdict.minute;
        let metrics = self.metrics.len();
        let ascending = self
            .looks
            .windows(2)
            .all(|pair| pair[0].minute < pair[1].minute);
        let before_verdict = self.looks.last().is_none_or(|look| look.minute < now);
        let known = |name: &str| self.metrics.iter().any(|metric| metric.name == name);
        let named = self.quality.iter().map(|quality| &quality.metric);

        [
            (ascending && before_verdict, "looks are not in order"),
            (
                self.looks().all(|look| look.evidence.len() == metrics),
                "looks[].evidence differs from metrics",
            ),
            (
                self.looks()
                    .all(|look| look.reason_metric().is_none_or(|name| known(&name))),
                "a reason names an unknown metric",
            ),
            (
                self.looks().all(|look| known(&look.weakest)),
                "weakest is an unknown metric",
            ),
            (
                named.eq(self.metrics.iter().map(|metric| &metric.name)),
                "quality differs from metrics",
            ),
        ]
    }
}

impl Look {
    /// The name of the metric that decided, if one did.
    pub(crate) fn reason_metric(&self) -> Option<String> {
        self.reason.metric().map(|metric| metric.to_string())
    }
}
