//! The prior release, as a part of a lease and of a record.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_with::skip_serializing_none;

use super::Contradiction;
use crate::observed::percentages::Percentages;
use crate::release::{FoundDeployment, Prior, PriorPair, PriorService};
use crate::timestamp::Timestamp;

/// The prior release as the steps of one service know it; of a pair, what the live colour ran.
#[skip_serializing_none]
#[derive(Serialize, Deserialize)]
struct StoredPrior {
    task_definition: String,
    desired_count: u32,
    percentages: Percentages,
    early_success: Option<u32>,
    found: Option<FoundDeployment>,
    recorded_at: Timestamp,
    pair: Option<PriorPair>,
}

impl Serialize for Prior {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredPrior::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Prior {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(StoredPrior::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl From<Prior> for StoredPrior {
    fn from(prior: Prior) -> Self {
        match prior {
            Prior::Service(prior) => Self {
                task_definition: prior.task_definition,
                desired_count: prior.desired_count,
                percentages: prior.percentages,
                early_success: prior.early_success,
                found: prior.found,
                recorded_at: prior.recorded_at,
                pair: None,
            },
            Prior::Pair { pair, recorded_at } => {
                let live = pair.of(pair.live).clone();
                Self {
                    task_definition: live.task_definition,
                    desired_count: live.desired_count,
                    percentages: live.percentages,
                    early_success: None,
                    found: None,
                    recorded_at,
                    pair: Some(*pair),
                }
            }
        }
    }
}

impl TryFrom<StoredPrior> for Prior {
    type Error = Contradiction;

    fn try_from(stored: StoredPrior) -> Result<Self, Contradiction> {
        let Some(pair) = stored.pair else {
            return Ok(Self::Service(PriorService {
                task_definition: stored.task_definition,
                desired_count: stored.desired_count,
                percentages: stored.percentages,
                early_success: stored.early_success,
                found: stored.found,
                recorded_at: stored.recorded_at,
            }));
        };

        let live = pair.of(pair.live);
        let fields = [
            (
                "prior.task_definition",
                live.task_definition != stored.task_definition,
            ),
            (
                "prior.desired_count",
                live.desired_count != stored.desired_count,
            ),
            ("prior.percentages", live.percentages != stored.percentages),
        ];

        match fields.into_iter().find(|(_, differs)| *differs) {
            None => Ok(Self::Pair {
                pair: Box::new(pair),
                recorded_at: stored.recorded_at,
            }),
            Some((field, _)) => Err(Contradiction {
                field,
                found: "not the live colour's",
                expected: "that of the live colour in `prior.pair`",
            }),
        }
    }
}
