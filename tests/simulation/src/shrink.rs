//! Makes a failing plan smaller: the fewest incidents, answers and pushes with which it still
//! fails.

use super::plan::Plan;
use super::play::play;

/// The most runs that are spent on it.
const RUNS: usize = 120;

/// A smaller plan that still fails, perhaps of another invariant.
#[must_use]
pub fn shrink(plan: &Plan) -> Plan {
    let mut smallest = plan.clone();
    let mut left = RUNS;

    let mut fails = |candidate: &Plan| {
        left = left.saturating_sub(1);
        left > 0 && play(candidate, false).failure.is_some()
    };
    loop {
        let before = smallest.clone();
        halves(&mut smallest, &mut fails);
        singles(&mut smallest, &mut fails);
        if smallest == before {
            return smallest;
        }
    }
}

/// Leaves half of the incidents out at a time.
fn halves(plan: &mut Plan, fails: &mut impl FnMut(&Plan) -> bool) {
    while plan.incidents.len() > 3 {
        let middle = plan.incidents.len() / 2;
        let (first, second) = plan.incidents.split_at(middle);
        let halves = [first.to_vec(), second.to_vec()];
        let smaller = halves
            .into_iter()
            .map(|incidents| Plan {
                incidents,
                ..plan.clone()
            })
            .find(|half| fails(half));

        match smaller {
            Some(half) => *plan = half,
            None => return,
        }
    }
}

/// Leaves one thing out at a time.
fn singles(plan: &mut Plan, fails: &mut impl FnMut(&Plan) -> bool) {
    for number in (0..plan.incidents.len()).rev() {
        let mut candidate = plan.clone();
        candidate.incidents.remove(number);
        if fails(&candidate) {
            *plan = candidate;
        }
    }
    for number in (0..plan.traffic.len()).rev() {
        let mut candidate = plan.clone();
        candidate.traffic.remove(number);
        if fails(&candidate) {
            *plan = candidate;
        }
    }
    if plan.freeze.is_some() {
        let candidate = Plan {
            freeze: None,
            ..plan.clone()
        };
        if fails(&candidate) {
            *plan = candidate;
        }
    }
    for number in (0..plan.answers.len()).rev() {
        let mut candidate = plan.clone();
        candidate.answers.remove(number);
        if fails(&candidate) {
            *plan = candidate;
        }
    }

    // Only the last push can go: others are named by number.
    while plan.pushes.len() > 1 {
        let mut candidate = plan.clone();
        candidate.pushes.pop();
        if !fails(&candidate) {
            return;
        }
        *plan = candidate;
    }
}
