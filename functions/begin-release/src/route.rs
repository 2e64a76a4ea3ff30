//! The route of a pair when its release begins: a listener rule, or two weighted records, and the
//! target group and the weight of each colour.

use slipway::aws::{ObservedRule, ObservedService};
use slipway::job::{Checks, Failure, Job, StepError};
use slipway::limits::STICKY_DRAIN;
use slipway::observed::balancers::{LedServices, is_address};
use slipway::observed::colour::PerColour;
use slipway::observed::listener_rule::RuleView;
use slipway::observed::record::RecordView;
use slipway::observed::route::Route;
use slipway::observed::service::ServiceView;
use slipway::timestamp::readable;

use crate::check_groups::RECORD;
use crate::inspection::check_authentication;
use crate::{BeginRelease, Parameters};

/// The route as it was found.
pub(crate) enum FoundRoute {
    Rule { arn: String, rule: ObservedRule },
    Record(Box<RecordView>),
}

/// The target group of one colour, and the colour's weight in the route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ForwardGroup {
    pub(crate) arn: String,
    pub(crate) weight: u32,
}

impl BeginRelease {
    /// The route that the parameters name. Refuses records that are protected.
    pub(crate) async fn observe_route(
        &self,
        job: &Job<Parameters>,
    ) -> Result<FoundRoute, StepError> {
        let Some(record) = &job.parameters.record else {
            return self.observe_rule(job).await;
        };

        let key = record.key();
        let seen = self.records.observe(&key).await?.ok_or_else(|| {
            Failure::configuration(format!(
                "`record.zone` is `{}`, which does not exist; expected the id of a hosted zone",
                key.zone
            ))
        })?;
        let view = key
            .view(&seen.views)
            .map_err(|protected| Failure::configuration(protected.to_string()))?;
        Ok(FoundRoute::Record(Box::new(view)))
    }

    /// What a dry run reports about a rule beside its weights.
    pub(crate) fn check_rule(&self, checks: &mut Checks, route: &FoundRoute) {
        if let FoundRoute::Rule { rule, .. } = route {
            check_authentication(checks, &rule.user_pools(), self.sdk.deploy_role());
        }
    }

    /// Checks that the record of each colour leads to the load balancer of its service. A rule
    /// names the groups itself.
    pub(crate) async fn check_balancers(
        &self,
        checks: &mut Checks,
        names: &PerColour<String>,
        (route, found): (&FoundRoute, &PerColour<ObservedService>),
    ) -> Result<(), StepError> {
        let FoundRoute::Record(record) = route else {
            return Ok(());
        };
        let targets = &record.pair.targets;
        let at = (RECORD, "load-balancers");
        if targets
            .as_array()
            .into_iter()
            .any(|target| is_address(target))
        {
            let what = "addresses: whether they are those of the services is not known";
            checks.skip(at, what);
            return Ok(());
        }

        let views = PerColour::from_fn(|colour| &found.of(colour).view);
        let led = self.lead_to(LedServices { names, views }, targets).await;
        let shown = |(): &()| format!("{} and {}", targets.blue, targets.green);
        checks.take(at, led, shown)?;
        Ok(())
    }

    async fn lead_to(
        &self,
        services: LedServices<'_>,
        targets: &PerColour<String>,
    ) -> Result<(), StepError> {
        let balancers = self.balancers.names_of(&services.groups()).await?;
        let led = services.check_targets(targets, &balancers);
        Ok(led.map_err(|misled| Failure::configuration(misled.to_string()))?)
    }

    async fn observe_rule(&self, job: &Job<Parameters>) -> Result<FoundRoute, StepError> {
        let arn = job.parameters.rule.as_deref().unwrap_or_default();
        let rule = self.rules.observe(arn).await?.ok_or_else(|| {
            Failure::configuration(format!(
                "`rule` is `{arn}`, which does not exist; expected an existing listener rule or \
                 listener"
            ))
        })?;
        Ok(FoundRoute::Rule {
            arn: arn.to_owned(),
            rule,
        })
    }
}

impl FoundRoute {
    pub(crate) fn route(&self) -> Route {
        match self {
            Self::Rule { arn, .. } => Route::Rule(arn.clone()),
            Self::Record(view) => Route::Record(Box::new(view.pair.clone())),
        }
    }

