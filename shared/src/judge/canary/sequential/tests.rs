//! The judge from look to look.

use std::cell::Cell;

use super::*;
use crate::judge::canary::counts::{Counters, Minute};
use crate::judge::canary::hour_before::Measured;
use crate::judge::canary::values::{SeriesSpec, Worse};

fn side(requests: u64, bad: u64) -> Counters {
    Counters {
        requests: Some(requests),
        good: Some(requests - bad),
        server_errors: Some(bad),
        timed: Some(requests),
        ..Counters::default()
    }
}

fn arrived(canary_bad: u64, baseline_bad: u64) -> Arrived {
    Arrived {
        minute: Minute {
            canary: side(6_000, canary_bad),
            baseline: side(54_000, baseline_bad),
        },
        is_final: true,
    }
}

fn config(end: u32) -> JudgeConfig {
    JudgeConfig {
        end,
        ..JudgeConfig::default()
    }
}

fn judge(config: &JudgeConfig) -> Judge {
    resumed(config, Progress::default())
}

fn resumed(config: &JudgeConfig, progress: Progress) -> Judge {
    let setup = Setup {
        config: config.clone(),
        thresholds: 0,
        own: Vec::new(),
        prior: HourBefore::unknown(0),
    };
    Judge::new(setup, progress)
}

fn verdicts(config: &JudgeConfig, read: impl Fn(u32) -> Arrived) -> Vec<Verdict> {
    let mut judge = judge(config);
    let mut verdicts = Vec::new();
    for now in 1..=config.end {
        verdicts.push(judge.look(now, &read));
        if verdicts.last().unwrap().decision != Decision::Continue {
            break;
        }
    }
    verdicts
}

fn last(config: &JudgeConfig, read: impl Fn(u32) -> Arrived) -> (u32, Decision, Option<String>) {
    let verdicts = verdicts(config, read);
    let last = verdicts.last().unwrap();
    (last.minute, last.decision, last.reason.why())
}

#[test]
fn a_canary_without_errors_is_promoted_after_the_minimum_of_minutes() {
    let found = last(&config(30), |_| arrived(0, 0));
    assert_eq!(
        found,
        (5, Decision::Promote, Some("non-inferior".to_owned()))
    );
}

#[test]
fn a_canary_that_fails_everything_is_rolled_back_in_its_second_minute() {
    let found = last(&config(30), |_| arrived(6_000, 5));
    assert_eq!(found, (2, Decision::Rollback, Some("errors".to_owned())));
}

#[test]
fn two_bad_requests_are_no_reason_for_a_rollback() {
    let tiny = |_| Arrived {
        minute: Minute {
            canary: side(1, 1),
            baseline: side(100_000, 0),
        },
        is_final: true,
    };
    let verdicts = verdicts(&config(2), tiny);
    assert!(verdicts[1].log_e > 0.0 && verdicts[1].highest.is_none());
}

#[test]
fn the_highest_evidence_stays_reached() {
    let config = JudgeConfig {
        alpha: 0.5,
        ..config(30)
    };
    let mut judge = judge(&config);
    let read = |minute: u32| {
        if minute < 3 {
            arrived(300, 5)
        } else {
            arrived(0, 5)
        }
    };
    let late = judge.look(30, read);
    assert_eq!(late.decision, Decision::Rollback);
    assert!(late.log_e < late.highest.unwrap().log_e);
}

#[test]
fn without_data_a_bake_ends_inconclusive() {
    let nothing = |_| Arrived {
        minute: Minute::default(),
        is_final: true,
    };
    let found = last(&config(8), nothing);
    assert_eq!(
        found,
        (8, Decision::Inconclusive, Some("end of bake".to_owned()))
    );
}

#[test]
fn a_minute_that_is_not_final_holds_up_the_minutes_after_it() {
    let read = |minute: u32| Arrived {
        is_final: minute != 2,
        ..arrived(0, 0)
    };
    let usable: Vec<u32> = verdicts(&config(6), read)
        .iter()
        .map(|verdict| verdict.usable_minutes)
        .collect();
    assert_eq!(usable, [1, 1, 1, 1, 5]);
}

