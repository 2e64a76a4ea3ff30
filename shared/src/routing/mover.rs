//! Moves the traffic of a pair and returns it: announced in the lease, set, and recorded as set.
//!
//! Besides the runner of a step, this is the only module outside `aws/` that performs I/O. Several
//! functions need the same sequence of writes, and its order is the safety: no weights are set that
//! were not announced before, so any later invocation knows them for this release's.

use std::time::Duration;

use crate::aws::{Ledger, ObservedPair, Pairs, Sdk, Services};
use crate::job::{Failure, StepError};
use crate::observed::colour::Colour;
use crate::observed::weights::Weights;
use crate::release::{
    Event, Lease, PairTarget, PriorPair, Release, TrafficReturn, TrafficShift, apply, bound_clients,
};
use crate::strategy::blue_green::context::PairContext;
use crate::strategy::blue_green::returning::{ReturnChange, ReturnStep, next_return_step};
use crate::strategy::blue_green::size::needed_by_new;
use crate::timestamp::Timestamp;

/// Moves the traffic of pairs.
#[derive(Clone, Debug)]
pub struct TrafficMover {
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
    sdk: Sdk,
}

/// The progress of a return of the traffic, in words.
#[derive(Debug)]
pub enum ReturnProgress {
    /// The old colour cannot carry all of it yet.
    Returning(String),
    /// The old colour has all of it again; the lease as it was written last.
    Returned(String, Box<Lease>),
}

