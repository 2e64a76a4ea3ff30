//! A service in another account or region than its pipeline and the functions, released and rolled
//! back under a deploy role of that place.

mod partitions;
mod scene;

use behaviour::{ends, failure, image_of, jobs, pair, push, until};
use emulator::Aws;
use emulator::ecr::{self, Behaviour};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};

use scene::{FIRST, PIPELINE, SECOND, SERVICE, Scene};

/// The image that a service runs, where the scene has it.
fn image(driver: &Driver, scene: &Scene, service: &str) -> String {
    image_of(scene.place(&driver.world.aws()), service)
}

/// Releases a good image; returns its digest.
async fn deployed(driver: &Driver) -> String {
    let good = push(driver, SERVICE, "1.0.0");
    ends(driver, PIPELINE, &good, "deployed").await;
    good
}

/// Releases an image that never becomes healthy; returns its digest.
fn pushed_broken(driver: &Driver) -> String {
    let aws = &mut driver.world.aws();
    let bad = ecr::push(aws, SERVICE, "2.0.0", Behaviour::NeverHealthy);
    driver.world.touch();
    bad.expect("the repository is there")
}

/// Waits until the release of a broken image is over, which must have been rolled back.
async fn assert_rolled_back(driver: &Driver, bad: &str) {
    ends(driver, PIPELINE, bad, "rolled-back").await;
}

/// How begin-release fails on a scene: the type and the message of the failure, and the role.
fn refused(scene: &Scene) -> (String, String, String) {
    run(scene.account(), Fault::None, async |driver| {
        let pushed = push(&driver, SERVICE, "1.0.0");
        let execution = ends(&driver, PIPELINE, &pushed, "failed").await;

        let aws = driver.world.aws();
        let begun = jobs(&aws, &execution, "begin-release");
        let failed = begun.into_iter().find_map(failure);
        let (kind, message) = failed.expect("it fails");
        (kind.to_owned(), message.to_owned(), scene.deploy_role(&aws))
    })
}

/// Releases a good image and a broken one on a scene, of which the first stays.
fn assert_released_and_rolled_back(scene: &Scene) {
    run(scene.account(), Fault::None, async |driver| {
        let good = deployed(&driver).await;
        let runs = || image(&driver, scene, SERVICE);
        assert!(runs().ends_with(&good), "{}", runs());

        let bad = pushed_broken(&driver);
        until(&driver, |aws| {
            image_of(scene.place(aws), SERVICE).ends_with(&bad)
        })
        .await;
        assert_rolled_back(&driver, &bad).await;
        assert!(runs().ends_with(&good), "{}", runs());

        let aws = driver.world.aws();
        assert_nothing_denied(&aws);
        assert!(
            aws.ecs.service_named(CLUSTER, SERVICE).is_none(),
            "the first place has no such service"
        );
    });
}

/// The same of a pair.
fn assert_pair_released_and_rolled_back(scene: &Scene) {
    run(scene.account(), Fault::None, async |driver| {
        let good = deployed(&driver).await;
        let green = || image(&driver, scene, "orders-green");
        assert!(green().ends_with(&good), "{}", green());
        assert_eq!(weights(&driver, scene), [0, 100]);

        let bad = pushed_broken(&driver);
        assert_rolled_back(&driver, &bad).await;
        assert!(green().ends_with(&good), "{}", green());
        assert_eq!(weights(&driver, scene), [0, 100]);
        assert_nothing_denied(&driver.world.aws());
    });
}

fn assert_nothing_denied(aws: &Aws) {
    for account in [FIRST, SECOND] {
        let denials = aws.of_account(account).map(|account| &account.iam.denials);
        assert!(denials.is_none_or(Vec::is_empty), "{denials:?}");
    }
}

/// The weights of the pair's rule, where the scene has it, blue first.
fn weights(driver: &Driver, scene: &Scene) -> [i64; 2] {
    let aws = driver.world.aws();
    let place = scene.place(&aws);
    let rule = place.cloudformation.export("orders-ProductionRuleArn");
    pair::weights_at(place, rule.expect("the pair exports its rule"))
}

#[test]
fn a_service_in_another_account_is_released_and_a_broken_image_is_rolled_back() {
    assert_released_and_rolled_back(&Scene::default());
}

#[test]
fn a_pair_in_another_account_is_released_and_a_broken_image_is_rolled_back() {
    assert_pair_released_and_rolled_back(&Scene {
        is_pair: true,
        ..Scene::default()
    });
}

#[test]
fn a_service_in_another_region_is_released_and_a_broken_image_is_rolled_back() {
    for account in [FIRST, SECOND] {
        assert_released_and_rolled_back(&Scene {
            account,
            region: "eu-central-1",
            ..Scene::default()
        });
    }
}

#[test]
fn a_pair_in_another_region_is_released_and_a_broken_image_is_rolled_back() {
    assert_pair_released_and_rolled_back(&Scene {
        account: FIRST,
        region: "eu-central-1",
        is_pair: true,
        ..Scene::default()
    });
}

#[test]
fn a_service_in_another_region_is_refused_without_a_role_for_the_pipeline() {
    let (kind, message, _) = refused(&Scene {
        account: FIRST,
        region: "eu-central-1",
        has_pipeline_role: false,
        ..Scene::default()
    });

    assert_eq!(kind, "ConfigurationError", "{message}");
    let start = "`pipeline_role` is missing and the service is in eu-central-1, another region \
                 than arn:aws:codepipeline:eu-west-1:111122223333:slipway-orders; ";
    assert!(message.starts_with(start), "{message}");
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
