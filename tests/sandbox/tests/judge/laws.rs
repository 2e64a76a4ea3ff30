//! Laws that hold for any traffic, tried on traffic that is drawn from seeds.

use fastrand::Rng;
use slipway::judge::clean::{Reading, Side};
use slipway::judge::kayenta::{Analysis, Label, RankTest, classify};
use slipway::judge::offline::judge_line;
use slipway::judge::{Decision, Judge, JudgeConfig, Progress, Reason, Verdict};

/// How many draws each law is tried on.
const SEEDS: u64 = 200;

const THRESHOLDS_MS: [f64; 4] = [150.0, 216.0, 404.0, 606.0];

/// Requests, bad ones among them, and how many minutes late they become visible on each side.
#[derive(Debug, Clone)]
struct Minute {
    canary: (u64, u64),
    baseline: (u64, u64),
    late: (u32, u32),
}

fn minute(random: &mut Rng) -> Minute {
    let mut side = |most: u64| {
        let requests = random.u64(0..most);
        (
            requests,
            random.u64(0..=(requests / 20).max(requests.min(1))),
        )
    };
    let (canary, baseline) = (side(400), side(3000));
    let mut late = || {
        if random.u8(0..5) == 0 {
            random.u32(1..6)
        } else {
            0
        }
    };
    Minute {
        canary,
        baseline,
        late: (late(), late()),
    }
}

fn traffic(random: &mut Rng) -> Vec<Minute> {
    let minutes = random.usize(1..30);
    (0..minutes).map(|_| minute(random)).collect()
}

/// Tries a law on many draws.
fn always(law: impl Fn(u64, &mut Rng)) {
    (0..SEEDS).for_each(|seed| law(seed, &mut Rng::with_seed(seed)));
}

fn read(minutes: &[Minute], minute: u32, metric: usize, now: u32) -> Reading {
    let Some(found) = minutes.get(minute as usize - 1) else {
        return Reading::default();
    };
    // Latency shares the counts of errors but arrives in time, so that the metrics fall out of step.
    let late = if metric == 0 { found.late } else { (0, 0) };
    let side = |(requests, bad): (u64, u64), late: u32| Side {
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
                .look(now, |minute, metric| read(minutes, minute, metric, now))
                .unwrap()
        })
        .collect()
}

/// A judge that is rebuilt before every look from stored progress says the same.
#[test]
fn a_rebuilt_judge_says_the_same() {
    always(|seed, random| {
        let minutes = traffic(random);
        let mut stored = serde_json::to_string(&judge(None).progress()).unwrap();
        for (index, expected) in run(&minutes).into_iter().enumerate() {
            let now = index as u32 + 1;
            let mut rebuilt = judge(Some(serde_json::from_str(&stored).unwrap()));
            let found = rebuilt
                .look(now, |minute, metric| read(&minutes, minute, metric, now))
                .unwrap();
            assert_eq!(found, expected, "seed {seed}");
            stored = serde_json::to_string(&rebuilt.progress()).unwrap();
        }
    });
}

/// Data that fills in after a look takes no rollback back.
#[test]
fn a_rollback_survives_data_that_fills_in() {
    let mut rollbacks = 0;
    for seed in 0..SEEDS {
        let minutes = traffic(&mut Rng::with_seed(seed));
        let (mut judge, mut rolled_back) = (judge(None), false);
        for now in 1..=minutes.len() as u32 {
            judge = Judge::resume(config(), config().metrics(&THRESHOLDS_MS), judge.progress())
                .unwrap();
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
            let verdict = judge.look(now, doubled).unwrap();
            assert!(
                !rolled_back || verdict.decision == Decision::Rollback,
                "seed {seed}"
            );
            rolled_back = matches!(verdict.reason, Reason::Harm { .. });
        }
        rollbacks += u32::from(rolled_back);
    }
    assert!(rollbacks > 0, "no draw ended in a rollback");
}

/// The highest evidence never falls.
#[test]
fn the_highest_evidence_never_falls() {
    always(|seed, random| {
        let verdicts = run(&traffic(random));
        let highest: Vec<f64> = verdicts
            .iter()
            .map(|v| v.highest_log_e.unwrap_or(f64::NEG_INFINITY))
            .collect();
        assert!(highest.is_sorted(), "seed {seed}: {highest:?}");
    });
}

