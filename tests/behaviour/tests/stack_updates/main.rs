//! Stacks are updated in mid-life: weights, counts, task definitions and suspensions that delivery
//! has changed since stay as they are, also when the update fails and is rolled back. What releases
//! change is done here by direct calls, so that nothing depends on which step would have done it.

mod older_roles;
mod resets;
mod scenes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use behaviour::{
    account, image_of, in_progress, outcome, push, reason, released, service, settled,
};
use emulator::Aws;
use emulator::cloudformation::{StackError, deploy};
use harness::demo::{CLUSTER, SHOP, WEB};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use scenes::{a_minute_later, after_a_release, scenes, state};

/// Changes of `infra/service.yaml` that a team may want while the service lives.
const CHANGES: [(&str, &str); 9] = [
    ("HealthCheckGraceSeconds", "90"),
    ("KeepImages", "50"),
    ("TargetCpuPercent", "40"),
    ("MaxCapacity", "10"),
    (
        "CertificateArn",
        "arn:aws:acm:eu-west-1:111122223333:certificate/1",
    ),
    ("MinimumHealthyPercent", "50"),
    ("DeregistrationDelaySeconds", "60"),
    ("LogRetentionDays", "60"),
    ("AssignPublicIp", "ENABLED"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Deploys a stack again with the parameters that it has, except for one.
fn update(aws: &mut Aws, stack: &str, (name, value): (&str, &str)) -> Result<(), StackError> {
    let old = aws.cloudformation.stack(stack).expect("the demo's stack");
    let text = |value: &Value| match value {
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(","),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let mut parameters: BTreeMap<String, String> = old
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    parameters.insert(name.to_owned(), value.to_owned());

    let template = old.template.clone();
    deploy(aws, stack, &template, &parameters)
}

/// Updates a stack, and back again as CloudFormation does it when a later part of the update fails.
fn update_and_roll_back(aws: &mut Aws, stack: &str, change: (&str, &str)) {
    let before = aws
        .cloudformation
        .stack(stack)
        .expect("the demo's stack")
        .parameters[change.0]
        .clone();
    update(aws, stack, change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
    update(aws, stack, (change.0, before.as_str().expect("text")))
        .unwrap_or_else(|error| panic!("{change:?}: {error}"));
}

#[test]
fn an_update_of_the_pair_resets_nothing() {
    for (scene, before) in scenes() {
        for change in CHANGES {
            let mut aws = before.clone();
            update(&mut aws, SHOP, change)
                .unwrap_or_else(|error| panic!("{scene}, {change:?}: {error}"));
            assert_eq!(state(&aws), state(&before), "{scene}, {change:?}");

            // A colour without tasks is brought to MinCapacity by what changes the capacity, and
            // has no traffic to serve.
            if change.0 != "MaxCapacity" {
                assert_eq!(
                    state(&a_minute_later(aws)),
                    state(&before),
                    "{scene}, {change:?}, a minute later"
                );
            }
        }
    }
}

#[test]
fn changed_bounds_move_at_most_the_count_of_a_colour_that_is_below_them() {
    for (scene, before) in scenes() {
        let mut aws = before.clone();
        update(&mut aws, SHOP, ("MaxCapacity", "10")).expect("it scales");
        let after = state(&a_minute_later(aws));

        for (at, seen) in state(&before)["colours"]
            .as_array()
            .expect("two")
            .iter()
            .enumerate()
        {
            let mut expected = seen.clone();
            expected[2] = json!(seen[2].as_i64().expect("a count").max(2));
            let described = &after["colours"][at];
            assert!(
                described == seen || *described == expected,
                "{scene}: {seen} became {described}"
            );
        }
        assert_eq!(after["weights"], state(&before)["weights"], "{scene}");
    }
}

#[test]
fn an_update_that_is_rolled_back_resets_nothing() {
    for (scene, before) in scenes() {
        for change in CHANGES
            .into_iter()
            .filter(|(name, _)| *name != "CertificateArn")
        {
            let mut aws = before.clone();
            update_and_roll_back(&mut aws, SHOP, change);
            assert_eq!(state(&aws), state(&before), "{scene}, {change:?}");
        }

        let mut aws = before.clone();
        let refused = update(&mut aws, SHOP, ("MaxCapacity", "1")).expect_err("below MinCapacity");
        assert!(refused.place.contains("ScalableTarget"), "{refused}");

        let refused = update(&mut aws, SHOP, ("LoadBalanced", "no"))
            .expect_err("a pair needs its load balancer");
        assert_eq!(refused.place, "Rules.PairIsLoadBalanced.Assertions.0");
        assert_eq!(
            state(&a_minute_later(aws)),
            state(&a_minute_later(before)),
            "{scene}"
        );
    }
}

#[test]
fn no_parameter_but_those_that_are_fixed_for_life_reaches_the_production_rule() {
    let before = after_a_release();
    let stack = before.cloudformation.stack(SHOP).expect("the demo's stack");
    let rule = stack
        .resource("ProductionRule")
        .expect("a pair")
        .properties
        .clone();

    for change in CHANGES.into_iter().chain([
        ("ContainerPort", "9090"),
        ("HealthCheckPath", "/health"),
        ("PlaceholderImage", "busybox"),
    ]) {
        let mut aws = before.clone();
        update(&mut aws, SHOP, change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
        let stack = aws.cloudformation.stack(SHOP).expect("the demo's stack");

        assert_eq!(
            stack.resource("ProductionRule").expect("a pair").properties,
            rule,
            "{change:?}"
        );
        assert_eq!(
            state(&aws)["weights"],
            state(&before)["weights"],
            "{change:?}"
        );
    }
}

#[test]
fn an_update_of_the_pipeline_of_a_pair_touches_nothing_but_the_pipeline() {
    for (scene, before) in scenes() {
        for change in [
            ("Shift", "all-at-once"),
            ("BakeMinutes", "30"),
            ("Approval", "yes"),
            ("ExecutionMode", "QUEUED"),
        ] {
            let mut aws = before.clone();
            update(&mut aws, "shop-pipeline", change)
                .unwrap_or_else(|error| panic!("{scene}, {change:?}: {error}"));
            assert_eq!(state(&aws), state(&before), "{scene}, {change:?}");
        }
    }
}

/// Updates a stack while a release of `web` rolls out; returns its outcome and reason, and the
/// account at its end.
fn updated_meanwhile(stack: &str, change: (&str, &str)) -> (String, String, Aws) {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = in_progress(&driver, &pushed).await;
        let updated = update(&mut driver.world.aws(), stack, change);
        updated.unwrap_or_else(|error| panic!("{change:?}: {error}"));
        driver.world.touch();
        settled(&driver, "slipway-web", &pushed).await;

        (
            outcome(&driver, &execution),
            reason(&driver, &execution),
            driver.world.snapshot(),
        )
    })
}

#[test]
fn a_release_in_progress_is_deployed_whatever_is_updated_of_service_and_functions() {
    let of_one_service = |name: &str| !["MaxCapacity", "AssignPublicIp"].contains(&name);
    let changes = CHANGES
        .into_iter()
        .filter(|(name, _)| of_one_service(name))
        .map(|change| (WEB, change));

    for (stack, change) in changes.chain([("slipway", ("LogRetentionDays", "30"))]) {
        let (outcome, reason, aws) = updated_meanwhile(stack, change);
        assert_eq!(outcome, "deployed", "{change:?}: {reason}");
        assert_ne!(
            image_of(&aws, WEB),
            image_of(&released(), WEB),
            "{change:?}"
        );
        assert_eq!(service(&aws, CLUSTER, WEB)["desiredCount"], 2, "{change:?}");
    }
}

#[test]
fn an_update_of_its_pipeline_rolls_a_release_in_progress_back() {
    let (outcome, reason, aws) = updated_meanwhile("web-pipeline", ("Strategy", "doubling"));
    assert_eq!(outcome, "rolled-back", "{reason}");
    assert!(reason.contains("the execution was canceled"), "{reason}");

    let [after, before] = [&aws, &released()].map(|aws| service(aws, CLUSTER, WEB));
    for member in [
        "taskDefinition",
        "desiredCount",
        "runningCount",
        "deploymentConfiguration",
    ] {
        assert_eq!(after[member], before[member], "{member}");
    }
}

#[test]
fn the_templates_are_those_that_users_deploy() {
    let aws = account();
    for (stack, template) in [
        (SHOP, "infra/service.yaml"),
        ("slipway", "template.yaml"),
        ("web-pipeline", "infra/pipelines/in-place.yaml"),
        ("shop-pipeline", "infra/pipelines/blue-green.yaml"),
    ] {
        let deployed = &aws
            .cloudformation
            .stack(stack)
            .expect("the demo's stack")
            .template;
        let same = deployed.canonicalize().expect("a file")
            == root().join(template).canonicalize().expect("a file");
        assert!(same, "{stack} is {}", deployed.display());
    }
}
