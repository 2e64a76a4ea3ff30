//! Requests to endpoints outside AWS, over the same HTTP client, timer and clock as all others, but
//! without credentials and without a signature.

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;

/// The beginning of an operation; retries and time-outs are its caller's.
pub(super) fn unsigned(
    config: &SdkConfig,
    service: &'static str,
    name: &'static str,
) -> OperationBuilder {
    let mut operation = Operation::builder()
        .service_name(service)
        .operation_name(name)
        .no_auth()
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(client) = config.http_client() {
        operation = operation.http_client(client);
    }
    if let Some(timer) = config.sleep_impl() {
        operation = operation.sleep_impl(timer);
    }
    if let Some(clock) = config.time_source() {
        operation = operation.time_source(clock);
    }
    operation
}