#[test]
fn a_promotion_waits_for_the_last_share_and_a_raise_does_not() {
    let config = JudgeConfig {
        steps: vec![1, 9],
        ..config(30)
    };
    let verdicts = verdicts(&config, |_| arrived(0, 0));
    let clear: Vec<u32> = verdicts
        .iter()
        .filter(|verdict| verdict.clear)
        .map(|verdict| verdict.minute)
        .collect();
    assert_eq!(clear, [5, 6, 7, 8, 13]);
    assert_eq!(verdicts.last().unwrap().minute, 13);
}

#[test]
fn a_series_of_values_objects_and_never_rolls_back() {
    let config = JudgeConfig {
        values: vec![SeriesSpec {
            name: "memory".to_owned(),
            worse: Worse::More,
            tolerance: SeriesSpec::TOLERANCE,
            least: 0.0,
        }],
        min_minutes: 8,
        ..config(20)
    };
    let read = |canary: f64| {
        move |_| {
            let mut arrived = arrived(0, 0);
            arrived.minute.canary.values = vec![Some(canary)];
            arrived.minute.baseline.values = vec![Some(100.0)];
            arrived
        }
    };
    let objected = Some("objection:memory".to_owned());
    assert_eq!(
        last(&config, read(130.0)),
        (20, Decision::Inconclusive, objected)
    );
    assert_eq!(last(&config, read(120.0)).1, Decision::Promote);
}

#[test]
fn a_look_that_comes_late_finds_what_earlier_ones_would_have() {
    let read = |minute: u32| arrived(if minute < 7 { 6 } else { 60 }, 54);
    let config = JudgeConfig {
        min_minutes: 30,
        ..config(30)
    };
    let by_minutes = verdicts(&config, read);
    let at_once = judge(&config).look(by_minutes.last().unwrap().minute, read);
    assert_eq!(by_minutes.last(), Some(&at_once));
    assert_eq!(at_once.decision, Decision::Rollback);
}

#[test]
fn a_skipped_minute_stays_skipped_and_the_highest_evidence_stays_reached() {
    let config = JudgeConfig {
        min_minutes: 30,
        ..config(30)
    };
    let unknown = |minute: u32| {
        let mut arrived = arrived(0, 5);
        if minute == 2 {
            arrived.minute.canary.requests = None;
        }
        arrived
    };
    let mut first = judge(&config);
    first.look(6, unknown);
    let progress = first.progress().clone();
    assert_eq!((progress.taken, progress.answers.contains(2)), (6, true));

    // Minute 2 is there now, and minutes 3 to 6 look better than they did.
    let mut second = resumed(&config, progress.clone());
    let verdict = second.look(6, |_| arrived(0, 5));
    assert_eq!((verdict.usable_minutes, second.progress()), (5, &progress));

    let peak = Peak {
        log_e: 9.0,
        metric: Metric::Errors,
        minute: 4,
    };
    let reached = Progress {
        highest: Some(peak),
        ..progress
    };
    let verdict = resumed(&config, reached).look(6, |_| arrived(0, 5));
    assert_eq!(verdict.reason, Reason::Harm(peak));
}

#[test]
fn little_traffic_shows_no_health() {
    let little = |_| Arrived {
        minute: Minute {
            canary: side(10, 0),
            baseline: side(90, 0),
        },
        is_final: true,
    };
    let ended = (8, Decision::Inconclusive, Some("end of bake".to_owned()));
    assert_eq!(last(&config(8), little), ended);
}

#[test]
fn a_promotion_goes_by_the_metric_that_shows_the_least_health() {
    let mut judge = judge(&config(30));
    let verdict = judge.look(3, |_| arrived(6, 54));
    let shown: Vec<f64> = judge.shown().map(|shown| shown.log_health).collect();
    assert_eq!(verdict.weakest, Metric::Errors);
    assert_eq!(verdict.log_e_promote, shown[0]);
    assert!(shown[0] < shown[1], "{shown:?}");
}

