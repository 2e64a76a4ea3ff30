//! Missed pushes of which one cannot be delivered: the sweep delivers the others, and fails.

use behaviour::{ledger_table, writes};
use emulator::dynamodb;
use emulator::ecr::{self, Behaviour};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::text;
use serde_json::{Value, json};

use crate::sweep::{
    PIPELINE, TOOLS, claim, deliver_last, nothing, pass_minutes, started, sweep, swept, tag, tools,
    without_a_rule,
};

/// Writes the claim of a digest in a version that is not known.
fn make_unreadable(driver: &Driver, pushed: &str) {
    let table = ledger_table(&driver.world.aws());
    let claim = json!({
        "pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": pushed}, "v": {"N": "2"},
    });
    let put = json!({"TableName": table, "Item": claim});
    dynamodb::call(&mut driver.world.aws(), "PutItem", &put).expect("an item");
}

fn delete_claim(driver: &Driver, pushed: &str) {
    let table = ledger_table(&driver.world.aws());
    let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": pushed}});
    let delete = json!({"Delete": {"TableName": table, "Key": key}});
    let input = json!({"TransactItems": [delete]});
    dynamodb::call(&mut driver.world.aws(), "TransactWriteItems", &input).expect("deleted");
}

/// The changing calls of a sweep that fails because of a claim that cannot be read.
async fn failing_sweep(driver: &Driver, subscription: &Value) -> Vec<String> {
    let since = driver.world.aws().calls.len();
    let failed = swept(driver, subscription.clone()).await;
    let error = failed.expect_err("one push cannot be delivered");
    let expected = "`v` of a ledger item is 2; expected 1";
    assert!(error.ends_with(expected), "{error}");

    let written = writes(&driver.world.aws(), since).into_iter();
    let own = written.filter_map(|write| {
        let operation = write.strip_suffix(" of slipway-start-pipeline")?;
        Some(operation.to_owned())
    });
    own.collect()
}

#[test]
fn a_missed_push_that_fails_hides_no_other_one_and_is_reported() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let mut pushed = Vec::new();
        for tag in ["2.0.0", "2.0.1", "2.0.2"] {
            let digest = ecr::push(&mut driver.world.aws(), TOOLS, tag, Behaviour::Healthy);
            pushed.push(digest.expect("pushed"));
            pass_minutes(&driver, 1).await;
        }
        let [oldest, older, newest] = &pushed[..] else {
            panic!("three pushes");
        };
        make_unreadable(&driver, newest);
        pass_minutes(&driver, 11).await;

        // The claim, the newest push, the start, its record and its execution of the one, and the
        // refusal of the other.
        let expected = [
            "PutItem",
            "PutItem",
            "StartPipelineExecution",
            "TransactWriteItems",
            "PutItem",
            "PutItem",
        ];
        assert_eq!(failing_sweep(&driver, &of_tools).await, expected);
        assert_eq!((started(&driver, newest), started(&driver, older)), (0, 1));
        let superseded = claim(&driver, oldest).expect("recorded");
        let refusal = text(&superseded, "refusal").expect("a reason");
        assert!(refusal.starts_with("superseded: "), "{refusal}");
        let again = failing_sweep(&driver, &of_tools).await;
        assert_eq!(again, Vec::<String>::new());

        delete_claim(&driver, newest);
        let swept = sweep(&driver, of_tools.clone()).await;
        assert_eq!(swept["missed"][0]["digest"], json!(newest), "{swept}");
        assert_eq!(started(&driver, newest), 1);
        pass_minutes(&driver, 11).await;
        assert_eq!(sweep(&driver, of_tools).await, nothing());
    });
}

/// Starts the pipeline with three images, of which the last two had one tag in turn.
async fn three_started(driver: &Driver, subscription: &Value) -> [String; 3] {
    let mut pushed = Vec::new();
    for (tag, behaviour) in [
        ("1.0.0", Behaviour::Healthy),
        ("stable", Behaviour::Healthy),
        ("stable", Behaviour::Exits),
    ] {
        let digest = ecr::push(&mut driver.world.aws(), TOOLS, tag, behaviour);
        let answer = deliver_last(driver, subscription).await;
        assert_eq!(answer["status"], "started", "{answer}");
        pushed.push(digest.expect("pushed"));
        pass_minutes(driver, 11).await;
    }
    pushed.try_into().expect("three")
}

#[test]
fn an_older_push_that_fails_hides_no_tag_that_returned() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let [oldest, returned, _] = three_started(&driver, &of_tools).await;
        make_unreadable(&driver, &oldest);
        tag(&driver, TOOLS, &returned, "stable");

        let expected = [
            "PutItem",
            "PutItem",
            "StartPipelineExecution",
            "TransactWriteItems",
            "PutItem",
        ];
        assert_eq!(failing_sweep(&driver, &of_tools).await, expected);
        assert_eq!(started(&driver, &returned), 2);
    });
}

#[test]
fn a_tag_that_returned_does_not_overtake_a_newer_push_that_fails() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let [_, returned, _] = three_started(&driver, &of_tools).await;
        tag(&driver, TOOLS, &returned, "stable");
        let newer = ecr::push(&mut driver.world.aws(), TOOLS, "2.0.0", Behaviour::Healthy);
        let newer = newer.expect("pushed");
        make_unreadable(&driver, &newer);
        pass_minutes(&driver, 11).await;

        let written = failing_sweep(&driver, &of_tools).await;
        assert_eq!(written, Vec::<String>::new());
        assert_eq!(started(&driver, &returned), 1);
    });
}
