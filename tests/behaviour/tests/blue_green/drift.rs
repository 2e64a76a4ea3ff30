//! What runs in place of what a release of a pair left: the sweep looks at the live colour only.

use std::time::Duration;

use emulator::{Aws, ecs};
use harness::demo::SHOP;
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{item, text};
use serde_json::json;

use behaviour::pair::{SHORT, definitions, set, shop};
use behaviour::pass;

/// Registers what a colour runs once more and deploys it to one of them.
fn deploy_a_copy(driver: &Driver, of: &str, colour: &str) -> String {
    let mut aws = driver.world.aws();
    let mut request = aws.ecs.request_of(of).expect("registered").clone();
    request["family"] = json!(colour);
    let answer = ecs::call(&mut aws, "RegisterTaskDefinition", &request).expect("legal");
    let copy = answer["taskDefinition"]["taskDefinitionArn"].as_str();
    let copy = copy.expect("an ARN").to_owned();
    set(&mut aws, colour, json!({ "taskDefinition": copy }));
    drop(aws);
    driver.world.touch();
    copy
}

/// What the lease has of what was left: the service, its revision, and what runs in its place.
fn left(aws: &Aws) -> [Option<String>; 3] {
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": format!("apps/{SHOP}")}});
    let lease = item(aws, &key).expect("a lease");
    [
        "left.service",
        "left.task_definition",
        "left.drift.task_definition",
    ]
    .map(|path| text(&lease, path).map(ToOwned::to_owned))
}

#[test]
fn another_revision_of_the_live_colour_is_a_drift_and_one_of_the_idle_colour_is_none() {
    run(shop(&SHORT), Fault::None, async |driver| {
        let [_, green] = definitions(&driver.world.aws());
        let with = |drift| [Some("shop-green".to_owned()), Some(green.clone()), drift];
        assert_eq!(left(&driver.world.aws()), with(None));

        deploy_a_copy(&driver, &green, "shop-blue");
        pass(&driver, Duration::from_secs(3_700)).await;
        assert_eq!(left(&driver.world.aws()), with(None));

        let copy = deploy_a_copy(&driver, &green, "shop-green");
        pass(&driver, Duration::from_secs(3_700)).await;
        assert_eq!(left(&driver.world.aws()), with(Some(copy)));
    });
}
