//! One evaluation of the canary: everything visible is judged again, with what earlier evaluations
//! left.
//!
//! Pure: the points are read before, and what follows from the decision is not decided here.

use std::fmt::Display;

use super::arrival::{Arrivals, is_steady, observe_arrivals};
use super::bake_state::BakeState;
use super::config::Settings;
use super::messages;
use super::plan::known_counts;
use super::readings::{ReadingInput, Readings};
use super::values::{Series, compare};
use crate::job::Failure;
use crate::judge::config::is_built_in;
use crate::judge::numbers::significant;
use crate::judge::report::{Judgement, Live};
use crate::judge::spec::MetricSpec;
use crate::judge::{Decision, Judge, JudgeConfig, Progress, Verdict};
use crate::metrics::custom::CustomKind;
use crate::metrics::source::{Data, Group, Points};

/// The input of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    pub settings: &'a Settings,
    pub state: &'a BakeState,
    /// Every minute that is over, also those that are too new to be judged.
    pub data: &'a Data,
    /// The judged minute, from 1.
    pub minute: u32,
    /// Seconds since the Unix epoch.
    pub now_secs: i64,
}

/// The result of an evaluation.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// What to do. While a release is held it is never to promote: the operator decides that.
    pub decision: Decision,
    /// Why, with the numbers.
    pub reason: String,
    pub verdict: Verdict,
    /// What the next evaluation needs.
    pub state: BakeState,
    /// Remarks on the data.
    pub notes: Vec<String>,
    /// What is missing for a promotion, where there is too little traffic.
    pub traffic: Option<String>,
    live: Live,
    readings: Readings,
}

/// Times of a bake, in minutes since the Unix epoch and in judged minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bake {
    pub first: i64,
    pub end: u32,
}

impl Bake {
    /// The judged minute at `now_secs`: the last one that ended at least `delay_secs` before; 0
    /// when none has.
    #[must_use]
    pub fn minute(self, now_secs: i64, delay_secs: i64) -> u32 {
        let settled = (now_secs - delay_secs).div_euclid(60);
        u32::try_from(settled - self.first).unwrap_or(0)
    }
}

/// Observes the minutes that are not final yet, whether they are judged already or not.
#[must_use]
pub fn arrivals(state: &BakeState, data: &Data, now_secs: i64) -> Arrivals {
    let over = u32::try_from(now_secs.div_euclid(60) - state.first).unwrap_or(0);
    observe_arrivals(&state.arrivals, data, state.first, over, now_secs)
}

/// The points of minutes before `end`.
fn until(data: &Data, end: i64) -> Data {
    let part = |points: &Points| {
        points
            .range(..end)
            .map(|(at, value)| (*at, *value))
            .collect()
    };

    data.iter()
        .map(|(key, points)| (*key, part(points)))
        .collect()
}

/// Judges everything that is visible.
///
/// # Errors
/// Settings that cannot be judged by, or that are not those that the bake began with.
pub fn evaluate(observed: &Observed<'_>) -> Result<Outlook, Failure> {
    let Observed {
        settings,
        state,
        data,
        minute,
        now_secs,
    } = *observed;

    let arrivals = arrivals(state, data, now_secs);
    let data = &until(data, state.first + i64::from(minute));
    let input = ReadingInput {
        data,
        settings,
        state,
        arrivals: &arrivals,
        now_secs,
    };
    let readings = Readings::from_points(&input, minute);
    let series = compare(data, settings, state, minute, |minute| {
        is_steady(&arrivals, state.first, minute, Group::Custom, now_secs)
    });

    let live = live(settings, state, minute)?;
    let (verdict, progress) = judged(&live, &readings)?;
    let names: Vec<String> = live.metrics.iter().map(|m| m.name.clone()).collect();

    let measured = minute.min(settings.judge.end);
    let objection = objection(&live.metrics, &readings, &series, measured)
        .or_else(|| never_counted(settings, state, data));
    let (decision, reason) = decide(observed, &verdict, &series, objection);
    let traffic = missing_traffic(decision, &live, &readings, settings.judge.end);
    let notes = notes(state, &live.metrics, &series);
    let state = state.clone().with_arrivals(arrivals.clone());
    Ok(Outlook {
        decision,
        reason,
        state: state.with_progress(&progress, &names),
        notes,
        traffic,
        verdict,
        live,
        readings,
    })
}

/// What the judge starts from at this evaluation.
fn live(settings: &Settings, state: &BakeState, minute: u32) -> Result<Live, Failure> {
    let config = config(settings, state, minute);
    let with_dispersion = Settings {
        judge: config.clone(),
        ..settings.clone()
    };
    let metrics = with_dispersion.metrics(&state.thresholds_ms);
    let names: Vec<String> = metrics.iter().map(|metric| metric.name.clone()).collect();

    Ok(Live {
        name: String::new(),
        config,
        metrics,
        progress: state.progress(&names)?,
        now: minute,
    })
}

fn judged(live: &Live, readings: &Readings) -> Result<(Verdict, Progress), Failure> {
    let refused = |e: &dyn Display| {
        Failure::configuration(format!(
            "the canary cannot be judged by these settings: {e}"
        ))
    };

    let (config, metrics) = (live.config.clone(), live.metrics.clone());
    let mut judge =
        Judge::resume(config, metrics, live.progress.clone()).map_err(|e| refused(&e))?;
    let verdict = judge
        .take_look(live.now, |minute, metric| readings.get(minute, metric))
        .map_err(|e| refused(&e))?;

    Ok((verdict, judge.progress()))
}

