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

/// The refusal of the metric with one change; empty where it is accepted.
fn refusal(change: impl Fn(&mut MetricSpec)) -> String {
    let mut spec = spec();
    change(&mut spec);
    spec.validate()
        .map_err(|error| error.to_string())
        .err()
        .unwrap_or_default()
}

fn promotion(tolerance: f64, floor: Option<f64>) -> impl Fn(&mut MetricSpec) {
    move |spec| spec.promotion = Some(Promotion { tolerance, floor })
}

#[test]
fn numbers_that_evidence_cannot_be_weighed_by_are_refused() {
    type Spoil = fn(&mut MetricSpec);
    let refused: [(Spoil, &str); 9] = [
        (
            |spec| spec.weight = 0.0,
            "errors.weight: found 0; expected above 0, at most 1",
        ),
        (
            |spec| spec.weight = 1.01,
            "errors.weight: found 1.01; expected above 0, at most 1",
        ),
        (
            |spec| spec.weight = f64::NAN,
            "errors.weight: found NaN; expected above 0, at most 1",
        ),
        (
            |spec| spec.tolerance = 0.0,
            "errors.tolerance: found 0; expected a ratio above 0",
        ),
        (
            |spec| spec.tolerance = f64::INFINITY,
            "errors.tolerance: found inf; expected a ratio above 0",
        ),
        (
            |spec| spec.dispersion = 0.99,
            "errors.dispersion: found 0.99; expected 1 or more",
        ),
        (
            |spec| spec.dispersion = f64::INFINITY,
            "errors.dispersion: found inf; expected 1 or more",
        ),
        (
            |spec| spec.floor = Some(-0.01),
            "errors.floor: found -0.01; expected 0 to 1",
        ),
        (
            |spec| spec.floor = Some(1.01),
            "errors.floor: found 1.01; expected 0 to 1",
        ),
    ];

    for (change, expected) in refused {
        assert_eq!(refusal(change), expected);
    }
}

#[test]
fn bounds_of_a_promotion_that_evidence_cannot_be_weighed_by_are_refused() {
    let refused = [
        (
            promotion(0.0, None),
            "errors.promotion.tolerance: found 0; expected a ratio above 0",
        ),
        (
            promotion(f64::NAN, None),
            "errors.promotion.tolerance: found NaN; expected a ratio above 0",
        ),
        (
            promotion(2.0, Some(1.5)),
            "errors.promotion.floor: found 1.5; expected 0 to 1",
        ),
        (
            promotion(2.0, Some(-1.0)),
            "errors.promotion.floor: found -1; expected 0 to 1",
        ),
        (
            promotion(-2.0, Some(2.0)),
            "errors.promotion.tolerance: found -2; expected a ratio above 0",
        ),
    ];

    for (change, expected) in refused {
        assert_eq!(refusal(change), expected);
    }
}

#[test]
fn numbers_at_their_limits_are_accepted() {
    let at_limits = |spec: &mut MetricSpec| {
        spec.weight = 1.0;
        spec.dispersion = 1.0;
    };
    let without_bounds = |spec: &mut MetricSpec| {
        spec.floor = None;
        spec.promotion = None;
    };

    assert_eq!(refusal(|_| ()), "");
    assert_eq!(refusal(at_limits), "");
    assert_eq!(refusal(without_bounds), "");
    assert_eq!(refusal(|spec| spec.floor = Some(0.0)), "");
    assert_eq!(refusal(promotion(0.5, Some(1.0))), "");
}
