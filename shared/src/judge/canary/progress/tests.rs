//! Ranges of minutes, and what is kept of a look.

use serde_json::json;

use super::*;

const COUNTS: Counts = Counts {
    canary_requests: 100,
    canary_bad: 1,
    canary_bad_to_promote: 1,
    baseline_requests: 900,
    baseline_bad: 9,
};

fn ranges(found: &[(u32, u32)]) -> MinuteRanges {
    found.iter().copied().collect()
}

#[test]
fn neighbouring_minutes_share_a_range() {
    let mut found = MinuteRanges::default();
    for minute in [2, 3, 4, 9, 11, 12, 7] {
        found.add(minute);
    }
    assert_eq!(found, ranges(&[(2, 4), (7, 7), (9, 9), (11, 12)]));
    let inside: Vec<u32> = (0..14).filter(|minute| found.contains(*minute)).collect();
    assert_eq!(inside, [2, 3, 4, 7, 9, 11, 12]);
}

#[test]
fn only_ranges_in_order_that_do_not_touch_are_sorted() {
    for sorted in [&[][..], &[(1, 1)], &[(1, 3), (5, 5)], &[(1, 3), (4, 5)]] {
        assert!(ranges(sorted).is_sorted(), "{sorted:?}");
    }
    for unsorted in [&[(3, 1)][..], &[(1, 3), (3, 5)], &[(5, 5), (1, 3)]] {
        assert!(!ranges(unsorted).is_sorted(), "{unsorted:?}");
    }
}

#[test]
fn the_nearest_two_ranges_are_joined_first() {
    let mut found = ranges(&[(1, 1), (9, 9), (12, 20), (40, 40)]);
    assert_eq!(found.join_nearest(), Some(3));
    assert_eq!(found, ranges(&[(1, 1), (9, 20), (40, 40)]));
    assert_eq!(ranges(&[(1, 3)]).join_nearest(), None);
}

#[test]
fn what_was_left_out_of_a_minute_is_noted_once() {
    let mut progress = Progress::default();
    let nothing = Taken {
        own: vec![None; 2],
        ..Taken::default()
    };
    progress.note(3, &nothing);
    progress.note(3, &nothing);
    progress.note(
        2,
        &Taken {
            own: vec![Some(COUNTS); 2],
            ..nothing
        },
    );
    assert_eq!(progress.taken, 3);
    assert_eq!(progress.answers, ranges(&[(2, 2), (3, 3)]));
    assert_eq!(progress.own, ranges(&[(3, 3)]));
    assert!(progress.own_apart.is_empty());
}

#[test]
fn a_count_that_is_left_out_alone_is_noted_by_its_place() {
    let mut progress = Progress::default();
    let of = |own: [Option<Counts>; 2]| Taken {
        own: own.to_vec(),
        ..Taken::default()
    };
    progress.note(1, &of([None, Some(COUNTS)]));
    progress.note(2, &of([None, None]));
    progress.note(3, &of([Some(COUNTS), Some(COUNTS)]));

    let used = |place| [1, 2, 3].map(|minute| progress.was_used(minute, Metric::Own(place)));
    assert_eq!(
        [used(0), used(1)],
        [[false, false, true], [true, false, true]]
    );
    let stored = serde_json::to_value(&progress).unwrap();
    assert_eq!(
        (&stored["own"], &stored["own_apart"]),
        (&json!([[2, 2]]), &json!({"0": [[1, 1]]}))
    );
    assert_eq!(
        serde_json::from_value::<Progress>(stored).unwrap(),
        progress
    );
}

#[test]
fn without_own_counts_nothing_is_noted_of_them() {
    let mut progress = Progress::default();
    progress.note(1, &Taken::default());
    assert!(progress.own.is_empty() && progress.own_apart.is_empty());
}

#[test]
fn a_stored_form_with_unknown_fields_is_refused() {
    let stored = r#"{"taken":1,"answers":[],"latency":[],"own":[],"highest":null,"v":1}"#;
    let error = serde_json::from_str::<Progress>(stored).unwrap_err();
    assert!(error.to_string().contains("unknown field `v`"), "{error}");
}
