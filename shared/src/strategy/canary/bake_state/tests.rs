use super::super::arrival::observe_arrivals;
use super::*;
use crate::job::Token;
use crate::limits::{PIPELINE_ARN_CHARS, TOKEN_CHARS};
use crate::metrics::source::Data;
use crate::timestamp::Timestamp;

fn names() -> Vec<String> {
    (0..15).map(|index| format!("metric {index}")).collect()
}

fn state() -> BakeState {
    BakeState::new(
        29_460_060,
        vec![61.123, 120.456, 300.789, 451.184],
        (1.2345, 10.1234),
        0.001_234,
    )
}

fn progress(skipped: impl Fn(u32) -> bool) -> Progress {
    let minutes: Vec<Range> = (1..=1_380)
        .filter(|minute| skipped(*minute))
        .map(|minute| (minute, minute))
        .collect();
    let ranges: MinuteRanges =
        serde_json::from_value(serde_json::to_value(minutes).unwrap()).unwrap();

    Progress {
        v: PROGRESS_VERSION,
        skipped: names()
            .into_iter()
            .map(|name| (name, ranges.clone()))
            .collect(),
        highest: Some(Peak {
            log_e: 3.218_875_824_868_201,
            metric: names()[14].clone(),
            minute: 1_379,
        }),
    }
}

#[test]
fn progress_survives_the_token() {
    let progress = progress(|minute| minute == 7 || minute == 30);
    let kept = state().with_progress(&progress, &names());
    let read = BakeState::read(&kept.payload()).expect("of this version");

    assert_eq!(read, kept);
    assert_eq!(read.progress(&names()), Ok(progress));
    assert!(
        read.progress(&names()[..3]).is_err(),
        "the metrics were changed"
    );
}

#[test]
fn the_token_is_short_enough_whatever_was_skipped() {
    for skipped in [
        |minute| minute % 2 == 0,
        |minute| minute % 7 == 0,
        |minute: u32| minute.is_power_of_two(),
    ] {
        let progress = progress(skipped);
        let now_secs = (state().first + 1_380) * 60;
        let seen = observe_arrivals(
            &Arrivals::new(),
            &Data::new(),
            state().first,
            1_380,
            now_secs,
        );
        assert_eq!(seen.len(), 6);
        let kept = state()
            .with_arrivals(seen)
            .with_hold(1_380)
            .with_progress(&progress, &names());
        let since = Timestamp::from_secs(1_767_603_600).expect("in range");
        let token = Token::new("evaluate-canary", since)
            .of_pipeline(Some("x".repeat(PIPELINE_ARN_CHARS)))
            .with_payload(Some(kept.payload()))
            .text();
        assert!(token.len() <= TOKEN_CHARS, "{}", token.len());
        let read = kept.progress(&names()).expect("the same metrics");
        assert_eq!(read.highest, progress.highest);
        for (name, ranges) in &progress.skipped {
            let lost = (1..=1_380)
                .find(|minute| ranges.contains(*minute) && !read.skipped[name].contains(*minute));
            assert_eq!(lost, None, "what was skipped stays skipped");
        }
    }
}

#[test]
fn ranges_become_one_only_until_what_is_kept_fits() {
    let skipped = progress(|minute| minute >= 1_000 && minute.is_multiple_of(2));
    let kept = state().with_progress(&skipped, &names()[..2]);

    assert_eq!(kept.payload().to_string().len(), PAYLOAD_CHARS);
    let [first, second] = [0_usize, 1].map(|place| kept.skipped[&place].as_str());
    assert!(first.starts_with("1000-1160,1162,1164,"), "{first}");
    assert!(second.starts_with("1000,1002,1004,"), "{second}");
}

#[test]
fn the_token_has_short_names_and_only_what_there_is() {
    let first = BakeState::new(100, vec![60.5, 90.0], (1.5, 2.5), 0.001);
    assert_eq!(
        first.payload(),
        serde_json::json!({"f": 100, "x": [60.5, 90.0], "e": 1.5, "l": 2.5, "r": 0.001})
    );

    let names: Vec<String> = ["errors", "orders"].map(ToOwned::to_owned).into();
    let ranges = |text: &str| serde_json::from_str::<MinuteRanges>(text).unwrap();
    let progress = Progress {
        v: PROGRESS_VERSION,
        skipped: [
            ("errors".to_owned(), ranges("[[3,3],[7,9]]")),
            ("orders".to_owned(), ranges("[[1,2]]")),
        ]
        .into(),
        highest: Some(Peak {
            log_e: 2.5,
            metric: "orders".to_owned(),
            minute: 6,
        }),
    };
    let kept = first.with_hold(30).with_progress(&progress, &names);

    assert_eq!(
        kept.payload(),
        serde_json::json!({
            "f": 100, "x": [60.5, 90.0], "e": 1.5, "l": 2.5, "r": 0.001, "h": 30, "p": [2.5, 1, 6],
            "s": {"0": "3,7-9", "1": "1-2"},
        })
    );
    assert_eq!(kept.progress(&names), Ok(progress));
}

#[test]
fn a_hold_begins_once() {
    let held = state().with_hold(30).with_hold(31);
    assert_eq!(held.held, Some(30));
    assert_eq!(state().held, None);
}

#[test]
fn a_token_of_another_version_and_changed_metrics_are_refused() {
    let refused = BakeState::read(&serde_json::json!({"f": 100, "more": 1})).unwrap_err();
    assert!(
        refused
            .message
            .starts_with("the continuation token was not written by this version: "),
        "{refused}"
    );
    assert!(refused.message.ends_with("; release again"), "{refused}");

    let kept = state().with_progress(&progress(|minute| minute == 7), &names());
    let changed = kept.progress(&names()[..14]).unwrap_err();
    assert_eq!(
        changed,
        Failure::configuration(
            "the metrics differ from those that the bake began with; release again"
        )
    );
}

#[test]
fn the_nearest_ranges_become_one_where_room_is_short() {
    let mut skipped = BTreeMap::from([
        (0, vec![(1, 1), (4, 5), (20, 20)]),
        (1, vec![(2, 2), (9, 9)]),
    ]);
    assert!(join(&mut skipped));
    assert_eq!(
        skipped,
        BTreeMap::from([(0, vec![(1, 5), (20, 20)]), (1, vec![(2, 2), (9, 9)])])
    );
    assert!(join(&mut skipped) && join(&mut skipped));
    assert_eq!(
        skipped,
        BTreeMap::from([(0, vec![(1, 20)]), (1, vec![(2, 9)])])
    );
    assert!(!join(&mut skipped), "there is nothing more to make one of");
}

#[test]
fn known_counts_survive_the_token_and_may_be_absent() {
    let known = state().with_known_counts([0, 7].into());
    assert_eq!(known.payload()["k"], serde_json::json!([0, 7]));
    assert_eq!(BakeState::read(&known.payload()), Ok(known));
    assert_eq!(state().payload().get("k"), None);
}

#[test]
fn skipped_minutes_that_cannot_be_read_are_refused_and_never_forgotten() {
    let with = |text: &str| {
        let mut payload = state().payload();
        payload["s"] = serde_json::json!({"0": text});
        let read = BakeState::read(&payload).expect("of this version");
        read.progress(&names())
    };

    assert_eq!(with("3,7-9").map(|read| read.skipped.len()), Ok(1));
    assert!(with("").is_ok());
    for damaged in ["3,x", "3,,9", "3-", "seven"] {
        let refused = with(damaged).expect_err(damaged).message;
        let found = format!("the skipped minutes in the continuation token are `{damaged}`;");
        assert!(refused.starts_with(&found), "{refused}");
    }
}
