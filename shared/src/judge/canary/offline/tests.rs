//! The lines of the offline contract.

use serde_json::Value;

use super::*;

fn scenario(end: u32, bad: u64) -> String {
    let good = 600 - bad;
    let minute = |t: u32| {
        format!(
            r#"{{"t":{t},"c":{{"n":600,"ok":{good},"r5":{bad}}},"b":{{"n":5400,"ok":5395,"r5":5}}}}"#
        )
    };
    let minutes: Vec<String> = (1..=9).map(minute).collect();
    let minutes = minutes.join(",");
    let config = format!(r#"{{"end":{end}}}"#);
    format!(r#"{{"v":2,"id":"x","config":{config},"thresholds_ms":[],"minutes":[{minutes}]}}"#)
}

fn lines(line: &str) -> Vec<Value> {
    let text = judge_line(line).unwrap();
    assert!(text.ends_with("}\n"));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_first_verdict_is_the_last() {
    let verdicts = |lines: &[Value]| -> Vec<String> {
        let verdict = |line: &Value| line["verdict"].as_str().unwrap().to_owned();
        lines.iter().map(verdict).collect()
    };
    assert_eq!(
        verdicts(&lines(&scenario(9, 600))),
        ["continue", "rollback"]
    );
    let undecided = verdicts(&lines(&scenario(3, 1)));
    assert_eq!(undecided, ["continue", "continue", "inconclusive"]);
}

#[test]
fn a_line_has_each_field_of_the_contract_and_the_first_one_those_of_the_hour() {
    let lines = lines(&scenario(9, 600));
    let names = |line: &Value| -> Vec<String> {
        let mut names: Vec<String> = line.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let all = [
        "clear",
        "id",
        "log_e",
        "log_e_promote",
        "t",
        "verdict",
        "why",
    ];
    assert_eq!(names(&lines[1]), all);
    assert_eq!(names(&lines[0]).len(), all.len() + 3);
    assert_eq!(
        (&lines[0]["expect"], &lines[0]["bad"]),
        (&Value::Null, &Value::from("5xx"))
    );
    assert_eq!(
        (&lines[0]["why"], &lines[1]["why"]),
        (&Value::Null, &Value::from("errors"))
    );
    assert!(lines[1]["log_e"].as_f64().unwrap() > 200_f64.ln());
}
