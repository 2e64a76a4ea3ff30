//! Tables.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::stack::StackResource;
use crate::dynamodb;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::DynamoDB::Table",
    create,
    update: UpdateMethod::InPlace(update),
    delete,
}];

const TIME_TO_LIVE: &str = "TimeToLiveSpecification";

/// What other operations than CreateTable set. The sandbox remembers the first as the resource's
/// property only: recovery is not modelled.
const SET_APART: [&str; 2] = ["PointInTimeRecoverySpecification", TIME_TO_LIVE];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "TableName");
    let mut input = desired.without(&SET_APART);
    input["TableName"] = json!(name);

    if input.get("StreamSpecification").is_some() {
        input["StreamSpecification"]["StreamEnabled"] = Value::Bool(true);
    }
    // DynamoDB has another name for it than CloudFormation.
    let encryption = input.get_mut("SSESpecification");
    if let Some(encryption) = encryption.and_then(Value::as_object_mut)
        && let Some(enabled) = encryption.remove("SSEEnabled")
    {
        encryption.insert("Enabled".to_owned(), enabled);
    }

    let answer = dynamodb::call(aws, "CreateTable", &input)?;
    let arn = answered(&answer, "/TableDescription/TableArn")?;
    if let Some(wanted) = desired.properties.get(TIME_TO_LIVE) {
        update_time_to_live(aws, &name, wanted)?;
    }
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

    let [before, wanted] = [&old.properties, &desired.properties].map(|all| all.get(TIME_TO_LIVE));
    match (before, wanted) {
        (before, Some(wanted)) if before != Some(wanted) => {
            update_time_to_live(aws, &old.physical_id, wanted)?;
        }
        (Some(before), None) => {
            let mut off = before.clone();
            off["Enabled"] = Value::Bool(false);
            update_time_to_live(aws, &old.physical_id, &off)?;
        }
        _ => {}
    }

    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

fn update_time_to_live(aws: &mut Aws, table: &str, wanted: &Value) -> Result<(), Problem> {
    let input = json!({"TableName": table, TIME_TO_LIVE: wanted});
    dynamodb::call(aws, "UpdateTimeToLive", &input)?;
    Ok(())
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(dynamodb::call(
        aws,
        "DeleteTable",
        &json!({ "TableName": old.physical_id }),
    ))
}
