//! Revisions that could not be deregistered when their release was closed: the sweep tries again
//! for a day, and keeps no service meanwhile.

use emulator::ecs;
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::item;
use serde_json::{Value, json};
use slipway::release::Event;

use super::bench::*;
use super::families::{INTERNAL, second_service};
use behaviour::{deny, invoke, released, service};

const IN_USE: &str = "its revisions are in use, and not deregistered";
const DONE: &str = "deregistered the revisions of the closed release";

fn is_active(driver: &Driver, revision: &str) -> bool {
    driver.world.aws().ecs.is_active(revision)
}

/// The pending deregistration of the release by hand.
fn pending(driver: &Driver) -> Option<Value> {
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": format!("owed#{JANE}")}});
    item(&driver.world.aws(), &key)
}

/// Lets a day pass for the pending deregistration.
fn make_old(driver: &Driver) {
    let mut old = pending(driver).expect("it is pending");
    old["since"] = json!({"S": "2026-01-01T00:00:00Z"});
    put(driver, &old);
}

async fn sweep(driver: &Driver) -> Result<Value, String> {
    let swept = invoke(driver, "roll-back", json!({"sweep": true})).await?;
    Ok(swept["swept"].clone())
}

/// The release by hand, rolled back while its revision may not be deregistered.
async fn closed_without_deregistration(driver: &Driver) {
    registered(driver).await;
    look(driver, "update-service", update(json!({}))).await;
    deny(driver, "ecs:DeregisterTaskDefinition");

    let status = rolled_back(driver, "STOPPED").await;
    let end = "; roll-back tries again for 24h00m";
    assert!(status.ends_with(end), "{status}");
    assert!(lease(driver)["release"].is_null());
    assert!(pending(driver).is_some() && is_active(driver, "web:3"));
}

#[test]
fn a_revision_is_deregistered_once_that_is_allowed() {
    run(released(), Fault::None, async |driver| {
        closed_without_deregistration(&driver).await;
        pass(&driver, 600).await;
        let swept = sweep(&driver).await.expect("it waits");
        let status = swept[JANE].as_str().expect("a status");
        let start = "failed to deregister its revisions: ecs:DeregisterTaskDefinition failed: ";
        assert!(status.starts_with(start), "{status}");

        deny(&driver, "ecs:DescribeNothing");
        assert_eq!(sweep(&driver).await, Ok(json!({JANE: DONE})));
        assert!(!is_active(&driver, "web:3") && is_active(&driver, "web:2"));
        assert_eq!(pending(&driver), None);
        assert_eq!(sweep(&driver).await, Ok(json!({})));
    });
}

#[test]
fn after_a_day_the_sweep_names_the_command_once() {
    run(released(), Fault::None, async |driver| {
        closed_without_deregistration(&driver).await;
        pass(&driver, 600).await;
        make_old(&driver);

        let error = sweep(&driver).await.expect_err("it gives up");
        let why = format!(
            "{JANE}: its revisions are not deregistered after 24h00m: \
             ecs:DeregisterTaskDefinition failed: "
        );
        let command = format!(
            "; run aws ecs deregister-task-definition --task-definition {}",
            arn("web:3")
        );
        assert!(error.contains(&why), "{error}");
        assert!(error.contains(&command), "{error}");
        assert_eq!(pending(&driver), None);
        assert_eq!(sweep(&driver).await, Ok(json!({})));
        assert!(is_active(&driver, "web:3"));
    });
}

#[test]
fn a_revision_that_its_own_service_runs_again_is_kept() {
    run(released(), Fault::None, async |driver| {
        closed_without_deregistration(&driver).await;
        set(&driver, json!({"taskDefinition": arn("web:3")}));
        deny(&driver, "ecs:DescribeNothing");
        pass(&driver, 600).await;

        assert_eq!(sweep(&driver).await, Ok(json!({JANE: IN_USE})));
        make_old(&driver);
        assert_eq!(sweep(&driver).await, Ok(json!({JANE: IN_USE})));
        assert_eq!(pending(&driver), None);
        assert!(is_active(&driver, "web:3"));
    });
}

#[test]
fn a_revision_that_an_external_deployment_replaced_is_deregistered_once_it_is_unused() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;
        set(&driver, json!({"taskDefinition": arn("web:1")}));

        let status = rolled_back(&driver, "STOPPED").await;
        assert!(status.starts_with("superseded: "), "{status}");
        assert!(pending(&driver).is_some() && is_active(&driver, "web:3"));

        pass(&driver, 600).await;
        assert_eq!(sweep(&driver).await, Ok(json!({JANE: DONE})));
        assert_eq!(pending(&driver), None);
        let active = ["web:1", "web:2", "web:3"].map(|revision| is_active(&driver, revision));
        assert_eq!(active, [true, true, false]);
    });
}

