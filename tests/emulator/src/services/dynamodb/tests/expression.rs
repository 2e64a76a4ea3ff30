use serde_json::{Value, json};

use super::super::attribute::{Item, item_from_json};
use super::super::expression::{Condition, Placeholders};

fn item() -> Item {
    item_from_json(&json!({
        "pk": {"S": "a"}, "n": {"N": "10"}, "s": {"S": "hello"}, "flag": {"BOOL": true},
        "b": {"B": "AQID"}, "ss": {"SS": ["x", "y"]}, "ns": {"NS": ["9", "1"]},
        "ll": {"L": [{"N": "9"}, {"M": {"x": {"S": "x"}}}]}, "mm": {"M": {"x": {"N": "10"}}},
    }))
    .unwrap()
}

fn placeholders(names: Value, values: Value) -> Placeholders {
    let input = json!({ "ExpressionAttributeNames": names, "ExpressionAttributeValues": values });
    Placeholders::read(&input, None).unwrap()
}

/// `:ten`, `:nine`, … so that a test shows only its expression.
fn some_placeholders() -> Placeholders {
    placeholders(
        json!({ "#status": "status" }),
        json!({
            ":nine": {"N": "9.0"}, ":ten": {"N": "10.00"}, ":x": {"S": "x"}, ":hel": {"S": "hel"},
            ":true": {"BOOL": true}, ":two": {"N": "2"}, ":bytes": {"B": "AQI="},
            ":sets": {"SS": ["y", "x"]}, ":type": {"S": "SS"}, ":wrong": {"S": "TEXT"},
        }),
    )
}

fn parse(condition: &str) -> Result<Condition, String> {
    Condition::parse("ConditionExpression", condition, &mut some_placeholders())
        .map_err(|error| error.message)
}

fn holds(condition: &str) -> bool {
    parse(condition).unwrap().holds(&item())
}

#[test]
fn conditions_that_hold() {
    for condition in [
        "n = :ten",
        "n <> :nine",
        "flag = :true",
        "attribute_exists(n) and attribute_not_exists(m)",
        "begins_with(s, :hel)",
        "absent <> :x",
        "#status <> :x",
        "n > :nine AND n >= :ten AND n <= :ten AND s < :x",
        "n BETWEEN :nine AND :ten",
        "s IN (:x, s) OR n IN (:nine, :ten)",
        "NOT n = :nine AND NOT (n < :nine OR n > :ten)",
        "ss = :sets AND attribute_type(ss, :type)",
        "contains(ss, :x) AND contains(s, :hel) AND contains(ns, :nine)",
        "contains(b, :bytes) AND begins_with(b, :bytes) AND contains(ll, :nine)",
        "size(ss) = :two AND size(ll) = :two AND size(b) > :two AND :two < size(s)",
        "ll[0] = :nine AND ll[1].x = :x AND mm.x = n",
        "(n) = (:ten) AND (attribute_exists(mm.x))",
    ] {
        assert!(holds(condition), "{condition}");
    }
}

#[test]
fn conditions_that_do_not_hold() {
    for condition in [
        "n = :nine",
        "s = :ten",
        "absent = :x",
        "attribute_exists(absent)",
        "attribute_not_exists(n)",
        "begins_with(n, :hel)",
        "begins_with(absent, :hel)",
        "n < s OR flag > :true OR s BETWEEN :nine AND :ten",
        "absent < :ten OR absent IN (:x, :ten) OR contains(absent, :x)",
        "size(n) = :two OR size(absent) < :two",
        "ll[2] = :nine OR ll.x = :x OR mm[0] = :ten OR attribute_exists(n.x)",
    ] {
        assert!(!holds(condition), "{condition}");
    }
}

#[test]
fn and_binds_tighter_than_or() {
    assert!(holds("n = :ten OR n = :nine AND n = :nine"));
    assert!(!holds("n = :nine OR n = :ten AND n = :nine"));
}

