//! Makes a judgement from data.
//!
//! The judge itself decides; this only watches which look used which minute, because a report
//! that does not name what was late cannot explain why a verdict came when it did.

use crate::judge::clean::{CountError, MinuteState, Reading, classify_minute};
use crate::judge::evidence::Harm;
use crate::judge::noninferiority::NonInferiority;
use crate::judge::progress::PROGRESS_VERSION;
use crate::judge::scenario::{Scenario, ScenarioError};
use crate::judge::spec::MetricSpec;
use crate::judge::{Decision, Judge, JudgeConfig, Progress, Verdict};

use super::judgement::{JUDGEMENT_VERSION, Judgement, Look, MetricEvidence};
use super::quality::Quality;
use super::replay::ReplayError;
use super::stored::{StoredMetric, StoredMinute, StoredReading};

/// A canary that is judged from live data, at its current look.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// What the judgement is called.
    pub name: String,
    /// How it is judged.
    pub config: JudgeConfig,
    /// What is judged.
    pub metrics: Vec<MetricSpec>,
    /// What was kept before this look.
    pub progress: Progress,
    /// The minute of this look, from 1.
    pub now: u32,
}

impl Judgement {
    /// Judges a scenario of the offline contract and records it, look by look.
    ///
    /// # Errors
    /// A config that cannot be judged by.
    pub fn from_scenario(scenario: &Scenario) -> Result<Self, ScenarioError> {
        let config = &scenario.config;
        let metrics = scenario.config.metrics(&scenario.thresholds_ms);
        let mut judge = Judge::new(config.clone(), metrics.clone())?;
        let mut recorder = Recorder::new(metrics);
        let mut now = 0;
        let verdict = loop {
            now += 1;
            let read = |minute: u32, metric: usize| scenario.visible(minute, metric, now);
            let verdict = judge.take_look(now, read)?;
            recorder.watch(now.min(config.end), now, &judge.progress(), read)?;
            recorder.looks.push(recorder.look_of(&verdict));
            if verdict.decision != Decision::Continue || now >= config.end {
                break verdict;
            }
        };
        let read = |minute: u32, metric: usize| scenario.visible(minute, metric, now);

        Ok(recorder.finish(&scenario.id, config, &verdict, judge.progress(), read))
    }

    /// Judges live data at its current look. `read(minute, metric)` is what is visible now.
    ///
    /// Only this look is as it was. What earlier looks found was not kept, so the evidence before
    /// it is worked out again from the data of today, and minutes that were late then are not seen
    /// as late.
    ///
    /// # Errors
    /// Metrics or progress that cannot be judged by, or counts that contradict each other.
    pub fn from_live(
        live: Live,
        read: impl Fn(u32, usize) -> Reading,
    ) -> Result<Self, ReplayError> {
        let Live {
            name,
            config,
            metrics,
            progress,
            now,
        } = live;
        let end = now.min(config.end);
        let without_peak = Progress {
            v: PROGRESS_VERSION,
            skipped: progress.skipped.clone(),
            highest: None,
        };
        let mut past = Judge::resume(config.clone(), metrics.clone(), without_peak)?;
        let mut judge = Judge::resume(config.clone(), metrics.clone(), progress)?;
        let mut recorder = Recorder::new(metrics);

        for minute in 1..now {
            let verdict = past.take_look(minute, &read)?;
            recorder.watch(minute.min(config.end), minute, &past.progress(), &read)?;
            recorder.looks.push(Look {
                decision: Decision::Continue,
                ..recorder.look_of(&verdict)
            });
        }

        let verdict = judge.take_look(now, &read)?;
        recorder.watch(end, now, &judge.progress(), &read)?;
        recorder.looks.push(recorder.look_of(&verdict));
        Ok(recorder.finish(&name, &config, &verdict, judge.progress(), read))
    }
}

/// Watches a judge and keeps what its verdicts do not carry: each metric's own evidence, and the
/// look that used each minute.
struct Recorder {
    metrics: Vec<Watched>,
    looks: Vec<Look>,
}

struct Watched {
    spec: MetricSpec,
    harm: Harm,
    health: Option<NonInferiority>,
    /// For every minute consumed so far, the look that used it; none where it was skipped.
    used: Vec<Option<u32>>,
}

