//! Task definitions as services really have them: without a tag, and shared by two services.

use emulator::{Aws, codepipeline, ecs};
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::pair::update as update_stack;
use behaviour::{
    account, by_hand, ends, in_progress, outcome, push, reason, released, service, settled, stop,
    until, zipped,
};

pub(crate) const INTERNAL: &str = "web-internal";
const JOE: &str = "joe-1";

pub(crate) async fn all_steady(driver: &Driver) {
    driver.world.touch();
    until(driver, |aws| {
        aws.ecs
            .services
            .values()
            .all(|service| !service.is_deploying())
    })
    .await;
}

/// `web` runs a revision without a tag, as an operator registers one.
async fn untagged(driver: &Driver) {
    {
        let mut aws = driver.world.aws();
        let mut request = aws.ecs.request_of("web:2").expect("released").clone();
        request.as_object_mut().expect("an object").remove("tags");
        ecs::call(&mut aws, "RegisterTaskDefinition", &request).expect("legal");
    }

    set(driver, json!({"taskDefinition": arn("web:3")}));
    all_steady(driver).await;
}

#[test]
fn a_service_whose_definition_has_no_tags_is_released_and_rolled_back() {
    run(released(), Fault::None, async |driver| {
        untagged(&driver).await;

        let pushed = push(&driver, WEB, "2.0.0");
        let execution = ends(&driver, "slipway-web", &pushed, "deployed").await;
        assert_eq!(web(&driver)["taskDefinition"], arn("web:4"));

        let tags = driver.world.aws().ecs.tags_on(&arn("web:4")).to_vec();
        let keys: Vec<&Value> = tags.iter().map(|tag| &tag["key"]).collect();
        assert_eq!(keys, ["slipway:execution", "slipway:sent"]);
        assert_eq!(tags[0]["value"], json!(execution));

        let pushed = push(&driver, WEB, "3.0.0");
        let execution = in_progress(&driver, &pushed).await;
        stop(&driver, "slipway-web", &execution);
        settled(&driver, "slipway-web", &pushed).await;

        assert_eq!(outcome(&driver, &execution), "rolled-back");
        assert_eq!(web(&driver)["taskDefinition"], arn("web:4"));
        assert!(!driver.world.aws().ecs.is_active("web:5"));
    });
}

/// A second service of the family `web`.
pub(crate) async fn second_service(driver: &Driver) {
    create_second(&mut driver.world.aws());
    all_steady(driver).await;
}

fn create_second(aws: &mut Aws) {
    let web = service(aws, CLUSTER, WEB);
    let mut request = json!({
        "cluster": CLUSTER, "serviceName": INTERNAL, "taskDefinition": arn("web:2"),
        "desiredCount": 1, "tags": [{"key": "slipway:service", "value": INTERNAL}],
    });
    for member in ["launchType", "networkConfiguration"] {
        if !web[member].is_null() {
            request[member] = web[member].clone();
        }
    }
    ecs::call(aws, "CreateService", &request).expect("legal");
}

/// Looks of a step of Joe's release of the second service, until it is done.
async fn joe(driver: &Driver, step: &str, more: Value) -> Value {
    done(driver, (JOE, INTERNAL), step, more).await
}

/// Looks of a step of an execution that releases a service, until it is done.
async fn done(
    driver: &Driver,
    (execution, service): (&str, &str),
    step: &str,
    more: Value,
) -> Value {
    let mut parameters = json!({
        "pipeline": "slipway-by-hand", "execution": execution, "cluster": CLUSTER,
        "service": service,
    });
    parameters
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());

    let answer = by_hand(driver, step, parameters).await;
    assert_eq!(answer["status"], "done", "{answer}");
    answer
}

/// Joe releases the image that Jane does, while her revision is the family's newest. Then hers ends
/// with this word, and his goes on.
async fn joe_goes_on_when_jane_ends(driver: &Driver, digest: &str, outcome: &str) {
    let begin = json!({"strategy": "rolling", "digest": digest});
    joe(driver, "begin-release", begin).await;
    let images = json!({"images": {"web": image("2.0.0")}});
    let answer = joe(driver, "register-task-definition", images).await;
    assert_eq!(
        answer["outputVariables"]["TaskDefinitionArn"],
        arn("web:4"),
        "{answer}"
    );
    let update = json!({"task_definition": arn("web:4"), "strategy": "rolling"});
    joe(driver, "update-service", update).await;

    let status = rolled_back(driver, "FAILED").await;
    assert!(status.starts_with(&format!("{outcome}: ")), "{status}");

    let finish = json!({"task_definition": arn("web:4")});
    let answer = joe(driver, "finish-release", finish).await;
    assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");

    let aws = driver.world.aws();
    assert!(!aws.ecs.is_active("web:3") && aws.ecs.is_active("web:4"));
    assert_eq!(
        service(&aws, CLUSTER, INTERNAL)["taskDefinition"],
        arn("web:4")
    );
    assert_eq!(service(&aws, CLUSTER, WEB)["taskDefinition"], arn("web:2"));
}

