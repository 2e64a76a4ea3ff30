//! Logs as one JSON object a line, for CloudWatch Logs.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Libraries that log whole payloads, headers or bodies below WARN. A CodePipeline job holds artifact credentials, so their
/// level is not for the environment to choose.
const TALKATIVE: [&str; 5] = ["aws", "h2", "hyper", "lambda_runtime", "rustls"];

/// Starts logging at the level that `RUST_LOG` names (`error`, `warn`, `info`, `debug`, `trace`), `info` when it names none.
pub fn init() {
    let asked = std::env::var("RUST_LOG")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    let filter = TALKATIVE
        .into_iter()
        .fold(Targets::new().with_default(asked), |filter, library| {
            filter.with_target(library, asked.min(LevelFilter::WARN))
        });
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_ansi(false)
        .without_time();
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .init();
}