/// Conditions with the reasons why they are refused.
const REFUSED: [(&str, &str); 20] = [
    ("", "The expression can not be empty;"),
    ("n = ", "Syntax error; token: \"<EOF>\""),
    ("n = :ten n", "Syntax error; token: \"n\", near: \":ten n\""),
    (
        "status = :x",
        "Attribute name is a reserved keyword; reserved keyword: status",
    ),
    (
        "n = :undefined",
        "value used in expression is not defined; attribute value: :undefined",
    ),
    (
        "#undefined = :x",
        "name used in the document path is not defined; attribute name: #undefined",
    ),
    (
        "starts_with(s, :x)",
        "Invalid function name; function: starts_with",
    ),
    (
        "if_not_exists(n, :ten) = :ten",
        "The function is not allowed in a condition expression; function: if_not_exists",
    ),
    (
        "begins_with(s, :ten)",
        "operator or function: begins_with, operand type: N",
    ),
    ("((n = :ten))", "The expression has redundant parentheses;"),
    (
        "size(n)",
        "is not allowed to be used this way in an expression; function: size",
    ),
    (
        "contains(s, :x) = :true",
        "is not allowed to be used this way in an expression; function: contains",
    ),
    (
        "contains(s)",
        "Incorrect number of operands for operator or function; operator or function: \
         contains, number of operands: 1",
    ),
    (
        "n = n",
        "The first operand must be distinct from the remaining operands for this operator or \
         function; operator: =, first operand: [n]",
    ),
    (
        "attribute_exists(:x)",
        "Operator or function requires a document path; operator or function: attribute_exists",
    ),
    (
        "attribute_type(s, :wrong)",
        "Invalid attribute type name found; type: TEXT, valid types: \
         {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
    ),
    (
        "n BETWEEN :ten AND :nine",
        "requires upper bound to be greater than or equal to lower bound; lower bound operand: \
         AttributeValue: {N:10}, upper bound operand: AttributeValue: {N:9}",
    ),
    (
        "n BETWEEN :ten AND :x",
        "requires same data type for lower and upper bounds; lower bound operand: \
         AttributeValue: {N:10}, upper bound operand: AttributeValue: {S:x}",
    ),
    ("a[x] = :x", "Syntax error; token: \"x\""),
    ("AND = :x", "Syntax error; token: \"AND\""),
];

#[test]
fn expressions_that_aws_refuses() {
    for (condition, expected) in REFUSED {
        let message = parse(condition).unwrap_err();
        assert!(
            message.starts_with("Invalid ConditionExpression: ") && message.contains(expected),
            "{condition}: {message}"
        );
    }
}

#[test]
fn unused_and_unexpected_placeholders_are_refused() {
    let mut unused = placeholders(json!({ "#a": "a", "#b": "b" }), json!({ ":v": {"S": ""} }));
    Condition::parse("ConditionExpression", "#a = :v", &mut unused).unwrap();
    assert_eq!(
        unused.finish().unwrap_err().message,
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}"
    );

    let values = json!({ "ExpressionAttributeValues": { ":v": {"S": ""} } });
    let absent = Some("ConditionExpression");
    let message = Placeholders::read(&values, absent).unwrap_err().message;
    assert_eq!(
        message,
        "ExpressionAttributeValues can only be specified when using expressions: \
         ConditionExpression is null"
    );

    let wrong = json!({ "ExpressionAttributeValues": { ":v": {"N": "x"} } });
    let message = Placeholders::read(&wrong, None).unwrap_err().message;
    assert_eq!(
        message,
        "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a \
         numeric value: x for key :v"
    );

    for input in [
        json!({ "ExpressionAttributeValues": { "v": {"S": ""} } }),
        json!({ "ExpressionAttributeNames": {} }),
    ] {
        assert!(Placeholders::read(&input, None).is_err(), "{input}");
    }
}
