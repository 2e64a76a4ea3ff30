//! The weights of a pair's production rule: how the traffic is shared between the colours.

use std::fmt;

use super::colour::{Colour, PerColour};

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

#[cfg(test)]
mod tests;
