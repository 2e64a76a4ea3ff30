//! What points at a colour beside the route of its pair, which is refused: a release moves the
//! weights of that route alone. Whatever follows another one would reach tasks that are not
//! approved, and none once the colour is emptied.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::listener_rule::OtherRule;
use slipway::observed::other_route::OtherRoute;
use slipway::observed::route::Route;

use crate::BeginRelease;
use crate::preflight::RULE;
use crate::target::{FoundTarget, group_of};

impl BeginRelease {
    /// Refuses a pair whose colours are reached beside its route. Nothing else of a single service
    /// is emptied.
    pub(crate) async fn check_pointing(
        &self,
        checks: &mut Checks,
        target: &FoundTarget,
    ) -> Result<(), StepError> {
        let FoundTarget::Pair { live, idle, prior } = target else {
            return Ok(());
        };
        let route = &prior.route;
        for (seen, colour) in [(live, prior.live), (idle, prior.idle())] {
            let routes = other_routes(seen, route, &prior.of(colour).target_group);
            let alone = refuse_others(seen.name(), route, &routes);
            let group = group_of(seen.name().1);
            checks.take((group.as_str(), "other-routes"), alone, |()| {
                format!("only the {} leads to it", route.noun())
            })?;
        }

        match route {
            Route::Rule(rule) => self.check_other_rules(checks, rule, prior.groups()).await,
            Route::Record(_) => Ok(()),
        }
    }

    async fn check_other_rules(
        &self,
        checks: &mut Checks,
        rule: &str,
        groups: PerColour<&str>,
    ) -> Result<(), StepError> {
        let others = self.rules.beside(rule).await.map_err(StepError::from);
        let tests = others.and_then(|others| Ok(test_rules(&others, groups)?));

        let at = (RULE, "other-rules");
        match tests {
            Ok(tests) if !tests.is_empty() => checks.skip(
                at,
                format!(
                    "{} forward to one colour only, as test rules do: their traffic stays with it",
                    tests.join(", ")
                ),
            ),
            other => {
                checks.take(at, other, |_| "none forwards to the pair".to_owned())?;
            }
        }
        Ok(())
    }
}

/// What leads to a colour whose group in the released rule is `group`. With records every target
/// group of the service is one of the load balancer to which its record leads.
fn other_routes(seen: &ObservedService, route: &Route, group: &str) -> Vec<OtherRoute> {
    let groups = match route {
        Route::Rule(_) => seen.view.target_groups.as_slice(),
        Route::Record(_) => &[],
    };
    let others = groups
        .iter()
        .filter(|found| found.arn != group)
        .map(|found| OtherRoute::TargetGroup(found.arn.clone()));
    others.chain(seen.discovered_by().iter().cloned()).collect()
}

fn refuse_others(
    (cluster, service): (&str, &str),
    route: &Route,
    routes: &[OtherRoute],
) -> Result<(), Failure> {
    let Some(first) = routes.first() else {
        return Ok(());
    };

    let found: Vec<String> = routes.iter().map(ToString::to_string).collect();
    Err(Failure::configuration(format!(
        "service `{service}` is reached by {} too; expected the {} alone to lead to a colour, \
         because its weights are the only ones that a release moves; remove what else does: aws \
         ecs update-service --cluster {cluster} --service {service} {}",
        found.join(", "),
        route.noun(),
        first.removal()
    )))
}

