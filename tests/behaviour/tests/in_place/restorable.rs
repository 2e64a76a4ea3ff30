//! The prior release is proven restorable before anything is changed, and it is restored although
//! its revision was deregistered.

use emulator::client::CallFault;
use emulator::{Quirk, ecr, ecs};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::json;
use slipway::release::{Change, Event, Lease, Target};
use slipway::task_definition::TaskDefinition;

use super::bench::*;
use behaviour::{deny, invoke_with, push, released, without_mark};

/// The image of a revision of web.
fn image_of(driver: &Driver, revision: &str) -> String {
    let aws = driver.world.aws();
    let request = aws.ecs.request_of(&arn(revision)).expect("registered");
    let image = request["containerDefinitions"][0]["image"].as_str();
    image.expect("an image").to_owned()
}

/// Moves the image that web runs to another storage class.
fn move_image(driver: &Driver, class: &str) {
    let image = image_of(driver, "web:2");
    let (_, digest) = image.split_once('@').expect("an image by its digest");
    let input = json!({
        "repositoryName": WEB, "imageId": {"imageDigest": digest}, "targetStorageClass": class,
    });
    ecr::call(&mut driver.world.aws(), "UpdateImageStorageClass", &input)
        .expect("the image is there");
}

fn deregister(driver: &Driver, revision: &str) {
    let gone = json!({"taskDefinition": arn(revision)});
    ecs::call(&mut driver.world.aws(), "DeregisterTaskDefinition", &gone).expect("it is there");
}

#[test]
fn an_archived_image_refuses_a_release_however_ecr_finds_it() {
    for any_status in [false, true] {
        for refuses in [false, true] {
            run(released(), Fault::None, async |driver| {
                let quirks = [
                    (Quirk::DescribesNamedOfAnyStatus, any_status),
                    (Quirk::RefusesFilterOfNamed, refuses),
                ];
                for (quirk, holds) in quirks {
                    driver.world.aws().settle_quirk(quirk, holds);
                }
                move_image(&driver, "ARCHIVE");

                // Where nothing finds it, it is missing, which is what ECR states.
                let found = if refuses && !any_status {
                    "which is missing in Amazon ECR; expected an image that can be pulled; push"
                } else {
                    "which is archived; expected an image that can be pulled; restore it: "
                };
                let answer = look(&driver, "begin-release", json!({"strategy": "rolling"})).await;
                fails(&answer, "ConfigurationError", &[found]);
            });
        }
    }
}

#[test]
fn a_release_is_refused_while_an_image_of_the_prior_release_cannot_be_pulled() {
    run(released(), Fault::None, async |driver| {
        let quirk = Quirk::RefusesFilterOfNamed;
        driver.world.aws().settle_quirk(quirk, false);
        move_image(&driver, "ARCHIVE");
        let since = calls(&driver);
        let answer = look(&driver, "begin-release", json!({"strategy": "rolling"})).await;
        fails(
            &answer,
            "ConfigurationError",
            &[
                "the prior release web:2 cannot be restored: the image of container `web` is ",
                "which is archived; expected an image that can be pulled; restore it: ",
                "aws ecr update-image-storage-class",
                "aws ecs update-service --cluster apps --service web --task-definition",
            ],
        );

        // The record states why; no lease is taken.
        assert_eq!(
            operations(&driver, since, "begin-release"),
            ["TransactWriteItems"],
            "{answer}"
        );

        move_image(&driver, "STANDARD");
        begun(&driver, json!({})).await;
    });
}

/// Web runs web:3, which has a proxy too, of a pull through cache that has lost the image since.
async fn runs_beside_a_cache(driver: &Driver) {
    const NGINX: &str = "docker-hub/library/nginx";
    let rule = json!({
        "ecrRepositoryPrefix": "docker-hub", "upstreamRegistryUrl": "registry-1.docker.io",
    });
    ecr::call(&mut driver.world.aws(), "CreatePullThroughCacheRule", &rule).expect("legal");
    let runs = register_copy(driver, "web:2", |request| {
        let role = "arn:aws:iam::111122223333:role/ecsTaskExecutionRole";
        request["executionRoleArn"] = json!(role);
        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
        let proxy = json!({"name": "proxy", "image": format!("{host}/{NGINX}:1.25")});
        let containers = request["containerDefinitions"].as_array_mut();
        containers.expect("a list").push(proxy);
    });
    set(driver, json!({"taskDefinition": runs}));
    pass(driver, 600).await;

    let gone = json!({"repositoryName": NGINX, "force": true});
    ecr::call(&mut driver.world.aws(), "DeleteRepository", &gone).expect("tasks have pulled");
}

