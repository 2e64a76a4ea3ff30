use serde_json::{Value, json};

use super::super::attribute::{Item, item_from_json, item_to_json};
use super::*;

fn item() -> Item {
    item_from_json(&json!({
        "pk": {"S": "a"}, "n": {"N": "10"}, "s": {"S": "hello"}, "set": {"SS": ["x", "y"]}, "flag": {"BOOL": true},
        "l": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}, "m": {"M": {"nested": {"S": "deep"}, "l": {"L": [{"S": "first"}]}}},
    }))
    .unwrap()
}

fn placeholders(names: Value, values: Value) -> Placeholders {
    let input = json!({ "ExpressionAttributeNames": names, "ExpressionAttributeValues": values });
    Placeholders::read(&input, true).unwrap()
}

/// `:ten`, `:nine`, … so that a test shows only its expression.
fn some_placeholders() -> Placeholders {
    placeholders(
        json!({ "#m": "m", "#set": "set", "#status": "status" }),
        json!({
            ":nine": {"N": "9.0"}, ":ten": {"N": "10.00"}, ":x": {"S": "x"}, ":hel": {"S": "hel"}, ":S": {"S": "S"},
            ":deep": {"S": "deep"}, ":one": {"N": "1"}, ":true": {"BOOL": true}, ":list": {"L": [{"S": "new"}]},
            ":xs": {"SS": ["x"]}, ":xy": {"SS": ["x", "y"]}, ":z": {"SS": ["z"]},
        }),
    )
}

fn holds(condition: &str) -> bool {
    Condition::parse("ConditionExpression", condition, &mut some_placeholders())
        .unwrap()
        .holds(&item(), true)
}

fn refusal(condition: &str) -> String {
    Condition::parse("ConditionExpression", condition, &mut some_placeholders())
        .unwrap_err()
        .message
}

fn updated(expression: &str) -> Result<Value, String> {
    let actions = updates(expression, &mut some_placeholders()).map_err(|error| error.message)?;
    Action::apply(&actions, &item())
        .map(|item| item_to_json(&item))
        .map_err(|error| error.message)
}

#[test]
fn conditions_that_hold() {
    for condition in [
        "n = :ten",
        "n > :nine AND n >= :ten",
        ":nine < n",
        "n <> :nine",
        "n BETWEEN :nine AND :ten",
        "n IN (:nine, :ten)",
        "attribute_exists(m.nested)",
        "attribute_not_exists(m.elsewhere)",
        "attribute_exists(l[2]) and not attribute_exists(l[3])",
        "attribute_type(s, :S)",
        "begins_with(s, :hel)",
        "contains(s, :hel)",
        "contains(#set, :x)",
        "contains(l, :one)",
        "size(l) < :ten",
        "size(s) > size(m)",
        "#m.nested = :deep",
        "l[1] = :one",
        "flag = :true",
        "absent <> :x",
    ] {
        assert!(holds(condition), "{condition}");
    }
}

#[test]
fn conditions_that_do_not_hold() {
    for condition in [
        "n < :nine",
        "s = :ten",
        "s < :ten",
        "absent = :x",
        "absent < :x",
        "NOT n = :ten",
        "attribute_exists(s.nested)",
        "attribute_type(n, :S)",
        "begins_with(n, :hel)",
        "contains(m, :x)",
        "size(n) < :ten",
        "absent IN (:x)",
        "one = another",
    ] {
        assert!(!holds(condition), "{condition}");
    }
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    assert!(holds("n = :ten OR n = :nine AND n = :nine"));
    assert!(!holds("(n = :ten OR n = :nine) AND n = :nine"));
    assert!(holds("NOT n = :nine OR n = :nine"));
    assert!(!holds("NOT (n = :nine OR n = :ten)"));
}

