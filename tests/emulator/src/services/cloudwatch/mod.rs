//! CloudWatch: metrics of load balancers, which come from the requests of a scenario, custom
//! metrics, and alarms.
//!
//! A minute is computed when it is first read and kept, so that the numbers do not depend on who
//! reads what in which order.

mod alarms;
mod arrival;
mod balancer;
mod custom;
mod draw;
mod host_counts;
mod iam;
mod input;
mod minute;
mod query;
mod read_queries;
mod samples;
mod state;
mod statistic;
mod zones;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::protocol::{Cbor, Json, Protocol, cbor};
use crate::service::{Errors, Service};
use crate::{ApiError, Aws, record};
pub use alarms::{Alarm, set_alarm};
pub use arrival::{Faults, Gap};
pub(crate) use host_counts::note as note_hosts;
pub use state::CloudWatch;
use state::MetricId;

pub(crate) const SERVICE: Service = Service {
    name: "monitoring",
    // boto3 and the AWS CLI speak JSON, the Rust SDK speaks CBOR.
    protocol: Protocol::Cbor(Cbor {
        json: Json::new(
            "GraniteServiceVersion20100801",
            "com.amazonaws.cloudwatch",
            |aws, operation, input| Ok(cbor::plain(&call(aws, operation, input)?)),
        )
        .version_1_0(),
        call,
        shape_of: Some(shape_of),
        times: &[],
    }),
    errors: Errors::QUERY,
    demands: iam::demands,
};

/// One operation by its API name; returns the output, in which times are made by
/// `protocol::cbor::timestamp`.
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

    let answer = run_operation(aws, operation, input);
    if record::is_on() {
        let plain = answer.as_ref().map(cbor::plain).map_err(Clone::clone);
        record::operation("monitoring", operation, input, &plain);
    }
    answer
}

fn run_operation(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "GetMetricData" => query::get(aws, input),
        "PutMetricData" => custom::put(aws, input),
        "ListMetrics" => custom::list(aws, input),
        "DescribeAlarms" => alarms::describe(aws, input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

/// The name of the shape of an error, which the body has in place of the code of the query
/// protocol.
fn shape_of(code: &str) -> &str {
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
