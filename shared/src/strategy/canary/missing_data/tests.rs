use serde_json::json;

use super::*;
use crate::judge::canary::counts::{Counters, OwnCounter};
use crate::metrics::source::tests::{count, key};
use crate::metrics::source::{CustomPart, Points, SourceMetric as Series};
use crate::strategy::canary::config::tests as config;
use crate::strategy::canary::evaluate::tests::{FIRST, state};

#[test]
fn a_count_that_has_a_total_only_is_no_pass() {
    let settings = config::settings(json!([config::orders()]));
    let counted = OwnCounter {
        total: Some(100),
        bad: Some(0),
    };
    let side = || Counters {
        own: vec![counted],
        ..Counters::default()
    };
    let arrived = || Arrived {
        minute: Minute {
            canary: side(),
            baseline: side(),
        },
        is_final: true,
    };
    let minutes: BTreeMap<u32, Arrived> = (1..=5).map(|judged| (judged, arrived())).collect();
    let of = |id: &str| {
        let data: Data = [(key(id), Points::from([(FIRST, 100.0)]))].into();
        without_data(&settings, &state(), &data, &minutes)
    };
    let never = messages::never_counted("orders", "Orders");
    assert_eq!((of("c_m0n"), of("c_m0x")), (Some(never), None));
}

#[test]
fn missing_requests_are_in_the_reason_of_what_is_open_only() {
    let of = |decision| with_missing_requests(decision, "why".to_owned(), &BTreeMap::new(), 3);
    let missing = "no request to the new colour was counted in 3 minutes; the comparison needs \
                   traffic on both sides; why";
    for (decision, expected) in [
        (Decision::Continue, missing),
        (Decision::Inconclusive, missing),
        (Decision::Promote, "why"),
        (Decision::Rollback, "why"),
    ] {
        assert_eq!(of(decision), expected, "{decision:?}");
    }
}

#[test]
fn no_count_of_any_source_passes_that_never_had_a_value() {
    // The first metric of the user is a series of values.
    let counts = [
        count("orders", Series::Custom(1, CustomPart::Count)),
        count("tls", Series::Further("e")),
    ];
    let of = |ids: &[&str]| -> Data {
        let points = |id: &&str| (key(id), Points::from([(FIRST, 1.0)]));
        ids.iter().map(points).collect()
    };
    let names = |before: &[&str], bake: &[&str]| {
        let known = known_counts(&counts, &of(before));
        never_counted(&counts, &state().with_known_counts(known), &of(bake))
    };

    let named = |name: &str| {
        Some(format!(
            "{name} has never had a value of `{name} events`, in the bake or in the hour before; \
             check that there is a metric of this name: no data is never a pass"
        ))
    };
    assert_eq!(names(&[], &["c_m1x"]), named("tls"));
    assert_eq!(names(&["b_m1x"], &["c_m0v", "c_f_n"]), named("tls"));
    assert_eq!(names(&["b_f_e"], &["c_m1n"]), named("orders"));
    assert_eq!(names(&["b_f_e"], &["b_m1x"]), None);
    assert_eq!(names(&["b_m1x"], &["c_f_e"]), None);

    let both = known_counts(&counts, &of(&["b_f_e", "b_m1x"]));
    let places: Vec<usize> = both.into_iter().collect();
    assert_eq!(places, [1, 11], "as tokens have them");
}
