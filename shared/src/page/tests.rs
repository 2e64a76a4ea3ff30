use serde_json::{Value, json};

use super::*;
use crate::timestamp::at;

const DAY: i64 = 86_400;

fn lease(more: Value) -> Lease {
    let mut whole = json!({"v": 1, "cluster": "apps", "service": "shop", "fence": 1});
    extend(&mut whole, more);
    serde_json::from_value(whole).expect("a lease")
}

/// The record of a release of the pair `shop` that ended on a day.
fn record(day: i64, more: Value) -> Record {
    let mut whole = json!({
        "v": 1, "execution": format!("e-{day}"), "pipeline": "slipway-shop", "state": "closed",
        "cluster": "apps", "service": "shop", "outcome": "deployed",
        "started_at": at(day * DAY), "ended_at": at(day * DAY + 60),
    });
    extend(&mut whole, more);
    serde_json::from_value(whole).expect("a record")
}

fn extend(whole: &mut Value, more: Value) {
    let more = more.as_object().expect("an object").clone();
    whole.as_object_mut().expect("an object").extend(more);
}

/// What a release of the pair found.
fn found(blue: u32) -> Value {
    let colour = |weight: u32| {
        json!({
            "target_group": "group", "weight": weight, "task_definition": "shop:3",
            "desired_count": 2, "percentages": {"minimum_healthy": 100, "maximum": 200},
        })
    };
    json!({
        "task_definition": "shop:3", "desired_count": 2, "recorded_at": at(0),
        "percentages": {"minimum_healthy": 100, "maximum": 200},
        "pair": {
            "rule": "rule", "live": "blue", "blue": colour(blue), "green": colour(100 - blue),
        },
    })
}

fn shift(day: i64, from: u32, to: u32) -> Value {
    json!({
        "from": {"blue": from, "green": 100 - from}, "to": {"blue": to, "green": 100 - to},
        "at": at(day * DAY), "made": true,
    })
}

/// The charts of ten days of a pair.
fn drawn(lease: &Lease, records: &[Record]) -> (Vec<WeightsChart>, usize) {
    weights(&[lease], records, Period::new(10, at(10 * DAY)))
}

#[test]
fn the_line_of_a_pair_is_level_until_its_weights_move() {
    let settled = lease(json!({"settled": {"live": "green", "blue": 0, "green": 100}}));
    let deployed = record(5, json!({"prior": found(100), "shift": shift(6, 80, 0)}));
    let (charts, undrawn) = drawn(&settled, std::slice::from_ref(&deployed));
    assert_eq!(undrawn, 0);
    // Blue at the bottom, a fifth of green before the last move, then all of it.
    assert_eq!(
        charts[0].line,
        "M202 168L232 168L232 136.8L232 136.8L232 12L352 12L352 12"
    );
    assert_eq!(
        charts[0].description,
        "blue 0 / green 100 now; moves in the period: 1."
    );

    let returned = record(
        5,
        json!({
            "prior": found(100), "shift": shift(6, 50, 100), "outcome": "rolled-back",
        }),
    );
    let back = lease(json!({"settled": {"live": "blue", "blue": 100, "green": 0}}));
    let (charts, _) = drawn(&back, &[returned]);
    assert_eq!(
        charts[0].line,
        "M202 168L232 168L232 90L232 90L232 168L352 168L352 168"
    );
    assert_eq!(charts[0].moves[0].ended, "rolled-back");

    let before = record(-5, json!({"prior": found(100), "shift": shift(-5, 80, 0)}));
    for none in [vec![], vec![before]] {
        let (charts, _) = drawn(&back, &none);
        assert_eq!(charts[0].line, "M52 168L352 168");
        assert!(charts[0].moves.is_empty());
    }
    let (none, _) = drawn(&lease(json!({})), &[deployed]);
    assert!(none.is_empty());
}

#[test]
fn the_pairs_that_are_not_drawn_are_counted() {
    let settled = json!({"settled": {"live": "blue", "blue": 100, "green": 0}});
    let lease = lease(settled);
    let leases = vec![&lease; 15];
    let (charts, undrawn) = weights(&leases, &[], Period::new(10, at(10 * DAY)));
    assert_eq!((charts.len(), undrawn), (12, 3));
}

/// The page of ten days.
fn page(leases: &[Lease], records: &[Record], pushes: &[Push], link: Option<&str>) -> String {
    html(&Contents {
        leases,
        started: &[],
        records,
        pushes,
        days: 10,
        now: at(10 * DAY),
        address: &|_| link.map(ToOwned::to_owned),
    })
}

#[test]
fn the_newest_releases_are_listed_and_the_others_counted() {
    let record = |index: usize| {
        let reason = json!({"reason": format!("reason {index}."), "ended_at": at(index as i64)});
        record(0, reason)
    };
    let records: Vec<Record> = (0..203).map(record).collect();
    let page = page(&[], &records, &[], None);
    assert!(page.contains("<bdi>reason 202.</bdi>") && page.contains("<bdi>reason 3.</bdi>"));
    assert!(!page.contains("<bdi>reason 2.</bdi>"));
    assert!(page.contains("3 earlier releases of the period are not listed"));
}

#[test]
fn a_report_is_a_link_only_to_an_address_of_the_web() {
    let judged = json!({"judged": [{
        "since": at(0), "verdict": "promote", "summary": "healthy", "outputs": {},
        "report": "s3://reports/shop/e-1.html",
    }]});
    let records = [record(5, judged)];
    let shown = |link: Option<&str>| page(&[], &records, &[], link);
    let address = "https://console/a?b=1&c";
    let link = "<a href=\"https://console/a?b=1&#38;c\" rel=\"noreferrer\">Report: promote</a>";
    assert!(shown(Some(address)).contains(link));
    let place = "Report: promote, <code>s3://reports/shop/e-1.html</code>";
    for other in [
        None,
        Some("javascript:alert(1)"),
        Some("https://a b"),
        Some("s3://reports"),
    ] {
        assert!(shown(other).contains(place), "{other:?}");
    }
}

#[test]
fn a_push_that_was_refused_is_listed_with_its_reason() {
    let push = |claimed: i64, refusal: Option<&str>| -> Push {
        serde_json::from_value(json!({
            "v": 1, "pipeline": "slipway-shop", "digest": "sha256:0a", "tag": "1.2.0",
            "event": "event-1", "claimed_at": at(claimed), "refusal": refusal,
        }))
        .expect("a push")
    };
    let pushes = [
        push(5 * DAY, Some("it is older")),
        push(5 * DAY, None),
        push(-DAY, Some("before the period")),
    ];
    let page = page(&[], &[], &pushes, None);
    assert_eq!(page.matches(">refused</b>").count(), 1);
    assert!(page.contains("<bdi>it is older</bdi>"));
}
