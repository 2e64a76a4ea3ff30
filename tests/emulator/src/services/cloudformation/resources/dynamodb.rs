//! Tables.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, Update, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::stack::StackResource;
use crate::dynamodb;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::DynamoDB::Table",
    create,
    update: Update::InPlace(update),
    delete,
}];

/// What other operations than CreateTable set; the sandbox remembers it as the resource's property
/// only: recovery is not modelled, and items do not expire.
const SET_APART: [&str; 2] = [
    "PointInTimeRecoverySpecification",
    "TimeToLiveSpecification",
];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "TableName");
    let mut input = desired.without(&SET_APART);
    input["TableName"] = json!(name);

    if input.get("StreamSpecification").is_some() {
        input["StreamSpecification"]["StreamEnabled"] = Value::Bool(true);
    }

    let answer = dynamodb::call(aws, "CreateTable", &input)?;
    let arn = answered(&answer, "/TableDescription/TableArn")?;
    Ok(Created::new(name, json!({ "Arn": arn })))
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    let modelled = [
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "ProvisionedThroughput",
        "StreamSpecification",
        "TableName",
    ];
    super::refuse_changes(old, desired, &modelled)?;

    let protected = |properties: &Value| properties["DeletionProtectionEnabled"] == true;
    if protected(&old.properties) != protected(&desired.properties) {
        let protection = json!({
            "TableName": old.physical_id,
            "DeletionProtectionEnabled": protected(&desired.properties),
        });
        dynamodb::call(aws, "UpdateTable", &protection)?;
    }

    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(dynamodb::call(
        aws,
        "DeleteTable",
        &json!({ "TableName": old.physical_id }),
    ))
}
