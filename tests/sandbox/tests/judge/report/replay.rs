//! The law of replay: a recorded judgement, judged again, gives the recorded verdict.

use fastrand::Rng;
use serde_json::{Value, json};
use slipway::judge::Decision;
use slipway::judge::canary::offline::judge_scenario;
use slipway::judge::canary::scenario::Scenario;
use slipway::judge::report::{Judgement, differences, replay};

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
    let config = json!({"end": random.u32(1..15), "min_minutes": 2, "warm_up": 0});
    let line = json!({
        "v": 2,
        "id": "random",
        "config": config,
        "thresholds_ms": [1, 2, 3],
        "minutes": minutes,
    });
    Scenario::from_json(&line.to_string()).unwrap()
}

fn minute(random: &mut Rng, t: u32) -> Value {
    let (canary, baseline) = (random.u64(0..3000), random.u64(0..30_000));
    let mut count =
        |most: u64, among: u64| (random.u8(0..9) > 0).then(|| random.u64(0..=most).min(among));
    let (bad_canary, bad_baseline) = (count(9, canary), count(90, baseline));
    let (slow_canary, slow_baseline) = ([count(40, canary); 3], [count(40, baseline); 3]);
    let late = if random.u8(0..3) == 0 {
        random.u32(0..6)
    } else {
        0
    };
    let answers = |requests: u64, bad: Option<u64>| {
        let good = requests - bad.unwrap_or(0);
        json!({"n": requests, "ok": good, "r5": bad, "timed": requests})
    };
    let mut c = answers(canary, bad_canary);
    c["slow_r"] = json!(slow_canary);
    c["slow_p"] = json!(slow_canary);
    let mut b = answers(baseline, bad_baseline);
    b["slow"] = json!(slow_baseline);
    json!({"t": t, "seen": {"c.r5": t + late, "b.slow": t + late / 2}, "c": c, "b": b})
}

fn assert_replays(scenario: &Scenario) -> Decision {
    let verdicts = judge_scenario(scenario);
    let judgement = Judgement::from_scenario(scenario);
    let stored = Judgement::from_json(&judgement.to_json()).expect("what is written can be read");
    assert_eq!(stored, judgement);

    let again = replay(&stored);
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
        let parts = look.evidence.iter();
        let sum: f64 = parts.map(|part| (part.harm - look.log_e).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        let mut parts = look.evidence.iter();
        assert!(parts.any(|part| part.health == look.log_e_promote));
    }
    again.decision
}

#[test]
fn any_scenario_replays_to_its_verdict() {
    let decisions: Vec<Decision> = (0..SEEDS)
        .map(|seed| assert_replays(&drawn(seed)))
        .collect();
    for wanted in [Decision::Rollback, Decision::Inconclusive] {
        let word = wanted.as_str();
        assert!(decisions.contains(&wanted), "no scenario ends with {word}");
    }
}

#[test]
fn the_recorded_cases_replay_to_their_verdicts() {
    for case in CASES {
        assert_replays(&scenario(case));
    }
}

/// The fields that a replay finds different after a change of the record.
fn fields_found(stored: &Value, change: fn(&mut Value)) -> Vec<&'static str> {
    let mut stored = stored.clone();
    change(&mut stored);
    let changed = Judgement::from_json(&stored.to_string()).unwrap();
    differences(&changed, &replay(&changed))
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
        differ(|stored| stored["verdict"]["usable_minutes"] = json!(9)),
        ["usable_minutes"]
    );
    assert_eq!(
        differ(|stored| stored["verdict"]["sentence"] = json!("5xx 0%")),
        ["sentence"]
    );

    let changed = differ(|stored| stored["minutes"][1]["c"]["ok"] = json!(611));
    assert!(changed.contains(&"log_e"), "{changed:?}");
}

/// Other platforms may round the last digits of a logarithm otherwise.
#[test]
fn the_last_digits_are_no_difference() {
    let mut stored: Value = serde_json::from_str(&judgement("exam").to_json()).unwrap();
    let nudge = |value: &mut Value| *value = json!(value.as_f64().unwrap() * (1.0 + 1e-14));
    for field in ["log_e", "log_e_promote"] {
        nudge(&mut stored["verdict"][field]);
    }
    nudge(&mut stored["verdict"]["reason"]["of"]["p"]);

    let nudged = Judgement::from_json(&stored.to_string()).unwrap();
    assert_eq!(differences(&nudged, &replay(&nudged)), []);

    stored["verdict"]["reason"]["of"]["p"] = json!(1e-12);
    let changed = Judgement::from_json(&stored.to_string()).unwrap();
    assert_eq!(differences(&changed, &replay(&changed))[0].field, "reason");
}
