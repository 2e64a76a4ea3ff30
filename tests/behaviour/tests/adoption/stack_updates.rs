//! A stack whose service names an exact revision is updated as before: the update sets the service
//! to the image of the template, and the release comes back by itself, with what the update
//! changed.

use std::time::Duration;

use behaviour::{ends, invoke_deployed, ledger_table, pass, push, reason, settled, until};
use emulator::{Aws, dynamodb, ecs, eventbridge};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{digest, executions, item};
use serde_json::{Value, json};

use super::scene::{
    Command, REPOSITORY, SERVICE, STACK, TASK_DEFINITION, by_cdk, definition, printed, service,
    steady, template, update,
};
use super::{
    PAGE, PIPELINE, adopted, adopted_with, assert_runs, assert_runs_image_of_cdk, deployed,
    naming_the_family, property, update_by_cdk,
};

/// How often the pipeline was started with a digest.
pub(super) fn starts(driver: &Driver, pushed: &str) -> usize {
    let aws = driver.world.aws();
    executions(&aws, PIPELINE)
        .filter(|execution| digest(execution) == Some(pushed))
        .count()
}

/// The CDK changes a property of the service only.
pub(super) fn with_grace(seconds: u32) -> Value {
    let mut changed = template();
    *property(&mut changed, SERVICE, "HealthCheckGracePeriodSeconds") = json!(seconds);
    changed
}

/// The CDK deploys its stack, and all that follows from it ends.
pub(super) async fn update_and_wait(driver: &Driver, template: &Value) {
    update_by_cdk(driver, template).await;
    pass(driver, Duration::from_secs(20 * 60)).await;
}

/// Sets the service to a revision, past Slipway.
pub(super) fn set_revision(driver: &Driver, revision: &Value) {
    let seen = service(&driver.world.aws());
    let input = json!({
        "cluster": seen["clusterArn"], "service": seen["serviceName"], "taskDefinition": revision,
    });
    ecs::call(&mut driver.world.aws(), "UpdateService", &input).expect("legal");
    driver.world.touch();
}

/// An operator deploys a revision of the service, past Slipway.
pub(super) async fn deploy_by_hand(driver: &Driver, revision: &Value) {
    set_revision(driver, revision);
    until(driver, |aws| {
        let mut services = aws.ecs.services.values();
        services.all(|service| !service.is_deploying())
    })
    .await;
    pass(driver, Duration::from_secs(60)).await;
}

/// The template of the stack, as CloudFormation has it.
fn body(aws: &Aws) -> &str {
    &aws.cloudformation.stack(STACK).expect("the stack").body
}

#[test]
fn a_release_comes_back_with_what_an_update_of_the_service_by_its_own_stack_changed() {
    run(adopted(), Fault::None, async |driver| {
        let pushed = deployed(&driver, "1.0.0").await;
        let mut changed = with_grace(90);
        *property(&mut changed, TASK_DEFINITION, "Memory") = json!("1024");
        update_and_wait(&driver, &changed).await;

        assert_runs(&driver, &pushed);
        assert_eq!(starts(&driver, &pushed), 2);
        let execution = ends(&driver, PIPELINE, &pushed, "deployed").await;

        let aws = driver.world.snapshot();
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
        let seen = service(&aws);
        assert_eq!(seen["healthCheckGracePeriodSeconds"], 90);
        assert_eq!(definition(&aws, &seen)["memory"], "1024");
        let sent = serde_json::to_string_pretty(&changed).expect("JSON");
        assert_eq!(body(&aws), sent);

        let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": pushed}});
        let claim = item(&aws, &key).expect("a claim");
        let led_to = claim["execution"]["S"].as_str();
        assert_eq!(led_to, Some(execution.as_str()), "a rollback refuses it");

        let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": "newest"}});
        let newest = item(&aws, &key).expect("the newest push");
        assert_ne!(newest["claimed_at"], claim["claimed_at"], "it was taken");
        assert_eq!(newest.get("restarting"), None, "and given back");
    });
}

#[test]
fn each_further_update_brings_the_release_back_once() {
    run(adopted(), Fault::None, async |driver| {
        let pushed = deployed(&driver, "1.0.0").await;
        driver.world.aws().events.faults.duplicate_percent = 100;
        for (updates, grace) in [(1, 90), (2, 120)] {
            update_and_wait(&driver, &with_grace(grace)).await;
            assert_runs(&driver, &pushed);
            assert_eq!(starts(&driver, &pushed), 1 + updates);
        }
    });
}

#[test]
fn a_service_that_an_operator_returned_to_the_revision_of_the_stack_stays_there() {
    run(adopted(), Fault::None, async |driver| {
        let of_stack = service(&driver.world.aws())["taskDefinition"].clone();
        let pushed = deployed(&driver, "1.0.0").await;
        deploy_by_hand(&driver, &of_stack).await;

        update_and_wait(&driver, &with_grace(90)).await;
        assert_runs_image_of_cdk(&driver);
        assert_eq!(starts(&driver, &pushed), 1);
    });
}

