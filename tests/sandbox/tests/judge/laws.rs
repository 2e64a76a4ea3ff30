//! Laws that hold for any traffic, tried on traffic that proptest draws and shrinks.

use std::cell::Cell;
use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use slipway::judge::canary::arrival::Arrived;
use slipway::judge::canary::counts::{Counters, Minute as Counted};
use slipway::judge::canary::hour_before::HourBefore;
use slipway::judge::canary::offline::judge_line;
use slipway::judge::kayenta::{Analysis, Label, RankTest, classify};
use slipway::judge::{Decision, Judge, JudgeConfig, Progress, Reason, Setup, Verdict};

/// How many draws each law is tried on.
const CASES: u32 = 200;

/// Latency thresholds. Their counts are those of errors.
const THRESHOLDS: usize = 3;

/// Requests, bad ones among them, and how many minutes late they become final on each side.
#[derive(Debug, Clone)]
struct Minute {
    canary: (u64, u64),
    baseline: (u64, u64),
    late: (u32, u32),
}

fn side(most: u64) -> impl Strategy<Value = (u64, u64)> {
    (0..most).prop_flat_map(|requests| {
        let most_bad = (requests / 20).max(requests.min(1));
        (Just(requests), 0..=most_bad)
    })
}

fn minute() -> impl Strategy<Value = Minute> {
    let late = || prop_oneof![4 => Just(0_u32), 1 => 1_u32..6];
    let drawn = (side(400), side(3_000), (late(), late()));
    drawn.prop_map(|(canary, baseline, late)| Minute {
        canary,
        baseline,
        late,
    })
}

fn traffic() -> impl Strategy<Value = Vec<Minute>> {
    prop::collection::vec(minute(), 1..30)
}

/// Tries a law on many draws: the same ones in every run, so that a failure can be repeated.
#[track_caller]
fn always<S: Strategy>(drawn: S, law: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, rng).run(&drawn, |value| {
        law(value);
        Ok(())
    });

    if let Err(failure) = result {
        panic!("{failure}");
    }
}

fn read(minutes: &[Minute], minute: u32, now: u32) -> Arrived {
    let Some(found) = minutes.get(minute as usize - 1) else {
        return Arrived {
            minute: Counted::default(),
            is_final: false,
        };
    };

    let side = |(requests, bad): (u64, u64), late: u32| {
        let is_there = minute + late <= now;
        Counters {
            requests: Some(requests),
            good: is_there.then_some(requests - bad),
            server_errors: is_there.then_some(bad),
            timed: Some(requests),
            slow: vec![Some(bad); THRESHOLDS],
            slow_to_promote: vec![Some(bad); THRESHOLDS],
            ..Counters::default()
        }
    };
    Arrived {
        minute: Counted {
            canary: side(found.canary, found.late.0),
            baseline: side(found.baseline, found.late.1),
        },
        is_final: minute + found.late.0.max(found.late.1) <= now,
    }
}

fn judge(progress: Progress) -> Judge {
    let setup = Setup {
        config: JudgeConfig {
            end: 25,
            ..JudgeConfig::default()
        },
        thresholds: THRESHOLDS,
        own: Vec::new(),
        prior: HourBefore::unknown(THRESHOLDS),
    };
    Judge::new(setup, progress)
}

fn run(minutes: &[Minute]) -> Vec<Verdict> {
    let mut judge = judge(Progress::default());
    let looks = 1..=minutes.len() as u32;
    looks
        .map(|now| judge.look(now, |minute| read(minutes, minute, now)))
        .collect()
}

/// A judge that is rebuilt before every look from stored progress reaches the same verdicts, where
/// what was read does not change.
#[test]
fn a_rebuilt_judge_reaches_the_same_verdicts() {
    always(traffic(), |mut minutes| {
        minutes.iter_mut().for_each(|minute| minute.late = (0, 0));
        let mut stored = serde_json::to_string(&Progress::default()).unwrap();
        for (index, expected) in run(&minutes).into_iter().enumerate() {
            let now = index as u32 + 1;
            let mut rebuilt = judge(serde_json::from_str(&stored).unwrap());
            let found = rebuilt.look(now, |minute| read(&minutes, minute, now));
            assert_eq!(found, expected);
            stored = serde_json::to_string(rebuilt.progress()).unwrap();
        }
    });
}

