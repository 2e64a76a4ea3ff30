//! Releases of one service in a freeze.

use emulator::client::{CallFault, Hang};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::*;
use behaviour::{ends, migration, pass, push, reason, released, settled, until};
use invariants::ledger_reader::{digest, item};

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
        let reported = summaries(&aws, &execution, "update-service");
        let expected = format!("frozen: until {} UTC by ", utc(end).replace('T', " "));
        assert!(reported[0].starts_with(&expected), "{reported:?}");
        assert!(
            reported[0].ends_with("; then it goes on by itself"),
            "{reported:?}"
        );
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
        let again = "; nothing had been changed; it is started again once the freeze is over";
        assert!(why.ends_with(again), "{why}");
        let aws = driver.world.aws();
        assert!(aws.now - began < 15 * MINUTE, "it does not wait for long");
        assert_eq!(behaviour::image_of(&aws, WEB), before);
        let made = made(&aws, "update-service", "UpdateService");
        assert_eq!(made.len(), updates);
    });
}

/// When the executions with a digest began.
fn starts(aws: &Aws, pushed: &str) -> Vec<Millis> {
    let of_push = executions(aws, PIPELINE).filter(|it| digest(it) == Some(pushed));
    of_push.map(|execution| execution.started).collect()
}

/// Lets time pass to the end of a freeze, with one sweep at once and none after it.
async fn until_the_end(driver: &Driver, end: Millis) {
    let left = {
        let mut aws = driver.world.aws();
        let rule = json!({"Name": "slipway-sweep"});
        emulator::eventbridge::call(&mut aws, "DisableRule", &rule).expect("the rule is there");
        u64::try_from(end - aws.now).expect("it is not over")
    };
    sweep(driver).await.expect("nothing fails");
    pass(driver, Duration::from_millis(left)).await;
}

async fn sweep(driver: &Driver) -> Result<Value, String> {
    behaviour::invoke_deployed(driver, "roll-back", json!({"sweep": true})).await
}

/// Denies the deploy role of the pipeline an action, or no longer does.
fn deny(aws: &mut Aws, action: Option<&str>) {
    let stack = aws.cloudformation.stack(STACK).expect("deployed");
    let role = stack.resource("DeployRole").expect("a role");
    let role = role.physical_id.clone();
    let role = aws.cloudformation.iam.role_mut(&role).expect("a role");
    role.policies.remove("denied");
    if let Some(action) = action {
        let denied = json!({"Effect": "Deny", "Action": action, "Resource": "*"});
        let document = json!({"Version": "2012-10-17", "Statement": [denied]});
        role.policies.insert("denied".to_owned(), document);
    }
}

#[test]
fn a_release_that_a_freeze_ended_is_started_again_once_when_it_is_over() {
    let (aws, end) = frozen(released(), 24 * 60);
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let ended = ends(&driver, PIPELINE, &pushed, "failed").await;
        until_the_end(&driver, end).await;
        sweep(&driver).await.expect("nothing fails");
        {
            let aws = driver.world.aws();
            let starts = starts(&aws, &pushed);
            assert_eq!(starts.len(), 2, "not before");
            assert!(starts[1] >= end, "{starts:?}, {end}");
        }

        sweep(&driver).await.expect("nothing fails");
        let again = ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert_ne!(again, ended);
        sweep(&driver).await.expect("nothing fails");
        let aws = driver.world.aws();
        assert_eq!(starts(&aws, &pushed).len(), 2);
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
        let key = json!({"pk": {"S": "push#slipway-web"}, "sk": {"S": pushed}});
        let claim = item(&aws, &key).expect("a claim");
        let led_to = claim["execution"]["S"].as_str();
        assert_eq!(led_to, Some(again.as_str()), "a rollback refuses it");
    });
}

