//! Judges whole scenarios and compares every minute with what a second implementation expects.
//!
//! `SLIPWAY_CORPUS` names folders with `judge/scenarios.jsonl` and `judge/expected.jsonl`. With or
//! without it the scenarios of `examples/judge` are judged; their expected lines were written by
//! `reference.py` beside this file, which shares no code and no shortcut with the judge.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use slipway::judge::canary::offline::judge_line;
use slipway::judge::canary::scenario::Scenario;
use slipway::judge::report::Judgement;

const LOG_E_TOLERANCE: f64 = 1e-6;

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Files with scenarios, and what is expected of them.
fn recorded() -> Vec<(PathBuf, PathBuf)> {
    let own = (
        package("examples/judge/scenarios.jsonl"),
        package("tests/judge/expected.jsonl"),
    );
    let corpus = std::env::var_os("SLIPWAY_CORPUS").unwrap_or_default();
    let corpus = std::env::split_paths(&corpus)
        .map(|root| root.join("judge"))
        .map(|folder| {
            (
                folder.join("scenarios.jsonl"),
                folder.join("expected.jsonl"),
            )
        })
        .filter(|(scenarios, expected)| scenarios.is_file() && expected.is_file());
    std::iter::once(own).chain(corpus).collect()
}

fn lines(path: &Path) -> Vec<String> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

fn close(a: &Value, b: &Value, field: &str) -> bool {
    (a[field].as_f64().unwrap() - b[field].as_f64().unwrap()).abs() <= LOG_E_TOLERANCE
}

/// The expected minutes of each scenario, by its name.
fn expected_minutes(path: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut expected: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in lines(path) {
        let value: Value = serde_json::from_str(&line).unwrap();
        expected
            .entry(value["id"].as_str().unwrap().to_owned())
            .or_default()
            .push(value);
    }
    expected
}

/// Judges a scenario, and takes its minutes out of the expected ones.
#[track_caller]
fn assert_judged_as_expected(line: &str, expected: &mut BTreeMap<String, Vec<Value>>) {
    let found: Vec<Value> = judge_line(line)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let id = found[0]["id"].as_str().unwrap();
    let expected = expected
        .remove(id)
        .unwrap_or_else(|| panic!("nothing is expected of {id}"));

    assert_eq!(found.len(), expected.len(), "minutes of {id}");

    for (found, expected) in found.iter().zip(&expected) {
        for field in ["id", "t", "verdict", "why", "clear", "expect", "bad"] {
            assert_eq!(found[field], expected[field], "{id}: {found} {expected}");
        }
        assert!(
            close(found, expected, "log_e") && close(found, expected, "log_e_promote"),
            "{found} {expected}"
        );
        assert_same_dispersions(&found["clumps"], &expected["clumps"], id);
    }
}

/// What the hour before showed of each metric, on the first line.
#[track_caller]
fn assert_same_dispersions(found: &Value, expected: &Value, id: &str) {
    let (Some(found), Some(expected)) = (found.as_object(), expected.as_object()) else {
        assert_eq!(found, expected, "{id}");
        return;
    };
    assert_eq!(found.len(), expected.len(), "{id}");
    for (metric, expected) in expected {
        let phi = |value: &Value| value[0].as_f64().unwrap();
        let found = &found[metric];
        assert!(
            (phi(found) - phi(expected)).abs() <= LOG_E_TOLERANCE,
            "{id}: {metric} {found}"
        );
        assert_eq!(found[1], expected[1], "{id}: {metric} one by one");
    }
}

#[test]
fn every_minute_of_every_scenario_is_as_expected() {
    for (scenarios, expectations) in recorded() {
        let mut expected = expected_minutes(&expectations);
        let mut skipped = 0;
        for line in lines(&scenarios) {
            let scenario: Value = serde_json::from_str(&line).unwrap();
            if scenario["v"] != 2 {
                expected.remove(scenario["id"].as_str().unwrap());
                skipped += 1;
                continue;
            }

            assert_judged_as_expected(&line, &mut expected);
        }

        println!(
            "{}: {skipped} scenarios skipped: of an earlier format",
            scenarios.display()
        );
        assert!(
            expected.is_empty(),
            "scenarios are missing: {:?}",
            expected.keys()
        );
    }
}

/// The last sentence of each scenario of ours: what an operator reads.
#[test]
fn verdicts_explain_themselves() {
    let sentence = |line: String| {
        let judgement = Judgement::from_scenario(&Scenario::from_json(&line).unwrap());
        format!("{}: {}", judgement.name(), judgement.verdict().sentence)
    };
    let found: Vec<String> = lines(&recorded()[0].0).into_iter().map(sentence).collect();
    let golden = lines(&package("tests/judge/sentences.txt"));

    assert_eq!(found, golden, "now:\n{}", found.join("\n"));
}
