use super::*;
use crate::metrics::source::tests::key;

const FIRST: i64 = 29_460_060;

/// Points of the first minute.
fn data(points: &[(&str, f64)]) -> Data {
    let points = points.iter();
    points
        .map(|(id, value)| (key(id), [(FIRST, *value)].into()))
        .collect()
}

fn observed(earlier: &Arrivals, points: &[(&str, f64)], age_secs: i64) -> Arrivals {
    let now_secs = (FIRST + 1) * 60 + age_secs;
    observe_arrivals(earlier, &data(points), FIRST, 1, now_secs)
}

fn settled(arrivals: &Arrivals, age_secs: i64) -> [bool; 3] {
    let now_secs = (FIRST + 1) * 60 + age_secs;
    [Group::Answers, Group::Latency, Group::Custom]
        .map(|group| is_settled(arrivals, 1, group, now_secs))
}

#[test]
fn a_first_reading_is_not_settled_and_a_second_one_that_agrees_is() {
    let points = [("c_n", 600.0), ("c_s", 590.0), ("c_m0n", 60.0)];
    let first = observed(&Arrivals::new(), &points, 60);
    assert_eq!(settled(&first, 60), [false; 3]);
    let second = observed(&first, &points, 120);
    assert_eq!(settled(&second, 120), [true; 3]);
}

#[test]
fn each_group_is_settled_by_itself() {
    let first = observed(&Arrivals::new(), &[("c_n", 600.0), ("c_s", 590.0)], 60);
    for (points, expected) in [
        ([("c_n", 601.0), ("c_s", 590.0)], [false, true, true]),
        ([("c_n", 600.0), ("c_s", 591.0)], [true, false, true]),
    ] {
        let second = observed(&first, &points, 120);
        assert_eq!(settled(&second, 120), expected);
    }
}

#[test]
fn every_counter_of_the_answers_counts() {
    for id in ["c_2", "c_3", "c_4", "c_e", "c_x", "b_2"] {
        let first = observed(&Arrivals::new(), &[("c_n", 600.0)], 60);
        let second = observed(&first, &[("c_n", 600.0), (id, 1.0)], 120);
        assert_eq!(settled(&second, 120), [false, true, true], "{id}");
    }
}

#[test]
fn a_minute_that_the_judge_has_taken_in_is_not_observed_any_more() {
    let is_observed = |age_secs| !observed(&Arrivals::new(), &[], age_secs).is_empty();
    assert_eq!([is_observed(359), is_observed(360)], [true, false]);
    assert_eq!(settled(&Arrivals::new(), 400), [true; 3]);
}
