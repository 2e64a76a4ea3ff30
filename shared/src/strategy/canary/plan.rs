//! What is measured in the hour before the bake, and fixed before anything is judged.

use std::collections::BTreeSet;

use super::config::CUSTOM_METRICS;
use super::remark::Remark;
use crate::judge::JudgeConfig;
use crate::judge::canary::answers::Answers;
use crate::judge::canary::config::LatencyMode;
use crate::judge::canary::expected_time::expected_minutes;
use crate::judge::canary::hour::{ZoneMinute, measure};
use crate::judge::canary::hour_before::HourBefore;
use crate::judge::canary::metric::Families;
use crate::metrics::source::{Data, Key, Points, Side, SourceCount, SourceMetric};

/// Minutes of that hour.
pub const HOUR_MINUTES: i64 = 60;

/// Minutes until the first whole minute after a raise of the share is read. Ours: a reading and one
/// more that agrees, and the minute that has begun.
pub const RAISE_MINUTES: u32 = 3;

/// Minutes between that hour and the bake: they may not be complete yet when the hour is read.
/// Ours.
pub const UNSETTLED_MINUTES: i64 = 4;

/// Slow requests of the hour below which a threshold is dropped: it would show nothing. Ours.
const SLOW_MIN: u64 = 10;

/// The last shares of the traffic among which one is chosen, in percent. Ours.
const LAST_PERCENTS: [u32; 3] = [10, 25, 50];

/// What the hour before showed.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredHour {
    /// The latency thresholds that remain, in milliseconds.
    pub thresholds_ms: Vec<f64>,
    pub prior: HourBefore,
}

/// Latency thresholds in milliseconds: p90, p99 and 1.5 times p99; none where there was no request.
///
/// A period that CloudWatch aligns to the clock gives the hour in two parts, which count by their
/// requests.
#[must_use]
pub fn thresholds(data: &Data) -> Vec<f64> {
    let empty = Points::new();
    let points = |metric| data.get(&baseline(metric)).unwrap_or(&empty);
    let weight = points(SourceMetric::HourlyResponseTimes);
    let total: f64 = weight.values().sum();
    let mean = |percent: u8| {
        let found = points(SourceMetric::HourlyPercentile(percent));
        let sum = weight
            .iter()
            .map(|(at, weight)| Some(found.get(at)? * weight))
            .sum::<Option<f64>>()?;
        // Thousandths of a millisecond: they are kept in the token.
        Some((sum / total * 1e6).round() / 1e3).filter(|ms| *ms > 0.0 && ms.is_finite())
    };

    let (Some(p90), Some(p99)) = (mean(90), mean(99)) else {
        return Vec::new();
    };
    let mut thresholds = vec![p90, p99, (p99 * 1_500.0).round() / 1e3];
    thresholds.sort_by(f64::total_cmp);
    thresholds
}

/// The places of the counts whose events have a value: what is absent of them is 0. Of a count that
/// never had one nothing shows that it is measured at all.
#[must_use]
pub fn known_counts(counts: &[SourceCount], data: &Data) -> BTreeSet<usize> {
    let found = data.iter().filter(|(_, points)| !points.is_empty());
    let found: BTreeSet<SourceMetric> = found.map(|(key, _)| key.metric).collect();
    let counts = counts.iter().enumerate();
    counts
        .filter(|(_, count)| found.contains(&count.events))
        .map(|(nth, count)| place(nth, count))
        .collect()
}

/// The place of a count in the continuation token: of a user's own its place among all metrics of
/// the user, series of values included; of any other a place after the last of those.
pub(super) fn place(nth: usize, count: &SourceCount) -> usize {
    match count.events {
        SourceMetric::Custom(index, _) => index,
        _ => CUSTOM_METRICS + nth,
    }
}

/// Measures the hour from the minute `from` on, in which this many zones were read; none is the
/// whole target group.
#[must_use]
pub fn measured(data: &Data, from: i64, zones: usize, thresholds_ms: &[f64]) -> MeasuredHour {
    let hour: Vec<Vec<ZoneMinute>> = (from..from + HOUR_MINUTES)
        .map(|at| zones_at(data, at, zones, thresholds_ms.len()))
        .collect();

    let slow = |threshold: usize| -> u64 {
        let all = hour.iter().flatten();
        all.map(|zone| zone.slow.get(threshold).copied().unwrap_or(0))
            .sum()
    };
    let kept: Vec<usize> = (0..thresholds_ms.len())
        .filter(|threshold| slow(*threshold) >= SLOW_MIN)
        .collect();
    let hour: Vec<Vec<ZoneMinute>> = hour
        .into_iter()
        .map(|zones| {
            zones
                .into_iter()
                .map(|zone| with_only(zone, &kept))
                .collect()
        })
        .collect();

    MeasuredHour {
        thresholds_ms: kept
            .iter()
            .map(|threshold| thresholds_ms[*threshold])
            .collect(),
        prior: measure(&hour, kept.len()),
    }
}

