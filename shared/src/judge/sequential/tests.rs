//! What follows from evidence, at each of its limits. Numbers were computed with the plain implementation of the tests.

use super::*;
use crate::judge::clean::Side;
use crate::judge::metric::Promotion;
use crate::judge::verdict::Comparison;

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
    let side = |(requests, bad)| Side {
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

/// A healthy minute of the first metric beside so many bad events of the warning one, of 100 beside 90 of 900.
fn doubtful(bad: u64) -> impl Fn(u32, usize) -> Reading {
    move |_, metric| {
        if metric == 0 {
            healthy()
        } else {
            reading((100, bad), (900, 90))
        }
    }
}

fn look(config: JudgeConfig, now: u32, read: impl Fn(u32, usize) -> Reading) -> Verdict {
    Judge::new(config, specs())
        .unwrap()
        .look(now, read)
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
    let decided = |bad| look(config(1, 30), 1, doubtful(bad));
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
            .look(4, |_, _| healthy())
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
        let Comparison {
            label,
            canary,
            baseline,
            ..
        } = judge.look(1, doubtful(12)).unwrap().comparison;
        (label, canary, baseline)
    };
    assert_eq!(
        numbers("health"),
        ("5xx".to_owned(), (10_000, 0), (90_000, 0))
    );
    assert_eq!(
        numbers("warning"),
        ("slow".to_owned(), (100, 12), (900, 90))
    );
    let worst = look(config(1, 30), 1, doubtful(12)).comparison;
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
    let first = judge.look(1, calm).unwrap();
    let second = judge.look(2, calm).unwrap();
    assert!(second.log_e < first.log_e);
    assert_eq!(second.highest_log_e, Some(first.log_e));
    let kept = judge.progress().highest.unwrap();
    assert_eq!(
        (kept.log_e, kept.metric.as_str(), kept.minute),
        (first.log_e, "warning", 1)
    );
}

#[test]
fn a_promotion_waits_for_the_minutes_that_are_asked_for() {
    let mut judge = Judge::new(config(3, 30), specs()).unwrap();
    let decisions: Vec<(u32, Decision)> = (1..=3)
        .map(|now| judge.look(now, |_, _| healthy()).unwrap())
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
    let verdict = look(config(1, 30), 1, little);
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
        move |minute: u32, asked: usize| {
            if asked == metric && minute < known_from {
                Reading::default()
            } else {
                healthy()
            }
        }
    };
    let mut both = specs();
    both[1].promotion = both[0].promotion;
    let mut judge = Judge::new(config(3, 30), both).unwrap();
    let verdict = judge.look(5, unknown_until(1, 5)).unwrap();
    // Minutes 3 and 4 of it are still waited for, so that minute 5 is not consumed either.
    assert_eq!(
        (verdict.usable_minutes, verdict.decision),
        (0, Decision::Continue)
    );
    let verdict = look(config(3, 30), 5, unknown_until(1, 5));
    assert_eq!(
        (verdict.usable_minutes, verdict.decision),
        (5, Decision::Promote)
    );
}

#[test]
fn the_exam_is_taken_at_the_declared_end_and_not_before() {
    // p = 0.00155, at most the metric's share of 0.0025; evidence of harm is 10.7 of 200.
    let early = look(config(1, 2), 1, doubtful(22));
    assert_eq!(
        (early.decision, early.reason),
        (Decision::Continue, Reason::Unsettled)
    );
    let end = look(config(1, 1), 1, doubtful(22));
    assert_eq!(end.decision, Decision::Rollback);
    let Reason::Exam { metric, p, limit } = end.reason else {
        panic!("{:?}", end.reason)
    };
    assert_eq!((metric.as_str(), limit), ("warning", 0.0025));
    assert!((p - 0.001_552_641_114_9).abs() < 1e-9, "{p}");
}

#[test]
fn metrics_share_the_error_rate_of_the_exam() {
    // p = 0.00314 is below 0.005, and above the half of it that this metric has.
    let verdict = look(config(1, 1), 1, doubtful(21));
    assert_eq!(
        (verdict.decision, verdict.reason),
        (Decision::Inconclusive, Reason::EndOfBake)
    );
}

