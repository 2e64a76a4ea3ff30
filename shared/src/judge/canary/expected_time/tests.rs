//! The table of the defaults: minutes for 0, 0.2 % and 1 % errors.

use super::*;
use crate::judge::canary::answers::BadRule;
use crate::judge::canary::hour_before::Measured;

/// Log-normal response times with σ = 0.6: the shares above 1.25 times p90 and p99.
const LATENCY: [(f64, f64); 2] = [(0.1, 0.0490), (0.01, 0.0036)];

fn prior(requests_a_second: f64, errors: f64) -> HourBefore {
    let measured = |rate, rate_to_promote| Measured {
        phi: 1.0,
        one_by_one: true,
        rate,
        rate_to_promote,
    };
    HourBefore {
        rule: BadRule::Difference,
        requests_a_minute: Some(60.0 * requests_a_second),
        errors: measured(errors, errors),
        client_errors: measured(0.0, 0.0),
        latency: LATENCY.map(|(rate, lax)| measured(rate, lax)).to_vec(),
    }
}

fn expected(requests_a_second: f64, share: f64, errors: f64, steps: &[u32]) -> Option<f64> {
    let config = JudgeConfig {
        share: Some(share),
        steps: steps.to_vec(),
        ..JudgeConfig::default()
    };
    let families = Families::new(&config, 1, &[]);
    expected_minutes(&config, &families, &prior(requests_a_second, errors))
}

#[test]
fn the_time_shrinks_with_traffic_and_share() {
    let cases = [
        (100.0, 0.25, [8.0, 9.0, 8.0]),
        (100.0, 0.5, [8.0, 8.0, 8.0]),
        (1_000.0, 0.1, [8.0, 8.0, 8.0]),
    ];
    for (requests, share, minutes) in cases {
        let found = [0.0, 0.002, 0.01].map(|errors| expected(requests, share, errors, &[1]));
        assert_eq!(found, minutes.map(Some), "{requests} {share}");
    }
    let slow = expected(5.0, 0.1, 0.002, &[1]).unwrap();
    assert!((300.0..320.0).contains(&slow), "{slow}");
}

#[test]
fn minutes_before_the_last_share_are_added() {
    assert_eq!(expected(1_000.0, 0.25, 0.0, &[1, 9]), Some(16.0));
}

#[test]
fn without_a_share_or_an_hour_nothing_is_expected() {
    let config = JudgeConfig::default();
    let families = Families::new(&config, 2, &[]);
    assert_eq!(
        expected_minutes(&config, &families, &prior(100.0, 0.0)),
        None
    );
    assert_eq!(promoting(&config, &families, &prior(100.0, 0.0)).len(), 4);

    let with_share = JudgeConfig {
        share: Some(0.25),
        ..config
    };
    let unknown = HourBefore::unknown(2);
    assert_eq!(expected_minutes(&with_share, &families, &unknown), None);
}

#[test]
fn the_second_threshold_is_required_where_it_can_be_shown() {
    let required = |requests_a_second: f64| {
        let config = JudgeConfig {
            share: Some(0.1),
            ..JudgeConfig::default()
        };
        let families = Families::new(&config, 3, &[]);
        let mut prior = prior(requests_a_second, 0.0);
        prior.latency.push(prior.latency[1]);
        promoting(&config, &families, &prior)
    };
    assert!(required(100.0).contains(&Metric::Latency(1)));
    assert!(!required(5.0).contains(&Metric::Latency(1)));
    assert!(!required(1_000.0).contains(&Metric::Latency(2)));
}
