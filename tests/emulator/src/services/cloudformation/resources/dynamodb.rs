//! Tables.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::items;
use crate::cloudformation::stack::StackResource;
use crate::dynamodb;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::DynamoDB::Table",
    create,
    update: UpdateMethod::InPlace(update),
    delete,
}];

const TIME_TO_LIVE: &str = "TimeToLiveSpecification";

const STREAM: &str = "StreamSpecification";

const INDEXES: &str = "GlobalSecondaryIndexes";

/// What other operations than CreateTable set. The sandbox remembers the first as the resource's
/// property only: recovery is not modelled.
const SET_APART: [&str; 3] = ["PointInTimeRecoverySpecification", TIME_TO_LIVE, INDEXES];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "TableName");
    let mut input = desired.without(&SET_APART);
    input["TableName"] = json!(name);
    keep_definitions_of_keys(&mut input);

    if input.get(STREAM).is_some() {
        input[STREAM]["StreamEnabled"] = Value::Bool(true);
    }
    // DynamoDB has another name for it than CloudFormation.
    let encryption = input.get_mut("SSESpecification");
    if let Some(encryption) = encryption.and_then(Value::as_object_mut)
        && let Some(enabled) = encryption.remove("SSEEnabled")
    {
        encryption.insert("Enabled".to_owned(), enabled);
    }

    let answer = dynamodb::call(aws, "CreateTable", &input)?;
    let arn = answered(&answer, "/TableDescription/TableArn")?.to_owned();
    for index in items(&desired.properties[INDEXES]) {
        dynamodb::add_index(aws, &name, index)?;
    }
    if let Some(wanted) = desired.properties.get(TIME_TO_LIVE) {
        update_time_to_live(aws, &name, wanted)?;
    }
    let attributes = attributes(aws, &name, &json!(arn));
    Ok(Created::new(name, attributes))
}

/// What Fn::GetAtt gives of a table with this ARN.
fn attributes(aws: &Aws, name: &str, arn: &Value) -> Value {
    let mut attributes = json!({ "Arn": arn });
    if let Some(stream) = dynamodb::stream_arn(aws, name) {
        attributes["StreamArn"] = json!(stream);
    }
    attributes
}

/// The attributes of indexes, which are added by themselves, are declared with those of the keys.
fn keep_definitions_of_keys(input: &mut Value) {
    let keys: Vec<Value> = items(&input["KeySchema"])
        .iter()
        .map(|element| element["AttributeName"].clone())
        .collect();
    if let Some(definitions) = input["AttributeDefinitions"].as_array_mut() {
        definitions.retain(|definition| keys.contains(&definition["AttributeName"]));
    }
}

/// Adds the index that an update brings: CloudFormation makes one at a time.
fn update_indexes(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<(), Problem> {
    let before = items(&old.properties[INDEXES]);
    let wanted = items(&desired.properties[INDEXES]);
    let is_new = |index: &&Value| !before.contains(index);
    let added: Vec<&Value> = wanted.iter().filter(is_new).collect();
    if before.iter().any(|index| !wanted.contains(index)) {
        return Err(Problem::new(
            "the sandbox neither changes nor deletes an index",
        ));
    }
    if added.len() > 1 {
        let message = "Cannot perform more than one GSI creation or deletion in a single update";
        return Err(Problem::new(message));
    }
    for index in added {
        dynamodb::add_index(aws, &old.physical_id, index)?;
    }
    Ok(())
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    let modelled = [
        "BillingMode",
        "KeySchema",
        "ProvisionedThroughput",
        "TableName",
    ];
    super::refuse_changes(old, desired, &modelled)?;
    update_indexes(aws, old, desired)?;

    let protected = |properties: &Value| properties["DeletionProtectionEnabled"] == true;
    if protected(&old.properties) != protected(&desired.properties) {
        let protection = json!({
            "TableName": old.physical_id,
            "DeletionProtectionEnabled": protected(&desired.properties),
        });
        dynamodb::call(aws, "UpdateTable", &protection)?;
    }

    let stream = |properties: &Value| properties[STREAM].clone();
    if stream(&old.properties) != stream(&desired.properties) {
        dynamodb::set_stream(aws, &old.physical_id, &desired.properties[STREAM])?;
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

    let attributes = attributes(aws, &old.physical_id, &old.attributes["Arn"]);
    Ok(Created::new(old.physical_id.clone(), attributes))
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
