//! The command: lines in, lines out, and what it does with what it cannot read.

use std::io::Write;
use std::process::{Command, Output, Stdio};

pub(crate) fn judge(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("judge")
        .args(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    // A command that refuses its arguments may be gone before it reads.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

pub(crate) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

const GOOD: &str = r#"{"v":2,"id":"good","config":{"end":1},"thresholds_ms":[],"minutes":[]}"#;

#[test]
fn good_lines_end_well() {
    let output = judge(&[], &format!("{GOOD}\n{GOOD}\n"));
    assert_eq!(
        (output.status.code(), text(output.stderr)),
        (Some(0), String::new())
    );
    let line = r#"{"id":"good","t":1,"verdict":"inconclusive","why":"end of bake","log_e":0.0,"log_e_promote":0.0,"clear":false,"expect":null,"clumps":{"4xx":[1.0,false],"errors":[1.0,false]},"bad":"5xx"}"#;
    assert_eq!(text(output.stdout), format!("{line}\n{line}\n"));
}

#[test]
fn a_malformed_line_is_named_and_prints_nothing() {
    let output = judge(&[], &format!("{GOOD}\n\n{{\"v\":2}}\n{GOOD}\n"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(output.stdout).lines().count(), 1);

    let error = text(output.stderr);
    assert!(
        error.starts_with(
            "error: line 3: failed to read the scenario: thresholds_ms: found nothing"
        ),
        "{error}"
    );
}

#[test]
fn metric_pairs_are_judged_by_a_canary_config() {
    let pairs = include_str!("../../examples/judge/metric-pairs.json");
    let output = judge(&["--kayenta", "examples/judge/canary-config.json"], pairs);
    assert_eq!(
        (output.status.code(), text(output.stderr)),
        (Some(0), String::new())
    );
    let report: serde_json::Value = serde_json::from_str(&text(output.stdout)).unwrap();
    assert_eq!(
        (report["score"].as_f64(), report["classification"].as_str()),
        (Some(50.0), Some("Marginal"))
    );
    assert_eq!(report["results"][0]["classification"], "High");

    let output = judge(&["--kayenta", "examples/judge/no-such.json"], pairs);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(output.stderr).starts_with("error: failed to read examples/judge/no-such.json: "));
}

#[test]
fn wrong_usage_is_answered_with_the_right_one() {
    let output = judge(&["--kayneta", "a.json"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(output.stderr).contains("'--kayenta'"),
        "the message names the right option"
    );
}
