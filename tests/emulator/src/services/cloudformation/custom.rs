//! The requests to the functions of custom resources, and their responses at pre-signed URLs.
//!
//! A function runs in its own time, and a stack operation happens at one instant. So an operation
//! that needs a response leaves its stack in progress and everything else as it was, and begins
//! again from its beginning when the response is there.

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::operation::Operation;
use super::resources::Created;
use crate::protocol::xml::instant;
use crate::{ApiError, Aws, Event, Request, Response, lambda};

/// The attribute that stands for all of a resource that is only planned.
pub(super) const ANY: &str = "*";

/// How the bucket of the responses begins.
const BUCKET: &str = "cloudformation-custom-resource-response-";
/// When CloudFormation takes note of a response.
const NOTICED: Duration = Duration::from_secs(1);
/// For how long it waits for one, unless `ServiceTimeout` is given, in seconds.
const TIMEOUT_SECS: u64 = 3600;
/// The longest response.
const RESPONSE_BYTES: usize = 4096;

/// The id of a stack, the logical id of a resource, and the type of a request.
pub(super) type Key = (String, String, &'static str);

/// The custom resources of the account.
#[derive(Clone, Debug, Default)]
pub(super) struct CustomResources {
    /// Whether changes are only computed: nothing is requested then.
    pub(super) is_plan: bool,
    /// The id of the stack whose resources are being removed.
    pub(super) removing: String,
    /// The request without a response at which the attempt on this copy of the account ended.
    pub(super) wanted: Option<Wanted>,
    /// Of the operations that are in progress.
    pub(super) responses: BTreeMap<Key, Result<Created, String>>,
    /// Requests that wait for a response, by their ids.
    pending: BTreeMap<String, Pending>,
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) key: Key,
    /// The type of the resource.
    pub(super) kind: String,
    pub(super) properties: Value,
    pub(super) old_properties: Option<Value>,
    pub(super) physical_id: Option<String>,
}

/// A request that was sent.
#[derive(Clone, Debug)]
struct Pending {
    key: Key,
    signature: String,
    operation: Operation,
}

/// What CloudFormation does by itself.
#[derive(Clone, Debug)]
enum CustomEvent {
    TimedOut { request: String },
    GoesOn(Operation),
}

impl Event for CustomEvent {
    fn run(&self, aws: &mut Aws) {
        match self {
            Self::TimedOut { request } => record_end(aws, request, Err(unanswered(request))),
            Self::GoesOn(operation) => operation.go_on(aws),
        }
    }
}

impl CustomResources {
    /// Forgets the responses to a stack, whose operation is over.
    pub(super) fn forget(&mut self, stack_id: &str) {
        self.responses.retain(|(stack, ..), _| stack != stack_id);
    }
}

/// Invokes the function of a custom resource, for an operation that goes on with its response.
pub(super) fn invoke(aws: &mut Aws, wanted: &Wanted, operation: Operation) {
    let request = aws.uuid();
    let signature = aws.hex(64);
    let payload = wanted.payload(aws, &request, &signature);
    let timeout = match &wanted.properties["ServiceTimeout"] {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    };
    let pending = Pending {
        key: wanted.key.clone(),
        signature,
        operation,
    };
    let waiting = &mut aws.cloudformation.custom.pending;
    waiting.insert(request.clone(), pending);

    match lambda::invoke_async(aws, wanted.token(), payload) {
        Ok(_) => {
            let timeout = Duration::from_secs(timeout.unwrap_or(TIMEOUT_SECS));
            aws.schedule(timeout, CustomEvent::TimedOut { request });
        }
        Err(error) => record_end(aws, &request, Err(error.message)),
    }
}

impl Wanted {
    fn token(&self) -> &str {
        self.properties["ServiceToken"].as_str().unwrap_or_default()
    }

    fn payload(&self, aws: &Aws, request: &str, signature: &str) -> Value {
        let (stack, logical_id, kind) = &self.key;
        let mut payload = json!({
            "RequestType": kind,
            "ServiceToken": self.token(),
            "ResponseURL": url(aws, &format!("{stack}|{logical_id}|{request}"), signature),
            "StackId": stack,
            "RequestId": request,
            "LogicalResourceId": logical_id,
            "ResourceType": self.kind,
            "ResourceProperties": spelt(&self.properties),
        });
        if let Some(id) = &self.physical_id {
            payload["PhysicalResourceId"] = json!(id);
        }
        if let Some(old) = &self.old_properties {
            payload["OldResourceProperties"] = spelt(old);
        }
        payload
    }
}

