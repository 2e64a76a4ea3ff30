use super::*;

const DAY: Millis = 24 * 3_600_000;

fn time_to_live(enabled: bool) -> Value {
    json!({"TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": enabled}})
}

/// A table whose items expire, with one for each of these attributes.
fn with_items(attributes: &[(&str, Value)]) -> Aws {
    let mut aws = world();
    request(&mut aws, "UpdateTimeToLive", time_to_live(true)).unwrap();
    for (pk, expires_at) in attributes {
        let mut item = key(pk, "1");
        item["expires_at"] = expires_at.clone();
        request(&mut aws, "PutItem", json!({ "Item": item })).unwrap();
    }
    aws
}

fn is_there(aws: &mut Aws, pk: &str) -> bool {
    let found = request(aws, "GetItem", json!({"Key": key(pk, "1")})).unwrap();
    found != json!({})
}

#[test]
fn an_expired_item_is_read_until_it_is_deleted_within_two_days() {
    let names: Vec<String> = (0..50).map(|at| format!("p{at}")).collect();
    let seconds = json!({"N": (Aws::new(7).now / 1_000 + 60).to_string()});
    let items: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), seconds.clone()))
        .collect();
    let mut aws = with_items(&items);
    let mut there = |later: Millis| {
        aws.now += later;
        let of_names = names.iter().filter(|name| is_there(&mut aws, name));
        of_names.count()
    };

    assert_eq!(there(0), 50, "none has expired");
    let after_a_day = there(DAY);
    assert!((1..50).contains(&after_a_day), "{after_a_day}");
    assert_eq!(there(DAY + 7_200_000), 0);
}

#[test]
fn an_item_without_a_number_of_seconds_never_expires() {
    let mut aws = with_items(&[
        ("text", json!({"S": "1767603600"})),
        ("fraction", json!({"N": "1767603600.5"})),
        ("past", json!({"N": "1767603600"})),
    ]);
    put(&mut aws, "none", "1", 1);
    aws.now += 400 * DAY;

    let there = ["text", "fraction", "none", "past"].map(|pk| is_there(&mut aws, pk));
    assert_eq!(there, [true, true, true, false]);
}

#[test]
fn the_attribute_is_changed_once_an_hour_and_only_to_another_state() {
    let mut aws = world();
    let wanted = time_to_live(true);
    assert_eq!(
        request(&mut aws, "UpdateTimeToLive", wanted.clone()).unwrap(),
        wanted
    );
    assert_eq!(
        refused(&mut aws, "UpdateTimeToLive", time_to_live(false)),
        "ValidationException: Time to live has been modified multiple times within a fixed interval"
    );

    aws.now += 3_600_000;
    assert_eq!(
        refused(&mut aws, "UpdateTimeToLive", time_to_live(true)),
        "ValidationException: TimeToLive is already enabled"
    );
    request(&mut aws, "UpdateTimeToLive", time_to_live(false)).unwrap();
}