/// A minute of the hour by zones. Without a single request it is empty.
fn zones_at(data: &Data, at: i64, zones: usize, thresholds: usize) -> Vec<ZoneMinute> {
    let places: Vec<Option<usize>> = if zones == 0 {
        vec![None]
    } else {
        (0..zones).map(Some).collect()
    };
    let minute: Vec<ZoneMinute> = places
        .into_iter()
        .map(|zone| zone_at(data, at, zone, thresholds))
        .collect();
    if minute.iter().all(|zone| zone.answers.requests == 0) {
        Vec::new()
    } else {
        minute
    }
}

fn zone_at(data: &Data, at: i64, zone: Option<usize>, thresholds: usize) -> ZoneMinute {
    let count = |metric| {
        let key = Key {
            zone,
            ..baseline(metric)
        };
        let point = data.get(&key).and_then(|points| points.get(&at));
        point.map_or(0, |value| value.max(0.0).round() as u64)
    };
    ZoneMinute {
        answers: Answers {
            requests: count(SourceMetric::Requests),
            good: count(SourceMetric::Responses2xx) + count(SourceMetric::Responses3xx),
            client_errors: count(SourceMetric::Responses4xx),
            server_errors: count(SourceMetric::Responses5xx),
            refused: count(SourceMetric::RefusedConnections),
        },
        slow: (0..thresholds)
            .map(|index| count(SourceMetric::Slow(index)))
            .collect(),
        slow_to_promote: (0..thresholds)
            .map(|index| count(SourceMetric::SlowToPromote(index)))
            .collect(),
    }
}

fn with_only(zone: ZoneMinute, kept: &[usize]) -> ZoneMinute {
    let only = |counts: &[u64]| kept.iter().map(|place| counts[*place]).collect();
    ZoneMinute {
        slow: only(&zone.slow),
        slow_to_promote: only(&zone.slow_to_promote),
        answers: zone.answers,
    }
}

/// The last share of the traffic, in percent: the smallest at which a healthy canary is expected to
/// be promoted within half the bake, or else the largest. Without an hour nothing shows that more
/// than the smallest is needed. The two last are remarked on.
#[must_use]
pub fn last_percent(judge: &JudgeConfig, hour: &MeasuredHour) -> (u32, Option<Remark>) {
    let [smallest, .., largest] = LAST_PERCENTS;
    if hour.prior.requests_a_minute.is_none() {
        return (smallest, Some(Remark::ShareUnknown));
    }

    let families = Families::new(judge, hour.thresholds_ms.len(), &[]);
    let is_enough = |percent: &&u32| {
        let at_share = JudgeConfig {
            share: Some(f64::from(**percent) / 100.0),
            steps: vec![1],
            ..judge.clone()
        };
        let expected = expected_minutes(&at_share, &families, &hour.prior);
        expected.is_some_and(|minutes| minutes <= f64::from(judge.end) / 2.0)
    };
    let enough = LAST_PERCENTS.iter().find(is_enough);
    enough.map_or((largest, Some(Remark::ShareTooSmall)), |enough| {
        (*enough, None)
    })
}

/// The shortest bake, in minutes, in which a share that the judgement raises can be decided: the
/// minimum of usable minutes before the raise and after it. Response times are not usable in the
/// warm-up.
#[must_use]
pub fn shortest_bake(judge: &JudgeConfig) -> u32 {
    let warm_up = match judge.latency_mode() {
        LatencyMode::Judge => judge.warm_up,
        LatencyMode::Watch | LatencyMode::Off => 0,
    };
    let usable = judge.min_minutes.saturating_mul(2);
    usable.saturating_add(warm_up).saturating_add(RAISE_MINUTES)
}

