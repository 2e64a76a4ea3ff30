//! Reading the members of a request: their types are checked as the JSON protocol does, before any
//! rule of ECS.

use serde_json::{Map, Value, json};

use crate::page::cut;
use crate::text::short_name;
use crate::{ApiError, Aws};

use super::definition_schema::{CONTAINER, DEFINITION, TAGS};
use super::{Cluster, invalid};

/// The type of a member, as far as the sandbox knows it; unknown members pass.
#[derive(Clone, Copy, Debug)]
pub(super) enum InputType {
    Text,
    Integer,
    Boolean,
    /// Text values under free keys.
    Texts,
    List(&'static InputType),
    Object(&'static [(&'static str, InputType)]),
}

use InputType::{Boolean, Integer, List, Object, Text, Texts};

const TEXT_LIST: InputType = List(&Text);

const OTHER: InputType = Object(&[
    ("cluster", Text),
    ("clusterName", Text),
    ("clusters", TEXT_LIST),
    ("service", Text),
    ("serviceName", Text),
    ("services", TEXT_LIST),
    ("serviceDeploymentArns", TEXT_LIST),
    ("task", Text),
    ("tasks", TEXT_LIST),
    ("count", Integer),
    ("group", Text),
    ("startedBy", Text),
    ("clientToken", Text),
    (
        "overrides",
        Object(&[("containerOverrides", List(&CONTAINER))]),
    ),
    ("reason", Text),
    ("containerInstances", TEXT_LIST),
    ("taskDefinition", Text),
    ("desiredCount", Integer),
    ("launchType", Text),
    ("force", Boolean),
    ("forceNewDeployment", Boolean),
    ("healthCheckGracePeriodSeconds", Integer),
    ("include", TEXT_LIST),
    ("maxResults", Integer),
    ("nextToken", Text),
    ("family", Text),
    ("familyPrefix", Text),
    ("desiredStatus", Text),
    ("status", Text),
    ("sort", Text),
    ("resourceArn", Text),
    ("tagKeys", TEXT_LIST),
    ("tags", TAGS),
    (
        "loadBalancers",
        List(&Object(&[
            ("targetGroupArn", Text),
            ("loadBalancerName", Text),
            ("containerName", Text),
            ("containerPort", Integer),
        ])),
    ),
    (
        "deploymentConfiguration",
        Object(&[
            ("minimumHealthyPercent", Integer),
            ("maximumPercent", Integer),
            (
                "deploymentCircuitBreaker",
                Object(&[("enable", Boolean), ("rollback", Boolean)]),
            ),
            (
                "earlySuccessCriteria",
                Object(&[
                    ("enable", Boolean),
                    ("healthyPercent", Integer),
                    ("sourceServiceRevisionCleanup", Text),
                ]),
            ),
        ]),
    ),
    ("deploymentController", Object(&[("type", Text)])),
    ("schedulingStrategy", Text),
    ("propagateTags", Text),
    ("availabilityZoneRebalancing", Text),
    ("name", Text),
    ("capacityProviders", TEXT_LIST),
    (
        "capacityProviderStrategy",
        List(&Object(&[
            ("capacityProvider", Text),
            ("base", Integer),
            ("weight", Integer),
        ])),
    ),
    (
        "autoScalingGroupProvider",
        Object(&[
            ("autoScalingGroupArn", Text),
            ("managedScaling", Object(&[("status", Text)])),
        ]),
    ),
]);

/// Unlike other lists, this one takes several words as `status`.
const SERVICE_DEPLOYMENTS: InputType = Object(&[
    ("cluster", Text),
    ("service", Text),
    ("status", TEXT_LIST),
    ("createdAt", Object(&[])),
    ("maxResults", Integer),
    ("nextToken", Text),
]);

/// The members of a request whose known types were checked.
pub(super) struct CheckedInput<'a>(pub(super) &'a Map<String, Value>);

impl<'a> CheckedInput<'a> {
    pub(super) fn of(operation: &str, input: &'a Value) -> Result<Self, ApiError> {
        let kind = match operation {
            "RegisterTaskDefinition" => DEFINITION,
            "ListServiceDeployments" => SERVICE_DEPLOYMENTS,
            _ => OTHER,
        };
        check(input, kind)?;
        Ok(Self(input.as_object().expect("an object was checked")))
    }

