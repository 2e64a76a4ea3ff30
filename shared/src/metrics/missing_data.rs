//! Decides what a counter without a point is: 0, or not known yet.
//!
//! CloudWatch has no point for a counter that stayed at 0, and none for one whose point is late.
//! Beside a present RequestCount the first is meant, so absent is zero. But a baseline whose many
//! errors come a minute late would look perfect beside a canary whose errors are there, and a
//! healthy canary would be rolled back for it. So a surprising zero waits, and one between minutes
//! full of errors never counts as zero.

/// Seconds after the end of a minute from which on a missing point is unlikely to come: late points
/// are published within three minutes, except for rare stragglers. Ours.
pub(crate) const STRAGGLE_SECS: i64 = 240;

/// A zero is not surprising where fewer events than this were expected: with 3 it happens in one
/// minute of twenty.
const SURPRISE: f64 = 3.0;

/// A zero where this many events were expected happens once in a thousand minutes.
pub(crate) const DISBELIEF: f64 = 7.0;

/// Rates of the other side up to this multiple of the usual rate count as normal.
const ALIKE: f64 = 3.0;

/// What is known about one counter in one minute. Rates are events per request.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    pub requests: f64,
    /// Seconds since the end of the minute.
    pub age_secs: i64,
    /// The other side's rate in the same minute.
    pub other: f64,
    /// The rate of the hour before the bake.
    pub usual: f64,
    /// Overdispersion φ, 1 or more: a minute without events has the chance e^(−expected/φ).
    pub dispersion: f64,
    /// The counter's own rates in the minutes before and after; 0 where it is absent as well.
    pub neighbours: [f64; 2],
}

/// The counter: its point, zero, or unknown.
#[must_use]
pub fn counted(point: Option<f64>, around: &Around) -> Option<f64> {
    if point.is_some() {
        return point;
    }

    let near = around.neighbours[0].max(around.neighbours[1]);
    let groups = around.requests / around.dispersion;
    let unbelievable = if around.age_secs < STRAGGLE_SECS {
        around.requests * near.max(around.other).max(around.usual) >= SURPRISE
    } else {
        // Where neither neighbour has an event, errors may have ended; a single hole between errors
        // is a lost point. So is one beside another side with its usual errors: they have not
        // ended, and the points of several minutes are lost.
        let amid = near > 0.0 && groups * near.max(around.usual) >= DISBELIEF;
        let as_ever = around.other > 0.0 && around.other <= ALIKE * around.usual;
        amid || as_ever && groups * around.usual >= DISBELIEF
    };
    (!unbelievable).then_some(0.0)
}

impl Default for Around {
    fn default() -> Self {
        Self {
            requests: 0.0,
            age_secs: 0,
            other: 0.0,
            usual: 0.0,
            dispersion: 1.0,
            neighbours: [0.0; 2],
        }
    }
}

#[cfg(test)]
mod tests;
