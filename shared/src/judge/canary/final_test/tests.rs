//! The test at the end of the bake.

use super::*;
use crate::judge::canary::config::JudgeConfig;
use crate::judge::canary::metric::Families;

fn p_value(place: usize, minutes: &[(u64, u64, u64, u64)]) -> f64 {
    let spec = Families::new(&JudgeConfig::default(), 3, &[]).judged[place];
    let mut totals = FinalTest::default();
    for (canary_requests, canary_bad, baseline_requests, baseline_bad) in minutes.iter().copied() {
        totals.absorb(
            &spec,
            &Counts {
                canary_requests,
                canary_bad,
                canary_bad_to_promote: canary_bad,
                baseline_requests,
                baseline_bad,
            },
        );
    }
    totals.p_value(&spec)
}

#[test]
fn the_tails_are_inclusive() {
    let cases = [
        // Latency is binomial: 6 or more of 9 at ½, 5 of 8, 4 of 6.
        (p_value(2, &[(1_000, 6, 1_000, 3)]), 0.253_906_25),
        (p_value(2, &[(1_000, 5, 1_000, 3)]), 0.363_281_25),
        (p_value(2, &[(1_000, 4, 1_000, 2)]), 0.343_75),
        // 5 of 9 exceed 4.5 by half an event only.
        (p_value(2, &[(1_000, 5, 1_000, 4)]), 1.0),
        // Errors are Poisson. Below the floor μ is ε·n_c = 1: 3 or more have 1 − 2.5/e.
        (
            p_value(0, &[(10_000, 3, 990_000, 0)]),
            1.0 - 2.5 / std::f64::consts::E,
        ),
        (p_value(0, &[(10_000, 1, 990_000, 0)]), 1.0),
        (p_value(0, &[]), 1.0),
    ];
    for (index, (found, expected)) in cases.into_iter().enumerate() {
        assert!(
            (found - expected).abs() < 1e-9,
            "{index}: {found} is not {expected}"
        );
    }
}

#[test]
fn what_is_expected_is_taken_minute_by_minute() {
    // One minute by the floor (μ = 1), one by the ratio (μ = 21·1.1/2.1 = 11).
    let found = p_value(0, &[(10_000, 1, 990_000, 0), (1_000, 20, 1_000, 1)]);
    let expected = Poisson::new(12.0).unwrap().sf(20);
    assert!((found - expected).abs() < 1e-12, "{found}");
}
