//! The repair of a pair that no release holds: a stack update can set the weights of its rule back
//! to those of the template, so that traffic goes to a colour without tasks.
//!
//! Never takes traffic from a colour with a healthy target, and never acts during a release: its
//! steps observe the weights themselves.

use slipway::aws::ObservePairError;
use slipway::job::StepError;
use slipway::observed::colour::{Colour, PerColour};
use slipway::release::{Event, KnownRule, Lease, apply};
use slipway::strategy::blue_green::reset::is_reset;

use crate::RollBack;

impl RollBack {
    /// Sets weights that were reset back to what the last release left, and returns what it did;
    /// none when there is nothing to repair. A rule, group or service that is gone is not missed: a
    /// deleted pair keeps its lease.
    pub(crate) async fn repair_free(&self, lease: &Lease) -> Result<Option<String>, StepError> {
        let Some(known) = &lease.last_known else {
            return Ok(None);
        };
        let Some(rule) = &known.rule else {
            return Ok(None);
        };
        let Some(observed) = self.rules.observe(&rule.arn).await? else {
            return Ok(None);
        };

        // Mostly the rule alone shows that all traffic is where it was left.
        let other = known.live.other();
        let seen = rule.weights_in(&observed.view);
        let Some(seen) = seen.filter(|seen| *seen.of(other) > 0) else {
            return Ok(None);
        };
        let healthy = self.healthy(lease, rule).await?;
        if !healthy.is_some_and(|healthy| is_reset(known, seen, healthy)) {
            return Ok(None);
        }

        let announced = apply(lease, Event::RepairAnnounced, self.sdk.now())?;
        match self.ledger.advance(&announced).await {
            // A release begins, or another sweep repairs the weights.
            Err(StepError::Busy(_)) => return Ok(None),
            done => done?,
        }

        let wanted = [Colour::Blue, Colour::Green].map(|colour| {
            let group = rule.target_groups.of(colour).as_str();
            (group, *known.weights.of(colour))
        });
        self.rules.apply(&observed, &wanted).await?;
        Ok(Some(format!(
            "the weights were {seen}, but {other} has no healthy target; restored to {} as the \
             last release left them",
            known.weights
        )))
    }

    /// The healthy targets of both colours in the rule's groups; none when a service is gone.
    async fn healthy(
        &self,
        lease: &Lease,
        rule: &KnownRule,
    ) -> Result<Option<PerColour<u32>>, StepError> {
        let both = [Colour::Blue, Colour::Green];
        let services = match self.pairs.observe_services(lease, &both).await {
            Ok(services) => services,
            Err(ObservePairError::Incomplete(_)) => return Ok(None),
            Err(ObservePairError::Aws(error)) => return Err(error.into()),
        };

        Ok(Some(PerColour::from_fn(|colour| {
            let mut groups = services.of(colour).view.target_groups.iter();
            let production = rule.target_groups.of(colour);
            groups
                .find(|found| found.arn == *production)
                .map_or(0, |found| found.healthy)
        })))
    }
}
