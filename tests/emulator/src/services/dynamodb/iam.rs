//! What DynamoDB's operations need to be allowed: of each item that a request names, its partition
//! key is a condition key.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use serde_json::Value;

use super::{key_condition, table};
use crate::Aws;
use crate::cloudformation::items;
use crate::iam::{Demand, IamRequest};

const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let (aws, input) = (&*aws, &request.input);
    let on_table = || Demand::new(request.action(), arn(aws, input));

    Some(match request.operation.as_str() {
        // A transaction demands the permissions of its writes.
        "TransactWriteItems" => items(&input["TransactItems"])
            .iter()
            .filter_map(|item| {
                item.as_object()?
                    .iter()
                    .find(|(_, member)| !member.is_null())
            })
            .map(|(kind, write)| {
                let demand = Demand::new(format!("dynamodb:{kind}Item"), arn(aws, write));
                let member = if kind == "Put" { "Item" } else { "Key" };
                about(demand, item_key(aws, write, member))
            })
            .collect(),
        "GetItem" => vec![about(on_table(), item_key(aws, input, "Key"))],
        "PutItem" => vec![about(on_table(), item_key(aws, input, "Item"))],
        "Query" => {
            let table = table::known(aws, name(input));
            let key = table.and_then(|table| key_condition::queried_partition(table, input));
            match input["IndexName"].as_str() {
                Some(index) => {
                    let arn = format!("{}/index/{index}", arn(aws, input));
                    vec![Demand::new(request.action(), arn)]
                }
                None => vec![about(on_table(), key)],
            }
        }
        "CreateTable" | "Scan" => vec![on_table()],
        _ => return None,
    })
}

fn name(input: &Value) -> &str {
    input["TableName"].as_str().unwrap_or_default()
}

fn arn(aws: &Aws, input: &Value) -> String {
    let name = name(input);
    if name.starts_with("arn:") {
        name.to_owned()
    } else {
        aws.arn("dynamodb", &format!("table/{name}"))
    }
}

/// The partition key of the item or the key in a member of a request, if it has one.
fn item_key(aws: &Aws, input: &Value, member: &str) -> Option<String> {
    let table = table::known(aws, name(input))?;
    let key = input[member][table.hash.as_str()]["S"].as_str()?;
    Some(key.to_owned())
}

/// A request without a key has no values, of which every condition on all of them holds.
fn about(demand: Demand, key: Option<String>) -> Demand {
    demand.with_all(LEADING_KEYS, key)
}
