//! Whether the old colour may be stopped, by the metrics of its load balancer: not while it gets
//! requests although its weight is 0, and not while most requests to the new colour fail.
//!
//! Everything here is pure. A metric without points proves nothing, and keeps no colour.

use std::ops::Range;
use std::time::Duration;

use super::context::PairContext;
use super::retire::RetireStep;
use crate::job::Failure;
use crate::limits::{
    COMPARED_MINUTES, FAILED_MINUTES, FAILED_PERCENT, FAILED_REQUESTS, METRIC_DELAY, QUIET_MINUTES,
    REQUESTS_DEADLINE,
};
use crate::metrics::source::{Metric, Observations, Side};
use crate::strategy::failure::StepFailureCause;
use crate::timestamp::{Timestamp, readable_of};

/// How long a load balancer may follow weights from before a change, in seconds. Ours: it takes a
/// few seconds, and requests in progress end in their own minute.
const SPREAD_SECS: i64 = 60;

/// When all of the traffic left the old colour, how long that drains, and when it is observed.
#[derive(Clone, Copy, Debug)]
pub struct Departure {
    pub left_at: Timestamp,
    pub drain: Duration,
    pub now: Timestamp,
}

/// Requests of some minutes without a good answer.
struct Failed {
    failed: u64,
    requests: u64,
}

impl Departure {
    /// All minutes that are read, since the Unix epoch.
    #[must_use]
    pub fn minutes(self) -> Range<i64> {
        self.before().start..self.now.secs().div_euclid(60)
    }

    /// The last minutes in which the old colour had traffic.
    fn before(self) -> Range<i64> {
        let left = self.left_at.secs().div_euclid(60);
        left - i64::from(COMPARED_MINUTES)..left
    }

    /// The last `count` minutes that ended this long ago, of those that the new weights govern.
    fn after(self, count: u32, age: Duration) -> Range<i64> {
        let first = (self.left_at.secs() + SPREAD_SECS).div_euclid(60) + 1;
        let end = (self.now.secs() - age.as_secs().cast_signed()).div_euclid(60);
        first.max(end - i64::from(count))..end
    }

    /// How long the drain is over.
    fn waited(self) -> Duration {
        self.now.since(self.left_at).saturating_sub(self.drain)
    }
}

/// Requests to the old colour in the last minutes, in which the weights sent it none.
#[must_use]
pub fn late_requests(observed: &Observations<'_>, departure: Departure) -> u64 {
    let minutes = departure.after(QUIET_MINUTES, Duration::ZERO);
    let counts = minutes.filter_map(|at| observed.count(Side::Baseline, Metric::Requests, at));
    counts.sum()
}

/// The step in place of stopping the old colour, to which `ways` lead beside the weights, as far as
/// they are known.
#[must_use]
pub fn stop_or_keep(
    context: &PairContext<'_>,
    observed: &Observations<'_>,
    departure: Departure,
    ways: &[String],
) -> RetireStep {
    let pair = context.pair();
    let (old, new) = (pair.live, pair.idle());

    let settled = departure.after(COMPARED_MINUTES, METRIC_DELAY);
    let failed = mostly_failed(observed, Side::Canary, settled);
    // What failed for the old colour too is not the new revision's.
    let failed_before = mostly_failed(observed, Side::Baseline, departure.before());
    if let (Some(Failed { failed, requests }), None) = (failed, failed_before) {
        return RetireStep::Fail {
            failure: Failure::job(format!(
                "{failed} of {requests} requests to {new} had no good answer since it has all of \
                 the traffic; expected fewer than {FAILED_PERCENT}% in one of the last minutes; \
                 {old} keeps its tasks"
            )),
            cause: StepFailureCause::Precondition,
        };
    }

    let requests = late_requests(observed, departure);
    if requests == 0 {
        return RetireStep::Stop;
    }

    let found = format!(
        "100% to {new}; {old} got {requests} requests in the last {QUIET_MINUTES} minutes although \
         its weight is 0{}",
        listed(ways)
    );
    let waited = departure.waited();
    if waited >= REQUESTS_DEADLINE {
        let summary = format!("{found}; it keeps its tasks, which the next release replaces");
        return RetireStep::Done { summary };
    }
    RetireStep::Wait {
        summary: format!("{found}; {}", readable_of(waited, REQUESTS_DEADLINE)),
        percent: 60,
    }
}

fn listed(ways: &[String]) -> String {
    if ways.is_empty() {
        return String::new();
    }
    format!(", possibly by {}", ways.join(", "))
}

/// The requests of a side, if most of them failed in each of enough minutes.
fn mostly_failed(observed: &Observations<'_>, side: Side, minutes: Range<i64>) -> Option<Failed> {
    let of_minute = |at| {
        let count = |metric| observed.count(side, metric, at).unwrap_or(0);
        let requests = count(Metric::Requests);
        let good =
            count(Metric::Responses2xx) + count(Metric::Responses3xx) + count(Metric::Responses4xx);
        let failed = requests.saturating_sub(good);
        (requests > 0).then_some(Failed { failed, requests })
    };
    let counted: Vec<Failed> = minutes.filter_map(of_minute).collect();
    let is_failed = |it: &Failed| it.failed * 100 >= it.requests * FAILED_PERCENT;

    let all = Failed {
        failed: counted.iter().map(|it| it.failed).sum(),
        requests: counted.iter().map(|it| it.requests).sum(),
    };
    let is_enough = counted.len() >= FAILED_MINUTES && all.requests >= FAILED_REQUESTS;
    (is_enough && counted.iter().all(is_failed)).then_some(all)
}

#[cfg(test)]
mod tests;
