//! What is measured in the hour before the bake, and fixed before anything is judged.

use std::collections::BTreeSet;

use super::arrival::agrees;
use crate::judge::dispersion::dispersion;
use crate::metrics::missing_data::DISBELIEF;
use crate::metrics::source::{CustomPart, Data, Key, Metric, Points, Side};

/// Minutes of that hour.
pub const HOUR_MINUTES: i64 = 60;

/// Its newest minutes may not be complete yet, and are left out where minutes are compared.
const UNSETTLED_MINUTES: i64 = 4;

/// The largest share of points that counts as lost.
const LOST_MAX: f64 = 0.25;

/// The errors of the hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// Overdispersion φ.
    pub dispersion: f64,
    /// Bad ones per request.
    pub rate: f64,
    pub requests: f64,
}

/// Latency thresholds in milliseconds: p75, p90, p99 and 1.5 times p99; none where there was no
/// request.
///
/// A period that CloudWatch aligns to the clock gives the hour in two parts, which count by their
/// requests.
#[must_use]
pub fn thresholds(data: &Data) -> Vec<f64> {
    let empty = Points::new();
    let points = |metric| data.get(&baseline(metric)).unwrap_or(&empty);
    let weight = points(Metric::HourlyResponseTimes);
    let total: f64 = weight.values().sum();
    let mean = |percent: u8| {
        let found = points(Metric::HourlyPercentile(percent));
        let sum = weight
            .iter()
            .map(|(at, weight)| Some(found.get(at)? * weight))
            .sum::<Option<f64>>()?;
        // Thousandths of a millisecond: they are kept in the token.
        Some((sum / total * 1e6).round() / 1e3).filter(|ms| *ms > 0.0 && ms.is_finite())
    };

    let (Some(p75), Some(p90), Some(p99)) = (mean(75), mean(90), mean(99)) else {
        return Vec::new();
    };

    let mut thresholds = vec![p75, p90, p99, (p99 * 1_500.0).round() / 1e3];
    thresholds.sort_by(f64::total_cmp);
    thresholds
}

/// The places of a user's counts that have a value: what is absent of them is 0. Of a count that
/// never had one nothing shows that its name is right.
#[must_use]
pub fn known_counts(data: &Data) -> BTreeSet<usize> {
    let found = data.iter().filter(|(_, points)| !points.is_empty());
    found
        .filter_map(|(key, _)| match key.metric {
            Metric::Custom(index, CustomPart::Count) => Some(index),
            _ => None,
        })
        .collect()
}

/// The errors of the hour before the minute `first`.
#[must_use]
pub fn errors(data: &Data, first: i64) -> Errors {
    let minutes = counted(
        data,
        first,
        Metric::Requests,
        &[Metric::Responses5xx, Metric::RefusedConnections],
    );
    let (requests, bad) = minutes
        .iter()
        .fold((0, 0), |(n, x), (more_n, more_x)| (n + more_n, x + more_x));
    let rate = if requests > 0 {
        bad as f64 / requests as f64
    } else {
        0.0
    };

    Errors {
        dispersion: rounded(dispersion(&minutes).phi),
        rate: (rate * 1e6).round() / 1e6,
        requests: requests as f64,
    }
}

/// Overdispersion φ of slow requests: the largest over all thresholds.
#[must_use]
pub fn latency_dispersion(data: &Data, first: i64, thresholds: usize) -> f64 {
    let of = |index: usize| {
        dispersion(&counted(
            data,
            first,
            Metric::ResponseTimes,
            &[Metric::Slow(index)],
        ))
        .phi
    };

    rounded((0..thresholds).map(of).fold(1.0, f64::max))
}

/// Whether the counters of the live colour agreed with each other in the hour before the minute
/// `first`.
#[must_use]
pub fn counters_agree(data: &Data, first: i64) -> bool {
    agrees(data, Side::Baseline, first - UNSETTLED_MINUTES)
}

fn baseline(metric: Metric) -> Key {
    Key::new(Side::Baseline, metric)
}

fn rounded(phi: f64) -> f64 {
    (phi * 1e4).round() / 1e4
}

