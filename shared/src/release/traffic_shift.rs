//! The last move of a pair's traffic, as the ledger keeps it.

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::limits::{FUNCTION_TIMEOUT, STALE_READ};
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
    /// The change of Route 53 that sets the weights, once known; none with a listener rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Weights that this release announced before: an invocation that hung may still set one of
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Weights>,
}

impl TrafficShift {
    /// From here on it is known by which change of Route 53 the weights are set.
    pub(super) fn submit(&mut self, change: String) -> Result<(), Refusal> {
        self.refuse_confirmed()?;
        self.change = Some(change);
        Ok(())
    }

    /// From here on the weights bake, and the other colour drains.
    pub(super) fn confirm(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.refuse_confirmed()?;
        self.made = true;
        self.at = now;
        Ok(())
    }

    fn refuse_confirmed(&self) -> Result<(), Refusal> {
        if self.made {
            Err(Refusal::ShiftConfirmed)
        } else {
            Ok(())
        }
    }

    /// Whether the weights may never have been set: the invocation that announced them may have
    /// died before. Once Route 53 has a change of them, the previous weights are another writer's.
    pub(crate) fn may_be_unmade(&self) -> bool {
        !self.made && self.change.is_none()
    }

    /// Whether an invocation that hung can still set the weights that were announced with this
    /// shift or before it.
    pub(super) fn may_be_made_late(&self, now: Timestamp) -> bool {
        now.since(self.at) < FUNCTION_TIMEOUT
    }

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
    /// The announced ones count however long ago that was: the invocation may have set them and
    /// died before it recorded that, and then the traffic must go back. An operator's same weights
    /// cannot be distinguished from them.
    ///
    /// The weights before the shift count too while it may not have been made. Later, another
    /// writer set them if they are seen again.
    #[must_use]
    pub(crate) fn possible_weights(self) -> Vec<Weights> {
        let before = self.may_be_unmade().then_some(self.from);
        let mut possible = self.known;

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
    fn the_weights_before_a_shift_are_possible_until_it_is_known_to_be_made() {
        let [a, b, c] = [0, 20, 50].map(|percent| Weights::with(Colour::Green, percent));
        let at = Timestamp::from_secs(1_767_603_600).expect("in range");
        let shift = |made, known: &[Weights]| TrafficShift {
            from: a,
            to: b,
            at,
            made,
            change: None,
            known: known.to_vec(),
        };

        assert_eq!(shift(false, &[]).possible_weights(), [a, b]);
        assert_eq!(shift(true, &[]).possible_weights(), [b]);
        assert_eq!(shift(true, &[c, a]).possible_weights(), [c, a, b]);
        assert_eq!(shift(false, &[b, a]).possible_weights(), [b, a]);

        let submitted = TrafficShift {
            change: Some("/change/C1".to_owned()),
            ..shift(false, &[])
        };
        assert_eq!(submitted.possible_weights(), [b]);
    }
}
