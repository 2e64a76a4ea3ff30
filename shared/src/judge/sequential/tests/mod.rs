//! What follows from evidence, at each of its limits. Numbers were computed with the plain
//! implementation of the tests.

mod final_test;
mod setup;

use super::*;
use crate::judge::clean::SideCounts;
use crate::judge::comparison::Comparison;
use crate::judge::spec::Promotion;
use crate::judge::tally::Tally;

const HALF: f64 = 0.5;

/// A metric that promotes, and one that only warns.
fn specs() -> Vec<MetricSpec> {
    let health = MetricSpec {
        name: "health".to_owned(),
        label: "5xx".to_owned(),
        weight: HALF,
        tolerance: 1.1,
        floor: Some(1e-4),
        dispersion: 1.0,
        promotion: Some(Promotion {
            tolerance: 2.0,
            floor: Some(1e-3),
        }),
    };
    let warning = MetricSpec {
        name: "warning".to_owned(),
        label: "slow".to_owned(),
        tolerance: 1.0,
        floor: None,
        promotion: None,
        ..health.clone()
    };
    vec![health, warning]
}

fn config(min_minutes: u32, end: u32) -> JudgeConfig {
    JudgeConfig {
        min_minutes,
        end,
        ..JudgeConfig::default()
    }
}

fn reading(canary: (u64, u64), baseline: (u64, u64)) -> Reading {
    let side = |(requests, bad)| SideCounts {
        requests: Some(requests),
        bad: Some(bad),
    };

    Reading {
        canary: side(canary),
        baseline: side(baseline),
        canary_bad_promote: Some(canary.1),
    }
}

/// So many requests without an error that one minute of them promotes.
fn healthy() -> Reading {
    reading((10_000, 0), (90_000, 0))
}

/// A healthy minute of the first metric beside this many bad events of the warning one, of 100
/// beside 90 of 900.
fn doubtful(bad: u64) -> impl Fn(u32, usize) -> Reading {
    move |_, metric| {
        if metric == 0 {
            healthy()
        } else {
            reading((100, bad), (900, 90))
        }
    }
}

fn verdict_of(config: JudgeConfig, now: u32, read: impl Fn(u32, usize) -> Reading) -> Verdict {
    Judge::new(config, specs())
        .unwrap()
        .take_look(now, read)
        .unwrap()
}

fn resumed(progress: Progress) -> Result<Judge, SetupError> {
    Judge::resume(config(1, 30), specs(), progress)
}

fn reached(log_e: f64, metric: &str) -> Progress {
    let highest = Some(Peak {
        log_e,
        metric: metric.to_owned(),
        minute: 3,
    });

    Progress {
        v: PROGRESS_VERSION,
        skipped: [].into(),
        highest,
    }
}

#[test]
fn evidence_of_harm_above_an_even_bet_holds_a_promotion_up() {
    let decided = |bad| verdict_of(config(1, 30), 1, doubtful(bad));
    let promoted = decided(18);
    assert_eq!(
        (promoted.decision, promoted.reason.clone()),
        (Decision::Promote, Reason::NonInferior)
    );
    assert!(
        (promoted.log_e - 1.46_f64.ln()).abs() < 0.005,
        "{}",
        promoted.log_e
    );
    assert!(
        (promoted.log_e_promote - 7.177_287_441_814_307).abs() < 1e-9,
        "{}",
        promoted.log_e_promote
    );

    // 2.21, which is above 2, and 158.85, which is below 200: neither a promotion nor a rollback.
    for (bad, evidence) in [(19, 2.21_f64), (26, 158.85)] {
        let held = decided(bad);
        assert_eq!(
            (held.decision, held.reason.clone()),
            (Decision::Continue, Reason::Unsettled),
            "{bad}"
        );
        assert!((held.log_e - evidence.ln()).abs() < 0.005, "{}", held.log_e);
        assert!(
            held.log_e_promote > held.log_e_promote_limit,
            "health alone would promote"
        );
    }

    let harm = Reason::Harm {
        metric: "warning".to_owned(),
        minute: 1,
    };
    let harmed = decided(27);

    assert_eq!((harmed.decision, harmed.reason), (Decision::Rollback, harm));
}