impl TrafficMover {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            pairs: Pairs::new(sdk),
            sdk: sdk.clone(),
        }
    }

    /// Announces weights, sets them, and records that they are set, or by which change of Route 53
    /// they will be; returns the lease as it was written last.
    ///
    /// # Errors
    /// `Busy` when another invocation wrote the lease first; a failure when AWS refuses.
    pub async fn route(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        seen: &ObservedPair,
        to: Weights,
    ) -> Result<Lease, StepError> {
        let announced = self.announce(lease, seen, to).await?;
        self.set(&announced, pair, seen, to).await
    }

    async fn announce(
        &self,
        lease: &Lease,
        seen: &ObservedPair,
        to: Weights,
    ) -> Result<Lease, StepError> {
        let from = seen.view.weights;
        let announced = apply(lease, Event::ShiftAnnounced { from, to }, self.sdk.now())?;
        self.ledger.advance(&announced).await?;
        Ok(announced)
    }

    async fn set(
        &self,
        announced: &Lease,
        pair: &PriorPair,
        seen: &ObservedPair,
        to: Weights,
    ) -> Result<Lease, StepError> {
        let made = match self.pairs.set_weights(seen, pair, to).await? {
            Some(change) => Event::ShiftSubmitted { change },
            None => Event::ShiftConfirmed,
        };

        let made = apply(announced, made, self.sdk.now())?;
        self.ledger.advance(&made).await?;
        Ok(made)
    }

    /// Sets weights on the way back, as [`Self::route`]. With the recorded ones the rule no longer
    /// binds clients: one that it binds to the new colour would stay there, and get 503 once that
    /// is reset. Before, it may keep clients on the old colour.
    async fn route_back(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        seen: &ObservedPair,
        to: Weights,
    ) -> Result<Lease, StepError> {
        let off = seen.route.sticky().filter(|_| to == pair.weights());
        if off.is_none() {
            return self.route(lease, pair, seen, to).await;
        }

        let noted = apply(lease, Event::StickinessNoted { off }, self.sdk.now())?;
        self.ledger.advance(&noted).await?;
        let announced = self.announce(&noted, seen, to).await?;
        let unbound = seen.without_stickiness();
        match self.set(&announced, pair, &unbound, to).await {
            // A rule stays sticky while one of its target groups binds clients to its targets.
            Err(StepError::Refused(refusal)) => {
                tracing::warn!(%refusal, "the rule stays sticky");
                let kept = Event::StickinessNoted { off: None };
                let kept = apply(&announced, kept, self.sdk.now())?;
                self.ledger.advance(&kept).await?;
                self.set(&kept, pair, seen, to).await
            }
            made => made,
        }
    }

    /// Records that the announced weights, which were seen, decide about all new traffic: at once
    /// with a rule, and with records when all servers of Route 53 have them. Returns which of both
    /// it is, in words.
    ///
    /// # Errors
    /// As [`Self::route`].
    pub async fn confirm(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        seen: &ObservedPair,
    ) -> Result<String, StepError> {
        let weights = seen.view.weights;
        if pair.route.ttl().is_some() {
            match self.is_in_sync(lease).await? {
                Some(true) => {}
                Some(false) => {
                    return Ok(format!(
                        "weights are {weights}, PENDING on servers of Route 53"
                    ));
                }
                // The invocation that set the weights died before it recorded its change: a change
                // to the same weights is in sync when that one is.
                None => {
                    self.route(lease, pair, seen, weights).await?;
                    return Ok(format!(
                        "weights are {weights}, set once more to follow the change of Route 53"
                    ));
                }
            }
        }

        let confirmed = apply(lease, Event::ShiftConfirmed, self.sdk.now())?;
        self.ledger.advance(&confirmed).await?;
        Ok(format!("weights are {weights}"))
    }

    /// Whether all servers of Route 53 have the change of the last shift; `None` when it is not
    /// known.
    async fn is_in_sync(&self, lease: &Lease) -> Result<Option<bool>, StepError> {
        let pair = lease.release.as_ref().and_then(Release::pair);
        let shift = pair.and_then(|pair| pair.shift.as_ref());
        match shift.and_then(|shift| shift.change.as_deref()) {
            Some(change) => Ok(self.pairs.is_in_sync(change).await?),
            None => Ok(None),
        }
    }

    /// Returns the traffic to the recorded weights: at once what the old colour can carry, the rest
    /// as it grows. The lease must contain the reason.
    ///
    /// # Errors
    /// As [`Self::route`].
    pub async fn return_traffic(
        &self,
        lease: Lease,
        pair: &PriorPair,
        now: Timestamp,
    ) -> Result<ReturnProgress, StepError> {
        let seen = self
            .pairs
            .observe(&lease, pair, &[pair.live, pair.idle()])
            .await?;
        let (target, decided) = decided_return(&lease)?;

        let context = PairContext {
            target,
            view: &seen.view,
        };
        let reason = decided.reason;
        let recorded = pair.weights();
        let summary = format!("{reason}; traffic restored to {recorded}");

        // Weights that are read as recorded may be older than a shift that moved them: they are set
        // once more.
        let is_unseen = context.unseen_shift().is_some();
        if seen.view.weights == recorded && !is_unseen && is_raised(target, &seen) {
            return Ok(returned(summary, lease, pair, &seen));
        }
        if !is_unseen && !is_own(target, recorded, seen.view.weights) {
            return Err(external_weights(&reason, seen.view.weights).into());
        }

        let waited = now.since(decided.since);
        let (step, may_raise) = self.next_step(&lease, &context, waited).await;
        let made = self
            .give_back(&lease, pair, &seen, step.change, may_raise)
            .await?;
        if step.change.weights != Some(recorded) {
            let progress = format!("{reason}; {}", step.summary);
            return Ok(ReturnProgress::Returning(progress));
        }
        let summary = match step.change.limit(pair.live) {
            Some(limit) => format!("{summary}; {limit}"),
            None => summary,
        };
        Ok(returned(summary, made, pair, &seen))
    }

    /// The next step of a return, and whether its raise can be made: without it as much of the
    /// traffic goes back as the healthy tasks can carry.
    async fn next_step(
        &self,
        lease: &Lease,
        context: &PairContext<'_>,
        waited: Duration,
    ) -> (ReturnStep, Result<(), StepError>) {
        let step = next_return_step(context, None, waited);
        if step.change.raise.is_none() {
            return (step, Ok(()));
        }
        let pair = context.pair();
        match self.max_capacity(lease, pair, pair.live).await {
            Ok(max_capacity) => (next_return_step(context, max_capacity, waited), Ok(())),
            Err(error) => (step, raise_without_bound(error)),
        }
    }

    /// Raises the old colour, then sets the weights, each as far as the change has it; returns the
    /// lease as it was written last. The weights are set although the raise fails, or is only
    /// announced because it may not be made now: they are what the healthy tasks can carry.
    ///
    /// # Errors
    /// As [`Self::route`], and the one in `may_raise`.
    pub async fn give_back(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        seen: &ObservedPair,
        change: ReturnChange,
        may_raise: Result<(), StepError>,
    ) -> Result<Lease, StepError> {
        let mut lease = lease.clone();
        let mut raised = may_raise;
        if let Some(tasks) = change.raise {
            let announced = apply(&lease, Event::RaiseAnnounced { tasks }, self.sdk.now())?;
            self.ledger.advance(&announced).await?;
            lease = announced;
            if raised.is_ok() {
                let resized = self.services.resize(seen.of(pair.live), tasks).await;
                raised = resized.map_err(StepError::from);
            }
        }
        if let Some(weights) = change.weights {
            lease = self.route_back(&lease, pair, seen, weights).await?;
        }
        raised?;
        Ok(lease)
    }

    /// The most tasks that automatic scaling gives the new colour; `None` without it, and while the
    /// load needs no more than the colour has.
    ///
    /// # Errors
    /// When a later look may read it.
    pub async fn capacity_of_new(
        &self,
        lease: &Lease,
        context: &PairContext<'_>,
    ) -> Result<Option<u32>, StepError> {
        let pair = context.pair();
        let new = pair.idle();
        let filled = context.filled_tasks();
        let has = context.view.of(new).desired.max(filled);
        if needed_by_new(context, filled, None).tasks <= has {
            return Ok(None);
        }

        match self.max_capacity(lease, pair, new).await {
            Err(error) => raise_without_bound(error).map(|()| None),
            found => found,
        }
    }

    /// The most tasks that automatic scaling gives a colour; `None` without it.
    async fn max_capacity(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        colour: Colour,
    ) -> Result<Option<u32>, StepError> {
        let names = pair.services(&lease.service);
        let scaling = self.pairs.scaling(&lease.cluster, &names).await?;
        Ok(scaling.of(colour).map(|scaling| scaling.max_capacity))
    }
}

