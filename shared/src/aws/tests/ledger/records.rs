//! Records of executions, with the mark by which the sweep finds a started one.

use super::*;

#[test]
fn a_started_execution_is_recorded_unless_it_is_further_and_marked_for_the_sweep() {
    let script = Script::new([answer(&json!({}))]);
    assert!(run(ledger(&script).put_record(&started())).expect("answered"));
    assert_eq!(
        transaction(&script),
        json!([
            {"Put": {
                "TableName": "ledger",
                "Item": record_item("started"),
                "ConditionExpression": "attribute_not_exists(pk) OR #state = :started",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":started": {"S": "started"}}
            }},
            {"Put": {"TableName": "ledger", "Item": mark()}}
        ])
    );
}

#[test]
fn an_execution_that_is_closed_is_not_marked_any_more() {
    let script = Script::new([answer(&json!({}))]);
    let closed = started().closed(Outcome::Failed, "because", at(60));

    assert!(run(ledger(&script).put_record(&closed)).expect("answered"));

    let sent = transaction(&script);
    let mut written = record_item("closed");
    written["outcome"] = json!({"S": "failed"});
    written["reason"] = json!({"S": "because"});
    written["ended_at"] = json!({"S": "2026-01-05T09:01:00Z"});
    written["expires_at"] = json!({"N": "1802163660"});
    assert_eq!(sent[0]["Put"]["Item"], written);

    let key = json!({"pk": {"S": "lease"}, "sk": {"S": "started#e-1"}});
    assert_eq!(
        sent[1],
        json!({"Delete": {"TableName": "ledger", "Key": key}})
    );
    assert_eq!(sent.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_record_that_is_further_already_is_false_and_one_that_failed_is_an_error() {
    let lost = Script::new([canceled(["ConditionalCheckFailed", "None"])]);
    assert!(!run(ledger(&lost).put_record(&started())).expect("answered"));

    for code in [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ] {
        let busy = Script::always(canceled(["None", code]));
        assert_eq!(
            run(ledger(&busy).put_record(&started()))
                .expect_err("failed")
                .kind,
            ErrorKind::Busy,
            "{code}"
        );
    }

    let refused = Script::new([canceled(["ValidationError", "None"])]);
    assert_eq!(
        run(ledger(&refused).put_record(&started()))
            .expect_err("failed")
            .kind,
        ErrorKind::Rejected
    );

    let failed = Script::new([refusal("AccessDeniedException", "no")]);
    let error = run(ledger(&failed).put_record(&started())).expect_err("failed");
    assert_eq!(
        (error.operation, error.kind),
        ("dynamodb:PutItem", ErrorKind::Permission)
    );
}

#[test]
fn the_mark_of_a_start_is_written_again_only_while_it_is_there() {
    let noted = Started {
        unread_since: Some(at(60)),
        ..Started::from_record(&started())
    };
    let script = Script::new([answer(&json!({}))]);
    run(ledger(&script).note_started(&noted)).expect("written");
    let sent = script.only().json();
    assert_eq!(sent["Item"]["sk"], json!({"S": "started#e-1"}));
    let since = json!({"S": "2026-01-05T09:01:00Z"});
    assert_eq!(sent["Item"]["unread_since"], since);
    assert_eq!(sent["ConditionExpression"], "attribute_exists(sk)");

    let lost = Script::new([refusal("ConditionalCheckFailedException", "no")]);
    run(ledger(&lost).note_started(&noted)).expect("its release has begun");
}

#[test]
fn a_reason_is_noted_once_in_the_record_of_a_release_that_has_begun() {
    let noted = |reason: &str| {
        let mut record = record_item("begun");
        record["reason"] = json!({"S": reason});
        record
    };

    let script = Script::new([item(&record_item("begun")), answer(&json!({}))]);
    run(ledger(&script).note_reason("e-1", Some("denied"))).expect("written");
    assert_eq!(
        script.sent()[1].json(),
        json!({
            "TableName": "ledger",
            "Item": noted("denied"),
            "ConditionExpression": "#state = :begun",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":begun": {"S": "begun"}}
        })
    );

    // The release was closed in between.
    let lost = refusal("ConditionalCheckFailedException", "no");
    let script = Script::new([item(&noted("busy")), lost]);
    run(ledger(&script).note_reason("e-1", Some("denied"))).expect("nothing to note");

    for known in [
        noted("denied"),
        record_item("started"),
        record_item("closed"),
    ] {
        let script = Script::new([item(&known)]);
        run(ledger(&script).note_reason("e-1", Some("denied"))).expect("nothing to note");
        assert_eq!(script.operations(), ["GetItem"]);
    }
}

#[test]
fn a_reason_that_has_passed_is_removed_from_the_record() {
    let mut noted = record_item("begun");
    noted["reason"] = json!({"S": "denied"});

    let script = Script::new([item(&noted), answer(&json!({}))]);
    run(ledger(&script).note_reason("e-1", None)).expect("written");
    assert_eq!(script.sent()[1].json()["Item"], record_item("begun"));

    let mut closed = record_item("closed");
    closed["reason"] = json!({"S": "done"});
    for known in [record_item("begun"), closed] {
        let script = Script::new([item(&known)]);
        run(ledger(&script).note_reason("e-1", None)).expect("nothing to remove");
        assert_eq!(script.operations(), ["GetItem"]);
    }
}

#[test]
fn a_reason_that_is_noted_has_at_most_1000_characters() {
    let script = Script::new([item(&record_item("begun")), answer(&json!({}))]);
    run(ledger(&script).note_reason("e-1", Some(&"é".repeat(1_001)))).expect("written");

    let written = script.sent()[1].json()["Item"]["reason"].clone();
    assert_eq!(written, json!({"S": "é".repeat(1_000)}));

    let script = Script::new([item(&script.sent()[1].json()["Item"])]);
    run(ledger(&script).note_reason("e-1", Some(&"é".repeat(1_001)))).expect("nothing to note");
    assert_eq!(script.operations(), ["GetItem"]);
}

#[test]
fn the_record_of_a_next_release_replaces_that_of_the_release_before_once_it_is_closed() {
    let closed = started().begun("apps", "dev");
    let closed = closed.closed(Outcome::Deployed, "because", at(60));
    let next = closed.followed(at(90)).begun("apps", "web");
    let lease = Lease {
        fence: 2,
        ..free_lease(1)
    };

    let script = Script::new([answer(&json!({}))]);
    run(ledger(&script).advance_with(&lease, &next)).expect("written");
    let sent = transaction(&script);
    let put = &sent[1]["Put"];
    assert_eq!(put["Item"]["service"], json!({"S": "web"}));
    assert_eq!(
        put["Item"]["earlier"],
        json!({"L": [{"M": {
            "cluster": {"S": "apps"}, "service": {"S": "dev"}, "outcome": {"S": "deployed"},
            "ended_at": {"S": "2026-01-05T09:01:00Z"},
        }}]})
    );
    assert_eq!(
        put["ConditionExpression"],
        "#state = :closed AND ended_at = :ended"
    );
    let values = json!({":closed": {"S": "closed"}, ":ended": {"S": "2026-01-05T09:01:00Z"}});
    assert_eq!(put["ExpressionAttributeValues"], values);
}
