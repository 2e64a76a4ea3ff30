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
use crate::{ApiError, Aws, record};
pub use alarms::{Alarm, set_alarm};
pub use arrival::{Faults, Gap};
pub(crate) use hosts::note as note_hosts;

#[derive(Clone, Debug, Default)]
pub struct CloudWatch {
    /// By name.
    pub alarms: BTreeMap<String, Alarm>,
    pub faults: Faults,
    custom: BTreeMap<MetricId, Vec<custom::Datum>>,
    drawn: minute::Drawn,
    hosts: BTreeMap<String, hosts::Hosts>,
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

impl MetricId {
    fn json(&self) -> Value {
        let dimension = |(name, value): (&String, &String)| json!({"Name": name, "Value": value});
        let dimensions: Value = self.dimensions.iter().map(dimension).collect();
        json!({"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions})
    }
}
