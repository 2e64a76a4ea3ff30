//! Announces the releases of the ledger.

use announce_releases::AnnounceReleases;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use slipway::{aws, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let function = AnnounceReleases::new(&aws::connect().await?);
    run(service_fn(async |event: LambdaEvent<Value>| {
        // Boxed: the compiler does not follow a future of the SDK that is nested this deeply.
        Box::pin(function.handle(event.payload)).await
    }))
    .await
}
