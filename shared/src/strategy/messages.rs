//! Phrases that the steps of several strategies report.

use std::time::Duration;

use crate::timestamp::readable;

/// The wait for invocations that announced a change and may still make it.
#[must_use]
pub fn waiting_for_grace(left: Duration) -> String {
    format!(
        "waiting {} for earlier invocations to time out",
        readable(left)
    )
}