#[test]
fn evidence_of_harm_that_reaches_its_limit_exactly_rolls_back() {
    let limit = -0.005_f64.ln();
    let decided = |log_e| {
        resumed(reached(log_e, "warning"))
            .unwrap()
            .take_look(4, |_, _| healthy())
            .unwrap()
    };
    let at = decided(limit);

    assert_eq!(
        at.reason,
        Reason::Harm {
            metric: "warning".to_owned(),
            minute: 3
        }
    );
    assert_eq!(
        (at.decision, at.highest_log_e, at.log_e_limit),
        (Decision::Rollback, Some(limit), limit)
    );
    assert_eq!(decided(limit - 1e-9).decision, Decision::Promote);
}

#[test]
fn the_numbers_beside_a_verdict_are_those_of_the_metric_that_decided() {
    let numbers = |metric: &str| {
        let mut judge = resumed(reached(100.0, metric)).unwrap();
        let Comparison { label, totals, .. } = judge.take_look(1, doubtful(12)).unwrap().comparison;
        (label, totals.canary, totals.baseline)
    };

    assert_eq!(
        numbers("health"),
        (
            "5xx".to_owned(),
            Tally::new(10_000, 0),
            Tally::new(90_000, 0)
        )
    );
    assert_eq!(
        numbers("warning"),
        ("slow".to_owned(), Tally::new(100, 12), Tally::new(900, 90))
    );

    let worst = verdict_of(config(1, 30), 1, doubtful(12)).comparison;
    assert_eq!(
        worst.label, "slow",
        "where nothing decided, it is the metric that looks worst"
    );
}

#[test]
fn evidence_that_was_reached_stays_the_highest() {
    let mut judge = Judge::new(config(1, 30), specs()).unwrap();
    let calm = |minute: u32, metric: usize| {
        if minute == 1 {
            doubtful(26)(minute, metric)
        } else {
            healthy()
        }
    };

    let first = judge.take_look(1, calm).unwrap();
    let second = judge.take_look(2, calm).unwrap();
    assert!(second.log_e < first.log_e);
    assert_eq!(second.highest_log_e, Some(first.log_e));

    let kept = judge.progress().highest.unwrap();
    assert_eq!(
        (kept.log_e, kept.metric.as_str(), kept.minute),
        (first.log_e, "warning", 1)
    );
}

#[test]
fn a_promotion_waits_for_the_minimum_of_minutes() {
    let mut judge = Judge::new(config(3, 30), specs()).unwrap();
    let decisions: Vec<(u32, Decision)> = (1..=3)
        .map(|now| judge.take_look(now, |_, _| healthy()).unwrap())
        .map(|verdict| (verdict.usable_minutes, verdict.decision))
        .collect();

    assert_eq!(
        decisions,
        [
            (1, Decision::Continue),
            (2, Decision::Continue),
            (3, Decision::Promote)
        ]
    );
}

#[test]
fn evidence_of_health_below_its_limit_does_not_promote() {
    let little = |_: u32, _: usize| reading((2_000, 0), (18_000, 0));
    let verdict = verdict_of(config(1, 30), 1, little);
    assert!(
        verdict.log_e_promote > 0.0 && verdict.log_e_promote < verdict.log_e_promote_limit,
        "{verdict:?}"
    );
    assert_eq!(verdict.decision, Decision::Continue);
    assert_eq!(
        (verdict.weakest.as_str(), verdict.log_e_promote_limit),
        ("health", -0.05_f64.ln())
    );
}

#[test]
fn each_promoting_metric_needs_its_minutes_and_a_warning_one_does_not() {
    let unknown_until = |metric: usize, known_from: u32| {
        move |minute: u32, index: usize| {
            if index == metric && minute < known_from {
                Reading::default()
            } else {
                healthy()
            }
        }
    };

    let mut both = specs();
    both[1].promotion = both[0].promotion;
    let mut judge = Judge::new(config(3, 30), both).unwrap();
    let verdict = judge.take_look(5, unknown_until(1, 5)).unwrap();

    // Minutes 3 and 4 of it are still waited for, so that minute 5 is not consumed either.
    assert_eq!(
        (verdict.usable_minutes, verdict.decision),
        (0, Decision::Continue)
    );

    let verdict = verdict_of(config(3, 30), 5, unknown_until(1, 5));
    assert_eq!(
        (verdict.usable_minutes, verdict.decision),
        (5, Decision::Promote)
    );
}
