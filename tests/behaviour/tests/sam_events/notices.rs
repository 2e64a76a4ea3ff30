//! The events of `announce-releases`.

use std::time::Duration;

use behaviour::{account, notices};
use emulator::Aws;
use harness::driver::{Fault, run};
use serde_json::json;

use super::invoke;

/// The account of a release that waits for an approval, once that and its begin were announced.
pub(super) fn waiting() -> Aws {
    run(account(), Fault::None, async |driver| {
        notices::wait_for_approval(&driver, "9.16.0");
        let both = ["Slipway Release Started", "Slipway Release Waiting"];
        let are_there = |aws: &Aws| both.iter().all(|kind| notices::events(aws, kind) > 0);
        let hour = Duration::from_secs(3_600);
        let announced = driver.until(hour, &mut |_| Ok(()), are_there).await;
        announced.expect("both are announced");
        driver.world.snapshot()
    })
}

#[test]
fn events_announce_a_release_that_has_begun() {
    run(account(), Fault::None, async |driver| {
        let all = invoke(&driver, "AnnounceReleasesFunction", "changes").await;
        assert_eq!(all, json!({"batchItemFailures": []}));
        {
            let aws = driver.world.aws();
            assert_eq!(notices::events(&aws, "Slipway Release Started"), 1);
        }

        // The ledger of this account does not have the execution.
        let ignored = invoke(&driver, "AnnounceReleasesFunction", "approval-started").await;
        assert_eq!(ignored["status"], "ignored");
    });
}
