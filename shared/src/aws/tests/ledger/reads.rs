//! What is read: by which keys, whole, current and of this version.

use super::*;
use crate::aws::Listing;
use crate::release::Release;

#[test]
fn a_lease_is_read_by_the_names_of_cluster_and_service_and_is_current() {
    let script = Script::new([item(&free(7))]);
    let (cluster, service) = ("arn:aws:ecs:eu-west-1:111122223333:cluster/apps", "web");

    assert_eq!(
        run(ledger(&script).lease(cluster, service)).expect("answered"),
        Some(free_lease(7))
    );
    assert_eq!(script.only().operation(), "GetItem");
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger",
            "Key": {"pk": {"S": "lease"}, "sk": {"S": "apps/web"}},
            "ConsistentRead": true
        })
    );
}

#[test]
fn what_is_not_in_the_table_is_none() {
    let none = || Script::new([answer(&json!({}))]);
    assert_eq!(
        run(ledger(&none()).lease("apps", "web")).expect("answered"),
        None
    );
    assert_eq!(run(ledger(&none()).record("e-1")).expect("answered"), None);
    assert_eq!(
        run(ledger(&none()).push("slipway-web", DIGEST)).expect("answered"),
        None
    );
}

#[test]
fn records_and_pushes_have_keys_of_their_own_and_are_current() {
    let script = Script::new([item(&record_item("started"))]);
    assert_eq!(
        run(ledger(&script).record("e-1")).expect("answered"),
        Some(started())
    );
    let key = json!({"pk": {"S": "execution#e-1"}, "sk": {"S": "record"}});
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Key": key, "ConsistentRead": true})
    );

    let script = Script::new([item(&push_item())]);
    assert_eq!(
        run(ledger(&script).push("slipway-web", DIGEST)).expect("answered"),
        Some(push())
    );
    let key = json!({"pk": {"S": "push#slipway-web"}, "sk": {"S": DIGEST}});
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Key": key, "ConsistentRead": true})
    );
}

#[test]
fn an_item_of_another_version_is_refused_with_both_versions() {
    for (version, found) in [
        (json!({"N": "2"}), "2"),
        (json!({"N": "0"}), "0"),
        (json!({"S": "1"}), "not a number"),
    ] {
        let mut later = free(7);
        later["v"] = version;
        let script = Script::new([item(&later)]);
        let error = run(ledger(&script).lease("apps", "web")).expect_err("another version");
        assert_eq!(
            (error.operation, error.kind, error.message),
            (
                "dynamodb:GetItem",
                ErrorKind::Unexpected,
                format!("`v` of a ledger item is {found}; expected 1")
            )
        );
    }
}

#[test]
fn an_item_that_lacks_a_field_is_refused() {
    let mut broken = free(7);
    broken.as_object_mut().expect("an object").remove("fence");
    let error =
        run(ledger(&Script::new([item(&broken)])).lease("apps", "web")).expect_err("no fence");

    assert_eq!(error.kind, ErrorKind::Unexpected);
    assert!(
        error.message.starts_with("failed to read a ledger item: "),
        "{error}"
    );
}

#[test]
fn the_sweep_reads_leases_and_started_executions_of_all_pages_and_they_are_current() {
    let last = json!({"pk": {"S": "lease"}, "sk": {"S": "apps/web"}});
    let mut other = free(3);
    other["service"] = json!({"S": "api"});
    let script = Script::new([
        answer(&json!({"Items": [free(7)], "LastEvaluatedKey": last})),
        answer(&json!({"Items": [], "LastEvaluatedKey": last})),
        answer(&json!({"Items": [mark(), other]})),
    ]);
    let listing = run(ledger(&script).leases()).expect("answered");
    assert!(listing.unreadable.is_empty(), "{listing:?}");

    assert_eq!(
        listing.leases,
        [
            free_lease(7),
            Lease {
                service: "api".to_owned(),
                ..free_lease(3)
            }
        ]
    );
    assert_eq!(
        listing.started,
        [Started {
            v: 1,
            execution: "e-1".to_owned(),
            pipeline: "slipway-web".to_owned(),
            deploy_role: None,
            unread_since: None,
        }]
    );

    let first = json!({
        "TableName": "ledger",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "lease"}},
        "ConsistentRead": true
    });
    let mut next = first.clone();
    next["ExclusiveStartKey"] = last;
    let sent: Vec<Value> = script
        .sent()
        .iter()
        .map(crate::aws::tests::script::Sent::json)
        .collect();

    assert_eq!(sent, [first, next.clone(), next]);
    assert_eq!(script.operations(), ["Query", "Query", "Query"]);
}

#[test]
fn an_item_that_the_sweep_cannot_read_is_named_and_hides_no_other() {
    let mut later = mark();
    later["v"] = json!({"N": "2"});
    let mut malformed = free(3);
    malformed["sk"] = json!({"S": "apps/api"});
    malformed["fence"] = json!({"S": "three"});
    let items = json!({"Items": [later, malformed, free(7), mark()]});
    let script = Script::new([answer(&items)]);
    let listing = run(ledger(&script).leases()).expect("answered");

    assert_eq!(listing.leases, [free_lease(7)]);
    assert_eq!(listing.started.len(), 1);
    let [version, form] = &listing.unreadable[..] else {
        panic!("{:?}", listing.unreadable)
    };
    assert_eq!(
        version.error.message,
        "started#e-1: `v` of a ledger item is 2; expected 1"
    );
    assert!(
        form.error
            .message
            .starts_with("apps/api: failed to read a ledger item: "),
        "{form:?}"
    );
}

#[test]
fn a_listing_without_end_is_refused() {
    let endless = Script::always(answer(
        &json!({"Items": [], "LastEvaluatedKey": {"pk": {"S": "lease"}}}),
    ));
    let error = run(ledger(&endless).leases()).expect_err("no end");
    assert_eq!(error.message, "the leases have more than 100 pages");
    assert_eq!(endless.sent().len(), 100);
}

#[test]
fn a_pipeline_is_releasing_while_a_release_of_it_is_open_or_has_not_begun() {
    let open = Lease {
        release: Some(Release::begin("e-1", "slipway-web", None, at(0))),
        ..free_lease(2)
    };
    let of_lease = Listing {
        leases: vec![free_lease(1), open],
        ..Listing::default()
    };
    let of_start = Listing {
        started: vec![Started::from_record(&started())],
        ..Listing::default()
    };

    for listing in [&of_lease, &of_start] {
        assert!(listing.is_releasing("slipway-web"), "{listing:?}");
        assert!(!listing.is_releasing("slipway-api"), "{listing:?}");
    }
    assert_eq!(of_lease.open_release_of("slipway-web"), Some("e-1"));
    assert_eq!(of_start.open_release_of("slipway-web"), None);
    assert!(!Listing::default().is_releasing("slipway-web"));
}
