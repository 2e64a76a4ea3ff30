//! Makes the checks of a release and runs its one-off task, one CodePipeline job at a time.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use run_checks::RunChecks;
use serde_json::Value;
use slipway::step::Runner;
use slipway::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let sdk = aws::connect().await?;
    let function = Runner::new(RunChecks::new(&sdk), &sdk);

    run(service_fn(async |event: LambdaEvent<Value>| {
        function.handle(event.payload).await
    }))
    .await
}
