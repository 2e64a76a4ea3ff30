//! What a record holds, what is refused of one, and what its page says of each outcome.

use super::judgement::{StoredMinute, StoredReading, StoredSide};
use super::messages::words;
use super::table::{metric_row, minute_rows, quality_rows, setting_rows};
use super::*;
use crate::judge::clean::{Reading, Side};
use crate::judge::metric::MetricSpec;
use crate::judge::progress::{PROGRESS_VERSION, Peak};
use crate::judge::{Decision, JudgeConfig, Progress, Reason};

/// So many canary requests and bad ones beside 9,000 and 9 of the baseline.
fn reading(requests: u64, bad: u64) -> Reading {
    let side = |requests, bad| Side {
        requests: Some(requests),
        bad: Some(bad),
    };
    Reading {
        canary: side(requests, bad),
        baseline: side(9_000, 9),
        canary_bad_promote: Some(bad),
    }
}

fn config(end: u32) -> JudgeConfig {
    JudgeConfig {
        end,
        ..JudgeConfig::default()
    }
}

fn live(config: JudgeConfig, highest: Option<Peak>, now: u32) -> Live {
    let progress = Progress {
        v: PROGRESS_VERSION,
        skipped: [].into(),
        highest,
    };
    let metrics = config.metrics(&[]);
    Live {
        name: "shop".to_owned(),
        config,
        metrics,
        progress,
        now,
    }
}

fn judged(end: u32, now: u32, read: impl Fn(u32) -> Reading) -> Judgement {
    Judgement::from_live(live(config(end), None, now), |minute, _| read(minute)).unwrap()
}

/// Three healthy minutes of thirty.
fn undecided() -> Judgement {
    judged(30, 3, |_| reading(1_000, 1))
}

#[track_caller]
fn refusal(change: impl Fn(&mut Judgement)) -> String {
    let mut judgement = undecided();
    change(&mut judgement);
    Judgement::from_json(&judgement.to_json())
        .expect_err("it contradicts itself")
        .to_string()
}

