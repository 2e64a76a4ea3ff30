use super::super::config::tests::{memory as memory_metric, settings};
use super::*;
use crate::metrics::source::tests::key;
use serde_json::json;

mod counts;

const FIRST: i64 = 29_460_060;

fn bake_state() -> BakeState {
    BakeState::new(FIRST, vec![60.0, 90.0, 200.0, 300.0], (1.0, 1.0), 0.001)
}

/// This many minutes of 150 and 2,850 requests with this many bad ones, and a tenth of all slow.
fn data(minutes: u32, canary_bad: f64, baseline_bad: f64) -> Data {
    let mut data = Data::new();
    let mut put = |id: &str, value: f64| {
        let points: Points = (0..i64::from(minutes))
            .map(|minute| (FIRST + minute, value))
            .collect();
        data.insert(key(id), points);
    };

    let all = [
        ("c_n", 150.0),
        ("c_s", 150.0),
        ("b_n", 2_850.0),
        ("b_s", 2_850.0),
        ("c_e", canary_bad),
        ("b_e", baseline_bad),
    ];

    all.into_iter().for_each(|(id, value)| put(id, value));
    for (index, share) in [0.25, 0.1, 0.01, 0.004].into_iter().enumerate() {
        put(&format!("b_t{index}"), (2_850.0_f64 * share).round());
        put(&format!("c_t{index}"), (150.0_f64 * share * 0.8).round());
        put(&format!("c_p{index}"), (150.0_f64 * share * 0.6).round());
    }

    data
}

fn evaluated(settings: &Settings, state: &BakeState, data: &Data, minute: u32) -> Outlook {
    let now_secs = (FIRST + i64::from(minute)) * 60 + 120;
    let state = &state
        .clone()
        .with_arrivals(arrivals(state, data, now_secs - 60));
    evaluate(&Observed {
        settings,
        state,
        data,
        minute,
        now_secs,
    })
    .expect("settings to judge by")
}

#[test]
fn a_minute_is_judged_two_minutes_after_its_end() {
    let bake = Bake {
        first: FIRST,
        end: 30,
    };
    let at = |secs: i64| bake.minute(FIRST * 60 + secs, 120);

    assert_eq!(
        [at(0), at(179), at(180), at(239), at(240), at(-4_000)],
        [0, 0, 1, 1, 2, 0]
    );
}

#[test]
fn many_errors_are_rolled_back_with_the_arithmetic() {
    let outlook = evaluated(&Settings::default(), &bake_state(), &data(3, 15.0, 3.0), 3);
    assert_eq!(outlook.decision, Decision::Rollback);
    assert!(
        outlook
            .reason
            .starts_with("5xx 10.00% vs 0.11% of 450 and 8,550 requests"),
        "{}",
        outlook.reason
    );

    let judgement = outlook.judgement("web").expect("written down");
    assert_eq!(judgement.verdict().decision, Decision::Rollback);
}

#[test]
fn what_an_earlier_evaluation_reached_is_never_taken_back() {
    let settings = Settings::default();
    let first = evaluated(&settings, &bake_state(), &data(3, 15.0, 3.0), 3);
    let later = evaluated(&settings, &first.state, &data(4, 0.0, 3.0), 4);

    assert_eq!(
        later.decision,
        Decision::Rollback,
        "the highest evidence stays reached"
    );
}

#[test]
fn a_hold_watches_for_harm_and_never_promotes() {
    let settings = Settings::default();
    let held = bake_state().with_hold(30);
    let good = evaluated(&settings, &held, &data(60, 0.0, 3.0), 60);
    assert_eq!(good.decision, Decision::Inconclusive, "{}", good.reason);
    let bad = evaluated(&settings, &held, &data(60, 15.0, 3.0), 60);
    assert_eq!(bad.decision, Decision::Rollback);
}

#[test]
fn too_little_traffic_is_reported_early_with_the_time_it_needs() {
    let mut thin = data(4, 0.0, 3.0);
    thin.insert(
        key("c_n"),
        (0..4).map(|minute| (FIRST + minute, 3.0)).collect(),
    );
    let outlook = evaluated(&Settings::default(), &bake_state(), &thin, 4);

    assert_eq!(outlook.decision, Decision::Continue);

    let traffic = outlook.traffic.expect("a message");
    assert!(
        traffic.contains("too little traffic") && traffic.contains("minutes at this rate"),
        "{traffic}"
    );

    // Three requests a minute that all fail are enough to roll back.
    thin.insert(key("c_e"), thin[&key("c_n")].clone());
    let bad = evaluated(&Settings::default(), &bake_state(), &thin, 4);
    assert_eq!((bad.decision, bad.traffic), (Decision::Rollback, None));

    let none = evaluated(&Settings::default(), &bake_state(), &Data::new(), 4)
        .traffic
        .expect("a message");
    assert!(none.contains("no request"), "{none}");
}

