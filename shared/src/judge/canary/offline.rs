//! The offline contract: one scenario a line in, one verdict a minute out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::expected_time::expected_minutes;
use super::hour::measure;
use super::hour_before::HourBefore;
use super::metric::Families;
use super::progress::Progress;
use super::scenario::{Scenario, ScenarioError};
use super::sequential::{Judge, Setup};
use super::verdict::{Decision, Verdict};

#[derive(Serialize)]
struct VerdictLine<'a> {
    id: &'a str,
    t: u32,
    verdict: &'static str,
    why: Option<String>,
    log_e: f64,
    log_e_promote: f64,
    clear: bool,
    #[serde(flatten)]
    before: Option<&'a HourSummary>,
}

/// What the hour before showed, on the first line of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HourSummary {
    /// Minutes after which a healthy canary is expected to be promoted.
    expect: Option<u64>,
    /// φ for the promotion, and whether bad events come one by one.
    #[serde(rename = "clumps")]
    dispersions: BTreeMap<String, (f64, bool)>,
    /// How bad requests are counted.
    bad: &'static str,
}

impl HourSummary {
    /// The same for a judge of these settings.
    pub fn new(scenario: &Scenario, prior: &HourBefore) -> Self {
        let config = &scenario.config;
        let families = Families::new(config, scenario.thresholds_ms.len(), &[]);
        let specs = families.judged.iter().chain(&families.watched);
        Self {
            expect: expected_minutes(config, &families, prior).map(|minutes| minutes as u64),
            dispersions: specs
                .map(|spec| {
                    let one_by_one = prior.is_one_by_one(config, spec);
                    (spec.metric.to_string(), (prior.phi(spec), one_by_one))
                })
                .collect(),
            bad: prior.rule.as_str(),
        }
    }
}

/// The hour before a scenario.
pub fn prior(scenario: &Scenario) -> HourBefore {
    let thresholds = scenario.thresholds_ms.len();
    if scenario.hour.is_empty() {
        HourBefore::unknown(thresholds)
    } else {
        measure(&scenario.hour, thresholds)
    }
}

/// What a scenario is judged by.
pub fn setup(scenario: &Scenario) -> Setup {
    Setup {
        config: scenario.config.clone(),
        thresholds: scenario.thresholds_ms.len(),
        own: Vec::new(),
        prior: prior(scenario),
    }
}

/// Judges a scenario minute by minute until the first verdict that ends it. At minute T only what
/// is final at T counts.
pub fn judge_scenario(scenario: &Scenario) -> Vec<Verdict> {
    let mut judge = Judge::new(setup(scenario), Progress::default());
    let mut verdicts = Vec::new();

    for now in 1..=scenario.config.end {
        let verdict = judge.look(now, |minute| scenario.arrived(minute, now));
        let has_ended = verdict.decision != Decision::Continue;
        verdicts.push(verdict);
        if has_ended {
            break;
        }
    }
    verdicts
}

/// Judges one line of JSON; the result is whole lines, or nothing.
///
/// # Errors
/// A line that is not a scenario.
pub fn judge_line(line: &str) -> Result<String, ScenarioError> {
    let scenario = Scenario::from_json(line)?;
    let before = HourSummary::new(&scenario, &prior(&scenario));
    let verdicts = judge_scenario(&scenario);
    let lines = verdicts.iter().map(|verdict| {
        let before = (verdict.minute == 1).then_some(&before);
        render(&scenario.id, verdict, before)
    });
    Ok(lines.collect())
}

/// The line of one verdict, with its end.
pub fn render(id: &str, verdict: &Verdict, before: Option<&HourSummary>) -> String {
    let line = VerdictLine {
        id,
        t: verdict.minute,
        verdict: verdict.decision.as_str(),
        why: verdict.reason.why(),
        log_e: verdict.log_e,
        log_e_promote: verdict.log_e_promote,
        clear: verdict.clear,
        before,
    };
    serde_json::to_string(&line).expect("numbers and strings always serialize") + "\n"
}

#[cfg(test)]
mod tests;
