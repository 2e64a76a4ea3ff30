//! What the last release of a pair left behind, as a part of a lease.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::skip_serializing_none;

use crate::observed::colour::{Colour, PerColour};
use crate::observed::weights::Weights;
use crate::release::{KnownRule, LastKnownRouting};

#[skip_serializing_none]
#[derive(Serialize, Deserialize)]
struct StoredRouting {
    live: Colour,
    blue: u32,
    green: u32,
    owed_blue: Option<bool>,
    owed_green: Option<bool>,
    rule: Option<KnownRule>,
}

impl Serialize for LastKnownRouting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredRouting::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LastKnownRouting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredRouting::deserialize(deserializer).map(Self::from)
    }
}

impl From<LastKnownRouting> for StoredRouting {
    fn from(known: LastKnownRouting) -> Self {
        Self {
            live: known.live,
            blue: known.weights.blue,
            green: known.weights.green,
            owed_blue: known.scale_in_to_restore.blue,
            owed_green: known.scale_in_to_restore.green,
            rule: known.rule,
        }
    }
}

impl From<StoredRouting> for LastKnownRouting {
    fn from(stored: StoredRouting) -> Self {
        Self {
            live: stored.live,
            weights: Weights {
                blue: stored.blue,
                green: stored.green,
            },
            scale_in_to_restore: PerColour {
                blue: stored.owed_blue,
                green: stored.owed_green,
            },
            rule: stored.rule,
        }
    }
}
