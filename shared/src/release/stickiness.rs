//! The stickiness of a rule that the return of the traffic switched off, so that no client stays
//! with the colour that loses it. It is owed until it is on again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::FUNCTION_TIMEOUT;
use crate::observed::colour::Colour;
use crate::timestamp::{Timestamp, readable};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspendedStickiness {
    /// For how long the rule bound a client after each response, in seconds.
    pub secs: u64,
    /// When it was announced to be switched off.
    pub at: Timestamp,
}

impl SuspendedStickiness {
    #[must_use]
    pub(super) fn new(duration: Duration, at: Timestamp) -> Self {
        Self {
            secs: duration.as_secs(),
            at,
        }
    }

    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.secs)
    }

    /// Whether it may be switched on again. Before that, clients may still have a cookie that would
    /// bind them to the other colour: the invocation that announced the change may have made it as
    /// late as its time-out, and until then each response renewed their cookies.
    #[must_use]
    pub fn is_due(self, now: Timestamp) -> bool {
        now.since(self.at) >= self.off_for()
    }

    /// That no client stays with `new`, to be added to a summary.
    #[must_use]
    pub fn describe(self, new: Colour) -> String {
        format!(
            "; the stickiness of the rule is off for {}, so that no client stays with {new}",
            readable(self.off_for())
        )
    }

    fn off_for(self) -> Duration {
        self.duration() + FUNCTION_TIMEOUT
    }
}

/// That clients stay with `new` because AWS kept the rule sticky, to be added to a summary.
#[must_use]
pub fn bound_clients(new: Colour, sticky: Duration) -> String {
    format!(
        "; clients that the rule binds to {new} get 503 once it has no targets, until {} after \
         their last response",
        readable(sticky)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::at;

    #[test]
    fn stickiness_stays_off_until_every_cookie_from_before_has_ended() {
        let off = SuspendedStickiness::new(Duration::from_secs(600), at(0));
        assert_eq!(off.duration(), Duration::from_secs(600));
        for (secs, due) in [(0, false), (600, false), (659, false), (660, true)] {
            assert_eq!(off.is_due(at(secs)), due, "{secs} s");
        }
        assert_eq!(
            off.describe(Colour::Green),
            "; the stickiness of the rule is off for 11m00s, so that no client stays with green"
        );
    }
}
