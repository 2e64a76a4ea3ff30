//! What points at a colour beside the route of its pair, which is refused: a release moves the
//! weights of that route alone. Whatever follows another one would reach tasks that are not
//! approved, and none once the colour is emptied.

use std::collections::BTreeMap;

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::listener_rule::{OtherRule, TEST_ROUTE, is_for_tests};
use slipway::observed::other_route::OtherRoute;
use slipway::observed::route::Route;

use crate::BeginRelease;
use crate::check_groups::RULE;
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
        let tests = self.test_rules(rule, groups).await;

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

    /// The other rules that send requests of tests to one colour. Reads the tags of those only that
    /// are refused without one.
    async fn test_rules(
        &self,
        rule: &str,
        groups: PerColour<&str>,
    ) -> Result<Vec<String>, StepError> {
        let others = self.rules.beside(rule).await?;
        let OfOneColour { mut tests, open } = of_one_colour(&others, groups)?;
        let tags = self.rules.tags(TEST_ROUTE, &open).await?;
        refuse_untagged(&open, &tags)?;

        tests.extend(open);
        Ok(tests)
    }
}

/// The other rules that send traffic to one colour, by their ARNs.
#[derive(Default)]
struct OfOneColour {
    /// Those that take requests of tests only.
    tests: Vec<String>,
    /// Those that take the requests of every client.
    open: Vec<String>,
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

/// The other rules that send traffic to one colour. Refuses one that forwards to both, whose
/// weights stay when a release moves the traffic of its own rule.
fn of_one_colour(others: &[OtherRule], groups: PerColour<&str>) -> Result<OfOneColour, Failure> {
    let mut found = OfOneColour::default();

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
                     because its weights are the only ones that a release moves; add the hosts and \
                     paths of the other rule to the conditions of `rule`, or redirect its requests \
                     to the listener of `rule`, and remove the colours from it"
                )));
            }
            _ if *is_selective => found.tests.push(arn.clone()),
            _ => found.open.push(arn.clone()),
        }
    }
    Ok(found)
}

/// Refuses a rule that sends the requests of every client to a colour that a release empties,
/// unless its tag states that its clients are tests. The values of the tags are by ARN.
fn refuse_untagged(open: &[String], tags: &BTreeMap<String, String>) -> Result<(), Failure> {
    let Some(arn) = open.iter().find(|arn| !is_for_tests(arn, tags)) else {
        return Ok(());
    };

    let tag = tags.get(arn).map_or_else(String::new, |value| {
        format!(" with the tag {TEST_ROUTE}={value}")
    });
    Err(Failure::configuration(format!(
        "another rule or default action forwards to one colour: {arn}{tag}; expected a test rule, \
         with an http-header, query-string or source-ip condition or the tag {TEST_ROUTE}=true, \
         because its clients get no response once that colour is emptied; forward by a rule with \
         such a condition, redirect its requests to the listener of `rule`, or remove the colour \
         from it; if only tests use it: aws elbv2 add-tags --resource-arns {arn} --tags \
         Key={TEST_ROUTE},Value=true"
    )))
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

    fn found(others: &[OtherRule]) -> Result<(Vec<String>, Vec<String>), String> {
        let found = of_one_colour(others, GROUPS).map_err(|refused| refused.message)?;
        Ok((found.tests, found.open))
    }

    /// Why rules are refused of which some have the tag, with these values.
    fn untagged(open: &[&str], tags: &[(&str, &str)]) -> Option<String> {
        let open: Vec<String> = open.iter().map(|arn| (*arn).to_owned()).collect();
        let tags = tags.iter();
        let tags = tags.map(|(arn, value)| ((*arn).to_owned(), (*value).to_owned()));
        let refused = refuse_untagged(&open, &tags.collect()).err();
        refused.map(|refused| refused.message)
    }

    #[test]
    fn a_rule_of_tests_that_forwards_to_one_colour_stays() {
        let test = rule("test", &[("green", 1)], true);
        let third = rule("third", &[("other", 1)], false);
        let idle = rule("idle", &[("blue", 0), ("green", 0), ("other", 1)], false);

        let tests = vec!["test".to_owned()];
        assert_eq!(found(&[test, third.clone(), idle]), Ok((tests, vec![])));
        assert_eq!(found(&[third]), Ok((vec![], vec![])));
    }

    #[test]
    fn another_rule_that_forwards_to_both_colours_is_refused() {
        let test = rule("test", &[("green", 1)], true);
        for weights in [[1, 1], [100, 0], [0, 100]] {
            let groups = [("blue", weights[0]), ("other", 1), ("green", weights[1])];
            let others = [test.clone(), rule("both", &groups, weights[0] == 1)];
            assert_eq!(
                found(&others),
                Err(
                    "another rule forwards to both colours: both; expected `rule` alone to do so, \
                     because its weights are the only ones that a release moves; add the hosts and \
                     paths of the other rule to the conditions of `rule`, or redirect its requests \
                     to the listener of `rule`, and remove the colours from it"
                        .to_owned()
                )
            );
        }
    }

    #[test]
    fn another_rule_that_sends_every_client_to_one_colour_needs_the_tag() {
        for groups in [
            &[("blue", 1)][..],
            &[("green", 1)],
            &[("green", 7), ("other", 1)],
        ] {
            let api = rule("api", groups, false);
            assert_eq!(found(&[api]), Ok((vec![], vec!["api".to_owned()])));
        }

        assert_eq!(untagged(&[], &[]), None);
        assert_eq!(untagged(&["api"], &[("api", "true")]), None);
        let tagged = [("api", "true"), ("web", "true")];
        assert_eq!(untagged(&["api", "web"], &tagged), None);
    }

    #[test]
    fn what_lacks_the_tag_is_named_with_the_command_that_sets_it() {
        let refused = |name: &str, tag: &str| {
            Some(format!(
                "another rule or default action forwards to one colour: {name}{tag}; expected a \
                 test rule, with an http-header, query-string or source-ip condition or the tag \
                 slipway:test-route=true, because its clients get no response once that colour is \
                 emptied; forward by a rule with such a condition, redirect its requests to the \
                 listener of `rule`, or remove the colour from it; if only tests use it: aws elbv2 \
                 add-tags --resource-arns {name} --tags Key=slipway:test-route,Value=true"
            ))
        };

        assert_eq!(untagged(&["api", "web"], &[]), refused("api", ""));
        assert_eq!(
            untagged(&["api", "web"], &[("api", "true")]),
            refused("web", "")
        );
        for value in ["yes", "True", ""] {
            let tag = format!(" with the tag slipway:test-route={value}");
            assert_eq!(untagged(&["api"], &[("api", value)]), refused("api", &tag));
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
