//! A dry run makes every check of a release, reports all of them, and writes nothing.

use emulator::codepipeline::ExecutionStatus;
use emulator::{Aws, ecr, ecs};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::{
    ecs_state, failure, jobs, newest, only_check, push, released, until, update_pipeline, writes,
};

/// A dry run, after a check that nothing was written; a job of CodePipeline is not reported.
pub(crate) async fn dry_run(driver: &Driver, more: Value) -> Value {
    let mut all = json!({"strategy": "rolling", "dry_run": true});
    let given = more.as_object().expect("an object").clone();
    all.as_object_mut().expect("an object").extend(given);

    let before = (driver.world.snapshot(), lease(driver));
    let answer = look(driver, "begin-release", all).await;
    let after = driver.world.snapshot();
    assert_eq!(
        writes(&after, before.0.calls.len()),
        Vec::<String>::new(),
        "{answer}"
    );
    assert_eq!(ecs_state(&after), ecs_state(&before.0));
    assert_eq!(lease(driver), before.1);
    assert_eq!((record(driver), mark(driver)), (Value::Null, Value::Null));
    answer
}

/// The checks with a state: names and reasons.
fn checks<'a>(answer: &'a Value, state: &str) -> Vec<(&'a str, &'a str)> {
    let groups = answer["checks"]["checks"].as_array().expect("groups");
    let all = groups
        .iter()
        .flat_map(|group| group["checks"].as_array().expect("checks"));
    all.filter(|check| check["state"] == state)
        .map(|check| {
            let text = |name: &str| check[name].as_str().expect("a text");
            (text("name"), text("reason"))
        })
        .collect()
}

/// That one check is NG, and why.
fn is_wrong(answer: &Value, name: &str, why: &str) {
    fails(
        answer,
        "ConfigurationError",
        &["of the dry run are NG: ", name, why],
    );
    let found = checks(answer, "NG");
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    assert!(found[0].0 == name && found[0].1.contains(why), "{found:?}");

    let text = answer["text"].as_str().expect("a text");
    assert!(text.starts_with("NG   apps/"), "{text}");
    assert!(text.contains(&format!("\n    NG   {name}: ")), "{text}");
}

#[test]
fn a_service_that_can_be_released_has_nothing_that_is_ng() {
    run(released(), Fault::None, async |driver| {
        push(&driver, WEB, "2.0.0");
        let more = json!({"containers": ["web"], "image": image("2.0.0")});
        let answer = dry_run(&driver, more).await;

        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(answer["outputVariables"], json!({}));
        assert_eq!(answer["checks"]["name"], "apps/web");
        assert!(checks(&answer, "NG").is_empty(), "{answer}");
        let named = |state: &str| {
            let all = checks(&answer, state).into_iter();
            all.map(|(name, _)| name).collect::<Vec<_>>()
        };
        let skipped = ["role", "permission", "roles", "architecture", "roles"];
        assert_eq!(named("SKIP"), skipped);
        for name in [
            "controller",
            "circuit-breaker",
            "containers",
            "load-balancers",
            "service-registries",
            "service-connect",
            "network-mode",
            "launch-type",
            "volumes",
            "execute-command",
            "image",
            "rebalancing",
            "deployments",
            "status",
            "images",
        ] {
            assert!(named("OK").contains(&name), "{name}: {answer}");
        }
    });
}

#[test]
fn the_manifest_of_an_image_is_read_once() {
    run(released(), Fault::None, async |driver| {
        let of = |part: &str| format!("application/vnd.oci.image.{part}");
        let manifest = json!({
            "schemaVersion": 2, "mediaType": of("manifest.v1+json"),
            "config": {"mediaType": of("config.v1+json"), "digest": "config"},
            "layers": [{"mediaType": of("layer.v1.tar+gzip"), "digest": "layer"}],
        });
        let input = json!({
            "repositoryName": WEB, "imageTag": "3.0.0", "imageManifest": manifest.to_string(),
        });
        ecr::call(&mut driver.world.aws(), "PutImage", &input).expect("legal");

        let before = driver.world.aws().calls.len();
        let answer = dry_run(&driver, json!({"image": image("3.0.0")})).await;
        assert_eq!(answer["status"], "done", "{answer}");
        let aws = driver.world.aws();
        let calls = aws.calls[before..].iter();
        let reads = calls.filter(|call| call.operation == "BatchGetImage");
        assert_eq!(reads.count(), 1);
    });
}

fn of_another_controller(driver: &Driver) {
    ecs::set_controller(&mut driver.world.aws(), CLUSTER, WEB, "CODE_DEPLOY");
}

fn rebalanced(driver: &Driver) {
    set(driver, json!({"availabilityZoneRebalancing": "ENABLED"}));
}