/// Data that fills in after a look takes no rollback back.
#[test]
fn a_rollback_survives_data_that_fills_in() {
    let rollbacks = Cell::new(0);
    always(traffic(), |minutes| {
        let (mut progress, mut rolled_back) = (Progress::default(), false);
        for now in 1..=minutes.len() as u32 {
            // Later looks see twice the baseline errors, as if they had been late.
            let doubled = |minute: u32| {
                let mut arrived = read(&minutes, minute, now);
                let baseline = &mut arrived.minute.baseline;
                if minute < now {
                    let most = baseline.requests.unwrap_or(0);
                    baseline.server_errors = baseline.server_errors.map(|bad| (bad * 2).min(most));
                }
                arrived
            };
            let mut judge = judge(progress.clone());
            let verdict = judge.look(now, doubled);
            assert!(!rolled_back || verdict.decision == Decision::Rollback);
            rolled_back = matches!(verdict.reason, Reason::Harm(_));
            progress = judge.progress().clone();
        }
        rollbacks.set(rollbacks.get() + u32::from(rolled_back));
    });

    assert!(rollbacks.get() > 0, "no draw ended in a rollback");
}

/// The highest evidence never falls.
#[test]
fn the_highest_evidence_never_falls() {
    always(traffic(), |minutes| {
        let verdicts = run(&minutes);
        let highest: Vec<f64> = verdicts
            .iter()
            .map(|v| v.highest.map_or(f64::NEG_INFINITY, |peak| peak.log_e))
            .collect();
        assert!(highest.is_sorted(), "{highest:?}");
    });
}

/// What is not visible yet does not count.
#[test]
fn the_future_does_not_count() {
    always(
        (traffic(), any::<prop::sample::Index>()),
        |(minutes, at)| {
            let cut = 1 + at.index(minutes.len());
            assert_eq!(run(&minutes[..cut]), run(&minutes)[..cut]);
        },
    );
}

fn rendered(index: usize, minute: &Minute, flip: bool) -> String {
    let t = index + 1;
    let (canary, baseline) = (minute.canary, minute.baseline);
    let c = format!(r#""c":{{"n":{},"r5":{}}}"#, canary.0, canary.1);
    let b = format!(r#""b":{{"r5":{1},"n":{0}}}"#, baseline.0, baseline.1);

    if flip {
        format!(r#"{{{b},{c},"t":{t}}}"#)
    } else {
        format!(r#"{{"t":{t},{c},{b}}}"#)
    }
}

fn line(minutes: &[String]) -> String {
    format!(
        r#"{{"v":2,"id":"a","config":{{}},"thresholds_ms":[],"minutes":[{}]}}"#,
        minutes.join(",")
    )
}

/// The order of minutes and of fields in a line of JSON does not matter.
#[test]
fn the_order_of_a_line_does_not_matter() {
    let minutes_in_two_orders = traffic().prop_flat_map(|minutes| {
        let flipped: Vec<String> = minutes
            .iter()
            .enumerate()
            .map(|(index, minute)| rendered(index, minute, true))
            .collect();
        (Just(minutes), Just(flipped).prop_shuffle())
    });
    always(minutes_in_two_orders, |(minutes, other)| {
        let ordered: Vec<String> = minutes
            .iter()
            .enumerate()
            .map(|(index, minute)| rendered(index, minute, false))
            .collect();
        assert_eq!(
            judge_line(&line(&ordered)).unwrap(),
            judge_line(&line(&other)).unwrap()
        );
    });
}

fn samples() -> impl Strategy<Value = Vec<f64>> {
    (2_u32..500).prop_flat_map(|most| prop::collection::vec((0..most).prop_map(f64::from), 5..40))
}

fn label(canary: &[f64], baseline: &[f64]) -> Label {
    classify(canary, baseline, &Analysis::default(), RankTest::KAYENTA).label
}

/// Kayenta's judge ignores the order of samples and the unit of a metric.
#[test]
fn order_and_unit_do_not_change_a_classification() {
    let shuffled =
        samples().prop_flat_map(|values| (Just(values.clone()), Just(values).prop_shuffle()));
    always(
        (shuffled, samples(), -40..40),
        |((canary, shuffled), baseline, power)| {
            let mut sorted = baseline.clone();
            sorted.sort_by(f64::total_cmp);
            let unit = 2f64.powi(power);
            let scaled =
                |values: &[f64]| values.iter().map(|value| value * unit).collect::<Vec<_>>();

            assert_eq!(
                label(&scaled(&shuffled), &scaled(&sorted)),
                label(&canary, &baseline)
            );
        },
    );
}

/// Swapping the sides turns High into Low, because no direction is favoured.
#[test]
fn the_sides_are_treated_alike() {
    always((samples(), samples()), |(canary, baseline)| {
        let swapped = match label(&canary, &baseline) {
            Label::High => Label::Low,
            Label::Low => Label::High,
            other => other,
        };
        assert_eq!(label(&baseline, &canary), swapped);
    });
}
