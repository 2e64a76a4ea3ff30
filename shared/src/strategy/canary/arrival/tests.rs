use super::*;
use crate::metrics::source::tests::key;

const FIRST: i64 = 29_460_060;

fn data(points: &[(&str, f64)]) -> Data {
    points
        .iter()
        .map(|(id, value)| (key(id), Points::from([(FIRST, *value)])))
        .collect()
}

fn at(secs: i64) -> i64 {
    (FIRST + 1) * 60 + secs
}

#[test]
fn a_minute_is_steady_when_two_observations_a_minute_apart_agree() {
    let part = data(&[("c_n", 80.0), ("c_e", 5.0)]);
    let whole = data(&[("c_n", 100.0), ("c_e", 5.0)]);
    let is_steady = |seen: &Arrivals, secs| is_steady(seen, FIRST, 1, Group::Errors, at(secs));

    let first = observe_arrivals(&Arrivals::new(), &part, FIRST, 1, at(60));
    assert!(!is_steady(&first, 60));
    let changed = observe_arrivals(&first, &whole, FIRST, 1, at(120));
    assert!(!is_steady(&changed, 120), "it has just changed");
    let early = observe_arrivals(&changed, &whole, FIRST, 1, at(169));
    assert!(!is_steady(&early, 169), "49 seconds are not a minute");
    let again = observe_arrivals(&early, &whole, FIRST, 1, at(170));
    assert!(is_steady(&again, 170));
}

#[test]
fn a_point_that_appears_is_a_change_and_so_is_one_under_another_name() {
    let first = observe_arrivals(&Arrivals::new(), &data(&[("c_n", 100.0)]), FIRST, 1, at(60));
    for other in [
        data(&[("c_n", 100.0), ("c_e", 1.0)]),
        data(&[("c_e", 100.0)]),
        data(&[]),
    ] {
        let next = observe_arrivals(&first, &other, FIRST, 1, at(180));
        assert!(
            !is_steady(&next, FIRST, 1, Group::Errors, at(180)),
            "{other:?}"
        );
    }
}

#[test]
fn a_change_holds_up_only_what_is_judged_by_it() {
    let before = [
        ("c_n", 100.0),
        ("b_e", 1.0),
        ("c_x", 1.0),
        ("c_s", 100.0),
        ("b_t0", 3.0),
        ("c_p1", 2.0),
        ("c_2", 90.0),
        ("b_m0x", 4.0),
    ];
    let first = observe_arrivals(&Arrivals::new(), &data(&before), FIRST, 1, at(60));
    let changed = |id: &str| {
        let mut after = before.to_vec();
        after
            .iter_mut()
            .filter(|(known, _)| *known == id)
            .for_each(|point| point.1 += 1.0);
        let next = observe_arrivals(&first, &data(&after), FIRST, 1, at(180));
        [Group::Errors, Group::Latency, Group::Custom]
            .map(|group| is_steady(&next, FIRST, 1, group, at(180)))
    };

    for id in ["c_n", "b_e", "c_x"] {
        assert_eq!(changed(id), [false, true, true], "{id}");
    }

    for id in ["c_s", "b_t0", "c_p1"] {
        assert_eq!(changed(id), [true, false, true], "{id}");
    }

    assert_eq!(changed("b_m0x"), [true, true, false]);
    assert_eq!(changed("c_2"), [true, true, true], "it is only compared");
}

#[test]
fn an_old_minute_is_final_although_it_was_never_seen_before() {
    let seen = |secs| {
        observe_arrivals(
            &Arrivals::new(),
            &data(&[("c_n", 100.0)]),
            FIRST,
            1,
            at(secs),
        )
    };
    let is_steady = |secs| is_steady(&seen(secs), FIRST, 1, Group::Errors, at(secs));

    assert!(
        !is_steady(359) && is_steady(360),
        "the judge waits until then"
    );
    assert_eq!(seen(360), Arrivals::new(), "what is final is not kept");
}

#[test]
fn counters_contradict_each_other_while_one_has_arrived_in_part() {
    let whole = [
        ("c_n", 60_000.0),
        ("c_s", 60_000.0),
        ("c_2", 54_000.0),
        ("c_3", 2_000.0),
        ("c_4", 1_000.0),
        ("c_e", 3_000.0),
    ];
    let with = |id: &str, value: f64| {
        let mut points = whole.to_vec();
        points
            .iter_mut()
            .filter(|(known, _)| *known == id)
            .for_each(|point| point.1 = value);
        is_contradictory(&data(&points), Side::Canary, FIRST)
    };

    assert!(!with("c_n", 60_000.0));
    assert!(with("c_e", 2_700.0), "errors are missing");
    assert!(
        with("c_2", 40_000.0) && with("c_3", 1_000.0) && with("c_4", 500.0),
        "answers are missing"
    );
    assert!(
        with("c_n", 50_000.0),
        "there are more answers than requests"
    );
    assert!(
        !with("c_n", 70_000.0),
        "requests that were never answered are not missing"
    );
    assert!(
        !with("c_s", 50_000.0),
        "response times that are missing say nothing about errors"
    );
    assert!(
        !with("c_2", 53_970.0) && with("c_2", 53_969.0),
        "one in 2,000"
    );
}

#[test]
fn two_responses_may_be_missing_however_few_there_are() {
    let answers = |good: f64| {
        let points = [("c_n", 100.0), ("c_s", 100.0), ("c_2", good)];
        is_contradictory(&data(&points), Side::Canary, FIRST)
    };
    assert!(!answers(98.0) && answers(97.0));
}

#[test]
fn counters_are_compared_with_those_that_are_there() {
    let fewer = [("c_n", 50_000.0), ("c_s", 60_000.0), ("c_e", 3_000.0)];
    assert!(
        is_contradictory(&data(&fewer), Side::Canary, FIRST),
        "there are more response times than requests"
    );

    let late = [("c_n", 60_000.0), ("c_s", 60_000.0), ("c_e", 3_000.0)];
    assert!(
        !is_contradictory(&data(&late), Side::Canary, FIRST),
        "the 2xx have not arrived, and are not judged"
    );

    assert!(
        !is_contradictory(&data(&[("c_n", 100.0), ("c_e", 3.0)]), Side::Canary, FIRST),
        "nothing to compare with"
    );
}

#[test]
fn only_an_hour_whose_counters_agree_makes_a_contradiction_count() {
    let hour = |minutes: i64, unbalanced: i64| {
        let mut data = Data::new();
        for at in FIRST - minutes..FIRST {
            let answers = if at - FIRST + minutes < unbalanced {
                900.0
            } else {
                1_000.0
            };
            for (id, value) in [("b_n", 1_000.0), ("b_s", 1_000.0), ("b_2", answers)] {
                data.entry(key(id)).or_default().insert(at, value);
            }
        }
        agrees(&data, Side::Baseline, FIRST)
    };

    assert!(hour(60, 3) && !hour(60, 4));
    assert!(hour(10, 1) && !hour(10, 2));
    assert!(
        agrees(&Data::new(), Side::Baseline, FIRST),
        "nothing is known against it"
    );
}
