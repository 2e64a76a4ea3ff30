//! Whether the record of each colour leads to the load balancer of its service: only then does its
//! weight move the traffic of the tasks whose health is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use thiserror::Error;

use super::colour::{Colour, PerColour};
use super::service::{ServiceView, TargetGroupView};

/// The DNS names of the load balancers of each target group, by the ARN of the group.
pub type BalancerNames = BTreeMap<String, Vec<String>>;

/// The services of both colours, to which records should lead.
#[derive(Clone, Copy, Debug)]
pub struct LedServices<'a> {
    pub names: &'a PerColour<String>,
    pub views: PerColour<&'a ServiceView>,
}

/// Why the weight of a record does not move the traffic of a service.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Misled {
    #[error(
        "the record of {colour} leads to {target}; expected the load balancer of service \
         `{service}`, {found}; change the record, or exchange `record.blue` and `record.green`"
    )]
    Elsewhere {
        colour: Colour,
        target: String,
        service: String,
        /// The names of the service's load balancers.
        found: String,
    },
    #[error(
        "the record of {colour} leads to {target}, which does not forward to target group {group} \
         of service `{service}`; expected one load balancer for all target groups of the service, \
         because a release moves no other; add the group to a rule of it, or remove it from the \
         service"
    )]
    Partly {
        colour: Colour,
        target: String,
        service: String,
        group: String,
    },
}

impl<'a> LedServices<'a> {
    /// All target groups of both services, by their ARNs.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<&'a str> {
        let views = [self.views.blue, self.views.green];
        let groups = views.into_iter().flat_map(|view| &view.target_groups);
        groups.map(|group| group.arn.as_str()).collect()
    }

    /// Checks that each record leads to the load balancer of all target groups of its service.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check_targets(
        &self,
        targets: &PerColour<String>,
        balancers: &BalancerNames,
    ) -> Result<(), Misled> {
        for colour in [Colour::Blue, Colour::Green] {
            self.check_target(colour, targets.of(colour), balancers)?;
        }
        Ok(())
    }

    fn check_target(
        &self,
        colour: Colour,
        target: &str,
        balancers: &BalancerNames,
    ) -> Result<(), Misled> {
        let name = target.strip_prefix("dualstack.").unwrap_or(target);
        let groups = &self.views.of(colour).target_groups;
        let names_of = |group: &TargetGroupView| balancers.get(&group.arn).into_iter().flatten();
        let is_missed = |group: &&TargetGroupView| names_of(group).all(|known| known != name);
        let missed: Vec<&TargetGroupView> = groups.iter().filter(is_missed).collect();
        let target = target.to_owned();
        let service = self.names.of(colour).clone();

        match missed.first() {
            None if !groups.is_empty() => Ok(()),
            Some(group) if missed.len() < groups.len() => Err(Misled::Partly {
                colour,
                target,
                service,
                group: group.name().to_owned(),
            }),
            None | Some(_) => {
                let found: BTreeSet<&str> = groups
                    .iter()
                    .flat_map(names_of)
                    .map(String::as_str)
                    .collect();
                Err(Misled::Elsewhere {
                    colour,
                    target,
                    service,
                    found: listed(found),
                })
            }
        }
    }
}

fn listed(names: BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "which has none".to_owned();
    }
    let names: Vec<&str> = names.into_iter().collect();
    names.join(", ")
}

