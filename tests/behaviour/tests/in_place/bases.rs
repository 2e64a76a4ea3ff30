//! The base `newest`: what infrastructure registered in the family, and no revision of a release
//! that was rolled back or is not approved yet.

use harness::demo::{CLUSTER, COUNTER};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use super::families::{INTERNAL, second_service};
use behaviour::pair::update as update_stack;
use behaviour::{account, by_hand, ends, image_of, push, released, service, without_mark};

/// A step of a release of the second service with the newest base, until it is done or failed.
async fn joe(driver: &Driver, execution: &str, step: &str, more: Value) -> Value {
    let mut parameters = json!({
        "pipeline": "slipway-by-hand", "execution": execution, "cluster": CLUSTER,
        "service": INTERNAL, "base": "newest",
    });
    parameters
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    by_hand(driver, step, parameters).await
}

/// Checks that the newest base is this revision: a refusal for want of a container names it.
async fn check_base(driver: &Driver, execution: &str, revision: &str) {
    let strange = json!({"strategy": "rolling", "containers": ["strange"]});
    let answer = joe(driver, execution, "begin-release", strange).await;
    let named = format!("which is not in task definition {revision};");
    fails(&answer, "ConfigurationError", &[named.as_str()]);
}

/// Registers a revision of web as a stack does: without a mark, and with another size.
fn infrastructure(driver: &Driver) -> String {
    register_copy(driver, "web:2", |request| {
        *request = without_mark(request).0;
        request["cpu"] = json!("512");
        request["memory"] = json!("1024");
    })
}

#[test]
fn a_revision_of_an_open_release_is_passed_over_and_one_of_infrastructure_is_taken() {
    run(released(), Fault::None, async |driver| {
        second_service(&driver).await;
        registered(&driver).await;
        assert!(driver.world.aws().ecs.is_active("web:3"));
        check_base(&driver, "joe-1", "web:2").await;

        assert_eq!(infrastructure(&driver), arn("web:4"));
        check_base(&driver, "joe-2", "web:4").await;

        let begin = json!({"strategy": "rolling", "containers": ["web"]});
        let answer = joe(&driver, "joe-3", "begin-release", begin).await;
        assert_eq!(answer["status"], "done", "{answer}");
        let images = json!({"images": {"web": image("2.0.0")}});
        let answer = joe(&driver, "joe-3", "register-task-definition", images).await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("web:5"),
            "{answer}"
        );

        let aws = driver.world.aws();
        let made = aws.ecs.request_of("web:5").expect("registered");
        assert_eq!([&made["cpu"], &made["memory"]], ["512", "1024"]);
    });
}

#[test]
fn a_revision_of_a_release_that_was_rolled_back_is_passed_over() {
    run(released(), Fault::None, async |driver| {
        second_service(&driver).await;
        registered(&driver).await;
        let status = rolled_back(&driver, "FAILED").await;
        assert!(status.starts_with("failed: "), "{status}");

        // It was deregistered; what an operator registers with its mark is not better.
        assert_eq!(register_copy(&driver, "web:3", |_| ()), arn("web:4"));
        check_base(&driver, "joe-1", "web:2").await;

        assert_eq!(infrastructure(&driver), arn("web:5"));
        check_base(&driver, "joe-2", "web:5").await;
    });
}

#[test]
fn a_pipeline_with_the_newest_base_delivers_what_infrastructure_registered() {
    let mut aws = account();
    let base = [("Base", "newest"), ("TaskDefinitionFile", "")];
    update_stack(&mut aws, "page-counter-pipeline", &base);
    run(aws, Fault::None, async |driver| {
        let variables = json!([{"name": "LEVEL", "value": "debug"}]);
        register_copy(&driver, "page-counter:1", |request| {
            request["containerDefinitions"][0]["environment"] = variables.clone();
        });

        let pushed = push(&driver, COUNTER, "1.0.0");
        ends(&driver, "slipway-page-counter", &pushed, "deployed").await;

        let aws = driver.world.snapshot();
        let runs = service(&aws, CLUSTER, COUNTER)["taskDefinition"].clone();
        assert_eq!(runs, arn("page-counter:3"));
        assert!(image_of(&aws, COUNTER).ends_with(&pushed));
        let request = aws.ecs.request_of("page-counter:3").expect("registered");
        assert_eq!(request["containerDefinitions"][0]["environment"], variables);
    });
}
