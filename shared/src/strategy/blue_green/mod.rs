//! A blue/green pair: two services behind one weighted rule, which of them is live, and what was recorded of both.
//!
//! Everything here is pure. A release goes to the idle colour; [`shift`] moves the traffic, [`restore`] brings it back, [`size`]
//! says how many tasks a colour needs to take all of it, and [`retire`] gives the old colour up.

pub mod retire;
pub mod rollback;
pub mod shift;
pub mod size;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::STALE_READ;
use crate::observed::service::{ServiceView, revision};
use crate::strategy::Percentages;
use crate::timestamp::Timestamp;

/// One of the two services of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    Blue,
    Green,
}

impl Colour {
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// The name of this colour's service in the pair `pair`, a name or an ARN.
    #[must_use]
    pub fn service(self, pair: &str) -> String {
        format!("{pair}-{self}")
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blue => "blue",
            Self::Green => "green",
        })
    }
}

/// One value for each colour of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerColour<T> {
    pub blue: T,
    pub green: T,
}

impl<T> PerColour<T> {
    #[must_use]
    pub fn of(&self, colour: Colour) -> &T {
        match colour {
            Colour::Blue => &self.blue,
            Colour::Green => &self.green,
        }
    }
}

/// The weights of both colours in the production rule, 0 to 999 each
/// (docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    pub blue: u32,
    pub green: u32,
}

impl Weights {
    /// `percent` of the traffic to `colour`, the rest to the other one.
    #[must_use]
    pub fn with(colour: Colour, percent: u32) -> Self {
        let (to, rest) = (percent.min(100), 100 - percent.min(100));
        match colour {
            Colour::Blue => Self {
                blue: to,
                green: rest,
            },
            Colour::Green => Self {
                blue: rest,
                green: to,
            },
        }
    }

    #[must_use]
    pub fn of(self, colour: Colour) -> u32 {
        match colour {
            Colour::Blue => self.blue,
            Colour::Green => self.green,
        }
    }

    /// The colour's share of the traffic, in percent, rounded down; 0 when no colour gets any.
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

/// A pair before a release changed it: what a rollback restores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorPair {
    /// ARN of the listener rule, or of the listener whose default action it is.
    pub rule: String,
    pub live: Colour,
    pub blue: PriorColour,
    pub green: PriorColour,
}

/// One colour before the release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorColour {
    /// ARN of the colour's group in the production rule.
    pub target_group: String,
    pub weight: u32,
    pub task_definition: String,
    pub desired_count: u32,
    pub percentages: Percentages,
    /// Whether dynamic scale-in was suspended; none without automatic scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
}

impl PriorPair {
    #[must_use]
    pub fn of(&self, colour: Colour) -> &PriorColour {
        match colour {
            Colour::Blue => &self.blue,
            Colour::Green => &self.green,
        }
    }

    #[must_use]
    pub fn idle(&self) -> Colour {
        self.live.other()
    }

    #[must_use]
    pub fn weights(&self) -> Weights {
        Weights {
            blue: self.blue.weight,
            green: self.green.weight,
        }
    }

    /// Why a step has nothing to do, when the live colour already runs the revision.
    #[must_use]
    pub fn already_live(&self, task_definition: &str) -> Option<String> {
        let live = self.live;
        if self.of(live).task_definition != task_definition {
            return None;
        }
        Some(format!(
            "nothing to do: live colour {live} already runs {}",
            revision(task_definition)
        ))
    }
}

/// How automatic scaling of one colour stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingView {
    /// Dynamic scaling never takes tasks away while this is on.
    pub scale_in_suspended: bool,
}

/// A pair as one observation saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairView {
    pub observed_at: Timestamp,
    pub weights: Weights,
    pub blue: ServiceView,
    pub green: ServiceView,
}

impl PairView {
    #[must_use]
    pub fn of(&self, colour: Colour) -> &ServiceView {
        match colour {
            Colour::Blue => &self.blue,
            Colour::Green => &self.green,
        }
    }

    /// How many targets of a colour's production group are healthy.
    #[must_use]
    pub fn healthy(&self, pair: &PriorPair, colour: Colour) -> u32 {
        let group = &pair.of(colour).target_group;
        self.of(colour)
            .target_groups
            .iter()
            .find(|found| found.arn == *group)
            .map_or(0, |found| found.healthy)
    }
}

/// The traffic that a release last moved: announced, then made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficShift {
    pub from: Weights,
    pub to: Weights,
    /// When it was announced; once it is known to have been made, when that was known. Bake and drain count from here.
    pub at: Timestamp,
    /// Whether it is known to have been made.
    pub made: bool,
    /// What this release announced before: an invocation that hung may still set one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Weights>,
}

impl TrafficShift {
    /// Whether `seen`, read at `now`, may be older than this shift: it is what was before, and the shift was made only just.
    #[must_use]
    pub fn may_be_unseen(&self, seen: Weights, now: Timestamp) -> bool {
        self.made && seen == self.from && seen != self.to && now.since(self.at) < STALE_READ
    }

    /// What is waited for while the rule is read as it was before this shift.
    #[must_use]
    pub fn waiting(&self) -> String {
        format!(
            "waiting for the rule to show {}; it shows {} as before",
            self.to, self.from
        )
    }

    /// Weights that this release may have set. Once the shift is confirmed, earlier weights count as
    /// external.
    #[must_use]
    pub fn announced(self) -> Vec<Weights> {
        let mut known = self.known;
        for weights in [(!self.made).then_some(self.from), Some(self.to)]
            .into_iter()
            .flatten()
        {
            if !known.contains(&weights) {
                known.push(weights);
            }
        }
        known
    }
}

#[cfg(test)]
pub(crate) mod tests;
