//! The roles of the prior release: that a rollback may pass them is proven before anything is
//! changed, by a call that changes nothing.

use emulator::ecr::{self, Behaviour};
use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};
use slipway::release::RoleProof;
use slipway::timestamp::Timestamp;

use super::bench::*;
use super::shapes::{LEGACY, classic, on_instances};
use behaviour::dry_run::denied;
use behaviour::{
    change_parameters, ecs_state, failure, jobs, outcome, push, reason, released, service, settled,
    update_pipeline,
};

const TASK_ROLE: &str = "arn:aws:iam::111122223333:role/web-task";
const OLD_ROLE: &str = "arn:aws:iam::111122223333:role/old-exec";

/// Web runs web:3, whose execution role is not one of its pipeline. The family's newest revision,
/// web:4, has the roles of the pipeline.
async fn runs_with_another_role(driver: &Driver) {
    let runs = register_copy(driver, "web:2", |request| {
        request["executionRoleArn"] = json!(OLD_ROLE);
    });
    let breaker = json!({"deploymentCircuitBreaker": {"enable": false, "rollback": false}});
    set(
        driver,
        json!({"taskDefinition": runs, "deploymentConfiguration": breaker}),
    );
    pass(driver, 600).await;
    register_copy(driver, "web:2", |_| ());
}

/// The pipeline of web takes the family's newest revision as the base.
fn take_the_newest(aws: &mut Aws) {
    let changed = update_pipeline(aws, "slipway-web", |pipeline| {
        for step in ["begin-release", "register-task-definition"] {
            change_parameters(pipeline, step, |parameters| {
                parameters.insert("base".to_owned(), json!("newest"));
            });
        }
    });
    changed.expect("a legal pipeline");
}

fn from_the_newest() -> Value {
    json!({"strategy": "rolling", "family": WEB})
}

#[test]
fn a_release_whose_rollback_may_not_pass_a_role_fails_before_anything_is_changed() {
    run(released(), Fault::None, async |driver| {
        runs_with_another_role(&driver).await;
        take_the_newest(&mut driver.world.aws());
        let before = ecs_state(&driver.world.aws());

        let broken = Behaviour::NeverHealthy;
        let pushed = ecr::push(&mut driver.world.aws(), WEB, "2.0.0", broken);
        driver.world.touch();
        let pushed = pushed.expect("the repository is there");
        let execution = settled(&driver, "slipway-web", &pushed).await;

        let aws = driver.world.snapshot();
        assert_eq!(ecs_state(&aws), before);
        let denial = denied(&aws, "iam:PassRole");
        assert_eq!(denial.resource, OLD_ROLE);
        let role = aws.cloudformation.export("web-pipeline-DeployRoleArn");
        let role = role.and_then(|arn| arn.rsplit('/').next());
        let message = format!(
            "the prior release web:3 cannot be restored: ecs:UpdateService failed: \
             AccessDeniedException: {}; allow iam:PassRole in role {} (parameter TaskRoleArns of \
             the pipeline's stack), then retry the release",
            denial.message,
            role.expect("the stack exports it")
        );
        assert!(denial.message.contains(OLD_ROLE), "{}", denial.message);
        let jobs = jobs(&aws, &execution, "begin-release");
        let last = jobs.last().expect("a job");
        assert_eq!(failure(last), Some(("PermissionError", message.as_str())));

        assert_eq!(outcome(&driver, &execution), "failed");
        assert_eq!(
            reason(&driver, &execution),
            format!("{message}; nothing had been changed")
        );
    });
}

#[test]
fn a_proof_starts_no_deployment_and_the_release_waits_until_it_cannot_arrive_late() {
    run(released(), Fault::None, async |driver| {
        runs_with_another_role(&driver).await;
        let runs = primary(&driver)["id"].clone();
        let since = calls(&driver);
        let answer = look(&driver, "begin-release", from_the_newest()).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");
        assert_eq!(
            answer["summary"],
            "a rollback may pass the roles of web:3; waiting 1m00s for earlier invocations to \
             time out"
        );
        assert_eq!(
            operations(&driver, since, "begin-release").join(" "),
            "TransactWriteItems PutItem PutItem UpdateService PutItem"
        );
        assert_eq!(lease(&driver)["release"]["role_proof"], "made");

        let since = calls(&driver);
        let answer = ended(&driver, "begin-release", from_the_newest()).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(
            operations(&driver, since, "begin-release"),
            Vec::<String>::new(),
            "a proof is made once"
        );
        let found = web(&driver);
        assert_eq!(found["deployments"].as_array().map(Vec::len), Some(1));
        assert_eq!(primary(&driver)["id"], runs);

        push(&driver, WEB, "2.0.0");
        let images = json!({"images": {"web": image("2.0.0")}, "family": WEB});
        let answer = look(&driver, "register-task-definition", images).await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("web:5"),
            "{answer}"
        );
        let next = update(json!({"task_definition": arn("web:5")}));
        ended(&driver, "update-service", next).await;
        assert_eq!(
            rolled_back(&driver, "STOPPED").await,
            "rolled-back: the execution was stopped; web:3 serves again with 2 of 2 tasks"
        );
    });
}

