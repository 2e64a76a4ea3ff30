//! What is recorded, read again and judged again.

use super::super::*;
use super::{judged, live, minute, undecided};
use crate::judge::canary::metric::{Metric, OwnCount};
use crate::judge::canary::scenario::Scenario;
use crate::judge::canary::verdict::Peak;
use crate::judge::{Decision, Judge, Progress, Reason};

#[test]
fn a_record_is_read_as_it_was_written_and_judged_as_it_was() {
    let bad = |minute_of: u32| minute(if minute_of > 2 { 60 } else { 1 }, 9);
    for judgement in [undecided(), judged(30, 9, bad)] {
        let again = Judgement::from_json(&judgement.to_json()).unwrap();
        assert_eq!(again, judgement);
        assert_eq!(differences(&judgement, &replay(&again)), []);
    }
    assert_eq!(judged(30, 9, bad).verdict().decision, Decision::Rollback);
}

#[test]
fn a_scenario_is_recorded_with_the_minutes_as_they_were_when_they_were_taken_in() {
    let late = |t: u32| {
        let seen = if t == 2 { r#","seen":{"c.r5":7}"# } else { "" };
        format!(
            r#"{{"t":{t},"c":{{"n":1000,"ok":500,"r5":500}},"b":{{"n":9000,"ok":8991,"r5":9}}{seen}}}"#
        )
    };
    let minutes: Vec<String> = (1..=8).map(late).collect();
    let line = format!(
        r#"{{"v":2,"id":"late","config":{{"end":8}},"thresholds_ms":[],"minutes":[{}]}}"#,
        minutes.join(",")
    );
    let judgement = Judgement::from_scenario(&Scenario::from_json(&line).unwrap());
    let second = &judgement.minutes[1];
    assert_eq!((second.is_final, second.c.server_errors), (false, None));
    assert_eq!(
        second.readings[0].used,
        Some(5),
        "it waits for three minutes"
    );
    assert_eq!(judgement.quality[0].late, [2, 3, 4]);
    assert_eq!(differences(&judgement, &replay(&judgement)), []);
}

#[test]
fn what_was_left_out_stays_left_out_in_a_replay() {
    let unknown = |judged: u32| {
        let mut arrived = minute(1, 9);
        if judged == 2 {
            arrived.minute.canary.requests = None;
        }
        arrived
    };
    let mut judge = Judge::new(live(30, 6, Vec::new()).setup, Default::default());
    judge.look(6, unknown);

    let later = Live {
        progress: judge.progress().clone(),
        now: 7,
        ..live(30, 7, Vec::new())
    };
    let judgement = Judgement::from_live(&later, |_| minute(1, 9));
    assert_eq!(judgement.quality[0].left_out, [2]);
    assert_eq!(judgement.quality[0].usable, 6);
    assert_eq!(differences(&judgement, &replay(&judgement)), []);
}

#[test]
fn counts_of_a_user_are_recorded_by_their_name() {
    let own = OwnCount {
        name: "orders".to_owned(),
        weight: 0.2,
        tolerance: 1.1,
        floor: None,
        dispersion: None,
        promote_tolerance: None,
        promote_floor: None,
    };
    let judgement = Judgement::from_live(&live(30, 3, vec![own]), |_| minute(1, 9));
    let names: Vec<(&str, &str)> = judgement
        .metrics
        .iter()
        .map(|metric| (metric.name.as_str(), metric.label.as_str()))
        .collect();
    let errors = ("errors", "requests without a good answer");
    assert_eq!(names, [errors, ("4xx", "4xx"), ("own[0]", "orders")]);
    assert_eq!(judgement.quality[2].missing, [1, 2, 3]);
}

#[test]
fn a_record_of_the_first_version_is_refused_by_its_version() {
    let error = Judgement::from_json(r#"{"v":1,"name":"shop"}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to read the judgement: version 1, expected 2; use the release that wrote it"
    );
}

#[test]
fn a_record_that_contradicts_itself_is_refused() {
    let changed = |path: &str, value: serde_json::Value| {
        let mut stored: serde_json::Value = serde_json::from_str(&undecided().to_json()).unwrap();
        *stored.pointer_mut(path).unwrap() = value;
        Judgement::from_json(&stored.to_string())
            .unwrap_err()
            .to_string()
    };
    let cases = [
        (
            "/verdict/minute",
            0.into(),
            "verdict.minute is outside the bake",
        ),
        (
            "/verdict/minute",
            4.into(),
            "minutes do not reach to the verdict",
        ),
        ("/minutes/1/t", 7.into(), "minutes are not numbered from 1"),
        (
            "/minutes/0/readings/0/used",
            9.into(),
            "is before its minute or after the verdict",
        ),
        ("/metrics", serde_json::json!([]), "metrics is empty"),
        (
            "/verdict/weakest",
            "luck".into(),
            "weakest is an unknown metric",
        ),
        (
            "/progress/answers",
            serde_json::json!([[3, 1]]),
            "progress has minutes out of order",
        ),
        (
            "/settings/alpha",
            0.9.into(),
            "settings.alpha: found 0.9; expected",
        ),
    ];
    for (path, value, expected) in cases {
        let error = changed(path, value);
        assert!(error.contains(expected), "{path}: {error}");
    }
}

#[test]
fn looks_that_are_not_in_order_are_refused() {
    // The third look is the verdict.
    for (place, minute) in [(0, 2), (1, 1), (1, 3)] {
        let mut judgement = undecided();
        judgement.looks[place].minute = minute;
        let error = Judgement::from_json(&judgement.to_json()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to read the judgement: looks are not in order"
        );
    }
}

#[test]
fn an_ending_is_recorded_where_it_is_not_the_verdict() {
    let judgement = judged(30, 9, |_| minute(60, 9));
    assert_eq!(judgement.verdict().decision, Decision::Rollback);
    let ended = |decision| judgement.clone().with_ending(decision, "an operator");
    assert_eq!(ended(Decision::Rollback).ending(), None);
    let promoted = JudgementEnding {
        decision: Decision::Promote,
        reason: "an operator".to_owned(),
    };
    assert_eq!(ended(Decision::Promote).ending(), Some(&promoted));
}

#[test]
fn a_replay_goes_by_the_highest_evidence_that_was_kept() {
    let peak = Peak {
        log_e: 9.0,
        metric: Metric::Errors,
        minute: 2,
    };
    let later = Live {
        progress: Progress {
            taken: 2,
            highest: Some(peak),
            ..Progress::default()
        },
        ..live(30, 3, Vec::new())
    };
    let judgement = Judgement::from_live(&later, |_| minute(1, 9));
    assert_eq!(judgement.verdict().reason, Reason::Harm(peak));
    assert_eq!(replay(&judgement).reason, Reason::Harm(peak));
    assert_eq!(differences(&judgement, &replay(&judgement)), []);
}

#[test]
fn a_replay_that_differs_names_the_field() {
    let mut judgement = undecided();
    judgement.verdict.decision = Decision::Promote;
    judgement.verdict.reason = Reason::NonInferior;
    judgement.verdict.log_e += 0.5;
    let fields: Vec<&str> = differences(&judgement, &replay(&judgement))
        .iter()
        .map(|difference| difference.field)
        .collect();
    assert_eq!(fields, ["decision", "reason", "log_e"]);
}
