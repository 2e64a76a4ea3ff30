//! The restoration of a blue/green pair: it is observed and brought one step nearer to the recorded
//! release.

use slipway::aws::{ErrorKind, ObservePairError, ObservedPair};
use slipway::job::StepError;
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::service::revision;
use slipway::release::{Conclusion, Event, Lease, PairTarget, PriorPair, Release, apply};
use slipway::routing::mover::raise_without_bound;
use slipway::strategy::blue_green::context::PairContext;
use slipway::strategy::blue_green::rollback::{
    PairChange, RestorationInput, restoration, traffic_is_away,
};
use slipway::strategy::ending::Ending;
use slipway::strategy::messages::waiting_for_grace;
use slipway::strategy::rollback::Restoration;
use slipway::strategy::service_goal::ServiceGoal;
use slipway::timestamp::Timestamp;

use crate::RollBack;

const SCALE_IN_ENABLED: &str = "re-enabling scale-in for both colours";

/// What one invocation works with.
struct RollbackContext<'a> {
    lease: &'a Lease,
    pair: &'a PriorPair,
    seen: &'a ObservedPair,
    /// Whether the idle colour's recorded revision can still be deployed.
    idle_is_active: bool,
}

impl RollBack {
    pub(crate) async fn restore_pair(
        &self,
        lease: &Lease,
        release: &Release,
        target: &PairTarget,
        ending: Ending,
    ) -> Result<String, StepError> {
        let pair = &target.prior;
        let now = self.sdk.now();
        let found = self
            .pairs
            .observe(lease, pair, &[Colour::Blue, Colour::Green])
            .await;
        match found {
            Ok(seen) => {
                let input = RestorationInput {
                    ending,
                    scaling: PerColour::from_fn(|_| None),
                    idle_is_active: true,
                    steps_left: release.steps_left(now),
                };
                self.restore_seen((lease, release), target, &seen, input, now)
                    .await
            }
            // A service or the rule is gone: no later invocation can restore it.
            Err(ObservePairError::Incomplete(incomplete)) => {
                let reason = incomplete.failure().message;
                self.abandon(lease, release, pair, &reason).await
            }
            Err(ObservePairError::Aws(error)) => Err(error.into()),
        }
    }

    /// Brings the pair, whose observation began `now`, one step nearer to the recorded release. The
    /// scaling and the idle colour's revision, which `unread` does not have, are read here.
    async fn restore_seen(
        &self,
        (lease, release): (&Lease, &Release),
        target: &PairTarget,
        seen: &ObservedPair,
        unread: RestorationInput,
        now: Timestamp,
    ) -> Result<String, StepError> {
        let pair = &target.prior;
        let observed = PairContext {
            target,
            view: &seen.view,
        };
        let names = pair.services(&lease.service);
        let scaling = match self.pairs.scaling(&lease.cluster, &names).await {
            Ok(scaling) => scaling,
            Err(error) => {
                let decided = restoration(release, &observed, &unread);
                return self
                    .return_unscaled(lease, (&observed, seen), decided, error.into())
                    .await;
            }
        };
        let idle = &pair.of(pair.idle()).task_definition;
        let idle_is_active = self.task_definitions.is_active(idle).await?;

        let input = RestorationInput {
            scaling,
            idle_is_active,
            ..unread
        };
        let context = RollbackContext {
            lease,
            pair,
            seen,
            idle_is_active,
        };

        match restoration(release, &observed, &input) {
            Restoration::Close(conclusion) => self.close(lease, release, &conclusion, now).await,
            Restoration::Wait(summary) => Ok(summary),
            Restoration::Apply(change) => self.apply_change(&context, change).await,
        }
    }

    /// Returns traffic although the scaling of the pair was not read, for this error: what else is
    /// restored depends on it.
    async fn return_unscaled(
        &self,
        lease: &Lease,
        (observed, seen): (&PairContext<'_>, &ObservedPair),
        decided: Restoration<PairChange>,
        error: StepError,
    ) -> Result<String, StepError> {
        if let Restoration::Apply(PairChange::Return(change)) = decided
            && traffic_is_away(observed)
        {
            let may_raise = raise_without_bound(error.clone());
            self.traffic
                .give_back(lease, observed.pair(), seen, change, may_raise)
                .await?;
        }
        Err(error)
    }

    /// Announces one change and makes it; a return of traffic is a count and weights.
    async fn apply_change(
        &self,
        context: &RollbackContext<'_>,
        change: PairChange,
    ) -> Result<String, StepError> {
        let RollbackContext {
            lease, pair, seen, ..
        } = context;

        match change {
            PairChange::Return(change) => {
                self.traffic
                    .give_back(lease, pair, seen, change, Ok(()))
                    .await?;
                Ok(change.describe(pair.live))
            }
            PairChange::ConfirmWeights => self.traffic.confirm(lease, pair, seen).await,
            PairChange::ResetIdle => self.return_idle(context).await,
            PairChange::RestoreScaleIn => {
                let restored = Event::ScaleInRestorationAnnounced;
                let announced = apply(lease, restored, self.sdk.now())?;
                self.ledger.advance(&announced).await?;
                self.pairs.suspend_scale_in(lease, pair, false).await?;
                Ok(SCALE_IN_ENABLED.to_owned())
            }
        }
    }

    /// Closes the release of a pair that no later invocation can restore, once scale-in is enabled
    /// again. Application Auto Scaling refuses that when the service is gone, and it is no longer
    /// needed then.
    async fn abandon(
        &self,
        lease: &Lease,
        release: &Release,
        pair: &PriorPair,
        reason: &str,
    ) -> Result<String, StepError> {
        let now = self.sdk.now();
        let names = pair.services(&lease.service);
        let scaling = self.pairs.scaling(&lease.cluster, &names).await?;
        if !pair.scale_in_differs(scaling) {
            return self
                .close(lease, release, &Conclusion::needing_operator(reason), now)
                .await;
        }

        let restoring = Event::ScaleInRestorationAnnounced;
        let restored = apply(lease, restoring, self.sdk.now())?;
        self.ledger.advance(&restored).await?;

        match self.pairs.suspend_scale_in(lease, pair, false).await {
            Ok(()) => Ok(SCALE_IN_ENABLED.to_owned()),
            Err(error) if error.kind == ErrorKind::Rejected => match release.steps_left(now) {
                Some(left) => Ok(waiting_for_grace(left)),
                None => {
                    self.close_now(&restored, release, &Conclusion::needing_operator(reason))
                        .await
                }
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the new colour to what it ran before, now that it has no traffic.
    async fn return_idle(&self, context: &RollbackContext<'_>) -> Result<String, StepError> {
        let RollbackContext {
            lease, pair, seen, ..
        } = context;
        let colour = pair.idle();
        let recorded = pair.of(colour);

        let restoring = Event::RestorationAnnounced { percentages: None };
        let announced = apply(lease, restoring, self.sdk.now())?;
        self.ledger.advance(&announced).await?;

        let seen = seen.of(colour);
        let definition = context.idle_is_active.then_some(&recorded.task_definition);
        self.services
            .apply(
                seen,
                &ServiceGoal {
                    task_definition: definition.map(String::as_str),
                    percentages: seen.view.restored_percentages(recorded.percentages),
                    early_success: None,
                    desired: Some(recorded.desired_count),
                },
            )
            .await?;

        let count = recorded.desired_count;
        Ok(match definition {
            Some(definition) => format!(
                "returning {colour} to {} with {count} tasks",
                revision(definition)
            ),
            None => format!("returning {colour} to {count} tasks"),
        })
    }
}
