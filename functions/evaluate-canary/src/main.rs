//! Judges the new colour of a pair by the metrics of its load balancer, one look a job.

use evaluate_canary::EvaluateCanary;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use slipway::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let function = EvaluateCanary::new(&aws::connect().await?);
    run(service_fn(async |event: LambdaEvent<Value>| {
        function.answer(event.payload).await
    }))
    .await
}
