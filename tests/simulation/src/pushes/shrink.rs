//! Makes a failing run of pushes smaller: the fewest acts and incidents with which it still fails.

use super::plan::PushPlan;
use super::play::play;
use crate::shrink::{Parts, smallest, take_out};

/// A smaller plan that still fails, perhaps of another invariant.
#[must_use]
pub fn shrink(plan: &PushPlan) -> PushPlan {
    smallest(plan, |plan| play(plan, false).failure.is_some())
}

impl Parts for PushPlan {
    const RUNS: usize = 200;

    fn parts(&self) -> usize {
        usize::from(self.doubled_percent > 0) + self.acts.len() + self.incidents.len()
    }

    fn without(&self, number: usize) -> Self {
        let mut smaller = self.clone();
        if self.doubled_percent > 0 && number == 0 {
            smaller.doubled_percent = 0;
            return smaller;
        }
        let mut number = Some(number - usize::from(self.doubled_percent > 0));
        take_out(&mut smaller.acts, &mut number);
        take_out(&mut smaller.incidents, &mut number);
        smaller
    }
}
