use super::*;
use crate::iam::{Access, Demand, IamRequest, check_statement, evaluate};

const LEDGER: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/ledger";

/// What a request about the table needs to be allowed.
fn demands(operation: &str, members: Value) -> Vec<Demand> {
    let request = IamRequest {
        service: "dynamodb".to_owned(),
        operation: operation.to_owned(),
        input: on_ledger(members),
    };
    iam::demands(&mut world(), &request).unwrap()
}

/// The same with the partition keys that each action is about.
fn keys(operation: &str, members: Value) -> Vec<(String, Vec<String>)> {
    let demands = demands(operation, members).into_iter();
    demands
        .map(|mut demand| {
            assert_eq!(demand.resource, LEDGER);
            let keys = demand.sets.remove("dynamodb:leadingkeys");
            (demand.action, keys.unwrap_or_default())
        })
        .collect()
}

fn of(action: &str, keys: &[&str]) -> (String, Vec<String>) {
    let keys = keys.iter().map(|&key| key.to_owned()).collect();
    (format!("dynamodb:{action}"), keys)
}

#[test]
fn a_request_is_authorized_with_the_partition_keys_that_it_names() {
    let item = json!({"Item": key("lease", "1")});
    assert_eq!(
        keys("GetItem", json!({"Key": key("push#web", "1")})),
        [of("GetItem", &["push#web"])]
    );
    assert_eq!(keys("PutItem", item.clone()), [of("PutItem", &["lease"])]);
    assert_eq!(
        keys("Query", partition("lease", json!({}))),
        [of("Query", &["lease"])]
    );
    let named = json!({
        "KeyConditionExpression": "begins_with(sk, :sk) AND #pk = :pk",
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":pk": {"S": "lease"}, ":sk": {"S": "started#"}},
    });
    assert_eq!(keys("Query", named), [of("Query", &["lease"])]);
    assert_eq!(keys("Scan", json!({})), [of("Scan", &[])]);

    let [put, delete] = [item, json!({"Key": key("execution#1", "record")})].map(on_ledger);
    let writes = json!({"TransactItems": [{"Put": put}, {"Delete": delete}]});
    assert_eq!(
        keys("TransactWriteItems", writes),
        [
            of("PutItem", &["lease"]),
            of("DeleteItem", &["execution#1"])
        ]
    );
}

#[test]
fn every_partition_key_of_a_request_must_be_one_that_the_policy_names() {
    let statement = json!({
        "Effect": "Allow", "Action": "dynamodb:*", "Resource": LEDGER,
        "Condition": {"ForAllValues:StringLike": {
            "dynamodb:LeadingKeys": ["lease", "execution#*"],
        }},
    });
    check_statement(&statement).unwrap();
    let is_allowed = |demand: &Demand| evaluate([&statement], demand).unwrap() == Access::Allowed;
    let get = |pk: &str| is_allowed(&demands("GetItem", json!({"Key": key(pk, "1")}))[0]);

    assert!(get("lease") && get("execution#1"));
    assert!(!get("push#web") && !get("leases"));
    let query = |pk: &str| is_allowed(&demands("Query", partition(pk, json!({})))[0]);
    assert!(query("lease") && !query("push#web"));

    // A scan names no key, and so all of them are among those of the policy.
    assert!(is_allowed(&demands("Scan", json!({}))[0]));
}
