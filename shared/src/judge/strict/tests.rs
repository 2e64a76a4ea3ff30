use super::*;
use serde_json::json;

#[test]
fn an_unknown_field_is_named_with_its_path_and_the_known_ones() {
    let value = json!({"canary": {"directon": "increase"}});
    let error = Node::root(&value)
        .field("canary")
        .object(&["direction", "critical"])
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "canary.directon: found an unknown field; expected direction, critical"
    );
}

#[test]
fn an_absent_field_takes_the_default_and_null_does_not() {
    let value = json!({"alpha": null});
    let root = Node::root(&value);
    assert_eq!(root.field("tau").or(1.1, Node::number), Ok(1.1));
    let error = root.field("alpha").or(0.005, Node::number).unwrap_err();
    assert_eq!(error.to_string(), "alpha: found null; expected a number");
}

#[test]
fn a_word_outside_the_list_is_refused() {
    let value = json!(["up"]);
    let word = &Node::root(&value).array().unwrap()[0];
    let error = word
        .keyword(&[("increase", 1), ("decrease", 2)])
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "[0]: found \"up\"; expected increase, decrease"
    );
}

#[test]
fn a_negative_broken_or_absurd_count_is_refused() {
    for value in [json!(-1), json!(1.5), json!("7"), json!(u64::MAX)] {
        assert!(Node::root(&value).count().is_err(), "{value}");
    }
}

#[test]
fn each_kind_of_value_is_refused_by_what_is_expected() {
    let value = json!({"x": {"y": "text"}});
    let node = Node::root(&value).field("x").field("y");
    let refusals = [
        (node.count().map(drop), "a whole number, 0 to 1099511627776"),
        (
            node.minutes().map(drop),
            "a whole number, 0 to 1099511627776",
        ),
        (
            node.maybe_count().map(drop),
            "a whole number, 0 to 1099511627776",
        ),
        (node.number().map(drop), "a number"),
        (node.flag().map(drop), "true or false"),
        (node.array().map(drop), "an array"),
        (node.object(&[]).map(drop), "an object"),
        (node.entries().map(drop), "an object"),
    ];

    for (refused, expected) in refusals {
        assert_eq!(
            refused.unwrap_err().to_string(),
            format!("x.y: found \"text\"; expected {expected}")
        );
    }

    let absent = Node::root(&value).field("z");
    assert_eq!(
        absent.text().unwrap_err().to_string(),
        "z: found nothing; expected a string"
    );
    assert_eq!(Node::root(&value).text().unwrap_err().field, "document");

    let minutes = json!(1_u64 << 32);
    assert_eq!(
        Node::root(&minutes).minutes().unwrap_err().expected,
        "at most 4294967295"
    );
}

#[test]
fn a_count_is_taken_up_to_what_no_load_balancer_reaches() {
    let count = |value: u64| Node::root(&json!(value)).count();
    assert_eq!([count(0), count(1 << 40)], [Ok(0), Ok(1 << 40)]);
    assert!(count((1 << 40) + 1).is_err());
    assert_eq!(Node::root(&json!(null)).maybe_count(), Ok(None));
    assert_eq!(Node::root(&json!(7)).maybe_count(), Ok(Some(7)));
}

#[test]
fn a_field_of_an_older_format_is_refused_with_the_remedy_even_when_null() {
    let value = json!({"services": null});
    let retired =
        |name: &str| Node::root(&value).retired(&[("other", "x"), (name, "nothing; remove it")]);
    assert_eq!(
        retired("services").unwrap_err().to_string(),
        "services: found null; expected nothing; remove it"
    );
    assert_eq!(retired("metrics"), Ok(()));
}

#[test]
fn sixty_characters_of_a_value_are_quoted_and_no_more() {
    let refused = |text: &str| Node::root(&json!(text)).count().unwrap_err().found;
    let short = "a".repeat(58);
    assert_eq!(refused(&short), format!("\"{short}\""));
    assert_eq!(refused(&"ä".repeat(59)), format!("\"{}…", "ä".repeat(59)));
}