#[test]
fn a_service_that_is_not_there_is_named() {
    run(released(), Fault::None, async |driver| {
        let answer = dry_run(&driver, json!({"service": "wbe"})).await;
        is_wrong(&answer, "exists", "service `wbe` is not in cluster `apps`");
    });
}

#[test]
fn a_prior_release_that_is_inactive_and_whose_image_is_gone_is_named() {
    run(released(), Fault::None, async |driver| {
        {
            let mut aws = driver.world.aws();
            let gone = json!({"taskDefinition": arn("web:2")});
            ecs::call(&mut aws, "DeregisterTaskDefinition", &gone).expect("it is there");
            let gone = json!({"repositoryName": WEB, "force": true});
            ecr::call(&mut aws, "DeleteRepository", &gone).expect("it is there");
        }
        let answer = dry_run(&driver, json!({})).await;
        is_wrong(
            &answer,
            "images",
            "the prior release web:2 cannot be restored",
        );
    });
}

#[test]
fn tags_that_leave_no_room_for_a_mark_are_named_before_anything_is_locked() {
    run(released(), Fault::None, async |driver| {
        let runs = register_copy(&driver, "web:2", |request| {
            let tag = |number| json!({"key": format!("tag{number}"), "value": "x"});
            request["tags"] = (0..49).map(tag).collect();
        });
        set(&driver, json!({"taskDefinition": runs}));
        pass(&driver, 600).await;

        let why = "task definition web:3: `tags` has 49 items; expected at most 48";
        is_wrong(&dry_run(&driver, json!({})).await, "base", why);
        let answer = look(&driver, "begin-release", json!({"strategy": "rolling"})).await;
        fails(&answer, "ConfigurationError", &[why]);
        assert_eq!(lease(&driver).get("release"), None);
    });
}

/// Why a revision without tags of its own is refused once [`fill_tags`] was called.
const FULL_FAMILY: &str = "the newest revision of family `web`, whose tags the next one gets: \
                           `tags` has 49 items; expected at most 48";

/// Gives the newest revision of web's family 49 tags.
fn fill_tags(driver: &Driver) {
    register_copy(driver, "web:2", |request| {
        let tag = |number| json!({"key": format!("tag{number}"), "value": "x"});
        request["tags"] = (0..49).map(tag).collect();
    });
}

/// Lets web run a revision without tags.
async fn run_untagged(driver: &Driver) {
    let runs = register_copy(driver, "web:2", |request| {
        request.as_object_mut().expect("an object").remove("tags");
    });
    set(driver, json!({"taskDefinition": runs}));
    pass(driver, 600).await;
}

#[test]
fn tags_of_the_family_that_leave_no_room_for_a_mark_are_named_before_anything_is_locked() {
    run(released(), Fault::None, async |driver| {
        run_untagged(&driver).await;
        fill_tags(&driver);

        is_wrong(&dry_run(&driver, json!({})).await, "base", FULL_FAMILY);
        let answer = look(&driver, "begin-release", json!({"strategy": "rolling"})).await;
        fails(&answer, "ConfigurationError", &[FULL_FAMILY]);
        assert_eq!(lease(&driver).get("release"), None);
    });
}

#[test]
fn tags_that_the_family_got_since_the_release_began_are_named_before_anything_is_registered() {
    run(released(), Fault::None, async |driver| {
        run_untagged(&driver).await;
        push(&driver, WEB, "2.0.0");
        begun(&driver, json!({})).await;
        fill_tags(&driver);

        let why = FULL_FAMILY;
        let more = json!({"images": {"web": image("2.0.0")}});
        let answer = look(&driver, "register-task-definition", more).await;
        fails(&answer, "ConfigurationError", &[why]);
        let aws = driver.world.aws();
        assert!(aws.ecs.request_of("web:4").is_some() && aws.ecs.request_of("web:5").is_none());
    });
}

#[test]
fn a_role_of_the_prior_release_that_the_base_does_not_have_is_named() {
    run(released(), Fault::None, async |driver| {
        let runs = register_copy(&driver, "web:2", |request| {
            request["taskRoleArn"] = json!("arn:aws:iam::111122223333:role/web-task");
        });
        set(&driver, json!({"taskDefinition": runs}));
        pass(&driver, 600).await;

        register_copy(&driver, "web:2", |_| ());
        let answer = dry_run(&driver, json!({"family": "web"})).await;
        assert_eq!(answer["status"], "done", "{answer}");
        let reason = "the base does not have `taskRoleArn` \
                      arn:aws:iam::111122223333:role/web-task: begin-release proves that a \
                      rollback may pass them, by an UpdateService with the revision that runs, \
                      which changes nothing";
        let skipped = checks(&answer, "SKIP");
        assert!(skipped.contains(&("roles", reason)), "{skipped:?}");
    });
}

