//! Releases by canary.

use emulator::ecr::Answers;
use emulator::lambda;
use harness::demo::canary::{ask, become_canary};
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};

use crate::golden::{GoldenPart, check};
use behaviour::pair::{self, until_action};
use behaviour::shop::{SHORT, push, release, shop};
use behaviour::{assert_outcome, ends};

#[test]
fn a_good_image() {
    let first: GoldenPart = (
        "canary-good-first",
        &[
            "swap-target-groups, action shift-first",
            "evaluate-canary, action judge",
        ],
    );
    let end: GoldenPart = (
        "canary-good-end",
        &[
            "swap-target-groups, action shift-all",
            "update-service, action retire",
            "finish-release",
        ],
    );
    check(&[first, end], shop(), async |driver| {
        let execution = release(driver, "2.0.0", Answers::GOOD).await;
        assert_outcome(driver, &execution, "deployed");
    });
}

#[test]
fn a_bad_image() {
    let parts: [GoldenPart; 2] = [
        ("canary-bad", &["evaluate-canary"]),
        ("canary-bad-roll-back", &["roll-back"]),
    ];
    check(&parts, shop(), async |driver| {
        let execution = release(driver, "2.1.0", Answers::GOOD.failing(0.02)).await;
        assert_outcome(driver, &execution, "rolled-back");
    });
}

/// No request comes, so that nothing can be shown; an operator decides to go back.
#[test]
fn a_hold_and_a_decision() {
    let mut aws = shop();
    let changes = [&SHORT[..], &[("HoldMinutes", "30")]].concat();
    become_canary(&mut aws, &changes).expect("the template deploys");
    ask(&mut aws, 0.0).expect("there is a shop");
    check(
        &[("canary-hold", &["evaluate-canary"])],
        aws,
        async |driver| {
            let pushed = push(driver, "2.3.0", Answers::GOOD);
            until_action(driver, &pushed, "judge", 99)
                .await
                .expect("it holds");
            {
                let mut aws = driver.world.aws();
                let function = format!("{FUNCTIONS_STACK}-evaluate-canary");
                let path =
                    "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";
                let sent = aws
                    .lambda
                    .invocations
                    .iter()
                    .rev()
                    .filter(|one| one.function == function);
                let sent = sent
                    .filter_map(|one| one.payload.pointer(path)?.as_str())
                    .next()
                    .expect("it was judged");
                let mut parameters: Value = serde_json::from_str(sent).expect("JSON");
                parameters["decision"] = json!("roll-back");
                lambda::invoke_async(&mut aws, &function, json!({ "parameters": parameters }))
                    .expect("accepted");
            }
            driver.world.touch();

            ends(driver, pair::PIPELINE, &pushed, "rolled-back").await;
        },
    );
}
