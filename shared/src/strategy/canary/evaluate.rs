//! One evaluation of the canary: everything visible is judged again, with what earlier evaluations
//! left.
//!
//! Pure: the points are read before, and what follows from the decision is not decided here.

use std::collections::BTreeMap;

use super::arrival::{Arrivals, observe_arrivals};
use super::bake_state::BakeState;
use super::config::Settings;
use super::minutes::MinuteInput;
use super::missing_data::{with_missing_requests, without_data};
use super::plan::RAISE_MINUTES;
use crate::job::Failure;
use crate::judge::canary::answers::BadRule;
use crate::judge::canary::arrival::Arrived;
use crate::judge::canary::counts::Minute;
use crate::judge::canary::metric::Metric;
use crate::judge::canary::sentence::{Labels, objected, sentence};
use crate::judge::report::{Judgement, Live};
use crate::judge::{Decision, Judge, JudgeConfig, Setup, Verdict};
use crate::metrics::source::Data;

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
    /// The share of the traffic that the canary has, in percent.
    pub percent: u32,
    /// Whether the rule has stickiness.
    pub sticky: bool,
}

/// The result of an evaluation.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// What to do. While a release is held it is never to promote: the operator decides that.
    pub decision: Decision,
    /// Why, with the numbers.
    pub reason: String,
    /// Whether the share of the traffic may be raised.
    pub clear: bool,
    pub verdict: Verdict,
    /// What the next evaluation needs.
    pub state: BakeState,
    /// Remarks on the data.
    pub notes: Vec<String>,
    /// Requests to the canary and to the baseline in the minutes that counted.
    pub requests: (u64, u64),
    live: Live,
    minutes: BTreeMap<u32, Arrived>,
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

/// Observes the minutes that may not be taken in yet, whether they are judged already or not.
#[must_use]
pub fn arrivals(state: &BakeState, data: &Data, now_secs: i64) -> Arrivals {
    let over = u32::try_from(now_secs.div_euclid(60) - state.first).unwrap_or(0);
    observe_arrivals(&state.arrivals, data, state.first, over, now_secs)
}

/// Judges everything that is visible.
///
/// # Errors
/// When the state is damaged.
pub fn evaluate(observed: &Observed<'_>) -> Result<Outlook, Failure> {
    let Observed {
        settings,
        state,
        data,
        minute,
        now_secs,
        ..
    } = *observed;

    let arrivals = arrivals(state, data, now_secs);
    let input = MinuteInput {
        data,
        settings,
        state,
        arrivals: &arrivals,
        now_secs,
    };
    let minutes: BTreeMap<u32, Arrived> = (1..=minute)
        .map(|judged| (judged, input.arrived(judged)))
        .collect();

    let live = Live {
        name: String::new(),
        setup: setup(observed),
        thresholds_ms: state.thresholds_ms.clone(),
        progress: state.progress()?,
        now: minute,
    };
    let mut judge = Judge::new(live.setup.clone(), live.progress.clone());
    let verdict = judge.look(minute, |judged| known(&minutes, judged));

    let objection = without_data(settings, state, data, &minutes);
    let (decision, reason) = decide(observed, &live, &verdict, objection.as_deref());
    let reason = with_missing_requests(decision, reason, &minutes, minute);
    let notes = notes(observed, &live.setup, &verdict);
    let state = state.clone().with_arrivals(arrivals.clone());
    let state = state.with_sticky(observed.sticky);
    Ok(Outlook {
        decision,
        reason,
        clear: verdict.clear && objection.is_none(),
        state: state.with_progress(judge.progress()),
        notes,
        requests: requests(&judge, &verdict),
        verdict,
        live,
        minutes,
    })
}

/// A minute as it is known now; nothing is known of one that is not over.
fn known(minutes: &BTreeMap<u32, Arrived>, judged: u32) -> Arrived {
    let found = minutes.get(&judged).cloned();
    found.unwrap_or_else(|| Arrived {
        minute: Minute::default(),
        is_final: false,
    })
}

/// What the judge judges by at this evaluation.
fn setup(observed: &Observed<'_>) -> Setup {
    let Observed {
        settings,
        state,
        minute,
        percent,
        sticky,
        ..
    } = *observed;
    let judge = &settings.judge;
    // During a hold the sequential test continues (it stays valid); the final test is not repeated.
    let end = if state.held.is_some() {
        judge.end.max(minute.saturating_add(1))
    } else {
        judge.end
    };

    let config = JudgeConfig {
        end,
        steps: steps(judge, state, minute),
        share: Some(f64::from(state.last_percent.unwrap_or(percent)) / 100.0),
        sticky: judge.sticky || state.sticky || sticky,
        values: settings.series(),
        ..judge.clone()
    };
    Setup {
        config,
        thresholds: state.thresholds_ms.len(),
        own: settings.counts(),
        prior: state.prior(),
    }
}