#[test]
fn an_image_of_another_registry_is_not_taken_for_one_that_exists() {
    run(released(), Fault::None, async |driver| {
        let image = "public.ecr.aws/nginx/nginx:1";
        let answer = dry_run(&driver, json!({ "image": image })).await;
        assert_eq!(answer["status"], "done", "{answer}");
        let reason = format!("{image} is not in Amazon ECR");
        let skipped = checks(&answer, "SKIP");
        assert!(skipped.contains(&("image", reason.as_str())), "{skipped:?}");
    });
}

#[test]
fn all_that_is_wrong_is_named_at_once() {
    run(released(), Fault::None, async |driver| {
        rebalanced(&driver);
        let more = json!({
            "strategy": "make-room", "minimum_healthy_percent": 50, "containers": ["wbe"],
            "image": image("9.9.9"), "initial_count": 0,
        });
        let answer = dry_run(&driver, more).await;
        let start = "4 of ";
        let names = " are NG: parameters, containers, image, rebalancing: parameters (release): ";
        fails(&answer, "ConfigurationError", &[start, names]);
        assert_eq!(checks(&answer, "NG").len(), 4, "{answer}");
    });
}

#[test]
fn what_a_release_would_wait_for_is_no_refusal() {
    run(released(), Fault::None, async |driver| {
        set(&driver, json!({"taskDefinition": "web:1"}));
        pass(&driver, 2).await;
        let answer = dry_run(&driver, json!({})).await;
        assert_eq!(answer["status"], "done", "{answer}");
        let skipped = checks(&answer, "SKIP");
        let waits = |(name, why): &(&str, &str)| {
            *name == "deployments" && why.contains("started outside Slipway: web:1 (ecs-svc/")
        };
        assert!(skipped.iter().any(waits), "{skipped:?}");
        let later = |name: &str| skipped.contains(&(name, "checked once the deployment has ended"));
        assert!(["roles", "images"].into_iter().all(later), "{skipped:?}");
    });

    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let held = lease(&driver);
        let more = json!({"strategy": "rolling", "dry_run": true, "execution": "jane-2"});
        let answer = look(&driver, "begin-release", more).await;
        assert_eq!(answer["status"], "done", "{answer}");
        let skipped = checks(&answer, "SKIP");
        assert!(skipped[0].0 == "lease" && skipped[0].1.contains("release jane-1"));
        assert_eq!(lease(&driver), held);
    });
}

/// Lets the pipeline's execution of a push end, and returns the account then.
pub(crate) async fn executed(driver: &Driver, known: usize) -> Aws {
    until(driver, |aws| {
        aws.codepipeline.executions.len() > known && newest(aws, "slipway-web").is_over()
    })
    .await;
    driver.world.snapshot()
}

#[test]
fn a_pipeline_that_only_checks_succeeds_or_fails_by_its_checks() {
    for is_wrong in [false, true] {
        run(released(), Fault::None, async |driver| {
            only_check(&mut driver.world.aws(), "slipway-web", json!({}));
            if is_wrong {
                of_another_controller(&driver);
            }
            let before = driver.world.snapshot();
            push(&driver, WEB, "2.0.0");
            let aws = executed(&driver, before.codepipeline.executions.len()).await;

            let execution = newest(&aws, "slipway-web");
            let job = jobs(&aws, &execution.id, "begin-release")[0];
            if is_wrong {
                let (kind, message) = failure(job).expect("it failed");
                assert_eq!(kind, "ConfigurationError");
                assert!(message.contains("are NG: controller: controller (service web): "));
            } else {
                assert_eq!(failure(job), None);
                assert_eq!(execution.status, ExecutionStatus::Succeeded);
            }
            assert_eq!(
                operations(&driver, before.calls.len(), "begin-release"),
                Vec::<String>::new()
            );
            assert_eq!(ecs_state(&aws), ecs_state(&before));
        });
    }
}

#[test]
fn a_dry_run_that_cannot_be_read_leaves_no_record() {
    run(released(), Fault::None, async |driver| {
        only_check(&mut driver.world.aws(), "slipway-web", json!({}));
        let changed = update_pipeline(&mut driver.world.aws(), "slipway-web", |pipeline| {
            let given = &mut pipeline["stages"][1]["actions"][0]["configuration"]["UserParameters"];
            let text = given.as_str().expect("parameters");
            *given = json!(text.replace("\"strategy\"", "\"stategy\""));
        });
        changed.expect("a legal pipeline");
        let before = driver.world.snapshot();
        push(&driver, WEB, "2.0.0");
        let aws = executed(&driver, before.codepipeline.executions.len()).await;

        let execution = newest(&aws, "slipway-web");
        let job = jobs(&aws, &execution.id, "begin-release")[0];
        assert!(failure(job).is_some_and(|(_, why)| why.contains("unknown field `stategy`")));
        let written = operations(&driver, before.calls.len(), "begin-release");
        assert_eq!(written, Vec::<String>::new());
    });
}
