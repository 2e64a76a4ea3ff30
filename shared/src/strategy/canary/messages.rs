//! The texts of an evaluation.

use std::time::Duration;

use super::plan::MeasuredHour;
use crate::judge::canary::answers::BadRule;
use crate::judge::canary::values::VALUES_MIN;
use crate::judge::numbers::{milliseconds, percent, significant, thousands};
use crate::timestamp::readable;

/// Minutes that are evaluated before missing traffic is remarked on.
const TRAFFIC_MINUTES: u32 = 3;

/// Times its share from which on the requests of the new colour are remarked on, and how many more
/// are not worth a remark.
const BEYOND_SHARE: f64 = 2.0;
const FEW_REQUESTS: f64 = 100.0;

/// What was measured before the bake.
#[must_use]
pub fn measured(colour: &str, hour: &MeasuredHour) -> String {
    let prior = &hour.prior;
    let Some(requests) = prior.requests_a_minute else {
        return format!(
            "measured {colour} over the hour before: no requests; whether errors come one by one \
             is not known"
        );
    };

    let errors = match prior.rule {
        BadRule::Difference => "requests without a good answer",
        BadRule::Failures => "5xx and refused connections",
    };
    let slow = match hour.thresholds_ms[..] {
        [p90, p99, ..] => format!("p90 {}, p99 {}", milliseconds(p90), milliseconds(p99)),
        [only] => format!("slow above {}", milliseconds(only)),
        [] => "too few response times, latency is not judged".to_owned(),
    };
    format!(
        "measured {colour} over the hour before: {slow}; {errors} {} of {} requests a minute, {}; \
         4xx {}",
        percent(prior.errors.rate),
        thousands(requests.round() as u64),
        if prior.errors.one_by_one {
            "one by one".to_owned()
        } else {
            format!("overdispersion {}", significant(prior.errors.phi))
        },
        percent(prior.client_errors.rate)
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

/// What is missing where a side has had no request at all.
pub(super) fn no_requests(minute: u32, canary: u64, baseline: u64) -> Option<String> {
    let side = match (canary, baseline) {
        (0, _) => "the new colour",
        (_, 0) => "the live colour",
        _ => return None,
    };
    (minute >= TRAFFIC_MINUTES).then(|| {
        format!(
            "no request to {side} was counted in {minute} minutes; the comparison needs traffic \
             on both sides"
        )
    })
}

/// Why nothing is promoted while a metric is measured in too few minutes.
pub(super) fn unmeasured(name: &str, minutes: usize) -> Option<String> {
    (minutes < VALUES_MIN).then(|| {
        format!(
            "{name} has values of both colours in {minutes} minutes, {VALUES_MIN} needed: no \
             data is never a pass"
        )
    })
}

/// Why nothing is promoted while the events of a count have never had a value.
pub(super) fn never_counted(name: &str, events: &str) -> String {
    format!(
        "{name} has never had a value of `{events}`, in the bake or in the hour before; check that \
         there is a metric of this name: no data is never a pass"
    )
}

#[cfg(test)]
mod tests;
