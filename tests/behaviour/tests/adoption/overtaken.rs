//! The service's own stack updates it while a release is in progress: what the update replaced is
//! released again after it, and of two releases the newer one.

use std::time::Duration;

use behaviour::{ends, pass, push, until};
use harness::driver::{Driver, Fault, run};
use serde_json::json;

use super::scene::{REPOSITORY, definition, service};
use super::stack_updates::{
    deploy_by_hand, report, set_revision, starts, update_and_wait, with_grace,
};
use super::{PIPELINE, adopted, adopted_with, assert_runs, deployed};

/// Lets a release of an image run until its deployment is in progress.
async fn rolling_out(driver: &Driver, tag: &str) -> String {
    let pushed = push(driver, REPOSITORY, tag);
    let image = format!("@{pushed}");
    until(driver, |aws| {
        let seen = service(aws);
        let definition = definition(aws, &seen).to_string();
        definition.contains(&image) && aws.ecs.services.values().any(|it| it.is_deploying())
    })
    .await;
    pushed
}

#[test]
fn a_release_that_an_update_overtakes_is_released_again_after_it() {
    run(adopted(), Fault::None, async |driver| {
        let before = deployed(&driver, "1.0.0").await;
        let pushed = rolling_out(&driver, "1.1.0").await;
        update_and_wait(&driver, &with_grace(90)).await;
        pass(&driver, Duration::from_secs(20 * 60)).await;

        assert_runs(&driver, &pushed);
        let counts = (starts(&driver, &before), starts(&driver, &pushed));
        assert_eq!(counts, (1, 2));
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert_eq!(
            service(&driver.world.aws())["healthCheckGracePeriodSeconds"],
            90
        );
    });
}

#[test]
fn a_release_that_an_update_overtook_and_that_ended_before_it_is_released_again() {
    let aws = adopted_with(&[("ReleaseAfterStackUpdate", "no")]);
    run(aws, Fault::None, async |driver| {
        let of_stack = service(&driver.world.aws())["taskDefinition"].clone();
        let before = deployed(&driver, "1.0.0").await;
        let pushed = rolling_out(&driver, "1.1.0").await;
        report(&driver, "begun", "UPDATE_IN_PROGRESS").await;
        deploy_by_hand(&driver, &of_stack).await;
        ends(&driver, PIPELINE, &pushed, "superseded").await;

        let started = report(&driver, "complete", "UPDATE_COMPLETE").await;
        assert_eq!(started["digest"], pushed.as_str(), "{started}");
        pass(&driver, Duration::from_secs(20 * 60)).await;
        assert_runs(&driver, &pushed);
        assert_eq!(starts(&driver, &before), 1);
    });
}

#[test]
fn an_update_that_ends_during_the_release_that_it_overtook_is_followed_after_that_release() {
    let aws = adopted_with(&[("ReleaseAfterStackUpdate", "no")]);
    run(aws, Fault::None, async |driver| {
        let of_stack = service(&driver.world.aws())["taskDefinition"].clone();
        let before = deployed(&driver, "1.0.0").await;
        let pushed = rolling_out(&driver, "1.1.0").await;
        report(&driver, "begun", "UPDATE_IN_PROGRESS").await;
        set_revision(&driver, &of_stack);
        let ended = report(&driver, "complete", "UPDATE_COMPLETE").await;
        let reason = "a release of the pipeline is in progress";
        assert_eq!(ended, json!({"status": "ignored", "reason": reason}));

        pass(&driver, Duration::from_secs(40 * 60)).await;
        let counts = (starts(&driver, &before), starts(&driver, &pushed));
        assert_eq!(counts, (1, 2));
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert_runs(&driver, &pushed);
    });
}
