//! Which tags are delivered, by the rule of the pipeline that EventBridge does not know.

use std::time::Duration;

use behaviour::pair::update;
use behaviour::{account, ends, pass};
use emulator::Aws;
use harness::driver::{Fault, run};
use invariants::ledger_reader::{executions, item, text};
use serde_json::json;

const COUNTER: &str = "slipway-page-counter";

/// Why a digest was not delivered, as recorded in the ledger.
fn refusal(aws: &Aws, digest: &str) -> Option<String> {
    let key = json!({"pk": {"S": format!("push#{COUNTER}")}, "sk": {"S": digest}});
    text(&item(aws, &key)?, "refusal").map(ToOwned::to_owned)
}

#[test]
fn only_versions_of_the_range_are_delivered_and_the_ledger_has_why_others_are_not() {
    let mut aws = account();
    update(
        &mut aws,
        "page-counter-pipeline",
        &[("TagRule", "semver:^1.4")],
    );

    run(aws, Fault::None, async |driver| {
        let before = executions(&driver.world.aws(), COUNTER).count();
        for (tag, why) in [
            ("1.3.0", "is not in the pipeline's range of versions ^1.4"),
            (
                "1.5.0-rc.1",
                "is not in the pipeline's range of versions ^1.4",
            ),
            ("latest", "is not a version such as 1.4.0 or v1.4.0"),
        ] {
            let digest = behaviour::push(&driver, "page-counter", tag);
            pass(&driver, Duration::from_secs(10)).await;
            let aws = driver.world.aws();
            assert_eq!(executions(&aws, COUNTER).count(), before, "{tag}");
            let refusal = refusal(&aws, &digest).expect("recorded");
            assert!(refusal.contains(why), "{tag}: {refusal}");
        }

        let digest = behaviour::push(&driver, "page-counter", "1.5.0");
        ends(&driver, COUNTER, &digest, "deployed").await;
    });
}

#[test]
fn the_tag_that_moves_starts_nothing_unless_it_is_named_and_the_ledger_has_why() {
    for (pattern, is_delivered) in [("*", false), ("latest", true)] {
        let mut aws = account();
        update(
            &mut aws,
            "page-counter-pipeline",
            &[("TagPattern", pattern)],
        );

        run(aws, Fault::None, async |driver| {
            let before = executions(&driver.world.aws(), COUNTER).count();
            let digest = behaviour::push(&driver, "page-counter", "latest");
            pass(&driver, Duration::from_secs(10)).await;
            let aws = driver.world.aws();
            let started = executions(&aws, COUNTER).count() - before;
            assert_eq!(started, usize::from(is_delivered), "{pattern}");
            let refusal = refusal(&aws, &digest);
            let is_refused = refusal.is_some_and(|it| it.contains("moves to each new image"));
            assert_eq!(is_refused, !is_delivered, "{pattern}");
        });
    }
}
