//! What every page must be: well formed, self-contained, and safe whatever a metric is called.

use harness::markup::{assert_audible, assert_well_formed, attribute_names, tags};
use slipway::judge::canary::arrival::Arrived;
use slipway::judge::canary::counts::{Counters, Minute, OwnCounter};
use slipway::judge::canary::hour_before::HourBefore;
use slipway::judge::canary::metric::OwnCount;
use slipway::judge::report::{Judgement, Live, html};
use slipway::judge::{JudgeConfig, Progress, Setup};

use super::{CASES, judgement};

pub(super) fn assert_harmless(page: &str) {
    for (name, attributes) in tags(page) {
        assert!(
            ![
                "script",
                "img",
                "link",
                "iframe",
                "object",
                "a",
                "image",
                "use",
                "foreignObject"
            ]
            .contains(&name),
            "{name}"
        );

        for key in attribute_names(attributes) {
            assert!(
                !key.starts_with("on") && !["src", "href", "style", "xlink:href"].contains(&key),
                "{name} {key}"
            );
        }
    }
    assert!(
        !page.contains("url(") && !page.contains("@import") && !page.contains("://"),
        "loads something"
    );

    let invisible =
        |c: char| ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{200b}'..='\u{200f}').contains(&c);
    assert!(!page.contains(invisible), "holds a mark that reverses text");
}

fn arrived(canary: (u64, u64), baseline: (u64, u64)) -> Arrived {
    let side = |(requests, bad): (u64, u64)| Counters {
        requests: Some(requests),
        good: Some(requests - bad),
        server_errors: Some(bad),
        timed: Some(requests),
        slow: vec![Some(bad); 3],
        slow_to_promote: vec![Some(bad); 3],
        own: vec![OwnCounter {
            total: Some(requests),
            bad: Some(bad),
        }],
        ..Counters::default()
    };
    Arrived {
        minute: Minute {
            canary: side(canary),
            baseline: side(baseline),
        },
        is_final: true,
    }
}

/// A judgement with one count of a user's own, which weighs most.
fn live(name: &str, thresholds_ms: &[f64], config: JudgeConfig, now: u32) -> Live {
    let own = OwnCount {
        name: name.to_owned(),
        weight: 9.0,
        tolerance: 1.1,
        floor: None,
        dispersion: None,
        promote_tolerance: Some(2.0),
        promote_floor: None,
    };
    Live {
        name: name.to_owned(),
        setup: Setup {
            config,
            thresholds: thresholds_ms.len(),
            own: vec![own],
            prior: HourBefore::unknown(thresholds_ms.len()),
        },
        thresholds_ms: thresholds_ms.to_vec(),
        progress: Progress::default(),
        now,
    }
}

/// A judgement with a metric and a deployment that are called `name`.
fn called(name: &str) -> Judgement {
    let live = live(name, &[], JudgeConfig::default(), 60);
    let judgement = Judgement::from_live(&live, |_| arrived((6, 0), (600, 1)));
    judgement.with_fact(name, name).with_note(name)
}

#[test]
fn every_page_is_well_formed_and_self_contained() {
    for case in CASES {
        let page = html(&judgement(case));
        assert_well_formed(&page);
        assert_harmless(&page);
    }
}

#[test]
fn every_table_and_drawing_can_be_heard() {
    assert_audible(&html(&judgement("late-metrics")));
}

#[test]
fn hostile_names_stay_text() {
    let long = "N".repeat(500);
    let names = [
        "<script>alert(1)</script>",
        "\" onmouseover=\"alert(1)",
        "' & </title></style></svg><b>",
        "x\u{202e}%20.1\u{200f}\u{2066}",
        "{{ name }}{% include \"style.css\" %}",
        "]]><!--",
        "\0\r\n\t",
        "",
        &long,
    ];

    for name in names {
        let page = html(&called(name));
        assert_well_formed(&page);
        assert_harmless(&page);
    }
    assert!(
        html(&called(names[0])).contains("<bdi>&#60;script&#62;alert(1)&#60;/script&#62;</bdi>")
    );
    assert!(html(&called("x\u{202e}1")).contains("<bdi>x⟨U+202E⟩1</bdi>"));
}

#[test]
fn a_right_to_left_name_is_isolated_in_the_sentence() {
    let page = html(&called("שגיאות"));
    assert!(page.contains("<p class=\"sentence\">\u{2068}שגיאות\u{2069} 0% vs 0.17% of 360 and"));
}

#[test]
fn an_hour_stays_small_and_the_longest_bake_of_an_action_too() {
    for (minutes, bytes) in [(60, 110_000), (1_380, 110_000)] {
        let config = JudgeConfig {
            end: minutes,
            min_minutes: minutes,
            ..JudgeConfig::default()
        };
        let read = |minute: u32| {
            let wave = u64::from(minute % 7);
            arrived((6_000 + wave, 30 + wave), (54_000 + wave, 300 + wave))
        };
        let live = live("orders", &[216.0, 404.0, 606.0], config, minutes);
        let page = html(&Judgement::from_live(&live, read));
        assert!(
            page.len() < bytes,
            "{minutes} minutes: {} bytes",
            page.len()
        );
        assert_well_formed(&page);
    }
}

#[test]
fn without_any_data_a_page_is_shown_all_the_same() {
    let live = live("orders", &[216.0, 404.0, 606.0], JudgeConfig::default(), 60);
    let nothing = |_| Arrived {
        minute: Minute::default(),
        is_final: true,
    };
    let page = html(&Judgement::from_live(&live, nothing));
    assert_well_formed(&page);
    assert!(page.contains("No minute of this metric counted."));
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn extreme_numbers_are_drawn_within_the_frame() {
    let most = u64::MAX / 64;
    let live = live("orders", &[], JudgeConfig::default(), 3);
    let page = html(&Judgement::from_live(&live, |_| {
        arrived((most, most), (1, 0))
    }));
    assert_well_formed(&page);
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn the_same_judgement_is_the_same_page() {
    for case in CASES {
        let first = judgement(case);
        assert_eq!(html(&first), html(&judgement(case)));
        assert_eq!(
            html(&first),
            html(&Judgement::from_json(&first.to_json()).unwrap())
        );
    }
}
