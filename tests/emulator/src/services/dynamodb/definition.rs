//! How CreateTable declares a table: its name, its capacity and its keys.
//!
//! The order and the words of the refusals are those of <https://github.com/architect/dynalite>,
//! whose tests contain what DynamoDB returns (test/createTable.js, test/getItem.js).

use serde_json::Value;

use super::{invalid, required, unserved};
use crate::ApiError;
use crate::validation::{Quoted, violation};

const WRONG: &str = "One or more parameter values were invalid: ";

/// Checks a declaration; the names of the partition key and the sort key.
pub(super) fn check(name: &str, input: &Value) -> Result<(String, Option<String>), ApiError> {
    check_name(name)?;
    let (schema, definitions) = (
        list(input, "KeySchema")?,
        list(input, "AttributeDefinitions")?,
    );
    if schema.is_empty() {
        let constraint = "Member must have length greater than or equal to 1";
        let message = violation(Quoted::Text("[]"), "keySchema", constraint);
        return Err(invalid(message));
    }
    check_capacity(input)?;
    check_schema(schema, definitions)?;

    let mut kinds = definitions.iter().map(|it| &it["AttributeType"]);
    if let Some(kind) = kinds.find_map(|kind| kind.as_str().filter(|kind| *kind != "S")) {
        return Err(unserved(&format!("keys of type {kind}")));
    }
    let mut keys = names(schema).into_iter();
    let hash = keys.next().unwrap_or_default();
    Ok((hash, keys.next()))
}

pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    if !(3..=255).contains(&name.len()) {
        return Err(invalid(
            "TableName must be at least 3 characters long and at most 255 characters long",
        ));
    }
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.bytes().all(valid) {
        return Ok(());
    }
    Err(invalid(violation(
        Quoted::Text(name),
        "tableName",
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    )))
}

fn list<'a>(input: &'a Value, member: &str) -> Result<&'a [Value], ApiError> {
    let list = required(input, member)?.as_array();
    Ok(list.map_or(&[], Vec::as_slice))
}

fn names(elements: &[Value]) -> Vec<String> {
    let name = |element: &Value| {
        element["AttributeName"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    elements.iter().map(name).collect()
}

fn check_capacity(input: &Value) -> Result<(), ApiError> {
    let capacity = &input["ProvisionedThroughput"];
    let is_on_demand = input["BillingMode"] == "PAY_PER_REQUEST";
    let problem = if is_on_demand && !capacity.is_null() {
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is \
         PAY_PER_REQUEST"
    } else if !is_on_demand
        && (capacity["ReadCapacityUnits"].is_null() || capacity["WriteCapacityUnits"].is_null())
    {
        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is \
         PROVISIONED"
    } else {
        return Ok(());
    };
    Err(invalid(format!("{WRONG}{problem}")))
}

fn check_schema(schema: &[Value], definitions: &[Value]) -> Result<(), ApiError> {
    let (keys, defined) = (names(schema), names(definitions));
    if keys.len() > defined.len() {
        return Err(invalid(
            "Invalid KeySchema: Some index key attribute have no definition",
        ));
    }
    if keys.iter().any(|key| !defined.contains(key)) {
        return Err(invalid(format!(
            "{WRONG}Some index key attributes are not defined in AttributeDefinitions. Keys: \
             [{}], AttributeDefinitions: [{}]",
            keys.join(", "),
            defined.join(", ")
        )));
    }
    if keys.len() > 1 && keys[0] == keys[1] {
        return Err(invalid(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ));
    }

    for (element, (place, kind)) in schema.iter().zip([("first", "HASH"), ("second", "RANGE")]) {
        if element["KeyType"] != kind {
            return Err(invalid(format!(
                "Invalid KeySchema: The {place} KeySchemaElement is not a {kind} key type"
            )));
        }
    }
    if schema.len() == definitions.len() && schema.len() <= 2 {
        return Ok(());
    }
    Err(invalid(format!(
        "{WRONG}Number of attributes in KeySchema does not exactly match number of attributes \
         defined in AttributeDefinitions"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(name: &str, more: &Value) -> String {
        let mut input = json!({
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        });
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        check(name, &input).unwrap_err().message
    }

    #[test]
    fn declarations_are_refused_in_the_words_of_dynamodb() {
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let schema = |keys: Value| json!({ "KeySchema": keys });
        for (name, more, message) in [
            (
                "a",
                json!({}),
                "TableName must be at least 3 characters long and at most 255 characters long",
            ),
            (
                "abc;",
                json!({}),
                "1 validation error detected: Value 'abc;' at 'tableName' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            ),
            (
                "table",
                json!({"BillingMode": "PROVISIONED"}),
                "One or more parameter values were invalid: ReadCapacityUnits and \
                 WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
            ),
            (
                "table",
                schema(json!([key("pk", "HASH"), key("sk", "RANGE")])),
                "Invalid KeySchema: Some index key attribute have no definition",
            ),
            (
                "table",
                schema(json!([key("sk", "HASH")])),
                "One or more parameter values were invalid: Some index key attributes are not \
                 defined in AttributeDefinitions. Keys: [sk], AttributeDefinitions: [pk]",
            ),
            (
                "table",
                schema(json!([key("pk", "RANGE")])),
                "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
            ),
        ] {
            assert_eq!(refusal(name, &more), message);
        }
    }
}
