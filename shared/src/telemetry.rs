//! Logs as one JSON object per line, for CloudWatch Logs.
//!
//! Never logs payloads, headers or bodies: a CodePipeline job has credentials.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Libraries that log whole payloads, headers or bodies below WARN. The environment cannot lower
/// their level, because a CodePipeline job has artifact credentials.
const LIMITED_TO_WARN: [&str; 5] = ["aws", "h2", "hyper", "lambda_runtime", "rustls"];

/// Starts logging at the level in `RUST_LOG` (`error`, `warn`, `info`, `debug`, `trace`), otherwise
/// at `info`.
pub fn init() {
    let level = std::env::var("RUST_LOG")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);

    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_ansi(false)
        .without_time();
    tracing_subscriber::registry()
        .with(lines)
        .with(filter(level))
        .init();
}

/// What is logged at this level.
fn filter(level: LevelFilter) -> Targets {
    LIMITED_TO_WARN
        .into_iter()
        .fold(Targets::new().with_default(level), |filter, library| {
            filter.with_target(library, level.min(LevelFilter::WARN))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn no_level_makes_a_library_log_payloads() {
        for level in [LevelFilter::TRACE, LevelFilter::DEBUG, LevelFilter::INFO] {
            let filter = filter(level);
            for library in [
                "lambda_runtime",
                "hyper::proto",
                "h2",
                "rustls",
                "aws_config",
            ] {
                assert!(filter.would_enable(library, &Level::WARN), "{library}");
                assert!(!filter.would_enable(library, &Level::INFO), "{library}");
            }
        }
        assert!(filter(LevelFilter::TRACE).would_enable("slipway::step", &Level::TRACE));
        assert!(!filter(LevelFilter::INFO).would_enable("slipway::step", &Level::DEBUG));
        assert!(!filter(LevelFilter::ERROR).would_enable("hyper", &Level::WARN));
    }
}
