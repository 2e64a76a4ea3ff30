//! What update-service changes of a service, and what it leaves alone.

use emulator::ecr::{self, Behaviour};
use emulator::{Aws, ecs};
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use slipway::release::{Change, Event, Target};

use super::bench::*;
use behaviour::released;

fn announced(driver: &Driver) -> Value {
    lease(driver)["release"]["change"].clone()
}

#[test]
fn a_count_is_set_when_one_is_given_and_left_alone_otherwise() {
    for (more, live, count) in [(json!({"desired_count": 4}), 3, 4), (json!({}), 3, 3)] {
        run(released(), Fault::None, async |driver| {
            registered(&driver).await;
            set(&driver, json!({ "desiredCount": live }));
            let answer = look(&driver, "update-service", update(more.clone())).await;
            let summary = format!(
                "deploying web:3 to {count} tasks; at least {count} healthy, at most {} running",
                2 * count
            );

            assert_eq!(answer["summary"], summary);
            assert_eq!(web(&driver)["desiredCount"], count);

            let mut expected = json!({
                "task_definition": arn("web:3"),
                "percentages": {"minimum_healthy": 100, "maximum": 200},
                "promise": {"minimum": {"percent": 100}, "maximum": {"percent": 200}},
                "deployment": primary(&driver)["id"],
            });
            if more != json!({}) {
                expected["desired_count"] = json!(count);
            }
            assert_eq!(announced(&driver), expected);
        });
    }
}

#[test]
fn a_service_without_tasks_starts_as_many_as_it_is_given() {
    for (more, count) in [(json!({}), 1), (json!({"initial_count": 2}), 2)] {
        run(released(), Fault::None, async |driver| {
            set(&driver, json!({"desiredCount": 0}));
            pass(&driver, 120).await;
            registered(&driver).await;
            look(&driver, "update-service", update(more.clone())).await;
            assert_eq!(web(&driver)["desiredCount"], count);
            assert_eq!(announced(&driver)["desired_count"], count);
        });
    }
}

#[test]
fn what_a_service_has_at_its_change_is_kept_and_restored() {
    run(released(), Fault::None, async |driver| {
        set(&driver, json!({"desiredCount": 0}));
        pass(&driver, 120).await;
        registered(&driver).await;

        // Automatic scaling starts tasks while the release waits for an approval.
        set(&driver, json!({"desiredCount": 3}));
        pass(&driver, 120).await;
        ended(&driver, "update-service", update(json!({}))).await;
        assert_eq!(web(&driver)["desiredCount"], 3);
        assert_eq!(announced(&driver).get("desired_count"), None);

        set(&driver, json!({"desiredCount": 1}));
        let status = rolled_back(&driver, "STOPPED").await;
        assert_eq!(web(&driver)["desiredCount"], 3, "{status}");
    });
}

#[test]
fn a_deployment_that_an_earlier_invocation_made_is_written_down_and_not_made_again() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        edit(&driver, WEB, |lease| {
            let release = lease.release.as_ref().expect("a release");
            let Some(Target::Service(service)) = release.target() else {
                panic!("{release:?} has recorded no service")
            };

            let percentages = service.prior.percentages;
            let task_definition = arn("web:3");
            let change = Change {
                task_definition,
                percentages,
                desired_count: None,
                deployment: None,
                promise: None,
                set_before: None,
                given: None,
            };
            after(lease, Event::ChangeAnnounced { change, had: None })
        })
        .await;
        set(&driver, json!({"taskDefinition": arn("web:3")}));

        let id = primary(&driver)["id"].clone();
        let since = calls(&driver);
        let answer = look(&driver, "update-service", update(json!({}))).await;

        assert_eq!(
            (&answer["status"], &answer["externalExecutionId"]),
            (&json!("in-progress"), &id),
            "{answer}"
        );

        let summary = answer["summary"].as_str().expect("a summary");
        assert!(
            summary.starts_with("web:3: 0 of 2 new tasks running"),
            "{summary}"
        );
        assert_eq!(operations(&driver, since, "update-service"), ["PutItem"]);
        assert_eq!(announced(&driver)["deployment"], id);
    });
}

#[test]
fn a_rollout_is_reported_with_its_deployment_and_how_far_it_is() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let answer = look(
            &driver,
            "update-service",
            update(json!({"deadline_minutes": 7})),
        )
        .await;
        let id = primary(&driver)["id"].clone();

        pass(&driver, 5).await;
        let answer = again(
            &driver,
            "update-service",
            update(json!({"deadline_minutes": 7})),
            &answer,
        )
        .await;

        assert_eq!(
            (&answer["status"], &answer["externalExecutionId"]),
            (&json!("in-progress"), &id),
            "{answer}"
        );

        let summary = answer["summary"].as_str().expect("a summary");
        assert!(
            summary.starts_with("web:3: ") && summary.contains(" of 2 new tasks running, "),
            "{summary}"
        );

        let bounds = "; at least 2 healthy, at most 4 running; ";
        assert!(
            summary.contains(bounds) && summary.ends_with(" of 7m00s"),
            "{summary}"
        );
    });
}

