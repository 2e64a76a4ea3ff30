//! What each change of the ledger announces.

use serde_json::{Value, json};

use super::*;
use crate::events::{LedgerChange, StartedApproval};
use crate::release::{Outcome, Record};
use crate::timestamp::Timestamp;

const DIGEST: &str = "sha256:db15ba16fdb4cc44f310b3b7fe325298ccb775dd7f90ae4337d5df72ff239647";

fn after(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

fn change(old: Option<&Value>, new: Option<&Value>) -> LedgerChange {
    LedgerChange {
        sequence: "1".to_owned(),
        at: after(314),
        old: old.cloned(),
        new: new.cloned(),
    }
}

fn announced(old: Option<&Value>, new: Option<&Value>) -> Option<Notice> {
    of_change(&change(old, new)).expect("both can be read")
}

fn started() -> Record {
    Record::started("e-1", "slipway-web", Some(DIGEST), after(0))
}

fn begun() -> Record {
    started().begun("arn:aws:ecs:eu-west-1:111122223333:cluster/apps", "web")
}

/// A record as its item.
fn item(record: &Record) -> Value {
    let mut item = serde_json::to_value(record).expect("serializes");
    item["pk"] = json!(format!("execution#{}", record.execution));
    item["sk"] = json!("record");
    item
}

/// The lease of a pair whose traffic is shifted, with what waits for a decision.
fn lease(holding: &Value) -> Value {
    let definition =
        |number: u32| format!("arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:{number}");
    let percentages = json!({"minimum_healthy": 100, "maximum": 200});
    let colour = |name: &str, weight: u32, number: u32| {
        json!({
            "target_group": name, "weight": weight, "task_definition": definition(number),
            "desired_count": 2, "percentages": percentages,
        })
    };
    let mut item = json!({
        "pk": "lease", "sk": "apps/shop", "v": 1, "cluster": "apps", "service": "shop", "fence": 9,
        "release": {
            "execution": "e-2", "pipeline": "slipway-shop", "digest": DIGEST, "state": "open",
            "began_at": after(0),
            "prior": {
                "task_definition": definition(1), "desired_count": 2, "percentages": percentages,
                "recorded_at": after(1),
                "pair": {
                    "rule": "rule", "live": "blue",
                    "blue": colour("blue", 100, 1), "green": colour("green", 0, 2),
                },
            },
            "shift": {
                "from": {"blue": 100, "green": 0}, "to": {"blue": 90, "green": 10}, "at": after(9),
                "made": true,
            },
        },
    });
    if !holding.is_null() {
        item["release"]["holding"] = holding.clone();
    }
    item
}

fn holding(action: i64) -> Value {
    json!({"action": after(action), "since": after(action + 60)})
}

#[test]
fn a_release_that_begins_is_announced_once() {
    let (before, now) = (item(&started()), item(&begun()));
    let notice = announced(Some(&before), Some(&now)).expect("it has begun");
    assert_eq!(notice.key(), "e-1/apps/web/started");
    assert_eq!(notice.detail_type(), "Slipway Release Started");

    assert_eq!(announced(None, Some(&now)), Some(notice.clone()));
    assert_eq!(announced(Some(&before), Some(&now)), Some(notice));
    assert_eq!(announced(None, Some(&before)), None, "it has not begun");
    assert_eq!(announced(Some(&now), Some(&now)), None, "nothing is new");
    assert_eq!(announced(Some(&now), None), None, "it has expired");
}

#[test]
fn an_outcome_is_announced_with_all_that_the_record_has() {
    let record = begun().closed(Outcome::RolledBack, "web:4 does not start", after(314));
    let notice = announced(Some(&item(&begun())), Some(&item(&record))).expect("it has ended");
    assert_eq!(notice.detail_type(), "Slipway Release Outcome");
    assert_eq!(
        notice.content(),
        json!({
            "version": 1,
            "key": "e-1/apps/web/outcome",
            "kind": "outcome",
            "at": "2026-01-05T09:05:14Z",
            "pipeline": "slipway-web",
            "execution": "e-1",
            "cluster": "apps",
            "service": "web",
            "digest": DIGEST,
            "outcome": "rolled-back",
            "reason": "web:4 does not start",
            "needs_operator": false,
            "started_at": "2026-01-05T09:00:00Z",
            "reports": [],
            "text": "web: rolled back; web:4 does not start; After 5m14s; \
                     Image sha256:db15ba16fdb4; Service web in cluster apps; \
                     Pipeline slipway-web, execution e-1; slipway why e-1",
            "chat": {
                "version": "1.0",
                "source": "custom",
                "id": "e-1/apps/web/outcome",
                "content": {
                    "textType": "client-markdown",
                    "title": "web: rolled back",
                    "description": "web:4 does not start\nAfter 5m14s\nImage sha256:db15ba16fdb4\n\
                                    Service web in cluster apps\n\
                                    Pipeline slipway-web, execution e-1",
                    "nextSteps": ["`slipway why e-1`"],
                    "keywords": ["slipway-web", "outcome"],
                },
                "metadata": {
                    "threadId": "e-1",
                    "summary": "web: rolled back",
                    "eventType": "slipway-outcome",
                    "additionalContext": {
                        "pipeline": "slipway-web", "execution": "e-1", "service": "web",
                    },
                },
            },
        })
    );
}

#[test]
fn an_outcome_that_an_operator_must_repair_is_named_so() {
    let record = Record {
        needs_operator: true,
        ..begun().closed(Outcome::Failed, "not proven", after(314))
    };
    let notice = announced(None, Some(&item(&record))).expect("it has ended");
    assert_eq!(
        notice.content()["chat"]["content"]["title"],
        "web: manual intervention required"
    );
}

#[test]
fn the_end_of_a_release_that_never_began_has_the_name_of_its_pipeline() {
    let record = started().closed(Outcome::Superseded, "a newer one came", after(314));
    let notice = announced(Some(&item(&started())), Some(&item(&record))).expect("it has ended");
    assert_eq!(notice.key(), "e-1/-/outcome");
    let detail = notice.content();
    assert_eq!(detail.get("service"), None);
    assert_eq!(
        detail["chat"]["content"]["title"],
        "slipway-web: superseded"
    );
}

#[test]
fn a_wait_for_a_decision_is_announced_once_for_each_action() {
    let (free, waits) = (lease(&Value::Null), lease(&holding(30)));
    let notice = announced(Some(&free), Some(&waits)).expect("it waits");
    assert_eq!(notice.key(), "e-2/apps/shop/hold/2026-01-05T09:00:30Z");
    assert_eq!(notice.detail_type(), "Slipway Release Waiting");
    let detail = notice.content();
    assert_eq!(detail["traffic"], "blue 90 / green 10");
    assert_eq!(
        detail["chat"]["content"]["nextSteps"],
        json!([
            "`slipway decide promote apps/shop`",
            "`slipway decide roll-back apps/shop`",
        ])
    );

    let mut decided = holding(30);
    decided["decision"] = json!("promote");
    for (old, new) in [
        (&waits, waits.clone()),
        (&waits, lease(&decided)),
        (&waits, free.clone()),
        (&free, free.clone()),
    ] {
        assert_eq!(announced(Some(old), Some(&new)), None);
    }
    let next = announced(Some(&waits), Some(&lease(&holding(500)))).expect("it waits again");
    assert_eq!(next.key(), "e-2/apps/shop/hold/2026-01-05T09:08:20Z");
}

#[test]
fn a_drift_is_announced_once_for_each_revision() {
    let free = |drift: &Value| {
        let mut item = lease(&Value::Null);
        let members = item.as_object_mut().expect("an object");
        members.remove("release");
        let family = "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop";
        let pipeline = "arn:aws:codepipeline:eu-west-1:111122223333:slipway-shop";
        item["left"] = json!({
            "execution": "e-2", "service": "shop-blue", "task_definition": format!("{family}:1"),
            "began_at": after(0), "ended_at": after(60),
            "deploy_role": {"arn": "arn:aws:iam::111122223333:role/r", "external_id": pipeline},
        });
        if !drift.is_null() {
            item["left"]["drift"] = drift.clone();
        }
        item
    };
    let drift = json!({"task_definition": "shop:9", "seen_at": after(7_200)});
    let (left, drifted) = (free(&Value::Null), free(&drift));

    let notice = announced(Some(&left), Some(&drifted)).expect("it has drifted");
    assert_eq!(notice.key(), "e-2/apps/shop/drift/2026-01-05T11:00:00Z");
    assert_eq!(notice.detail_type(), "Slipway Service Drifted");
    let detail = notice.content();
    assert_eq!(detail["pipeline"], "slipway-shop");
    assert_eq!(
        detail["reason"],
        "shop-blue runs shop:9, and its last release left shop:1; it was deployed outside of a \
         release; seen at 2026-01-05T11:00:00Z"
    );
    assert_eq!(announced(Some(&drifted), Some(&drifted)), None);
    assert_eq!(announced(Some(&drifted), Some(&left)), None);
}

#[test]
fn other_items_announce_nothing_and_what_cannot_be_read_is_an_error() {
    for (pk, sk) in [
        ("lease", "started#e-1"),
        ("lease", "owed#e-1"),
        ("push#slipway-web", DIGEST),
        ("execution#e-1", "other"),
    ] {
        let other = json!({"pk": pk, "sk": sk, "v": 1});
        assert_eq!(announced(None, Some(&other)), None, "{sk}");
    }

    let mut newer = item(&begun());
    newer["v"] = json!(2);
    let refused = of_change(&change(None, Some(&newer)));
    let expected = "`v` of a ledger item is 2; expected 1".to_owned();
    assert_eq!(refused, Err(expected));
}

#[test]
fn an_approval_is_announced_with_what_the_record_has() {
    let approval = StartedApproval {
        pipeline: "slipway-web".to_owned(),
        execution: "e-1".to_owned(),
        stage: "Release".to_owned(),
        action: "approve".to_owned(),
        id: "a-1".to_owned(),
        at: after(60),
    };
    let notice = of_approval(&begun(), &approval).expect("it waits");
    assert_eq!(notice.key(), "e-1/-/approval/a-1");
    assert_eq!(notice.detail_type(), "Slipway Release Waiting");
    assert_eq!(notice.content()["digest"], DIGEST);
    assert_eq!(
        notice.content()["text"],
        "web: waiting for approval; Action approve of stage Release waits: no later action runs \
         before it is approved; Image sha256:db15ba16fdb4; Service web in cluster apps; Pipeline \
         slipway-web, execution e-1; slipway approve e-1; slipway reject e-1"
    );

    let closed = |outcome, secs| begun().closed(outcome, "over", after(secs));
    let failed = closed(Outcome::Failed, 30);
    assert_eq!(of_approval(&failed, &approval), None);
    let deployed_later = closed(Outcome::Deployed, 90);
    assert_eq!(of_approval(&deployed_later, &approval), None, "it is over");
    let next = of_approval(&closed(Outcome::Deployed, 30), &approval).expect("it waits");
    assert_eq!(next.key(), notice.key());
    assert_eq!(next.content().get("service"), None, "it is not known yet");
    let other = Record {
        pipeline: "other".to_owned(),
        ..begun()
    };
    assert_eq!(of_approval(&other, &approval), None);
}

#[test]
fn a_chat_shows_no_mention_and_no_link_of_a_reason() {
    let reason = "<!channel> said <https://example.com|here> and @here";
    let record = begun().closed(Outcome::Failed, reason, after(314));
    let notice = announced(None, Some(&item(&record))).expect("it has ended");
    let detail = notice.content();
    let shown = detail["chat"]["content"]["description"].as_str();
    let shown = shown.expect("a text");
    assert!(
        !shown.contains(['<', '>']) && !shown.contains("@here"),
        "{shown}"
    );
    assert_eq!(detail["reason"], reason);
}
