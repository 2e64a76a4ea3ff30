//! Which scenarios are refused, and with which message.

use slipway::judge::offline::judge_line;

fn scenario(config: &str, thresholds: &str, minutes: &str) -> String {
    format!(
        r#"{{"v":1,"id":"a","config":{config},"thresholds_ms":{thresholds},"minutes":[{minutes}]}}"#
    )
}

const GOOD: &str = r#"{"t":1,"c":{"n":600,"bad":1},"b":{"n":5400,"bad":5}}"#;

#[track_caller]
fn refused(line: &str, expected: &str) {
    let error = judge_line(line)
        .expect_err("the line holds a mistake")
        .to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn each_mistake_is_named_with_what_is_expected() {
    refused("{", "failed to parse JSON: EOF while parsing");
    refused("[]", "document: found []; expected an object");
    refused(
        &scenario("{}", "[]", GOOD).replace(r#""v":1"#, r#""v":2"#),
        "v: found 2; expected 1",
    );
    refused(
        &scenario(r#"{"alhpa":0.01}"#, "[]", GOOD),
        "config.alhpa: found an unknown field; expected alpha, ",
    );
    refused(
        &scenario(r#"{"alpha":"0.01"}"#, "[]", GOOD),
        r#"config.alpha: found "0.01"; expected a number"#,
    );
    refused(
        &scenario("{}", "[1,2,3]", GOOD),
        "thresholds_ms: found [1,2,3]; expected 4 positive numbers",
    );
    refused(
        &scenario("{}", "[]", &GOOD.replace("\"bad\":1", "\"bad\":-1")),
        "minutes[0].c.bad: found -1; expected a whole number",
    );
    refused(
        &scenario("{}", "[]", &GOOD.replace("\"bad\":1", "\"errors\":1")),
        "minutes[0].c.errors: found an unknown field",
    );
    refused(
        &scenario("{}", "[]", &format!("{GOOD},{GOOD}")),
        "minutes[1].t: found 1; expected a minute from 1 that is not there yet",
    );
    refused(
        &scenario("{}", "[]", &GOOD.replace("}}", r#"},"seen":{"c.sad":2}}"#)),
        "minutes[0].seen.c.sad: found an unknown field",
    );

    let short = GOOD.replace("\"bad\":1", "\"bad\":1,\"slow_r\":[1]");
    refused(
        &scenario("{}", "[150,216,404,606]", &short),
        "minutes[0].c.slow_r: found [1]; expected 4 counts",
    );
}

#[test]
fn counts_larger_than_their_requests_are_refused_wherever_they_are() {
    let late = r#"{"t":30,"c":{"n":1,"bad":0},"b":{"n":10,"bad":11},"seen":{"b.bad":40}}"#;
    refused(
        &scenario("{}", "[]", &format!("{GOOD},{late}")),
        "minute 30, baseline: 11 bad of 10 requests",
    );
}

#[test]
fn weights_over_one_are_refused() {
    let config = r#"{"w_errors":0.6}"#;
    refused(
        &scenario(config, "[150,216,404,606]", ""),
        "weights add up to 1.1, limit 1; lower one of errors, latency[0]",
    );
}

#[test]
fn no_data_is_never_a_pass() {
    let output = judge_line(&scenario(r#"{"end":4}"#, "[]", "")).unwrap();
    let last = output.lines().last().unwrap();
    assert_eq!(
        last,
        r#"{"id":"a","t":4,"verdict":"inconclusive","why":"end of bake","log_e":0.0,"log_e_promote":0.0}"#
    );
}
