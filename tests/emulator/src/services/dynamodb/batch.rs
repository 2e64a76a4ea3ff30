//! BatchGetItem and BatchWriteItem: many items at once, each by itself. Nothing is ever left unprocessed here.

use serde_json::{Map, Value, json};

use super::write::Write;
use super::{Failure, check_members, invalid, read, required, table};
use crate::{ApiError, Aws};

const MAX_GETS: usize = 100;
const MAX_WRITES: usize = 25;

pub(super) fn get_items(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["RequestItems", "ReturnConsumedCapacity"])?;
    read::check_flags(input)?;
    let tables = tables(input)?;
    let keys = |asked: &Value| asked["Keys"].as_array().cloned().unwrap_or_default();
    count(
        tables.values().map(|asked| keys(asked).len()).sum(),
        MAX_GETS,
    )?;
    let mut responses = Map::new();
    for (name, asked) in &tables {
        let mut found = Vec::new();
        let mut seen = Vec::new();
        for key in keys(asked) {
            if seen.contains(&key) {
                return Err(invalid("Provided list of item keys contains duplicates"));
            }
            let mut get = asked.clone();
            get.as_object_mut()
                .into_iter()
                .for_each(|members| _ = members.shift_remove("Keys"));
            (get["TableName"], get["Key"]) = (json!(name), key.clone());
            found.extend(read::get_item(aws, &get)?.get("Item").cloned());
            seen.push(key);
        }
        responses.insert(name.clone(), found.into());
    }
    Ok(json!({"Responses": responses, "UnprocessedKeys": {}}))
}

pub(super) fn write_items(aws: &mut Aws, input: &Value) -> Result<Value, Failure> {
    check_members(
        input,
        &[
            "RequestItems",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
        ],
    )?;
    read::check_flags(input)?;
    let tables = tables(input)?;
    let requests = |asked: &Value| asked.as_array().cloned().unwrap_or_default();
    count(
        tables.values().map(|asked| requests(asked).len()).sum(),
        MAX_WRITES,
    )?;
    let mut writes = Vec::new();
    for (name, asked) in &tables {
        let named = json!({ "TableName": name });
        let table = table::named(aws, &named)?;
        let mut keys = Vec::new();
        for request in requests(asked) {
            let write = match (request.get("PutRequest"), request.get("DeleteRequest")) {
                (Some(put), None) => Write::read(table, "Put", put)?,
                (None, Some(delete)) => Write::read(table, "Delete", delete)?,
                _ => {
                    let message = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
                    return Err(invalid(message).into());
                }
            };
            if keys.contains(&write.key) {
                return Err(invalid("Provided list of item keys contains duplicates").into());
            }
            keys.push(write.key.clone());
            writes.push((named.clone(), write));
        }
    }
    for (named, write) in writes {
        let table = table::named(aws, &named)?;
        let outcome = write.outcome(table)?;
        write.apply(table, outcome);
    }
    Ok(json!({ "UnprocessedItems": {} }))
}

fn tables(input: &Value) -> Result<Map<String, Value>, ApiError> {
    let tables = required(input, "RequestItems")?.as_object();
    tables
        .cloned()
        .ok_or_else(|| super::attribute::serialization("RequestItems: expected a map"))
}

fn count(items: usize, most: usize) -> Result<(), ApiError> {
    if (1..=most).contains(&items) {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: \
         Member must have length between 1 and {most}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::call;

    fn world() -> Aws {
        let mut aws = Aws::new(1);
        for name in ["one", "two"] {
            let table = json!({"TableName": name, "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], "Tags": [{"Key": "a", "Value": "b"}]});
            call(&mut aws, "CreateTable", &table).unwrap();
        }
        aws
    }

    fn key(k: &str) -> Value {
        json!({ "k": { "S": k } })
    }

    #[test]
    fn many_items_are_written_and_read_at_once() {
        let mut aws = world();
        let put = |k: &str| json!({ "PutRequest": { "Item": key(k) } });
        let both = json!({"RequestItems": {"one": [put("a"), put("b")], "two": [put("c")]}});
        assert_eq!(
            call(&mut aws, "BatchWriteItem", &both).unwrap(),
            json!({ "UnprocessedItems": {} })
        );
        let delete = json!({"RequestItems": {"one": [{"DeleteRequest": {"Key": key("b")}}]}});
        call(&mut aws, "BatchWriteItem", &delete).unwrap();
        let asked = json!({"RequestItems": {"one": {"Keys": [key("a"), key("b")]}, "two": {"Keys": [key("c")]}}});
        let got = call(&mut aws, "BatchGetItem", &asked).unwrap();
        assert_eq!(
            got["Responses"],
            json!({"one": [key("a")], "two": [key("c")]})
        );
    }

    #[test]
    fn a_batch_has_limits_and_no_duplicates() {
        let mut aws = world();
        let twice = json!({"RequestItems": {"one": {"Keys": [key("a"), key("a")]}}});
        assert!(
            call(&mut aws, "BatchGetItem", &twice)
                .unwrap_err()
                .message
                .contains("duplicates")
        );
        let many: Vec<Value> = (0..26)
            .map(|k| json!({ "PutRequest": { "Item": key(&k.to_string()) } }))
            .collect();
        let error = call(
            &mut aws,
            "BatchWriteItem",
            &json!({"RequestItems": {"one": many}}),
        )
        .unwrap_err();
        assert!(
            error.message.contains("less") || error.message.contains("between 1 and 25"),
            "{error}"
        );
    }

    #[test]
    fn tables_are_listed_in_pages_and_deleted() {
        let mut aws = world();
        let first = call(&mut aws, "ListTables", &json!({"Limit": 1})).unwrap();
        assert_eq!(
            first,
            json!({"TableNames": ["one"], "LastEvaluatedTableName": "one"})
        );
        let rest = call(
            &mut aws,
            "ListTables",
            &json!({"ExclusiveStartTableName": "one"}),
        )
        .unwrap();
        assert_eq!(rest, json!({"TableNames": ["two"]}));
        let arn = call(&mut aws, "DescribeTable", &json!({"TableName": "one"})).unwrap()["Table"]["TableArn"].clone();
        let tags = call(
            &mut aws,
            "ListTagsOfResource",
            &json!({ "ResourceArn": arn }),
        )
        .unwrap();
        assert_eq!(tags["Tags"], json!([{"Key": "a", "Value": "b"}]));
        call(&mut aws, "DeleteTable", &json!({"TableName": "one"})).unwrap();
        assert_eq!(
            call(&mut aws, "DescribeTable", &json!({"TableName": "one"}))
                .unwrap_err()
                .code,
            "ResourceNotFoundException"
        );
    }
}
