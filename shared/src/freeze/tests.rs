use serde_json::json;

use super::*;

const BERLIN: &str = "Europe/Berlin";

/// An instant as RFC 3339 writes it.
fn at(text: &str) -> Timestamp {
    serde_json::from_value(json!(text)).expect("an instant")
}

fn guards(zone: &str, windows: &[&str]) -> Guards {
    let windows = windows.iter().map(|&window| window.to_owned()).collect();
    let zone = Some(zone.to_owned());
    Guards {
        freeze: Some(Freeze { windows, zone }),
        line: None,
    }
}

fn line(next: Option<&str>) -> Guards {
    Guards {
        freeze: None,
        line: Some(Line {
            stage: "UAT".to_owned(),
            next: next.map(ToOwned::to_owned),
        }),
    }
}

/// The moment at which an action begins that needs no time.
fn begins(now: &str) -> Moment<'static> {
    Moment {
        now: at(now),
        since: at(now),
        needs: Duration::ZERO,
        kind: ActionKind::Invoke,
        disabled: None,
    }
}

/// Until when windows freeze an instant, as text.
fn until(guards: &Guards, now: &str) -> Option<String> {
    let freeze = guards.freeze.as_ref().expect("windows");
    let frozen = freeze.schedule().expect("legal").frozen(at(now));
    frozen.map(|(until, _)| until.to_string())
}

/// Checks the first and the last second of a freeze, and those beside it.
fn assert_freezes(guards: &Guards, first: &str, end: &str) {
    let second = |text: &str, later: i64| {
        let secs = at(text).secs() + later;
        Timestamp::from_secs(secs).expect("in range").to_string()
    };
    assert_eq!(until(guards, &second(first, -1)), None, "before {first}");
    assert_eq!(until(guards, first), Some(end.to_owned()));
    assert_eq!(until(guards, &second(end, -1)), Some(end.to_owned()));
    assert_eq!(until(guards, end), None, "at {end}");
}

#[test]
fn a_weekend_is_62_hours_and_may_have_one_more_or_less_when_the_clock_changes() {
    let weekend = guards(BERLIN, &["Fri 16:00/Mon 06:00"]);
    let hours = |first: &str, end: &str| {
        assert_freezes(&weekend, first, end);
        at(end).since(at(first)).as_secs() / 3600
    };

    let winter = hours("2026-01-09T15:00:00Z", "2026-01-12T05:00:00Z");
    let spring = hours("2026-03-27T15:00:00Z", "2026-03-30T04:00:00Z");
    let summer = hours("2026-07-10T14:00:00Z", "2026-07-13T04:00:00Z");
    let autumn = hours("2026-10-23T14:00:00Z", "2026-10-26T05:00:00Z");
    assert_eq!([winter, spring, summer, autumn], [62, 61, 62, 63]);
}

#[test]
fn a_window_across_midnight_ends_on_the_next_day() {
    let night = guards("America/New_York", &["22:00/06:00"]);
    assert_freezes(&night, "2026-01-06T03:00:00Z", "2026-01-06T11:00:00Z");
    // The night in which summer time begins.
    assert_freezes(&night, "2026-03-08T03:00:00Z", "2026-03-08T10:00:00Z");

    let day = guards("Asia/Kolkata", &["09:30/18:00"]);
    assert_freezes(&day, "2026-01-06T04:00:00Z", "2026-01-06T12:30:00Z");
}

#[test]
fn a_time_that_the_clock_leaves_out_or_repeats_never_shortens_a_freeze() {
    let early = guards(BERLIN, &["02:15/02:45"]);
    assert_freezes(&early, "2026-01-05T01:15:00Z", "2026-01-05T01:45:00Z");
    // 02:15 is 03:15 on this day.
    assert_freezes(&early, "2026-03-29T01:15:00Z", "2026-03-29T01:45:00Z");
    // The first 02:15, and the second 02:45.
    assert_freezes(&early, "2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z");
}

#[test]
fn a_window_within_a_week_can_be_almost_all_of_it() {
    let week = guards("UTC", &["Mon 10:00/Mon 09:00"]);
    assert_freezes(&week, "2026-01-05T10:00:00Z", "2026-01-12T09:00:00Z");
    let hour = guards("UTC", &["Mon 09:00/Mon 10:00"]);
    assert_freezes(&hour, "2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z");
    let across = guards("UTC", &["Sun 22:00/Mon 01:00"]);
    assert_freezes(&across, "2026-01-04T22:00:00Z", "2026-01-05T01:00:00Z");
}

#[test]
fn a_window_with_dates_comes_once_in_the_time_of_its_zone() {
    let holidays = guards(BERLIN, &["2026-12-23T18:00/2027-01-02T06:00"]);
    assert_freezes(&holidays, "2026-12-23T17:00:00Z", "2027-01-02T05:00:00Z");
    assert_eq!(until(&holidays, "2027-12-24T12:00:00Z"), None);
}

