//! What a record holds, and which records are refused.

use super::super::stored::{StoredMinute, StoredReading, StoredSide};
use super::super::*;
use super::{config, judged, live, reading, undecided};
use crate::judge::progress::Peak;
use crate::judge::spec::MetricSpec;
use crate::judge::{Decision, Reason};

#[track_caller]
fn refusal(change: impl Fn(&mut Judgement)) -> String {
    let mut judgement = undecided();
    change(&mut judgement);
    Judgement::from_json(&judgement.to_json())
        .expect_err("it contradicts itself")
        .to_string()
}

type Spoil = fn(&mut Judgement);

#[track_caller]
fn assert_refused<const N: usize>(refused: [(Spoil, &str); N]) {
    for (change, expected) in refused {
        assert_eq!(
            refusal(change),
            format!("failed to read the judgement: {expected}")
        );
    }
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let whole = undecided();
    assert_eq!(Judgement::from_json(&whole.to_json()).unwrap(), whole);
}

#[test]
fn another_version_impossible_settings_and_minutes_beyond_the_bake_are_refused() {
    assert_refused([
        (
            |j| j.v = 2,
            "version 2, expected 1; use the release that wrote it",
        ),
        (
            |j| j.settings.tau = 0.5,
            "settings.tau: found 0.5; expected 1 to 1000",
        ),
        (
            |j| j.verdict.minute = 0,
            "verdict.minute is outside the bake",
        ),
        (
            |j| j.verdict.minute = 21_601,
            "verdict.minute is outside the bake",
        ),
    ]);
}

#[test]
fn minutes_that_contradict_the_metrics_or_the_verdict_are_refused() {
    assert_refused([
        (|j| j.metrics.clear(), "metrics is empty"),
        (
            |j| drop(j.minutes.pop()),
            "minutes do not reach to the verdict",
        ),
        (|j| j.minutes.swap(0, 1), "minutes are not numbered from 1"),
        (
            |j| j.minutes[1].readings.clear(),
            "minutes[].readings differ from metrics",
        ),
        (
            |j| j.minutes[1].readings[0].used = Some(1),
            "minutes[].readings[].used is before its minute or after the verdict",
        ),
        (
            |j| j.minutes[1].readings[0].used = Some(4),
            "minutes[].readings[].used is before its minute or after the verdict",
        ),
    ]);
}

#[test]
fn looks_that_contradict_the_metrics_are_refused() {
    assert_refused([
        (|j| j.looks.swap(0, 1), "looks are not in order"),
        (|j| j.looks[1].minute = 3, "looks are not in order"),
        (
            |j| j.verdict.evidence.clear(),
            "looks[].evidence differs from metrics",
        ),
        (
            |j| {
                j.looks[0].reason = Reason::Harm {
                    metric: "p90".to_owned(),
                    minute: 1,
                }
            },
            "a reason names an unknown metric",
        ),
        (
            |j| j.looks[0].weakest = "p90".to_owned(),
            "weakest is an unknown metric",
        ),
        (|j| j.quality.clear(), "quality differs from metrics"),
    ]);
}

#[test]
fn a_record_has_everything_that_the_verdict_rests_on() {
    let judgement = undecided().with_fact("Image", "web:2").with_note("a note");
    assert_eq!((judgement.name(), judgement.v), ("shop", 1));
    assert_eq!(judgement.settings, config(30));

    let spec = MetricSpec::from(&judgement.metrics[0]);
    assert_eq!(spec, config(30).metrics(&[])[0]);
    assert_eq!(
        judgement.facts,
        [Fact {
            name: "Image".to_owned(),
            value: "web:2".to_owned()
        }]
    );
    assert_eq!(judgement.notes, ["a note"]);

    let minutes: Vec<StoredMinute> = (1..=3)
        .map(|t| StoredMinute {
            t,
            readings: vec![StoredReading {
                c: StoredSide {
                    n: Some(1_000),
                    bad: Some(1),
                },
                b: StoredSide {
                    n: Some(9_000),
                    bad: Some(9),
                },
                promote: Some(1),
                used: Some(t),
            }],
        })
        .collect();
    assert_eq!(judgement.minutes, minutes);

    let looks: Vec<(u32, Decision, u32)> = judgement
        .looks()
        .map(|look| (look.minute, look.decision, look.usable_minutes))
        .collect();
    assert_eq!(
        looks,
        [
            (1, Decision::Continue, 1),
            (2, Decision::Continue, 2),
            (3, Decision::Continue, 3)
        ]
    );
    assert_eq!(judgement.verdict().reason, Reason::Unsettled);
}

#[test]
fn an_ending_is_kept_only_where_it_is_not_the_verdict() {
    assert_eq!(undecided().ending(), None);
    assert_eq!(
        undecided()
            .with_ending(Decision::Continue, "so it goes")
            .ending(),
        None
    );

    let ended = undecided().with_ending(Decision::Rollback, "an alarm went off");
    let expected = JudgementEnding {
        decision: Decision::Rollback,
        reason: "an alarm went off".to_owned(),
    };

    assert_eq!(ended.ending(), Some(&expected));
    assert_eq!(
        Judgement::from_json(&ended.to_json()).unwrap().ending(),
        Some(&expected)
    );
}

#[test]
fn looks_that_were_not_the_last_decided_nothing() {
    // Already the first minute is bad enough; the judge is seen at its third look only.
    let judgement = judged(30, 3, |_| reading(1_000, 100));
    let decisions: Vec<Decision> = judgement.looks().map(|look| look.decision).collect();
    assert_eq!(
        decisions,
        [Decision::Continue, Decision::Continue, Decision::Rollback]
    );
}

#[test]
fn a_replay_goes_by_the_highest_evidence_that_was_kept() {
    let peak = Peak {
        log_e: 9.0,
        metric: "errors".to_owned(),
        minute: 2,
    };
    let judgement =
        Judgement::from_live(live(config(30), Some(peak), 4), |_, _| reading(1_000, 1)).unwrap();

    assert_eq!(
        judgement.verdict().reason,
        Reason::Harm {
            metric: "errors".to_owned(),
            minute: 2
        }
    );

    let again = replay(&judgement).unwrap();
    assert_eq!(again.decision, Decision::Rollback);
    assert_eq!(differences(&judgement, &again), []);

    let without = judgement
        .looks()
        .take(3)
        .all(|look| look.highest_log_e.is_none_or(|log_e| log_e < 1.0));
    assert!(without, "looks before it are worked out without it");
}

#[test]
fn differences_name_the_field_and_both_values() {
    let judgement = undecided();
    let mut again = replay(&judgement).unwrap();
    again.reason = Reason::FinalTest {
        metric: "errors".to_owned(),
        p: 0.001,
        limit: 0.0025,
    };
    again.log_e_promote += 1e-3;
    again.usable_minutes = 2;

    let found: Vec<String> = differences(&judgement, &again)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found[0],
        "reason: recorded not settled, judged again final test of errors, p 0.001 of 0.0025"
    );
    assert!(
        found[1].starts_with("log_e_promote: recorded "),
        "{found:?}"
    );
    assert_eq!(found[2], "usable_minutes: recorded 3, judged again 2");
    assert!(
        found[3].starts_with("sentence: recorded 5xx 0.10% vs 0.10% of 3,000"),
        "{found:?}"
    );
    assert_eq!(found.len(), 4);

    let mut close = replay(&judgement).unwrap();
    close.log_e *= 1.0 + 1e-12;
    assert_eq!(
        differences(&judgement, &close),
        [],
        "the last digits differ between platforms"
    );
}
