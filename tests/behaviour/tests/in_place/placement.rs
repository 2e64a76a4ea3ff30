//! What keeps a rollout from finishing, refused before anything is changed: static host ports
//! without room, and percentages that Availability Zone rebalancing excludes. And the percentages
//! of a rollout, which follow the count.

use emulator::ecs;
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};
use slipway::release::{Phase, Target};

use super::bench::*;
use super::shapes::with_early_success;
use behaviour::{account, add_capacity_provider, released, use_capacity_provider};

#[test]
fn static_host_ports_are_refused_without_a_free_instance_before_anything_is_changed() {
    run(account(), Fault::None, async |driver| {
        for strategy in ["rolling", "doubling"] {
            let since = calls(&driver);
            let answer = begins_counter(&driver, json!({"strategy": strategy})).await;
            let numbers = "2 instances run 2 tasks";
            fails(
                &answer,
                "ConfigurationError",
                &["the tasks hold a static host port", numbers],
            );

            // The record states why; no lease is taken.
            assert_eq!(
                operations(&driver, since, "begin-release"),
                ["TransactWriteItems"],
                "{answer}"
            );
        }

        let answer = begins_counter(&driver, json!({"strategy": "make-room"})).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

/// A rollout of the counter that needs an instance without an old task.
async fn begins_counter(driver: &Driver, more: Value) -> Value {
    let mut all = json!({"service": COUNTER, "strategy": "rolling"});
    let given = more.as_object().expect("an object").clone();
    all.as_object_mut().expect("an object").extend(given);
    look(driver, "begin-release", all).await
}

#[test]
fn a_static_port_is_judged_on_the_base_of_the_new_revision() {
    run(account(), Fault::None, async |driver| {
        // The same container with a port that ECS chooses, under another name.
        let mut next = driver
            .world
            .aws()
            .ecs
            .request_of(&arn("page-counter:1"))
            .expect("registered")
            .clone();
        next["family"] = json!("page-counter-next");
        next["containerDefinitions"][0]["name"] = json!("counter");
        next["containerDefinitions"][0]["portMappings"][0]["hostPort"] = json!(0);
        ecs::call(&mut driver.world.aws(), "RegisterTaskDefinition", &next).expect("legal");

        let answer = begins_counter(&driver, json!({"containers": ["counter"]})).await;
        fails(
            &answer,
            "ConfigurationError",
            &[
                "`containers` names `counter`",
                "page-counter:1",
                "give `taskdef`, `base` or `family`",
            ],
        );

        let base = json!({"family": "page-counter-next", "containers": ["frontend"]});
        let answer = begins_counter(&driver, base).await;
        fails(
            &answer,
            "ConfigurationError",
            &[
                "`containers` names `frontend`",
                "page-counter-next:1; expected counter",
            ],
        );

        let base = json!({"family": "page-counter-next", "containers": ["counter"]});
        let answer = begins_counter(&driver, base).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert!(
            !answer["summary"].to_string().contains("warning"),
            "{answer}"
        );
    });
}

#[test]
fn a_static_port_is_taken_if_any_of_the_new_ones_is_held() {
    run(account(), Fault::None, async |driver| {
        register_copy(&driver, "page-counter:1", |request| {
            request["family"] = json!("page-counter-next");
            let mappings = &mut request["containerDefinitions"][0]["portMappings"];
            let metrics = json!({"containerPort": 9090, "hostPort": 79, "protocol": "tcp"});
            mappings.as_array_mut().expect("a list").insert(0, metrics);
        });

        let answer = begins_counter(&driver, json!({"family": "page-counter-next"})).await;
        fails(&answer, "ConfigurationError", &["2 instances run 2 tasks"]);
    });
}

#[test]
fn a_static_port_that_no_task_holds_yet_needs_no_free_instance() {
    run(account(), Fault::None, async |driver| {
        register_copy(&driver, "page-counter:1", |request| {
            request["family"] = json!("page-counter-next");
            request["containerDefinitions"][0]["portMappings"][0]["hostPort"] = json!(81);
        });

        let answer = begins_counter(&driver, json!({"family": "page-counter-next"})).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

#[test]
fn a_static_port_of_a_cluster_that_can_grow_is_a_warning() {
    for (status, refused) in [("ENABLED", false), ("DISABLED", true)] {
        run(account(), Fault::None, async |driver| {
            use_capacity_provider(&mut driver.world.aws(), COUNTER);
            pass(&driver, 600).await;
            // Now, so that the cluster did not grow for the move.
            add_capacity_provider(&mut driver.world.aws(), status);

            let answer = begins_counter(&driver, json!({})).await;
            if refused {
                let numbers = "2 instances run 2 tasks";
                fails(&answer, "ConfigurationError", &[numbers]);
                return;
            }
            assert_eq!(answer["status"], "done", "{answer}");
            let summary = answer["summary"].as_str().expect("a summary");
            assert!(
                summary.contains("; warning: ")
                    && summary.ends_with("can finish only if the capacity provider adds instances"),
                "{summary}"
            );
        });
    }
}

#[test]
fn an_instance_that_drains_is_no_room_for_a_static_port() {
    run(account(), Fault::None, async |driver| {
        ecs::add_container_instances(&mut driver.world.aws(), CLUSTER, 1);
        let free = {
            let aws = driver.world.aws();
            let mut instances = aws.ecs.instances.values();
            let free = instances.find(|instance| instance.ports.is_empty());
            free.expect("a free instance").arn.clone()
        };
        let drain = |status: &str| {
            let input = json!({
                "cluster": CLUSTER, "containerInstances": [free], "status": status,
            });
            ecs::call(
                &mut driver.world.aws(),
                "UpdateContainerInstancesState",
                &input,
            )
            .expect("legal");
        };

        drain("DRAINING");
        let answer = begins_counter(&driver, json!({})).await;
        fails(&answer, "ConfigurationError", &["2 instances run 2 tasks"]);

        drain("ACTIVE");
        let answer = begins_counter(&driver, json!({})).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

#[test]
fn a_maximum_of_100_percent_is_refused_while_the_service_is_rebalanced() {
    run(released(), Fault::None, async |driver| {
        set(&driver, json!({"availabilityZoneRebalancing": "ENABLED"}));
        let command = "aws ecs update-service --cluster apps --service web \
                       --availability-zone-rebalancing DISABLED";

        for more in [
            json!({"strategy": "make-room"}),
            json!({"strategy": "rolling", "minimum_healthy_percent": 50, "maximum_percent": 100}),
        ] {
            let since = calls(&driver);
            let answer = look(&driver, "begin-release", more).await;
            fails(
                &answer,
                "ConfigurationError",
                &["rebalancing of service `web` is ENABLED", command],
            );
            assert_eq!(
                operations(&driver, since, "begin-release"),
                ["TransactWriteItems"],
                "{answer}"
            );
        }

        // As the command does.
        set(&driver, json!({"availabilityZoneRebalancing": "DISABLED"}));
        let answer = look(&driver, "begin-release", json!({"strategy": "make-room"})).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

#[test]
fn no_more_tasks_than_there_are_is_taken_while_the_service_is_rebalanced() {
    run(released(), Fault::None, async |driver| {
        set(&driver, json!({"availabilityZoneRebalancing": "ENABLED"}));
        let more = json!({
            "strategy": "rolling", "minimum_healthy_percent": 50, "maximum_tasks": 2,
        });
        let answer = look(&driver, "begin-release", more).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

#[test]
fn rebalancing_that_was_turned_on_since_the_release_began_is_noticed_before_the_change() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        set(&driver, json!({"availabilityZoneRebalancing": "ENABLED"}));
        let since = calls(&driver);
        let more = json!({"strategy": "make-room"});
        let answer = look(&driver, "update-service", update(more)).await;

        fails(
            &answer,
            "ConfigurationError",
            &["rebalancing of service `web` is ENABLED"],
        );
        // The failure is recorded, and no change was announced.
        assert_eq!(operations(&driver, since, "update-service"), ["PutItem"]);
        assert_eq!(lease(&driver)["release"]["change"], Value::Null);
    });
}

#[test]
fn the_promise_is_kept_of_the_count_that_the_service_gets_during_the_rollout() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let room = update(json!({"strategy": "make-room"}));
        let bounds = |driver: &Driver| {
            let found = web(driver)["deploymentConfiguration"].clone();
            (
                found["minimumHealthyPercent"].clone(),
                found["maximumPercent"].clone(),
            )
        };
        let answer = look(&driver, "update-service", room.clone()).await;
        assert_eq!(bounds(&driver), (json!(50), json!(100)));

        // As automatic scaling does under load.
        set(&driver, json!({"desiredCount": 4}));
        let since = calls(&driver);
        let answer = again(&driver, "update-service", room.clone(), &answer).await;
        assert_eq!(
            answer["summary"],
            "the percentages follow the count of 4 tasks: at least 3 healthy, at most 4 running"
        );
        assert_eq!(answer["externalExecutionId"], primary(&driver)["id"]);
        assert_eq!(
            operations(&driver, since, "update-service"),
            ["PutItem", "UpdateService"]
        );
        assert_eq!(bounds(&driver), (json!(75), json!(100)));
        assert_eq!(
            lease(&driver)["release"]["change"]["percentages"],
            json!({"minimum_healthy": 75, "maximum": 100})
        );

        let answer = ended(&driver, "update-service", room).await;
        assert_eq!(
            (&answer["status"], &answer["summary"]),
            (&json!("done"), &json!("web:3 runs 4 of 4 tasks, steady"))
        );
        assert_eq!(web(&driver)["desiredCount"], 4);
        assert_eq!(bounds(&driver), (json!(100), json!(200)), "given back");
    });
}

#[test]
fn early_success_criteria_that_a_rollout_raised_are_given_back() {
    run(with_early_success(50), Fault::None, async |driver| {
        registered(&driver).await;
        let percent = |driver: &Driver| {
            let configuration = &web(driver)["deploymentConfiguration"];
            configuration["earlySuccessCriteria"]["healthyPercent"].clone()
        };
        look(&driver, "update-service", update(json!({}))).await;
        assert_eq!(percent(&driver), json!(100), "no less than the floor");

        let answer = ended(&driver, "update-service", update(json!({}))).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(percent(&driver), json!(50));
    });
}

/// Records a floor of `percent` as the former one. ECS refuses more than 100 %.
async fn had_floor(driver: &Driver, percent: u32) {
    edit(driver, WEB, |lease| {
        with_release(lease, |release| {
            let Phase::Open(Target::Service(service)) = &mut release.phase else {
                panic!("no release of a service is open")
            };
            service.prior.percentages.minimum_healthy = percent;
        })
    })
    .await;
}

/// When ECS refused UpdateService, in seconds since the first refusal.
fn refusals(driver: &Driver) -> Vec<i64> {
    let aws = driver.world.aws();
    let refused = aws.calls.iter();
    let refused: Vec<i64> = refused
        .filter(|call| call.operation == "UpdateService" && call.error.is_some())
        .map(|call| call.at / 1000)
        .collect();
    refused.iter().map(|at| at - refused[0]).collect()
}

#[test]
fn a_release_ends_although_ecs_refuses_its_former_percentages() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let half = update(json!({"minimum_healthy_percent": 50}));
        look(&driver, "update-service", half.clone()).await;
        had_floor(&driver, 101).await;

        let answer = ended(&driver, "update-service", half).await;
        let summary = answer["summary"].as_str().expect("a summary");
        let warning = "warning: restoring its own percentages failed: ecs:UpdateService failed: ";
        assert_eq!(answer["status"], "done", "{answer}");
        assert!(
            summary.starts_with(&format!("web:3 is steady; {warning}")),
            "{summary}"
        );
        let command = "; restore them: aws ecs update-service --cluster apps --service web \
                       --deployment-configuration minimumHealthyPercent=101,maximumPercent=200";
        assert!(summary.ends_with(command), "{summary}");
        let refusals = refusals(&driver);
        assert!(
            refusals
                .last()
                .is_some_and(|last| (170..240).contains(last)),
            "{refusals:?}"
        );

        let finish = json!({"task_definition": arn("web:3")});
        let answer = ended(&driver, "finish-release", finish).await;
        assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
    });
}

#[test]
fn former_percentages_that_ecs_refuses_for_a_while_are_given_back_after_it() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let half = update(json!({"minimum_healthy_percent": 50}));
        let mut answer = look(&driver, "update-service", half.clone()).await;
        had_floor(&driver, 101).await;
        while refusals(&driver).len() < 2 {
            assert_eq!(answer["status"], "in-progress", "{answer}");
            pass(&driver, 30).await;
            answer = again(&driver, "update-service", half.clone(), &answer).await;
        }
        had_floor(&driver, 100).await;

        while answer["status"] == "in-progress" {
            pass(&driver, 30).await;
            answer = again(&driver, "update-service", half.clone(), &answer).await;
        }
        assert_eq!(
            (&answer["status"], &answer["summary"]),
            (&json!("done"), &json!("web:3 runs 2 of 2 tasks, steady"))
        );
        let floor = &web(&driver)["deploymentConfiguration"]["minimumHealthyPercent"];
        assert_eq!(*floor, json!(100), "given back");
    });
}
