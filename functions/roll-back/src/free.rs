//! The repair of a pair that no release holds: a stack update can set the weights of its rule back
//! to those of the template, so that traffic goes to a colour without tasks.
//!
//! Never takes traffic from a colour with a healthy target, and never acts during a release: its
//! steps observe the weights themselves.

use slipway::aws::{AwsError, ErrorKind, ObservePairError};
use slipway::job::StepError;
use slipway::observed::colour::{Colour, PerColour};
use slipway::release::{Event, KnownRule, Lease, apply};
use slipway::strategy::blue_green::reset::is_reset;

use crate::RollBack;

impl RollBack {
    /// Sets weights that were reset back to what the last release left, and returns what it did;
    /// none when there is nothing to repair. A rule, group, service or role that is gone is not
    /// missed: a deleted pair keeps its lease.
    pub(crate) async fn repair_free(&self, lease: &Lease) -> Result<Option<String>, StepError> {
        let Some(known) = &lease.last_known else {
            return Ok(None);
        };
        let Some(rule) = &known.rule else {
            return Ok(None);
        };
        let observed = match self.rules.observe(&rule.arn).await {
            Err(error) if may_be_unreadable(rule, &error) => {
                tracing::warn!(rule = rule.arn.as_str(), %error, "not observed");
                return Ok(None);
            }
            observed => observed?,
        };
        let Some(observed) = observed else {
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
        let names = rule.services(&lease.service);
        let observed = self
            .pairs
            .observe_services(&lease.cluster, &names, &both)
            .await;
        let services = match observed {
            Ok(services) => services,
            Err(ObservePairError::Incomplete(_)) => return Ok(None),
            Err(ObservePairError::Aws(error)) => return Err(error.into()),
        };

        Ok(Some(PerColour::from_fn(|colour| {
            let production = rule.target_groups.of(colour);
            services.of(colour).view.healthy_in(production)
        })))
    }
}

/// Whether a rule may be out of reach: the deploy role is deleted with its pipeline, or no release
/// of the pair had one, and the function's own credentials need to read no rule.
fn may_be_unreadable(rule: &KnownRule, error: &AwsError) -> bool {
    let is_denied = error.kind == ErrorKind::Permission;
    is_denied && (rule.deploy_role.is_none() || error.refuses_role())
}

#[cfg(test)]
mod tests {
    use slipway::release::DeployRole;

    use super::*;

    #[test]
    fn a_rule_may_be_out_of_reach_without_a_role_or_with_one_that_is_refused() {
        let without_role = KnownRule {
            arn: "rule".to_owned(),
            target_groups: PerColour::default(),
            deploy_role: None,
            given_services: None,
        };
        let role = DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:shop".to_owned(),
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