/// Whether a record has addresses in place of a name.
#[must_use]
pub fn is_address(target: &str) -> bool {
    let mut values = target.split(", ");
    values.any(|value| value.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::fixtures::{OLD, steady};

    const BLUE: &str = "blue-1.eu-west-1.elb.amazonaws.com";
    const GREEN: &str = "green-1.eu-west-1.elb.amazonaws.com";
    const INTERNAL: &str = "internal-blue-2.eu-west-1.elb.amazonaws.com";

    fn arn(group: &str) -> String {
        format!("arn:…:targetgroup/{group}/0123456789abcdef")
    }

    fn registered(groups: &[&str]) -> ServiceView {
        let view = steady(OLD);
        let group = |name: &&str| TargetGroupView {
            arn: arn(name),
            ..view.target_groups[0].clone()
        };
        ServiceView {
            target_groups: groups.iter().map(group).collect(),
            ..view
        }
    }

    /// The result for a blue service with these groups, each of which a load balancer may use.
    fn checked(target: &str, groups: &[(&str, Option<&str>)]) -> Result<(), String> {
        let names: Vec<&str> = groups.iter().map(|(name, _)| *name).collect();
        let (blue, green) = (registered(&names), registered(&["green"]));
        let services = PerColour {
            blue: "shop-blue".to_owned(),
            green: "shop-green".to_owned(),
        };
        let led = LedServices {
            names: &services,
            views: PerColour {
                blue: &blue,
                green: &green,
            },
        };
        let all = groups.iter().chain(&[("green", Some(GREEN))]);
        let used = all.map(|(name, balancer)| {
            let balancers = balancer.iter().map(|name| (*name).to_owned());
            (arn(name), balancers.collect())
        });
        let used: BalancerNames = used.collect();
        let targets = PerColour {
            blue: target.to_owned(),
            green: GREEN.to_owned(),
        };
        led.check_targets(&targets, &used)
            .map_err(|why| why.to_string())
    }

    #[test]
    fn a_record_leads_to_the_load_balancer_of_its_service() {
        let own = [("blue", Some(BLUE))];
        assert_eq!(checked(BLUE, &own), Ok(()));
        let dual = format!("dualstack.{BLUE}");
        assert_eq!(checked(&dual, &own), Ok(()));
        assert_eq!(
            checked(GREEN, &own),
            Err(format!(
                "the record of blue leads to {GREEN}; expected the load balancer of service \
                 `shop-blue`, {BLUE}; change the record, or exchange `record.blue` and \
                 `record.green`"
            ))
        );

        for without in [&[("blue", None)][..], &[]] {
            let why = checked(&dual, without).expect_err("no load balancer");
            assert!(
                why.contains("service `shop-blue`, which has none;"),
                "{why}"
            );
        }
    }

    #[test]
    fn all_target_groups_of_a_service_are_those_of_one_load_balancer() {
        let both = [("blue", Some(BLUE)), ("admin", Some(BLUE))];
        assert_eq!(checked(BLUE, &both), Ok(()));

        for other in [Some(INTERNAL), None] {
            assert_eq!(
                checked(BLUE, &[("blue", Some(BLUE)), ("admin", other)]),
                Err(format!(
                    "the record of blue leads to {BLUE}, which does not forward to target group \
                     admin of service `shop-blue`; expected one load balancer for all target \
                     groups of the service, because a release moves no other; add the group to a \
                     rule of it, or remove it from the service"
                ))
            );
        }

        let why = checked(GREEN, &[("blue", Some(BLUE)), ("admin", Some(INTERNAL))]);
        let why = why.expect_err("elsewhere");
        assert!(why.contains(&format!("{BLUE}, {INTERNAL};")), "{why}");
    }

    #[test]
    fn the_groups_of_both_services_are_looked_up_once_each() {
        let names = PerColour::from_fn(|colour| format!("shop-{colour}"));
        let (blue, green) = (
            registered(&["blue", "admin"]),
            registered(&["green", "green"]),
        );
        let led = LedServices {
            names: &names,
            views: PerColour {
                blue: &blue,
                green: &green,
            },
        };
        let found: Vec<&str> = led.groups().into_iter().collect();
        assert_eq!(found, ["admin", "blue", "green"].map(arn));
    }

    #[test]
    fn a_target_is_a_name_or_addresses() {
        assert!(is_address("192.0.2.1, 192.0.2.2") && is_address("2001:db8::1"));
        assert!(!is_address(BLUE));
    }

    #[test]
    fn the_record_of_each_colour_is_checked() {
        let names = PerColour::from_fn(|colour| format!("shop-{colour}"));
        let (blue, green) = (registered(&["blue"]), registered(&["green"]));
        let led = LedServices {
            names: &names,
            views: PerColour {
                blue: &blue,
                green: &green,
            },
        };
        let used = BalancerNames::from([
            (arn("blue"), vec![BLUE.to_owned()]),
            (arn("green"), vec![GREEN.to_owned()]),
        ]);
        let check = |targets: [&str; 2]| {
            let targets = PerColour {
                blue: targets[0].to_owned(),
                green: targets[1].to_owned(),
            };
            led.check_targets(&targets, &used)
        };
        let elsewhere = |colour: Colour, target: &str, found: &str| Misled::Elsewhere {
            colour,
            target: target.to_owned(),
            service: format!("shop-{colour}"),
            found: found.to_owned(),
        };

        assert_eq!(check([BLUE, GREEN]), Ok(()));
        assert_eq!(
            check([GREEN, GREEN]),
            Err(elsewhere(Colour::Blue, GREEN, BLUE))
        );
        assert_eq!(
            check([BLUE, BLUE]),
            Err(elsewhere(Colour::Green, BLUE, GREEN))
        );
    }
}
