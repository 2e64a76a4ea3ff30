use super::*;

/// The table with an index by pipeline and time.
fn indexed() -> Aws {
    let mut aws = world();
    let index = json!({
        "IndexName": "releases", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [
            {"AttributeName": "pipeline", "KeyType": "HASH"},
            {"AttributeName": "started_at", "KeyType": "RANGE"},
        ],
    });
    add_index(&mut aws, "ledger", &index).unwrap();
    for (pk, pipeline, at) in [
        ("a", Some("web"), Some("03")),
        ("b", Some("web"), Some("01")),
        ("c", Some("shop"), Some("02")),
        ("d", Some("web"), Some("02")),
        ("e", Some("web"), None),
        ("f", None, Some("02")),
    ] {
        let mut item = key(pk, "record");
        item["outcome"] = json!({"S": if pk == "a" { "failed" } else { "deployed" }});
        for (name, value) in [("pipeline", pipeline), ("started_at", at)] {
            if let Some(value) = value {
                item[name] = json!({ "S": value });
            }
        }
        call(&mut aws, "PutItem", &on_ledger(json!({ "Item": item }))).unwrap();
    }
    aws
}

/// A query of the index.
fn of_web(more: Value) -> Value {
    let mut query = json!({
        "IndexName": "releases",
        "KeyConditionExpression": "pipeline = :p",
        "ExpressionAttributeValues": { ":p": {"S": "web"} },
    });
    for (member, value) in more.as_object().unwrap() {
        query[member] = value.clone();
    }
    query
}

/// The partition keys of the items that a query returns.
fn found(aws: &mut Aws, query: Value) -> Vec<String> {
    let answer = request(aws, "Query", query).unwrap();
    let items = answer["Items"].as_array().unwrap().iter();
    items
        .map(|item| item["pk"]["S"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_index_has_the_items_with_both_of_its_keys_in_the_order_of_its_sort_key() {
    let mut aws = indexed();
    assert_eq!(found(&mut aws, of_web(json!({}))), ["b", "d", "a"]);
    let reversed = json!({ "ScanIndexForward": false });
    assert_eq!(found(&mut aws, of_web(reversed)), ["a", "d", "b"]);

    let since = json!({
        "KeyConditionExpression": "pipeline = :p AND started_at >= :t",
        "ExpressionAttributeValues": { ":p": {"S": "web"}, ":t": {"S": "02"} },
    });
    assert_eq!(found(&mut aws, of_web(since)), ["d", "a"]);
    let failed = json!({
        "FilterExpression": "outcome = :o",
        "ExpressionAttributeValues": { ":p": {"S": "web"}, ":o": {"S": "failed"} },
    });
    assert_eq!(found(&mut aws, of_web(failed)), ["a"]);
}

#[test]
fn a_query_of_an_index_goes_on_after_the_last_item_of_a_page() {
    let mut aws = indexed();
    aws.pages = Some(2);
    let first = request(&mut aws, "Query", of_web(json!({}))).unwrap();
    let last = first["LastEvaluatedKey"].clone();
    let expected = json!({
        "pk": {"S": "d"}, "sk": {"S": "record"}, "pipeline": {"S": "web"},
        "started_at": {"S": "02"},
    });
    assert_eq!(last, expected);
    let rest = of_web(json!({ "ExclusiveStartKey": last }));
    assert_eq!(found(&mut aws, rest), ["a"]);
}

#[test]
fn what_an_index_cannot_do_is_refused() {
    let mut aws = indexed();
    let consistent = of_web(json!({ "ConsistentRead": true }));
    assert_eq!(
        refused(&mut aws, "Query", consistent),
        "ValidationException: Consistent reads are not supported on global secondary indexes"
    );
    let unknown = of_web(json!({ "IndexName": "outcomes" }));
    assert_eq!(
        refused(&mut aws, "Query", unknown),
        "ValidationException: The table does not have the specified index: outcomes"
    );

    let mut item = key("g", "record");
    item["pipeline"] = json!({"S": ""});
    let message = refused(&mut aws, "PutItem", json!({ "Item": item }));
    assert!(
        message.ends_with("IndexName: releases, IndexKey: pipeline"),
        "{message}"
    );
}
