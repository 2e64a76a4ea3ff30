//! A pending deregistration: written once beside the leases, read with them, and deleted once.

use super::*;
use crate::release::{PendingDeregistration, Release};
use crate::timestamp::Timestamp;

fn pending() -> PendingDeregistration {
    let now = Timestamp::from_secs(1_767_603_600).expect("in range");
    let lease = Lease {
        release: Some(Release::begin("e-1", "slipway-web", None, now)),
        ..free_lease(7)
    };
    PendingDeregistration::from_lease(&lease, now)
}

#[test]
fn a_pending_deregistration_is_written_once_and_read_with_the_leases() {
    let script = Script::new([answer(&json!({}))]);
    run(ledger(&script).put_deregistration(&pending())).expect("written");
    let sent = script.only().json();
    assert_eq!(script.only().operation(), "PutItem");
    assert_eq!(sent["ConditionExpression"], "attribute_not_exists(pk)");
    let item = &sent["Item"];
    assert_eq!(item["pk"], json!({"S": "lease"}));
    assert_eq!(item["sk"], json!({"S": "owed#e-1"}));
    assert_eq!(item["since"], json!({"S": "2026-01-05T09:00:00Z"}));

    let script = Script::new([answer(&json!({"Items": [item, free(7)]}))]);
    let listing = run(ledger(&script).leases()).expect("read");
    assert_eq!(listing.pending_deregistrations, [pending()]);
    assert_eq!(listing.leases, [free_lease(7)]);

    let script = Script::new([refusal("ConditionalCheckFailedException", "no")]);
    run(ledger(&script).put_deregistration(&pending())).expect("an earlier invocation wrote it");
}

#[test]
fn a_pending_deregistration_is_deleted_if_it_is_there() {
    let script = Script::new([answer(&json!({}))]);
    run(ledger(&script).delete_deregistration(&pending())).expect("deleted");
    assert_eq!(
        script.only().json()["TransactItems"],
        json!([{"Delete": {
            "TableName": "ledger", "Key": {"pk": {"S": "lease"}, "sk": {"S": "owed#e-1"}},
            "ConditionExpression": "attribute_exists(pk)",
        }}])
    );
}
