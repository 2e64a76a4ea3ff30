//! The law of replay: a recorded judgement, judged again, gives the recorded verdict.

use fastrand::Rng;
use serde_json::{Value, json};
use slipway::judge::clean::{Reading, SideCounts};
use slipway::judge::offline::judge_scenario;
use slipway::judge::report::{Judgement, Live, differences, replay};
use slipway::judge::scenario::Scenario;
use slipway::judge::{Decision, Judge, JudgeConfig};

use super::{CASES, judgement, scenario};

/// How many scenarios are drawn.
const SEEDS: u64 = 300;

/// A scenario of random minutes: silent, busy, with unknown values, late ones, and a bad canary or
/// not.
fn drawn(seed: u64) -> Scenario {
    let mut random = Rng::with_seed(seed);
    let minutes: Vec<Value> = (1..=random.u32(0..20))
        .map(|t| minute(&mut random, t))
        .collect();
    let config = json!({"end": random.u32(1..15), "min_minutes": 2});
    let line = json!({
        "v": 1,
        "id": "random",
        "config": config,
        "thresholds_ms": [1, 2, 3, 4],
        "minutes": minutes,
    });
    Scenario::from_json(&line.to_string()).unwrap()
}

fn minute(random: &mut Rng, t: u32) -> Value {
    let (canary, baseline) = (random.u64(0..3000), random.u64(0..30_000));
    let mut count =
        |most: u64, among: u64| (random.u8(0..9) > 0).then(|| random.u64(0..=most).min(among));
    let (bad_canary, bad_baseline) = (count(9, canary), count(90, baseline));
    let (slow_canary, slow_baseline) = ([count(40, canary); 4], [count(40, baseline); 4]);
    let late = if random.u8(0..3) == 0 {
        random.u32(0..6)
    } else {
        0
    };

    json!({
        "t": t,
        "seen": {"c.bad": t + late, "b.slow": t + late / 2},
        "c": {"n": canary, "bad": bad_canary, "slow_r": slow_canary, "slow_p": slow_canary},
        "b": {"n": baseline, "bad": bad_baseline, "slow": slow_baseline},
    })
}

fn assert_replays(scenario: &Scenario) -> Decision {
    let verdicts = judge_scenario(scenario).unwrap();
    let judgement = Judgement::from_scenario(scenario).unwrap();
    let stored = Judgement::from_json(&judgement.to_json()).expect("what is written can be read");

    assert_eq!(stored, judgement);

    let again = replay(&stored).unwrap();
    assert_eq!(Some(&again), verdicts.last());
    assert_eq!(differences(&stored, &again), []);

    // What is shown over time is what the judge found, look by look.
    let shown: Vec<_> = judgement
        .looks()
        .map(|look| (look.minute, look.decision, look.log_e, look.log_e_promote))
        .collect();
    let found: Vec<_> = verdicts
        .iter()
        .map(|v| (v.minute, v.decision, v.log_e, v.log_e_promote))
        .collect();
    assert_eq!(shown, found);

    // The parts of the evidence add up to the whole, and the least health is one of them.
    for look in judgement.looks() {
        let sum: f64 = look
            .evidence
            .iter()
            .map(|part| (part.harm - look.log_e).exp())
            .sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        assert!(
            look.evidence
                .iter()
                .any(|part| part.health == Some(look.log_e_promote))
        );
    }
    again.decision
}

#[test]
fn any_scenario_replays_to_its_verdict() {
    let decisions: Vec<Decision> = (0..SEEDS)
        .map(|seed| assert_replays(&drawn(seed)))
        .collect();
    for wanted in [
        Decision::Promote,
        Decision::Rollback,
        Decision::Inconclusive,
    ] {
        assert!(
            decisions.contains(&wanted),
            "no scenario ends with {}",
            wanted.as_str()
        );
    }
}

#[test]
fn the_recorded_cases_replay_to_their_verdicts() {
    for case in CASES {
        assert_replays(&scenario(case));
    }
}

