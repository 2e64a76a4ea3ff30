//! What the final test decides, and when.

use super::super::*;
use super::{config, doubtful, healthy, reading, verdict_of};

#[test]
fn the_final_test_is_made_at_the_declared_end_and_not_before() {
    // p = 0.00155, at most the metric's share of 0.0025; evidence of harm is 10.7 of 200.
    let early = verdict_of(config(1, 2), 1, doubtful(22));
    assert_eq!(
        (early.decision, early.reason),
        (Decision::Continue, Reason::Unsettled)
    );

    let end = verdict_of(config(1, 1), 1, doubtful(22));
    assert_eq!(end.decision, Decision::Rollback);

    let Reason::FinalTest { metric, p, limit } = end.reason else {
        panic!("{:?}", end.reason)
    };
    assert_eq!((metric.as_str(), limit), ("warning", 0.0025));
    assert!((p - 0.001_552_641_114_9).abs() < 1e-9, "{p}");
}

#[test]
fn metrics_share_the_error_rate_of_the_final_test() {
    // p = 0.00314 is below 0.005, and above the half of it that this metric has.
    let verdict = verdict_of(config(1, 1), 1, doubtful(21));
    assert_eq!(
        (verdict.decision, verdict.reason),
        (Decision::Inconclusive, Reason::EndOfBake)
    );
}

#[test]
fn one_or_two_bad_requests_do_not_fail_the_final_test() {
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
    assert_eq!(
        verdict_of(unlikely.clone(), 1, dead(2)).reason,
        Reason::EndOfBake
    );

    let three = verdict_of(unlikely, 1, dead(3));
    assert!(
        matches!(&three.reason, Reason::FinalTest { metric, .. } if metric == "health"),
        "{:?}",
        three.reason
    );
}

#[test]
fn evidence_during_the_bake_is_named_before_the_final_test() {
    let verdict = verdict_of(config(1, 1), 1, doubtful(40));
    assert_eq!(
        verdict.reason,
        Reason::Harm {
            metric: "warning".to_owned(),
            minute: 1
        }
    );
}
