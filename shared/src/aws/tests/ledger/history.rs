//! What operators read: the pushes of one pipeline, and records of the whole table.

use super::*;

fn page(items: &[Value], last: Option<&str>) -> Answer {
    let mut page = json!({ "Items": items });
    if let Some(last) = last {
        page["LastEvaluatedKey"] = json!({"pk": {"S": last}, "sk": {"S": "record"}});
    }
    answer(&page)
}

#[test]
fn the_pushes_of_a_pipeline_are_its_claims_by_time() {
    let mut later = push_item();
    later["claimed_at"] = json!({"S": "2026-01-05T10:00:00Z"});
    later["event"] = json!({"S": "event-2"});
    let script = Script::new([page(&[later, push_item()], None)]);

    let found = run(ledger(&script).pushes("slipway-web")).expect("answered");
    let events: Vec<&str> = found.pushes.iter().map(|it| it.event.as_str()).collect();
    assert_eq!(events, ["event-1", "event-2"]);
    assert_eq!(script.only().operation(), "Query");
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger", "ConsistentRead": true,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :digest)",
            "ExpressionAttributeValues": {
                ":pk": {"S": "push#slipway-web"}, ":digest": {"S": "sha256:"},
            },
        })
    );
}

#[test]
fn the_releases_of_a_pipeline_are_read_from_the_index_since_a_time() {
    let mut last = record_item("closed");
    last["started_at"] = json!({"S": "2026-01-05T10:00:00Z"});
    let script = Script::new([
        page(&[last], Some("execution#e-1")),
        page(&[record_item("started")], None),
    ]);

    let found = run(ledger(&script).releases("slipway-web", at(0))).expect("answered");
    let states: Vec<_> = found.records.iter().map(|it| it.state).collect();
    assert_eq!(states, [RecordState::Started, RecordState::Closed]);

    let sent = script.sent();
    let query = json!({
        "TableName": "ledger", "IndexName": "releases",
        "KeyConditionExpression": "pipeline = :pipeline AND started_at >= :since",
        "ExpressionAttributeValues": {
            ":pipeline": {"S": "slipway-web"}, ":since": {"S": "2026-01-05T09:00:00Z"},
        },
    });
    assert_eq!(sent[0].json(), query);
    let second = sent[1].json();
    let start = &second["ExclusiveStartKey"];
    assert_eq!(start["pk"], json!({"S": "execution#e-1"}));
}

#[test]
fn a_search_reads_every_page_and_names_what_it_cannot_read() {
    let mut unknown = record_item("started");
    unknown["v"] = json!({"N": "2"});
    let newest = json!({
        "pk": {"S": "push#slipway-web"}, "sk": {"S": "newest"}, "v": {"N": "1"},
        "digest": {"S": DIGEST},
    });
    let script = Script::new([
        page(&[unknown, newest], Some("execution#e-1")),
        page(&[record_item("started"), push_item()], None),
    ]);

    let found = run(ledger(&script).of_digest(DIGEST)).expect("answered");
    assert_eq!(found.records, [started()]);
    assert_eq!(found.pushes, [push()]);
    let errors: Vec<&str> = found
        .unreadable
        .iter()
        .map(|it| it.error.message.as_str())
        .collect();
    assert_eq!(errors, ["`v` of a ledger item is 2; expected 1"]);
}