#[test]
fn of_two_services_of_one_family_each_release_has_its_own_revision() {
    run(released(), Fault::None, async |driver| {
        second_service(&driver).await;
        let digest = registered(&driver).await;
        joe_goes_on_when_jane_ends(&driver, &digest, "failed").await;
    });
}

#[test]
fn of_two_services_of_one_family_a_rollback_leaves_the_revision_of_the_other() {
    run(released(), Fault::None, async |driver| {
        second_service(&driver).await;
        let digest = registered(&driver).await;
        let answer = ended(&driver, "update-service", update(json!({}))).await;
        assert_eq!(answer["status"], "done", "{answer}");

        joe_goes_on_when_jane_ends(&driver, &digest, "rolled-back").await;
    });
}

#[test]
fn a_revision_that_the_release_of_another_service_deploys_is_not_retired() {
    run(released(), Fault::None, async |driver| {
        second_service(&driver).await;
        let digest = registered(&driver).await;

        // Joe's pipeline names the revision that Jane's registered.
        joe(
            &driver,
            "begin-release",
            json!({"strategy": "rolling", "digest": digest}),
        )
        .await;
        joe(&driver, "update-service", update(json!({}))).await;
        // For the night the service has no tasks that would show it.
        let night = json!({"cluster": CLUSTER, "service": INTERNAL, "desiredCount": 0});
        ecs::call(&mut driver.world.aws(), "UpdateService", &night).expect("legal");
        rolled_back(&driver, "FAILED").await;

        assert!(driver.world.aws().ecs.is_active("web:3"));
    });
}

#[test]
fn a_revision_that_a_released_service_runs_is_not_retired() {
    run(released(), Fault::None, async |driver| {
        second_service(&driver).await;
        let digest = registered(&driver).await;

        // Joe's release of the revision that Jane's registered is over when hers fails.
        joe(
            &driver,
            "begin-release",
            json!({"strategy": "rolling", "digest": digest}),
        )
        .await;
        joe(&driver, "update-service", update(json!({}))).await;
        let finish = json!({"task_definition": arn("web:3")});
        let answer = joe(&driver, "finish-release", finish).await;
        assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
        rolled_back(&driver, "FAILED").await;

        let aws = driver.world.aws();
        assert!(aws.ecs.is_active("web:3"));
        assert_eq!(
            service(&aws, CLUSTER, INTERNAL)["taskDefinition"],
            arn("web:3")
        );
    });
}

/// An operator registers a revision like one that is there, with another family or size.
fn registered_like(driver: &Driver, revision: &str, change: &Value) {
    let mut aws = driver.world.aws();
    let mut request = aws.ecs.request_of(revision).expect("registered").clone();
    request
        .as_object_mut()
        .expect("an object")
        .extend(change.as_object().expect("an object").clone());
    ecs::call(&mut aws, "RegisterTaskDefinition", &request).expect("legal");
}

/// Begins a release of `web` with the family `template` as its base, and registers its revision;
/// returns the step's response.
async fn from_template(driver: &Driver, execution: &str) -> Value {
    let of = (execution, WEB);
    done(driver, of, "begin-release", json!({"strategy": "rolling"})).await;
    let base = json!({"images": {"web": image("1.0.0")}, "family": "template"});
    done(driver, of, "register-task-definition", base).await
}

async fn deployed_by(driver: &Driver, execution: &str, revision: &str) -> Value {
    let of = (execution, WEB);
    let update = json!({"task_definition": arn(revision), "strategy": "rolling"});
    done(driver, of, "update-service", update).await;
    let finish = json!({"task_definition": arn(revision)});
    let answer = done(driver, of, "finish-release", finish).await;
    answer["outputVariables"]["Outcome"].clone()
}

