//! The traffic of a blue/green pair, moved by a step and given back by it: announced in the lease, made, and written down as made.
//!
//! A step that sees a reason to return the traffic does so in the same invocation.
//!
//! The one module outside `aws/` that does I/O.

use crate::aws::{Ledger, ObservedPair, Pairs, Sdk, Services};
use crate::job::{Failure, StepError};
use crate::release::{Event, Lease, Release, apply};
use crate::strategy::blue_green::rollback::{Way, way_back};
use crate::strategy::blue_green::{PriorPair, TrafficShift, Weights};
use crate::timestamp::Timestamp;

/// Moves the traffic of pairs.
#[derive(Clone, Debug)]
pub struct Traffic {
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
    sdk: Sdk,
}

/// How far the traffic's way back is, in words.
#[derive(Debug)]
pub enum WayBack {
    /// The old colour cannot take all of it yet.
    Going(String),
    /// It has all of it again; the lease as it was written last.
    Back(String, Box<Lease>),
}

impl Traffic {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            pairs: Pairs::new(sdk),
            sdk: sdk.clone(),
        }
    }

    /// Announces weights, sets them, and writes down that they are set; answers the lease as it was written last.
    ///
    /// # Errors
    /// `Busy` when another invocation was faster; a failure when AWS refuses.
    pub async fn route(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        seen: &ObservedPair,
        to: Weights,
    ) -> Result<Lease, StepError> {
        let from = seen.view.weights;
        let announced = apply(lease, Event::ShiftAnnounced { from, to }, self.sdk.now())?;
        self.ledger.advance(&announced).await?;
        self.pairs.route(seen, pair, to).await?;
        let made = apply(&announced, Event::ShiftConfirmed, self.sdk.now())?;
        self.ledger.advance(&made).await?;
        Ok(made)
    }

    /// Gives the recorded weights back, once the old colour can take all of the traffic. The lease must say why.
    ///
    /// # Errors
    /// As [`Self::route`].
    pub async fn give_back(
        &self,
        lease: Lease,
        pair: &PriorPair,
        now: Timestamp,
    ) -> Result<WayBack, StepError> {
        let seen = self
            .pairs
            .observe(&lease, pair, &[pair.live, pair.idle()])
            .await?;
        let target = lease.release.as_ref().and_then(Release::pair);
        let Some((target, decided)) =
            target.and_then(|target| Some((target, target.traffic_return.clone()?)))
        else {
            return Err(
                Failure::job("the traffic goes back for a reason that was not recorded").into(),
            );
        };
        let (reason, recorded) = (decided.reason, pair.weights());
        let back = format!("{reason}; the traffic is back at {recorded}");
        // Weights that are read as recorded may be older than a shift that moved them: they are set once more.
        let shift = target.shift.as_ref();
        let unseen = shift
            .is_some_and(|shift| shift.may_be_unseen(seen.view.weights, seen.view.observed_at));
        if seen.view.weights == recorded && !unseen {
            return Ok(WayBack::Back(back, Box::new(lease)));
        }
        let known = target
            .shift
            .clone()
            .map_or_else(Vec::new, TrafficShift::announced);
        if seen.view.weights != recorded && !unseen && !known.contains(&seen.view.weights) {
            return Err(Failure::job(format!(
                "{reason}; the weights were set to {} outside this release and are left unchanged",
                seen.view.weights
            ))
            .into());
        }
        let lease = match way_back(target, &seen.view, now.since(decided.since)) {
            Way::Size { count, and_move } => {
                let raised = Event::RaiseAnnounced { tasks: count };
                let lease = apply(&lease, raised, now)?;
                self.ledger.advance(&lease).await?;
                self.services.resize(seen.of(pair.live), count).await?;
                if !and_move {
                    return Ok(WayBack::Going(format!(
                        "{reason}; {} grows to {count} tasks first",
                        pair.live
                    )));
                }
                lease
            }
            Way::Wait(why) => return Ok(WayBack::Going(format!("{reason}; {why}"))),
            Way::Move => lease,
        };
        let made = self.route(&lease, pair, &seen, recorded).await?;
        Ok(WayBack::Back(back, Box::new(made)))
    }
}