#[test]
fn a_service_that_an_operator_returned_to_an_older_release_gets_that_one_again() {
    run(adopted(), Fault::None, async |driver| {
        let older = deployed(&driver, "1.0.0").await;
        let revision = service(&driver.world.aws())["taskDefinition"].clone();
        let newer = deployed(&driver, "1.1.0").await;
        deploy_by_hand(&driver, &revision).await;

        update_and_wait(&driver, &with_grace(90)).await;
        assert_runs(&driver, &older);
        assert_eq!((starts(&driver, &older), starts(&driver, &newer)), (2, 1));
    });
}

#[test]
fn a_push_during_the_update_is_not_replaced_by_what_ran_before_it() {
    run(adopted(), Fault::None, async |driver| {
        let before = deployed(&driver, "1.0.0").await;
        update(&mut driver.world.aws(), &with_grace(90));
        driver.world.touch();
        let pushed = push(&driver, REPOSITORY, "1.1.0");
        ends(&driver, PIPELINE, &pushed, "deployed").await;

        pass(&driver, Duration::from_secs(20 * 60)).await;
        assert_runs(&driver, &pushed);
        assert_eq!(starts(&driver, &before), 1);
    });
}

#[test]
fn a_service_that_names_its_family_keeps_the_release_and_nothing_is_started() {
    let mut aws = by_cdk();
    let mut named = naming_the_family();
    update(&mut aws, &named);
    Command::of(PAGE, &printed(&aws)).run(&mut aws);

    run(steady(aws), Fault::None, async |driver| {
        let pushed = deployed(&driver, "1.0.0").await;
        *property(&mut named, SERVICE, "HealthCheckGracePeriodSeconds") = json!(90);
        update_and_wait(&driver, &named).await;
        assert_runs(&driver, &pushed);
        assert_eq!(starts(&driver, &pushed), 1);
    });
}

#[test]
fn what_an_update_replaced_comes_back_in_a_freeze_and_what_is_new_does_not_go_out() {
    let window = "2026-01-05T12:00/2026-01-08T12:00";
    let aws = adopted_with(&[("FreezeWindows", window)]);
    run(aws, Fault::None, async |driver| {
        let before = deployed(&driver, "1.0.0").await;
        pass(&driver, Duration::from_secs(3 * 3_600)).await;
        update_and_wait(&driver, &with_grace(90)).await;
        assert_runs(&driver, &before);
        assert_eq!(starts(&driver, &before), 2);

        let pushed = push(&driver, REPOSITORY, "1.1.0");
        let execution = settled(&driver, PIPELINE, &pushed).await;
        let why = reason(&driver, &execution);
        assert!(
            why.starts_with("frozen: until 2026-01-08 12:00 UTC"),
            "{why}"
        );
        assert_runs(&driver, &before);
    });
}

#[test]
fn what_a_freeze_ended_goes_out_after_it_although_an_older_release_came_back_meanwhile() {
    let aws = adopted_with(&[("FreezeWindows", "2026-01-05T12:00/2026-01-06T18:00")]);
    run(aws, Fault::None, async |driver| {
        let before = deployed(&driver, "1.0.0").await;
        pass(&driver, Duration::from_secs(3 * 3_600)).await;
        let pushed = push(&driver, REPOSITORY, "1.1.0");
        settled(&driver, PIPELINE, &pushed).await;
        update_and_wait(&driver, &with_grace(90)).await;
        assert_runs(&driver, &before);
        assert_eq!(starts(&driver, &pushed), 1, "it is frozen");

        let rule = json!({"Name": "slipway-sweep"});
        emulator::eventbridge::call(&mut driver.world.aws(), "DisableRule", &rule)
            .expect("the rule is there");
        pass(&driver, Duration::from_secs(30 * 3_600)).await;
        let swept = invoke_deployed(&driver, "roll-back", json!({"sweep": true})).await;
        swept.expect("nothing fails");
        assert_eq!(starts(&driver, &pushed), 2);

        ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert_runs(&driver, &pushed);
    });
}

/// Invokes the function with a report of CloudFormation, as the rule of the pipeline does.
pub(super) async fn report(driver: &Driver, id: &str, status: &str) -> Value {
    let answer = reported(driver, id, status).await;
    answer.expect("understood")
}