/// One more bad canary request never lowers the evidence of harm, nor raises that of health.
#[test]
fn one_more_bad_request_is_never_better() {
    always(|seed, random| {
        let mut better = traffic(random);
        better.iter_mut().for_each(|minute| minute.late = (0, 0));
        let mut worse = better.clone();
        let changed = random.choice(&mut worse).unwrap();
        changed.canary.1 = changed.canary.0.min(changed.canary.1 + 1);
        for (worse, better) in run(&worse).iter().zip(run(&better)) {
            assert!(worse.log_e >= better.log_e - 1e-9, "seed {seed}");
            assert!(
                worse.log_e_promote <= better.log_e_promote + 1e-9,
                "seed {seed}"
            );
        }
    });
}

/// What is not visible yet does not count.
#[test]
fn the_future_does_not_count() {
    always(|seed, random| {
        let minutes = traffic(random);
        let cut = random.usize(1..=minutes.len());
        assert_eq!(run(&minutes[..cut]), run(&minutes)[..cut], "seed {seed}");
    });
}

/// The order of minutes and of fields in a line of JSON is of no account.
#[test]
fn the_order_of_a_line_is_of_no_account() {
    let render = |(index, m): (usize, &Minute), flip: bool| {
        let t = index + 1;
        let c = format!(r#""c":{{"n":{},"bad":{}}}"#, m.canary.0, m.canary.1);
        let b = format!(r#""b":{{"bad":{1},"n":{0}}}"#, m.baseline.0, m.baseline.1);
        if flip {
            format!(r#"{{{b},{c},"t":{t}}}"#)
        } else {
            format!(r#"{{"t":{t},{c},{b}}}"#)
        }
    };
    let line = |minutes: Vec<String>| {
        format!(
            r#"{{"v":1,"id":"a","config":{{}},"thresholds_ms":[],"minutes":[{}]}}"#,
            minutes.join(",")
        )
    };
    always(|seed, random| {
        let minutes = traffic(random);
        let ordered = minutes
            .iter()
            .enumerate()
            .map(|minute| render(minute, false))
            .collect();
        let mut other: Vec<String> = minutes
            .iter()
            .enumerate()
            .map(|minute| render(minute, true))
            .collect();
        random.shuffle(&mut other);
        assert_eq!(
            judge_line(&line(ordered)).unwrap(),
            judge_line(&line(other)).unwrap(),
            "seed {seed}"
        );
    });
}

fn samples(random: &mut Rng) -> Vec<f64> {
    let count = random.usize(5..40);
    let most = random.u32(2..500);
    (0..count).map(|_| f64::from(random.u32(0..most))).collect()
}

fn label(canary: &[f64], baseline: &[f64]) -> Label {
    classify(canary, baseline, &Analysis::default(), RankTest::KAYENTA).label
}

/// Kayenta's judge ignores the order of samples and the unit of a metric.
#[test]
fn order_and_unit_do_not_change_a_classification() {
    always(|seed, random| {
        let (mut canary, mut baseline) = (samples(random), samples(random));
        let expected = label(&canary, &baseline);
        random.shuffle(&mut canary);
        baseline.sort_by(f64::total_cmp);
        let unit = 2f64.powi(random.i32(-40..40));
        let scaled = |values: &[f64]| values.iter().map(|value| value * unit).collect::<Vec<_>>();
        assert_eq!(
            label(&scaled(&canary), &scaled(&baseline)),
            expected,
            "seed {seed}"
        );
    });
}

/// Swapping the sides turns High into Low, for no direction is favoured.
#[test]
fn the_sides_are_treated_alike() {
    always(|seed, random| {
        let (canary, baseline) = (samples(random), samples(random));
        let swapped = match label(&canary, &baseline) {
            Label::High => Label::Low,
            Label::Low => Label::High,
            other => other,
        };
        assert_eq!(label(&baseline, &canary), swapped, "seed {seed}");
    });
}
