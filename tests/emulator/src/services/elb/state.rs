//! Load balancers, listeners, rules and target groups, and which of them forwards to which.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::health::{self, TargetState};
use crate::Millis;

/// Load balancers, listeners, rules and target groups by ARN.
#[derive(Clone, Debug, Default)]
pub struct Elb {
    pub load_balancers: BTreeMap<String, LoadBalancer>,
    pub listeners: BTreeMap<String, Listener>,
    pub rules: BTreeMap<String, Rule>,
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// Whether requests come from addresses that no condition lists, such as those of functions
    /// outside the VPC.
    pub sources_unlisted: bool,
}

#[derive(Clone, Debug)]
pub struct LoadBalancer {
    pub arn: String,
    pub name: String,
    pub dns_name: String,
    pub created_at: Millis,
    /// The properties as CloudFormation names them.
    pub properties: Map<String, Value>,
}

/// The Availability Zones of a load balancer: one for each of its subnets, three if it names none.
pub(crate) fn zones(region: &str, balancer: &LoadBalancer) -> Vec<String> {
    let listed = |name: &str| balancer.properties.get(name)?.as_array().map(Vec::len);
    let subnets = listed("Subnets").or_else(|| listed("SubnetMappings"));
    let count = subnets.unwrap_or(3).clamp(1, 6);
    ["a", "b", "c", "d", "e", "f"][..count]
        .iter()
        .map(|letter| format!("{region}{letter}"))
        .collect()
}

#[derive(Clone, Debug)]
pub struct Listener {
    pub arn: String,
    pub load_balancer_arn: String,
    pub properties: Map<String, Value>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub arn: String,
    pub listener_arn: String,
    pub properties: Map<String, Value>,
}

#[derive(Clone, Debug)]
pub struct TargetGroup {
    pub arn: String,
    pub name: String,
    pub properties: Map<String, Value>,
    /// Since when some listener or rule sends traffic here.
    pub used_since: Option<Millis>,
    /// By identifier (an address or an instance) and port.
    pub targets: BTreeMap<(String, u16), RegisteredTarget>,
}

/// One registered target: how its state was at `since`, and what its application has answered to
/// health checks from then on.
#[derive(Clone, Debug)]
pub struct RegisteredTarget {
    pub(crate) before: TargetState,
    pub(crate) since: Millis,
    pub(crate) answers: bool,
    pub(crate) draining_until: Option<Millis>,
    /// Whether its Availability Zone is one of the load balancer's.
    pub(crate) in_enabled_zone: bool,
}

impl TargetGroup {
    /// `targetgroup/<name>/<16 hex>`, as metrics name it.
    pub fn full_name(&self) -> &str {
        self.arn
            .rsplit_once(':')
            .map_or(&self.arn, |(_, resource)| resource)
    }

    /// `instance`, `ip` or `lambda`.
    pub fn target_type(&self) -> &str {
        self.properties
            .get("TargetType")
            .and_then(Value::as_str)
            .unwrap_or("instance")
    }

    pub(super) fn number(&self, property: &str, default: i64) -> i64 {
        let value = self.properties.get(property);
        value
            .and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()))
            .unwrap_or(default)
    }

    /// A target group attribute, e.g. `deregistration_delay.timeout_seconds`.
    pub(super) fn attribute(&self, key: &str) -> Option<&str> {
        let attributes = self.properties.get("TargetGroupAttributes")?.as_array()?;
        attributes
            .iter()
            .find(|attribute| attribute["Key"] == key)?["Value"]
            .as_str()
    }
}

impl Elb {
    /// The target groups and weights of a list of actions; a plain forward has weight 1.
    pub fn forwards(actions: Option<&Value>) -> Vec<(String, i64)> {
        Self::forwarded(actions)
            .map(|(group, weight)| (group.to_owned(), weight))
            .collect()
    }

    fn forwarded(actions: Option<&Value>) -> impl Iterator<Item = (&str, i64)> {
        let actions = actions.and_then(Value::as_array).into_iter().flatten();
        actions.flat_map(|action| {
            let weighted = action["ForwardConfig"]["TargetGroups"].as_array();
            let weighted = weighted.map_or(&[] as &[Value], Vec::as_slice);
            let plain = action["TargetGroupArn"]
                .as_str()
                .filter(|_| weighted.is_empty());
            let groups = weighted
                .iter()
                .filter_map(|group| Some((group["TargetGroupArn"].as_str()?, weight_of(group))));
            groups.chain(plain.map(|arn| (arn, 1)))
        })
    }

    /// The actions of a rule, or the default actions of a listener, by its ARN.
    pub fn actions_of(&self, arn: &str) -> Option<&Value> {
        let rule = self
            .rules
            .get(arn)
            .map(|rule| rule.properties.get("Actions"));
        rule.or_else(|| {
            self.listeners
                .get(arn)
                .map(|listener| listener.properties.get("DefaultActions"))
        })
        .flatten()
    }

    /// Every forward of every listener and rule, with the listener it belongs to.
    pub fn all_forwards(&self) -> impl Iterator<Item = (&str, &str, i64)> {
        self.routed()
            .map(|(_, listener, group, weight)| (listener, group, weight))
    }

    /// Every forward, with the ARN of the rule that has it, or of the listener whose default action
    /// it is.
    pub fn forwards_by_arn(&self) -> impl Iterator<Item = (&str, &str, i64)> {
        self.routed()
            .map(|(arn, _, group, weight)| (arn, group, weight))
    }

    /// Every forward, with what has it and with the listener it belongs to.
    fn routed(&self) -> impl Iterator<Item = (&str, &str, &str, i64)> {
        let defaults = self.listeners.values().map(|listener| {
            let arn = listener.arn.as_str();
            (arn, arn, listener.properties.get("DefaultActions"))
        });
        let rules = self.rules.values().map(|rule| {
            let actions = rule.properties.get("Actions");
            (rule.arn.as_str(), rule.listener_arn.as_str(), actions)
        });

        defaults.chain(rules).flat_map(|(arn, listener, actions)| {
            Self::forwarded(actions).map(move |(group, weight)| (arn, listener, group, weight))
        })
    }

    /// The load balancers that can send traffic to a target group, at whatever weight.
    pub fn load_balancers_of(&self, target_group: &str) -> Vec<String> {
        let mut arns: Vec<String> = self
            .all_forwards()
            .filter(|(_, group, _)| *group == target_group)
            .filter_map(|(listener, _, _)| {
                Some(self.listeners.get(listener)?.load_balancer_arn.clone())
            })
            .collect();
        arns.sort();
        arns.dedup();
        arns
    }

    /// How many targets of a group are healthy.
    pub fn healthy_count(&self, target_group: &str, now: Millis) -> usize {
        let Some(group) = self.target_groups.get(target_group) else {
            return 0;
        };
        group
            .targets
            .values()
            .filter(|target| health::state_of(group, target, now) == Some(TargetState::Healthy))
            .count()
    }
}

/// The weight of a target group of a forward action.
fn weight_of(group: &Value) -> i64 {
    let weight = &group["Weight"];
    let weight = weight.as_i64().or_else(|| weight.as_str()?.parse().ok());
    weight.unwrap_or(1)
}
