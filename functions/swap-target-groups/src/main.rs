//! Moves production traffic between two target groups, one step a job.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use slipway::{aws, telemetry};
use swap_target_groups::SwapTargetGroups;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let function = SwapTargetGroups::new(&aws::connect().await?);
    run(service_fn(async |event: LambdaEvent<Value>| {
        function.answer(event.payload).await
    }))
    .await
}
