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

#[test]
fn numbers_that_evidence_cannot_be_weighed_by_are_refused() {
    let checked = |change: &dyn Fn(&mut MetricSpec)| {
        let mut spec = spec();
        change(&mut spec);
        spec.validate()
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
            "errors.weight: found 0; expected above 0, at most 1",
        ),
        (
            &|spec| spec.weight = 1.01,
            "errors.weight: found 1.01; expected above 0, at most 1",
        ),
        (
            &|spec| spec.weight = f64::NAN,
            "errors.weight: found NaN; expected above 0, at most 1",
        ),
        (
            &|spec| spec.tolerance = 0.0,
            "errors.tolerance: found 0; expected a ratio above 0",
        ),
        (
            &|spec| spec.tolerance = f64::INFINITY,
            "errors.tolerance: found inf; expected a ratio above 0",
        ),
        (
            &|spec| spec.dispersion = 0.99,
            "errors.dispersion: found 0.99; expected 1 or more",
        ),
        (
            &|spec| spec.dispersion = f64::INFINITY,
            "errors.dispersion: found inf; expected 1 or more",
        ),
        (
            &|spec| spec.floor = Some(-0.01),
            "errors.floor: found -0.01; expected 0 to 1",
        ),
        (
            &|spec| spec.floor = Some(1.01),
            "errors.floor: found 1.01; expected 0 to 1",
        ),
        (
            &promotion(0.0, None),
            "errors.promotion.tolerance: found 0; expected a ratio above 0",
        ),
        (
            &promotion(f64::NAN, None),
            "errors.promotion.tolerance: found NaN; expected a ratio above 0",
        ),
        (
            &promotion(2.0, Some(1.5)),
            "errors.promotion.floor: found 1.5; expected 0 to 1",
        ),
        (
            &promotion(2.0, Some(-1.0)),
            "errors.promotion.floor: found -1; expected 0 to 1",
        ),
        (
            &promotion(-2.0, Some(2.0)),
            "errors.promotion.tolerance: found -2; expected a ratio above 0",
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