#[test]
fn an_image_that_a_pull_through_cache_has_lost_is_a_warning_and_imported_again() {
    run(released(), Fault::None, async |driver| {
        runs_beside_a_cache(&driver).await;
        let digest = push(&driver, WEB, "2.0.0");
        let answer = begun(&driver, json!({"digest": digest, "containers": ["web"]})).await;
        let summary = answer["summary"].as_str().expect("a summary");
        let warning = "its tasks can start only if a pull through cache imports it";
        assert!(summary.ends_with(warning), "{summary}");

        let images = json!({"images": {"web": image("2.0.0")}});
        let answer = look(&driver, "register-task-definition", images).await;
        let revision = answer["outputVariables"]["TaskDefinitionArn"].clone();
        assert_eq!(revision, arn("web:4"), "{answer}");

        // Once more before a change that comes an hour later: the new revision has the image too.
        pass(&driver, 3_600).await;
        let next = update(json!({"task_definition": revision}));
        let answer = ended(&driver, "update-service", next).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

#[test]
fn a_service_without_tasks_needs_no_image_to_return_to_unless_it_has_some_at_the_change() {
    for (count, runs) in [(0, "web:3"), (2, "web:2")] {
        run(released(), Fault::None, async |driver| {
            driver
                .world
                .aws()
                .settle_quirk(Quirk::RefusesFilterOfNamed, false);
            move_image(&driver, "ARCHIVE");
            set(&driver, json!({"desiredCount": 0}));
            pass(&driver, 120).await;
            push(&driver, WEB, "2.0.0");
            let answer = begun(&driver, json!({})).await;
            let summary = answer["summary"].as_str().expect("a summary");
            let warning = "which is archived; a rollback can return to its 0 tasks, and to no \
                           more; restore it: aws ecr ";
            assert!(summary.contains(warning), "{summary}");

            let images = json!({"images": {"web": image("2.0.0")}});
            look(&driver, "register-task-definition", images).await;
            set(&driver, json!({ "desiredCount": count }));
            pass(&driver, 3_600).await;
            look(&driver, "update-service", update(json!({}))).await;
            assert_eq!(web(&driver)["taskDefinition"], arn(runs));
        });
    }
}

/// A release waits for its approval while the image of the prior release is archived.
async fn archived_meanwhile(driver: &Driver, minutes: u64) {
    let quirk = Quirk::RefusesFilterOfNamed;
    driver.world.aws().settle_quirk(quirk, false);
    registered(driver).await;
    move_image(driver, "ARCHIVE");
    pass(driver, minutes * 60).await;
}

#[test]
fn an_image_that_is_gone_an_hour_after_the_beginning_refuses_the_first_change() {
    run(released(), Fault::None, async |driver| {
        archived_meanwhile(&driver, 60).await;
        let since = calls(&driver);
        let answer = look(&driver, "update-service", update(json!({}))).await;
        fails(
            &answer,
            "ConfigurationError",
            &[
                "the prior release web:2 can no longer be restored: the image of container `web` ",
                "which is archived; expected an image that can be pulled; restore it: aws ecr ",
                "; then start a new release",
            ],
        );
        let made = operations(&driver, since, "update-service");
        assert!(!made.contains(&"UpdateService".to_owned()), "{made:?}");

        let status = rolled_back(&driver, "FAILED").await;
        assert!(status.ends_with("; nothing had been changed"), "{status}");
    });
}

#[test]
fn a_proof_of_less_than_an_hour_ago_counts_and_an_image_that_is_not_shown_refuses_nothing() {
    for (minutes, denied) in [(50, "ecr:DescribeNothing"), (60, "ecr:DescribeImages")] {
        run(released(), Fault::None, async |driver| {
            archived_meanwhile(&driver, minutes).await;
            deny(&driver, denied);
            look(&driver, "update-service", update(json!({}))).await;
            assert_eq!(web(&driver)["taskDefinition"], arn("web:3"), "{denied}");
        });
    }
}

#[test]
fn a_prior_revision_that_was_deregistered_is_registered_again_and_restored() {
    run(released(), Fault::None, async |driver| {
        deregister(&driver, "web:2");
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;

        let status = rolled_back(&driver, "STOPPED").await;
        assert_eq!(
            status,
            "rolled-back: the execution was stopped; web:4 serves again with 2 of 2 tasks"
        );
        assert_eq!(web(&driver)["taskDefinition"], arn("web:4"));
        assert_eq!(image_of(&driver, "web:4"), image_of(&driver, "web:2"));
        assert_eq!(
            record(&driver)["prior"]["task_definition"],
            arn("web:4"),
            "what runs is recorded"
        );

        let aws = driver.world.aws();
        assert!(aws.ecs.is_active("web:4") && !aws.ecs.is_active("web:3"));
        let request = aws.ecs.request_of(&arn("web:4")).expect("registered");
        assert_eq!(without_mark(request).1, Some(JANE.to_owned()));
    });
}

#[test]
fn a_prior_revision_that_was_registered_again_and_not_recorded_is_found() {
    run(released(), Fault::None, async |driver| {
        deregister(&driver, "web:2");
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;

        // As if the invocation that registered it had ended before it recorded it.
        let input = json!({"taskDefinition": arn("web:2"), "include": ["TAGS"]});
        let described = ecs::call(&mut driver.world.aws(), "DescribeTaskDefinition", &input)
            .expect("registered");
        let sent = TaskDefinition::from_value(described).expect("a task definition");
        let sent = sent.unmarked().fingerprint();
        let again = register_copy(&driver, "web:2", |request| {
            request["tags"] = json!([
                {"key": "slipway:execution", "value": JANE}, {"key": "slipway:sent", "value": sent},
            ]);
        });
        assert_eq!(again, arn("web:4"));

        rolled_back(&driver, "STOPPED").await;
        assert_eq!(web(&driver)["taskDefinition"], arn("web:4"));
        let aws = driver.world.aws();
        assert!(aws.ecs.is_active("web:4") && aws.ecs.request_of("web:5").is_none());
    });
}

/// Announces a change to web:3 that is never made.
fn announced(lease: &Lease) -> Lease {
    let release = lease.release.as_ref().expect("a release");
    let Some(Target::Service(service)) = release.target() else {
        panic!("{release:?} has recorded no service")
    };

    let change = Change {
        task_definition: arn("web:3"),
        percentages: service.prior.percentages,
        desired_count: None,
        deployment: None,
        promise: None,
        set_before: None,
        given: None,
    };
    after(lease, Event::ChangeAnnounced { change, had: None })
}

#[test]
fn a_deregistered_revision_that_still_runs_is_scaled_and_not_deployed_again() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        edit(&driver, WEB, announced).await;
        deregister(&driver, "web:2");
        let id = primary(&driver)["id"].clone();

        let others = json!({"minimumHealthyPercent": 100, "maximumPercent": 150});
        set(
            &driver,
            json!({"desiredCount": 1, "deploymentConfiguration": others}),
        );
        let status = rolled_back(&driver, "STOPPED").await;
        assert_eq!(
            status,
            "rolled-back: the execution was stopped; web:2 serves again with 2 of 2 tasks"
        );
        assert_eq!(primary(&driver)["id"], id);
        assert_eq!(
            web(&driver)["deploymentConfiguration"]["maximumPercent"],
            200
        );
        assert!(driver.world.aws().ecs.request_of("web:4").is_none());
    });
}

