//! Looks at a canary every minute and decides: continue, promote, roll back or inconclusive.
//!
//! A minute costs the same however many came before it. The judge is a function of its settings,
//! of what the hour before showed, and of the minutes with the look at which each was final.

use super::answers::BadRule;
use super::arrival::{ArrivalRules, Arrived, Taken, WAIT_MINUTES, take};
use super::config::{JudgeConfig, LatencyMode};
use super::expected_time::promoting;
use super::hour_before::HourBefore;
use super::metric::{Families, Metric, OwnCount};
use super::progress::Progress;
use super::tracked::Tracked;
use super::values::medians;
use super::verdict::{Decision, Objection, Peak, Reason, Shown, Verdict};
use crate::judge::logs::log_sum_exp;

/// Nothing is promoted or raised while the evidence of harm is above 2: an even bet is doubt.
const DOUBT: f64 = 2.0;

/// What a canary is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    pub config: JudgeConfig,
    /// How many latency thresholds there are.
    pub thresholds: usize,
    /// Counts of a user's own.
    pub own: Vec<OwnCount>,
    /// What the hour before showed.
    pub prior: HourBefore,
}

/// The sequential judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    config: JudgeConfig,
    rule: BadRule,
    thresholds: usize,
    own: usize,
    judged: Vec<Tracked>,
    watched: Vec<Tracked>,
    promoting: Vec<Metric>,
    /// Minutes of this judge that were taken in.
    taken: u32,
    /// Minutes whose answers were usable, and those whose response times were.
    usable_answers: Vec<u32>,
    usable_latency: Vec<u32>,
    /// What earlier judges found, and this one.
    progress: Progress,
}

impl Judge {
    /// A judge that reads all minutes again and goes on from `progress`.
    pub fn new(setup: Setup, progress: Progress) -> Self {
        let Setup {
            config,
            thresholds,
            own,
            prior,
        } = setup;
        let families = Families::new(&config, thresholds, &own);
        let promoting = promoting(&config, &families, &prior);
        let track = |specs: Vec<_>| {
            let tracked = specs.into_iter().map(|spec| {
                let one_by_one = prior.is_one_by_one(&config, &spec);
                Tracked::new(spec, one_by_one, prior.of(spec.metric).phi, config.alpha)
            });
            tracked.collect::<Vec<_>>()
        };

        Self {
            judged: track(families.judged),
            watched: track(families.watched),
            promoting,
            thresholds: match config.latency_mode() {
                LatencyMode::Judge | LatencyMode::Watch => thresholds,
                LatencyMode::Off => 0,
            },
            own: own.len(),
            taken: 0,
            usable_answers: Vec::new(),
            usable_latency: Vec::new(),
            progress,
            rule: prior.rule,
            config,
        }
    }

    /// Minutes that were taken in so far.
    pub fn taken(&self) -> u32 {
        self.taken
    }

    /// What must be kept for the next judge.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Looks in minute `now`: `read(minute)` is what is known now of a minute from 1 to `now`. The
    /// first verdict other than to continue is the last, for the final test holds once.
    pub fn look(&mut self, now: u32, read: impl Fn(u32) -> Arrived) -> Verdict {
        while self.taken < now.min(self.config.end) {
            let minute = self.taken + 1;
            let Some(taken) = take(&read(minute), self.rules(minute, now)) else {
                break;
            };
            self.absorb(minute, &self.without_skipped(minute, taken));
        }

        let objection = self.objection(now, &read);
        self.verdict(now, objection)
    }

    fn rules(&self, minute: u32, now: u32) -> ArrivalRules {
        let is_warm = minute > self.config.warm_up;
        ArrivalRules {
            bad: self.rule,
            own: self.own,
            thresholds: if is_warm { self.thresholds } else { 0 },
            // An earlier judge has taken it in.
            has_waited: now - minute >= WAIT_MINUTES || minute <= self.progress.taken,
        }
    }