/// What is missing for a promotion, where there is too little traffic.
fn missing_traffic(
    decision: Decision,
    live: &Live,
    readings: &Readings,
    end: u32,
) -> Option<String> {
    let is_undecided = matches!(decision, Decision::Continue | Decision::Inconclusive);
    let limit = -live.config.alpha_promote.ln();
    is_undecided
        .then(|| messages::traffic(readings, &live.metrics[0], live.now, end, limit))
        .flatten()
}

/// Why nothing may be promoted yet: a metric beside errors and latency that has no data is never a
/// pass, whichever source it is from, and neither is a series that looks worse.
fn objection(
    metrics: &[MetricSpec],
    readings: &Readings,
    series: &[Series],
    minute: u32,
) -> Option<String> {
    let unmeasured = metrics
        .iter()
        .enumerate()
        .filter(|(_, metric)| !is_built_in(&metric.name))
        .find_map(|(place, metric)| {
            messages::unmeasured(&metric.name, readings.usable(place, minute))
        });

    unmeasured.or_else(|| series.iter().find_map(messages::objection))
}

/// Why nothing may be promoted by a count of the user that never had a value: that it is absent
/// would count as 0, and its name may be wrong.
fn never_counted(settings: &Settings, state: &BakeState, data: &Data) -> Option<String> {
    let known = known_counts(data);
    let is_known = |place: usize| known.contains(&place) || state.known_counts.contains(&place);
    let mut metrics = settings.custom.iter().enumerate();
    metrics.find_map(|(place, metric)| match &metric.kind {
        CustomKind::Count { count, .. } if !is_known(place) => {
            Some(messages::never_counted(&metric.name, count))
        }
        CustomKind::Count { .. } | CustomKind::Value { .. } => None,
    })
}

/// The judge's settings at an evaluation. During a hold the sequential test continues (it stays
/// valid); the final test is not repeated.
fn config(settings: &Settings, state: &BakeState, minute: u32) -> JudgeConfig {
    let judge = &settings.judge;
    let end = if state.held.is_some() {
        judge.end.max(minute.saturating_add(1))
    } else {
        judge.end
    };

    JudgeConfig {
        end,
        dispersion_errors: judge.dispersion_errors.max(state.dispersion_errors),
        dispersion_latency: judge.dispersion_latency.max(state.dispersion_latency),
        ..judge.clone()
    }
}

/// The worst reason wins.
fn decide(
    observed: &Observed<'_>,
    verdict: &Verdict,
    series: &[Series],
    objection: Option<String>,
) -> (Decision, String) {
    let Observed {
        settings,
        state,
        minute,
        ..
    } = *observed;

    if verdict.decision == Decision::Rollback {
        return (Decision::Rollback, verdict.to_string());
    }

    if let Some(harm) = series.iter().find_map(messages::harm) {
        return (Decision::Rollback, harm);
    }

    let objection = objection.filter(|_| verdict.decision == Decision::Promote);
    let decision = match verdict.decision {
        _ if state.held.is_some() => Decision::Inconclusive,
        Decision::Promote if objection.is_some() && minute >= settings.judge.end => {
            Decision::Inconclusive
        }
        Decision::Promote if objection.is_some() => Decision::Continue,
        decision => decision,
    };
    let objection = objection
        .map(|objection| format!("; {objection}"))
        .unwrap_or_default();

    (decision, format!("{verdict}{objection}"))
}

fn notes(state: &BakeState, metrics: &[MetricSpec], series: &[Series]) -> Vec<String> {
    let mut notes = Vec::new();
    let overdispersed = |what: &str, phi: f64| {
        format!(
            "{what} were overdispersed ({}) in the hour before the bake; evidence is divided by \
             that",
            significant(phi)
        )
    };

    if state.dispersion_errors > 1.0 {
        notes.push(overdispersed("errors", state.dispersion_errors));
    }

    if state.dispersion_latency > 1.0 {
        notes.push(overdispersed("slow requests", state.dispersion_latency));
    }

    if state.thresholds_ms.is_empty() {
        notes.push(
            "there were no response times in the hour before the bake; latency is not judged"
                .to_owned(),
        );
    }

    if metrics.iter().any(|metric| metric.dispersion > 1.0) && notes.is_empty() {
        notes.push("evidence is divided by the dispersion in the settings".to_owned());
    }

    notes.extend(series.iter().map(messages::series));
    notes
}

impl Outlook {
    /// Why nothing was shown either way.
    #[must_use]
    pub fn undecided(&self) -> String {
        match &self.traffic {
            Some(traffic) => format!("{traffic}; {}", self.reason),
            None => self.reason.clone(),
        }
    }

    /// The judgement with everything that it rests on, to be written down.
    ///
    /// # Errors
    /// Never, once it was judged.
    pub fn judgement(&self, name: &str) -> Result<Judgement, Failure> {
        let live = Live {
            name: name.to_owned(),
            ..self.live.clone()
        };
        let judgement =
            Judgement::from_live(live, |minute, metric| self.readings.get(minute, metric));
        let judgement = judgement
            .map_err(|e| Failure::job(format!("the judgement cannot be written down: {e}")))?;
        let notes = self.notes.iter().chain(&self.traffic);

        Ok(notes.fold(judgement, |judgement, note| judgement.with_note(note)))
    }
}

#[cfg(test)]
mod tests;
