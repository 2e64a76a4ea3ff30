//! What EventBridge's operations need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html>

use crate::Aws;
use crate::cloudformation::items;
use crate::iam::{Demand, IamRequest, pass_role};

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let rule = |name: &str| aws.arn("events", &format!("rule/{name}"));
    Some(match request.operation.as_str() {
        "PutRule" => {
            let role = request.input["RoleArn"]
                .as_str()
                .map(|role| pass_role(aws, role, "events.amazonaws.com"));
            std::iter::once(request.on(rule(request.text("Name"))))
                .chain(role)
                .collect()
        }
        "DeleteRule" | "DisableRule" => {
            vec![request.on(rule(request.text("Name")))]
        }
        "PutTargets" | "RemoveTargets" => {
            vec![request.on(rule(request.text("Rule")))]
        }
        "PutEvents" => {
            let buses = items(&request.input["Entries"]).iter().map(|entry| {
                let bus = entry["EventBusName"].as_str().unwrap_or("default");
                if bus.starts_with("arn:") {
                    bus.to_owned()
                } else {
                    aws.arn("events", &format!("event-bus/{bus}"))
                }
            });
            buses.map(|bus| request.on(bus)).collect()
        }
        "ListRules" | "TestEventPattern" => vec![Demand::anywhere(request.action())],
        _ => return None,
    })
}
