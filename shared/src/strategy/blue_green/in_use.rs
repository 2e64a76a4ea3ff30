//! Whether the old colour may be stopped, by the metrics of its load balancer: not while clients
//! send it requests although its weight is 0, and not while most requests to the new colour fail.
//! During the last bake these take the traffic back.
//!
//! Everything here is pure. A metric without points proves nothing, and keeps no colour running.

use std::ops::Range;
use std::time::Duration;

use super::context::PairContext;
use super::retire::RetireStep;
use crate::job::Failure;
use crate::judge::canary::answers::{Answers, BadRule};
use crate::limits::{
    COMPARED_MINUTES, FAILED_MINUTES, FAILED_PERCENT, FAILED_REQUESTS, METRIC_DELAY, QUIET_MINUTES,
    REQUESTS_DEADLINE,
};
use crate::metrics::alb::counters;
use crate::metrics::source::{Observations, Side, SourceMetric};
use crate::observed::colour::Colour;
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
    /// Whether the action has time to wait.
    pub may_wait: bool,
}

/// What leads to the old colour beside the weights, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// What sends clients: rules, and cookies.
    pub clients: Vec<String>,
    /// Rules that only tests use. No metric separates their requests from those of clients.
    pub tests: Vec<String>,
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

    /// The last `count` minutes under the new weights that ended at least this long ago.
    fn after(self, count: u32, age: Duration) -> Range<i64> {
        let first = (self.left_at.secs() + SPREAD_SECS).div_euclid(60) + 1;
        let end = (self.now.secs() - age.as_secs().cast_signed()).div_euclid(60);
        first.max(end - i64::from(count))..end
    }

    /// The last minutes under the new weights whose metrics have arrived.
    fn settled(self) -> Range<i64> {
        self.after(COMPARED_MINUTES, METRIC_DELAY)
    }

    /// How long ago the drain ended.
    fn waited(self) -> Duration {
        self.now.since(self.left_at).saturating_sub(self.drain)
    }

    /// The step that keeps the old colour for what was found. That is waited for to pass, and then
    /// the colour is left with its tasks.
    fn keep(self, found: &str) -> RetireStep {
        let waited = self.waited();
        if waited >= REQUESTS_DEADLINE || !self.may_wait {
            let summary = format!("{found}; it keeps its tasks, which the next release replaces");
            return RetireStep::Done { summary };
        }
        RetireStep::Wait {
            summary: format!("{found}; {}", readable_of(waited, REQUESTS_DEADLINE)),
            percent: 60,
        }
    }
}

impl Ways {
    /// Whether tests are known to send requests, and nothing else is.
    fn are_tests(&self) -> bool {
        self.clients.is_empty() && !self.tests.is_empty()
    }

    fn listed(&self) -> String {
        let all: Vec<&str> = self
            .clients
            .iter()
            .chain(&self.tests)
            .map(String::as_str)
            .collect();
        if all.is_empty() {
            return String::new();
        }
        format!(", possibly by {}", all.join(", "))
    }
}

/// Requests to the old colour in the last minutes, in which the weights sent it none.
#[must_use]
pub fn late_requests(observed: &Observations<'_>, departure: Departure) -> u64 {
    let minutes = departure.after(QUIET_MINUTES, Duration::ZERO);
    let counts =
        minutes.filter_map(|at| observed.count(Side::Baseline, SourceMetric::Requests, at));
    counts.sum()
}

/// The step in place of stopping the old colour, while requests can reach it by other ways than the
/// weights.
#[must_use]
pub fn stop_or_keep(
    context: &PairContext<'_>,
    observed: &Observations<'_>,
    departure: Departure,
    ways: &Ways,
) -> RetireStep {
    let pair = context.pair();
    let (old, new) = (pair.live, pair.idle());

    if let Some(failed) = most_failed(new, observed, departure) {
        return RetireStep::Fail {
            failure: Failure::job(format!("{failed}; {old} keeps its tasks")),
            cause: StepFailureCause::Precondition,
        };
    }

    let requests = late_requests(observed, departure);
    if requests == 0 || ways.are_tests() {
        return RetireStep::Stop;
    }

    let found = format!(
        "100% to {new}; {old} got {requests} requests in the last {QUIET_MINUTES} minutes although \
         its weight is 0{}",
        ways.listed()
    );
    departure.keep(&found)
}

/// Why the new colour must not keep all of the traffic, by its answers: most of them are failures,
/// and neither were those of the old colour nor do most of its targets fail their checks.
#[must_use]
pub fn must_go_back(
    context: &PairContext<'_>,
    observed: &Observations<'_>,
    departure: Departure,
) -> Option<String> {
    let failed = most_failed(context.pair().idle(), observed, departure)?;
    most_work(old_targets(context)).then_some(failed)
}

