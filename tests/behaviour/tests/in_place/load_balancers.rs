//! A base without the port that a service registers with its load balancer: it is refused before
//! anything is changed, because ECS would refuse its deployment.

use emulator::ecs;
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::released;

/// Registers web's definition in another family, with a change of its container.
fn template(driver: &Driver, change: impl FnOnce(&mut Value)) -> String {
    register_copy(driver, "web:2", |request| {
        request["family"] = json!("template");
        change(&mut request["containerDefinitions"][0]);
    })
}

/// Whether ECS deploys a revision to web as it is.
fn is_deployed(driver: &Driver, revision: &str) -> bool {
    let input = json!({"cluster": CLUSTER, "service": WEB, "taskDefinition": revision});
    ecs::call(&mut driver.world.aws(), "UpdateService", &input).is_ok()
}

#[test]
fn a_base_to_which_the_load_balancer_does_not_lead_is_refused_before_anything_is_changed() {
    run(released(), Fault::None, async |driver| {
        let begin = json!({"strategy": "rolling", "family": "template"});
        let renamed = template(&driver, |container| container["name"] = json!("app"));
        assert!(!is_deployed(&driver, &renamed), "ECS takes it");

        let before = lease(&driver);
        let answer = look(&driver, "begin-release", begin.clone()).await;
        let why = "of container `web` with a load balancer, and task definition template:1 does \
                   not map it";
        fails(&answer, "ConfigurationError", &["service `web`", why]);
        assert_eq!(lease(&driver), before);

        let moved = template(&driver, |container| {
            container["portMappings"][0]["containerPort"] = json!(9999);
            container["portMappings"][0]["hostPort"] = json!(9999);
        });
        assert!(!is_deployed(&driver, &moved), "ECS takes it");
        let answer = look(&driver, "begin-release", begin.clone()).await;
        fails(
            &answer,
            "ConfigurationError",
            &["task definition template:2"],
        );

        let more = template(&driver, |container| {
            let more = json!({"containerPort": 9999, "protocol": "tcp"});
            let mappings = container["portMappings"].as_array_mut().expect("a list");
            mappings.insert(0, more);
        });
        assert_eq!(more, arn("template:3"));
        let answer = look(&driver, "begin-release", begin).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}