#[test]
fn expressions_that_aws_refuses() {
    for (condition, says) in [
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
        ("flag < :true", "operand type: BOOL"),
        (
            "n BETWEEN :ten AND :nine",
            "upper bound to be greater than or equal to lower bound",
        ),
        ("n = n", "The first operand must be distinct"),
        (
            "attribute_type(s, :hel)",
            "Invalid attribute type name found; type: hel",
        ),
    ] {
        let message = refusal(condition);
        assert!(
            message.starts_with("Invalid ConditionExpression: ") && message.contains(says),
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
    let message = Placeholders::read(&values, false).unwrap_err().message;
    assert_eq!(
        message,
        "ExpressionAttributeValues can only be specified when using expressions"
    );
    assert!(
        Placeholders::read(
            &json!({ "ExpressionAttributeValues": { "v": {"S": ""} } }),
            true
        )
        .is_err()
    );
    assert!(Placeholders::read(&json!({ "ExpressionAttributeNames": {} }), true).is_err());
}

#[test]
fn set_stores_sums_defaults_and_lists() {
    let item = updated("SET n = n - :one, m.nested = s, fresh = if_not_exists(fresh, :one) + :one, l = list_append(l, :list), #status = if_not_exists(s, :x)").unwrap();
    assert_eq!(item["n"], json!({"N": "9"}));
    assert_eq!(item["m"]["M"]["nested"], json!({"S": "hello"}));
    assert_eq!(item["fresh"], json!({"N": "2"}));
    assert_eq!(item["l"]["L"][3], json!({"S": "new"}));
    assert_eq!(item["status"], json!({"S": "hello"}));
    assert_eq!(
        updated("SET l[9] = :x").unwrap()["l"]["L"][3],
        json!({"S": "x"})
    );
}

#[test]
fn the_right_side_sees_the_item_before_the_update() {
    let item = updated("SET n = :one, kept = n REMOVE s").unwrap();
    assert_eq!(
        (&item["n"], &item["kept"]),
        (&json!({"N": "1"}), &json!({"N": "10"}))
    );
    assert_eq!(item.get("s"), None);
}

#[test]
fn remove_means_the_indexes_of_the_list_as_it_was() {
    assert_eq!(
        updated("REMOVE l[0], l[1], absent").unwrap()["l"],
        json!({"L": [{"N": "2"}]})
    );
}

#[test]
fn add_and_delete_work_on_numbers_and_sets() {
    let item = updated("ADD n :one, fresh :ten, tags :xy DELETE #set :xs").unwrap();
    assert_eq!(
        (&item["n"], &item["fresh"]),
        (&json!({"N": "11"}), &json!({"N": "10"}))
    );
    assert_eq!(
        (&item["tags"], &item["set"]),
        (&json!({"SS": ["x", "y"]}), &json!({"SS": ["y"]}))
    );
    assert_eq!(
        updated("ADD #set :z").unwrap()["set"],
        json!({"SS": ["x", "y", "z"]})
    );
    assert_eq!(updated("DELETE #set :xy").unwrap().get("set"), None);
}

#[test]
fn updates_that_aws_refuses() {
    for (expression, says) in [
        (
            "SET n = :one SET s = :x",
            "The \"SET\" section can only be used once",
        ),
        (
            "SET m.nested = :x, m = :one",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m, nested], path two: [m]",
        ),
        (
            "SET m.nested = :x REMOVE m[0]",
            "Two document paths conflict",
        ),
        (
            "SET absent.nested = :x",
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "SET n = absent + :one",
            "refers to an attribute that does not exist in the item",
        ),
        (
            "SET n = n + :x",
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "ADD s :one",
            "An operand in the update expression has an incorrect data type",
        ),
        ("ADD s :x", "operator: ADD, operand type: S"),
        ("PUT n :one", "Syntax error; token: \"PUT\""),
    ] {
        let message = updated(expression).unwrap_err();
        assert!(message.contains(says), "{expression}: {message}");
    }
}

#[test]
fn projections_keep_the_shape() {
    let paths = projection("n, #m.l[0], l[2], l[0], absent", &mut some_placeholders()).unwrap();
    let part = item_to_json(&project(&item(), &paths));
    assert_eq!(
        part,
        json!({ "l": {"L": [{"N": "0"}, {"N": "2"}]}, "m": {"M": {"l": {"L": [{"S": "first"}]}}}, "n": {"N": "10"} })
    );
    assert!(projection("m, m.nested", &mut some_placeholders()).is_err());
}

#[test]
fn an_absent_attribute_differs_or_not() {
    for absent_differs in [true, false] {
        let condition = Condition::parse(
            "ConditionExpression",
            "absent <> :x",
            &mut some_placeholders(),
        )
        .unwrap();
        assert_eq!(condition.holds(&item(), absent_differs), absent_differs);
    }
}