/// As [`runs_with_another_role`]. Both revisions have a container that no release replaces, whose
/// image has been deleted since it was pulled.
async fn runs_with_a_deleted_image(driver: &Driver) {
    const PROXY: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/proxy:1";
    let named = json!({"repositoryName": "proxy"});
    {
        let mut aws = driver.world.aws();
        ecr::call(&mut aws, "CreateRepository", &named).expect("legal");
        ecr::push(&mut aws, "proxy", "1", Behaviour::Healthy).expect("the repository is there");
    }
    let with_proxy = |request: &mut Value| {
        let containers = request["containerDefinitions"].as_array_mut();
        let proxy = json!({"name": "proxy", "image": PROXY});
        containers.expect("a list").push(proxy);
    };
    let runs = register_copy(driver, "web:2", |request| {
        request["executionRoleArn"] = json!(OLD_ROLE);
        with_proxy(request);
    });
    set(driver, json!({"taskDefinition": runs}));
    pass(driver, 600).await;
    register_copy(driver, "web:2", with_proxy);

    let gone = json!({"repositoryName": "proxy", "force": true});
    ecr::call(&mut driver.world.aws(), "DeleteRepository", &gone).expect("it is there");
}

#[test]
fn a_release_that_proves_roles_keeps_its_warning_to_the_end_of_the_action() {
    run(released(), Fault::None, async |driver| {
        runs_with_a_deleted_image(&driver).await;
        let begin = json!({"strategy": "rolling", "family": WEB, "containers": ["web"]});
        let warning = "; warning: the image of container `proxy` of the prior release web:3 is ";

        let first = look(&driver, "begin-release", begin.clone()).await;
        assert_eq!(first["status"], "in-progress", "{first}");
        let last = ended(&driver, "begin-release", begin).await;
        assert_eq!(last["status"], "done", "{last}");
        for (answer, report) in [
            (&first, "a rollback may pass the roles of web:3; waiting "),
            (&last, "web runs web:3 with 2 tasks; "),
        ] {
            let summary = answer["summary"].as_str().expect("a summary");
            assert!(summary.starts_with(report), "{summary}");
            assert!(summary.contains(warning), "{summary}");
        }
    });
}

#[test]
fn a_proof_without_a_result_is_made_again_once_it_cannot_arrive_any_more() {
    run(released(), Fault::None, async |driver| {
        runs_with_another_role(&driver).await;
        look(&driver, "begin-release", from_the_newest()).await;
        // As if the invocation had ended before the result of its call.
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| {
                release.role_proof = Some(RoleProof::Announced);
            })
        })
        .await;

        let since = calls(&driver);
        let answer = look(&driver, "begin-release", from_the_newest()).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");
        assert_eq!(
            operations(&driver, since, "begin-release"),
            Vec::<String>::new()
        );

        pass(&driver, 60).await;
        let answer = look(&driver, "begin-release", from_the_newest()).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");
        assert_eq!(
            operations(&driver, since, "begin-release"),
            ["PutItem", "UpdateService", "PutItem"]
        );
    });
}

#[test]
fn a_proof_replaces_nothing_that_was_deployed_since_the_release_began() {
    run(released(), Fault::None, async |driver| {
        runs_with_another_role(&driver).await;
        look(&driver, "begin-release", from_the_newest()).await;
        // As if the invocation had ended before it announced the proof.
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| {
                release.role_proof = Some(RoleProof::Needed);
            })
        })
        .await;
        set(&driver, json!({"taskDefinition": arn("web:4")}));
        pass(&driver, 2).await;

        let since = calls(&driver);
        let answer = look(&driver, "begin-release", from_the_newest()).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");
        let summary = answer["summary"].as_str().expect("a summary");
        let waits = "waiting for a deployment started outside Slipway: web:4 (ecs-svc/";
        assert!(summary.starts_with(waits), "{summary}");

        pass(&driver, 600).await;
        let answer = look(&driver, "begin-release", from_the_newest()).await;
        assert_eq!(answer["type"], "ConfigurationError", "{answer}");
        assert_eq!(
            answer["message"],
            "the PRIMARY deployment of service `web` is web:4; expected a completed one of web:3 \
             alone, as when the release began; retry the release"
        );
        let written = operations(&driver, since, "begin-release");
        assert!(
            !written.contains(&"UpdateService".to_owned()),
            "{written:?}"
        );
    });
}

