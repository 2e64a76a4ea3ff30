use super::*;
use crate::metrics::source::tests::key;
use crate::strategy::canary::config::tests::{memory as memory_metric, settings};
use serde_json::json;

fn compared(worse: &str, canary: impl Fn(u32) -> f64, minutes: u32) -> Series {
    let mut metric = memory_metric();
    metric["worse"] = json!(worse);
    let settings = settings(json!([metric]));
    let state = BakeState::new(100, Vec::new(), (1.0, 1.0), 0.0);
    let points = |value: &dyn Fn(u32) -> f64| {
        (1..=minutes)
            .map(|m| (99 + i64::from(m), value(m)))
            .collect()
    };
    let baseline = |minute: u32| 500.0 + f64::from(minute * 7 % 11);
    let data = Data::from([
        (key("c_m0v"), points(&canary)),
        (key("b_m0v"), points(&baseline)),
    ]);

    compare(&data, &settings, &state, minutes, |_| true).remove(0)
}

#[test]
fn the_comparisons_are_fixed_beforehand_and_end_with_the_bake() {
    assert_eq!(comparisons(30), [5, 7, 10, 14, 20, 28, 30]);
    assert_eq!((comparisons(5), comparisons(4)), (vec![5], vec![]));
}

#[test]
fn all_comparisons_together_spend_no_more_than_the_share() {
    let share = 0.01 * 0.1;
    for end in [5, 30, 120, 1_380] {
        let spent = comparisons(end).len() as f64 * (share / comparisons(end).len() as f64);
        assert!(spent <= share * (1.0 + 1e-12), "{end}");
    }
}

#[test]
fn a_series_far_above_is_found_and_one_within_tolerance_is_not() {
    let worse = compared("more", |m| 700.0 + f64::from(m % 5), 30);
    assert!(
        worse
            .harm
            .is_some_and(|harm| harm.minutes <= 14 && harm.p <= harm.limit),
        "{worse:?}"
    );

    let tolerated = compared("more", |m| 530.0 + f64::from(m % 5), 30);
    assert_eq!(
        (tolerated.harm, tolerated.minutes, tolerated.doubtful),
        (None, 30, false)
    );
    assert_eq!(
        compared("less", |_| 700.0, 30).harm,
        None,
        "more is fine where less is worse"
    );
    assert!(
        compared("less", |m| 300.0 + f64::from(m % 5), 30)
            .harm
            .is_some()
    );
}

#[test]
fn what_is_not_certain_yet_is_doubtful() {
    let early = compared("more", |m| 900.0 + f64::from(m % 5), 6);
    assert_eq!((early.harm, early.doubtful), (None, true));
    assert!(!compared("less", |m| 900.0 + f64::from(m % 5), 6).doubtful);
}

#[test]
fn too_few_values_prove_nothing() {
    let few = compared("more", |_| 9_000.0, 4);
    assert_eq!((few.harm, few.minutes, few.doubtful), (None, 4, false));
    assert!(few.medians.is_some());
}

/// A series whose values go up by one a minute, on the canary from so much above the baseline.
fn rising(worse: Worse, above: f64, minutes: u32, end: usize, share: f64) -> Series {
    let mut custom = settings(json!([memory_metric()])).custom.remove(0);
    custom.worse = worse;
    let both: Vec<(f64, f64)> = (0..minutes)
        .map(f64::from)
        .map(|at| (500.0 + above + at, 500.0 + at))
        .collect();

    series(&custom, &both, end, share)
}

#[test]
fn each_comparison_spends_an_equal_part_of_the_share() {
    // Ranks that are wholly apart have p = 0.0061, 0.0011 and 0.000091 at 5, 7 and 10 values a
    // side.
    let harm = rising(Worse::More, 500.0, 30, 30, 0.002)
        .harm
        .expect("it is far above");

    assert_eq!((harm.minutes, harm.limit), (10, 0.002 / 7.0));
    assert!((harm.p - 9.133_589_555e-5).abs() < 1e-9, "{}", harm.p);
    assert_eq!(
        rising(Worse::More, 500.0, 9, 30, 0.002).harm,
        None,
        "the comparison at 10 values has not come"
    );
    assert_eq!(
        rising(Worse::More, 500.0, 5, 5, 0.007)
            .harm
            .map(|harm| harm.minutes),
        Some(5),
        "the bake ends with a comparison"
    );
    assert_eq!(rising(Worse::More, 500.0, 5, 5, 0.006).harm, None);
}

#[test]
fn the_direction_that_is_worse_is_the_one_that_is_harm() {
    let found = |worse, above| rising(worse, above, 30, 30, 0.002).harm.is_some();
    assert_eq!(
        [found(Worse::More, 200.0), found(Worse::More, -200.0)],
        [true, false]
    );
    assert_eq!(
        [found(Worse::Less, 200.0), found(Worse::Less, -200.0)],
        [false, true]
    );
    // A tenth above 500, or a tenth of the canary below it, is tolerated.
    assert_eq!(
        [found(Worse::More, 40.0), found(Worse::Less, -40.0)],
        [false, false]
    );
}

#[test]
fn the_tolerance_of_negative_values_goes_the_same_way() {
    let custom = settings(json!([memory_metric()])).custom.remove(0);
    let p = |canary: f64| p_value(&custom, &[canary; 10], &[-100.0; 10]);

    assert!(
        p(-95.0) > 0.99,
        "a tenth of 100 above -100 is tolerated: {}",
        p(-95.0)
    );
    assert!(p(-85.0) < 1e-4, "{}", p(-85.0));
}

#[test]
fn five_values_are_doubtful_and_four_are_not() {
    let doubtful = |minutes, above| rising(Worse::More, above, minutes, 30, 1e-9).doubtful;
    assert_eq!(
        [doubtful(4, 500.0), doubtful(5, 500.0), doubtful(5, 10.0)],
        [false, true, false]
    );
}

#[test]
fn only_minutes_of_the_bake_with_a_finite_value_on_both_sides_count() {
    let mut data = Data::new();
    let points = |skipped: i64, value: f64| {
        (100..160)
            .filter(move |at| at % 10 != skipped)
            .map(move |at| (at, value))
    };

    data.insert(key("c_m0v"), points(3, 7.0).collect());
    data.insert(key("b_m0v"), points(4, 5.0).collect());
    data.entry(key("b_m0v")).or_default().insert(105, f64::NAN);
    let state = BakeState::new(100, Vec::new(), (1.0, 1.0), 0.0);
    let found = compare(
        &data,
        &settings(json!([memory_metric()])),
        &state,
        60,
        |_| true,
    )
    .remove(0);

    // Of the 30 minutes of the bake three are without a value of either side each, and one is no
    // number.
    assert_eq!(
        (found.name.as_str(), found.minutes, found.medians),
        ("memory", 23, Some((7.0, 5.0)))
    );

    let harm = found.harm.expect("it is worse");
    // Its part of both error rates together, 0.01, in seven comparisons.
    assert!(
        (harm.limit - 0.01 * 0.1 / 7.0).abs() < 1e-15,
        "{}",
        harm.limit
    );
}

#[test]
fn the_median_is_the_middle_value() {
    assert_eq!(
        [
            median(&[]),
            median(&[3.0]),
            median(&[9.0, 1.0, 4.0]),
            median(&[4.0, 1.0])
        ],
        [None, Some(3.0), Some(4.0), Some(4.0)]
    );
}