/// The minutes in which the share is expected to be raised, before anything is judged: a raise
/// takes some minutes itself.
#[must_use]
pub fn expected_steps(judge: &JudgeConfig, state: &BakeState) -> Vec<u32> {
    let mut steps = steps(judge, state, 0);
    if let [_, last] = steps.as_mut_slice() {
        *last = last.saturating_add(RAISE_MINUTES);
    }
    steps
}

/// The minutes in which the share is raised. One that has not been raised yet is raised as soon as
/// nothing speaks against it, and nothing is promoted before.
fn steps(judge: &JudgeConfig, state: &BakeState, minute: u32) -> Vec<u32> {
    match (state.last_percent, state.raised) {
        (None, _) => vec![1],
        (Some(_), Some(raised)) => vec![1, raised.max(2)],
        (Some(_), None) => {
            let earliest = judge.warm_up.saturating_add(judge.min_minutes);
            vec![1, earliest.max(minute).saturating_add(1)]
        }
    }
}

/// The requests among which errors were counted.
fn requests(judge: &Judge, verdict: &Verdict) -> (u64, u64) {
    let mut shown = judge.shown();
    let errors = shown.find(|shown| shown.spec.metric == Metric::Errors);
    let totals = errors.unwrap_or(verdict.subject).totals;
    (totals.canary.requests, totals.baseline.requests)
}

/// The worst reason wins.
fn decide(
    observed: &Observed<'_>,
    live: &Live,
    verdict: &Verdict,
    objection: Option<&str>,
) -> (Decision, String) {
    let labels = Labels {
        rule: live.setup.prior.rule,
        thresholds_ms: &live.thresholds_ms,
        own: &live.setup.own,
    };
    let sentence = sentence(verdict, &labels, &live.setup.config);
    if verdict.decision == Decision::Rollback {
        return (Decision::Rollback, sentence);
    }

    let is_promotion = verdict.decision == Decision::Promote;
    let objection = objection.filter(|_| is_promotion);
    let has_ended = observed.minute >= observed.settings.judge.end;
    let decision = match verdict.decision {
        _ if observed.state.held.is_some() => Decision::Inconclusive,
        Decision::Promote if objection.is_some() && has_ended => Decision::Inconclusive,
        Decision::Promote if objection.is_some() => Decision::Continue,
        decision => decision,
    };

    // At the end of the bake the sentence names it.
    let is_open = verdict.decision == Decision::Continue;
    let objecting = verdict.objection.as_ref().filter(|_| is_open).map(objected);
    let more = objection.map(str::to_owned).or(objecting);
    let more = more.map(|more| format!("; {more}")).unwrap_or_default();
    (decision, format!("{sentence}{more}"))
}

fn notes(observed: &Observed<'_>, setup: &Setup, verdict: &Verdict) -> Vec<String> {
    let mut notes = Vec::new();
    let rule = match setup.prior.rule {
        BadRule::Difference => "errors are requests without a good answer",
        BadRule::Failures => {
            "errors are target 5xx and refused connections: the counters of the hour before were \
             not in step, or too few; requests that are never answered are not seen"
        }
    };
    notes.push(rule.to_owned());

    if observed.state.thresholds_ms.is_empty() {
        let missing = "there were too few response times in the hour before the bake; latency is \
                       not judged";
        notes.push(missing.to_owned());
    }
    if setup.config.sticky {
        let sides = "sessions move, not requests: the two sides are not alike, so nothing counts \
                     as single events, a ratio of 1.5 is tolerated and latency only objects";
        notes.push(sides.to_owned());
    }
    if observed.state.grpc {
        let calls = "the target group speaks gRPC, which answers 200 with the failure in a \
                     trailer: failed calls are not seen";
        notes.push(calls.to_owned());
    }
    let remarks = observed.state.remarks.iter();
    notes.extend(remarks.map(|remark| remark.text().to_owned()));
    notes.extend(verdict.objection.as_ref().map(objected));
    notes
}

impl Outlook {
    /// The judgement with everything that it rests on, to be written down.
    #[must_use]
    pub fn judgement(&self, name: &str) -> Judgement {
        let live = Live {
            name: name.to_owned(),
            ..self.live.clone()
        };
        let judgement = Judgement::from_live(&live, |judged| known(&self.minutes, judged));
        self.notes
            .iter()
            .fold(judgement, |judgement, note| judgement.with_note(note))
    }
}

#[cfg(test)]
pub(super) mod tests;
