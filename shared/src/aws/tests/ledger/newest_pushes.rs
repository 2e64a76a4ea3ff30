//! The newest push of a pipeline: written only over the one that was read.

use super::*;
use crate::release::NewestPush;

fn stored() -> Value {
    json!({
        "pk": {"S": "push#slipway-web"}, "sk": {"S": "newest"}, "v": {"N": "1"},
        "pipeline": {"S": "slipway-web"}, "digest": {"S": DIGEST}, "event": {"S": "event-1"},
        "pushed_at": {"S": "2026-01-05T09:00:00Z"}, "claimed_at": {"S": "2026-01-05T09:00:02Z"}
    })
}

fn newest() -> NewestPush {
    NewestPush {
        v: 1,
        pipeline: "slipway-web".to_owned(),
        digest: DIGEST.to_owned(),
        event: "event-1".to_owned(),
        pushed_at: at(0),
        claimed_at: at(2),
        restarting: None,
    }
}

#[test]
fn the_newest_push_is_read_beside_the_claims_of_its_pipeline() {
    let script = Script::new([item(&stored())]);
    let read = run(ledger(&script).newest_push("slipway-web"));
    assert_eq!(read.expect("answered"), Some(newest()));
    let key = json!({"pk": {"S": "push#slipway-web"}, "sk": {"S": "newest"}});
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Key": key, "ConsistentRead": true})
    );
}

#[test]
fn the_newest_push_is_written_only_over_the_one_that_was_read() {
    let script = Script::new([answer(&json!({}))]);
    assert!(run(ledger(&script).put_newest_push(None, &newest())).expect("answered"));
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger",
            "Item": stored(),
            "ConditionExpression": "attribute_not_exists(pk)"
        })
    );

    let script = Script::new([answer(&json!({}))]);
    let next = NewestPush {
        event: "event-2".to_owned(),
        ..newest()
    };
    assert!(run(ledger(&script).put_newest_push(Some(&newest()), &next)).expect("answered"));

    let mut written = stored();
    written["event"] = json!({"S": "event-2"});
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger",
            "Item": written,
            "ConditionExpression": "event = :event AND claimed_at = :claimed",
            "ExpressionAttributeValues": {
                ":event": {"S": "event-1"}, ":claimed": {"S": "2026-01-05T09:00:02Z"}
            }
        })
    );

    let lost = Script::new([refusal("ConditionalCheckFailedException", "lost")]);
    assert!(!run(ledger(&lost).put_newest_push(None, &newest())).expect("answered"));
}
