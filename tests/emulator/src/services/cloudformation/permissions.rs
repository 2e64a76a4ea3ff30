//! What requests about stacks need to be allowed. People read stacks under roles too; all other
//! operations are those of administrators.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html>

use crate::Aws;
use crate::iam::{Demand, IamRequest};

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let is_read =
        ["DescribeStacks", "DescribeStackResources"].contains(&request.operation.as_str());
    let name = request.text("StackName");
    is_read.then(|| {
        let resource = match aws.cloudformation.stack(name) {
            Some(stack) => stack.id.clone(),
            None if name.is_empty() => "*".to_owned(),
            None if name.starts_with("arn:") => name.to_owned(),
            None => aws.arn("cloudformation", &format!("stack/{name}/*")),
        };
        vec![request.on(resource)]
    })
}
