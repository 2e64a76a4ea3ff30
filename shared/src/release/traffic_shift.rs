//! The last move of a pair's traffic, as the ledger keeps it.

use serde::{Deserialize, Serialize};

use crate::limits::STALE_READ;
use crate::observed::weights::Weights;
use crate::timestamp::Timestamp;

/// The traffic that a release last moved: announced, then set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficShift {
    pub from: Weights,
    pub to: Weights,
    /// When it was announced; once the weights are known to be set, when that became known. Bake
    /// and drain count from here.
    pub at: Timestamp,
    /// Whether the weights are known to be set.
    pub made: bool,
    /// Weights that this release announced before: an invocation that hung may still set one of
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Weights>,
}

impl TrafficShift {
    /// Whether `seen`, read at `now`, may be older than this shift: the weights are those of
    /// before, and the shift was confirmed less than [`STALE_READ`] ago.
    #[must_use]
    pub(crate) fn may_be_unseen(&self, seen: Weights, now: Timestamp) -> bool {
        self.made && seen == self.from && seen != self.to && now.since(self.at) < STALE_READ
    }

    /// The summary of a wait for a rule that is read as it was before this shift.
    #[must_use]
    pub fn waiting(&self) -> String {
        format!(
            "waiting for the rule to show {}; it shows {} as before",
            self.to, self.from
        )
    }

    /// Weights this release may have set.
    ///
    /// Until the shift is confirmed, the weights before it count too: the invocation that announced
    /// it may have died before it set anything. After the shift is confirmed they do not: if they
    /// are seen again, another writer set them.
    #[must_use]
    pub(crate) fn possible_weights(self) -> Vec<Weights> {
        let mut possible = self.known;
        let before = (!self.made).then_some(self.from);

        for weights in [before, Some(self.to)].into_iter().flatten() {
            if !possible.contains(&weights) {
                possible.push(weights);
            }
        }
        possible
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::colour::Colour;

    #[test]
    fn the_weights_before_a_shift_are_possible_until_it_is_confirmed() {
        let [a, b, c] = [0, 20, 50].map(|percent| Weights::with(Colour::Green, percent));
        let at = Timestamp::from_secs(1_767_603_600).expect("in range");
        let shift = |made, known: &[Weights]| TrafficShift {
            from: a,
            to: b,
            at,
            made,
            known: known.to_vec(),
        };

        assert_eq!(shift(false, &[]).possible_weights(), [a, b]);
        assert_eq!(shift(true, &[]).possible_weights(), [b]);
        assert_eq!(shift(true, &[c, a]).possible_weights(), [c, a, b]);
        assert_eq!(shift(false, &[b, a]).possible_weights(), [b, a]);
    }
}
