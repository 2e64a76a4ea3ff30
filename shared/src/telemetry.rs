//! Logs as one JSON object a line, for CloudWatch Logs.

use tracing_subscriber::EnvFilter;

/// Starts logging at the level of `RUST_LOG` (default `info`).
///
/// The Lambda runtime and the SDK log whole payloads and bodies at their lower levels, and a CodePipeline job holds artifact
/// credentials: those two are kept at `info` and `warn` whatever the environment asks for.
pub fn init() {
    let asked = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(&asked).unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet =
        ["lambda_runtime=info", "lambda_runtime_api_client=info", "hyper=warn", "hyper_util=warn", "rustls=warn"];
    let sdk = [
        "aws_config=warn",
        "aws_runtime=warn",
        "aws_sigv4=warn",
        "aws_smithy_runtime=warn",
        "aws_smithy_runtime_api=warn",
    ];
    let clients = ["aws_sdk_codepipeline=warn", "aws_sdk_dynamodb=warn", "aws_sdk_ecr=warn", "aws_sdk_ecs=warn"];
    let more = ["aws_sdk_elasticloadbalancingv2=warn", "aws_sdk_s3=warn"];
    let filter = [&quiet[..], &sdk, &clients, &more]
        .concat()
        .into_iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt().json().with_env_filter(filter).with_ansi(false).without_time().init();
}
