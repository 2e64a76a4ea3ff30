//! What IAM asks before an operation is served: which actions, on which resources, with which condition keys.
//!
//! An operation that is not listed here is unknown: it is refused for everybody but an administrator, so that a new one cannot
//! be forgotten. Source: the service authorization reference, <https://docs.aws.amazon.com/service-authorization/latest/reference/>

mod autoscaling;
mod codepipeline;
mod ecs;

use serde_json::Value;

use super::policy::Demand;
use crate::Aws;
use crate::cloudformation::items;

/// One operation as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// As the signature names it.
    pub(super) service: String,
    pub(super) operation: String,
    /// The members of the input. Those of S3 are named as in its API.
    pub(super) input: Value,
}

impl Asked {
    fn text(&self, member: &str) -> &str {
        self.input[member].as_str().unwrap_or_default()
    }

    /// The demand for the action of the operation's own name.
    fn on(&self, resource: String) -> Demand {
        Demand::new(self.action(), resource)
    }

    fn action(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// What must be allowed before the operation is served, or nothing when IAM has not been told about the operation.
pub(super) fn demands(aws: &mut Aws, asked: &Asked) -> Option<Vec<Demand>> {
    match asked.service.as_str() {
        "application-autoscaling" => autoscaling::demands(aws, asked),
        "codepipeline" => codepipeline::demands(aws, asked),
        "dynamodb" => dynamodb(aws, asked),
        "ecr" => ecr(aws, asked),
        "ecs" => ecs::demands(aws, asked),
        "elasticloadbalancing" => elasticloadbalancing(asked),
        "events" => events(aws, asked),
        "monitoring" => cloudwatch(asked),
        "s3" => s3(asked),
        _ => None,
    }
}

/// Handing a role to a service, which is then the one that may assume it.
fn pass_role(aws: &Aws, role: &str, service: &str) -> Demand {
    let arn = match role.starts_with("arn:") {
        true => role.to_owned(),
        false => format!("arn:aws:iam::{}:role/{role}", aws.account),
    };
    Demand::new("iam:PassRole", arn).with("iam:PassedToService", service)
}

/// Metrics support no resource-level permissions; the condition of those who put some is the namespace. An alarm that is not
/// named in the request cannot be asked for by its ARN.
fn cloudwatch(asked: &Asked) -> Option<Vec<Demand>> {
    let demand = Demand::anywhere(format!("cloudwatch:{}", asked.operation));
    match asked.operation.as_str() {
        "GetMetricData" | "ListMetrics" | "DescribeAlarms" => Some(vec![demand]),
        "PutMetricData" => Some(vec![
            demand.with("cloudwatch:namespace", asked.text("Namespace")),
        ]),
        _ => None,
    }
}

fn dynamodb(aws: &Aws, asked: &Asked) -> Option<Vec<Demand>> {
    let table = |name: &str| match name.starts_with("arn:") {
        true => name.to_owned(),
        false => aws.arn("dynamodb", &format!("table/{name}")),
    };
    Some(match asked.operation.as_str() {
        // A transaction is allowed by what it consists of.
        "TransactWriteItems" => items(&asked.input["TransactItems"])
            .iter()
            .filter_map(|item| {
                item.as_object()?
                    .iter()
                    .find(|(_, member)| !member.is_null())
            })
            .map(|(kind, member)| {
                let action = if kind == "ConditionCheck" {
                    "ConditionCheckItem"
                } else {
                    &format!("{kind}Item")
                };
                Demand::new(
                    format!("dynamodb:{action}"),
                    table(member["TableName"].as_str().unwrap_or_default()),
                )
            })
            .collect(),
        "Query" | "Scan" if asked.input["IndexName"].is_string() => {
            vec![asked.on(format!(
                "{}/index/{}",
                table(asked.text("TableName")),
                asked.text("IndexName")
            ))]
        }
        "CreateTable" | "DescribeTable" | "GetItem" | "Query" | "Scan" | "PutItem"
        | "UpdateItem" | "DeleteItem" => {
            vec![asked.on(table(asked.text("TableName")))]
        }
        _ => return None,
    })
}

fn ecr(aws: &Aws, asked: &Asked) -> Option<Vec<Demand>> {
    let registry = asked.input["registryId"].as_str().unwrap_or(&aws.account);
    let repository =
        |name: &str| format!("arn:aws:ecr:{}:{registry}:repository/{name}", aws.region);
    Some(match asked.operation.as_str() {
        "DescribeRepositories" => match items(&asked.input["repositoryNames"]) {
            [] => vec![asked.on(repository("*"))],
            names => names
                .iter()
                .map(|name| asked.on(repository(name.as_str().unwrap_or_default())))
                .collect(),
        },
        "CreateRepository" | "PutImage" | "DescribeImages" | "ListImages" | "BatchGetImage"
        | "BatchDeleteImage" => {
            vec![asked.on(repository(asked.text("repositoryName")))]
        }
        _ => return None,
    })
}

/// What describes supports no resource-level permissions; what changes is asked for on what it changes.
fn elasticloadbalancing(asked: &Asked) -> Option<Vec<Demand>> {
    match asked.operation.as_str() {
        "ModifyRule" => Some(vec![asked.on(asked.text("RuleArn").to_owned())]),
        "ModifyListener" => Some(vec![asked.on(asked.text("ListenerArn").to_owned())]),
        "DescribeTargetHealth"
        | "DescribeTargetGroups"
        | "DescribeLoadBalancers"
        | "DescribeListeners"
        | "DescribeRules" => Some(vec![Demand::anywhere(asked.action())]),
        _ => None,
    }
}

fn events(aws: &Aws, asked: &Asked) -> Option<Vec<Demand>> {
    let rule = |name: &str| aws.arn("events", &format!("rule/{name}"));
    Some(match asked.operation.as_str() {
        "PutRule" => {
            let role = asked.input["RoleArn"]
                .as_str()
                .map(|role| pass_role(aws, role, "events.amazonaws.com"));
            std::iter::once(asked.on(rule(asked.text("Name"))))
                .chain(role)
                .collect()
        }
        "DeleteRule" | "DescribeRule" | "EnableRule" | "DisableRule" => {
            vec![asked.on(rule(asked.text("Name")))]
        }
        "PutTargets" | "RemoveTargets" | "ListTargetsByRule" => {
            vec![asked.on(rule(asked.text("Rule")))]
        }
        "ListRules" => vec![Demand::anywhere(asked.action())],
        "PutEvents" => vec![asked.on(aws.arn("events", "event-bus/default"))],
        _ => return None,
    })
}

/// Reading a certain version is another action than reading the newest; reading the head is reading.
fn s3(asked: &Asked) -> Option<Vec<Demand>> {
    let bucket = format!("arn:aws:s3:::{}", asked.text("Bucket"));
    let object = format!("{bucket}/{}", asked.text("Key"));
    Some(vec![match asked.operation.as_str() {
        "GetObject" | "HeadObject" if asked.input["VersionId"].is_string() => {
            Demand::new("s3:GetObjectVersion", object)
        }
        "GetObject" | "HeadObject" => Demand::new("s3:GetObject", object),
        "PutObject" => Demand::new("s3:PutObject", object),
        "HeadBucket" | "ListObjectsV2" => Demand::new("s3:ListBucket", bucket),
        _ => return None,
    }])
}
