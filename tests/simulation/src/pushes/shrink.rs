//! Makes a failing run of pushes smaller: the fewest acts and incidents with which it still fails.

use super::plan::PushPlan;
use super::play::play;

/// The most runs that are spent on it.
const RUNS: usize = 200;

/// A smaller plan that still fails, perhaps of another invariant.
#[must_use]
pub fn shrink(plan: &PushPlan) -> PushPlan {
    let mut smallest = plan.clone();
    let mut left = RUNS;
    let mut fails = |candidate: &PushPlan| {
        left = left.saturating_sub(1);
        left > 0 && play(candidate, false).failure.is_some()
    };
    loop {
        let before = smallest.clone();
        let undoubled = PushPlan {
            doubled_percent: 0,
            ..smallest.clone()
        };
        if smallest.doubled_percent > 0 && fails(&undoubled) {
            smallest = undoubled;
        }
        for number in (0..smallest.incidents.len()).rev() {
            let mut candidate = smallest.clone();
            candidate.incidents.remove(number);
            if fails(&candidate) {
                smallest = candidate;
            }
        }
        for number in (0..smallest.acts.len()).rev() {
            let mut candidate = smallest.clone();
            candidate.acts.remove(number);
            if fails(&candidate) {
                smallest = candidate;
            }
        }
        if smallest == before {
            return smallest;
        }
    }
}