#[test]
fn a_series_without_values_is_not_a_pass_and_a_bad_one_is_harm() {
    let settings = settings(json!([memory_metric()]));
    let mut data = data(30, 0.0, 3.0);
    let blind = evaluated(&settings, &bake_state(), &data, 30);

    assert_eq!(blind.decision, Decision::Inconclusive, "{}", blind.reason);

    let mut put = |id: &str, value: f64| {
        data.insert(
            key(id),
            (0..30)
                .map(|minute| (FIRST + minute, value + (minute % 5) as f64))
                .collect(),
        )
    };

    put("b_m0v", 500.0);
    put("c_m0v", 900.0);
    let bad = evaluated(&settings, &bake_state(), &data, 30);
    assert_eq!(bad.decision, Decision::Rollback);
    assert!(
        bad.reason.starts_with("memory 902 vs 502"),
        "{}",
        bad.reason
    );
}

/// Twenty times the requests, slow ones and errors of [`data`]: enough to promote within minutes.
fn busy(minutes: u32) -> Data {
    let mut data = data(minutes, 0.0, 3.0);
    data.values_mut()
        .flat_map(|points| points.values_mut())
        .for_each(|value| *value *= 20.0);
    data
}

#[test]
fn errors_and_slow_requests_that_came_together_before_the_bake_count_for_less() {
    let overdispersed = |errors: f64, latency: f64| {
        BakeState::new(
            FIRST,
            vec![60.0, 90.0, 200.0, 300.0],
            (errors, latency),
            0.001,
        )
    };

    let settings = Settings::default();
    let failing = data(3, 15.0, 3.0);
    let mut slow = data(3, 0.0, 3.0);
    slow.insert(
        key("c_t0"),
        (0..3).map(|minute| (FIRST + minute, 75.0)).collect(),
    );
    let decided = |data: &Data, errors, latency| {
        evaluated(&settings, &overdispersed(errors, latency), data, 3).decision
    };

    assert_eq!(
        [decided(&failing, 1.0, 1.0), decided(&failing, 1.0, 100.0)],
        [Decision::Rollback; 2]
    );
    assert_eq!(decided(&failing, 100.0, 1.0), Decision::Continue);
    assert_eq!(
        [decided(&slow, 1.0, 1.0), decided(&slow, 100.0, 1.0)],
        [Decision::Rollback; 2]
    );
    assert_eq!(decided(&slow, 1.0, 100.0), Decision::Continue);
}

#[test]
fn the_larger_of_measured_and_configured_dispersion_counts() {
    let of = |judge: JudgeConfig, measured| {
        let settings = Settings {
            judge,
            ..Settings::default()
        };
        let config = config(
            &settings,
            &BakeState::new(FIRST, Vec::new(), measured, 0.0),
            1,
        );
        (config.dispersion_errors, config.dispersion_latency)
    };

    let configured = JudgeConfig {
        dispersion_errors: 3.0,
        dispersion_latency: 4.0,
        ..JudgeConfig::default()
    };

    assert_eq!(
        [
            of(configured.clone(), (2.0, 5.0)),
            of(configured, (6.0, 1.0))
        ],
        [(3.0, 5.0), (6.0, 4.0)]
    );
}

#[test]
fn nothing_is_promoted_against_an_objection_and_the_bake_ends_all_the_same() {
    let plain = evaluated(&Settings::default(), &bake_state(), &busy(6), 6);
    assert_eq!(plain.decision, Decision::Promote, "{}", plain.reason);

    let objection =
        "memory has values of both colours in 0 minutes, 5 needed: no data is never a pass";
    let mut settings = settings(json!([memory_metric()]));
    let early = evaluated(&settings, &bake_state(), &busy(6), 6);
    assert_eq!(early.decision, Decision::Continue, "{}", early.reason);
    assert!(
        early.reason.ends_with(&format!("; {objection}")),
        "{}",
        early.reason
    );

    settings.judge.end = 6;
    assert_eq!(
        evaluated(&settings, &bake_state(), &busy(6), 6).decision,
        Decision::Inconclusive
    );
}

#[test]
fn a_counted_metric_of_a_user_that_is_not_there_is_an_objection() {
    let settings = settings(json!([super::super::config::tests::orders()]));
    let outlook = evaluated(&settings, &bake_state(), &busy(6), 6);
    let objection =
        "orders has values of both colours in 0 minutes, 5 needed: no data is never a pass";
    assert_eq!(outlook.decision, Decision::Continue, "{}", outlook.reason);
    assert!(outlook.reason.ends_with(objection), "{}", outlook.reason);
}

