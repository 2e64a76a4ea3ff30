use super::super::clean::Side;
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
        canary: Side {
            requests: Some(10),
            bad,
        },
        baseline: Side {
            requests: Some(90),
            bad: Some(0),
        },
        canary_bad_promote: Some(0),
    }
}

#[test]
fn numbers_that_no_evidence_can_be_weighed_by_are_refused() {
    let checked = |change: &dyn Fn(&mut MetricSpec)| {
        let mut spec = spec();
        change(&mut spec);
        spec.check()
            .map_err(|error| error.to_string())
            .err()
            .unwrap_or_default()
    };
    let promotion = |tolerance, floor| {
        move |spec: &mut MetricSpec| spec.promotion = Some(Promotion { tolerance, floor })
    };
    type Spoil<'a> = &'a dyn Fn(&mut MetricSpec);
    let refused: [(Spoil, &str); 14] = [
        (
            &|spec| spec.weight = 0.0,
            "errors.weight: found 0; legal: above 0, at most 1",
        ),
        (
            &|spec| spec.weight = 1.01,
            "errors.weight: found 1.01; legal: above 0, at most 1",
        ),
        (
            &|spec| spec.weight = f64::NAN,
            "errors.weight: found NaN; legal: above 0, at most 1",
        ),
        (
            &|spec| spec.tolerance = 0.0,
            "errors.tolerance: found 0; legal: a ratio above 0",
        ),
        (
            &|spec| spec.tolerance = f64::INFINITY,
            "errors.tolerance: found inf; legal: a ratio above 0",
        ),
        (
            &|spec| spec.dispersion = 0.99,
            "errors.dispersion: found 0.99; legal: 1 or more",
        ),
        (
            &|spec| spec.dispersion = f64::INFINITY,
            "errors.dispersion: found inf; legal: 1 or more",
        ),
        (
            &|spec| spec.floor = Some(-0.01),
            "errors.floor: found -0.01; legal: 0 to 1",
        ),
        (
            &|spec| spec.floor = Some(1.01),
            "errors.floor: found 1.01; legal: 0 to 1",
        ),
        (
            &promotion(0.0, None),
            "errors.promotion.tolerance: found 0; legal: a ratio above 0",
        ),
        (
            &promotion(f64::NAN, None),
            "errors.promotion.tolerance: found NaN; legal: a ratio above 0",
        ),
        (
            &promotion(2.0, Some(1.5)),
            "errors.promotion.floor: found 1.5; legal: 0 to 1",
        ),
        (
            &promotion(2.0, Some(-1.0)),
            "errors.promotion.floor: found -1; legal: 0 to 1",
        ),
        (
            &promotion(-2.0, Some(2.0)),
            "errors.promotion.tolerance: found -2; legal: a ratio above 0",
        ),
    ];
    for (change, expected) in refused {
        assert_eq!(checked(change), expected);
    }
    let taken: [&dyn Fn(&mut MetricSpec); 5] = [
        &|_| (),
        &|spec| (spec.weight, spec.dispersion) = (1.0, 1.0),
        &|spec| (spec.floor, spec.promotion) = (None, None),
        &|spec| spec.floor = Some(0.0),
        &promotion(0.5, Some(1.0)),
    ];
    for change in taken {
        assert_eq!(checked(change), "");
    }
}

#[test]
fn minutes_are_consumed_in_order_up_to_the_first_that_may_still_arrive() {
    let mut metric = Metric::new(spec(), MinuteRanges::default());
    let late = |minute: u32| reading(if minute == 2 { None } else { Some(0) });
    metric.consume(4, 4, late).unwrap();
    assert_eq!(
        (metric.usable_minutes, metric.comparison.canary),
        (1, (10, 0))
    );
    assert!(metric.skipped.is_empty(), "minute 2 may still arrive");
    metric.consume(5, 5, late).unwrap();
    assert_eq!(
        (metric.usable_minutes, metric.comparison.canary),
        (4, (40, 0))
    );
    assert!(
        metric.skipped.contains(2) && !metric.skipped.contains(1) && !metric.skipped.contains(3)
    );
    // Each minute counts once, however often it is looked at, and minute 2 comes too late.
    metric.consume(5, 5, |_| reading(Some(10))).unwrap();
    assert_eq!(
        (metric.usable_minutes, metric.comparison.canary),
        (4, (40, 0))
    );
}

#[test]
fn a_skipped_minute_is_not_read() {
    let mut metric = Metric::new(spec(), serde_json::from_str("[[1,2]]").unwrap());
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
            metric.comparison.canary,
            metric.exam.canary_bad()
        ),
        (1, (10, 1), 1)
    );
}

#[test]
fn a_metric_that_does_not_promote_needs_no_measure_for_it_and_has_no_health() {
    let mut metric = Metric::new(
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
    let metric = Metric::new(spec(), MinuteRanges::default());
    assert_eq!(metric.log_weighted_harm(), 0.5_f64.ln());
}
