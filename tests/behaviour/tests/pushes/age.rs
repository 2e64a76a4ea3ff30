//! Images that came into the repository too long ago: another tag does not start them.

use std::time::Duration;

use behaviour::pair::update;
use behaviour::{account, ends, outcome, pass, push, retag};
use emulator::Aws;
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{executions, item, text};
use serde_json::json;

const REPOSITORY: &str = "page-counter";

const COUNTER: &str = "slipway-page-counter";

/// What the ledger has of a digest, by the name of the field.
fn recorded(aws: &Aws, digest: &str, field: &str) -> Option<String> {
    let key = json!({"pk": {"S": format!("push#{COUNTER}")}, "sk": {"S": digest}});
    text(&item(aws, &key)?, field).map(ToOwned::to_owned)
}

/// Releases two images, tags the first one again after two hours, and returns its digest with the
/// number of executions before the tag and after it.
async fn tagged_again(driver: &Driver) -> (String, usize, usize) {
    let old = push(driver, REPOSITORY, "1.0.0");
    ends(driver, COUNTER, &old, "deployed").await;
    let new = push(driver, REPOSITORY, "2.0.0");
    ends(driver, COUNTER, &new, "deployed").await;

    pass(driver, Duration::from_secs(2 * 3_600)).await;
    let before = executions(&driver.world.aws(), COUNTER).count();
    retag(driver, REPOSITORY, &old, "back");
    pass(driver, Duration::from_secs(3_700)).await;
    let after = executions(&driver.world.aws(), COUNTER).count();
    (old, before, after)
}

#[test]
fn an_image_beyond_the_limit_of_age_is_refused_and_the_sweep_does_not_start_it_either() {
    let mut aws = account();
    update(&mut aws, "page-counter-pipeline", &[("ImageGate", "age:2")]);

    run(aws, Fault::None, async |driver| {
        let (old, before, after) = tagged_again(&driver).await;
        assert_eq!(after, before);
        let refusal = recorded(&driver.world.aws(), &old, "refusal").expect("recorded");
        assert!(refusal.contains("expected at most 2 hours"), "{refusal}");
        let execution = recorded(&driver.world.aws(), &old, "execution").expect("recorded");
        assert_eq!(outcome(&driver, &execution), "deployed");
    });
}

#[test]
fn without_a_limit_an_image_of_any_age_is_started() {
    run(account(), Fault::None, async |driver| {
        let (old, before, after) = tagged_again(&driver).await;
        assert_eq!(after, before + 1);
        assert_eq!(recorded(&driver.world.aws(), &old, "refusal"), None);
    });
}