#[test]
fn a_base_that_is_registered_already_changes_nothing_unless_an_operator_copied_its_mark() {
    run(released(), Fault::None, async |driver| {
        let template = json!({"family": "template", "cpu": "512", "memory": "1024"});
        registered_like(&driver, "web:2", &template);
        let answer = from_template(&driver, "first").await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("template:2"),
            "{answer}"
        );
        assert_eq!(
            deployed_by(&driver, "first", "template:2").await,
            "deployed"
        );

        // The template is registered once more, as it was.
        registered_like(&driver, "template:1", &json!({}));
        let answer = from_template(&driver, "second").await;
        let summary = answer["summary"].as_str().expect("a summary");
        assert!(
            summary.starts_with("template:2: the service's own, nothing changed"),
            "{summary}"
        );
        assert_eq!(
            deployed_by(&driver, "second", "template:2").await,
            "unchanged"
        );

        // An operator deploys a copy with another size, which the template does not have.
        registered_like(&driver, "template:2", &json!({"memory": "2048"}));
        set(&driver, json!({"taskDefinition": arn("template:4")}));
        all_steady(&driver).await;
        registered_like(&driver, "template:1", &json!({}));
        let answer = from_template(&driver, "third").await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("template:6"),
            "{answer}"
        );
    });
}

/// A file with what Amazon ECS rewrites and fills in, and without tags, which its family has.
pub(crate) const FILE: &[u8] = br#"{
    "family": "page-counter", "networkMode": "bridge", "requiresCompatibilities": ["EC2"],
    "cpu": ".125 vCPU", "memory": "0.25GB", "pidMode": "", "tags": [],
    "containerDefinitions": [{
        "name": "frontend", "image": "<IMAGE1_NAME>", "memory": 96,
        "healthCheck": {"command": ["CMD", "true"]},
        "environment": [{"name": "EMPTY", "value": ""}],
        "portMappings": [{"containerPort": 5001, "hostPort": 80, "appProtocol": ""}]
    }]
}"#;

/// The account with a file in the Config artifact of the counter's pipeline.
pub(crate) fn with_file(file: &[u8]) -> Aws {
    let mut aws = account();
    let archive = zipped("taskdef.json", file);
    aws.s3
        .put("page-counter-config", "config.zip", archive)
        .expect("the bucket is there");
    aws
}

#[test]
fn a_file_may_rename_the_container_that_runs_now() {
    let renamed = String::from_utf8_lossy(FILE).replace("frontend", "web");
    let mut aws = with_file(renamed.as_bytes());
    run(aws.clone(), Fault::None, async |driver| {
        let pushed = push(&driver, COUNTER, "1.0.0");
        let execution = settled(&driver, "slipway-page-counter", &pushed).await;
        let reason = reason(&driver, &execution);
        assert!(
            reason.contains("did not begin: `containers` names `frontend`, which is not in file"),
            "{reason}"
        );
    });

    update_stack(
        &mut aws,
        "page-counter-pipeline",
        &[("ContainerName", "web")],
    );

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, COUNTER, "1.0.0");
        ends(&driver, "slipway-page-counter", &pushed, "deployed").await;
    });
}

#[test]
fn a_file_may_give_up_the_static_port_that_keeps_a_rollout_from_finishing() {
    for (port, expected) in [("0", "deployed"), ("80", "failed")] {
        let file = String::from_utf8_lossy(FILE)
            .replace(r#""hostPort": 80"#, &format!(r#""hostPort": {port}"#));
        let mut aws = with_file(file.as_bytes());
        update_stack(
            &mut aws,
            "page-counter-pipeline",
            &[("Strategy", "rolling")],
        );

        run(aws, Fault::None, async |driver| {
            let pushed = push(&driver, COUNTER, "1.0.0");
            let execution = ends(&driver, "slipway-page-counter", &pushed, expected).await;
            let reason = reason(&driver, &execution);
            assert_eq!(
                reason.contains("the tasks hold a static host port"),
                port == "80",
                "{reason}"
            );
        });
    }
}

#[test]
fn a_file_that_is_delivered_again_changes_nothing_although_ecs_filled_it_in() {
    let pipeline = "slipway-page-counter";
    run(with_file(FILE), Fault::None, async |driver| {
        let pushed = push(&driver, COUNTER, "1.0.0");
        ends(&driver, pipeline, &pushed, "deployed").await;
        let runs = service(&driver.world.aws(), CLUSTER, COUNTER)["taskDefinition"].clone();
        assert_eq!(runs, arn("page-counter:2"));

        let again = json!({
            "name": pipeline,
            "sourceRevisions": [{
                "actionName": "Image", "revisionType": "IMAGE_DIGEST", "revisionValue": pushed,
            }],
        });
        codepipeline::call(&mut driver.world.aws(), "StartPipelineExecution", &again)
            .expect("it starts");
        driver.world.touch();
        ends(&driver, pipeline, &pushed, "unchanged").await;
        let aws = driver.world.aws();
        assert_eq!(
            service(&aws, CLUSTER, COUNTER)["taskDefinition"],
            arn("page-counter:2")
        );
        assert!(!aws.ecs.is_active("page-counter:3"));
    });
}