#[test]
fn live_data_that_fills_in_later_does_not_change_the_verdict() {
    let (config, metrics) = (JudgeConfig::default(), JudgeConfig::default().metrics(&[]));
    let reading = |bad: Option<u64>| Reading {
        canary: SideCounts {
            requests: Some(600),
            bad,
        },
        baseline: SideCounts {
            requests: Some(5400),
            bad: Some(5),
        },
        canary_bad_promote: bad,
    };
    let mut judge = Judge::new(config.clone(), metrics.clone()).unwrap();
    let then = |minute: u32, _: usize| reading(if minute == 1 { None } else { Some(12) });
    let verdict = judge.take_look(4, then).unwrap();

    assert_eq!(verdict.decision, Decision::Rollback);

    // By now the first minute has arrived and the others were corrected; neither may count.
    let now = |minute: u32, _: usize| reading(Some(if minute == 1 { 0 } else { 1 }));
    let live = Live {
        name: "orders".to_owned(),
        config,
        metrics,
        progress: judge.progress(),
        now: 5,
    };
    let judgement = Judgement::from_live(live, now).unwrap();
    assert_eq!(judgement.verdict().decision, Decision::Rollback);
    assert_eq!(judgement.verdict().reason, verdict.reason);
    assert_eq!(differences(&judgement, &replay(&judgement).unwrap()), []);
    assert!(judgement.to_json().contains(r#""left_out":[1]"#));
}

#[test]
fn late_and_skipped_minutes_are_listed_apart() {
    let stored: Value = serde_json::from_str(&judgement("late-metrics").to_json()).unwrap();
    // Minute 2 arrives in minute 6, after it was given up in minute 5.
    let expected = json!({
        "metric": "errors", "usable": 2, "late": [1, 3], "missing": [], "idle": [],
        "left_out": [2], "waiting": [4, 5, 6],
    });
    assert_eq!(stored["quality"][0], expected);
}

#[test]
fn a_damaged_record_is_refused_with_its_place() {
    let stored: Value = serde_json::from_str(&judgement("late-metrics").to_json()).unwrap();
    let refuse = |damage: fn(&mut Value)| {
        let mut stored = stored.clone();
        damage(&mut stored);
        Judgement::from_json(&stored.to_string())
            .unwrap_err()
            .to_string()
    };
    let version = refuse(|stored| stored["v"] = json!(2));

    assert_eq!(
        version,
        "failed to read the judgement: version 2, expected 1; use the release that wrote it"
    );

    let setting = refuse(|stored| stored["settings"]["tau"] = json!(0.5));
    assert_eq!(
        setting,
        "failed to read the judgement: settings.tau: found 0.5; expected 1 to 1000"
    );
    assert!(refuse(|stored| stored["settings"]["tua"] = json!(1)).contains("unknown field `tua`"));
    assert!(
        refuse(|stored| stored["minutes"][2]["t"] = json!(9))
            .ends_with("minutes are not numbered from 1")
    );
    assert!(
        refuse(|stored| stored["minutes"] = json!([]))
            .ends_with("minutes do not reach to the verdict")
    );
    assert!(
        refuse(|stored| stored["verdict"]["weakest"] = json!("x"))
            .ends_with("weakest is an unknown metric")
    );
    assert!(
        refuse(|stored| stored["quality"] = json!([])).ends_with("quality differs from metrics")
    );
    assert!(
        refuse(|stored| stored["verdict"]["decision"] = json!("pass"))
            .contains("unknown variant `pass`")
    );
}

/// The fields that a replay finds different after a change of the record.
fn fields_found(stored: &Value, change: fn(&mut Value)) -> Vec<&'static str> {
    let mut stored = stored.clone();
    change(&mut stored);
    let changed = Judgement::from_json(&stored.to_string()).unwrap();
    differences(&changed, &replay(&changed).unwrap())
        .iter()
        .map(|difference| difference.field)
        .collect()
}

/// Whatever of the verdict is changed in the record is named.
#[test]
fn a_changed_record_is_found_by_the_field() {
    let stored: Value =
        serde_json::from_str(&judgement("rolled-back-by-errors").to_json()).unwrap();
    let differ = |change: fn(&mut Value)| fields_found(&stored, change);

    assert_eq!(differ(|_| ()), [""; 0]);
    assert_eq!(
        differ(|stored| stored["verdict"]["decision"] = json!("promote")),
        ["decision"]
    );
    assert_eq!(
        differ(|stored| stored["verdict"]["reason"] = json!({"kind": "non-inferior"})),
        ["reason"]
    );
    assert_eq!(
        differ(|stored| stored["verdict"]["log_e"] = json!(1.0)),
        ["log_e"]
    );
    assert_eq!(
        differ(|stored| stored["verdict"]["highest_log_e"] = json!(null)),
        ["highest_log_e"]
    );
    assert_eq!(
        differ(|stored| stored["verdict"]["log_e_promote"] = json!(5.5)),
        ["log_e_promote"]
    );
    assert_eq!(
        differ(|stored| stored["verdict"]["weakest"] = json!("latency[0]")),
        ["weakest"]
    );
    assert_eq!(
        differ(|stored| stored["verdict"]["usable_minutes"] = json!(1)),
        ["usable_minutes"]
    );
    assert_eq!(
        differ(|stored| stored["verdict"]["sentence"] = json!("5xx 0%")),
        ["sentence"]
    );

    let changed = differ(|stored| stored["minutes"][16]["readings"][0]["c"]["bad"] = json!(0));
    assert!(
        changed.contains(&"log_e") && changed.contains(&"sentence"),
        "{changed:?}"
    );
}

/// Other platforms may round the last digits of a logarithm otherwise.
#[test]
fn the_last_digits_are_no_difference() {
    let mut stored: Value = serde_json::from_str(&judgement("exam").to_json()).unwrap();
    let nudge = |value: &mut Value| *value = json!(value.as_f64().unwrap() * (1.0 + 1e-14));
    ["log_e", "log_e_promote"]
        .iter()
        .for_each(|field| nudge(&mut stored["verdict"][field]));
    nudge(&mut stored["verdict"]["reason"]["p"]);

    let nudged = Judgement::from_json(&stored.to_string()).unwrap();
    assert_eq!(differences(&nudged, &replay(&nudged).unwrap()), []);

    stored["verdict"]["reason"]["p"] = json!(1e-12);
    let changed = Judgement::from_json(&stored.to_string()).unwrap();
    assert_eq!(
        differences(&changed, &replay(&changed).unwrap())[0].field,
        "reason"
    );
}
