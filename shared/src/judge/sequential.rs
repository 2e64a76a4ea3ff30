//! Looks at a canary every minute and decides: continue, promote, roll back or inconclusive.
//!
//! Valid at every look: the chance of ever rolling back a canary within tolerance is at most
//! `alpha + alpha_exam`, however often and however long it looks. A minute costs the same however
//! many came before it. The judge has no clock, no randomness and does no I/O.

use std::collections::BTreeSet;

use super::clean::{CountError, Reading};
use super::config::JudgeConfig;
use super::logs::log_sum_exp;
use super::metric::JudgedMetric;
use super::progress::{MinuteRanges, PROGRESS_VERSION, Peak, Progress};
use super::spec::MetricSpec;
use super::strict::FieldError;
use super::verdict::{Decision, Reason, Verdict};

/// A promotion waits while the family's evidence of harm is above 2: an even bet is enough doubt.
const PROMOTE_HARM_MAX: f64 = 2.0;

/// Weights may exceed 1 by this much, for the sake of shares such as three times 1/3.
const WEIGHT_SLACK: f64 = 1e-9;

/// A judge that cannot be set up.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SetupError {
    /// Two metrics would be indistinguishable in progress.
    #[error("two metrics are named {0}; expected names that differ")]
    SameName(String),
    /// A number of a metric is out of range.
    #[error("metric {0}")]
    Metric(FieldError),
    /// The error rate would be spent more than once.
    #[error("weights add up to {sum}, limit 1; lower one of {names}")]
    Weights {
        sum: f64,
        /// The names of the metrics, separated by commas.
        names: String,
    },
    /// Without it nothing could ever be promoted, or everything would be.
    #[error("no metric takes part in promotion; expected at least one with a promotion bound")]
    NothingPromotes,
    /// Progress of another judge.
    #[error("progress names metric {found}; expected {expected}")]
    UnknownMetric {
        /// The name in the progress.
        found: String,
        /// The metrics of this judge.
        expected: String,
    },
    /// Progress of another version, or damaged.
    #[error("progress {0}; start the judgement anew")]
    BadProgress(&'static str),
}

/// The sequential judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    config: JudgeConfig,
    metrics: Vec<JudgedMetric>,
    highest: Option<Peak>,
}

impl Judge {
    /// A judge that has seen nothing. `metrics` are those of [`JudgeConfig::metrics`], or others
    /// whose weights share the same α.
    ///
    /// # Errors
    /// Metrics that cannot be judged together.
    pub fn new(config: JudgeConfig, metrics: Vec<MetricSpec>) -> Result<Self, SetupError> {
        let start = Progress {
            v: PROGRESS_VERSION,
            skipped: [].into(),
            highest: None,
        };
        Self::resume(config, metrics, start)
    }

    /// A judge that goes on from `progress`; the next look reads all minutes again.
    ///
    /// # Errors
    /// Metrics that cannot be judged together, or progress that is not theirs.
    pub fn resume(
        config: JudgeConfig,
        metrics: Vec<MetricSpec>,
        progress: Progress,
    ) -> Result<Self, SetupError> {
        check_metrics(&metrics)?;
        check_progress(&metrics, &progress)?;
        let Progress {
            mut skipped,
            highest,
            ..
        } = progress;
        let metric = |spec: MetricSpec| {
            let ranges = skipped.remove(&spec.name).unwrap_or_default();
            JudgedMetric::new(spec, ranges)
        };

        Ok(Self {
            config,
            metrics: metrics.into_iter().map(metric).collect(),
            highest,
        })
    }

    /// What must be kept for [`Judge::resume`].
    pub fn progress(&self) -> Progress {
        let some = self
            .metrics
            .iter()
            .filter(|metric| !metric.skipped.is_empty());

        Progress {
            v: PROGRESS_VERSION,
            skipped: some
                .map(|metric| (metric.spec.name.clone(), metric.skipped.clone()))
                .collect(),
            highest: self.highest.clone(),
        }
    }

    /// Looks in minute `now`. `read(minute, metric)` is what is visible now of a minute from 1 to
    /// `now` and of a metric by its place among those of [`Judge::new`]; each is read until it is
    /// consumed. Minutes after the declared end are not read. The first verdict other than to
    /// continue is the last: the final test holds once.
    ///
    /// # Errors
    /// Counts that contradict each other. The judge is then not to be used further.
    pub fn take_look(
        &mut self,
        now: u32,
        read: impl Fn(u32, usize) -> Reading,
    ) -> Result<Verdict, CountError> {
        for (index, metric) in self.metrics.iter_mut().enumerate() {
            metric.consume(now.min(self.config.end), now, |minute| read(minute, index))?;
        }

        let log_e = log_sum_exp(self.metrics.iter().map(JudgedMetric::log_weighted_harm));
        let worst = self.worst();
        self.raise_highest(now, log_e, worst);
        Ok(self.verdict(now, log_e, worst))
    }

    /// The metric with the largest part in the family's evidence; the first of equals.
    fn worst(&self) -> usize {
        let parts: Vec<f64> = self
            .metrics
            .iter()
            .map(JudgedMetric::log_weighted_harm)
            .collect();
        (0..parts.len()).fold(0, |worst, index| {
            if parts[index] > parts[worst] {
                index
            } else {
                worst
            }
        })
    }