#[test]
fn one_or_two_bad_requests_fail_no_exam() {
    let dead = |bad: u64| {
        move |_: u32, metric: usize| {
            if metric == 0 {
                reading((10, bad), (1_000_000, 0))
            } else {
                healthy()
            }
        }
    };
    let unlikely = JudgeConfig {
        alpha: 1e-12,
        ..config(1, 1)
    };
    assert_eq!(look(unlikely.clone(), 1, dead(2)).reason, Reason::EndOfBake);
    let three = look(unlikely, 1, dead(3));
    assert!(
        matches!(&three.reason, Reason::Exam { metric, .. } if metric == "health"),
        "{:?}",
        three.reason
    );
}

#[test]
fn evidence_during_the_bake_is_named_before_the_exam() {
    let verdict = look(config(1, 1), 1, doubtful(40));
    assert_eq!(
        verdict.reason,
        Reason::Harm {
            metric: "warning".to_owned(),
            minute: 1
        }
    );
}

#[test]
fn the_last_of_the_excluded_minutes_does_not_count_and_the_next_does() {
    let mut judge = Judge::new(config(1, 30), specs()).unwrap();
    judge.exclude(2, 3);
    let verdict = judge
        .look(5, |minute, _| {
            reading((10, 0), (100 * u64::from(minute), 0))
        })
        .unwrap();
    assert_eq!(
        (verdict.usable_minutes, verdict.comparison.baseline),
        (3, (1_000, 0)),
        "minutes 1, 4 and 5"
    );
    let skipped = serde_json::to_string(&judge.progress().skipped).unwrap();
    assert_eq!(skipped, r#"{"health":[[2,3]],"warning":[[2,3]]}"#);
}

#[test]
fn a_minute_that_is_excluded_twice_is_excluded_once() {
    let mut judge = Judge::new(config(1, 30), specs()).unwrap();
    judge.exclude(1, 3);
    judge.exclude(2, 4);
    let skipped = serde_json::to_string(&judge.progress().skipped).unwrap();
    assert_eq!(skipped, r#"{"health":[[1,4]],"warning":[[1,4]]}"#);
}

#[test]
fn damaged_progress_is_refused() {
    let skipped = |ranges: &str| Progress {
        skipped: [("health".to_owned(), serde_json::from_str(ranges).unwrap())].into(),
        highest: None,
        ..reached(0.0, "health")
    };
    assert!(resumed(skipped("[[1,2],[4,4]]")).is_ok());
    let unordered = SetupError::BadProgress("has skipped minutes out of order");
    for ranges in ["[[4,4],[1,2]]", "[[1,2],[2,3]]", "[[3,1]]"] {
        assert_eq!(resumed(skipped(ranges)).unwrap_err(), unordered, "{ranges}");
    }
    let other = Progress {
        v: PROGRESS_VERSION + 1,
        ..reached(1.0, "health")
    };
    assert_eq!(
        resumed(other).unwrap_err(),
        SetupError::BadProgress("is of another version")
    );
    let stranger = SetupError::UnknownMetric {
        found: "p90".to_owned(),
        legal: "health, warning".to_owned(),
    };
    assert_eq!(resumed(reached(1.0, "p90")).unwrap_err(), stranger);
}

#[test]
fn metrics_that_cannot_be_judged_together_are_refused() {
    let refused = |change: fn(&mut Vec<MetricSpec>)| {
        let mut specs = specs();
        change(&mut specs);
        Judge::new(config(1, 30), specs).map(|_| ()).unwrap_err()
    };
    assert_eq!(
        refused(|specs| specs[1].name = "health".to_owned()),
        SetupError::SameName("health".to_owned())
    );
    assert_eq!(
        refused(|specs| specs[0].promotion = None),
        SetupError::NothingPromotes
    );
    let weights = refused(|specs| specs[1].weight = 0.500_001);
    assert!(
        matches!(&weights, SetupError::Weights { names, .. } if names == "health, warning"),
        "{weights}"
    );
    let thirds =
        |specs: &mut Vec<MetricSpec>| specs.iter_mut().for_each(|spec| spec.weight = 0.5 + 4e-10);
    let mut specs = specs();
    thirds(&mut specs);
    assert!(
        Judge::new(config(1, 30), specs).is_ok(),
        "the rest of a rounded share"
    );
}
