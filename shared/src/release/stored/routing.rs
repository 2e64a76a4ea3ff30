//! What the last release of a pair left behind, as a part of a lease.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::skip_serializing_none;

use crate::observed::colour::{Colour, PerColour};
use crate::observed::scaling::RecordedScaling;
use crate::observed::weights::Weights;
use crate::release::{KnownRule, LastKnownRouting, SuspendedStickiness};

#[skip_serializing_none]
#[derive(Serialize, Deserialize)]
struct StoredRouting {
    live: Colour,
    blue: u32,
    green: u32,
    owed_blue: Option<bool>,
    owed_green: Option<bool>,
    owed_blue_schedule: Option<bool>,
    owed_green_schedule: Option<bool>,
    stickiness: Option<SuspendedStickiness>,
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
        let PerColour { blue, green } = known.scaling_to_restore;
        let scale_in = |owed: Option<RecordedScaling>| owed.map(|owed| owed.scale_in_suspended);
        let schedule =
            |owed: Option<RecordedScaling>| owed.and_then(|owed| owed.schedule_suspended);
        Self {
            live: known.live,
            blue: known.weights.blue,
            green: known.weights.green,
            owed_blue: scale_in(blue),
            owed_green: scale_in(green),
            owed_blue_schedule: schedule(blue),
            owed_green_schedule: schedule(green),
            stickiness: known.stickiness,
            rule: known.rule,
        }
    }
}

impl From<StoredRouting> for LastKnownRouting {
    fn from(stored: StoredRouting) -> Self {
        let owed = |scale_in: Option<bool>, schedule_suspended| {
            scale_in.map(|scale_in_suspended| RecordedScaling {
                scale_in_suspended,
                schedule_suspended,
            })
        };
        Self {
            live: stored.live,
            weights: Weights {
                blue: stored.blue,
                green: stored.green,
            },
            scaling_to_restore: PerColour {
                blue: owed(stored.owed_blue, stored.owed_blue_schedule),
                green: owed(stored.owed_green, stored.owed_green_schedule),
            },
            stickiness: stored.stickiness,
            rule: stored.rule,
        }
    }
}
