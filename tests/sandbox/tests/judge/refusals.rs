//! Which scenarios are refused, and with which message.

use slipway::judge::canary::offline::judge_line;

fn scenario(config: &str, thresholds: &str, minutes: &str) -> String {
    format!(
        r#"{{"v":2,"id":"a","config":{config},"thresholds_ms":{thresholds},"minutes":[{minutes}]}}"#
    )
}

const GOOD: &str = r#"{"t":1,"c":{"n":600,"r5":1},"b":{"n":5400,"r5":5}}"#;

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
    refused("[]", "v: found nothing; expected a whole number");
    refused(
        &scenario("{}", "[]", GOOD).replace(r#""v":2"#, r#""v":1"#),
        "v: found 1; expected 2; format 1 has no answers by class and cannot be judged any more",
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
        &scenario("{}", "[1,2,3,4]", GOOD),
        "thresholds_ms: found [1,2,3,4]; expected up to 3 positive numbers",
    );
    refused(
        &scenario("{}", "[]", &GOOD.replace("\"r5\":1", "\"r5\":-1")),
        "minutes[0].c.r5: found -1; expected a whole number",
    );
    refused(
        &scenario("{}", "[]", &GOOD.replace("\"r5\":1", "\"bad\":1")),
        "minutes[0].c.bad: found an unknown field",
    );
    refused(
        &scenario("{}", "[]", &format!("{GOOD},{GOOD}")),
        "minutes[1].t: found 1; expected a minute from 1 that is not there yet",
    );
    refused(
        &scenario("{}", "[]", &GOOD.replace("}}", r#"},"seen":{"c.sad":2}}"#)),
        "minutes[0].seen.c.sad: found an unknown field",
    );
    let short = GOOD.replace("\"r5\":1", "\"r5\":1,\"slow_r\":[1]");
    refused(
        &scenario("{}", "[216,404,606]", &short),
        "minutes[0].c.slow_r: found [1]; expected 3 counts",
    );
}

#[test]
fn no_data_is_never_a_pass() {
    let output = judge_line(&scenario(r#"{"end":4}"#, "[]", "")).unwrap();
    let last = output.lines().last().unwrap();
    assert_eq!(
        last,
        r#"{"id":"a","t":4,"verdict":"inconclusive","why":"end of bake","log_e":0.0,"log_e_promote":0.0,"clear":false}"#
    );
}
