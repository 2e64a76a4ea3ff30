//! Updates of services by their stacks: written only over the one that was read.

use super::*;
use crate::release::StackUpdate;

fn stored() -> Value {
    json!({
        "pk": {"S": "push#slipway-web"}, "sk": {"S": "stack-update"}, "v": {"N": "1"},
        "pipeline": {"S": "slipway-web"}, "event": {"S": "event-1"}, "begun_by": {"S": "event-1"},
        "began_at": {"S": "2026-01-05T09:00:00Z"}, "digest": {"S": DIGEST},
        "expires_at": {"N": "1802163600"}
    })
}

fn update() -> StackUpdate {
    StackUpdate::begun("slipway-web", "event-1", Some(DIGEST.to_owned()), at(0))
}

#[test]
fn an_update_is_read_beside_the_pushes_of_its_pipeline() {
    let script = Script::new([item(&stored())]);
    let read = run(ledger(&script).stack_update("slipway-web"));
    assert_eq!(read.expect("answered"), Some(update()));
    let key = json!({"pk": {"S": "push#slipway-web"}, "sk": {"S": "stack-update"}});
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Key": key, "ConsistentRead": true})
    );
}

#[test]
fn an_update_is_written_only_over_the_one_that_was_read() {
    let script = Script::new([answer(&json!({}))]);
    assert!(run(ledger(&script).put_stack_update(None, &update())).expect("answered"));
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger",
            "Item": stored(),
            "ConditionExpression": "attribute_not_exists(pk)"
        })
    );

    let script = Script::new([answer(&json!({}))]);
    let next = StackUpdate {
        event: "event-2".to_owned(),
        execution: Some("e-2".to_owned()),
        ..update()
    };
    assert!(run(ledger(&script).put_stack_update(Some(&update()), &next)).expect("answered"));

    let mut written = stored();
    written["event"] = json!({"S": "event-2"});
    written["execution"] = json!({"S": "e-2"});
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger",
            "Item": written,
            "ConditionExpression": "event = :event",
            "ExpressionAttributeValues": {":event": {"S": "event-1"}}
        })
    );

    let lost = Script::new([refusal("ConditionalCheckFailedException", "lost")]);
    assert!(!run(ledger(&lost).put_stack_update(None, &update())).expect("answered"));
}
