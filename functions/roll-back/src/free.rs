//! The repair of a pair that no release holds: a stack update can set the weights of its route back
//! to those of the template, so that traffic goes to a colour without tasks. Its other changes to
//! records, such as to their TTL, stay. Stickiness that a rollback switched off is on again, too.
//!
//! Never takes traffic from a colour with a healthy target, and never acts during a release: its
//! steps observe the weights themselves.

use slipway::aws::{AwsError, ErrorKind, ObservePairError, ObservedService};
use slipway::job::StepError;
use slipway::observed::balancers::LedServices;
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::route::RouteView;
use slipway::observed::weights::Weights;
use slipway::release::{Event, KnownRule, LastKnownRouting, Lease, apply};
use slipway::strategy::blue_green::reset::is_reset;

use crate::RollBack;

impl RollBack {
    /// Restores weights that were reset to what the last release left, and returns what it did;
    /// `None` when there is nothing to repair. A rule, group, service or role that is gone is not
    /// an error: a deleted pair keeps its lease.
    pub(crate) async fn repair_free(&self, lease: &Lease) -> Result<Option<String>, StepError> {
        let Some(known) = &lease.last_known else {
            return Ok(None);
        };
        let Some(rule) = &known.rule else {
            return Ok(None);
        };
        let observed = match self.routes.observe(&rule.route).await {
            Err(error) if may_be_unreadable(rule, &error) => {
                tracing::warn!(route = %rule.route, %error, "not observed");
                return Ok(None);
            }
            observed => observed?,
        };
        let Some(observed) = observed else {
            return Ok(None);
        };

        let bound = self.bind_again(lease, (known, rule), &observed).await?;
        if bound.is_some() {
            return Ok(bound);
        }

        // Mostly the rule alone shows that all traffic is where it was left.
        let other = known.live.other();
        let seen = rule.weights_in(observed.view());
        let Some(seen) = seen.filter(|seen| *seen.of(other) > 0) else {
            return Ok(None);
        };
        let found = (observed.view(), seen);
        if !self.were_reset(lease, (known, rule), found).await? {
            return Ok(None);
        }

        let announced = apply(lease, Event::RepairAnnounced, self.sdk.now())?;
        match self.ledger.advance(&announced).await {
            // A release begins, or another sweep repairs the weights.
            Err(StepError::Busy(_)) => return Ok(None),
            done => done?,
        }

        self.routes
            .apply(&observed, rule.groups(), known.weights)
            .await?;
        Ok(Some(format!(
            "the weights were {seen}, but {other} has no healthy target; restored to {} as the \
             last release left them",
            known.weights
        )))
    }

    /// Whether the weights of a route must be set back.
    async fn were_reset(
        &self,
        lease: &Lease,
        (known, rule): (&LastKnownRouting, &KnownRule),
        (route, seen): (RouteView<'_>, Weights),
    ) -> Result<bool, StepError> {
        let names = rule.services(&lease.service);
        let Some(services) = self.both_services(lease, &names).await? else {
            return Ok(false);
        };
        if !is_reset(known, seen, healthy(rule, &services)) {
            return Ok(false);
        }

        let Some(targets) = rule.new_targets_in(route) else {
            return Ok(true);
        };
        self.are_led_to(&names, &services, &targets).await
    }

    /// The services of both colours with their targets; none when one is gone.
    async fn both_services(
        &self,
        lease: &Lease,
        names: &PerColour<String>,
    ) -> Result<Option<PerColour<ObservedService>>, StepError> {
        let both = [Colour::Blue, Colour::Green];
        let observed = self
            .pairs
            .observe_services(&lease.cluster, names, &both)
            .await;
        let services = match observed {
            Ok(services) => services,
            Err(ObservePairError::Incomplete(_)) => return Ok(None),
            Err(ObservePairError::Aws(error)) => return Err(error.into()),
        };
        Ok(Some(services))
    }

    /// Whether records whose targets were changed still lead to the services of their colours:
    /// otherwise traffic could be taken from a colour that serves it.
    async fn are_led_to(
        &self,
        names: &PerColour<String>,
        services: &PerColour<ObservedService>,
        targets: &PerColour<String>,
    ) -> Result<bool, StepError> {
        let views = PerColour::from_fn(|colour| &services.of(colour).view);
        let led = LedServices { names, views };
        let balancers = self.balancers.names_of(&led.groups()).await?;

        let checked = led.check_targets(targets, &balancers);
        if let Err(misled) = &checked {
            tracing::warn!(%misled, "the weights are not repaired");
        }
        Ok(checked.is_ok())
    }
}

/// The healthy targets of both colours that the traffic of the route can use.
fn healthy(rule: &KnownRule, services: &PerColour<ObservedService>) -> PerColour<u32> {
    PerColour::from_fn(|colour| {
        let production = rule.target_groups.of(colour);
        rule.route.healthy(&services.of(colour).view, production)
    })
}

/// Whether a rule may be out of reach: the deploy role is deleted with its pipeline, or no release
/// of the pair had one, and the function's own credentials need not allow it to read rules.
fn may_be_unreadable(rule: &KnownRule, error: &AwsError) -> bool {
    let is_denied = error.kind == ErrorKind::Permission;
    is_denied && (rule.deploy_role.is_none() || error.refuses_role())
}

#[cfg(test)]
mod tests {
    use slipway::observed::route::Route;
    use slipway::release::DeployRole;

    use super::*;

    #[test]
    fn a_rule_may_be_out_of_reach_without_a_role_or_with_one_that_is_refused() {
        let without_role = KnownRule {
            route: Route::Rule("rule".to_owned()),
            target_groups: PerColour::default(),
            deploy_role: None,
            given_services: None,
        };
        let role = DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:shop".to_owned(),
            region: None,
        };
        let under_role = KnownRule {
            deploy_role: Some(role),
            ..without_role.clone()
        };
        let error = |operation, kind| AwsError {
            operation,
            kind,
            code: "AccessDenied".to_owned(),
            message: "no".to_owned(),
        };

        let refused = error("sts:AssumeRole", ErrorKind::Permission);
        let denied = error("elasticloadbalancing:DescribeRules", ErrorKind::Permission);
        let busy = error("sts:AssumeRole", ErrorKind::Busy);
        for (rule, error, expected) in [
            (&under_role, &refused, true),
            (&under_role, &denied, false),
            (&under_role, &busy, false),
            (&without_role, &denied, true),
            (&without_role, &busy, false),
        ] {
            assert_eq!(may_be_unreadable(rule, error), expected, "{error}");
        }
    }
}
