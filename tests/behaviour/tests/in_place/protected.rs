//! Tasks that protect themselves from being stopped while they work.

use emulator::ecs;
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Fault, run};

use behaviour::{ends, push, released};

/// For so long tasks are protected, which is within the deadline of the pipeline.
const PROTECTED_SECS: u64 = 900;

#[test]
fn a_rollout_waits_for_old_tasks_that_are_protected_and_then_ends_well() {
    let mut aws = released();
    let time = std::time::Duration::from_secs(PROTECTED_SECS);
    ecs::protect(&mut aws, (CLUSTER, WEB), time);
    let until = aws.now + 1000 * i64::try_from(PROTECTED_SECS).expect("it fits");

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = ends(&driver, "slipway-web", &pushed, "deployed").await;
        let aws = driver.world.snapshot();
        let found = aws.codepipeline.execution(&execution).expect("it is there");
        let update = found.latest_action("Release", "update-service");
        let ended = update.and_then(|update| update.ended);
        assert!(ended.is_some_and(|ended| ended >= until), "{ended:?}");
    });
}
