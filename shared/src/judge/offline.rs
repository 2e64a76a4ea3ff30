//! The offline contract: one scenario a line in, one verdict a minute out.

use serde::Serialize;

use super::scenario::{Scenario, ScenarioError};
use super::sequential::Judge;
use super::verdict::{Decision, Verdict};

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    t: u32,
    verdict: &'static str,
    why: Option<String>,
    log_e: f64,
    log_e_promote: f64,
}

/// Judges a scenario minute by minute until the first verdict that ends it. At minute T only what
/// is visible at T counts.
///
/// # Errors
/// A config that cannot be judged by.
pub fn judge_scenario(scenario: &Scenario) -> Result<Vec<Verdict>, ScenarioError> {
    let metrics = scenario.config.metrics(&scenario.thresholds_ms);
    let mut judge = Judge::new(scenario.config.clone(), metrics)?;
    let mut verdicts = Vec::new();
    for now in 1..=scenario.config.end {
        let verdict = judge.look(now, |minute, metric| scenario.visible(minute, metric, now))?;
        let ended = verdict.decision != Decision::Continue;
        verdicts.push(verdict);
        if ended {
            break;
        }
    }
    Ok(verdicts)
}

/// Judges one line of JSON; the result is whole lines, or nothing.
///
/// # Errors
/// A line that is not a scenario.
pub fn judge_line(line: &str) -> Result<String, ScenarioError> {
    let scenario = Scenario::from_json(line)?;
    let verdicts = judge_scenario(&scenario)?;
    Ok(verdicts.iter().map(|verdict| render(&scenario.id, verdict)).collect())
}

/// The line of one verdict, with its end.
pub fn render(id: &str, verdict: &Verdict) -> String {
    let line = Line {
        id,
        t: verdict.minute,
        verdict: verdict.decision.word(),
        why: verdict.why(),
        log_e: verdict.log_e,
        log_e_promote: verdict.log_e_promote,
    };
    serde_json::to_string(&line).expect("numbers and strings always serialize") + "\n"
}
