use serde_json::{Value, json};

use super::super::attribute::{item_from_json, item_to_json};
use super::super::expression::{Placeholders, UpdateExpression};

/// What an update makes of an item, or why it is refused.
fn updated(expression: &str) -> Result<Value, String> {
    let item = json!({
        "n": {"N": "10"}, "s": {"S": "hello"}, "ss": {"SS": ["x", "y"]},
        "ll": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}, "mm": {"M": {"x": {"N": "1"}}},
    });
    let input = json!({
        "ExpressionAttributeNames": {"#s": "s"},
        "ExpressionAttributeValues": {
            ":two": {"N": "2"}, ":text": {"S": "text"}, ":x": {"SS": ["x"]},
            ":xyz": {"SS": ["x", "y", "z"]}, ":list": {"L": [{"S": "end"}]},
        },
    });
    let mut item = item_from_json(&item).unwrap();
    let mut placeholders = Placeholders::read(&input, None).unwrap();
    let update = UpdateExpression::parse(expression, &mut placeholders);
    update
        .and_then(|update| update.apply(&mut item))
        .map(|()| item_to_json(&item))
        .map_err(|error| error.message)
}

#[test]
fn an_update_sets_removes_adds_and_deletes() {
    for (expression, attribute, expected) in [
        ("SET #s = :text", "s", json!({"S": "text"})),
        ("set n = n + :two", "n", json!({"N": "12"})),
        ("SET n = (:two - n)", "n", json!({"N": "-8"})),
        (
            "SET a = if_not_exists(a, n), n = :two",
            "a",
            json!({"N": "10"}),
        ),
        ("SET n = if_not_exists(n, :two)", "n", json!({"N": "10"})),
        (
            "SET mm.y = :two",
            "mm",
            json!({"M": {"x": {"N": "1"}, "y": {"N": "2"}}}),
        ),
        (
            "SET ll[1] = :two, ll[9] = :text REMOVE ll[0]",
            "ll",
            json!({"L": [{"N": "2"}, {"N": "2"}, {"S": "text"}]}),
        ),
        (
            "SET ll = list_append(ll, :list) REMOVE mm",
            "ll",
            json!({"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}, {"S": "end"}]}),
        ),
        ("REMOVE ll[0], ll[2]", "ll", json!({"L": [{"N": "1"}]})),
        ("REMOVE mm.x, mm.absent", "mm", json!({"M": {}})),
        ("REMOVE n", "n", Value::Null),
        ("ADD n :two, absent :two", "n", json!({"N": "12"})),
        ("ADD absent :two", "absent", json!({"N": "2"})),
        ("ADD ss :xyz", "ss", json!({"SS": ["x", "y", "z"]})),
        ("DELETE ss :x", "ss", json!({"SS": ["y"]})),
        ("DELETE ss :xyz, absent :x", "ss", Value::Null),
    ] {
        let item = updated(expression).unwrap();
        let found = item.get(attribute).unwrap_or(&Value::Null);
        assert_eq!(found, &expected, "{expression}");
    }
}

/// Update expressions with the reasons why they are refused.
const REFUSED: [(&str, &str); 16] = [
    ("", "The expression can not be empty;"),
    ("n = :two", "Syntax error; token: \"n\", near: \"n =\""),
    (
        "SET n :two",
        "Syntax error; token: \":two\", near: \"n :two\"",
    ),
    ("ADD n n", "Syntax error; token: \"n\", near: \"n n\""),
    (
        "SET status = :two",
        "Attribute name is a reserved keyword; reserved keyword: status",
    ),
    (
        "SET n = sum(n, :two)",
        "Invalid function name; function: sum",
    ),
    (
        "SET n = size(s)",
        "The function is not allowed in an update expression; function: size",
    ),
    (
        "SET n = :two SET s = :two",
        "The \"SET\" section can only be used once in an update expression;",
    ),
    (
        "SET n = :absent",
        "An expression attribute value used in expression is not defined; attribute value: \
         :absent",
    ),
    (
        "SET n = :two REMOVE n.x",
        "Two document paths overlap with each other; must remove or rewrite one of these \
         paths; path one: [n], path two: [n, x]",
    ),
    (
        "SET a.b = :two REMOVE a[1]",
        "Two document paths conflict with each other; must remove or rewrite one of these \
         paths; path one: [a, b], path two: [a, [1]]",
    ),
    (
        "ADD n :text",
        "Incorrect operand type for operator or function; operator: ADD, operand type: STRING",
    ),
    (
        "DELETE n :two",
        "Incorrect operand type for operator or function; operator: DELETE, operand type: \
         NUMBER",
    ),
    (
        "SET n = n + :text",
        "Incorrect operand type for operator or function; operator or function: +, operand \
         type: S",
    ),
    (
        "SET n = list_append(n)",
        "Incorrect number of operands for operator or function; operator or function: \
         list_append, number of operands: 1",
    ),
    (
        "SET n = if_not_exists(:two, n)",
        "Operator or function requires a document path; operator or function: if_not_exists",
    ),
];

#[test]
fn updates_that_aws_refuses_before_it_looks_at_the_item() {
    for (expression, expected) in REFUSED {
        let message = updated(expression).unwrap_err();
        assert_eq!(message, format!("Invalid UpdateExpression: {expected}"));
    }
}

#[test]
fn updates_that_do_not_fit_the_item() {
    let absent = "The provided expression refers to an attribute that does not exist in the item";
    let incorrect = "An operand in the update expression has an incorrect data type";
    let invalid = "The document path provided in the update expression is invalid for update";
    for (expression, expected) in [
        ("SET a = b", absent),
        ("SET n = a + :two", absent),
        ("SET n = s + :two", incorrect),
        ("SET n = list_append(n, :list)", incorrect),
        ("ADD s :two", incorrect),
        ("DELETE n :x", incorrect),
        ("SET a.b = :two", invalid),
        ("SET n.b = :two", invalid),
        ("SET mm[0] = :two", invalid),
        ("REMOVE a.b", invalid),
    ] {
        assert_eq!(updated(expression).unwrap_err(), expected, "{expression}");
    }
}
