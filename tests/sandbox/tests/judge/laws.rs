//! Laws that hold for any traffic, tried on traffic that proptest draws and shrinks.

use std::cell::Cell;
use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use slipway::judge::clean::{Reading, SideCounts};
use slipway::judge::kayenta::{Analysis, Label, RankTest, classify};
use slipway::judge::offline::judge_line;
use slipway::judge::{Decision, Judge, JudgeConfig, Progress, Reason, Verdict};

/// How many draws each law is tried on.
const CASES: u32 = 200;

const THRESHOLDS_MS: [f64; 4] = [150.0, 216.0, 404.0, 606.0];

/// Requests, bad ones among them, and how many minutes late they become visible on each side.
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

fn read(minutes: &[Minute], minute: u32, metric: usize, now: u32) -> Reading {
    let Some(found) = minutes.get(minute as usize - 1) else {
        return Reading::default();
    };

    // Latency shares the counts of errors but arrives in time, so that the metrics fall out of
    // step.
    let late = if metric == 0 { found.late } else { (0, 0) };
    let side = |(requests, bad): (u64, u64), late: u32| SideCounts {
        requests: Some(requests),
        bad: Some(bad).filter(|_| minute + late <= now),
    };
    let canary = side(found.canary, late.0);
    Reading {
        canary,
        baseline: side(found.baseline, late.1),
        canary_bad_promote: canary.bad,
    }
}

fn config() -> JudgeConfig {
    JudgeConfig {
        end: 25,
        ..JudgeConfig::default()
    }
}

fn judge(progress: Option<Progress>) -> Judge {
    let metrics = config().metrics(&THRESHOLDS_MS);
    match progress {
        Some(progress) => Judge::resume(config(), metrics, progress).unwrap(),
        None => Judge::new(config(), metrics).unwrap(),
    }
}

fn run(minutes: &[Minute]) -> Vec<Verdict> {
    let mut judge = judge(None);
    let looks = 1..=minutes.len() as u32;

    looks
        .map(|now| {
            judge
                .take_look(now, |minute, metric| read(minutes, minute, metric, now))
                .unwrap()
        })
        .collect()
}

/// A judge that is rebuilt before every look from stored progress reaches the same verdicts.
#[test]
fn a_rebuilt_judge_reaches_the_same_verdicts() {
    always(traffic(), |minutes| {
        let mut stored = serde_json::to_string(&judge(None).progress()).unwrap();
        for (index, expected) in run(&minutes).into_iter().enumerate() {
            let now = index as u32 + 1;
            let mut rebuilt = judge(Some(serde_json::from_str(&stored).unwrap()));
            let found = rebuilt
                .take_look(now, |minute, metric| read(&minutes, minute, metric, now))
                .unwrap();
            assert_eq!(found, expected);
            stored = serde_json::to_string(&rebuilt.progress()).unwrap();
        }
    });
}

/// Data that fills in after a look takes no rollback back.
#[test]
fn a_rollback_survives_data_that_fills_in() {
    let rollbacks = Cell::new(0);
    always(traffic(), |minutes| {
        let (mut judge, mut rolled_back) = (judge(None), false);
        for now in 1..=minutes.len() as u32 {
            let metrics = config().metrics(&THRESHOLDS_MS);
            judge = Judge::resume(config(), metrics, judge.progress()).unwrap();

            // Later looks see twice the baseline errors, as if they had been late.
            let doubled = |minute: u32, metric: usize| {
                let mut reading = read(&minutes, minute, metric, now);
                let most = reading.baseline.requests;
                reading.baseline.bad = reading
                    .baseline
                    .bad
                    .map(|bad| if minute < now { bad * 2 } else { bad })
                    .min(most);
                reading
            };
            let verdict = judge.take_look(now, doubled).unwrap();
            assert!(!rolled_back || verdict.decision == Decision::Rollback);
            rolled_back = matches!(verdict.reason, Reason::Harm { .. });
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
            .map(|v| v.highest_log_e.unwrap_or(f64::NEG_INFINITY))
            .collect();
        assert!(highest.is_sorted(), "{highest:?}");
    });
}

/// One more bad canary request never lowers the evidence of harm, nor raises that of health.
#[test]
fn one_more_bad_request_is_never_better() {
    always(
        (traffic(), any::<prop::sample::Index>()),
        |(minutes, at)| {
            let mut better = minutes;
            better.iter_mut().for_each(|minute| minute.late = (0, 0));
            let mut worse = better.clone();
            let changed = at.get_mut(&mut worse);
            changed.canary.1 = changed.canary.0.min(changed.canary.1 + 1);

            for (worse, better) in run(&worse).iter().zip(run(&better)) {
                assert!(worse.log_e >= better.log_e - 1e-9);
                assert!(worse.log_e_promote <= better.log_e_promote + 1e-9);
            }
        },
    );
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
    let c = format!(r#""c":{{"n":{},"bad":{}}}"#, canary.0, canary.1);
    let b = format!(r#""b":{{"bad":{1},"n":{0}}}"#, baseline.0, baseline.1);

    if flip {
        format!(r#"{{{b},{c},"t":{t}}}"#)
    } else {
        format!(r#"{{"t":{t},{c},{b}}}"#)
    }
}

fn line(minutes: &[String]) -> String {
    format!(
        r#"{{"v":1,"id":"a","config":{{}},"thresholds_ms":[],"minutes":[{}]}}"#,
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