    /// A member that is there and not null.
    pub(super) fn get(&self, member: &str) -> Option<&'a Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    /// A text that is there and not empty.
    pub(super) fn text(&self, member: &str) -> Option<&'a str> {
        self.get(member)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    pub(super) fn integer(&self, member: &str) -> Option<i64> {
        self.get(member).and_then(Value::as_i64)
    }

    pub(super) fn flag(&self, member: &str) -> bool {
        self.get(member).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn list(&self, member: &str) -> &'a [Value] {
        self.get(member)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn texts(&self, member: &str) -> Vec<&'a str> {
        self.list(member).iter().filter_map(Value::as_str).collect()
    }

    /// Whether `include` requests tags; other words than those given are refused.
    pub(super) fn includes_tags(&self, others: &[&str]) -> Result<bool, ApiError> {
        let words = self.texts("include");
        match words
            .iter()
            .find(|word| **word != "TAGS" && !others.contains(word))
        {
            Some(word) => Err(invalid(format!("Invalid include option {word}"))),
            None => Ok(words.contains(&"TAGS")),
        }
    }

    /// The cluster that is named by name or ARN; `default` when none is.
    pub(super) fn cluster<'b>(&self, aws: &'b Aws) -> Result<&'b Cluster, ApiError> {
        let name = short_name(self.text("cluster").unwrap_or("default"));
        aws.ecs
            .clusters
            .get(name)
            .ok_or_else(|| ApiError::client("ClusterNotFoundException", "Cluster not found."))
    }

    /// One page of ARNs that are in order, as `{<member>: […], nextToken?}`. The token is the last
    /// item before the page.
    pub(super) fn page(
        &self,
        aws: &Aws,
        member: &str,
        arns: Vec<String>,
        default_size: i64,
    ) -> Result<Value, ApiError> {
        let size = self.integer("maxResults").unwrap_or(default_size);
        if !(1..=100).contains(&size) {
            return Err(invalid("maxResults must be between 1 and 100."));
        }
        let start = match self.text("nextToken") {
            Some(token) => {
                let last = arns.iter().position(|arn| arn == token);
                last.ok_or_else(|| invalid("Invalid token"))? + 1
            }
            None => 0,
        };

        let size = aws.page_size(usize::try_from(size).unwrap_or(1));
        let page = cut(arns, start, size);
        let (page, next) = page.ok_or_else(|| invalid("Invalid token"))?;

        let mut output = json!({ member: page });
        if next.is_some() {
            output["nextToken"] = page.last().cloned().into();
        }
        Ok(output)
    }
}

/// What was described by its ARN and what was not found, as `{<member>: […], failures: […]}`.
pub(super) fn found_and_missing(
    member: &str,
    described: impl Iterator<Item = (String, Option<Value>)>,
) -> Value {
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for (arn, description) in described {
        match description {
            Some(description) => found.push(description),
            None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    Value::from_iter([(member, found), ("failures", failures)])
}

fn check(value: &Value, kind: InputType) -> Result<(), ApiError> {
    match (kind, value) {
        (_, Value::Null) | (Text, Value::String(_)) | (Boolean, Value::Bool(_)) => Ok(()),
        (Integer, Value::Number(number)) if number.is_i64() => Ok(()),
        (Texts, Value::Object(members)) => {
            members.values().try_for_each(|value| check(value, Text))
        }
        (List(item), Value::Array(items)) => items.iter().try_for_each(|value| check(value, *item)),
        (Object(known), Value::Object(_)) => known
            .iter()
            .filter_map(|(name, kind)| Some((value.get(*name)?, *kind)))
            .try_for_each(|(value, kind)| check(value, kind)),
        _ => Err(wrong_type(value, kind)),
    }
}

fn wrong_type(value: &Value, kind: InputType) -> ApiError {
    let expected = match kind {
        Text => "String",
        Integer => "Integer",
        Boolean => "Boolean",
        List(_) => return ApiError::client("SerializationException", "Expected list or null"),
        Texts | Object(_) => {
            return ApiError::client("SerializationException", "Expected structure or null");
        }
    };
    let found = match value {
        Value::String(_) => "STRING_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        _ => {
            return ApiError::client(
                "SerializationException",
                "Start of structure or map found where not expected.",
            );
        }
    };

    ApiError::client(
        "SerializationException",
        format!("{found} cannot be converted to {expected}"),
    )
}
