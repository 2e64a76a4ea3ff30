//! A service in another account than its pipeline and the functions, released and rolled back under
//! a deploy role of that account.

mod scene;

use behaviour::{failure, image_of, jobs, outcome, pair, push, reason, settled, until};
use emulator::Aws;
use emulator::ecr::{self, Behaviour};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};

use scene::{PIPELINE, SECOND, SERVICE, Scene, second};

/// The image that the service in the second account runs.
fn image(driver: &Driver) -> String {
    image_of(second(&driver.world.aws()), SERVICE)
}

/// Releases a good image; returns its digest.
async fn deployed(driver: &Driver) -> String {
    let good = push(driver, SERVICE, "1.0.0");
    let execution = settled(driver, PIPELINE, &good).await;
    assert_eq!(
        outcome(driver, &execution),
        "deployed",
        "{}",
        reason(driver, &execution)
    );
    good
}

/// How begin-release fails on a scene: the type and the message of the failure, and the role.
fn refused(scene: &Scene) -> (String, String, String) {
    run(scene.account(), Fault::None, async |driver| {
        let pushed = push(&driver, SERVICE, "1.0.0");
        let execution = settled(&driver, PIPELINE, &pushed).await;
        assert_eq!(outcome(&driver, &execution), "failed");

        let aws = driver.world.aws();
        let begun = jobs(&aws, &execution, "begin-release");
        let failed = begun.into_iter().find_map(failure);
        let (kind, message) = failed.expect("it fails");
        (
            kind.to_owned(),
            message.to_owned(),
            scene::deploy_role(&aws),
        )
    })
}

fn assert_nothing_denied(aws: &Aws) {
    for account in [aws, second(aws)] {
        assert!(account.iam.denials.is_empty(), "{:?}", account.iam.denials);
    }
}

#[test]
fn a_service_in_another_account_is_released_and_a_broken_image_is_rolled_back() {
    run(Scene::default().account(), Fault::None, async |driver| {
        let good = deployed(&driver).await;
        assert!(image(&driver).ends_with(&good), "{}", image(&driver));

        let bad = ecr::push(
            &mut driver.world.aws(),
            SERVICE,
            "2.0.0",
            Behaviour::NeverHealthy,
        );
        driver.world.touch();
        let bad = bad.expect("the repository is there");
        until(&driver, |aws| {
            image_of(second(aws), SERVICE).ends_with(&bad)
        })
        .await;

        let execution = settled(&driver, PIPELINE, &bad).await;
        let why = reason(&driver, &execution);
        assert_eq!(outcome(&driver, &execution), "rolled-back", "{why}");
        assert!(image(&driver).ends_with(&good), "{}", image(&driver));

        let aws = driver.world.aws();
        assert_nothing_denied(&aws);
        assert!(
            aws.ecs.service_named(CLUSTER, SERVICE).is_none(),
            "the first account has no such service"
        );
    });
}

#[test]
fn a_pair_in_another_account_is_released_and_a_broken_image_is_rolled_back() {
    let pair = Scene {
        is_pair: true,
        ..Scene::default()
    };
    run(pair.account(), Fault::None, async |driver| {
        let good = deployed(&driver).await;
        let green = |driver: &Driver| image_of(second(&driver.world.aws()), "orders-green");
        assert!(green(&driver).ends_with(&good), "{}", green(&driver));
        assert_eq!(weights(&driver), [0, 100]);

        let bad = ecr::push(
            &mut driver.world.aws(),
            SERVICE,
            "2.0.0",
            Behaviour::NeverHealthy,
        );
        driver.world.touch();
        let bad = bad.expect("the repository is there");
        let execution = settled(&driver, PIPELINE, &bad).await;
        let why = reason(&driver, &execution);
        assert_eq!(outcome(&driver, &execution), "rolled-back", "{why}");
        assert!(green(&driver).ends_with(&good), "{}", green(&driver));
        assert_eq!(weights(&driver), [0, 100]);
        assert_nothing_denied(&driver.world.aws());
    });
}

/// The weights of the pair's rule in the second account, blue first.
fn weights(driver: &Driver) -> [i64; 2] {
    let aws = driver.world.aws();
    let rule = second(&aws)
        .cloudformation
        .export("orders-ProductionRuleArn");
    pair::weights_at(second(&aws), rule.expect("the pair exports its rule"))
}

#[test]
fn a_deploy_role_of_another_service_fails_the_action_with_role_action_and_resource() {
    let (kind, message, role) = refused(&Scene {
        named_service: "billing",
        ..Scene::default()
    });
    let name = role.rsplit('/').next().expect("a name");

    assert_eq!(kind, "PermissionError", "{message}");
    let session =
        format!("arn:aws:sts::{SECOND}:assumed-role/{name}/slipway-slipway-begin-release");
    let resource = format!("arn:aws:ecs:eu-west-1:{SECOND}:service/{CLUSTER}/{SERVICE}");
    for part in [session.as_str(), "ecs:DescribeServices", resource.as_str()] {
        assert!(message.contains(part), "no {part} in: {message}");
    }
}

#[test]
fn a_deploy_role_that_trusts_another_pipeline_fails_the_action_with_role_and_remedy() {
    let (kind, message, role) = refused(&Scene {
        trusted_pipeline: "arn:aws:codepipeline:eu-west-1:111122223333:billing",
        ..Scene::default()
    });

    assert_eq!(kind, "ConfigurationError", "{message}");
    let pipeline = Scene::default().trusted_pipeline;
    let remedy = format!(
        "the trust policy of {role} must allow sts:AssumeRole to this user with the external id \
         {pipeline}"
    );
    assert!(message.contains(&remedy), "{message}");
    assert!(
        message.contains("arn:aws:sts::111122223333:assumed-role/"),
        "the caller is of the first account: {message}"
    );
}

#[test]
fn a_deploy_role_of_another_account_is_refused_without_a_role_for_the_pipeline() {
    let (kind, message, role) = refused(&Scene {
        has_pipeline_role: false,
        ..Scene::default()
    });

    assert_eq!(kind, "ConfigurationError", "{message}");
    let start = format!("`pipeline_role` is missing and `deploy_role` is {role}, ");
    assert!(message.starts_with(&start), "{message}");
}