/// When all of the traffic left the old colour, for a look at the answers of the new one; none
/// while it has not, and before enough minutes have settled for failures to show.
#[must_use]
pub fn settled_departure(context: &PairContext<'_>) -> Option<Departure> {
    let PairContext { target, view } = context;
    let shift = target.shift.as_ref();
    let shift = shift.filter(|shift| shift.made && shift.to == view.weights)?;
    let departure = Departure {
        left_at: shift.at,
        drain: Duration::ZERO,
        now: view.observed_at,
        may_wait: false,
    };

    let has_all = view.weights.live() == Some(target.prior.idle());
    let settled = departure.settled().count();
    (has_all && settled >= FAILED_MINUTES).then_some(departure)
}

/// The healthy targets of the old colour, and its tasks.
fn old_targets(context: &PairContext<'_>) -> (u32, u32) {
    let PairContext { target, view } = context;
    let (pair, old) = (&target.prior, target.prior.live);
    (pair.healthy(view, old), view.of(old).desired)
}

fn most_work((healthy, tasks): (u32, u32)) -> bool {
    healthy * 2 >= tasks
}

/// The step in place of a failure for the requests to the new colour, with the target health of the
/// old one: where most of its targets fail their checks too, the failure is not the new revision's.
#[must_use]
pub fn unless_both_fail(
    step: RetireStep,
    context: &PairContext<'_>,
    departure: Departure,
) -> RetireStep {
    let (old, new) = (context.pair().live, context.pair().idle());
    let (healthy, tasks) = old_targets(context);
    let is_failure = matches!(step, RetireStep::Fail { .. });
    if !is_failure || most_work((healthy, tasks)) {
        return step;
    }
    departure.keep(&format!(
        "100% to {new}, which fails most requests; {healthy} of {tasks} targets of {old} are \
         healthy, so it fails too"
    ))
}

/// The step in place of stopping the old colour while an alarm of the action does not exist: it was
/// deleted after the traffic moved, or is being replaced. It shows nothing, and no release that
/// serves fails for that.
#[must_use]
pub fn without_alarm(context: &PairContext<'_>, departure: Departure, alarm: &str) -> RetireStep {
    let (old, new) = (context.pair().live, context.pair().idle());
    departure.keep(&format!(
        "100% to {new}; alarm {alarm} does not exist any more, so {old} is not stopped"
    ))
}

/// That most requests to the new colour failed in the last minutes, in words.
fn most_failed(new: Colour, observed: &Observations<'_>, departure: Departure) -> Option<String> {
    let answers = failing(observed, departure)?;
    Some(format!(
        "{} of the last {} requests to {new} failed, by 5XX or a refused connection; expected \
         fewer than {FAILED_PERCENT}% in one of the last minutes",
        answers.bad(BadRule::Failures),
        answers.requests
    ))
}

/// The last minutes in which most requests to the new colour failed, if there are enough of them
/// and none in which most were served. Requests without an answer are neither: sockets that are
/// kept open have none, and some clients go away. What failed for the old colour too is not the new
/// revision's; without requests to it nothing is known of that.
fn failing(observed: &Observations<'_>, departure: Departure) -> Option<Answers> {
    let minutes = answers(observed, Side::Canary, departure.settled());
    let failed = minutes.iter().copied();
    let failed: Vec<Answers> = failed.filter(|it| fails(it, BadRule::Failures)).collect();
    let all = total(&failed);
    let is_enough = failed.len() >= FAILED_MINUTES && all.requests >= FAILED_REQUESTS;
    // A minute whose failures have not arrived yet is neither.
    let is_served = |minute: &Answers| !fails(minute, BadRule::Difference);

    let before = total(&answers(observed, Side::Baseline, departure.before()));
    let had_worked = !fails(&before, BadRule::Failures);
    (is_enough && had_worked && !minutes.iter().any(is_served)).then_some(all)
}

/// Whether most requests are bad; without requests too.
fn fails(answers: &Answers, rule: BadRule) -> bool {
    answers.bad(rule) * 100 >= answers.requests * FAILED_PERCENT
}

/// The results of the requests to a side, for each of these minutes that has requests.
fn answers(observed: &Observations<'_>, side: Side, minutes: Range<i64>) -> Vec<Answers> {
    let answers = minutes.filter_map(|at| counters(observed, 0, side, at).answers());
    answers.filter(|answers| answers.requests > 0).collect()
}

fn total(minutes: &[Answers]) -> Answers {
    let mut all = Answers::default();
    for minute in minutes {
        all.add(minute);
    }
    all
}

#[cfg(test)]
mod tests;