#[test]
fn windows_that_overlap_or_touch_are_one_freeze_until_the_last_ends() {
    let joined = guards(
        "UTC",
        &[
            "Fri 16:00/Mon 06:00",
            "2026-01-11T12:00/2026-01-13T12:00",
            "12:00/13:00",
        ],
    );
    assert_freezes(&joined, "2026-01-09T16:00:00Z", "2026-01-13T13:00:00Z");

    // They leave no time, and this is not looked for any further.
    let always = guards("UTC", &["00:00/12:00", "12:00/00:00"]);
    let end = until(&always, "2026-01-05T09:00:00Z").expect("frozen");
    assert_eq!(end, "2026-02-24T00:00:00Z");
}

#[test]
fn a_gate_opens_when_the_freeze_is_over() {
    let weekend = guards(BERLIN, &["Fri 16:00/Mon 06:00"]);
    let gate = |now: &str| weekend.gate(&begins(now)).expect("legal");

    assert_eq!(gate("2026-01-09T14:59:59Z"), GateDecision::Open);
    assert_eq!(
        gate("2026-01-11T09:00:00Z"),
        GateDecision::Hold(
            "frozen: until 2026-01-12 06:00 Europe/Berlin by Fri 16:00/Mon 06:00; then it goes on \
             by itself"
                .to_owned()
        )
    );
    assert_eq!(gate("2026-01-12T05:00:00Z"), GateDecision::Open);
    let none = Guards::default().gate(&begins("2026-01-11T09:00:00Z"));
    assert_eq!(none, Ok(GateDecision::Open));
}

#[test]
fn a_freeze_that_an_action_cannot_wait_for_outlasts_it_at_once() {
    let weekend = guards(BERLIN, &["Fri 16:00/Mon 06:00"]);
    let is_held = |since: &str, now: &str, needs: Duration| {
        let moment = Moment {
            since: at(since),
            needs,
            ..begins(now)
        };
        matches!(weekend.gate(&moment), Ok(GateDecision::Hold(_)))
    };

    let hour = Duration::from_secs(3600);
    assert!(is_held(
        "2026-01-11T06:00:00Z",
        "2026-01-11T06:00:00Z",
        Duration::ZERO
    ));
    assert!(!is_held(
        "2026-01-11T05:59:59Z",
        "2026-01-11T06:00:00Z",
        Duration::ZERO
    ));
    assert!(is_held(
        "2026-01-11T07:00:00Z",
        "2026-01-11T08:00:00Z",
        hour
    ));
    assert!(!is_held(
        "2026-01-11T06:59:59Z",
        "2026-01-11T08:00:00Z",
        hour
    ));

    let outlasts = weekend.gate(&Moment {
        needs: hour,
        ..begins("2026-01-09T16:00:00Z")
    });
    assert_eq!(
        outlasts,
        Ok(GateDecision::Outlasts(
            "frozen: until 2026-01-12 06:00 Europe/Berlin by Fri 16:00/Mon 06:00; the action would \
             wait 61h00m and then work up to 1h00m, and can do both for 23h00m at most, since an \
             action ends after 24 hours"
                .to_owned()
        ))
    );
}

#[test]
fn a_custom_action_waits_and_works_for_less_than_an_hour() {
    let night = guards(BERLIN, &["22:00/06:00"]);
    let at_night = |needs: u64| {
        night.gate(&Moment {
            needs: Duration::from_secs(needs * 60),
            kind: ActionKind::Custom,
            ..begins("2026-01-06T04:30:00Z")
        })
    };
    assert!(matches!(at_night(20), Ok(GateDecision::Hold(_))));
    let Ok(GateDecision::Outlasts(why)) = at_night(21) else {
        panic!("it is too long");
    };
    assert!(
        why.contains(
            "would wait 30m00s and then work up to 21m00s, and can do both for 50m00s at most, \
             since a custom action can end after an hour"
        ),
        "{why}"
    );
}

#[test]
fn the_end_of_a_freeze_is_that_of_its_windows_and_now_outside_of_them() {
    let weekend = guards(BERLIN, &["Fri 16:00/Mon 06:00"]);
    let end = |guards: &Guards, now: &str| guards.end(at(now)).map(|end| end.to_string());
    let monday = Ok("2026-01-12T05:00:00Z".to_owned());
    assert_eq!(end(&weekend, "2026-01-09T16:00:00Z"), monday);
    assert_eq!(end(&weekend, "2026-01-12T05:00:00Z"), monday, "it is over");
    let now = Ok("2026-01-09T16:00:00Z".to_owned());
    assert_eq!(end(&line(None), "2026-01-09T16:00:00Z"), now);
}