#[test]
fn a_metric_of_a_further_source_that_is_not_there_is_an_objection_wherever_it_is_listed() {
    let settings = settings(json!([super::super::config::tests::orders()]));
    let metrics = settings.metrics(&[60.0, 90.0]);
    let further = MetricSpec {
        name: "timeouts".to_owned(),
        ..metrics[3].clone()
    };
    let objection = |metrics: &[MetricSpec]| objection(metrics, &Readings::default(), &[], 6);
    let names = |place: usize| {
        let mut metrics = metrics.clone();
        metrics.insert(place, further.clone());
        metrics.truncate(4);
        objection(&metrics).and_then(|why| Some(why.split_once(' ')?.0.to_owned()))
    };

    assert_eq!(objection(&metrics[..3]), None, "errors and latency alone");
    assert_eq!(names(0).as_deref(), Some("timeouts"));
    assert_eq!(names(3).as_deref(), Some("timeouts"));
}

#[test]
fn remarks_on_the_data_are_noted() {
    let noted =
        |state: &BakeState| evaluated(&Settings::default(), state, &data(3, 0.0, 3.0), 3).notes;
    let thresholds = || vec![60.0, 90.0, 200.0, 300.0];

    assert_eq!(noted(&bake_state()), [""; 0]);

    let overdispersed =
        "were overdispersed (2.5) in the hour before the bake; evidence is divided by that";
    assert_eq!(
        noted(&BakeState::new(FIRST, thresholds(), (2.5, 1.0), 0.0)),
        [format!("errors {overdispersed}")]
    );
    assert_eq!(
        noted(&BakeState::new(FIRST, thresholds(), (1.0, 2.5), 0.0)),
        [format!("slow requests {overdispersed}")]
    );

    let configured = Settings {
        judge: JudgeConfig {
            dispersion_errors: 3.0,
            ..JudgeConfig::default()
        },
        ..Settings::default()
    };
    let noted_by = |state: &BakeState| evaluated(&configured, state, &data(3, 0.0, 3.0), 3).notes;
    assert_eq!(
        noted_by(&bake_state()),
        ["evidence is divided by the dispersion in the settings"]
    );
    assert_eq!(
        noted_by(&BakeState::new(FIRST, thresholds(), (2.5, 1.0), 0.0)),
        [format!("errors {overdispersed}")]
    );

    let without = "there were no response times in the hour before the bake; latency is not judged";
    assert_eq!(
        noted(&BakeState::new(FIRST, Vec::new(), (1.0, 1.0), 0.0)),
        [without]
    );
}

#[test]
fn a_hold_does_not_promote_what_would_be_promoted_without_it() {
    let held = evaluated(
        &Settings::default(),
        &bake_state().with_hold(3),
        &busy(6),
        6,
    );

    assert_eq!(held.decision, Decision::Inconclusive, "{}", held.reason);
    assert_eq!(held.verdict.decision, Decision::Promote);
}

#[test]
fn harm_that_begins_in_a_hold_rolls_back() {
    let mut late = data(60, 0.0, 3.0);
    let failing = (0..60)
        .map(|minute| (FIRST + minute, if minute < 45 { 0.0 } else { 15.0 }))
        .collect();
    late.insert(key("c_e"), failing);
    let held = evaluated(&Settings::default(), &bake_state().with_hold(30), &late, 60);

    assert_eq!(held.decision, Decision::Rollback, "{}", held.reason);

    let over = evaluated(&Settings::default(), &bake_state(), &late, 60);
    assert_ne!(
        over.decision,
        Decision::Rollback,
        "minutes after the end are judged in a hold only: {}",
        over.reason
    );
}

#[test]
fn values_of_minutes_that_have_not_arrived_whole_are_not_compared() {
    let settings = settings(json!([memory_metric()]));
    let now_secs = (FIRST + 6) * 60 + 120;
    let mut data = data(6, 0.0, 3.0);
    for id in ["c_m0v", "b_m0v"] {
        let points = (0..6).map(|minute| (FIRST + minute, 500.0)).collect();
        data.insert(key(id), points);
    }
    let noted = |state: &BakeState| {
        let outlook = evaluate(&Observed {
            settings: &settings,
            state,
            data: &data,
            minute: 6,
            now_secs,
        });
        outlook.expect("settings to judge by").notes.pop()
    };
    let compared = |minutes: u32| {
        format!("memory 500 vs 500 in the median of {minutes} minutes: within tolerance")
    };

    let new = bake_state();
    assert_eq!(noted(&new), Some(compared(2)), "two are old enough");
    let seen = new
        .clone()
        .with_arrivals(arrivals(&new, &data, now_secs - 60));
    assert_eq!(noted(&seen), Some(compared(6)));
}
