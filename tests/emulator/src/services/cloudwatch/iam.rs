//! What CloudWatch's operations need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html>

use crate::Aws;
use crate::iam::{Demand, IamRequest};

/// Metrics support no resource-level permissions; the condition of those who put some is the
/// namespace. An alarm that is not named in the request cannot be authorized by its ARN.
pub(super) fn demands(_: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let demand = Demand::anywhere(format!("cloudwatch:{}", request.operation));
    match request.operation.as_str() {
        "GetMetricData" | "ListMetrics" | "DescribeAlarms" => Some(vec![demand]),
        "PutMetricData" => Some(vec![
            demand.with("cloudwatch:namespace", request.text("Namespace")),
        ]),
        _ => None,
    }
}