#[test]
fn the_final_test_holds_once_at_the_end_and_for_events_that_come_one_by_one() {
    // Evidence of harm is 71 after 20 minutes, where 200 would be enough.
    let at = |end, alpha_exam, one_by_one| {
        let config = JudgeConfig {
            alpha_exam,
            ..config(end)
        };
        let errors = Measured {
            one_by_one,
            ..Measured::UNKNOWN
        };
        let setup = Setup {
            config,
            thresholds: 0,
            own: Vec::new(),
            prior: HourBefore {
                errors,
                ..HourBefore::unknown(0)
            },
        };
        let verdict = Judge::new(setup, Progress::default()).look(20, |_| arrived(10, 60));
        (verdict.decision, verdict.reason.why())
    };

    let exam = Some("exam:errors".to_owned());
    assert_eq!(at(20, 0.005, true), (Decision::Rollback, exam));
    assert_eq!(at(30, 0.005, true), (Decision::Continue, None), "the end");
    let ended = (Decision::Inconclusive, Some("end of bake".to_owned()));
    assert_eq!(at(20, 0.005, false), ended, "they come in groups");
    assert_eq!(at(20, 0.0, true), ended, "no chance is spent on it");
}

/// A minute in which this many response times of the canary are slow, and 1 % of the baseline.
fn slow(canary: u64) -> Arrived {
    let mut arrived = arrived(0, 0);
    arrived.minute.canary.slow = vec![Some(canary)];
    arrived.minute.canary.slow_to_promote = vec![Some(canary)];
    arrived.minute.baseline.slow = vec![Some(540)];
    arrived
}

fn by_latency(latency: LatencyMode, progress: Progress) -> Judge {
    let setup = Setup {
        config: JudgeConfig {
            latency,
            ..config(20)
        },
        thresholds: 1,
        own: Vec::new(),
        prior: HourBefore::unknown(1),
    };
    Judge::new(setup, progress)
}

#[test]
fn watched_latency_objects_to_a_promotion_and_rolls_nothing_back() {
    let of = |canary: u64| {
        let mut judge = by_latency(LatencyMode::Watch, Progress::default());
        let verdict = judge.look(15, |_| slow(canary));
        (verdict.decision, verdict.objection)
    };
    assert_eq!(of(600), (Decision::Continue, Some(Objection::Latency)));
    assert_eq!(of(60), (Decision::Promote, None));
}

#[test]
fn response_times_that_were_left_out_stay_left_out() {
    let progress = Progress {
        taken: 6,
        latency: [(5, 5)].into_iter().collect(),
        ..Progress::default()
    };
    let mut judge = by_latency(LatencyMode::Judge, progress);
    // The warm-up has three minutes.
    assert_eq!(judge.look(8, |_| slow(60)).usable_minutes, 4);
}

#[test]
fn a_minute_that_an_earlier_judge_took_in_is_not_waited_for_again() {
    let progress = Progress {
        taken: 6,
        ..Progress::default()
    };
    let read = |minute: u32| Arrived {
        is_final: minute != 6,
        ..arrived(0, 0)
    };
    let mut judge = resumed(&config(30), progress);
    assert_eq!(judge.look(7, read).usable_minutes, 7);
}

#[test]
fn a_minute_is_read_once_however_many_came_before_it() {
    const MINUTES: u32 = 10_000;
    let config = JudgeConfig {
        min_minutes: MINUTES,
        ..config(MINUTES)
    };
    let reads = Cell::new(0);
    let verdicts = verdicts(&config, |_| {
        reads.set(reads.get() + 1);
        arrived(1, 9)
    });
    assert_eq!((verdicts.len(), reads.get()), (10_000, MINUTES));
    assert_eq!(verdicts[9_998].decision, Decision::Continue);
}
