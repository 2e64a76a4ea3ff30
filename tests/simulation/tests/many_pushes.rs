//! The simulation of pushes on the first seeds, that a seed determines a run, and that its
//! invariants notice what they are about.

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::{Aws, codepipeline, dynamodb, ecr, eventbridge};
use harness::cores::on_all_cores;
use invariants::deliveries::kept;
use serde_json::{Value, json};
use simulation::pushes::{PushAct, PushPlan, Started, Timed, draw, play, started};

/// Seeds of the test below.
const SEEDS: u64 = 40;

#[test]
fn the_invariants_hold_whatever_the_first_seeds_draw() {
    let all: Vec<u64> = (1..=SEEDS).collect();
    let played = on_all_cores(&all, |seed| play(&draw(*seed), false));

    let failed = all.iter().zip(&played);
    let failed = failed.filter_map(|(seed, played)| Some((seed, played.failure.as_ref()?)));
    let failed: BTreeMap<_, _> = failed.collect();
    assert!(
        failed.is_empty(),
        "cargo sandbox simulate --scenario pushes --seed <seed> --trace: {failed:#?}"
    );
    let starts: u64 = played.iter().map(|played| played.coverage.starts).sum();
    assert!(starts > 5 * SEEDS, "{starts} starts");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let transcript = |seed| {
        let plan = draw(seed);
        let played = play(&plan, true);
        (plan.to_string(), played.trace, played.coverage)
    };
    let first = transcript(7);
    let other = transcript(8);
    assert_eq!(first, transcript(7));
    assert_ne!(first.1, other.1);
}

/// Two versions a minute apart, of which nothing goes wrong.
#[test]
fn pushes_that_nothing_goes_wrong_with_are_started_in_their_order() {
    let version = |at| Timed {
        at: Duration::from_secs(at),
        repository: 0,
        act: PushAct::PushVersion,
    };
    let plan = PushPlan {
        seed: 1,
        repositories: 3,
        acts: vec![version(60), version(120)],
        incidents: Vec::new(),
        doubled_percent: 0,
    };
    let played = play(&plan, true);
    assert_eq!(played.failure, None);
    assert_eq!(played.coverage.starts, 3 + 2);
}

/// Pushes a version to the first repository, of which the rule forwards nothing.
fn push(aws: &mut Aws, tag: &str) -> String {
    let pushed = ecr::push(aws, "team/service-0", tag, ecr::Behaviour::Healthy);
    aws.now += 60_000;
    pushed.expect("pushed")
}

fn start(aws: &mut Aws, digest: &str) {
    let revision = json!({
        "actionName": "Image", "revisionType": "IMAGE_DIGEST", "revisionValue": digest,
    });
    let input = json!({"name": "service-0", "sourceRevisions": [revision]});
    codepipeline::call(aws, "StartPipelineExecution", &input).expect("started");
    aws.now += 60_000;
}

/// What the invariants find after executions that were started past Slipway.
fn found(change: impl Fn(&mut Aws)) -> String {
    let Started {
        mut aws, delivered, ..
    } = started(3).expect("an account");
    kept(&aws, &delivered).expect("nothing is wrong yet");
    change(&mut aws);
    kept(&aws, &delivered).expect_err("something is wrong")
}

#[test]
fn a_push_that_led_to_nothing_is_found() {
    let found = found(|aws| drop(push(aws, "v2.0.0")));
    assert!(
        found.starts_with("invariant 4: service-0 knows nothing of sha256:"),
        "{found}"
    );
}

#[test]
fn what_was_started_with_a_tag_that_is_not_delivered_is_found() {
    let found = found(|aws| {
        let other = push(aws, "dev");
        start(aws, &other);
    });
    assert!(
        found.ends_with("which had no tag that it delivers"),
        "{found}"
    );
}

/// Writes an item of the ledger.
fn write(aws: &mut Aws, item: &Value) {
    let stack = aws.cloudformation.stack("slipway").expect("deployed");
    let table = stack.resource("LedgerTable").expect("a table");
    let put = json!({"TableName": table.physical_id, "Item": item});
    dynamodb::call(aws, "PutItem", &put).expect("written");
}

/// As if a push had led to an execution.
fn claim(aws: &mut Aws, digest: &str) {
    let item = json!({
        "pk": {"S": "push#service-0"}, "sk": {"S": digest}, "execution": {"S": "e-1"},
    });
    write(aws, &item);
}

#[test]
fn a_push_that_was_claimed_and_not_started_is_found() {
    let found = found(|aws| {
        let pushed = push(aws, "v2.0.0");
        let item = json!({"pk": {"S": "push#service-0"}, "sk": {"S": pushed}});
        write(aws, &item);
    });
    assert!(found.ends_with("and nothing came of it"), "{found}");
}

#[test]
fn an_older_push_that_was_started_after_a_newer_one_is_found() {
    let found = found(|aws| {
        let [older, newer] = ["v2.0.0", "v2.0.1"].map(|tag| push(aws, tag));
        for digest in [&newer, &older] {
            claim(aws, digest);
            start(aws, digest);
        }
    });
    assert!(
        found.starts_with("invariant 5: service-0 was started with sha256:"),
        "{found}"
    );
}

#[test]
fn a_push_that_was_started_twice_is_found() {
    let found = found(|aws| {
        let pushed = push(aws, "v2.0.0");
        claim(aws, &pushed);
        start(aws, &pushed);
        start(aws, &pushed);
    });
    assert!(found.contains("got a tag 1 times"), "{found}");
}

#[test]
fn what_was_started_after_its_rollback_is_found() {
    let found = found(|aws| {
        let pushed = push(aws, "v2.0.0");
        claim(aws, &pushed);
        let item = json!({
            "pk": {"S": "execution#e-1"}, "sk": {"S": "record"}, "outcome": {"S": "rolled-back"},
            "pipeline": {"S": "service-0"}, "digest": {"S": pushed}, "execution": {"S": "e-1"},
            "ended_at": {"S": eventbridge::timestamp(aws.now)},
        });
        write(aws, &item);
        aws.now += 600_000;
        start(aws, &pushed);
    });
    assert!(found.starts_with("invariant 5: sha256:"), "{found}");
    assert!(found.contains("was rolled back by e-1"), "{found}");
}
