//! The overdispersion of events by zones and by pairs of minutes.

use super::*;

fn unit(parts: &[(u64, u64)]) -> Vec<Part> {
    let part = |(requests, bad): &(u64, u64)| Part {
        requests: *requests,
        bad: *bad,
    };
    parts.iter().map(part).collect()
}

#[test]
fn the_statistic_is_that_of_pearson_by_size() {
    // Two even parts with 30 and 10 of 40 events: (10² + 10²)/½ / 1 / 40 = 10.
    let uneven = [unit(&[(500, 30), (500, 10)])];
    let found = dispersion(&uneven, PartRates::Common);
    assert!((found.phi - 10.0).abs() < 1e-12, "{found:?}");
    assert_eq!(found.events, 40);
}

#[test]
fn a_part_with_a_rate_of_its_own_is_not_overdispersion() {
    let units: Vec<_> = (0..30).map(|_| unit(&[(500, 30), (500, 10)])).collect();
    assert_eq!(dispersion(&units, PartRates::Own).phi, 1.0);
    assert!(dispersion(&units, PartRates::Common).phi > 5.0);
}

#[test]
fn what_is_within_two_standard_errors_counts_as_one() {
    // φ̂ is 4 with m = 4: σ = √(2·4·3)/4 = 1.22, so the limit is 3.45.
    let beyond = [unit(&[(500, 4), (500, 0)])];
    assert_eq!(dispersion(&beyond, PartRates::Common).phi, 4.0);
    // φ̂ is 1 with 3 of 4.
    let within = [unit(&[(500, 3), (500, 1)])];
    assert_eq!(dispersion(&within, PartRates::Common).phi, 1.0);
}

#[test]
fn the_largest_is_a_hundred() {
    let huge = [unit(&[(5_000, 900), (5_000, 0)])];
    assert_eq!(dispersion(&huge, PartRates::Common).phi, 100.0);
}

#[test]
fn units_without_a_comparison_are_left_out() {
    let units = [
        unit(&[]),
        unit(&[(500, 30)]),
        unit(&[(500, 30), (0, 0)]),
        unit(&[(500, 0), (500, 0)]),
    ];
    let nothing = Dispersion {
        phi: 1.0,
        events: 0,
    };
    assert_eq!(dispersion(&units, PartRates::Own), nothing);
    assert!(!nothing.is_one_by_one());
}

#[test]
fn thirty_events_are_needed_to_show_that_they_come_one_by_one() {
    let of = |events| Dispersion { phi: 1.0, events };
    assert!(!of(29).is_one_by_one());
    assert!(of(30).is_one_by_one());
}

#[test]
fn two_parts_are_measured_unit_by_unit_as_they_are_all_together() {
    let units: Vec<_> = [
        (500, 30, 9_500, 10),
        (480, 2, 9_400, 90),
        (510, 0, 9_000, 0),
    ]
    .into_iter()
    .chain([(500, 3, 0, 0), (505, 9, 9_100, 41), (470, 50, 9_700, 3)])
    .map(|(n, x, m, y)| unit(&[(n, x), (m, y)]))
    .collect();
    let mut by_units = TwoParts::default();
    for unit in &units {
        by_units.absorb([unit[0], unit[1]]);
    }
    let (found, expected) = (by_units.dispersion(), dispersion(&units, PartRates::Own));
    assert!(
        (found.phi - expected.phi).abs() < 1e-9,
        "{found:?} {expected:?}"
    );
    assert_eq!(found.events, expected.events);
    assert!(found.phi > 1.0);
}
