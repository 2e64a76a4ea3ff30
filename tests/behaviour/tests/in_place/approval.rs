//! An approval in place: until it is given, the family has no new revision.

use emulator::codepipeline::{self, ActionStatus};
use harness::demo::COUNTER;
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::executions;
use serde_json::json;

use behaviour::pair::update;
use behaviour::{account, outcome, push, settled, until};

const PIPELINE: &str = "slipway-page-counter";

/// The execution whose approval waits, and its token.
async fn waiting(driver: &Driver) -> (String, String) {
    let found = |aws: &emulator::Aws| {
        executions(aws, PIPELINE).find_map(|execution| {
            let action = execution.latest_action("Release", "approve")?;
            let waits = action.status == ActionStatus::InProgress;
            let token = action.token.clone().filter(|_| waits)?;
            Some((execution.id.clone(), token))
        })
    };
    until(driver, |aws| found(aws).is_some()).await;
    found(&driver.world.aws()).expect("it waits")
}

fn answer(driver: &Driver, token: &str, status: &str) {
    let result = json!({
        "pipelineName": PIPELINE, "stageName": "Release", "actionName": "approve", "token": token,
        "result": {"status": status, "summary": "an operator's word"},
    });
    codepipeline::call(&mut driver.world.aws(), "PutApprovalResult", &result).expect("it waits");
    driver.world.touch();
}

fn revisions(driver: &Driver) -> Vec<String> {
    let aws = driver.world.aws();
    aws.ecs
        .definition_arns()
        .filter(|arn| arn.contains("/page-counter:"))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn a_revision_is_registered_once_it_is_approved_and_not_before() {
    let mut aws = account();
    update(
        &mut aws,
        "page-counter-pipeline",
        &[("Approval", "yes"), ("TaskDefinitionFile", "")],
    );
    run(aws, Fault::None, async |driver| {
        let before = revisions(&driver);

        let rejected = push(&driver, COUNTER, "1.0.0");
        let (_, token) = waiting(&driver).await;
        assert_eq!(revisions(&driver), before);
        answer(&driver, &token, "Rejected");
        let execution = settled(&driver, PIPELINE, &rejected).await;
        assert_eq!(outcome(&driver, &execution), "failed");
        assert_eq!(revisions(&driver), before);

        let approved = push(&driver, COUNTER, "1.0.1");
        let (_, token) = waiting(&driver).await;
        assert_eq!(revisions(&driver), before);
        answer(&driver, &token, "Approved");
        let execution = settled(&driver, PIPELINE, &approved).await;
        assert_eq!(outcome(&driver, &execution), "deployed");
        assert_eq!(revisions(&driver).len(), before.len() + 1);
    });
}
