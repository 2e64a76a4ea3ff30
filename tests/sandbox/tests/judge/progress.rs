//! What is kept between looks, and which metrics can be judged together.

use slipway::judge::clean::{Reading, SideCounts};
use slipway::judge::sequential::SetupError;
use slipway::judge::spec::MetricSpec;
use slipway::judge::tally::Tally;
use slipway::judge::{Decision, Judge, JudgeConfig, Reason};

fn reading(canary_bad: Option<u64>) -> Reading {
    let canary = SideCounts {
        requests: Some(600),
        bad: canary_bad,
    };
    Reading {
        canary,
        baseline: SideCounts {
            requests: Some(5400),
            bad: Some(5),
        },
        canary_bad_promote: canary_bad,
    }
}

fn errors() -> Vec<MetricSpec> {
    JudgeConfig::default().metrics(&[])
}

fn judge() -> Judge {
    Judge::new(JudgeConfig::default(), errors()).expect("the default metrics are valid")
}

#[test]
fn a_skipped_minute_stays_skipped_when_its_data_arrives() {
    let mut first = judge();
    let before = first
        .take_look(4, |minute, _| {
            reading(if minute == 1 { None } else { Some(1) })
        })
        .unwrap();

    assert_eq!(before.comparison.totals.canary, Tally::new(1800, 3));

    let stored = serde_json::to_string(&first.progress()).unwrap();
    assert!(
        stored.starts_with(r#"{"v":1,"skipped":{"errors":[[1,1]]},"highest":{"log_e":"#),
        "{stored}"
    );

    let mut again = Judge::resume(
        JudgeConfig::default(),
        errors(),
        serde_json::from_str(&stored).unwrap(),
    )
    .unwrap();

    // The missing minute turns out to have been terrible, which comes too late to count.
    let after = again
        .take_look(4, |minute, _| {
            reading(Some(if minute == 1 { 600 } else { 1 }))
        })
        .unwrap();
    assert_eq!(after, before);
}

#[test]
fn the_highest_evidence_stays_reached_when_data_fills_in() {
    let mut first = judge();
    let verdict = first.take_look(1, |_, _| reading(Some(30))).unwrap();
    assert_eq!(verdict.why().as_deref(), Some("errors"));

    let mut again = Judge::resume(JudgeConfig::default(), errors(), first.progress()).unwrap();
    let replayed = again.take_look(2, |_, _| reading(Some(0))).unwrap();
    assert_eq!(
        replayed.reason,
        Reason::Harm {
            metric: "errors".to_owned(),
            minute: 1
        }
    );
    assert!(
        replayed
            .to_string()
            .ends_with("certain at 1 in 200 after 1 min"),
        "{replayed}"
    );
}

#[test]
fn minutes_after_the_declared_end_do_not_count() {
    let mut judge = judge();
    let verdict = judge
        .take_look(35, |minute, _| {
            reading(Some(if minute <= 30 { 1 } else { 600 }))
        })
        .unwrap();
    assert_eq!(verdict.comparison.totals.canary, Tally::new(18_000, 30));
}

#[test]
fn two_bad_requests_are_no_ground_for_a_rollback() {
    let dead = |bad: u64| {
        let side = |requests, bad| SideCounts {
            requests: Some(requests),
            bad: Some(bad),
        };
        Reading {
            canary: side(bad, bad),
            baseline: side(10_000, 0),
            canary_bad_promote: Some(bad),
        }
    };
    assert_eq!(
        judge().take_look(1, |_, _| dead(2)).unwrap().decision,
        Decision::Continue
    );
    assert_eq!(
        judge().take_look(1, |_, _| dead(3)).unwrap().decision,
        Decision::Rollback
    );
}

#[test]
fn progress_of_other_metrics_is_refused() {
    let mut latency = Judge::new(
        JudgeConfig::default(),
        JudgeConfig::default().metrics(&[1.0, 2.0, 3.0, 4.5]),
    )
    .unwrap();
    latency.take_look(4, |_, _| Reading::default()).unwrap();
    let error = Judge::resume(JudgeConfig::default(), errors(), latency.progress()).unwrap_err();

    assert_eq!(
        error.to_string(),
        "progress names metric latency[0]; expected errors"
    );

    let mut progress = latency.progress();
    progress.v = 2;
    let error = Judge::resume(JudgeConfig::default(), errors(), progress).unwrap_err();
    assert_eq!(
        error.to_string(),
        "progress is of another version; start the judgement anew"
    );
}

#[test]
fn metrics_share_one_error_rate() {
    let change = |change: fn(&mut Vec<MetricSpec>)| {
        let mut metrics = errors();
        change(&mut metrics);
        Judge::new(JudgeConfig::default(), metrics).unwrap_err()
    };
    let custom = change(|metrics| {
        metrics.push(MetricSpec {
            name: "orders".to_owned(),
            weight: 0.5,
            ..metrics[0].clone()
        })
    });

    assert_eq!(
        custom.to_string(),
        "weights add up to 1.5, limit 1; lower one of errors, orders"
    );
    assert_eq!(
        change(|metrics| metrics.push(metrics[0].clone())),
        SetupError::SameName("errors".to_owned())
    );
    assert_eq!(
        change(|metrics| metrics[0].promotion = None),
        SetupError::NothingPromotes
    );

    let error = change(|metrics| metrics[0].dispersion = 0.5);
    assert_eq!(
        error.to_string(),
        "metric errors.dispersion: found 0.5; expected 1 or more"
    );
}
