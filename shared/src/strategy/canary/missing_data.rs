//! What a counter is that has no point: 0, or not known yet.
//!
//! CloudWatch has no point for a counter that stayed at 0, and none for one whose point is late. Beside a present RequestCount the
//! first is meant, so absent is zero. But a baseline whose many errors come a minute late would look perfect beside a canary whose
//! errors are there, and a healthy canary would be rolled back for it. So a zero that would be a surprise is waited for, and one
//! amid minutes full of errors is not believed at all.

/// Seconds after the end of a minute from which on a point that is not there will hardly come: what is published late is published
/// within three minutes, but for rare stragglers. Ours.
pub const STRAGGLE_SECS: i64 = 240;

/// A zero is no surprise where fewer events than this were expected: with 3 it happens in one minute of twenty.
const SURPRISE: f64 = 3.0;

/// A zero between minutes that let so many events be expected happens once in a thousand minutes.
pub const DISBELIEF: f64 = 7.0;

/// Up to so many times the usual rate the other side has what both usually have.
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
    /// How many events come at once (φ, 1 or more): a minute without any has the chance e^(−expected/φ).
    pub clump: f64,
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
    let clumps = around.requests / around.clump;
    let unbelievable = if around.age_secs < STRAGGLE_SECS {
        around.requests * near.max(around.other).max(around.usual) >= SURPRISE
    } else {
        // Where neither neighbour has an event, errors may have ended; a single hole amid them is a lost point. So is one beside
        // another side that has as many as ever: they have not ended, and the points of several minutes are lost.
        let amid = near > 0.0 && clumps * near.max(around.usual) >= DISBELIEF;
        let as_ever = around.other > 0.0 && around.other <= ALIKE * around.usual;
        amid || as_ever && clumps * around.usual >= DISBELIEF
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
            clump: 1.0,
            neighbours: [0.0; 2],
        }
    }
}

#[cfg(test)]
mod tests;
