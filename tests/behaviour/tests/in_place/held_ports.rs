//! Static host ports that something else than the service has on the instances of its cluster: a
//! task of another service, which may end, or the agent of Amazon ECS.

use emulator::ecs;
use harness::demo::{CLUSTER, COUNTER};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::account;

/// A rollout of the counter, which has a task on each of two instances.
async fn begins_counter(driver: &Driver, more: Value) -> Value {
    let mut all = json!({"service": COUNTER, "strategy": "rolling"});
    let given = more.as_object().expect("an object").clone();
    all.as_object_mut().expect("an object").extend(given);
    look(driver, "begin-release", all).await
}

#[test]
fn a_static_port_that_a_task_of_another_service_holds_is_a_warning() {
    for (more, expected) in [
        (
            1,
            Some(
                "2 instances besides 1 on which another task holds the port run 2 tasks; the \
                 rollout can finish only if other tasks release the port",
            ),
        ),
        // One instance is free beside the neighbour's.
        (2, None),
    ] {
        run(account(), Fault::None, async |driver| {
            ecs::add_container_instances(&mut driver.world.aws(), CLUSTER, more);
            let neighbour = json!({
                "cluster": CLUSTER, "serviceName": "neighbour", "desiredCount": 1,
                "taskDefinition": "page-counter:1",
            });
            ecs::call(&mut driver.world.aws(), "CreateService", &neighbour).expect("legal");
            pass(&driver, 120).await;

            let answer = begins_counter(&driver, json!({})).await;
            assert_eq!(answer["status"], "done", "{answer}");
            let summary = answer["summary"].as_str().expect("a summary");
            let warning = summary
                .split_once("; warning: ")
                .map(|(_, warning)| warning);
            match expected {
                Some(expected) => {
                    let warning = warning.expect("a warning");
                    assert!(warning.ends_with(expected), "{warning}");
                }
                None => assert_eq!(warning, None),
            }
        });
    }
}

#[test]
fn a_static_port_that_the_agent_reserves_is_refused() {
    run(account(), Fault::None, async |driver| {
        register_copy(&driver, "page-counter:1", |request| {
            request["family"] = json!("page-counter-next");
            request["containerDefinitions"][0]["portMappings"][0]["hostPort"] = json!(22);
        });

        let answer = begins_counter(&driver, json!({"family": "page-counter-next"})).await;
        let counted = "2 tasks do not fit on 0 instances besides 2 whose agent reserves the port";
        fails(&answer, "ConfigurationError", &[counted]);
    });
}