fn baseline(metric: SourceMetric) -> Key {
    Key::new(Side::Baseline, metric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::canary::answers::BadRule;
    use crate::metrics::source::tests::key;

    const FROM: i64 = 29_460_000;

    fn of(points: &[(&str, &[(i64, f64)])]) -> Data {
        points
            .iter()
            .map(|(id, points)| (key(id), points.iter().copied().collect()))
            .collect()
    }

    /// The same in each minute of the hour.
    fn each(value: f64) -> Vec<(i64, f64)> {
        (FROM..FROM + 60).map(|at| (at, value)).collect()
    }

    #[test]
    fn an_hour_in_two_parts_counts_by_requests() {
        let data = of(&[
            ("b_w", &[(0, 300.0), (60, 100.0)]),
            ("b_p90", &[(0, 0.06), (60, 0.10)]),
            ("b_p99", &[(0, 0.3), (60, 0.5)]),
        ]);

        assert_eq!(thresholds(&data), [70.0, 350.0, 525.0]);
        assert!(thresholds(&Data::new()).is_empty());

        let idle = of(&[
            ("b_w", &[(0, 0.0)]),
            ("b_p90", &[(0, 0.1)]),
            ("b_p99", &[(0, 0.3)]),
        ]);
        assert!(thresholds(&idle).is_empty());
    }

    #[test]
    fn a_part_of_the_hour_without_a_percentile_gives_no_thresholds() {
        let data = of(&[
            ("b_w", &[(0, 300.0), (60, 100.0)]),
            ("b_p90", &[(0, 0.06)]),
            ("b_p99", &[(0, 0.3), (60, 0.5)]),
        ]);
        assert_eq!(thresholds(&data), [0.0; 0]);
    }

    #[test]
    fn the_hour_is_measured_as_a_whole_where_no_zone_is_known() {
        let data = of(&[
            ("b_n", &each(1_000.0)),
            ("b_2", &each(970.0)),
            ("b_4", &each(20.0)),
            ("b_e", &each(8.0)),
            ("b_x", &each(2.0)),
            ("b_t0", &each(100.0)),
            ("b_t1", &[(FROM, 9.0)]),
        ]);
        let hour = measured(&data, FROM, 0, &[200.0, 400.0]);
        assert_eq!(hour.thresholds_ms, [200.0], "9 slow requests show nothing");
        assert_eq!(hour.prior.rule, BadRule::Difference);
        assert_eq!(hour.prior.requests_a_minute, Some(1_000.0));
        assert!((hour.prior.errors.rate - 0.01).abs() < 1e-12);
        assert!((hour.prior.client_errors.rate - 0.02).abs() < 1e-12);
        assert!(hour.prior.errors.one_by_one);
    }

    #[test]
    fn zones_are_compared_within_each_minute() {
        let in_zone = |zone, id: &str, points: &[(i64, f64)]| {
            let key = Key {
                zone: Some(zone),
                ..key(id)
            };
            (key, points.iter().copied().collect::<Points>())
        };
        let alternating = |odd: i64| -> Vec<(i64, f64)> {
            (FROM..FROM + 60)
                .filter(|at| at % 2 == odd)
                .map(|at| (at, 40.0))
                .collect()
        };
        let data: Data = [
            in_zone(0, "b_n", &each(500.0)),
            in_zone(1, "b_n", &each(500.0)),
            in_zone(0, "b_e", &alternating(0)),
            in_zone(1, "b_e", &alternating(1)),
        ]
        .into();
        let errors = measured(&data, FROM, 2, &[]).prior.errors;
        assert!(errors.phi > 20.0 && !errors.one_by_one, "{errors:?}");
    }

    #[test]
    fn the_last_share_is_the_smallest_that_is_expected_to_be_enough() {
        let at = |requests: f64| {
            let data = of(&[
                ("b_n", &each(requests)),
                ("b_2", &each(requests * 0.998)),
                ("b_e", &each(requests * 0.002)),
            ]);
            last_percent(&JudgeConfig::default(), &measured(&data, FROM, 0, &[]))
        };
        assert_eq!([at(60_000.0), at(6_000.0)], [(10, None), (10, None)]);
        let nothing_is_enough = (50, Some(Remark::ShareTooSmall));
        assert_eq!(at(60.0), nothing_is_enough);
    }

    #[test]
    fn the_shortest_bake_has_the_minimum_before_and_after_the_raise() {
        let of = |latency| {
            let judge = JudgeConfig {
                latency,
                ..JudgeConfig::default()
            };
            shortest_bake(&judge)
        };
        let modes = [LatencyMode::Judge, LatencyMode::Watch, LatencyMode::Off];
        assert_eq!(modes.map(of), [16, 13, 13]);
    }

    #[test]
    fn without_an_hour_the_last_share_is_the_smallest() {
        let unknown = measured(&Data::new(), FROM, 0, &[]);
        let chosen = last_percent(&JudgeConfig::default(), &unknown);
        assert_eq!(chosen, (10, Some(Remark::ShareUnknown)));
    }

    #[test]
    fn a_sticky_rule_needs_no_share_for_its_latency() {
        let data = of(&[
            ("b_n", &each(10_000.0)),
            ("b_2", &each(10_000.0)),
            ("b_t0", &each(1_000.0)),
            ("b_p0", &each(990.0)),
        ]);
        let hour = measured(&data, FROM, 0, &[200.0]);
        let at = |sticky| {
            let judge = JudgeConfig {
                sticky,
                ..JudgeConfig::default()
            };
            last_percent(&judge, &hour)
        };
        let latency_takes_longer = (50, Some(Remark::ShareTooSmall));
        assert_eq!([at(false), at(true)], [latency_takes_longer, (10, None)]);
    }
}