/// Whether the old colour is raised although its MaxCapacity was not read, for this error. The load
/// needs the tasks, and a refusal lasts longer than users can wait; what passes by itself is waited
/// for.
///
/// # Errors
/// The error, if a later look may read MaxCapacity.
pub fn raise_without_bound(error: StepError) -> Result<(), StepError> {
    match error {
        StepError::Refused(refusal) => {
            tracing::warn!(%refusal, "raising the old colour without the bound of MaxCapacity");
            Ok(())
        }
        passing => Err(passing),
    }
}

/// The pair of a lease with the recorded decision to return its traffic.
fn decided_return(lease: &Lease) -> Result<(&PairTarget, TrafficReturn), Failure> {
    lease
        .release
        .as_ref()
        .and_then(Release::pair)
        .and_then(|target| Some((target, target.traffic_return.clone()?)))
        .ok_or_else(|| Failure::job("the traffic is returned for a reason that was not recorded"))
}

/// The end of a return, with what it means for clients that the rule bound to the new colour.
fn returned(
    mut summary: String,
    lease: Lease,
    pair: &PriorPair,
    seen: &ObservedPair,
) -> ReturnProgress {
    let new = pair.idle();
    let target = lease.release.as_ref().and_then(Release::pair);
    let off = target.and_then(|target| target.stickiness);
    let off = off.map(|off| off.describe(new));
    let bound = || seen.route.sticky().map(|sticky| bound_clients(new, sticky));
    summary += &off.or_else(bound).unwrap_or_default();
    ReturnProgress::Returned(summary, Box::new(lease))
}

/// The failure of a return that finds another writer's weights.
fn external_weights(reason: &str, seen: Weights) -> Failure {
    Failure::job(format!(
        "{reason}; the weights were set to {seen} outside this release and are left unchanged"
    ))
}

/// Whether the old colour has the tasks that were announced for its return: a raise can fail.
fn is_raised(target: &PairTarget, seen: &ObservedPair) -> bool {
    let desired = seen.view.of(target.prior.live).desired;
    target.raised_to.is_none_or(|tasks| desired >= tasks)
}

/// Whether this release may have set the weights that were seen, or found them.
fn is_own(target: &PairTarget, recorded: Weights, seen: Weights) -> bool {
    let possible = target
        .shift
        .clone()
        .map_or_else(Vec::new, TrafficShift::possible_weights);
    seen == recorded || possible.contains(&seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_lets_the_old_colour_be_raised_without_its_bound() {
        let denied = Failure::configuration("denied");
        let refused = StepError::Refused(denied.clone());
        assert_eq!(raise_without_bound(refused), Ok(()));

        let busy = StepError::Busy("throttled".to_owned());
        for passing in [busy, StepError::Unexpected(denied)] {
            assert_eq!(raise_without_bound(passing.clone()), Err(passing));
        }
    }
}
