//! The hour before the bake, when only the live version has traffic.
//!
//! What it shows is fixed before anything is judged: which requests are bad, whether bad events
//! come one by one, and their rates.

use super::answers::{Answers, BadRule};
use super::dispersion::{Dispersion, Part, PartRates, dispersion};
use super::hour_before::{HourBefore, Measured};
use super::metric::Metric;

/// Minutes with requests from which on the counters can be compared with each other.
const MINUTES_MIN: usize = 30;

/// Largest share of minutes in which the difference may be below the failures, of which it is the
/// larger where the counters are in step.
const OUT_OF_STEP_MAX: f64 = 0.05;

/// Largest share of requests by which the difference may exceed the failures over the hour: more is
/// not failure but, for instance, WebSockets, which answer 101.
const UNEXPLAINED_MAX: f64 = 0.01;

/// The live version in one Availability Zone and minute.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ZoneMinute {
    pub answers: Answers,
    /// Requests slower than each threshold.
    pub slow: Vec<u64>,
    /// Requests slower than 1.25 times each threshold.
    pub slow_to_promote: Vec<u64>,
}

/// The minutes of the hour in the order of the clock, each with its zones in a fixed order. A
/// minute without data is empty.
pub type Hour = [Vec<ZoneMinute>];

/// Measures what is fixed before the bake.
pub fn measure(hour: &Hour, thresholds: usize) -> HourBefore {
    let minutes: Vec<Answers> = hour.iter().map(|zones| whole(zones)).collect();
    let rule = bad_rule(&minutes);
    let requests: u64 = minutes.iter().map(|minute| minute.requests).sum();
    let metric = |metric| measured(hour, metric, rule);
    let with_requests = minutes.iter().filter(|minute| minute.requests > 0).count();

    HourBefore {
        rule,
        requests_a_minute: (requests > 0).then(|| requests as f64 / with_requests as f64),
        errors: metric(Metric::Errors),
        client_errors: metric(Metric::ClientErrors),
        latency: (0..thresholds)
            .map(|threshold| metric(Metric::Latency(threshold)))
            .collect(),
    }
}

fn whole(zones: &[ZoneMinute]) -> Answers {
    let mut sum = Answers::default();
    for zone in zones {
        sum.add(&zone.answers);
    }
    sum
}

/// The difference is the better count, but only where the counters fall into the same minute.
fn bad_rule(minutes: &[Answers]) -> BadRule {
    let with_requests: Vec<&Answers> = minutes.iter().filter(|m| m.requests > 0).collect();
    let failures = |minute: &Answers| minute.failures().cast_signed();
    let out_of_step = with_requests
        .iter()
        .filter(|minute| minute.difference() < failures(minute))
        .count();
    let unexplained: i64 = with_requests
        .iter()
        .map(|minute| minute.difference() - failures(minute))
        .sum();
    let requests: u64 = with_requests.iter().map(|minute| minute.requests).sum();

    let is_clean = with_requests.len() >= MINUTES_MIN
        && out_of_step as f64 <= OUT_OF_STEP_MAX * with_requests.len() as f64
        && unexplained as f64 <= UNEXPLAINED_MAX * requests as f64;
    if is_clean {
        BadRule::Difference
    } else {
        BadRule::Failures
    }
}

fn measured(hour: &Hour, metric: Metric, rule: BadRule) -> Measured {
    let units: Vec<Vec<Part>> = hour
        .iter()
        .map(|zones| zones.iter().map(|zone| part(zone, metric, rule)).collect())
        .collect();
    let zones = dispersion(&units, PartRates::Own);
    let pairs = by_pairs(&units);

    let sum = |count: &dyn Fn(&ZoneMinute) -> u64| hour.iter().flatten().map(count).sum::<u64>();
    let requests = sum(&|zone| zone.answers.requests).max(1) as f64;
    let bad = sum(&|zone| part(zone, metric, rule).bad) as f64;
    let bad_to_promote = match metric {
        Metric::Latency(threshold) => sum(&|zone| at(&zone.slow_to_promote, threshold)) as f64,
        Metric::Errors | Metric::ClientErrors | Metric::Own(_) => bad,
    };

    Measured {
        phi: zones.phi.max(pairs.phi),
        one_by_one: zones.phi <= 1.0 && pairs.is_one_by_one(),
        rate: bad / requests,
        rate_to_promote: bad_to_promote / requests,
    }
}

/// Minutes 1 and 2, 3 and 4, and so on, as the two parts of one unit. That counts fluctuation of
/// the common rate as well, and sees what zones do not show.
fn by_pairs(units: &[Vec<Part>]) -> Dispersion {
    let whole = |parts: &Vec<Part>| Part {
        requests: parts.iter().map(|part| part.requests).sum(),
        bad: parts.iter().map(|part| part.bad).sum(),
    };
    let pairs: Vec<Vec<Part>> = units
        .chunks(2)
        .map(|pair| pair.iter().map(whole).collect())
        .collect();
    dispersion(&pairs, PartRates::Common)
}

fn part(zone: &ZoneMinute, metric: Metric, rule: BadRule) -> Part {
    let requests = zone.answers.requests;
    let bad = match metric {
        Metric::Errors => zone.answers.bad(rule),
        Metric::ClientErrors => zone.answers.rejected(),
        Metric::Latency(threshold) => at(&zone.slow, threshold).min(requests),
        Metric::Own(_) => 0,
    };
    Part { requests, bad }
}

fn at(counts: &[u64], threshold: usize) -> u64 {
    counts.get(threshold).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
