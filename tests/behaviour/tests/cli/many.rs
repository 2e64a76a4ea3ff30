//! How much the commands read of an account with many services.

use emulator::ecr::Behaviour;
use emulator::{Aws, dynamodb};
use harness::driver::Driver;
use invariants::ledger_reader::item;
use serde_json::json;
use slipway_cli::Session;

use behaviour::{account, ledger_table, push_as};

use crate::acting::at_step;
use crate::planning::disable_rules_of;
use crate::{operate, status};

const SERVICES: usize = 1_000;

/// The most requests of a look at all services, that for the outputs of the functions' stack
/// included.
const REQUESTS: usize = 20;

/// The account in which so many pairs are being released, each by a pipeline of its own. No
/// function looks at them.
fn with_open_releases() -> Aws {
    let mut aws = operate(account(), async |driver: Driver, session: Session| {
        push_as(&driver, "shop", "1.0.0", Behaviour::Healthy);
        at_step(&session, "shop", "fill").await;
        driver.world.snapshot()
    });
    disable_rules_of(&mut aws, "-roll-back");

    let key = json!({"pk": {"S": "lease"}, "sk": {"S": "apps/shop"}});
    let table = ledger_table(&aws);
    for number in 1..SERVICES {
        let mut lease = item(&aws, &key).expect("the shop is being released");
        let name = format!("shop-{number}");
        lease["sk"] = json!({ "S": format!("apps/{name}") });
        lease["service"] = json!({ "S": name });
        lease["release"]["M"]["pipeline"] = json!({ "S": format!("slipway-{name}") });
        let input = json!({"TableName": table, "Item": lease});
        dynamodb::call(&mut aws, "PutItem", &input).expect("an item");
    }
    aws
}

#[test]
fn a_cold_look_at_a_thousand_services_takes_at_most_twenty_requests() {
    let aws = with_open_releases();
    let since = aws.calls.len();
    let after = operate(aws, async |driver: Driver, session: Session| {
        let answer = status(None).run(&session).await.expect("an answer");
        let services = answer.json["services"].as_array().expect("a list");
        assert_eq!(services.len(), SERVICES);
        driver.world.snapshot()
    });
    let calls = after.calls[since..].iter();
    let own = calls.filter(|call| call.caller == "operator");
    let requests: Vec<&str> = own.map(|call| call.operation.as_str()).collect();
    assert!(requests.len() <= REQUESTS, "{requests:?}");
    assert!(requests.contains(&"Query"), "{requests:?}");
}
