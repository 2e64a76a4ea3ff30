//! The events of `poll-jobs`.

use behaviour::account;
use emulator::Aws;
use harness::demo::{custom_actions, play};
use harness::driver::{Fault, run};
use serde_json::json;

use super::invoke;

/// The account of a release by custom actions, at its end.
pub(super) fn released() -> Aws {
    let aws = custom_actions::opened(1).expect("the stacks deploy");
    let played = play(aws, &custom_actions::CHAPTERS[0], Fault::None, &mut |_| {});
    played.expect("it goes as expected").aws
}

#[test]
fn events_poll_for_jobs() {
    run(account(), Fault::None, async |driver| {
        for case in ["action-started", "poll"] {
            let polled = invoke(&driver, "PollJobsFunction", case).await;
            assert_eq!(
                polled,
                json!({"taken": 0, "lost": 0, "refused": 0}),
                "{case}"
            );
        }
    });
}