impl Recorder {
    fn new(metrics: Vec<MetricSpec>) -> Self {
        let watched = |spec: MetricSpec| Watched {
            harm: Harm::new(&spec),
            health: spec.promotion.map(NonInferiority::new),
            used: Vec::new(),
            spec,
        };
        Self {
            metrics: metrics.into_iter().map(watched).collect(),
            looks: Vec::new(),
        }
    }

    /// Follows the judge through the look it has just taken.
    fn watch(
        &mut self,
        last: u32,
        now: u32,
        progress: &Progress,
        read: impl Fn(u32, usize) -> Reading,
    ) -> Result<(), CountError> {
        for (index, metric) in self.metrics.iter_mut().enumerate() {
            metric.consume(last, now, progress, |minute| read(minute, index))?;
        }
        Ok(())
    }

    fn look_of(&self, verdict: &Verdict) -> Look {
        Look {
            minute: verdict.minute,
            decision: verdict.decision,
            reason: verdict.reason.clone(),
            sentence: verdict.to_string(),
            log_e: verdict.log_e,
            highest_log_e: verdict.highest_log_e,
            log_e_promote: verdict.log_e_promote,
            weakest: verdict.weakest.clone(),
            usable_minutes: verdict.usable_minutes,
            evidence: self.metrics.iter().map(Watched::part).collect(),
        }
    }

    /// The minutes up to `last`, as they are visible now.
    fn minutes(&self, last: u32, read: impl Fn(u32, usize) -> Reading) -> Vec<StoredMinute> {
        let reading = |t: u32, (index, metric): (usize, &Watched)| {
            let used = metric.used.get(t as usize - 1).copied().flatten();
            StoredReading::new(&read(t, index), used)
        };
        let readings = |t| {
            self.metrics
                .iter()
                .enumerate()
                .map(|metric| reading(t, metric))
                .collect()
        };

        (1..=last)
            .map(|t| StoredMinute {
                t,
                readings: readings(t),
            })
            .collect()
    }

    fn finish(
        mut self,
        name: &str,
        config: &JudgeConfig,
        verdict: &Verdict,
        progress: Progress,
        read: impl Fn(u32, usize) -> Reading,
    ) -> Judgement {
        // The last look is the verdict itself, which stands apart so that it is always there.
        self.looks.pop();
        let minutes = self.minutes(verdict.minute.min(config.end), read);
        let quality = |(index, metric): (usize, &Watched)| {
            Quality::from_minutes(&metric.spec.name, &minutes, index, metric.used.len())
        };

        Judgement {
            v: JUDGEMENT_VERSION,
            name: name.to_owned(),
            facts: Vec::new(),
            notes: Vec::new(),
            settings: config.clone(),
            verdict: self.look_of(verdict),
            ending: None,
            quality: self.metrics.iter().enumerate().map(quality).collect(),
            progress,
            looks: self.looks,
            metrics: self
                .metrics
                .into_iter()
                .map(|metric| StoredMetric::from(metric.spec))
                .collect(),
            minutes,
        }
    }
}

impl Watched {
    /// Consumes what the judge consumed. The judge's own list names the minutes it skipped, so
    /// the two cannot differ.
    fn consume(
        &mut self,
        last: u32,
        now: u32,
        progress: &Progress,
        read: impl Fn(u32) -> Reading,
    ) -> Result<(), CountError> {
        let skipped = progress.skipped.get(&self.spec.name);
        for minute in self.used.len() as u32 + 1..=last {
            if skipped.is_some_and(|skipped| skipped.contains(minute)) {
                self.used.push(None);
            } else if let MinuteState::Usable(counts) =
                classify_minute(&read(minute), self.health.is_some(), minute, now)?
            {
                self.used.push(Some(now));
                self.harm.absorb(&self.spec, &counts);
                if let Some(health) = &mut self.health {
                    health.absorb(&self.spec, &counts);
                }
            } else {
                break;
            }
        }

        Ok(())
    }

    fn part(&self) -> MetricEvidence {
        MetricEvidence {
            harm: self.spec.weight.ln() + self.harm.log_evidence(),
            health: self.health.as_ref().map(NonInferiority::log_evidence),
        }
    }
}