async fn reported(driver: &Driver, id: &str, status: &str) -> Result<Value, String> {
    let (role, arn) = {
        let aws = driver.world.aws();
        let stack = aws.cloudformation.stack("storefront-pipeline");
        let role = &stack.expect("the pipeline").outputs["DeployRoleArn"];
        (role.clone(), service(&aws)["serviceArn"].clone())
    };
    let subscription = json!({"pipeline": PIPELINE, "action": "Image", "deploy_role": role});
    let event = json!({
        "version": "0", "id": id, "source": "aws.cloudformation",
        "detail-type": "CloudFormation Resource Status Change", "account": "111122223333",
        "region": "eu-west-1", "time": "2026-01-05T09:00:00Z", "resources": [],
        "detail": {
            "stack-id": "arn:aws:cloudformation:eu-west-1:111122223333:stack/Storefront/1",
            "logical-resource-id": SERVICE, "physical-resource-id": arn,
            "status-details": {"status": status, "status-reason": ""},
            "resource-type": "AWS::ECS::Service", "client-request-token": "",
        },
    });
    let input = json!({"subscription": subscription, "event": event});
    invoke_deployed(driver, "start-pipeline", input).await
}

/// Claims the newest push once more, as an invocation does before it starts the pipeline.
fn claim_newest(aws: &mut Aws) {
    let table = ledger_table(aws);
    let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": "newest"}});
    let get = json!({"TableName": table, "Key": key});
    let mut item = dynamodb::call(aws, "GetItem", &get).expect("the table is there")["Item"].take();
    item["claimed_at"] = json!({"S": eventbridge::timestamp(aws.now)});
    let put = json!({"TableName": table, "Item": item});
    dynamodb::call(aws, "PutItem", &put).expect("an item");
}

#[test]
fn what_ran_before_an_update_waits_while_a_push_may_be_starting_the_pipeline() {
    let aws = adopted_with(&[("ReleaseAfterStackUpdate", "no")]);
    run(aws, Fault::None, async |driver| {
        let of_stack = service(&driver.world.aws())["taskDefinition"].clone();
        let pushed = deployed(&driver, "1.0.0").await;
        report(&driver, "begun", "UPDATE_IN_PROGRESS").await;
        deploy_by_hand(&driver, &of_stack).await;

        claim_newest(&mut driver.world.aws());
        let early = reported(&driver, "complete", "UPDATE_COMPLETE").await;
        let why = format!(
            "another invocation claimed {} and may be starting the pipeline; retrying",
            &pushed[..19]
        );
        assert_eq!(early, Err(why));
        assert_eq!(starts(&driver, &pushed), 1);

        pass(&driver, Duration::from_secs(61)).await;
        let later = report(&driver, "complete", "UPDATE_COMPLETE").await;
        assert_eq!(later["status"], "started", "{later}");
    });
}

#[test]
fn reports_that_are_delivered_again_change_nothing() {
    let aws = adopted_with(&[("ReleaseAfterStackUpdate", "no")]);
    run(aws, Fault::None, async |driver| {
        let of_stack = service(&driver.world.aws())["taskDefinition"].clone();
        let pushed = deployed(&driver, "1.0.0").await;
        let noted = report(&driver, "begun", "UPDATE_IN_PROGRESS").await;
        assert_eq!(noted, json!({"status": "noted", "digest": pushed}));

        deploy_by_hand(&driver, &of_stack).await;
        let again = report(&driver, "begun", "UPDATE_IN_PROGRESS").await;
        let reason = "the beginning of this update is noted already";
        assert_eq!(again, json!({"status": "ignored", "reason": reason}));

        let started = report(&driver, "complete", "UPDATE_COMPLETE").await;
        let execution = started["execution"].clone();
        assert_eq!(
            started,
            json!({"status": "started", "execution": execution, "digest": pushed})
        );
        let again = report(&driver, "complete", "UPDATE_COMPLETE").await;
        let reason = "a release of the pipeline is in progress";
        assert_eq!(again, json!({"status": "ignored", "reason": reason}));

        pass(&driver, Duration::from_secs(20 * 60)).await;
        assert_runs(&driver, &pushed);
        let again = report(&driver, "complete", "UPDATE_COMPLETE").await;
        assert_eq!(again, json!({"status": "known", "execution": execution}));
        assert_eq!(starts(&driver, &pushed), 2);

        // Both come once more, after an operator has returned the service.
        deploy_by_hand(&driver, &of_stack).await;
        let again = report(&driver, "begun", "UPDATE_IN_PROGRESS").await;
        let reason = "the beginning of this update is noted already";
        assert_eq!(again, json!({"status": "ignored", "reason": reason}));
        let again = report(&driver, "complete", "UPDATE_COMPLETE").await;
        assert_eq!(again, json!({"status": "known", "execution": execution}));
        assert_eq!(starts(&driver, &pushed), 2);
        assert_runs_image_of_cdk(&driver);
    });
}

#[test]
fn an_event_that_is_no_update_of_a_service_is_ignored_with_the_reason() {
    run(adopted(), Fault::None, async |driver| {
        let failed = report(&driver, "failed", "UPDATE_FAILED").await;
        let reason = "UPDATE_FAILED of an AWS::ECS::Service is not an update of a service; \
                      expected UPDATE_IN_PROGRESS or UPDATE_COMPLETE of an AWS::ECS::Service";
        assert_eq!(failed, json!({"status": "ignored", "reason": reason}));
    });
}
