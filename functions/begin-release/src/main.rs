//! Opens a release on a service, one CodePipeline job at a time.

use begin_release::BeginRelease;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use slipway::step::Runner;
use slipway::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let sdk = aws::connect().await?;
    let function = Runner::new(BeginRelease::new(&sdk), &sdk);

    run(service_fn(async |event: LambdaEvent<Value>| {
        function.handle(event.payload).await
    }))
    .await
}
