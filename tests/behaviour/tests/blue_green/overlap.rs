//! A colour of a pair that another pipeline updates in place: one service under two leases, on
//! which one release at a time is still open.

use emulator::Aws;
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::holder;
use serde_json::{Value, json};

use behaviour::pair::{self, HALVES, SHORT, shop, until_weights};
use behaviour::{assert_outcome, ends, failure, invoke, jobs, outcome, push, until};

const GREEN: &str = "shop-green";

/// A step by hand on the live colour, as a service of its own.
async fn on_green(driver: &Driver, step: &str, more: Value) -> Value {
    let mut parameters = json!({
        "pipeline": "slipway-by-hand", "execution": "jane-1", "cluster": CLUSTER, "service": GREEN,
    });
    let members = parameters.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    let event = json!({ "parameters": parameters });
    invoke(driver, step, event).await.expect("an answer")
}

/// The shop with an open release of its live colour in place, which makes no change yet.
pub(super) fn begun_in_place() -> Aws {
    run(shop(&SHORT), Fault::None, async |driver| {
        let begun = on_green(&driver, "begin-release", json!({"strategy": "rolling"})).await;
        assert_eq!(begun["status"], "done", "{begun}");
        driver.world.snapshot()
    })
}

#[test]
fn a_colour_is_not_released_in_place_during_a_release_of_its_pair() {
    run(shop(&HALVES), Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [50, 50]).await;

        let begun = on_green(&driver, "begin-release", json!({"strategy": "rolling"})).await;
        assert_eq!(begun["status"], "failed", "{begun}");
        let refusal = begun.to_string();
        let start = "service `shop-green` belongs to the open release ";
        assert!(
            refusal.contains(start) && refusal.contains("of `shop`, by pipeline slipway-shop, too"),
            "{refusal}"
        );

        ends(&driver, pair::PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn a_pair_is_not_released_during_a_release_of_one_of_its_colours() {
    run(shop(&SHORT), Fault::None, async |driver| {
        let begun = on_green(&driver, "begin-release", json!({"strategy": "rolling"})).await;
        assert_eq!(begun["status"], "done", "{begun}");

        let execution = pair::release(&driver, "2.0.0").await;
        assert_eq!(outcome(&driver, &execution), "failed");
        let aws = driver.world.snapshot();
        let failed = jobs(&aws, &execution, "begin-release")
            .into_iter()
            .find_map(failure);
        let (kind, message) = failed.expect("it fails");
        assert_eq!(kind, "ConfigurationError", "{message}");
        let start = "service `shop-green` belongs to the open release jane-1 of `shop-green`, by \
                     pipeline slipway-by-hand, too; ";
        assert!(message.starts_with(start), "{message}");
        assert_eq!(pair::weights(&aws), [0, 100]);

        let ended = json!({"parameters": {"execution": "jane-1"}});
        let answer = invoke(&driver, "roll-back", ended).await;
        answer.expect("it is rolled back");
        until(&driver, |aws| holder(aws, CLUSTER, GREEN).is_none()).await;
        let next = pair::release(&driver, "3.0.0").await;
        assert_outcome(&driver, &next, "deployed");
    });
}
