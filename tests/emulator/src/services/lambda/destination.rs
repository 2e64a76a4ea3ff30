//! What a destination receives of an asynchronous invocation that failed.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>

use serde_json::{Value, json};

use super::{Invocation, rest};
use crate::Aws;
use crate::protocol::xml::instant;

/// The record of an invocation that is given up. One that was never tried has no response.
pub(super) fn record(aws: &Aws, invocation: &Invocation, condition: &str) -> Value {
    let function = format!("function:{}:$LATEST", invocation.function);
    let mut record = json!({
        "version": "1.0",
        "timestamp": instant(aws.now),
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": aws.arn("lambda", &function),
            "condition": condition,
            "approximateInvokeCount": invocation.attempts.len(),
        },
        "requestPayload": invocation.payload,
    });
    if !invocation.attempts.is_empty() {
        record["responseContext"] = json!({
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        });
        record["responsePayload"] = rest::payload(aws, invocation).unwrap_or_default();
    }
    record
}
