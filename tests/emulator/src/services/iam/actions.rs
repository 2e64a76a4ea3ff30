//! What IAM demands before an operation is served: which actions, on which resources, with which
//! condition keys.
//!
//! An operation that is not listed here is unknown: it is refused for all but an administrator, so
//! that a new one cannot be forgotten. Source: the service authorization reference,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/>

use serde_json::Value;

use super::policy::Demand;
use crate::Aws;
use crate::cloudformation::items;
use crate::service;

/// One operation of a request.
#[derive(Clone, Debug)]
pub(crate) struct IamRequest {
    /// As the signature names it.
    pub(crate) service: String,
    pub(crate) operation: String,
    /// The members of the input. Those of S3 are named as in its API.
    pub(crate) input: Value,
}

impl IamRequest {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.input[member].as_str().unwrap_or_default()
    }

    /// The demand for the action of the operation's own name.
    pub(crate) fn on(&self, resource: String) -> Demand {
        Demand::new(self.action(), resource)
    }

    pub(crate) fn action(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// What must be allowed before the operation is served, or nothing when its service does not list
/// it.
pub(crate) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let service = service::find(&request.service)?;
    (service.demands)(aws, request)
}

/// The demands of a service none of whose operations a function may call.
pub(crate) fn unlisted(_: &mut Aws, _: &IamRequest) -> Option<Vec<Demand>> {
    None
}

/// Passing a role to a service, which may then assume it.
pub(crate) fn pass_role(aws: &Aws, role: &str, service: &str) -> Demand {
    let arn = if role.starts_with("arn:") {
        role.to_owned()
    } else {
        format!("arn:aws:iam::{}:role/{role}", aws.account)
    };
    Demand::new("iam:PassRole", arn).with("iam:PassedToService", service)
}

pub(crate) fn dynamodb(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let table = |name: &str| {
        if name.starts_with("arn:") {
            name.to_owned()
        } else {
            aws.arn("dynamodb", &format!("table/{name}"))
        }
    };
    Some(match request.operation.as_str() {
        // A transaction demands the permissions of its writes.
        "TransactWriteItems" => items(&request.input["TransactItems"])
            .iter()
            .filter_map(|item| {
                item.as_object()?
                    .iter()
                    .find(|(_, member)| !member.is_null())
            })
            .map(|(kind, member)| {
                Demand::new(
                    format!("dynamodb:{kind}Item"),
                    table(member["TableName"].as_str().unwrap_or_default()),
                )
            })
            .collect(),
        "CreateTable" | "GetItem" | "Query" | "Scan" | "PutItem" => {
            vec![request.on(table(request.text("TableName")))]
        }
        _ => return None,
    })
}

pub(crate) fn ecr(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let registry = request.input["registryId"].as_str().unwrap_or(&aws.account);
    let repository =
        |name: &str| format!("arn:aws:ecr:{}:{registry}:repository/{name}", aws.region);

    Some(match request.operation.as_str() {
        "DescribeRepositories" => match items(&request.input["repositoryNames"]) {
            [] => vec![request.on(repository("*"))],
            names => names
                .iter()
                .map(|name| request.on(repository(name.as_str().unwrap_or_default())))
                .collect(),
        },
        "CreateRepository"
        | "PutImage"
        | "DescribeImages"
        | "BatchGetImage"
        | "UpdateImageStorageClass" => {
            vec![request.on(repository(request.text("repositoryName")))]
        }
        _ => return None,
    })
}

pub(crate) fn events(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
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
        "ListRules" | "TestEventPattern" => vec![Demand::anywhere(request.action())],
        _ => return None,
    })
}

/// Reading a certain version is another action than reading the newest.
pub(crate) fn s3(_: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let object = format!(
        "arn:aws:s3:::{}/{}",
        request.text("Bucket"),
        request.text("Key")
    );
    let bucket = format!("arn:aws:s3:::{}", request.text("Bucket"));
    Some(vec![match request.operation.as_str() {
        "ListObjectsV2" => Demand::new("s3:ListBucket", bucket),
        "GetBucketLocation" => Demand::new("s3:GetBucketLocation", bucket),
        "GetBucketEncryption" => Demand::new("s3:GetEncryptionConfiguration", bucket),
        "GetObject" | "HeadObject" if request.input["VersionId"].is_string() => {
            Demand::new("s3:GetObjectVersion", object)
        }
        "GetObject" | "HeadObject" => Demand::new("s3:GetObject", object),
        "PutObject" => Demand::new("s3:PutObject", object),
        _ => return None,
    }])
}
