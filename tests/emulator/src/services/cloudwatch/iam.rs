//! What CloudWatch's operations need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html>

use crate::Aws;
use crate::iam::{Asked, Demand};

/// Metrics support no resource-level permissions; the condition of those who put some is the
/// namespace. An alarm that is not named in the request cannot be authorized by its ARN.
pub(super) fn demands(_: &mut Aws, asked: &Asked) -> Option<Vec<Demand>> {
    let demand = Demand::anywhere(format!("cloudwatch:{}", asked.operation));
    match asked.operation.as_str() {
        "GetMetricData" | "ListMetrics" | "DescribeAlarms" => Some(vec![demand]),
        "PutMetricData" => Some(vec![
            demand.with("cloudwatch:namespace", asked.text("Namespace")),
        ]),
        _ => None,
    }
}
