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
        let verdict =
            judge.take_look(now, |minute, metric| scenario.visible(minute, metric, now))?;
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
    Ok(verdicts
        .iter()
        .map(|verdict| render(&scenario.id, verdict))
        .collect())
}

/// The line of one verdict, with its end.
pub fn render(id: &str, verdict: &Verdict) -> String {
    let line = Line {
        id,
        t: verdict.minute,
        verdict: verdict.decision.as_str(),
        why: verdict.why(),
        log_e: verdict.log_e,
        log_e_promote: verdict.log_e_promote,
    };
    serde_json::to_string(&line).expect("numbers and strings always serialize") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(end: u32, bad: u64) -> String {
        let minute =
            |t: u32| format!(r#"{{"t":{t},"c":{{"n":600,"bad":{bad}}},"b":{{"n":5400,"bad":5}}}}"#);
        let minutes: Vec<String> = (1..=9).map(minute).collect();
        let minutes = minutes.join(",");
        let config = format!(r#"{{"end":{end}}}"#);

        format!(r#"{{"v":1,"id":"x","config":{config},"thresholds_ms":[],"minutes":[{minutes}]}}"#)
    }

    fn decisions(line: &str) -> Vec<(u32, Decision)> {
        let verdicts = judge_scenario(&Scenario::from_json(line).unwrap()).unwrap();
        verdicts
            .iter()
            .map(|verdict| (verdict.minute, verdict.decision))
            .collect()
    }

    #[test]
    fn the_first_verdict_is_the_last() {
        assert_eq!(decisions(&scenario(9, 60)), [(1, Decision::Rollback)]);

        let looks = decisions(&scenario(3, 1));
        assert_eq!(
            looks,
            [
                (1, Decision::Continue),
                (2, Decision::Continue),
                (3, Decision::Inconclusive)
            ]
        );
    }

    #[test]
    fn a_line_has_each_field_of_the_contract() {
        let lines = judge_line(&scenario(9, 60)).unwrap();
        let line: serde_json::Value = serde_json::from_str(&lines).unwrap();
        let texts = ["id", "verdict", "why"].map(|field| line[field].as_str().unwrap_or_default());

        assert_eq!(
            (texts, line["t"].as_u64()),
            (["x", "rollback", "errors"], Some(1))
        );
        assert!(
            line["log_e"].as_f64().unwrap() > 200_f64.ln()
                && line["log_e_promote"].as_f64().unwrap() < 0.0
        );
        assert_eq!(line.as_object().unwrap().len(), 6);
        assert!(lines.ends_with("}\n"));
    }
}