#[test]
fn a_record_that_contradicts_itself_is_refused() {
    let whole = undecided();
    assert_eq!(Judgement::from_json(&whole.to_json()).unwrap(), whole);
    let harm = |metric: &str| Reason::Harm {
        metric: metric.to_owned(),
        minute: 1,
    };
    type Spoil<'a> = &'a dyn Fn(&mut Judgement);
    let refused: [(Spoil, &str); 16] = [
        (
            &|j| j.v = 2,
            "version 2, legal: 1; use the release that wrote it",
        ),
        (
            &|j| j.settings.tau = 0.5,
            "settings.tau: found 0.5; legal: 1 to 1000",
        ),
        (
            &|j| j.verdict.minute = 0,
            "verdict.minute is outside the bake",
        ),
        (
            &|j| j.verdict.minute = 21_601,
            "verdict.minute is outside the bake",
        ),
        (&|j| j.metrics.clear(), "metrics is empty"),
        (
            &|j| drop(j.minutes.pop()),
            "minutes do not reach to the verdict",
        ),
        (&|j| j.minutes.swap(0, 1), "minutes are not numbered from 1"),
        (
            &|j| j.minutes[1].readings.clear(),
            "minutes[].readings differ from metrics",
        ),
        (
            &|j| j.minutes[1].readings[0].used = Some(1),
            "minutes[].readings[].used is before its minute or after the verdict",
        ),
        (
            &|j| j.minutes[1].readings[0].used = Some(4),
            "minutes[].readings[].used is before its minute or after the verdict",
        ),
        (&|j| j.looks.swap(0, 1), "looks are not in order"),
        (&|j| j.looks[1].minute = 3, "looks are not in order"),
        (
            &|j| j.verdict.evidence.clear(),
            "looks[].evidence differs from metrics",
        ),
        (
            &|j| j.looks[0].reason = harm("p90"),
            "a reason names an unknown metric",
        ),
        (
            &|j| j.looks[0].weakest = "p90".to_owned(),
            "weakest is an unknown metric",
        ),
        (&|j| j.quality.clear(), "quality differs from metrics"),
    ];
    for (change, expected) in refused {
        assert_eq!(
            refusal(change),
            format!("failed to read the judgement: {expected}")
        );
    }
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
    let expected = Ending {
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
    again.reason = Reason::Exam {
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
        "reason: recorded not settled, judged again exam of errors, p 0.001 of 0.0025"
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

#[test]
fn each_minute_is_sorted_by_what_became_of_it() {
    let side = |n, bad| StoredSide { n, bad };
    let minute = |t, c, b, used| StoredMinute {
        t,
        readings: vec![StoredReading {
            c,
            b,
            promote: None,
            used,
        }],
    };
    let (full, other) = (side(Some(10), Some(1)), side(Some(90), Some(1)));
    let minutes = [
        minute(1, full, other, Some(1)),
        minute(2, full, other, Some(4)),
        minute(3, side(Some(10), None), other, None),
        minute(4, side(None, Some(1)), other, None),
        minute(5, full, side(Some(90), None), None),
        minute(6, side(Some(0), Some(0)), other, None),
        minute(7, full, side(Some(0), Some(0)), None),
        minute(8, full, other, None),
        minute(9, full, other, None),
        minute(10, side(None, None), other, None),
    ];
    let expected = Quality {
        metric: "errors".to_owned(),
        usable: 2,
        late: vec![2],
        missing: vec![3, 4, 5],
        idle: vec![6, 7],
        left_out: vec![8],
        waiting: vec![9, 10],
    };
    assert_eq!(Quality::of("errors", &minutes, 0, 8), expected);
}

#[test]
fn a_minute_that_did_not_count_is_in_no_total() {
    let mut judgement = judged(30, 6, |minute| match minute {
        2 => Reading {
            canary: Side {
                requests: Some(1_000),
                bad: None,
            },
            ..reading(0, 0)
        },
        3 => reading(0, 0),
        _ => reading(1_000, u64::from(minute)),
    });
    judgement.minutes[5].readings[0].used = None;
    let all = series::total(&judgement, 0);
    assert_eq!(
        (
            all.used,
            all.canary.requests,
            all.canary.bad,
            all.baseline.bad
        ),
        (3, 3_000, 10, 27)
    );
    let rows: Vec<(String, String, String)> = minute_rows(&judgement, 0)
        .into_iter()
        .map(|row| (row.minutes, row.canary, row.canary_rate))
        .collect();
    let row = |minutes: &str, canary: &str, rate: &str| {
        (minutes.to_owned(), canary.to_owned(), rate.to_owned())
    };
    assert_eq!(
        rows,
        [
            row("1", "1 / 1,000", "0.10%"),
            row("2", "–", "–"),
            row("3", "–", "–"),
            row("4", "4 / 1,000", "0.40%"),
            row("5", "5 / 1,000", "0.50%"),
            row("6", "–", "–"),
        ]
    );
}

#[test]
fn the_table_of_metrics_says_what_was_found_of_each() {
    let judgement = judged(30, 3, |_| reading(1_000, 1));
    let finding = |judgement: &Judgement, decisive| metric_row(judgement, 0, decisive).finding;
    assert_eq!(finding(&judgement, true), "worse than tolerated");
    assert_eq!(finding(&judgement, false), "not settled");
    let mut shown = judgement.clone();
    shown.verdict.evidence[0].health = Some(-0.05_f64.ln());
    assert_eq!(finding(&shown, false), "no worse than its bound");
    shown.verdict.evidence[0].health = Some(-0.05_f64.ln() - 1e-9);
    assert_eq!(finding(&shown, false), "not settled");
    shown.verdict.evidence[0].health = None;
    assert_eq!(finding(&shown, false), "no harm shown");
    let row = metric_row(&judgement, 0, false);
    assert_eq!(
        (row.name.as_str(), row.share.as_str(), row.ratio.as_str()),
        ("5xx", "100%", "1.0x")
    );
    assert_eq!(
        (row.limit.as_str(), row.bound.as_deref()),
        ("1.1x, if above 0.01%", Some("2x, if above 0.1%"))
    );
    assert_eq!(
        (row.canary.percent.as_str(), row.canary.counts.as_str()),
        ("0.10%", "3 of 3,000")
    );
    assert_eq!(
        (row.baseline.percent.as_str(), row.baseline.counts.as_str()),
        ("0.10%", "27 of 27,000")
    );
    assert_eq!(metric_row(&shown, 0, false).health, "not needed");
}

#[test]
fn minutes_that_did_not_count_are_listed_with_the_reason() {
    let judgement = judged(30, 6, |minute| match minute {
        1 => Reading {
            canary: Side {
                requests: Some(1_000),
                bad: None,
            },
            ..reading(0, 0)
        },
        2 => reading(0, 0),
        _ => reading(1_000, 1),
    });
    let rows = quality_rows(&judgement);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].names, ["5xx"]);
    let cells = &rows[0].cells;
    assert_eq!(
        (
            cells.usable.as_str(),
            cells.waiting.as_str(),
            cells.clumps.as_str()
        ),
        ("4 of 6", "none", "none")
    );
    assert_eq!(
        cells.skipped,
        ["1: value missing", "2: no requests on one side"]
    );
}

#[test]
fn a_setting_that_is_not_the_default_shows_the_default() {
    let rows = setting_rows(&JudgeConfig {
        tau: 1.3,
        end: 45,
        ..JudgeConfig::default()
    });
    let changed: Vec<(&str, &str, &str)> = rows
        .iter()
        .filter_map(|row| Some((row.name, row.value.as_str(), row.default.as_deref()?)))
        .collect();
    assert_eq!(changed, [("tau", "1.3", "1.1"), ("end", "45", "30")]);
    let values: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.name, row.value.as_str()))
        .collect();
    assert_eq!(
        values,
        [
            ("alpha", "0.005"),
            ("alpha_exam", "0.005"),
            ("alpha_promote", "0.05"),
            ("tau", "1.3"),
            ("eps", "0.0001"),
            ("tau_promote", "2"),
            ("eps_promote", "0.001"),
            ("w_errors", "0.5"),
            ("w_latency", "0.125"),
            ("dispersion_errors", "1"),
            ("dispersion_latency", "1"),
            ("min_bad", "3"),
            ("min_minutes", "5"),
            ("end", "45"),
        ]
    );
}

