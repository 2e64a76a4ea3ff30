//! Makes a failing run smaller: the fewest parts with which it still fails.

use super::plan::{Incident, Plan};

/// A run as plain data, of which parts can be left out.
pub(crate) trait Parts: Clone {
    /// The most runs that are spent on making one smaller.
    const RUNS: usize;

    /// How many parts can be left out, each by itself.
    fn parts(&self) -> usize;

    /// The same without the part of this number. Parts before it keep their numbers.
    fn without(&self, number: usize) -> Self;

    /// The same with less at a time, where single parts would take too many runs.
    fn halves(&self) -> Vec<Self> {
        Vec::new()
    }
}

/// A smaller run that still fails, perhaps of another invariant.
pub(crate) fn smallest<P: Parts>(run: &P, fails: impl Fn(&P) -> bool) -> P {
    let mut smallest = run.clone();
    let mut left = P::RUNS;
    let mut fails = |candidate: &P| {
        left = left.saturating_sub(1);
        left > 0 && fails(candidate)
    };
    loop {
        let before = smallest.parts();
        while let Some(half) = smallest.halves().into_iter().find(|half| fails(half)) {
            smallest = half;
        }
        for number in (0..smallest.parts()).rev() {
            let candidate = smallest.without(number);
            if fails(&candidate) {
                smallest = candidate;
            }
        }
        if smallest.parts() == before {
            return smallest;
        }
    }
}

/// Takes a part out by its number, or leaves the number that it has among the parts after these.
pub(crate) fn take_out<T>(parts: &mut Vec<T>, number: &mut Option<usize>) {
    let Some(at) = *number else { return };
    if at < parts.len() {
        parts.remove(at);
        *number = None;
    } else {
        *number = Some(at - parts.len());
    }
}

impl Parts for Plan {
    const RUNS: usize = 120;

    fn parts(&self) -> usize {
        let lists = self.incidents.len() + self.traffic.len() + self.answers.len();
        lists + usize::from(self.freeze.is_some()) + usize::from(self.pushes.len() > 1)
    }

    fn without(&self, number: usize) -> Self {
        let mut smaller = self.clone();
        let mut number = Some(number);
        take_out(&mut smaller.incidents, &mut number);
        take_out(&mut smaller.traffic, &mut number);
        let mut freeze = Vec::from_iter(smaller.freeze);
        take_out(&mut freeze, &mut number);
        smaller.freeze = freeze.pop();
        take_out(&mut smaller.answers, &mut number);
        // Only the last push can go: others are named by number.
        if number.is_some() {
            smaller.pushes.pop();
        }
        smaller
    }

    /// Halves of the incidents.
    fn halves(&self) -> Vec<Self> {
        if self.incidents.len() <= 3 {
            return Vec::new();
        }
        let (first, second) = self.incidents.split_at(self.incidents.len() / 2);
        let half = |incidents: &[Incident]| Self {
            incidents: incidents.to_vec(),
            ..self.clone()
        };
        vec![half(first), half(second)]
    }
}
