//! Moves production traffic between two weighted records, one step a CodePipeline job.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use slipway::step::Runner;
use slipway::{aws, telemetry};
use swap_records::SwapRecords;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let sdk = aws::connect().await?;
    let function = Runner::new(SwapRecords::new(&sdk), &sdk);

    run(service_fn(async |event: LambdaEvent<Value>| {
        function.handle(event.payload).await
    }))
    .await
}
