use super::*;

pub(in crate::judge) fn comparison(
    canary: (u64, u64),
    baseline: (u64, u64),
    floor: Option<f64>,
    dispersion: f64,
) -> Comparison {
    let spec = MetricSpec {
        name: "errors".to_owned(),
        label: "5xx".to_owned(),
        weight: 1.0,
        tolerance: 1.1,
        floor,
        dispersion,
        promotion: None,
    };
    let mut comparison = Comparison::new(&spec);
    comparison.absorb(&Counts {
        canary_requests: canary.0,
        canary_bad: canary.1,
        canary_bad_promote: canary.1,
        baseline_requests: baseline.0,
        baseline_bad: baseline.1,
    });
    comparison
}

#[test]
fn a_comparison_names_what_there_is_to_compare() {
    let cases = [
        (
            comparison((100, 6), (10_000, 50), None, 1.04),
            "12.0x, limit 1.1x, overdispersion 1.0",
        ),
        (
            comparison((100, 6), (10_000, 50), None, 2.5),
            "12.0x, limit 1.1x, overdispersion 2.5",
        ),
        (
            comparison((100, 0), (10_000, 0), Some(1e-3), 1.0),
            "none on either side",
        ),
        (
            comparison((100, 6), (10_000, 0), Some(1e-3), 1.0),
            "none in the baseline, limit 0.10%",
        ),
        (
            comparison((100, 6), (10_000, 0), None, 1.0),
            "none in the baseline, limit 1.1x",
        ),
        (
            comparison((100, 0), (10_000, 50), None, 1.0),
            "0x, limit 1.1x",
        ),
    ];

    for (comparison, expected) in cases {
        let sentence = comparison.to_string();
        assert_eq!(
            sentence.split_once(" requests: ").map(|(_, rest)| rest),
            Some(expected),
            "{sentence}"
        );
    }
}
