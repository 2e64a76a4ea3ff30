//! Rolls back the releases of executions that ended badly.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use roll_back::RollBack;
use serde_json::Value;
use slipway::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let function = RollBack::new(&aws::connect().await?);
    run(service_fn(async |event: LambdaEvent<Value>| {
        function.handle(event.payload).await
    }))
    .await
}
