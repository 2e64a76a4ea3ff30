//! One look at the canary: everything that is visible judged anew, with what earlier looks left.

use super::arrival::{Group, Sightings, is_steady, sightings};
use super::bake_state::Memory;
use super::config::Settings;
use super::messages;
use crate::job::Failure;
use crate::judge::report::{Judgement, Live};
use crate::judge::spec::MetricSpec;
use crate::judge::{Decision, Judge, JudgeConfig, Verdict};
use crate::metrics::queries::{Data, Points};
use crate::metrics::readings::Readings;
use crate::metrics::values::{Series, compare};

/// What a look sees.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub settings: &'a Settings,
    pub memory: &'a Memory,
    /// Every minute that is over, also those that are too new to be judged.
    pub data: &'a Data,
    /// The judged minute, from 1.
    pub minute: u32,
    /// Seconds since the Unix epoch.
    pub now_secs: i64,
}

/// What a look makes of it.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// What to do. While a release holds it is never to promote: that is for the person to say.
    pub decision: Decision,
    /// Why, with the numbers.
    pub reason: String,
    pub verdict: Verdict,
    /// What the next look must know.
    pub memory: Memory,
    /// What is to be known about the data.
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
    /// The judged minute at `now_secs`: the last one that ended at least `delay_secs` before; 0 when none has.
    #[must_use]
    pub fn minute(self, now_secs: i64, delay_secs: i64) -> u32 {
        let settled = (now_secs - delay_secs).div_euclid(60);
        u32::try_from(settled - self.first).unwrap_or(0)
    }
}

/// What a look sees of the minutes that are not final yet, whether they are judged already or not.
#[must_use]
pub fn sight(memory: &Memory, data: &Data, now_secs: i64) -> Sightings {
    let over = u32::try_from(now_secs.div_euclid(60) - memory.first).unwrap_or(0);
    sightings(&memory.sightings, data, memory.first, over, now_secs)
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
        .map(|(id, points)| (id.clone(), part(points)))
        .collect()
}

/// Judges everything that is visible.
///
/// # Errors
/// Settings that nothing can be judged by, or that are not those that the bake began with.
pub fn look(seen: &Seen<'_>) -> Result<Outlook, Failure> {
    let Seen {
        settings,
        memory,
        data,
        minute,
        now_secs,
    } = *seen;
    let config = config(settings, memory, minute);
    let with_dispersion = Settings {
        judge: config.clone(),
        custom: settings.custom.clone(),
    };
    let metrics = with_dispersion.metrics(&memory.thresholds_ms);
    let names: Vec<String> = metrics.iter().map(|metric| metric.name.clone()).collect();
    let seen_now = sight(memory, data, now_secs);
    let data = &until(data, memory.first + i64::from(minute));
    let readings = Readings::of(data, settings, memory, &seen_now, minute, now_secs);
    let progress = memory.progress(&names)?;
    let live = Live {
        name: String::new(),
        config: config.clone(),
        metrics: metrics.clone(),
        progress: progress.clone(),
        now: minute,
    };
    let wrong = |e: &dyn std::fmt::Display| {
        Failure::configuration(format!(
            "the canary cannot be judged by these settings: {e}"
        ))
    };
    let mut judge =
        Judge::resume(config.clone(), metrics.clone(), progress).map_err(|e| wrong(&e))?;
    let verdict = judge
        .look(minute, |minute, metric| readings.get(minute, metric))
        .map_err(|e| wrong(&e))?;
    let series = compare(data, settings, memory, minute, |minute| {
        is_steady(&seen_now, memory.first, minute, Group::Custom, now_secs)
    });
    let unmeasured = settings
        .counts()
        .enumerate()
        .find_map(|(place, (_, custom))| {
            let metric = 1 + memory.thresholds_ms.len() + place;
            messages::unmeasured(
                &custom.name,
                readings.usable(metric, minute.min(settings.judge.end)),
            )
        });
    let objection = unmeasured.or_else(|| series.iter().find_map(messages::objection));
    let (decision, reason) = decide(settings, memory, &verdict, &series, objection, minute);
    let traffic = match decision {
        Decision::Continue | Decision::Inconclusive => messages::traffic(
            &readings,
            &metrics[0],
            minute,
            settings.judge.end,
            -config.alpha_promote.ln(),
        ),
        Decision::Promote | Decision::Rollback => None,
    };
    Ok(Outlook {
        decision,
        reason,
        memory: memory
            .clone()
            .with_sightings(seen_now)
            .with_progress(&judge.progress(), &names),
        notes: notes(memory, &metrics, &series),
        traffic,
        verdict,
        live,
        readings,
    })
}

/// The judge's settings for a look. During a hold the evidence of harm is looked at on and on, which it is valid for; the exam has
/// been taken.
fn config(settings: &Settings, memory: &Memory, minute: u32) -> JudgeConfig {
    let judge = &settings.judge;
    let end = if memory.held.is_some() {
        judge.end.max(minute.saturating_add(1))
    } else {
        judge.end
    };
    JudgeConfig {
        end,
        dispersion_errors: judge.dispersion_errors.max(memory.dispersion_errors),
        dispersion_latency: judge.dispersion_latency.max(memory.dispersion_latency),
        ..judge.clone()
    }
}

/// The worst reason wins. A metric without data is no pass, and neither is a series that looks worse.
fn decide(
    settings: &Settings,
    memory: &Memory,
    verdict: &Verdict,
    series: &[Series],
    objection: Option<String>,
    minute: u32,
) -> (Decision, String) {
    if verdict.decision == Decision::Rollback {
        return (Decision::Rollback, verdict.to_string());
    }
    if let Some(harm) = series.iter().find_map(messages::harm) {
        return (Decision::Rollback, harm);
    }
    let objection = objection.filter(|_| verdict.decision == Decision::Promote);
    let decision = match verdict.decision {
        _ if memory.held.is_some() => Decision::Inconclusive,
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

fn notes(memory: &Memory, metrics: &[MetricSpec], series: &[Series]) -> Vec<String> {
    let mut notes = Vec::new();
    let clumped = |what: &str, phi: f64| {
        format!(
            "{what} came in clumps of {phi:.1} in the hour before the bake: evidence counts for that much less"
        )
    };
    if memory.dispersion_errors > 1.0 {
        notes.push(clumped("errors", memory.dispersion_errors));
    }
    if memory.dispersion_latency > 1.0 {
        notes.push(clumped("slow requests", memory.dispersion_latency));
    }
    if memory.thresholds_ms.is_empty() {
        notes.push(
            "there were no response times in the hour before the bake, so latency is not judged"
                .to_owned(),
        );
    }
    if metrics.iter().any(|metric| metric.dispersion > 1.0) && notes.is_empty() {
        notes.push("evidence is divided by a dispersion that the settings give".to_owned());
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
    /// Never for what was judged already.
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
