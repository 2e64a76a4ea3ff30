//! Functions that are invoked as an operator does, one after the other.

use std::sync::Arc;
use std::time::Duration;

use emulator::client::{CallFault, Invocation, sdk_config};
use harness::driver::Driver;
use harness::functions;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};
use slipway::aws::Sdk;
use slipway::limits::FUNCTION_TIMEOUT;

use crate::{ledger_table, pass, reports_bucket};

/// Invokes a function as an operator does, and waits for its answer.
pub async fn invoke(driver: &Driver, code: &str, event: Value) -> Result<Value, String> {
    invoke_with(driver, code, event, CallFault::None).await
}

/// The same with a fault of one of its calls.
pub async fn invoke_with(
    driver: &Driver,
    code: &str,
    event: Value,
    fault: CallFault,
) -> Result<Value, String> {
    invoke_with_all(driver, code, event, vec![fault]).await
}

/// The same with several faults.
pub async fn invoke_with_all(
    driver: &Driver,
    code: &str,
    event: Value,
    faults: Vec<CallFault>,
) -> Result<Value, String> {
    // One after the other: both would hold the account at once.
    let table = ledger_table(&driver.world.aws());
    let reports = reports_bucket(&driver.world.aws());
    let invocation = Invocation::of_attempt(None, format!("{FUNCTIONS_STACK}-{code}"), faults);
    let config = sdk_config(&driver.world, Arc::clone(&invocation));
    let sdk = Sdk::new(config, &table).with_reports(&reports);
    let answer = functions::answer(code, &sdk, event);
    let answer = invocation.run(FUNCTION_TIMEOUT, answer).await;
    answer.map_err(|error| error.to_string())
}

/// Runs a step by hand until it is done or failed, with 30 seconds between its looks.
pub async fn by_hand(driver: &Driver, step: &str, parameters: Value) -> Value {
    let mut event = json!({ "parameters": parameters });
    for _ in 0..100 {
        let answer = invoke(driver, step, event.clone())
            .await
            .expect("an answer");
        if answer["status"] != "in-progress" {
            return answer;
        }
        event["continuationToken"] = answer["continuationToken"].clone();
        pass(driver, Duration::from_secs(30)).await;
    }
    panic!("{step} is still going");
}
