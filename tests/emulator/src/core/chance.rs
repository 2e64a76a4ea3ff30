//! Rules of AWS that nobody could confirm: drawn both ways from the seed, and counted, so that a simulation can tell whether it
//! met both.

use std::collections::BTreeMap;

use super::Aws;

/// How often each of these rules was drawn: not so, and so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawn(BTreeMap<&'static str, [u32; 2]>);

impl Drawn {
    /// By the rule's name, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, [u32; 2])> {
        self.0.iter().map(|(rule, counts)| (*rule, *counts))
    }

    /// Adds what another account drew.
    pub fn add(&mut self, other: &Self) {
        for (rule, counts) in other.iter() {
            let known = self.0.entry(rule).or_default();
            (known[0], known[1]) = (known[0] + counts[0], known[1] + counts[1]);
        }
    }

    fn note(&mut self, rule: &'static str, drawn: bool) {
        self.0.entry(rule).or_default()[usize::from(drawn)] += 1;
    }
}

impl Aws {
    /// Whether an unconfirmed rule holds this time. `rule` says in a few words what it says when it holds.
    pub(crate) fn either(&mut self, rule: &'static str) -> bool {
        let drawn = self.rng.bool();
        self.drawn.note(rule, drawn);
        drawn
    }

    /// The same account with another future: chance is drawn from `seed` from here on, and so are the habits of services that
    /// it had drawn.
    pub fn reseed(&mut self, seed: u64) {
        self.rng = fastrand::Rng::with_seed(seed);
        self.ecs.forget_habits();
        self.iam.forget_habits();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_are_counted_and_a_seed_decides_them() {
        let drawn = |seed| {
            let mut aws = Aws::new(1);
            aws.reseed(seed);
            (0..64).for_each(|_| _ = aws.either("it is so"));
            aws.drawn
        };
        let [not, so] = drawn(3).0["it is so"];
        assert!(not > 0 && so > 0 && not + so == 64, "{not} + {so}");
        assert_eq!(drawn(3), drawn(3));
    }
}