/// The other rules that send requests of tests to one colour. Refuses one that forwards to both,
/// whose weights stay when a release moves the traffic of its own rule, and one that sends the
/// requests of every client to a colour that a release empties.
fn test_rules(others: &[OtherRule], groups: PerColour<&str>) -> Result<Vec<String>, Failure> {
    let mut tests = Vec::new();

    for OtherRule {
        arn,
        weights,
        is_selective,
    } in others
    {
        let weight = |colour: Colour| {
            let mut named = weights.iter();
            named
                .find(|(group, _)| group == *groups.of(colour))
                .map(|(_, weight)| *weight)
        };
        let (blue, green) = (weight(Colour::Blue), weight(Colour::Green));
        if blue.unwrap_or(0) + green.unwrap_or(0) == 0 {
            continue;
        }

        match (blue, green) {
            (Some(_), Some(_)) => {
                return Err(Failure::configuration(format!(
                    "another rule forwards to both colours: {arn}; expected `rule` alone to do so, \
                     because its weights are the only ones that a release moves; remove the \
                     colours from the other rule"
                )));
            }
            _ if *is_selective => tests.push(arn.clone()),
            _ => {
                return Err(Failure::configuration(format!(
                    "another rule or default action forwards to one colour: {arn}; expected a test \
                     rule, with an http-header, query-string or source-ip condition, because its \
                     clients get no response once that colour is emptied; forward by a rule with \
                     such a condition, redirect its requests to the listener of `rule`, or remove \
                     the colour from it"
                )));
            }
        }
    }
    Ok(tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: PerColour<&str> = PerColour {
        blue: "blue",
        green: "green",
    };

    fn rule(arn: &str, groups: &[(&str, u32)], is_selective: bool) -> OtherRule {
        let weights = groups
            .iter()
            .map(|(group, weight)| ((*group).to_owned(), *weight));
        OtherRule {
            arn: arn.to_owned(),
            weights: weights.collect(),
            is_selective,
        }
    }

    fn refusal(others: &[OtherRule]) -> String {
        let refused = test_rules(others, GROUPS);
        refused.expect_err("it is refused").message
    }

    #[test]
    fn a_rule_of_tests_that_forwards_to_one_colour_stays() {
        let test = rule("test", &[("green", 1)], true);
        let third = rule("third", &[("other", 1)], false);
        let idle = rule("idle", &[("blue", 0), ("green", 0), ("other", 1)], false);

        let found = test_rules(&[test, third.clone(), idle], GROUPS);
        assert_eq!(found, Ok(vec!["test".to_owned()]));
        assert_eq!(test_rules(&[third], GROUPS), Ok(Vec::new()));
    }

    #[test]
    fn another_rule_that_forwards_to_both_colours_is_refused() {
        let test = rule("test", &[("green", 1)], true);
        for weights in [[1, 1], [100, 0], [0, 100]] {
            let groups = [("blue", weights[0]), ("other", 1), ("green", weights[1])];
            assert_eq!(
                refusal(&[test.clone(), rule("both", &groups, true)]),
                "another rule forwards to both colours: both; expected `rule` alone to do so, \
                 because its weights are the only ones that a release moves; remove the colours \
                 from the other rule"
            );
        }
    }

    #[test]
    fn another_rule_that_sends_every_client_to_one_colour_is_refused() {
        for groups in [
            &[("blue", 1)][..],
            &[("green", 1)],
            &[("green", 7), ("other", 1)],
        ] {
            assert_eq!(
                refusal(&[rule("api", groups, false)]),
                "another rule or default action forwards to one colour: api; expected a test rule, \
                 with an http-header, query-string or source-ip condition, because its clients get \
                 no response once that colour is emptied; forward by a rule with such a condition, \
                 redirect its requests to the listener of `rule`, or remove the colour from it"
            );
        }
    }

    #[test]
    fn what_else_leads_to_a_colour_is_named_with_the_command_that_removes_the_first() {
        let refused = |routes: &[OtherRoute]| {
            let route = Route::Rule("rule".to_owned());
            let alone = refuse_others(("apps", "shop-blue"), &route, routes);
            alone.map_err(|failure| failure.message)
        };
        assert_eq!(refused(&[]), Ok(()));

        let routes = [
            OtherRoute::Registry("arn:…:service/srv-1".to_owned()),
            OtherRoute::ServiceConnect("shop".to_owned()),
            OtherRoute::Lattice("arn:…:targetgroup/tg-1".to_owned()),
            OtherRoute::TargetGroup("arn:…:targetgroup/internal/1".to_owned()),
        ];
        let start = "service `shop-blue` is reached by";
        let middle = "too; expected the listener rule alone to lead to a colour, because its \
                      weights are the only ones that a release moves; remove what else does: aws \
                      ecs update-service --cluster apps --service shop-blue";
        assert_eq!(
            refused(&routes),
            Err(format!(
                "{start} service registry arn:…:service/srv-1, Service Connect service `shop`, VPC \
                 Lattice target group arn:…:targetgroup/tg-1, target group \
                 arn:…:targetgroup/internal/1 {middle} --service-registries '[]'"
            ))
        );
        for (route, removal) in [
            (&routes[1], "--service-connect-configuration enabled=false"),
            (&routes[2], "--vpc-lattice-configurations '[]'"),
            (&routes[3], "--load-balancers <the one of the rule>"),
        ] {
            let why = refused(std::slice::from_ref(route)).expect_err("it is refused");
            assert!(why.ends_with(&format!("{middle} {removal}")), "{why}");
        }
    }
}