    /// Evidence counts only while the metric behind it has enough bad canary events; one or two
    /// requests are not a reason for a rollback, whatever their ratio.
    fn raise_highest(&mut self, now: u32, log_e: f64, worst: usize) {
        let metric = &self.metrics[worst];
        let higher = self.highest.as_ref().is_none_or(|peak| log_e > peak.log_e);
        if higher && metric.final_test.canary_bad() >= self.config.min_bad {
            self.highest = Some(Peak {
                log_e,
                metric: metric.spec.name.clone(),
                minute: now,
            });
        }
    }

    fn verdict(&self, now: u32, log_e: f64, worst: usize) -> Verdict {
        let health = |metric: &&JudgedMetric| metric.log_health().unwrap_or(f64::INFINITY);
        let weakest = self
            .metrics
            .iter()
            .min_by(|a, b| health(a).total_cmp(&health(b)));
        let weakest = weakest.expect("a judge has metrics, at least one of which promotes");
        let promoting = self
            .metrics
            .iter()
            .filter(|metric| metric.spec.promotion.is_some());
        let usable_minutes = promoting
            .map(|metric| metric.usable_minutes)
            .min()
            .unwrap_or(0);
        let log_e_promote = health(&weakest);
        let (decision, reason) = self.decide(now, log_e, log_e_promote, usable_minutes);
        let decisive = match &reason {
            Reason::Harm { metric, .. } | Reason::FinalTest { metric, .. } => self.find(metric),
            Reason::NonInferior | Reason::EndOfBake | Reason::Unsettled => None,
        };

        Verdict {
            minute: now,
            decision,
            reason,
            log_e,
            highest_log_e: self.highest.as_ref().map(|peak| peak.log_e),
            log_e_limit: -self.config.alpha.ln(),
            log_e_promote,
            log_e_promote_limit: -self.config.alpha_promote.ln(),
            weakest: weakest.spec.name.clone(),
            usable_minutes,
            comparison: decisive.unwrap_or(&self.metrics[worst]).comparison.clone(),
        }
    }

    /// The worst reason wins: evidence of harm, then the final test, then a promotion, then the
    /// end.
    fn decide(
        &self,
        now: u32,
        log_e: f64,
        log_e_promote: f64,
        usable_minutes: u32,
    ) -> (Decision, Reason) {
        let config = &self.config;
        let ended = now >= config.end;
        let healthy = log_e_promote >= -config.alpha_promote.ln() && log_e <= PROMOTE_HARM_MAX.ln();
        if let Some(peak) = self
            .highest
            .as_ref()
            .filter(|peak| peak.log_e >= -config.alpha.ln())
        {
            (
                Decision::Rollback,
                Reason::Harm {
                    metric: peak.metric.clone(),
                    minute: peak.minute,
                },
            )
        } else if let Some(failed) = ended.then(|| self.failed_final_test()).flatten() {
            (Decision::Rollback, failed)
        } else if healthy && usable_minutes >= config.min_minutes {
            (Decision::Promote, Reason::NonInferior)
        } else if ended {
            (Decision::Inconclusive, Reason::EndOfBake)
        } else {
            (Decision::Continue, Reason::Unsettled)
        }
    }

    /// The first metric that fails the final test.
    fn failed_final_test(&self) -> Option<Reason> {
        let enough_bad = self
            .metrics
            .iter()
            .filter(|metric| metric.final_test.canary_bad() >= self.config.min_bad);

        enough_bad
            .map(|metric| {
                (
                    metric,
                    metric.final_test.p_value(&metric.spec),
                    metric.spec.weight * self.config.alpha_exam,
                )
            })
            .find(|(_, p, limit)| p <= limit)
            .map(|(metric, p, limit)| Reason::FinalTest {
                metric: metric.spec.name.clone(),
                p,
                limit,
            })
    }

    fn find(&self, name: &str) -> Option<&JudgedMetric> {
        self.metrics.iter().find(|metric| metric.spec.name == name)
    }
}

fn check_metrics(metrics: &[MetricSpec]) -> Result<(), SetupError> {
    let mut names = BTreeSet::new();
    if let Some(twice) = metrics.iter().find(|metric| !names.insert(&metric.name)) {
        return Err(SetupError::SameName(twice.name.clone()));
    }

    metrics
        .iter()
        .try_for_each(MetricSpec::validate)
        .map_err(SetupError::Metric)?;

    let sum: f64 = metrics.iter().map(|metric| metric.weight).sum();
    if sum > 1.0 + WEIGHT_SLACK {
        return Err(SetupError::Weights {
            sum,
            names: list(metrics),
        });
    }

    if metrics.iter().all(|metric| metric.promotion.is_none()) {
        return Err(SetupError::NothingPromotes);
    }

    Ok(())
}

fn check_progress(metrics: &[MetricSpec], progress: &Progress) -> Result<(), SetupError> {
    if progress.v != PROGRESS_VERSION {
        return Err(SetupError::BadProgress("is of another version"));
    }
    if !progress.skipped.values().all(MinuteRanges::is_sorted) {
        return Err(SetupError::BadProgress("has skipped minutes out of order"));
    }

    let named = progress
        .skipped
        .keys()
        .chain(progress.highest.as_ref().map(|peak| &peak.metric));
    let mut unknown = named.filter(|name| metrics.iter().all(|metric| metric.name != **name));

    match unknown.next() {
        Some(found) => Err(SetupError::UnknownMetric {
            found: found.clone(),
            expected: list(metrics),
        }),
        None => Ok(()),
    }
}

fn list(metrics: &[MetricSpec]) -> String {
    metrics
        .iter()
        .map(|metric| metric.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
