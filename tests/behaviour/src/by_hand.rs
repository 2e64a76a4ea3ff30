//! Functions that are invoked as an operator does, one after the other. Without a pipeline there is
//! no deploy role, so the roles of the functions are allowed what a release needs.

use std::sync::Arc;
use std::time::Duration;

use emulator::Aws;
use emulator::client::{CallFault, Invocation, sdk_config};
use harness::driver::Driver;
use harness::functions;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};
use slipway::aws::Sdk;
use slipway::limits::FUNCTION_TIMEOUT;

use crate::{ledger_table, pass, reports_bucket};

/// Grants the functions the permissions of a manual release, as an operator does before one.
pub fn allow_by_hand(aws: &mut Aws) {
    put_policy(aws, "by-hand", &json!({"Effect": "Allow", "Action": "*"}));
}

/// Denies an action to the functions under their own roles, whatever allows it, until another one
/// is denied.
pub fn deny(driver: &Driver, action: &str) {
    let statement = json!({"Effect": "Deny", "Action": action});
    put_policy(&mut driver.world.aws(), "denied", &statement);
}

/// Puts a policy about everything into the roles of the functions.
fn put_policy(aws: &mut Aws, name: &str, statement: &Value) {
    let mut statement = statement.clone();
    statement["Resource"] = json!("*");
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});

    for function in aws.lambda.functions.values() {
        let role = function.role.rsplit('/').next().unwrap_or_default();
        if let Some(role) = aws.cloudformation.iam.role_mut(role) {
            role.policies.insert(name.to_owned(), document.clone());
        }
    }
}

/// Invokes a function as an operator does, and waits for its response.
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
    allow_by_hand(&mut driver.world.aws());
    answered(driver, code, event, faults).await
}

/// Invokes a function with the permissions that the templates give it and no others.
pub async fn invoke_deployed(driver: &Driver, code: &str, event: Value) -> Result<Value, String> {
    answered(driver, code, event, Vec::new()).await
}

async fn answered(
    driver: &Driver,
    code: &str,
    event: Value,
    faults: Vec<CallFault>,
) -> Result<Value, String> {
    // One after the other: each would hold the account at once.
    let table = ledger_table(&driver.world.aws());
    let reports = reports_bucket(&driver.world.aws());
    let function = format!("{FUNCTIONS_STACK}-{code}");
    let invocation = Invocation::of_attempt(None, function.clone(), faults);
    let config = sdk_config(&driver.world, Arc::clone(&invocation));
    let sdk = Sdk::new(config, &table)
        .with_reports(&reports)
        .with_function(&function);
    let answer = functions::invoke(code, &sdk, event);
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
