//! Releases of one service in a freeze.

use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};

use super::*;
use behaviour::{ends, migration, pass, push, reason, released, settled, until};

const PIPELINE: &str = "slipway-web";
const STACK: &str = "web-pipeline";

/// The account with `web` released once, whose releases are frozen from now on, with the end of the
/// freeze.
fn frozen(mut aws: Aws, minutes: i64) -> (Aws, Millis) {
    let (windows, _, end) = window(aws.now, 0, minutes);
    freeze(&mut aws, STACK, &windows);
    (aws, end)
}

async fn until_it_waits(driver: &Driver, action: &str) {
    until(driver, |aws| waits(aws, PIPELINE, action)).await;
}

#[test]
fn a_release_waits_before_its_update_and_goes_on_by_itself() {
    let (mut aws, end) = frozen(released(), 40);
    // The deadline of the rollout is shorter than the freeze.
    pair::update(&mut aws, STACK, &[("DeadlineMinutes", "10")]);
    let before = made(&aws, "update-service", "UpdateService").len();

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        until_it_waits(&driver, "update-service").await;
        let execution = ends(&driver, PIPELINE, &pushed, "deployed").await;

        let aws = driver.world.aws();
        let updates = made(&aws, "update-service", "UpdateService");
        let first = updates[before];
        assert!(first >= end && first < end + 2 * MINUTE, "{first}, {end}");
        let said = summaries(&aws, &execution, "update-service");
        let expected = format!("frozen: until {} UTC by ", utc(end).replace('T', " "));
        assert!(said[0].starts_with(&expected), "{said:?}");
        assert!(said[0].ends_with("; then it goes on by itself"), "{said:?}");
    });
}

#[test]
fn a_freeze_that_no_action_can_wait_for_ends_a_release_before_it_changes_anything() {
    let (aws, _) = frozen(released(), 62 * 60);
    let before = behaviour::image_of(&aws, WEB);
    let updates = made(&aws, "update-service", "UpdateService").len();

    run(aws, Fault::None, async |driver| {
        let began = driver.world.clock.now();
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = ends(&driver, PIPELINE, &pushed, "failed").await;

        let why = reason(&driver, &execution);
        assert!(why.starts_with("frozen: until "), "{why}");
        let hours = "and can do both for 23h00m at most, since an action ends after 24 hours";
        assert!(why.contains(hours), "{why}");
        assert!(why.ends_with("; nothing had been changed"), "{why}");
        let aws = driver.world.aws();
        assert!(aws.now - began < 15 * MINUTE, "it does not wait for long");
        assert_eq!(behaviour::image_of(&aws, WEB), before);
        let made = made(&aws, "update-service", "UpdateService");
        assert_eq!(made.len(), updates);
    });
}

#[test]
fn a_release_that_brings_nothing_new_is_not_held() {
    let (aws, end) = frozen(released(), 62 * 60);
    run(aws, Fault::None, async |driver| {
        let found = {
            let aws = &mut driver.world.aws();
            let input = serde_json::json!({
                "repositoryName": WEB, "imageIds": [{"imageTag": "1.0.0"}],
            });
            let found = emulator::ecr::call(aws, "BatchGetImage", &input).expect("it is there");
            let manifest = &found["images"][0]["imageManifest"];
            let again = serde_json::json!({
                "repositoryName": WEB, "imageManifest": manifest, "imageTag": "1.0.0-again",
            });
            let put = emulator::ecr::call(aws, "PutImage", &again).expect("stored");
            put["image"]["imageId"]["imageDigest"]
                .as_str()
                .expect("a digest")
                .to_owned()
        };
        driver.world.touch();
        pass(&driver, minutes(10)).await;
        let execution = settled(&driver, PIPELINE, &found).await;
        assert_eq!(behaviour::outcome(&driver, &execution), "unchanged");
        assert!(driver.world.aws().now < end);
    });
}

#[test]
fn a_migration_waits_too_and_runs_once_after_the_freeze() {
    let (aws, end) = frozen(migration::released(), 30);
    run(aws, Fault::None, async |driver| {
        let before = made(&driver.world.aws(), "run-checks", "RunTask").len();
        let pushed = push(&driver, WEB, "2.0.0");
        until_it_waits(&driver, "migrate").await;
        ends(&driver, PIPELINE, &pushed, "deployed").await;

        let aws = driver.world.aws();
        let tasks = made(&aws, "run-checks", "RunTask");
        assert_eq!(tasks.len(), before + 1);
        assert!(tasks[before] >= end, "{}, {end}", tasks[before]);
    });
}

#[test]
fn a_rollout_that_fails_in_a_freeze_is_rolled_back_at_once() {
    // The freeze begins when the new revision is being deployed.
    let mut aws = released();
    let (windows, from, to) = window(aws.now, 3, 120);
    freeze(&mut aws, STACK, &windows);
    pair::update(&mut aws, STACK, &[("DeadlineMinutes", "5")]);
    let before = behaviour::image_of(&aws, WEB);

    run(aws, Fault::None, async |driver| {
        let pushed = emulator::ecr::push(
            &mut driver.world.aws(),
            WEB,
            "2.0.0",
            emulator::ecr::Behaviour::NeverHealthy,
        )
        .expect("pushed");
        driver.world.touch();
        ends(&driver, PIPELINE, &pushed, "rolled-back").await;

        let aws = driver.world.aws();
        let ended = aws.now;
        assert!(ended > from && ended < to, "{from}, {ended}, {to}");
        assert_eq!(behaviour::image_of(&aws, WEB), before);
    });
}
