//! Parameters of a pair behind weighted records.

use super::*;

/// Parameters of a pair behind records, with more members, or others.
fn of_records(more: &Value) -> Value {
    let mut all = json!({
        "strategy": "blue-green",
        "record": {"zone": "Z1", "name": "shop.example.com", "type": "A"},
    });
    let given = more.as_object().expect("an object").clone();
    all.as_object_mut().expect("an object").extend(given);
    all
}

#[test]
fn records_are_given_for_a_pair_and_its_region_beside_them() {
    for more in [
        json!({}),
        json!({"initial_count": 2}),
        json!({"deploy_role": ROLE, "region": "eu-central-1"}),
    ] {
        assert_eq!(validated(of_records(&more)), Ok(()), "{more}");
    }
}

#[test]
fn records_that_cannot_work_are_refused_by_field() {
    let elsewhere = json!({"zone": "/hostedzone/Z1", "name": "shop.example.com", "type": "A"});
    assert_refused([
        (
            of_records(&json!({"rule": RULE})),
            "`rule` and `record` are given",
        ),
        (
            of_records(&json!({"strategy": "rolling"})),
            "`record` is given; expected with strategy `blue-green` only",
        ),
        (
            of_records(&json!({"desired_count": 3})),
            "`desired_count` is given",
        ),
        (
            of_records(&json!({ "record": elsewhere })),
            "`record.zone` is `/hostedzone/Z1`; expected",
        ),
    ]);
}