#[test]
fn a_service_that_runs_a_deregistered_revision_is_released() {
    run(released(), Fault::None, async |driver| {
        deregister(&driver, "web:2");
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;
        let finish = json!({"task_definition": arn("web:3")});
        let answer = ended(&driver, "finish-release", finish).await;

        assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
        assert_eq!(record(&driver)["outcome"], "deployed");
        assert!(driver.world.aws().ecs.request_of("web:4").is_none());
    });
}

#[test]
fn a_crash_within_the_first_change_does_not_make_its_count_the_one_to_restore() {
    for call in 1..=10 {
        run(released(), Fault::None, async |driver| {
            set(&driver, json!({"desiredCount": 0}));
            pass(&driver, 120).await;
            registered(&driver).await;

            let first = update(json!({
                "pipeline": "slipway-by-hand", "execution": JANE, "cluster": CLUSTER,
                "service": WEB, "initial_count": 2,
            }));
            let crash = CallFault::CrashAfter(call);
            let parameters = json!({ "parameters": first });
            drop(invoke_with(&driver, "update-service", parameters, crash).await);

            let next = update(json!({"initial_count": 2}));
            let answer = ended(&driver, "update-service", next).await;
            assert_eq!(answer["status"], "done", "{answer}");
            assert_eq!(web(&driver)["desiredCount"], 2, "call {call}");

            rolled_back(&driver, "STOPPED").await;
            assert_eq!(web(&driver)["desiredCount"], 0, "call {call}");
        });
    }
}