#[test]
fn a_start_after_a_freeze_that_aws_refuses_is_reported_and_tried_again() {
    let (aws, end) = frozen(released(), 24 * 60);
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        ends(&driver, PIPELINE, &pushed, "failed").await;
        let start = "codepipeline:StartPipelineExecution";
        deny(&mut driver.world.aws(), Some(start));
        until_the_end(&driver, end).await;

        let refused = sweep(&driver).await.expect_err("it is denied");
        assert!(refused.contains(start), "{refused}");
        let key = json!({"pk": {"S": "lease"}, "sk": {"S": format!("{CLUSTER}/{WEB}")}});
        let lease = item(&driver.world.aws(), &key).expect("a lease");
        let since = &lease["restart"]["M"]["refused_since"]["S"];
        assert!(since.is_string(), "{lease}");

        pass(&driver, minutes(30)).await;
        sweep(&driver).await.expect_err("it is denied");
        assert_eq!(
            item(&driver.world.aws(), &key),
            Some(lease),
            "the first time stays"
        );
        deny(&mut driver.world.aws(), None);
        sweep(&driver).await.expect("it is not denied");
        ends(&driver, PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn only_the_newest_of_the_releases_that_a_freeze_ended_is_started_again() {
    let (aws, end) = frozen(released(), 24 * 60);
    run(aws, Fault::None, async |driver| {
        let older = push(&driver, WEB, "2.0.0");
        ends(&driver, PIPELINE, &older, "failed").await;
        let newer = push(&driver, WEB, "2.1.0");
        ends(&driver, PIPELINE, &newer, "failed").await;

        until_the_end(&driver, end).await;
        sweep(&driver).await.expect("nothing fails");
        ends(&driver, PIPELINE, &newer, "deployed").await;
        sweep(&driver).await.expect("nothing fails");
        let aws = driver.world.aws();
        let starts = [&older, &newer].map(|pushed| starts(&aws, pushed).len());
        assert_eq!(starts, [1, 2]);
    });
}

#[test]
fn what_is_pushed_as_a_freeze_ends_is_not_replaced_by_what_it_ended() {
    let (aws, end) = frozen(released(), 24 * 60);
    run(aws, Fault::None, async |driver| {
        let older = push(&driver, WEB, "2.0.0");
        ends(&driver, PIPELINE, &older, "failed").await;
        until_the_end(&driver, end - MINUTE).await;
        sweep(&driver).await.expect("nothing fails");
        assert_eq!(starts(&driver.world.aws(), &older).len(), 1, "not before");

        let newer = push(&driver, WEB, "2.1.0");
        until(&driver, |aws| {
            starts(aws, &newer).len() == 1 && aws.now >= end
        })
        .await;
        sweep(&driver).await.expect("nothing fails");
        ends(&driver, PIPELINE, &newer, "deployed").await;
        sweep(&driver).await.expect("nothing fails");
        assert_eq!(starts(&driver.world.aws(), &older).len(), 1);
    });
}

/// A push a few seconds into the sweep that starts what a freeze ended, which stands still after
/// one of its calls.
#[test]
fn what_a_freeze_ended_never_starts_after_a_newer_push_however_long_its_start_takes() {
    let (aws, end) = frozen(released(), 24 * 60);
    let (over, older) = run(aws, Fault::None, async |driver| {
        let older = push(&driver, WEB, "2.0.0");
        ends(&driver, PIPELINE, &older, "failed").await;
        until_the_end(&driver, end).await;
        (driver.world.snapshot(), older)
    });

    let mut restarts = Vec::new();
    for calls in 1..=8 {
        let restarted = run(over.clone(), Fault::None, async |driver| {
            let hang = CallFault::HangAfter(calls, Hang::For(Duration::from_secs(14)));
            let event = json!({"sweep": true});
            let sweep = behaviour::invoke_with(&driver, "roll-back", event, hang);
            let pushes = async {
                driver.world.clock.sleep(Duration::from_secs(3)).await;
                let newer = push(&driver, WEB, "2.1.0");
                pass(&driver, minutes(6)).await;
                newer
            };
            let (_, newer) = tokio::join!(sweep, pushes);

            let aws = driver.world.snapshot();
            let last = executions(&aws, PIPELINE).filter_map(digest).next_back();
            assert_eq!(last, Some(newer.as_str()), "after {calls} calls");
            assert_eq!(starts(&aws, &newer).len(), 1);
            starts(&aws, &older).len() - 1
        });
        restarts.push(restarted);
    }
    assert!(
        restarts.contains(&0) && restarts.contains(&1),
        "{restarts:?}"
    );
}

#[test]
fn what_waits_before_its_stage_is_not_replaced_by_what_a_freeze_ended() {
    let (aws, end) = frozen(released(), 24 * 60);
    run(aws, Fault::None, async |driver| {
        let older = push(&driver, WEB, "2.0.0");
        ends(&driver, PIPELINE, &older, "failed").await;
        set_transition(&mut driver.world.aws(), PIPELINE, Some("maintenance"));
        let newer = push(&driver, WEB, "2.1.0");
        // No release of it has begun, and it was claimed long ago.
        until_the_end(&driver, end).await;
        sweep(&driver).await.expect("nothing fails");
        {
            let aws = driver.world.aws();
            let starts = [&older, &newer].map(|pushed| starts(&aws, pushed).len());
            assert_eq!(starts, [1, 1]);
        }

        set_transition(&mut driver.world.aws(), PIPELINE, None);
        driver.world.touch();
        ends(&driver, PIPELINE, &newer, "deployed").await;
        sweep(&driver).await.expect("nothing fails");
        assert_eq!(starts(&driver.world.aws(), &older).len(), 1);
    });
}

#[test]
fn a_release_that_brings_nothing_new_is_not_held() {
    let (aws, end) = frozen(released(), 62 * 60);
    run(aws, Fault::None, async |driver| {
        let again = emulator::ecr::retag(&mut driver.world.aws(), WEB, "1.0.0", "1.0.0-again");
        let found = again.expect("the image is there");
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
