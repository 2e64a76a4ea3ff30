//! CloudWatch: metrics of load balancers, which come from the requests of a scenario, metrics that somebody puts, and alarms.
//!
//! Nothing is computed before somebody asks, and what was computed stays: whoever asks what when gets the same numbers.

mod alarms;
mod arrival;
mod balancer;
mod custom;
mod draw;
mod hosts;
mod input;
mod minute;
mod query;
mod samples;
mod statistic;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::protocol::cbor;
use crate::{ApiError, Aws, record, traffic};
pub use alarms::{Alarm, set_alarm};
pub use arrival::{Faults, Gap};
pub(crate) use hosts::note as note_hosts;

#[derive(Clone, Debug, Default)]
pub struct CloudWatch {
    /// By name.
    pub alarms: BTreeMap<String, Alarm>,
    pub faults: Faults,
    habits: Option<Habits>,
    custom: BTreeMap<MetricId, Vec<custom::Datum>>,
    drawn: minute::Drawn,
    hosts: BTreeMap<String, hosts::Hosts>,
}

/// What the documentation leaves open, drawn once an account, and where the chance of every minute comes from.
#[derive(Clone, Copy, Debug, Default)]
struct Habits {
    seed: u64,
    /// Whether a count of samples between bounds that is 0 has no point.
    no_zero_counts: bool,
    /// Whether queries that a page has not come to are in it, without values.
    lists_unbegun: bool,
    /// Whether targets are counted in minutes without any request to the load balancer.
    hosts_without_requests: bool,
    /// Whether targets in their first checks count as unhealthy.
    initial_is_unhealthy: bool,
}

/// What names a metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MetricId {
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
}

/// One operation by its API name; answers the output, in which times are made by `wire::cbor::timestamp`.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let now = aws.now;
    if aws
        .cloudwatch
        .faults
        .throttled
        .iter()
        .any(|(from, to)| (*from..*to).contains(&now))
    {
        return Err(ApiError::client("Throttling", "Rate exceeded"));
    }
    let answer = answer(aws, operation, input);
    record::operation(
        "monitoring",
        operation,
        input,
        &answer.as_ref().map(cbor::plain).map_err(Clone::clone),
    );
    answer
}

fn answer(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "GetMetricData" => query::get(aws, input),
        "PutMetricData" => custom::put(aws, input),
        "ListMetrics" => custom::list(aws, input),
        "DescribeAlarms" => alarms::describe(aws, input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

/// The name of the shape of an error, which the body has in place of the code of the query protocol.
pub(crate) fn shape_of(code: &str) -> &str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "InternalServiceError" => "InternalServiceFault",
        "Throttling" => "ThrottlingException",
        "AccessDenied" => "AccessDeniedException",
        "ValidationError" => "ValidationException",
        other => other,
    }
}

fn habits(aws: &mut Aws) -> Habits {
    let rng = &mut aws.rng;
    *aws.cloudwatch.habits.get_or_insert_with(|| Habits {
        seed: rng.u64(..),
        no_zero_counts: rng.bool(),
        lists_unbegun: rng.bool(),
        hosts_without_requests: rng.bool(),
        initial_is_unhealthy: rng.bool(),
    })
}

/// Brings what is counted up to now, before points are read.
fn settle(aws: &mut Aws) -> Habits {
    traffic::note(aws);
    habits(aws)
}

impl MetricId {
    fn json(&self) -> Value {
        let dimension = |(name, value): (&String, &String)| json!({"Name": name, "Value": value});
        let dimensions: Value = self.dimensions.iter().map(dimension).collect();
        json!({"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions})
    }
}
