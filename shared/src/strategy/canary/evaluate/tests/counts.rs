//! Counts of a user that never had a value.

use super::*;

/// A count whose total has points in each of 6 minutes, on both sides.
fn refused_orders() -> (Settings, Data) {
    let settings = settings(json!([{
        "name": "refused", "namespace": "Shop", "count": "Refuesd", "total": "Orders",
        "worse": "more", "dimensions": {"Colour": "{colour}"},
    }]));
    let mut data = busy(6);
    for id in ["c_m0n", "b_m0n"] {
        let points: Points = (0..6).map(|minute| (FIRST + minute, 1_000.0)).collect();
        data.insert(key(id), points);
    }
    (settings, data)
}

#[test]
fn a_count_that_never_had_a_value_is_an_objection_and_not_zero() {
    let (settings, data) = refused_orders();
    let outlook = evaluated(&settings, &bake_state(), &data, 6);
    let objection = "refused has never had a value of `Refuesd`, in the bake or in the hour \
        before; check its name: no data is never a pass";
    assert_eq!(outlook.decision, Decision::Continue, "{}", outlook.reason);
    assert!(outlook.reason.ends_with(objection), "{}", outlook.reason);
}

#[test]
fn a_count_that_had_a_value_in_the_hour_or_on_a_side_is_zero_where_it_is_absent() {
    let (settings, data) = refused_orders();
    let known = bake_state().with_known_counts([0].into());
    let outlook = evaluated(&settings, &known, &data, 6);
    assert_eq!(outlook.decision, Decision::Promote, "{}", outlook.reason);

    let other = bake_state().with_known_counts([1].into());
    let outlook = evaluated(&settings, &other, &data, 6);
    assert_eq!(outlook.decision, Decision::Continue, "{}", outlook.reason);

    for side in ["c_m0x", "b_m0x"] {
        let mut data = data.clone();
        data.insert(key(side), [(FIRST + 2, 1.0)].into());
        let outlook = evaluated(&settings, &bake_state(), &data, 6);
        assert_eq!(outlook.decision, Decision::Promote, "{}", outlook.reason);
    }
}
