//! Makes a judgement from data.
//!
//! The judge itself decides; this only watches which look used which minute, because a report
//! that does not name what was late cannot explain why a verdict came when it did.

use crate::judge::canary::answers::BadRule;
use crate::judge::canary::arrival::Arrived;
use crate::judge::canary::expected_time::promoting;
use crate::judge::canary::metric::{Families, Metric};
use crate::judge::canary::offline::setup;
use crate::judge::canary::scenario::Scenario;
use crate::judge::canary::sentence::{Labels, sentence};
use crate::judge::canary::{Decision, Judge, Progress, Setup, Verdict};

use super::judgement::{JUDGEMENT_VERSION, Judgement, Look, MetricEvidence};
use super::quality::Quality;
use super::stored::{StoredMetric, StoredMinute, StoredReading};

/// A canary that is judged from live data, at its current look.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// What the judgement is called.
    pub name: String,
    /// How it is judged.
    pub setup: Setup,
    /// Latency thresholds in milliseconds.
    pub thresholds_ms: Vec<f64>,
    /// What was kept before this look.
    pub progress: Progress,
    /// The minute of this look, from 1.
    pub now: u32,
}

impl Judgement {
    /// Judges a scenario of the offline contract and records it, look by look.
    pub fn from_scenario(scenario: &Scenario) -> Self {
        let setup = setup(scenario);
        let end = setup.config.end;
        let mut judge = Judge::new(setup.clone(), Progress::default());
        let mut recorder = Recorder::new(&scenario.id, setup, scenario.thresholds_ms.clone());
        let mut now = 0;
        loop {
            now += 1;
            let before = judge.progress().clone();
            let read = |minute: u32| scenario.arrived(minute, now);
            let verdict = judge.look(now, read);
            recorder.watch(&judge, &verdict, read);
            if verdict.decision != Decision::Continue || now >= end {
                return recorder.finish(&judge, before, read);
            }
        }
    }

    /// Judges live data at its current look. `read(minute)` is what is known now.
    ///
    /// Only this look is as it was. What earlier looks found was not kept, so the evidence before
    /// it is worked out again from the data of today, and minutes that were late then are not seen
    /// as late.
    pub fn from_live(live: &Live, read: impl Fn(u32) -> Arrived) -> Self {
        let Live {
            name,
            setup,
            thresholds_ms,
            progress,
            now,
        } = live.clone();
        let without_peak = Progress {
            highest: None,
            ..progress.clone()
        };
        let mut past = Judge::new(setup.clone(), without_peak);
        let mut judge = Judge::new(setup.clone(), progress.clone());
        let mut recorder = Recorder::new(&name, setup, thresholds_ms);

        for minute in 1..now {
            let verdict = past.look(minute, &read);
            let verdict = Verdict {
                decision: Decision::Continue,
                ..verdict
            };
            recorder.watch(&past, &verdict, &read);
        }

        let verdict = judge.look(now, &read);
        recorder.watch(&judge, &verdict, &read);
        recorder.finish(&judge, progress, &read)
    }
}

/// Watches a judge and keeps what its verdicts do not carry.
struct Recorder {
    name: String,
    setup: Setup,
    thresholds_ms: Vec<f64>,
    looks: Vec<Look>,
    /// The minutes that were taken in, each as it was then, with the look that took it.
    taken: Vec<(Arrived, u32)>,
}

impl Recorder {
    fn new(name: &str, setup: Setup, thresholds_ms: Vec<f64>) -> Self {
        Self {
            name: name.to_owned(),
            setup,
            thresholds_ms,
            looks: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn rule(&self) -> BadRule {
        self.setup.prior.rule
    }

    fn labels(&self) -> Labels<'_> {
        Labels {
            rule: self.rule(),
            thresholds_ms: &self.thresholds_ms,
            own: &self.setup.own,
        }
    }

    /// Follows the judge through the look that it has just taken.
    fn watch(&mut self, judge: &Judge, verdict: &Verdict, read: impl Fn(u32) -> Arrived) {
        for minute in self.taken.len() as u32 + 1..=judge.taken() {
            self.taken.push((read(minute), verdict.minute));
        }
        self.looks.push(self.look_of(judge, verdict));
    }

    fn look_of(&self, judge: &Judge, verdict: &Verdict) -> Look {
        let evidence = judge.shown().map(|shown| MetricEvidence {
            harm: shown.log_weighted_harm,
            health: shown.log_health,
        });
        Look {
            minute: verdict.minute,
            decision: verdict.decision,
            reason: verdict.reason.clone(),
            sentence: sentence(verdict, &self.labels(), &self.setup.config),
            log_e: verdict.log_e,
            highest_log_e: verdict.highest.map(|peak| peak.log_e),
            log_e_promote: verdict.log_e_promote,
            weakest: verdict.weakest.to_string(),
            usable_minutes: verdict.usable_minutes,
            evidence: evidence.collect(),
        }
    }

    /// The minutes up to `last`: those that were taken in as they were then, the others as they are
    /// now. Series of values are compared as they are now.
    fn minutes(
        &self,
        judge: &Judge,
        last: u32,
        read: impl Fn(u32) -> Arrived,
    ) -> Vec<StoredMinute> {
        let metrics: Vec<Metric> = judge.shown().map(|shown| shown.spec.metric).collect();
        let minute = |t: u32| {
            let now = read(t);
            let taken = self.taken.get(t as usize - 1);
            let mut arrived = taken.map_or_else(|| now.clone(), |(then, _)| then.clone());
            arrived.minute.canary.values = now.minute.canary.values;
            arrived.minute.baseline.values = now.minute.baseline.values;

            let readings = metrics.iter().map(|metric| {
                let used = taken.map(|(_, look)| *look);
                let used = used.filter(|_| judge.progress().was_used(t, *metric));
                StoredReading::new(&arrived.minute, *metric, self.rule(), used)
            });
            let readings = readings.collect();
            StoredMinute::new(t, arrived, readings)
        };
        (1..=last).map(minute).collect()
    }

    /// `progress`: what was kept before the last look.
    fn finish(
        mut self,
        judge: &Judge,
        progress: Progress,
        read: impl Fn(u32) -> Arrived,
    ) -> Judgement {
        // The last look is the verdict itself, which stands apart so that it is always there.
        let verdict = self.looks.pop().expect("a judgement has a last look");
        let last = verdict.minute.min(self.setup.config.end);
        let minutes = self.minutes(judge, last, read);
        let metrics = self.metrics(judge);
        let quality = metrics.iter().enumerate().map(|(index, metric)| {
            Quality::from_minutes(&metric.name, &minutes, index, self.taken.len())
        });

        Judgement {
            v: JUDGEMENT_VERSION,
            quality: quality.collect(),
            name: self.name,
            facts: Vec::new(),
            notes: Vec::new(),
            settings: self.setup.config,
            thresholds_ms: self.thresholds_ms,
            own: self.setup.own,
            prior: self.setup.prior,
            verdict,
            ending: None,
            progress,
            looks: self.looks,
            metrics,
            minutes,
        }
    }

    fn metrics(&self, judge: &Judge) -> Vec<StoredMetric> {
        let Setup {
            config,
            thresholds,
            own,
            prior,
        } = &self.setup;
        let families = Families::new(config, *thresholds, own);
        let required = promoting(config, &families, prior);
        let shown = judge.shown().enumerate();
        shown
            .map(|(place, shown)| {
                let metric = shown.spec.metric;
                let watched = place >= judge.deciding();
                let promotes = !watched && required.contains(&metric);
                StoredMetric::new(&shown, self.labels().of(metric), watched, promotes)
            })
            .collect()
    }
}
