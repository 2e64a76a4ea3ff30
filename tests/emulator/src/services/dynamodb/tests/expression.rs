use serde_json::{Value, json};

use super::super::attribute::{Item, item_from_json};
use super::super::expression::{Condition, Placeholders};

fn item() -> Item {
    item_from_json(&json!({
        "pk": {"S": "a"}, "n": {"N": "10"}, "s": {"S": "hello"}, "flag": {"BOOL": true},
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
            ":true": {"BOOL": true},
        }),
    )
}

fn parse(condition: &str) -> Result<Condition, String> {
    Condition::parse("ConditionExpression", condition, &mut some_placeholders())
        .map_err(|error| error.message)
}

fn holds(condition: &str) -> bool {
    parse(condition).unwrap().holds(&item(), true)
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
    ] {
        assert!(!holds(condition), "{condition}");
    }
}

#[test]
fn and_binds_tighter_than_or() {
    assert!(holds("n = :ten OR n = :nine AND n = :nine"));
    assert!(!holds("n = :nine OR n = :ten AND n = :nine"));
}

#[test]
fn expressions_that_aws_refuses() {
    for (condition, expected) in [
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
            "begins_with(s, :ten)",
            "operator or function: begins_with, operand type: N",
        ),
    ] {
        let message = parse(condition).unwrap_err();
        assert!(
            message.starts_with("Invalid ConditionExpression: ") && message.contains(expected),
            "{condition}: {message}"
        );
    }
}

#[test]
fn forms_that_are_not_served_are_refused_by_name() {
    for (condition, name) in [
        ("n > :nine", ">"),
        ("n BETWEEN :nine AND :ten", "BETWEEN"),
        ("NOT n = :ten", "NOT"),
        ("size(s) = :ten", "size"),
        ("m.nested = :x", "."),
    ] {
        assert_eq!(
            parse(condition).unwrap_err(),
            format!("the sandbox does not serve `{name}` in ConditionExpression")
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

    for input in [
        json!({ "ExpressionAttributeValues": { "v": {"S": ""} } }),
        json!({ "ExpressionAttributeNames": {} }),
    ] {
        assert!(Placeholders::read(&input, None).is_err(), "{input}");
    }
}

#[test]
fn an_absent_attribute_differs_or_not() {
    for absent_differs in [true, false] {
        let condition = parse("absent <> :x").unwrap();
        assert_eq!(condition.holds(&item(), absent_differs), absent_differs);
    }
}
