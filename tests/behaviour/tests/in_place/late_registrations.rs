//! What a release registered may not be found for a while: it is looked for again.

use std::time::Duration;

use emulator::Aws;
use harness::demo::WEB;
use harness::driver::{Fault, run};

use behaviour::{ends, migration, push, released};

/// Releases web, whose revision is not found for two minutes, and returns how often this operation
/// was refused for that.
fn refused(mut aws: Aws, operation: &str) -> usize {
    aws.stale.registrations = Some(Duration::from_secs(120));
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        ends(&driver, "slipway-web", &pushed, "deployed").await;

        let aws = driver.world.aws();
        let calls = aws.calls.iter().filter(|call| call.operation == operation);
        let refused = calls.filter(|call| call.error.as_deref() == Some("ClientException"));
        refused.count()
    })
}

#[test]
fn a_revision_that_is_not_found_yet_is_deployed_once_it_is() {
    assert!(refused(released(), "UpdateService") > 0, "it was found");
}

#[test]
fn a_task_of_a_revision_that_is_not_found_yet_runs_once_it_is() {
    assert!(
        refused(migration::released(), "RunTask") > 0,
        "it was found"
    );
}