    /// Where it is, for a dry run.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Rule { arn, .. } => arn.clone(),
            Self::Record(_) => self.route().to_string(),
        }
    }

    /// The group of each colour: without one of its own, no traffic could be moved between them.
    pub(crate) fn groups(
        &self,
        names: &PerColour<String>,
        found: &PerColour<ObservedService>,
    ) -> Result<PerColour<ForwardGroup>, Failure> {
        let groups = PerColour::try_from_fn(|colour| {
            let (name, view) = (names.of(colour), &found.of(colour).view);
            match self {
                Self::Rule { rule, .. } => forward_group(name, view, &rule.view),
                Self::Record(record) => first_group(name, view, *record.weights.of(colour)),
            }
        })?;

        if groups.blue.arn == groups.green.arn {
            return Err(Failure::configuration(format!(
                "both colours register with {}; expected a separate target group for each",
                groups.blue.arn
            )));
        }
        if let Self::Rule { rule, .. } = self {
            check_third_groups(&rule.view, &groups)?;
            check_stickiness(&rule.view)?;
        }

        Ok(groups)
    }
}

/// Refuses a rule with a further group whose share of the traffic a release would change: it sets
/// weights of the colours that are 100 together, and leaves those of other groups.
fn check_third_groups(rule: &RuleView, groups: &PerColour<ForwardGroup>) -> Result<(), Failure> {
    let together = groups.blue.weight + groups.green.weight;
    let is_third = |arn: &String| *arn != groups.blue.arn && *arn != groups.green.arn;
    let mut weights = rule.weights.iter();
    let third = weights.find(|(arn, weight)| *weight > 0 && is_third(arn));

    match third {
        Some((arn, weight)) if together != 100 => Err(Failure::configuration(format!(
            "the rule forwards to {arn}, too, with weight {weight}, and the weights of the colours \
             are {together} together; expected 100, which a release sets, so that the other group \
             keeps its share of the traffic; multiply all weights of the rule"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a rule that binds clients for longer than a retirement waits for them: a client with a
/// cookie goes to its colour whatever the weights, and gets no response once that is emptied
/// (repost.aws/questions/QUugYm4uzWSI2af5mnmMjlZQ).
fn check_stickiness(rule: &RuleView) -> Result<(), Failure> {
    match rule.sticky {
        Some(sticky) if sticky > STICKY_DRAIN => Err(Failure::configuration(format!(
            "the rule binds clients to their target group for {}; expected up to {}, for which a \
             retirement waits until they have left the old colour; set a shorter \
             `DurationSeconds` in `TargetGroupStickinessConfig` of the rule",
            readable(sticky),
            readable(STICKY_DRAIN)
        ))),
        _ => Ok(()),
    }
}

/// The first group of a colour that records lead to: its targets show whether it can serve.
fn first_group(service: &str, view: &ServiceView, weight: u32) -> Result<ForwardGroup, Failure> {
    let first = view.target_groups.first().ok_or_else(|| {
        Failure::configuration(format!(
            "service `{service}` registers with no target group; expected one at least, whose \
             targets show whether it can take traffic; add a load balancer to the service"
        ))
    })?;
    Ok(ForwardGroup {
        arn: first.arn.clone(),
        weight,
    })
}

/// The colour's group in the rule, and its weight there.
fn forward_group(
    service: &str,
    view: &ServiceView,
    rule: &RuleView,
) -> Result<ForwardGroup, Failure> {
    let registered = |arn: &String| view.target_groups.iter().any(|group| group.arn == *arn);
    let mut found = rule.weights.iter().filter(|(arn, _)| registered(arn));

    match (found.next(), found.next()) {
        (Some((arn, weight)), None) => Ok(ForwardGroup {
            arn: arn.clone(),
            weight: *weight,
        }),
        (None, _) => Err(Failure::configuration(format!(
            "the rule forwards to no target group of service `{service}`; expected a forward \
             action that names the groups of both colours, at any weights; add the group to the \
             rule"
        ))),
        (Some(_), Some(_)) => Err(Failure::configuration(format!(
            "the rule forwards to several target groups of service `{service}`; expected one for \
             each colour; remove the others from the rule"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use slipway::observed::service::TargetGroupView;

    use super::*;
    use crate::target::tests::service;

    fn registered(groups: &[&str]) -> ServiceView {
        let group = |arn: &&str| TargetGroupView {
            arn: (*arn).to_owned(),
            healthy: 0,
            registered: 0,
            unreachable: 0,
            healthy_newcomers: 0,
        };
        ServiceView {
            target_groups: groups.iter().map(group).collect(),
            ..service()
        }
    }

    #[test]
    fn a_colour_s_group_is_the_one_that_rule_and_service_share() {
        let weights = [("blue", 30), ("green", 70), ("third", 5)];
        let rule = RuleView {
            weights: weights
                .map(|(arn, weight)| (arn.to_owned(), weight))
                .to_vec(),
            sticky: None,
        };
        let found = |groups: &[&str]| {
            forward_group("shop-green", &registered(groups), &rule).map_err(|why| why.message)
        };

        let green = || ForwardGroup {
            arn: "green".to_owned(),
            weight: 70,
        };

        assert_eq!(found(&["green"]), Ok(green()));
        assert_eq!(found(&["internal", "green"]), Ok(green()));

        for none in [&["internal"][..], &[]] {
            let why = found(none).expect_err("not in the rule");
            assert!(
                why.starts_with("the rule forwards to no target group of service `shop-green`"),
                "{why}"
            );
        }

        let why = found(&["green", "third"]).expect_err("two in the rule");
        assert!(
            why.starts_with("the rule forwards to several target groups of service `shop-green`"),
            "{why}"
        );
    }

    #[test]
    fn a_third_group_gets_traffic_only_beside_weights_that_are_100_together() {
        let found = |blue: u32, green: u32, third: u32| {
            let weights = [("blue", blue), ("third", third), ("green", green)];
            let rule = RuleView {
                weights: weights
                    .map(|(arn, weight)| (arn.to_owned(), weight))
                    .to_vec(),
                sticky: None,
            };
            let group = |arn: &str, weight| ForwardGroup {
                arn: arn.to_owned(),
                weight,
            };
            let groups = PerColour {
                blue: group("blue", blue),
                green: group("green", green),
            };
            check_third_groups(&rule, &groups).map_err(|why| why.message)
        };

        for (blue, green, third) in [(100, 0, 900), (95, 5, 1), (1, 0, 0), (0, 7, 0)] {
            assert_eq!(found(blue, green, third), Ok(()));
        }
        for (blue, green, together) in [(1, 0, 1), (0, 0, 0), (100, 100, 200)] {
            assert_eq!(
                found(blue, green, 3),
                Err(format!(
                    "the rule forwards to third, too, with weight 3, and the weights of the \
                     colours are {together} together; expected 100, which a release sets, so that \
                     the other group keeps its share of the traffic; multiply all weights of the \
                     rule"
                ))
            );
        }
    }

    #[test]
    fn a_rule_binds_clients_for_up_to_the_hour_that_a_retirement_waits_for_them() {
        let found = |sticky: Option<u64>| {
            let rule = RuleView {
                weights: Vec::new(),
                sticky: sticky.map(Duration::from_secs),
            };
            check_stickiness(&rule).map_err(|why| why.message)
        };

        assert_eq!(found(None), Ok(()));
        assert_eq!(found(Some(3_600)), Ok(()));
        assert_eq!(
            found(Some(86_400)),
            Err(
                "the rule binds clients to their target group for 24h00m; expected up to 1h00m, \
                 for which a retirement waits until they have left the old colour; set a shorter \
                 `DurationSeconds` in `TargetGroupStickinessConfig` of the rule"
                    .to_owned()
            )
        );
        assert!(found(Some(3_601)).is_err());
    }

    #[test]
    fn a_colour_behind_records_has_a_target_group() {
        let found = first_group("shop-green", &registered(&["green", "admin"]), 7);
        let expected = ForwardGroup {
            arn: "green".to_owned(),
            weight: 7,
        };
        assert_eq!(found, Ok(expected));

        let why = first_group("shop-green", &registered(&[]), 7).expect_err("no group");
        let start = "service `shop-green` registers with no target group; ";
        assert!(why.message.starts_with(start), "{}", why.message);
    }
}