    /// Without what an earlier judge has left out: data that came later must not change a verdict.
    fn without_skipped(&self, minute: u32, taken: Taken) -> Taken {
        let progress = &self.progress;
        let own = taken.own.into_iter().enumerate();
        let own = own.map(|(place, counts)| {
            counts.filter(|_| progress.was_used(minute, Metric::Own(place)))
        });
        Taken {
            answers: taken.answers.filter(|_| !progress.answers.contains(minute)),
            latency: taken.latency.filter(|_| !progress.latency.contains(minute)),
            own: own.collect(),
        }
    }

    fn absorb(&mut self, minute: u32, taken: &Taken) {
        self.taken = minute;
        self.progress.note(minute, taken);
        if taken.answers.is_some() {
            self.usable_answers.push(minute);
        }
        if taken.latency.is_some() {
            self.usable_latency.push(minute);
        }

        for tracked in self.judged.iter_mut().chain(&mut self.watched) {
            let counts = match tracked.spec.metric {
                Metric::Errors => taken.answers.map(|answers| answers.errors),
                Metric::ClientErrors => taken.answers.map(|answers| answers.client_errors),
                Metric::Latency(threshold) => {
                    taken.latency.as_ref().map(|latency| latency[threshold])
                }
                Metric::Own(place) => taken.own.get(place).copied().flatten(),
            };
            if let Some(counts) = counts {
                tracked.absorb(&counts);
            }
        }
        self.raise_highest(minute);
    }

    /// One look for each minute. It counts while the metric that leads has enough bad canary
    /// events: one or two requests are not a reason for a rollback, whatever their ratio.
    fn raise_highest(&mut self, minute: u32) {
        let log_e = log_e(&self.judged);
        let leading = leading(&self.judged);
        let highest = self.progress.highest;
        let is_higher = highest.is_none_or(|peak| log_e > peak.log_e);
        if is_higher && leading.canary_bad() >= self.config.min_bad {
            self.progress.highest = Some(Peak {
                log_e,
                metric: leading.spec.metric,
                minute,
            });
        }
    }

    /// What keeps the canary from being promoted now.
    fn objection(&self, now: u32, read: &impl Fn(u32) -> Arrived) -> Option<Objection> {
        let watched = (!self.watched.is_empty()).then(|| log_e(&self.watched));
        if watched.is_some_and(|log_e| log_e >= -self.config.alpha.ln()) {
            return Some(Objection::Latency);
        }
        if self.config.values.is_empty() {
            return None;
        }

        let mut pairs = vec![Vec::new(); self.config.values.len()];
        for minute in self.config.warm_up + 1..=now {
            let minute = read(minute).minute;
            let values = minute.canary.values.iter().zip(&minute.baseline.values);
            for (pairs, (canary, baseline)) in pairs.iter_mut().zip(values) {
                pairs.extend(canary.zip(*baseline));
            }
        }
        let series = self.config.values.iter().zip(&pairs);
        series
            .filter(|(spec, pairs)| medians(pairs).is_some_and(|found| spec.objects(found)))
            .map(|(spec, _)| Objection::Series(spec.name.clone()))
            .next()
    }

    fn verdict(&self, now: u32, objection: Option<Objection>) -> Verdict {
        let log_e = log_e(&self.judged);
        let (weakest, log_e_promote) = self.weakest();
        let usable_minutes = self.usable_since(self.config.last_step());
        let is_calm = log_e <= DOUBT.ln() && objection.is_none();
        let is_shown = log_e_promote >= -self.config.alpha_promote.ln()
            && now >= self.config.last_step()
            && usable_minutes >= self.config.min_minutes;
        let (decision, reason) = self.decide(now, is_calm && is_shown, objection.as_ref());
        let decisive = reason.metric();
        let subject = self
            .judged
            .iter()
            .find(|tracked| Some(tracked.spec.metric) == decisive);
        let since_raise = self.usable_since(self.config.step_at(now));

        Verdict {
            minute: now,
            decision,
            reason,
            log_e,
            highest: self.progress.highest,
            log_e_promote,
            weakest,
            subject: subject.unwrap_or_else(|| leading(&self.judged)).shown(),
            clear: is_calm && since_raise >= self.config.min_minutes,
            objection,
            usable_minutes,
        }
    }

