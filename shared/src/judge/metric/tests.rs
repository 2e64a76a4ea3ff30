use super::super::clean::SideCounts;
use super::super::spec::Promotion;
use super::super::tally::Tally;
use super::*;

fn spec() -> MetricSpec {
    MetricSpec {
        name: "errors".to_owned(),
        label: "5xx".to_owned(),
        weight: 0.5,
        tolerance: 1.1,
        floor: Some(1e-4),
        dispersion: 1.0,
        promotion: Some(Promotion {
            tolerance: 2.0,
            floor: Some(1e-3),
        }),
    }
}

fn reading(bad: Option<u64>) -> Reading {
    Reading {
        canary: SideCounts {
            requests: Some(10),
            bad,
        },
        baseline: SideCounts {
            requests: Some(90),
            bad: Some(0),
        },
        canary_bad_promote: Some(0),
    }
}

#[test]
fn minutes_are_consumed_in_order_up_to_the_first_that_may_still_arrive() {
    let mut metric = JudgedMetric::new(spec(), MinuteRanges::default());
    let late = |minute: u32| reading(if minute == 2 { None } else { Some(0) });
    metric.consume(4, 4, late).unwrap();

    assert_eq!(
        (metric.usable_minutes, metric.comparison.totals.canary),
        (1, Tally::new(10, 0))
    );
    assert!(metric.skipped.is_empty(), "minute 2 may still arrive");

    metric.consume(5, 5, late).unwrap();
    assert_eq!(
        (metric.usable_minutes, metric.comparison.totals.canary),
        (4, Tally::new(40, 0))
    );
    assert!(
        metric.skipped.contains(2) && !metric.skipped.contains(1) && !metric.skipped.contains(3)
    );

    // Each minute counts once, however often it is looked at, and minute 2 comes too late.
    metric.consume(5, 5, |_| reading(Some(10))).unwrap();
    assert_eq!(
        (metric.usable_minutes, metric.comparison.totals.canary),
        (4, Tally::new(40, 0))
    );
}

#[test]
fn a_skipped_minute_is_not_read() {
    let mut metric = JudgedMetric::new(spec(), serde_json::from_str("[[1,2]]").unwrap());
    metric
        .consume(3, 9, |minute| {
            if minute == 3 {
                reading(Some(1))
            } else {
                reading(Some(10))
            }
        })
        .unwrap();

    assert_eq!(
        (
            metric.usable_minutes,
            metric.comparison.totals.canary,
            metric.final_test.canary_bad()
        ),
        (1, Tally::new(10, 1), 1)
    );
}

#[test]
fn a_metric_that_does_not_promote_needs_no_measure_for_it_and_has_no_health() {
    let mut metric = JudgedMetric::new(
        MetricSpec {
            promotion: None,
            ..spec()
        },
        MinuteRanges::default(),
    );
    metric
        .consume(1, 1, |_| Reading {
            canary_bad_promote: None,
            ..reading(Some(0))
        })
        .unwrap();

    assert_eq!((metric.usable_minutes, metric.log_health()), (1, None));
}

#[test]
fn evidence_of_a_metric_counts_by_its_weight() {
    let metric = JudgedMetric::new(spec(), MinuteRanges::default());
    assert_eq!(metric.log_weighted_harm(), 0.5_f64.ln());
}
