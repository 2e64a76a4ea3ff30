//! Closes a release that was deployed, one CodePipeline job at a time.

use finish_release::FinishRelease;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use slipway::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let function = FinishRelease::new(&aws::connect().await?);
    run(service_fn(async |event: LambdaEvent<Value>| {
        function.answer(event.payload).await
    }))
    .await
}
