//! Deploys a task definition to a service in place, one CodePipeline job at a time.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use slipway::{aws, telemetry};
use update_service::UpdateService;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let function = UpdateService::new(&aws::connect().await?);
    run(service_fn(async |event: LambdaEvent<Value>| {
        function.answer(event.payload).await
    }))
    .await
}
