use super::*;

#[test]
fn queries_are_of_one_partition_and_ordered_by_the_sort_key() {
    let mut aws = world();
    for sk in ["b1", "a", "b2", "c"] {
        put(&mut aws, "a", sk, 1);
    }
    put(&mut aws, "b", "b1", 1);
    let mut keys = |condition: &str, values: Value| -> Vec<String> {
        let query = json!({
            "KeyConditionExpression": condition, "ExpressionAttributeValues": values,
        });
        let answer = request(&mut aws, "Query", query).unwrap();
        let items = answer["Items"].as_array().unwrap().iter();
        items
            .map(|item| item["sk"]["S"].as_str().unwrap().to_owned())
            .collect()
    };

    let all = json!({ ":a": {"S": "a"} });
    assert_eq!(keys("pk = :a", all), ["a", "b1", "b2", "c"]);
    let two = json!({ ":a": {"S": "a"}, ":b": {"S": "b"} });
    assert_eq!(
        keys("begins_with(sk, :b) AND pk = :a", two.clone()),
        ["b1", "b2"]
    );
    assert_eq!(
        keys("pk = :a AND sk = :b", two.clone()),
        Vec::<String>::new()
    );
    assert_eq!(keys("pk = :a AND :b < sk", two), ["b1", "b2", "c"]);
    let three = json!({ ":a": {"S": "a"}, ":b": {"S": "b"}, ":c": {"S": "b2"} });
    assert_eq!(
        keys("pk = :a AND sk BETWEEN :b AND :c", three),
        ["b1", "b2"]
    );
}

#[test]
fn a_filter_leaves_items_out_and_is_not_about_the_key() {
    let mut aws = world();
    for (sk, size) in [("0", 1), ("1", 2), ("2", 1)] {
        put(&mut aws, "a", sk, size);
    }
    let mut filtered = |filter: &str| {
        let values = json!({ ":pk": {"S": "a"}, ":v": {"S": "x"} });
        let more = json!({"FilterExpression": filter, "ExpressionAttributeValues": values});
        request(&mut aws, "Query", partition("a", more))
    };

    let page = filtered("v = :v").unwrap();
    assert_eq!(
        (&page["Count"], &page["ScannedCount"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(page["Items"][1]["sk"], json!({"S": "2"}));
    assert_eq!(
        filtered("v = :v OR size(sk) = :v")
            .unwrap_err()
            .error
            .message,
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"
    );
}

/// Key conditions with the reasons why they are refused.
const REFUSED: [(&str, &str); 10] = [
    (
        "sk = :s AND v = :n",
        "Query condition missed key schema element: pk",
    ),
    (
        "begins_with(pk, :s) AND sk = :n",
        "Query key condition not supported",
    ),
    (
        "pk = :s OR sk = :n",
        "Invalid operator used in KeyConditionExpression: OR",
    ),
    (
        "pk = :s AND sk <> :n",
        "Invalid operator used in KeyConditionExpression",
    ),
    (
        "pk = :n AND sk = :s",
        "Condition parameter type does not match schema type",
    ),
    (
        "pk = :s AND pk = :n",
        "KeyConditionExpressions must only contain one condition per key",
    ),
    (
        "pk = :s AND sk.x = :n",
        "KeyConditionExpressions cannot have conditions on nested attributes",
    ),
    (
        "pk = :s AND size(sk) = :n",
        "KeyConditionExpressions cannot contain nested operations",
    ),
    (
        "pk = :s AND :s = :n",
        "Invalid condition in KeyConditionExpression: No key attribute specified",
    ),
    (
        "pk = :s AND begins_with(:s, :s) AND sk = :n",
        "begins_with operator must have the key attribute as its first operand",
    ),
];

#[test]
fn key_conditions_that_aws_refuses() {
    let mut aws = world();
    let values = json!({ ":s": {"S": "a"}, ":n": {"N": "1"} });

    for (condition, expected) in REFUSED {
        let message = refused(
            &mut aws,
            "Query",
            json!({ "KeyConditionExpression": condition, "ExpressionAttributeValues": values }),
        );
        assert!(message.contains(expected), "{condition}: {message}");
    }
}