#[test]
fn a_revision_whose_rollback_was_given_up_is_deregistered_once_it_is_unused() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;
        edit(&driver, WEB, |lease| after(lease, Event::TakenOver)).await;
        pass(&driver, 3_700).await;

        let status = rolled_back(&driver, "STOPPED").await;
        assert!(status.starts_with("failed: "), "{status}");
        assert_eq!(sweep(&driver).await, Ok(json!({JANE: IN_USE})));
        assert!(is_active(&driver, "web:3"));

        set(&driver, json!({"taskDefinition": arn("web:2")}));
        pass(&driver, 600).await;
        assert_eq!(sweep(&driver).await, Ok(json!({JANE: DONE})));
        assert_eq!(pending(&driver), None);
        assert!(!is_active(&driver, "web:3") && is_active(&driver, "web:2"));
    });
}

#[test]
fn an_item_that_cannot_be_read_keeps_the_revision_that_it_names() {
    run(released(), Fault::None, async |driver| {
        let unreadable = json!({
            "pk": {"S": "lease"}, "sk": {"S": "apps/other"}, "v": {"N": "2"},
        });
        let mut naming = unreadable.clone();
        naming["later"] = json!({"L": [{"S": arn("web:3")}]});
        put(&driver, &naming);
        registered(&driver).await;

        let status = rolled_back(&driver, "STOPPED").await;
        let end = "apps/other: `v` of a ledger item is 2; expected 1; roll-back tries again for \
                   24h00m";
        assert!(status.ends_with(end), "{status}");
        assert!(is_active(&driver, "web:3"));

        put(&driver, &unreadable);
        let error = sweep(&driver).await.expect_err("the item is reported");
        assert!(error.contains("apps/other: `v`"), "{error}");
        assert!(!is_active(&driver, "web:3"));
        assert_eq!(pending(&driver), None);
    });
}

/// What that item names may run there: its tasks are looked for by the cluster of its key.
#[test]
fn tasks_are_looked_for_in_the_cluster_of_an_item_that_cannot_be_read_too() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let elsewhere = json!({
            "pk": {"S": "lease"}, "sk": {"S": "elsewhere/other"}, "v": {"N": "2"},
        });
        put(&driver, &elsewhere);
        let since = calls(&driver);
        rolled_back(&driver, "STOPPED").await;

        let aws = driver.world.snapshot();
        let looked = aws.calls[since..].iter().any(|call| {
            call.operation == "ListTasks"
                && call.error.as_deref() == Some("ClusterNotFoundException")
        });
        assert!(looked, "no task was looked for in `elsewhere`");
        assert!(!is_active(&driver, "web:3"));
    });
}

/// As if roll-back had ended between the write of it and the close of the release.
#[test]
fn what_is_pending_of_a_release_that_is_not_closed_is_left_to_its_close() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let key = json!({"pk": {"S": "lease"}, "sk": {"S": "apps/web"}});
        let held = item(&driver.world.aws(), &key).expect("it is held");
        let early = json!({
            "pk": {"S": "lease"}, "sk": {"S": format!("owed#{JANE}")}, "v": {"N": "1"},
            "since": {"S": "2026-01-01T00:00:00Z"}, "lease": {"M": held},
        });
        put(&driver, &early);

        let left = "CodePipeline does not know the execution: a manual release, left open";
        assert_eq!(sweep(&driver).await, Ok(json!({JANE: left})));
        assert_eq!(pending(&driver), Some(early));
        assert!(is_active(&driver, "web:3"));
    });
}

/// Nothing that a release may read shows which revision a service without tasks has, unless a
/// release of it is open. ECS lets it scale all the same.
#[test]
fn a_service_without_tasks_keeps_no_revision_of_another_release_and_scales_with_it() {
    run(released(), Fault::None, async |driver| {
        second_service(&driver).await;
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        let scale = |more: Value| {
            let mut input = json!({"cluster": CLUSTER, "service": INTERNAL});
            let members = input.as_object_mut().expect("an object");
            members.extend(more.as_object().expect("an object").clone());
            ecs::call(&mut driver.world.aws(), "UpdateService", &input).expect("legal");
        };

        scale(json!({"taskDefinition": arn("web:3"), "desiredCount": 0}));
        pass(&driver, 600).await;
        rolled_back(&driver, "FAILED").await;
        assert!(!is_active(&driver, "web:3"));

        scale(json!({"desiredCount": 1}));
        pass(&driver, 600).await;
        let found = service(&driver.world.aws(), CLUSTER, INTERNAL);
        assert_eq!(found["taskDefinition"], arn("web:3"));
        assert_eq!(found["runningCount"], 1);
    });
}