#[test]
fn a_disabled_transition_freezes_until_it_is_enabled_and_for_as_long_as_an_action_can_wait() {
    let stopped = |since: &str| Moment {
        since: at(since),
        disabled: Some("e-1 failed"),
        ..begins("2026-01-06T09:00:00Z")
    };
    assert_eq!(
        line(None).gate(&stopped("2026-01-05T10:00:00Z")),
        Ok(GateDecision::Hold(
            "frozen: the transition into stage UAT is disabled (e-1 failed) until an operator \
             enables it; then it goes on by itself"
                .to_owned()
        ))
    );
    let late = line(None).gate(&stopped("2026-01-05T09:59:59Z"));
    assert!(matches!(late, Ok(GateDecision::Outlasts(_))), "{late:?}");

    let enabled = line(None).gate(&begins("2026-01-06T09:00:00Z"));
    assert_eq!(enabled, Ok(GateDecision::Open));
    let without = Guards::default().gate(&stopped("2026-01-05T10:00:00Z"));
    assert_eq!(without, Ok(GateDecision::Open), "it is not looked at");

    let both = Guards {
        line: line(None).line,
        ..guards("UTC", &["Tue 08:00/Tue 10:00"])
    };
    let both = both.gate(&stopped("2026-01-06T09:00:00Z"));
    assert_eq!(
        both,
        Ok(GateDecision::Hold(
            "frozen: until 2026-01-06 10:00 UTC by Tue 08:00/Tue 10:00; the transition into stage \
             UAT is disabled (e-1 failed) until an operator enables it; then it goes on by itself"
                .to_owned()
        ))
    );
}

#[test]
fn a_failed_release_stops_the_next_stage_or_its_own() {
    let next = |guards: &Guards| guards.line.as_ref().map(|line| line.next().to_owned());
    assert_eq!(next(&line(None)), Some("UAT".to_owned()));
    assert_eq!(next(&line(Some("Prod"))), Some("Prod".to_owned()));
}

fn refused(guards: Guards) -> String {
    guards.check().expect_err("refused")
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_was_found_and_what_is_expected() {
    let expected = "expected a begin and an end such as `Fri 16:00/Mon 06:00`, `22:00/06:00` or \
                    `2026-12-23T18:00/2027-01-02T06:00`";

    for (window, why) in [
        ("Fri 16:00", ""),
        ("Fri 16:00/", ""),
        ("Friday 16:00/Mon 06:00", ""),
        ("fri 16:00/Mon 06:00", ""),
        ("Fri 4:00/Mon 06:00", ""),
        ("22:00/24:00", ""),
        ("22:00/06:60", ""),
        ("2026-02-30T00:00/2026-03-01T00:00", ""),
        ("2026-12-23/2027-01-02", ""),
        ("", ""),
        ("22:00/Mon 06:00", ", whose begin and end are of two kinds"),
        ("22:00/22:00", ", which begins and ends at the same time"),
        (
            "Mon 06:00/Mon 06:00",
            ", which begins and ends at the same time",
        ),
        (
            "2027-01-02T06:00/2026-12-23T18:00",
            ", which does not end after it begins",
        ),
        (
            "2027-01-02T06:00/2027-01-02T06:00",
            ", which does not end after it begins",
        ),
    ] {
        assert_eq!(
            refused(guards("UTC", &["22:00/06:00", window])),
            format!("`freeze.windows` has `{window}`{why}; {expected}")
        );
    }
    assert_eq!(guards(BERLIN, &["22:00/06:00"]).check(), Ok(()));
}

#[test]
fn zones_counts_and_stages_that_cannot_be_are_refused() {
    for zone in ["Europe/Berln", "CEST", "", "+02:00"] {
        assert_eq!(
            refused(guards(zone, &["22:00/06:00"])),
            format!(
                "`freeze.zone` is `{zone}`; expected the IANA name of a time zone such as \
                 Europe/Berlin"
            )
        );
    }
    for count in [0, FREEZE_WINDOWS + 1] {
        assert_eq!(
            refused(guards("UTC", &vec!["22:00/06:00"; count])),
            format!("`freeze.windows` has {count} windows; expected 1 to 20")
        );
    }

    let letters = "expected the name of a stage, 1 to 100 letters, digits, `.`, `@`, `-` and `_`";
    let long = "x".repeat(101);
    for name in ["", "two words", long.as_str()] {
        assert_eq!(
            refused(line(Some(name))),
            format!("`line.next` is `{name}`; {letters}")
        );
    }
    assert_eq!(line(Some(&"x".repeat(100))).check(), Ok(()));
}

#[test]
fn windows_without_a_zone_are_in_utc() {
    let read = json!({"windows": ["22:00/06:00"]});
    let freeze: Freeze = serde_json::from_value(read.clone()).expect("windows");
    assert_eq!(serde_json::to_value(&freeze).expect("JSON"), read);
    let guards = Guards {
        freeze: Some(freeze),
        line: None,
    };
    assert_freezes(&guards, "2026-01-05T22:00:00Z", "2026-01-06T06:00:00Z");

    let unknown = json!({"windows": [], "timezone": "UTC"});
    let refused = serde_json::from_value::<Freeze>(unknown).expect_err("unknown");
    assert!(refused.to_string().contains("`timezone`"), "{refused}");
}
