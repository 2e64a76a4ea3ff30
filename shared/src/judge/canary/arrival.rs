//! Decides for each minute whether its counters are taken in, waited for or left out.
//!
//! Data comes late and with gaps. Unknown is never zero: a canary whose errors have not arrived
//! must not look healthy. A minute in doubt waits, and then what is in doubt is left out for good.

use super::answers::{Answers, BadRule};
use super::counts::{Counters, Counts, Minute, OwnCounter};

/// Minutes that a minute in doubt waits.
pub const WAIT_MINUTES: u32 = 3;

/// Answers must be at least this share of the response times.
const BALANCE: f64 = 0.98;

/// Answers by which the requests may be exceeded beside that, where bad is the difference.
const ANSWERS_SLACK: f64 = 5.0;

/// A minute as it is known at a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    pub minute: Minute,
    /// Whether every counter is final. A counter that is not is `None` in `minute`.
    pub is_final: bool,
}

/// What a minute is judged by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// Errors and 4xx, unless they are left out.
    pub answers: Option<AnswerCounts>,
    /// Each threshold, unless latency is left out.
    pub latency: Option<Vec<Counts>>,
    /// Each count of a user's own, unless it is left out.
    pub own: Vec<Option<Counts>>,
}

/// Counts of errors and of 4xx.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerCounts {
    pub errors: Counts,
    pub client_errors: Counts,
}

/// What is known beside the minute itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArrivalRules {
    pub bad: BadRule,
    /// Latency thresholds that are read in this minute; 0 in the warm-up.
    pub thresholds: usize,
    /// Counts of a user's own.
    pub own: usize,
    /// Whether the minute has waited long enough.
    pub has_waited: bool,
}

/// What a part of a minute is found to be.
#[derive(Debug, Clone, PartialEq)]
enum Usability<T> {
    Usable(T),
    Doubtful,
    Useless,
}

impl<T> Usability<T> {
    fn usable(self) -> Option<T> {
        match self {
            Self::Usable(found) => Some(found),
            Self::Doubtful | Self::Useless => None,
        }
    }
}

/// What a minute is judged by; `None` while it waits.
pub fn take(arrived: &Arrived, rules: ArrivalRules) -> Option<Taken> {
    let Minute { canary, baseline } = &arrived.minute;
    if canary.requests == Some(0) || baseline.requests == Some(0) {
        return Some(Taken {
            own: vec![None; rules.own],
            ..Taken::default()
        });
    }

    let answers = answers(canary, baseline, rules);
    let latency = latency(canary, baseline, rules.thresholds);
    let in_doubt = !arrived.is_final
        || matches!(answers, Usability::Doubtful)
        || matches!(latency, Usability::Doubtful);
    if in_doubt && !rules.has_waited {
        return None;
    }

    Some(Taken {
        answers: answers.usable(),
        latency: latency.usable(),
        own: own(canary, baseline, rules.own),
    })
}

/// A user's own counts are not waited for beyond what makes the whole minute wait. One that is
/// unknown then is left out alone.
fn own(canary: &Counters, baseline: &Counters, count: usize) -> Vec<Option<Counts>> {
    (0..count)
        .map(|place| own_counts(canary.own.get(place)?, baseline.own.get(place)?))
        .collect()
}

fn own_counts(canary: &OwnCounter, baseline: &OwnCounter) -> Option<Counts> {
    let canary_bad = canary.bad?;
    let counts = Counts {
        canary_requests: canary.total?,
        canary_bad,
        canary_bad_to_promote: canary_bad,
        baseline_requests: baseline.total?,
        baseline_bad: baseline.bad?,
    };
    is_consistent(&counts).then_some(counts)
}

fn answers(canary: &Counters, baseline: &Counters, rules: ArrivalRules) -> Usability<AnswerCounts> {
    let (Some(canary), Some(baseline)) = (side(canary, rules), side(baseline, rules)) else {
        return Usability::Doubtful;
    };
    let counts = |bad: &dyn Fn(&BalancedSide) -> u64| Counts {
        canary_requests: canary.answers.requests,
        canary_bad: bad(&canary),
        canary_bad_to_promote: bad(&canary),
        baseline_requests: baseline.answers.requests,
        baseline_bad: bad(&baseline),
    };
    Usability::Usable(AnswerCounts {
        errors: counts(&|side| side.bad),
        client_errors: counts(&|side| side.answers.rejected()),
    })
}

/// One side whose books balance.
struct BalancedSide {
    answers: Answers,
    bad: u64,
}

/// `None` where it is in doubt.
fn side(counters: &Counters, rules: ArrivalRules) -> Option<BalancedSide> {
    let answers = counters.answers()?;

    // Requests and nothing else may be late. After the wait nothing was answered: all of it is bad.
    if counters.is_silent() {
        let bad = answers.requests;
        return rules.has_waited.then_some(BalancedSide { answers, bad });
    }
    balances(&answers, counters.timed, rules.bad).then(|| BalancedSide {
        answers,
        bad: answers.bad(rules.bad),
    })
}

/// Whether answers, response times and requests agree with each other.
fn balances(answers: &Answers, timed: Option<u64>, rule: BadRule) -> bool {
    let answered = answers.answered() as f64;
    let enough = answered >= BALANCE * timed.unwrap_or(0) as f64;
    let few_enough = answered - ANSWERS_SLACK <= answers.requests as f64 / BALANCE;
    enough && (few_enough || rule == BadRule::Failures)
}

fn latency(canary: &Counters, baseline: &Counters, thresholds: usize) -> Usability<Vec<Counts>> {
    if thresholds == 0 {
        return Usability::Useless;
    }
    let (Some(canary_timed), Some(baseline_timed)) = (canary.timed, baseline.timed) else {
        return Usability::Doubtful;
    };

    let mut counts = Vec::with_capacity(thresholds);
    for threshold in 0..thresholds {
        let at = |slow: &[Option<u64>]| slow.get(threshold).copied().flatten();
        let found = (
            at(&canary.slow),
            at(&canary.slow_to_promote),
            at(&baseline.slow),
        );
        let (Some(slow), Some(slow_to_promote), Some(baseline_slow)) = found else {
            return Usability::Doubtful;
        };
        counts.push(Counts {
            canary_requests: canary_timed,
            canary_bad: slow,
            canary_bad_to_promote: slow_to_promote,
            baseline_requests: baseline_timed,
            baseline_bad: baseline_slow,
        });
    }

    if counts.iter().all(is_consistent) {
        Usability::Usable(counts)
    } else {
        Usability::Useless
    }
}

/// Whether both sides have something to count, and no more bad ones than that.
fn is_consistent(counts: &Counts) -> bool {
    let slow = counts.canary_bad.max(counts.canary_bad_to_promote);
    counts.canary_requests >= slow.max(1) && counts.baseline_requests >= counts.baseline_bad.max(1)
}

#[cfg(test)]
mod tests;
