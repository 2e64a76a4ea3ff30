//! How far an open release is, and how the traffic of a pair is shared, for those who look at it.
//!
//! Nothing decides by it.

use super::names::names;
use super::{Lease, Phase, Release};
use crate::observed::weights::Weights;

names! {
    /// How far an open release is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Standing {
        /// The lease is taken and the prior release is not recorded.
        Beginning => "beginning",
        Open => "open",
        /// A step failed, and the release is not taken over yet.
        Failed => "failed",
        ReturningTraffic => "returning-traffic",
        WaitingForDecision => "waiting-for-a-decision",
        RollingBack => "rolling-back",
    }
}

impl Release {
    #[must_use]
    pub fn standing(&self) -> Standing {
        let pair = self.pair();
        match &self.phase {
            Phase::RollingBack { .. } => Standing::RollingBack,
            Phase::Open(_) if self.awaits_decision() => Standing::WaitingForDecision,
            Phase::Open(_) if pair.is_some_and(|pair| pair.traffic_return.is_some()) => {
                Standing::ReturningTraffic
            }
            Phase::Beginning | Phase::Open(_) if self.failure.is_some() => Standing::Failed,
            Phase::Beginning => Standing::Beginning,
            Phase::Open(_) => Standing::Open,
        }
    }

    /// Whether an inconclusive judgement waits for an operator's decision.
    #[must_use]
    pub fn awaits_decision(&self) -> bool {
        let awaiting = self.pair().and_then(|pair| pair.awaiting.as_ref());
        awaiting.is_some_and(|awaiting| awaiting.decision.is_none())
    }
}

impl Lease {
    /// The weights of a pair as the ledger has them: those that are known to be set last.
    #[must_use]
    pub fn known_weights(&self) -> Option<Weights> {
        let pair = self.release.as_ref().and_then(Release::pair);
        match pair.map(|pair| (pair, &pair.shift)) {
            Some((_, Some(shift))) if shift.made => Some(shift.to),
            Some((_, Some(shift))) => Some(shift.from),
            Some((pair, None)) => Some(pair.prior.weights()),
            None => self.last_known.as_ref().map(|known| known.weights),
        }
    }
}
