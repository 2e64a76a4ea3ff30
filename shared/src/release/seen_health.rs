//! What a release remembers of its new colour's health while it has traffic.

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// What looks have seen of the new colour's health while it had traffic. A single one proves
/// nothing, and no process remembers the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenHealth {
    /// The most of its tasks that were healthy at one look.
    pub most: u32,
    /// The loss of its health that is not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<HealthLoss>,
}

/// A time in which too few targets of the new colour are healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthLoss {
    pub since: Timestamp,
    /// Since when enough of them are healthy again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_at: Option<Timestamp>,
}
