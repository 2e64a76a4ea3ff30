//! Claims that led to nothing, of images that the repository does not have any more as they were
//! pushed: the sweep ends them with the reason.

use behaviour::invoke_with;
use emulator::client::CallFault;
use emulator::ecr::{self, Behaviour};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::text;
use serde_json::{Value, json};

use crate::sweep::{
    TOOLS, claim, deliver_last, last_event, nothing, pass_minutes, started, subscription, sweep,
    tag, tools, without_a_rule,
};

const NOT_THERE: &str = "the repository does not have the image any more, or not with a tag that \
    the pipeline delivers: it was deleted or archived, or its tag was moved to another image";

/// Pushes an image, and lets the invocation of its event die between its claim and the start.
async fn claimed_only(driver: &Driver, subscription: &Value) -> String {
    let pushed = ecr::push(&mut driver.world.aws(), TOOLS, "stable", Behaviour::Healthy);
    let pushed = pushed.expect("pushed");
    let input = json!({"subscription": subscription, "event": last_event(driver)});
    // It is the newest push with the fifth call, and the sixth starts the pipeline.
    let crash = CallFault::CrashAfter(5);
    let crashed = invoke_with(driver, "start-pipeline", input, crash).await;
    crashed.expect_err("it died before it started the pipeline");
    let claimed = claim(driver, &pushed).expect("claimed");
    assert_eq!(text(&claimed, "execution"), None);
    pushed
}

fn refused(pushed: &str) -> Value {
    json!({"status": "refused", "digest": pushed, "reason": NOT_THERE})
}

#[test]
fn a_claim_whose_image_was_deleted_is_refused_once_and_never_started() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let pushed = claimed_only(&driver, &of_tools).await;
        ecr::delete(&mut driver.world.aws(), TOOLS, &pushed).expect("deleted");

        pass_minutes(&driver, 9).await;
        assert_eq!(sweep(&driver, of_tools.clone()).await, nothing());
        pass_minutes(&driver, 2).await;
        let swept = sweep(&driver, of_tools.clone()).await;
        assert_eq!(swept["missed"], json!([refused(&pushed)]));
        let ended = claim(&driver, &pushed).expect("recorded");
        assert_eq!(text(&ended, "refusal"), Some(NOT_THERE));
        assert_eq!(sweep(&driver, of_tools).await, nothing());
        assert_eq!(started(&driver, &pushed), 0);
    });
}

#[test]
fn a_claim_whose_tag_has_returned_to_another_image_is_refused_and_that_one_is_started() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let other = ecr::push(&mut driver.world.aws(), TOOLS, "stable", Behaviour::Exits);
        let other = other.expect("pushed");
        assert_eq!(deliver_last(&driver, &of_tools).await["status"], "started");
        pass_minutes(&driver, 11).await;
        let pushed = claimed_only(&driver, &of_tools).await;
        tag(&driver, TOOLS, &other, "stable");

        pass_minutes(&driver, 11).await;
        let swept = sweep(&driver, of_tools.clone()).await;
        assert_eq!(swept["missed"][0], refused(&pushed));
        assert_eq!(swept["missed"][1]["status"], "started", "{swept}");
        assert_eq!(swept["missed"][1]["digest"], json!(other));
        assert_eq!(
            (started(&driver, &pushed), started(&driver, &other)),
            (0, 2)
        );
        assert_eq!(sweep(&driver, of_tools).await, nothing());
    });
}

#[test]
fn a_claim_of_an_image_that_the_pipeline_takes_no_longer_is_refused_with_that_reason() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let pushed = claimed_only(&driver, &of_tools).await;
        let mut of_versions = subscription();
        of_versions["repository"] = json!(TOOLS);
        of_versions["tag_rule"] = json!("semver:*");

        pass_minutes(&driver, 11).await;
        let swept = sweep(&driver, of_versions).await;
        assert_eq!(swept["missed"], json!([refused(&pushed)]));
        assert_eq!(started(&driver, &pushed), 0);
    });
}