/// A task of the legacy service is being replaced when a release that began this many seconds ago
/// proves its roles; returns what the release reports.
async fn proves_without_a_task(driver: &Driver, age: i64) -> Value {
    begun(driver, json!({"service": LEGACY})).await;
    edit(driver, LEGACY, |lease| {
        with_release(lease, |release| {
            let began = release.began_at.secs() - age;
            release.began_at = Timestamp::from_secs(began).expect("in range");
            release.role_proof = Some(RoleProof::Needed);
        })
    })
    .await;
    {
        let mut aws = driver.world.aws();
        let legacy = service(&aws, CLUSTER, LEGACY);
        let legacy = legacy["serviceArn"].as_str().expect("an ARN");
        let task = aws.ecs.tasks_of(legacy).next().expect("it has tasks");
        let task = task.arn.clone();
        ecs::stop_task(&mut aws, &task, "Task stopped by user");
    }

    let begin = json!({"service": LEGACY, "strategy": "rolling"});
    look(driver, "begin-release", begin).await
}

#[test]
fn a_task_that_is_replaced_behind_a_classic_load_balancer_only_delays_a_proof() {
    let aws = on_instances("bridge", 0, 2, classic);
    run(aws.clone(), Fault::None, async |driver| {
        let answer = proves_without_a_task(&driver, 0).await;
        let summary = answer["summary"].as_str().expect("a summary");
        let expected = "1 of 2 tasks of legacy:1 are running; waited ";
        assert!(summary.starts_with(expected), "{summary}");

        let begin = json!({"service": LEGACY, "strategy": "rolling"});
        let answer = ended(&driver, "begin-release", begin).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
    run(aws, Fault::None, async |driver| {
        let answer = proves_without_a_task(&driver, 900).await;
        let expected = "expected a completed one of legacy:1 alone";
        fails(&answer, "ConfigurationError", &[expected]);
    });
}

#[test]
fn roles_that_only_a_rollback_could_prove_are_a_warning() {
    run(released(), Fault::None, async |driver| {
        runs_with_another_role(&driver).await;
        let gone = json!({"taskDefinition": arn("web:3")});
        ecs::call(&mut driver.world.aws(), "DeregisterTaskDefinition", &gone).expect("it is there");

        let since = calls(&driver);
        let answer = begun(&driver, from_the_newest()).await;
        assert_eq!(
            answer["summary"],
            format!(
                "web runs web:3 with 2 tasks; the rollout keeps at least 2 healthy and at most 4 \
                 running; warning: whether a rollback may pass `executionRoleArn` {OLD_ROLE} is \
                 not known until it registers web:3 again, which is INACTIVE"
            )
        );
        assert_eq!(
            operations(&driver, since, "begin-release"),
            ["TransactWriteItems", "PutItem"]
        );
        assert_eq!(lease(&driver)["release"].get("role_proof"), None);
    });
}

/// Web without a tag of Slipway runs web:3, whose roles are those that the console makes.
async fn adopted(driver: &Driver) {
    let untag = json!({"resourceArn": web(driver)["serviceArn"], "tagKeys": ["slipway:service"]});
    ecs::call(&mut driver.world.aws(), "UntagResource", &untag).expect("it is there");
    let runs = register_copy(driver, "web:2", |request| {
        request["taskRoleArn"] = json!(TASK_ROLE);
        request["executionRoleArn"] = json!("arn:aws:iam::111122223333:role/ecsTaskExecutionRole");
    });
    set(driver, json!({"taskDefinition": runs}));
    pass(driver, 600).await;
}

#[test]
fn by_hand_neither_a_tag_of_the_service_nor_a_path_of_its_roles_is_required() {
    for is_stopped in [false, true] {
        run(released(), Fault::None, async |driver| {
            adopted(&driver).await;
            push(&driver, WEB, "2.0.0");
            begun(&driver, json!({})).await;
            let images = json!({"images": {"web": image("2.0.0")}});
            let answer = look(&driver, "register-task-definition", images).await;
            assert_eq!(
                answer["outputVariables"]["TaskDefinitionArn"],
                arn("web:4"),
                "{answer}"
            );
            let next = update(json!({"task_definition": arn("web:4")}));
            ended(&driver, "update-service", next).await;

            if is_stopped {
                assert_eq!(
                    rolled_back(&driver, "STOPPED").await,
                    "rolled-back: the execution was stopped; web:3 serves again with 2 of 2 tasks"
                );
                assert_eq!(web(&driver)["taskDefinition"], arn("web:3"));
            } else {
                let finish = json!({"task_definition": arn("web:4")});
                let answer = ended(&driver, "finish-release", finish).await;
                assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
                assert_eq!(web(&driver)["taskDefinition"], arn("web:4"));
            }
        });
    }
}
