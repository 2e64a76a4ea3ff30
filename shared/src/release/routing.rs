//! What the last release of a pair left behind: the next one uses it where the production rule
//! alone is ambiguous.

use super::{Outcome, PairTarget};
use crate::observed::colour::{Colour, PerColour};
use crate::observed::weights::Weights;

/// The live colour, its weights, and the scale-in settings that are still to be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastKnownRouting {
    pub live: Colour,
    pub weights: Weights,
    /// Whether scale-in of a colour was suspended before it was suspended by a release that did not
    /// restore it.
    pub scale_in_to_restore: PerColour<Option<bool>>,
}

impl LastKnownRouting {
    /// What is known after the release of `pair` closed with `outcome`, given what was known
    /// `before`. A superseded release leaves the values unchanged.
    pub(super) fn after(pair: &PairTarget, outcome: Outcome, before: Option<Self>) -> Option<Self> {
        if outcome == Outcome::Superseded {
            return before;
        }

        let promoted = pair.shift.as_ref().filter(|_| outcome == Outcome::Deployed);
        let live = if promoted.is_some() {
            pair.prior.idle()
        } else {
            pair.prior.live
        };

        let scale_in_to_restore = PerColour::from_fn(|colour| match pair.scale_in_suspended {
            Some(true) => pair.prior.of(colour).suspended,
            Some(false) => None,
            None => before.and_then(|before| *before.scale_in_to_restore.of(colour)),
        });

        Some(Self {
            live,
            weights: promoted.map_or(pair.prior.weights(), |shift| shift.to),
            scale_in_to_restore,
        })
    }
}