#[test]
fn a_failed_rollout_is_explained_by_what_stopped_its_tasks_and_repeated_by_later_looks() {
    run(released(), Fault::None, async |driver| {
        ecr::push(&mut driver.world.aws(), WEB, "2.0.0", Behaviour::Exits)
            .expect("the repository is there");
        begun(&driver, json!({})).await;
        look(
            &driver,
            "register-task-definition",
            json!({"images": {"web": image("2.0.0")}}),
        )
        .await;

        let answer = ended(
            &driver,
            "update-service",
            update(json!({"deadline_minutes": 15})),
        )
        .await;
        fails(
            &answer,
            "JobFailed",
            &["; tasks stopped because: ", "web exited with 1"],
        );
        let failure = json!({"type": "JobFailed", "message": answer["message"]});

        assert_eq!(lease(&driver)["release"]["failure"], failure);

        let since = calls(&driver);
        let later = look(&driver, "update-service", update(json!({}))).await;
        assert_eq!(
            (&later["type"], &later["message"]),
            (&answer["type"], &answer["message"])
        );
        assert_eq!(operations(&driver, since, "update-service"), [""; 0]);

        let status = rolled_back(&driver, "FAILED").await;
        assert!(
            status.contains(
                answer["message"]
                    .as_str()
                    .expect("a message")
                    .get(..40)
                    .expect("long")
            ),
            "{status}"
        );
    });
}

/// Lets the containers of web:3 give a reason, as containers do that do not start.
fn give_reasons(aws: &mut Aws, reason: &str) {
    let tasks = aws.ecs.tasks.values_mut();
    for task in tasks.filter(|task| task.task_definition == arn("web:3")) {
        for container in &mut task.containers {
            container.reason = Some(reason.to_owned());
        }
    }
}

#[test]
fn the_reason_of_a_stopped_task_is_reported_without_the_values_of_its_environment() {
    const VALUE: &str = "a-value-to-be-masked";
    const LAYER: &str = "https://layers.s3.eu-west-1.amazonaws.com/1a";

    run(released(), Fault::None, async |driver| {
        ecr::push(&mut driver.world.aws(), WEB, "2.0.0", Behaviour::Exits)
            .expect("the repository is there");
        begun(&driver, json!({})).await;
        register_copy(&driver, "web:2", |request| {
            let container = &mut request["containerDefinitions"][0];
            container["image"] = json!(image("2.0.0"));
            container["environment"] = json!([{"name": "TOKEN", "value": VALUE}]);
        });

        let mut answer = look(&driver, "update-service", update(json!({}))).await;
        while answer["status"] == "in-progress" {
            pass(&driver, 30).await;
            give_reasons(
                &mut driver.world.aws(),
                &format!("start {VALUE}: Get \"{LAYER}?X-Amz-Signature=0a0a\": i/o timeout"),
            );
            answer = again(&driver, "update-service", update(json!({})), &answer).await;
        }

        let expected = format!("web: start ***: Get \"{LAYER}?***\": i/o timeout");
        fails(&answer, "JobFailed", &[&expected]);
        let message = answer["message"].as_str().expect("a message");
        assert!(!message.contains(VALUE), "{message}");
    });
}

#[test]
fn what_was_deployed_past_the_release_is_not_explained_by_tasks_that_stopped() {
    run(released(), Fault::None, async |driver| {
        ecr::push(&mut driver.world.aws(), WEB, "2.0.0", Behaviour::Exits)
            .expect("the repository is there");
        begun(&driver, json!({})).await;
        look(
            &driver,
            "register-task-definition",
            json!({"images": {"web": image("2.0.0")}}),
        )
        .await;
        look(&driver, "update-service", update(json!({}))).await;

        let has_stopped = |aws: &Aws| {
            aws.ecs
                .tasks
                .values()
                .any(|task| task.task_definition == arn("web:3") && task.stopped_at.is_some())
        };
        while !has_stopped(&driver.world.aws()) {
            pass(&driver, 1).await;
        }

        set(&driver, json!({"taskDefinition": "web:1"}));
        pass(&driver, 1).await;
        let answer = look(&driver, "update-service", update(json!({}))).await;
        fails(
            &answer,
            "JobFailed",
            &[
                "overridden",
                "web:1 was deployed outside this release (ecs-svc/",
                "deploying web:3",
            ],
        );

        assert!(
            !answer["message"]
                .as_str()
                .expect("a message")
                .contains("tasks stopped"),
            "{answer}"
        );
        assert_eq!(web(&driver)["taskDefinition"], arn("web:1"));
    });
}

#[test]
fn a_service_that_is_gone_fails_every_step_that_looks_at_it() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        take_away(&driver);
        let answer = look(&driver, "update-service", update(json!({}))).await;
        fails(
            &answer,
            "JobFailed",
            &["service `web` no longer exists in cluster `apps`"],
        );
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| release.failure = None)
        })
        .await;

        let answer = look(
            &driver,
            "finish-release",
            json!({"task_definition": arn("web:2")}),
        )
        .await;
        fails(
            &answer,
            "JobFailed",
            &["service `web` no longer exists in cluster `apps`"],
        );
    });
}

#[test]
fn a_revision_that_was_deregistered_is_refused_by_its_name() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let gone = json!({"taskDefinition": arn("web:3")});
        ecs::call(&mut driver.world.aws(), "DeregisterTaskDefinition", &gone).expect("it is there");
        let answer = look(&driver, "update-service", update(json!({}))).await;
        fails(
            &answer,
            "ConfigurationError",
            &[
                &format!("`task_definition` is {}", arn("web:3")),
                "an active revision",
            ],
        );
    });
}

#[test]
fn a_single_service_is_not_filled_and_a_count_that_cannot_roll_is_refused() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let since = calls(&driver);
        let fill = update(json!({"strategy": "blue-green", "mode": "fill"}));
        let answer = look(&driver, "update-service", fill).await;
        fails(
            &answer,
            "ConfigurationError",
            &[
                "`strategy` is `blue-green`",
                "single service",
                "that of begin-release",
            ],
        );
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| release.failure = None)
        })
        .await;

        let stuck = update(json!({"maximum_tasks": 2}));
        let answer = look(&driver, "update-service", stuck).await;
        fails(
            &answer,
            "ConfigurationError",
            &["the rollout could never finish"],
        );

        assert_eq!(
            operations(&driver, since, "update-service"),
            ["PutItem", "PutItem"]
        );
    });
}
