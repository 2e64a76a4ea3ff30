//! Scenarios are read strictly.

use super::*;

fn scenario(minute: &str) -> String {
    format!(
        r#"{{"v":2,"id":"web","config":{{}},"thresholds_ms":[100],"hour":[[]],"minutes":[{minute}]}}"#
    )
}

const MINUTE: &str = r#"{"t":1,"c":{"n":60,"ok":50,"r5":8,"timed":58,"slow_r":[4],"slow_p":[2]},
    "b":{"n":540,"ok":540,"r4":null,"timed":540,"slow":[9],"values":[1.5,null]},
    "seen":{"c.r5":3,"c.slow_r":4}}"#;

#[test]
fn a_field_is_unknown_before_it_is_final() {
    let scenario = Scenario::from_json(&scenario(MINUTE)).unwrap();
    let at = |now| {
        let Arrived { minute, is_final } = scenario.arrived(1, now);
        let canary = minute.canary;
        (canary.requests, canary.server_errors, canary.slow, is_final)
    };
    assert_eq!(at(1), (Some(60), None, vec![None], false));
    assert_eq!(at(3), (Some(60), Some(8), vec![None], false));
    assert_eq!(at(4), (Some(60), Some(8), vec![Some(4)], true));

    let baseline = scenario.arrived(1, 1).minute.baseline;
    assert_eq!((baseline.refused, baseline.client_errors), (None, None));
    assert_eq!(baseline.values, [Some(1.5), None]);
}

#[test]
fn a_minute_that_is_not_there_is_unknown_for_good() {
    let absent = Scenario::from_json(&scenario(MINUTE))
        .unwrap()
        .arrived(2, 2);
    assert_eq!((absent.minute, absent.is_final), (Minute::default(), true));
}

#[test]
fn a_refusal_names_the_field() {
    let old = r#"{"v":1,"id":"web","minutes":[{"t":1,"c":{"n":60,"bad":1},"b":{"n":540}}]}"#;
    let cases = [
        (
            old.to_owned(),
            "v: found 1; expected 2; format 1 has no answers by class",
        ),
        (
            scenario(MINUTE).replace("\"v\":2", "\"v\":3"),
            "v: found 3; expected 2",
        ),
        (
            scenario(r#"{"t":1,"c":{"bad":1},"b":{}}"#),
            "minutes[0].c.bad: found an unknown field",
        ),
        (
            scenario(r#"{"t":1,"c":{"slow_r":[1,2]},"b":{}}"#),
            "minutes[0].c.slow_r: found [1,2]",
        ),
        (
            scenario(r#"{"t":0,"c":{},"b":{}}"#),
            "minutes[0].t: found 0; expected a minute from 1",
        ),
        (
            scenario(r#"{"t":1,"c":{},"b":{},"seen":{"c.bad":2}}"#),
            "minutes[0].seen.c.bad: found",
        ),
        (
            scenario(MINUTE).replace("[100]", "[1,2,3,4]"),
            "thresholds_ms: found [1,2,3,4]",
        ),
        (
            scenario(MINUTE).replace("[[]]", "[[{\"m\":1}]]"),
            "hour[0][0].m: found an unknown",
        ),
    ];
    for (line, expected) in cases {
        let message = Scenario::from_json(&line).unwrap_err().to_string();
        let expected = format!("failed to read the scenario: {expected}");
        assert!(message.starts_with(&expected), "{message}");
    }
    let message = Scenario::from_json("{").unwrap_err().to_string();
    assert!(message.starts_with("failed to parse JSON: "), "{message}");
}
