//! Deploys a task definition to a service, one CodePipeline job at a time.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use slipway::step::Runner;
use slipway::{aws, telemetry};
use update_service::UpdateService;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let sdk = aws::connect().await?;
    let function = Runner::new(UpdateService::new(&sdk), &sdk);

    run(service_fn(async |event: LambdaEvent<Value>| {
        function.handle(event.payload).await
    }))
    .await
}