/// What the page says of a judgement whose verdict is changed so.
fn said(decision: Decision, reason: Reason) -> [String; 4] {
    let mut judgement = judged(30, 3, |_| reading(1_000, 1));
    judgement.verdict.decision = decision;
    judgement.verdict.reason = reason;
    judgement.verdict.log_e_promote = 2_f64.ln();
    let words = words(&judgement);
    [
        words.title.to_owned(),
        words.class.to_owned(),
        words.lead,
        words.meaning,
    ]
}

#[test]
fn each_outcome_has_its_words() {
    let metric = || "errors".to_owned();
    let cases = [
        (
            said(Decision::Continue, Reason::Unsettled),
            [
                "Continue",
                "continue",
                "Nothing is settled after 3 minutes.",
                "The canary is looked at again in a minute.",
            ],
        ),
        (
            said(
                Decision::Rollback,
                Reason::Harm {
                    metric: metric(),
                    minute: 1,
                },
            ),
            [
                "Roll back",
                "rollback",
                "Worse than tolerated, certain after 1 minute.",
                "A canary within tolerance is ever rolled back by this evidence at most once in 200 bakes, however \
                 often it is looked at.",
            ],
        ),
        (
            said(
                Decision::Rollback,
                Reason::Exam {
                    metric: metric(),
                    p: 0.0012,
                    limit: 0.005,
                },
            ),
            [
                "Roll back",
                "rollback",
                "Worse than tolerated, found by the exam after 3 minutes.",
                "The evidence did not reach its limit during the bake. The one exam at its declared end found this \
                 metric worse: a canary just within tolerance does as badly with a chance of 0.12%, and 0.50% is rare \
                 enough.",
            ],
        ),
        (
            said(Decision::Promote, Reason::NonInferior),
            [
                "Promote",
                "promote",
                "No worse than its bounds on every metric that counts, shown after 3 minutes.",
                "A canary beyond its bound on any metric that counts is promoted at most once in 20 bakes.",
            ],
        ),
        (
            said(Decision::Inconclusive, Reason::EndOfBake),
            [
                "Inconclusive",
                "inconclusive",
                "Neither harm nor health was shown in 3 minutes.",
                "This is not a pass: configuration says whether it holds for a person, rolls back or promotes. Least \
                 evidence of health: 5xx, 2.0 of 20.",
            ],
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn what_ended_a_judgement_is_its_title_and_its_lead() {
    let words = words(&undecided().with_ending(Decision::Rollback, "the alarm x went off"));
    assert_eq!(
        (words.title, words.class, words.lead.as_str()),
        ("Roll back", "rollback", "the alarm x went off")
    );
    assert_eq!(
        words.meaning,
        "The evidence below did not decide this. Nothing is settled after 3 minutes."
    );
}

#[test]
fn too_little_traffic_is_named_with_what_it_would_take() {
    // 5,161 requests without an error are enough, as they are at 1,000 a minute before the thirtieth minute.
    assert_eq!(words(&judged(30, 3, |_| reading(1_000, 0))).traffic, None);
    let thin = "Too little traffic: even without a single error, a promotion needs about 5,161 canary requests, about \
                9 hours at this rate; it had 30.";
    assert_eq!(
        words(&judged(30, 3, |_| reading(10, 0))).traffic.as_deref(),
        Some(thin)
    );
    let none = words(&judged(30, 3, |_| reading(0, 0))).traffic.unwrap();
    assert!(
        none.ends_with("needs about 5,161 canary requests; it had 0."),
        "{none}"
    );
    let mut decided = judged(30, 3, |_| reading(10, 0));
    decided.verdict.decision = Decision::Rollback;
    assert_eq!(words(&decided).traffic, None, "a verdict needs no excuse");
}

#[test]
fn twelve_metrics_are_drawn_and_the_others_counted() {
    let spec = config(3).metrics(&[]).remove(0);
    let metrics = |count: usize| -> Vec<MetricSpec> {
        let weight = 1.0 / count as f64;
        (0..count)
            .map(|index| MetricSpec {
                name: format!("m{index}"),
                weight,
                ..spec.clone()
            })
            .collect()
    };
    let charts = |count: usize| {
        let live = Live {
            metrics: metrics(count),
            ..live(config(3), None, 2)
        };
        let page = html(&Judgement::from_live(live, |_, _| reading(1_000, 1)).unwrap());
        let drawn = (0..count)
            .filter(|index| page.contains(&format!("\"t-rate-{index}\"")))
            .count();
        (
            drawn,
            page.contains("1 more metrics are in the table below."),
        )
    };
    assert_eq!([charts(12), charts(13)], [(12, false), (12, true)]);
}

#[test]
fn the_page_has_facts_notes_and_the_numbers_of_the_metric_that_decided() {
    let judgement = judged(30, 3, |_| reading(1_000, 100))
        .with_fact("Image", "web:2")
        .with_note("late by a minute");
    let page = html(&judgement);
    let shown = [
        "Image",
        "web:2",
        "late by a minute",
        "shop",
        "the metric that decided",
        "300 of 3,000",
        "27 of 27,000",
    ]
    .map(|text| page.contains(text));
    assert_eq!(shown, [true; 7]);
    assert!(html(&undecided()).contains("the metric that looks worst"));
}
