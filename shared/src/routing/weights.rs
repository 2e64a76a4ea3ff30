//! The weights of a pair's production rule, and the last traffic move of a release, as the ledger
//! keeps it.
//!
//! Everything here is pure; [`super::mover`] sets the weights.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::STALE_READ;
use crate::observed::colour::{Colour, PerColour};
use crate::timestamp::Timestamp;

/// The weights of both colours in the production rule, 0 to 999 each
/// (docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html).
pub type Weights = PerColour<u32>;

impl Weights {
    /// `percent` of the traffic to `colour`, the rest to the other one.
    #[must_use]
    pub fn with(colour: Colour, percent: u32) -> Self {
        let share = percent.min(100);
        match colour {
            Colour::Blue => Self {
                blue: share,
                green: 100 - share,
            },
            Colour::Green => Self {
                blue: 100 - share,
                green: share,
            },
        }
    }

    /// The colour's share of the traffic, in percent, rounded down; 0 when both weights are 0.
    #[must_use]
    pub fn percent(self, colour: Colour) -> u32 {
        (self.of(colour) * 100)
            .checked_div(self.blue + self.green)
            .unwrap_or(0)
    }

    /// The colour that gets all of the traffic, if one does.
    #[must_use]
    pub fn live(self) -> Option<Colour> {
        match (self.blue > 0, self.green > 0) {
            (true, false) => Some(Colour::Blue),
            (false, true) => Some(Colour::Green),
            _ => None,
        }
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blue {} / green {}", self.blue, self.green)
    }
}

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
    pub fn may_be_unseen(&self, seen: Weights, now: Timestamp) -> bool {
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
    pub fn possible_weights(self) -> Vec<Weights> {
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
mod tests;