/// Properties as a function receives them: numbers and truths are text.
fn spelt(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entry = |(name, value): (&String, &Value)| (name.clone(), spelt(value));
            Value::Object(entries.iter().map(entry).collect())
        }
        Value::Array(items) => items.iter().map(spelt).collect(),
        Value::Number(_) | Value::Bool(_) => json!(value.to_string()),
        other => other.clone(),
    }
}

fn url(aws: &Aws, key: &str, signature: &str) -> String {
    let region = &aws.region;
    let time = instant(aws.now).as_str().unwrap_or_default().to_owned();
    let time: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    let day = time.split('T').next().unwrap_or_default();
    let host = format!(
        "{BUCKET}{}.s3.{region}.{}",
        region.replace('-', ""),
        aws.partition().domain
    );

    format!(
        "https://{host}/{}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={time}\
         &X-Amz-SignedHeaders=host&X-Amz-Expires=7199\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F{day}%2F{region}%2Fs3%2Faws4_request\
         &X-Amz-Signature={signature}",
        utf8_percent_encode(key, NON_ALPHANUMERIC)
    )
}

/// Whether a request puts a response: its URL is signed, so its sender needs no permission.
pub(crate) fn is_response(request: &Request) -> bool {
    request.header("authorization").is_none()
        && request.method == "PUT"
        && request.host.starts_with(BUCKET)
}

/// Takes the object that such a request puts. A further response to the same request has no effect.
pub(crate) fn respond(
    aws: &mut Aws,
    request: &Request,
    key: &str,
    body: &[u8],
) -> Result<Response, ApiError> {
    let id = key.rsplit('|').next().unwrap_or_default();
    let pending = &aws.cloudformation.custom.pending;
    if let Some(pending) = pending.get(id) {
        let parameters = request.query();
        let is_it = |(name, value): &(String, String)| {
            name == "X-Amz-Signature" && *value == pending.signature
        };
        if !parameters.iter().any(is_it) {
            let message = "The request signature we calculated does not match the signature you \
                           provided. Check your key and signing method.";
            return Err(ApiError {
                status: 403,
                ..ApiError::client("SignatureDoesNotMatch", message)
            });
        }
        let response = read(body, &pending.key, id);
        record_end(aws, id, response);
    }

    Ok(Response {
        status: 200,
        headers: vec![("content-length".to_owned(), "0".to_owned())],
        body: Vec::new(),
    })
}

/// The resource of a response, or why there is none.
fn read(body: &[u8], key: &Key, request: &str) -> Result<Created, String> {
    if body.len() > RESPONSE_BYTES {
        return Err("Response object is too long.".to_owned());
    }
    let response: Value = serde_json::from_slice(body)
        .map_err(|error| format!("the response is not valid JSON: {error}"))?;
    for (member, value) in [
        ("StackId", key.0.as_str()),
        ("LogicalResourceId", key.1.as_str()),
        ("RequestId", request),
    ] {
        if response[member] != value {
            return Err(format!(
                "{member} of the response is not that of the request"
            ));
        }
    }

    let text = |member: &str| response[member].as_str().unwrap_or_default();
    if text("Status") != "SUCCESS" {
        return Err(format!(
            "Received response status [{}] from custom resource. Message returned: {} (RequestId: \
             {request})",
            text("Status"),
            text("Reason")
        ));
    }
    if text("PhysicalResourceId").is_empty() {
        return Err("Invalid PhysicalResourceId".to_owned());
    }
    Ok(Created {
        physical_id: text("PhysicalResourceId").to_owned(),
        attributes: response["Data"].as_object().cloned().unwrap_or_default(),
    })
}

fn unanswered(request: &str) -> String {
    format!(
        "CloudFormation did not receive a response from your Custom Resource. Please check your \
         logs for requestId [{request}]. If you are using the Python cfn-response module, you may \
         need to update your Lambda function code so that CloudFormation can attach the updated \
         version."
    )
}

/// Takes note of how a request ended, unless it has ended before.
fn record_end(aws: &mut Aws, request: &str, response: Result<Created, String>) {
    let custom = &mut aws.cloudformation.custom;
    if let Some(Pending { key, operation, .. }) = custom.pending.remove(request) {
        custom.responses.insert(key, response);
        aws.schedule(NOTICED, CustomEvent::GoesOn(operation));
    }
}