/// Requests and bad ones of every minute that is complete and known.
///
/// A minute without bad ones has no point, and neither has one whose point was lost. Where few
/// minutes have none, errors come evenly in the others, and many were expected, it is the latter;
/// where they are overdispersed by φ, a minute without any has the chance e^(−expected/φ), and
/// counts. After an incident most minutes have none, and they count as well.
fn counted(data: &Data, first: i64, requests: Metric, bad: &[Metric]) -> Vec<(u64, u64)> {
    let empty = Points::new();
    let points = |metric| data.get(&baseline(metric)).unwrap_or(&empty);
    let whole = |number: f64| number.max(0.0).round() as u64;
    let complete = points(requests).range(first - HOUR_MINUTES..first - UNSETTLED_MINUTES);
    let minutes: Vec<(u64, Option<u64>)> = complete
        .map(|(at, n)| {
            let found = bad
                .iter()
                .filter_map(|metric| points(*metric).get(at))
                .copied()
                .reduce(|one, other| one + other);
            (whole(*n), found.map(|bad| whole(bad).min(whole(*n))))
        })
        .collect();
    let present: Vec<(u64, u64)> = minutes
        .iter()
        .filter_map(|(n, bad)| Some((*n, (*bad)?)))
        .collect();
    let (all, found) = present
        .iter()
        .fold((0, 0), |(n, x), (more_n, more_x)| (n + more_n, x + more_x));
    let groups_per_request = found as f64 / (all.max(1) as f64 * dispersion(&present).phi);
    let few = (minutes.len() - present.len()) as f64 <= minutes.len() as f64 * LOST_MAX;
    let is_zero = |n: u64| !few || n as f64 * groups_per_request < DISBELIEF;

    minutes
        .into_iter()
        .filter_map(|(n, bad)| Some((n, bad.or(is_zero(n).then_some(0))?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::source::tests::key;

    const FIRST: i64 = 29_460_000;

    fn of(points: &[(&str, &[(i64, f64)])]) -> Data {
        points
            .iter()
            .map(|(id, points)| (key(id), points.iter().copied().collect()))
            .collect()
    }

    #[test]
    fn an_hour_in_two_parts_counts_by_requests() {
        let data = of(&[
            ("b_w", &[(0, 300.0), (60, 100.0)]),
            ("b_p75", &[(0, 0.06), (60, 0.10)]),
            ("b_p90", &[(0, 0.1), (60, 0.1)]),
            ("b_p99", &[(0, 0.3), (60, 0.5)]),
        ]);

        assert_eq!(thresholds(&data), [70.0, 100.0, 350.0, 525.0]);
        assert!(thresholds(&Data::new()).is_empty());

        let idle = of(&[
            ("b_w", &[(0, 0.0)]),
            ("b_p75", &[(0, 0.06)]),
            ("b_p90", &[(0, 0.1)]),
            ("b_p99", &[(0, 0.3)]),
        ]);
        assert!(thresholds(&idle).is_empty());
    }

    #[test]
    fn overdispersed_errors_are_measured_and_late_minutes_left_out() {
        let requests: Vec<(i64, f64)> = (1..=60).map(|back| (FIRST - back, 6_000.0)).collect();
        let groups = [
            10.0, 0.0, 20.0, 10.0, 30.0, 0.0, 0.0, 20.0, 10.0, 10.0, 0.0, 40.0,
        ];
        let bad: Vec<(i64, f64)> = (5..=60)
            .map(|back| (FIRST - back, groups[back as usize % 12]))
            .collect();
        let found = errors(&of(&[("b_n", &requests), ("b_e", &bad)]), FIRST);

        assert!(found.dispersion > 5.0, "{found:?}");
        assert_eq!(found.requests, 56.0 * 6_000.0);
        assert!((found.rate - 0.002).abs() < 0.0005, "{found:?}");
        assert_eq!(
            errors(&Data::new(), FIRST),
            Errors {
                dispersion: 1.0,
                rate: 0.0,
                requests: 0.0
            }
        );
    }

    #[test]
    fn lost_points_amid_even_errors_are_not_overdispersion() {
        let requests: Vec<(i64, f64)> = (1..=60).map(|back| (FIRST - back, 6_000.0)).collect();
        let even = [11.0, 13.0, 9.0, 12.0, 16.0, 8.0, 12.0, 15.0, 10.0, 14.0];
        let of_back = |back: i64| (FIRST - back, even[back as usize % 10]);
        let bad: Vec<(i64, f64)> = (5..=60)
            .filter(|back| back % 15 != 0)
            .map(of_back)
            .collect();
        let found = errors(&of(&[("b_n", &requests), ("b_e", &bad)]), FIRST);

        assert!(found.dispersion < 1.2, "{found:?}");
        assert_eq!(found.requests, 52.0 * 6_000.0);

        let incident: Vec<(i64, f64)> = (20..30).map(|back| (FIRST - back, 135.0)).collect();
        let found = errors(&of(&[("b_n", &requests), ("b_e", &incident)]), FIRST);
        assert!(
            found.dispersion > 20.0 && found.requests == 56.0 * 6_000.0,
            "{found:?}"
        );

        let quiet: Vec<(i64, f64)> = bad
            .iter()
            .map(|(at, bad)| (*at, (bad / 6.0).floor()))
            .collect();
        assert_eq!(
            errors(&of(&[("b_n", &requests), ("b_e", &quiet)]), FIRST).requests,
            56.0 * 6_000.0
        );
    }

    #[test]
    fn the_largest_dispersion_of_all_thresholds_counts() {
        let each = |bad: &dyn Fn(i64) -> f64| -> Vec<(i64, f64)> {
            (1..=60).map(|back| (FIRST - back, bad(back))).collect()
        };
        let all = each(&|_| 6_000.0);
        let even = each(&|back| 10.0 + (back % 3) as f64);
        let uneven = each(&|back| if back % 4 == 0 { 80.0 } else { 0.0 });
        let of = |first: &[(i64, f64)], second: &[(i64, f64)]| {
            let data = of(&[("b_s", &all), ("b_t0", first), ("b_t1", second)]);
            latency_dispersion(&data, FIRST, 2)
        };

        assert!(of(&even, &even) < 1.5, "{}", of(&even, &even));
        assert!(of(&even, &uneven) > 10.0, "{}", of(&even, &uneven));
        assert_eq!(of(&even, &uneven), of(&uneven, &even));
    }

    #[test]
    fn late_minutes_of_the_hour_do_not_show_whether_its_counters_agree() {
        // In these minutes, counted back from FIRST, half of the responses are missing.
        let hour = |halved: std::ops::RangeInclusive<i64>| {
            let each = |value: &dyn Fn(i64) -> f64| -> Vec<(i64, f64)> {
                (1..=60).map(|back| (FIRST - back, value(back))).collect()
            };
            let all = each(&|_| 1_000.0);
            let good = each(&|back| {
                if halved.contains(&back) {
                    500.0
                } else {
                    1_000.0
                }
            });
            let data = of(&[("b_n", &all), ("b_s", &all), ("b_2", &good)]);
            counters_agree(&data, FIRST)
        };

        assert!(hour(1..=4), "they may not have settled");
        assert!(!hour(5..=8) && hour(5..=6));
    }

    #[test]
    fn refused_connections_are_usual_errors_too() {
        let each = |value: f64| -> Vec<(i64, f64)> {
            (1..=60).map(|back| (FIRST - back, value)).collect()
        };
        let data = of(&[
            ("b_n", &each(1_000.0)),
            ("b_e", &each(1.0)),
            ("b_x", &each(2.0)),
        ]);
        assert_eq!(errors(&data, FIRST).rate, 0.003);

        // A balancer counts each attempt, and no minute is worse than all of its requests.
        let dead = of(&[("b_n", &each(10.0)), ("b_x", &each(50.0))]);
        assert_eq!(errors(&dead, FIRST).rate, 1.0);
    }

    #[test]
    fn a_part_of_the_hour_without_a_percentile_gives_no_thresholds() {
        let data = of(&[
            ("b_w", &[(0, 300.0), (60, 100.0)]),
            ("b_p75", &[(0, 0.06)]),
            ("b_p90", &[(0, 0.1), (60, 0.1)]),
            ("b_p99", &[(0, 0.3), (60, 0.5)]),
        ]);
        assert_eq!(thresholds(&data), [0.0; 0]);
    }

    #[test]
    fn a_minute_without_a_point_amid_overdispersed_errors_counts_as_one_without_errors() {
        let requests: Vec<(i64, f64)> = (1..=60).map(|back| (FIRST - back, 6_000.0)).collect();
        // 17 of a minute on average, which come in groups of 6.
        let groups = [10.0, 20.0, 10.0, 30.0, 20.0, 10.0, 10.0, 40.0, 10.0];
        let bad: Vec<(i64, f64)> = (5..=60)
            .filter(|back| back % 8 != 0)
            .map(|back| (FIRST - back, groups[back as usize % 9]))
            .collect();
        let found = errors(&of(&[("b_n", &requests), ("b_e", &bad)]), FIRST);
        assert_eq!(found.requests, 56.0 * 6_000.0);
    }
}
