//! The texts of an evaluation.

use std::time::Duration;

use super::plan::Errors;
use super::readings::Readings;
use super::values::{Series, VALUES_MIN};
use crate::judge::clean::Counts;
use crate::judge::noninferiority::NonInferiority;
use crate::judge::numbers::{milliseconds, p_value, percent, significant, thousands};
use crate::judge::spec::{MetricSpec, Promotion};
use crate::timestamp::readable;

/// Minutes that are evaluated before traffic is called too little.
const TRAFFIC_MINUTES: u32 = 3;

/// Times its share from which on the requests of the new colour are remarked on, and how many more
/// are not worth a remark.
const BEYOND_SHARE: f64 = 2.0;
const FEW_REQUESTS: f64 = 100.0;

/// How far traffic is projected, in multiples of what was seen.
const PROJECTED: u32 = 2_000;

/// What was measured before the bake.
#[must_use]
pub fn measured(
    colour: &str,
    thresholds_ms: &[f64],
    errors: &Errors,
    dispersion_latency: f64,
) -> String {
    let Some([p75, p90, p99, _]) = thresholds_ms.first_chunk::<4>() else {
        return format!(
            "measured {colour} over the hour before: no response times; only errors are judged"
        );
    };

    let [p75, p90, p99] = [p75, p90, p99].map(|ms| milliseconds(*ms));
    format!(
        "measured {colour} over the hour before: p75 {p75}, p90 {p90}, p99 {p99}; 5xx {} of {} \
         requests, overdispersion {} (slow requests {})",
        percent(errors.rate),
        thousands(errors.requests.round() as u64),
        significant(errors.dispersion),
        significant(dispersion_latency)
    )
}

/// How far the bake is: `4m00s of 30m00s baked`.
#[must_use]
pub fn baked(minute: u32, end: u32) -> String {
    let minutes = |minutes: u32| readable(Duration::from_mins(u64::from(minutes)));
    format!("{} of {} baked", minutes(minute.min(end)), minutes(end))
}

/// A remark where the new colour got far more requests than its share of the traffic: metrics are
/// of a target group, whichever rule forwards to it.
#[must_use]
pub fn beyond_share(share: u32, canary: u64, baseline: u64) -> Option<String> {
    let all = canary.saturating_add(baseline) as f64;
    let beyond = canary as f64 - BEYOND_SHARE * all * f64::from(share) / 100.0;
    (beyond > FEW_REQUESTS).then(|| {
        format!(
            "the new colour got {} of the requests with {share}% of the traffic: requests that \
             reach it by a test rule or another way count as its own",
            percent(canary as f64 / all)
        )
    })
}

/// The comparison at which a series was worse.
pub(super) fn harm(series: &Series) -> Option<String> {
    let harm = series.harm?;
    let (canary, baseline) = series.medians.unwrap_or_default();
    Some(format!(
        "{} {canary} vs {baseline} in the median: worse than tolerated by ranks of {} minutes, p \
         = {}, limit {}",
        series.name,
        harm.minutes,
        p_value(harm.p),
        p_value(harm.limit)
    ))
}

/// Why nothing is promoted because of a series.
pub(super) fn objection(series: &Series) -> Option<String> {
    let unmeasured = unmeasured(&series.name, series.minutes);
    unmeasured.or_else(|| series.doubtful.then(|| self::series(series)))
}

/// Why nothing is promoted while a metric is measured in too few minutes.
pub(super) fn unmeasured(name: &str, minutes: usize) -> Option<String> {
    (minutes < VALUES_MIN).then(|| {
        format!(
            "{name} has values of both colours in {minutes} minutes, {VALUES_MIN} needed: no data \
             is never a pass"
        )
    })
}

/// Why nothing is promoted while a count has never had a value.
pub(super) fn never_counted(name: &str, count: &str) -> String {
    format!(
        "{name} has never had a value of `{count}`, in the bake or in the hour before; check its \
         name: no data is never a pass"
    )
}

pub(super) fn series(series: &Series) -> String {
    let Some((canary, baseline)) = series.medians else {
        return unmeasured(&series.name, series.minutes).unwrap_or_default();
    };

    let finding = if series.doubtful {
        "looks worse than tolerated, not certain"
    } else {
        "within tolerance"
    };
    harm(series).unwrap_or_else(|| {
        format!(
            "{} {canary} vs {baseline} in the median of {} minutes: {finding}",
            series.name, series.minutes
        )
    })
}

/// What is missing for the promotion of a new colour that is as good as the live one, when the bake
/// is too short for it at this rate.
pub(super) fn traffic(
    readings: &Readings,
    errors: &MetricSpec,
    minute: u32,
    end: u32,
    limit: f64,
) -> Option<String> {
    if minute < TRAFFIC_MINUTES {
        return None;
    }

    let total = |read: &dyn Fn(u32) -> Option<u64>| (1..=minute).filter_map(read).sum::<u64>();
    let canary = total(&|minute| readings.get(minute, 0).canary.requests);
    let baseline = total(&|minute| readings.get(minute, 0).baseline.requests);
    let baseline_bad = total(&|minute| readings.get(minute, 0).baseline.bad);

    if canary == 0 || baseline == 0 {
        let side = if canary == 0 {
            "the new colour"
        } else {
            "the live colour"
        };
        return Some(format!(
            "no request to {side} was counted in {minute} minutes; the comparison needs traffic \
             on both sides"
        ));
    }

    let expected_bad = (canary as f64 * baseline_bad as f64 / baseline as f64).round() as u64;
    let counts = Counts {
        canary_requests: canary,
        canary_bad: expected_bad,
        canary_bad_promote: expected_bad,
        baseline_requests: baseline,
        baseline_bad: baseline_bad.min(baseline),
    };
    let enough = times_needed(errors, &counts, limit, errors.promotion?);
    let needed = enough.map_or_else(
        || format!("more than {}", minute * PROJECTED),
        |times| format!("about {}", times * minute),
    );

    let suffices = enough.is_some_and(|times| (times - 1) * minute <= end);
    (!suffices).then(|| {
        format!(
            "too little traffic: a promotion needs {needed} minutes at this rate ({canary} \
             requests to the new colour in {minute} minutes), and the bake ends after {end}"
        )
    })
}

/// How many times `counts` are evidence of health up to `limit`; `None` when it is more than
/// `PROJECTED`.
fn times_needed(
    errors: &MetricSpec,
    counts: &Counts,
    limit: f64,
    promotion: Promotion,
) -> Option<u32> {
    let mut health = NonInferiority::new(promotion);
    (1..=PROJECTED).find(|_| {
        health.absorb(errors, counts);
        health.log_evidence() >= limit
    })
}

#[cfg(test)]
mod tests;