    /// The worst reason wins: evidence of harm, then the final test, then a promotion, then the
    /// end.
    fn decide(
        &self,
        now: u32,
        is_healthy: bool,
        objection: Option<&Objection>,
    ) -> (Decision, Reason) {
        let has_ended = now >= self.config.end;
        let harm = self
            .progress
            .highest
            .filter(|peak| peak.log_e >= -self.config.alpha.ln());

        if let Some(peak) = harm {
            (Decision::Rollback, Reason::Harm(peak))
        } else if let Some(failed) = has_ended.then(|| self.failed_final_test()).flatten() {
            (Decision::Rollback, failed)
        } else if is_healthy {
            (Decision::Promote, Reason::NonInferior)
        } else if !has_ended {
            (Decision::Continue, Reason::Unsettled)
        } else if let Some(objection) = objection {
            (Decision::Inconclusive, Reason::Objected(objection.clone()))
        } else {
            (Decision::Inconclusive, Reason::EndOfBake)
        }
    }

    /// The metric that fails the final test most clearly: the least p for its weight.
    fn failed_final_test(&self) -> Option<Reason> {
        let tested = self.judged.iter().filter_map(|tracked| {
            let p = tracked.final_p_value(self.config.min_bad)?;
            Some((tracked.spec, p, p / tracked.spec.weight))
        });
        let (spec, p, by_weight) = tested.min_by(|a, b| a.2.total_cmp(&b.2))?;
        (by_weight <= self.config.alpha_exam).then_some(Reason::FinalTest {
            metric: spec.metric,
            p,
            limit: spec.weight * self.config.alpha_exam,
        })
    }

    /// The metric with the least evidence of health of those that a promotion requires.
    fn weakest(&self) -> (Metric, f64) {
        let required = self
            .judged
            .iter()
            .filter(|tracked| self.promoting.contains(&tracked.spec.metric));
        required
            .map(|tracked| (tracked.spec.metric, tracked.log_health()))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((Metric::Errors, f64::NEG_INFINITY))
    }

    /// Minutes since one in which answers were usable, and response times where they are judged.
    fn usable_since(&self, first: u32) -> u32 {
        let since = |minutes: &[u32]| minutes.len() - minutes.partition_point(|at| *at < first);
        let answers = since(&self.usable_answers);
        let is_latency = |metric: &Metric| matches!(metric, Metric::Latency(_));
        let usable = if self.promoting.iter().any(is_latency) {
            answers.min(since(&self.usable_latency))
        } else {
            answers
        };
        u32::try_from(usable).unwrap_or(u32::MAX)
    }

    /// What each metric has shown so far, those that decide first.
    pub fn shown(&self) -> impl Iterator<Item = Shown> {
        self.judged.iter().chain(&self.watched).map(Tracked::shown)
    }

    /// How many of those decide.
    pub fn deciding(&self) -> usize {
        self.judged.len()
    }
}

/// ln of a family's evidence of harm, `E = Σ w_j·E_j`.
fn log_e(family: &[Tracked]) -> f64 {
    let parts: Vec<f64> = family.iter().map(Tracked::log_weighted_harm).collect();
    log_sum_exp(parts.into_iter())
}

/// The metric with the largest part in the family's evidence; the first of equals.
fn leading(family: &[Tracked]) -> &Tracked {
    family
        .iter()
        .reduce(|first, next| {
            if next.log_weighted_harm() > first.log_weighted_harm() {
                next
            } else {
                first
            }
        })
        .expect("the settings require errors or 4xx")
}

#[cfg(test)]
mod tests;
