//! The REST protocol of Lambda, with its one served operation: Invoke.

use serde_json::{Value, json};

use super::{Function, Invocation, InvocationStatus, Outcome, invoke, not_found};
use crate::nulls::remove_nulls;
use crate::protocol::{Response, WrittenResponse, decode};
use crate::validation::not_in_enum;
use crate::{ApiError, Aws, Request};

/// Serves one request.
pub(super) fn handle(
    aws: &mut Aws,
    request: &Request,
    _: &str,
    refusal: Option<ApiError>,
) -> WrittenResponse {
    let path = decode(request.path());
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let (operation, function) = operation(&request.method, &segments);
    let result = match refusal {
        Some(error) => Err(error),
        None => serve(aws, operation, function, request),
    };

    match result {
        Ok(response) => WrittenResponse {
            operation: operation.to_owned(),
            error: None,
            response,
        },
        Err(error) => {
            let operation = if operation == UNKNOWN {
                format!("{} {path}", request.method)
            } else {
                operation.to_owned()
            };
            WrittenResponse {
                operation,
                response: failure(&error),
                error: Some(error.code),
            }
        }
    }
}

pub(super) const UNKNOWN: &str = "Unknown";

/// Which operation a request means, and the function that it names.
pub(super) fn operation<'a>(method: &str, segments: &[&'a str]) -> (&'static str, &'a str) {
    match (method, segments) {
        ("POST", ["2015-03-31", "functions", name, "invocations"]) => ("Invoke", name),
        _ => (UNKNOWN, ""),
    }
}

fn serve(
    aws: &mut Aws,
    operation: &str,
    name: &str,
    request: &Request,
) -> Result<Response, ApiError> {
    if operation == UNKNOWN {
        let what = format!("{} {}", request.method, request.path());
        return Err(ApiError {
            status: 404,
            ..ApiError::unknown_operation(&what)
        });
    }

    let query = request.query();
    let qualifier = query.iter().find(|(member, _)| member == "Qualifier");
    let qualified = qualifier.map(|(_, qualifier)| format!("{name}:{qualifier}"));
    let function = function(aws, qualified.as_deref().unwrap_or(name))?.clone();
    call(aws, &function, request)
}

/// The function that a name or an ARN means, perhaps with a version: functions have no others than
/// the latest one.
fn function<'a>(aws: &'a Aws, name: &str) -> Result<&'a Function, ApiError> {
    let local = name.split_once(":function:").map_or(name, |(_, rest)| rest);
    let (bare, version) = match local.split_once(':') {
        Some((bare, version)) => (bare, Some(version)),
        None => (local, None),
    };
    let is_latest = version.is_none_or(|version| version == "$LATEST");
    let function = aws.lambda.function(bare).filter(|_| is_latest);
    function.ok_or_else(|| not_found(aws, local))
}

fn call(aws: &mut Aws, function: &Function, request: &Request) -> Result<Response, ApiError> {
    let payload = if request.body.is_empty() {
        Ok(json!({}))
    } else {
        serde_json::from_slice(&request.body)
    };
    let payload = payload.map_err(|error| {
        let message = format!(
            "Could not parse request body into json: Could not parse payload into json: {error}"
        );
        ApiError::client("InvalidRequestContentException", message)
    })?;

    match request
        .header("x-amz-invocation-type")
        .unwrap_or("RequestResponse")
    {
        "Event" => {
            invoke::invoke_async(aws, &function.name, payload)?;
            Ok(Response {
                status: 202,
                headers: Vec::new(),
                body: Vec::new(),
            })
        }
        "DryRun" => Ok(Response {
            status: 204,
            headers: Vec::new(),
            body: Vec::new(),
        }),
        "RequestResponse" => {
            aws.lambda.awaited = Some(invoke::invoke_sync(aws, &function.name, payload)?);
            Ok(Response {
                status: 200,
                headers: Vec::new(),
                body: Vec::new(),
            })
        }
        other => {
            let types = ["Event", "RequestResponse", "DryRun"];
            let message = not_in_enum(other, "InvocationType", &types);
            Err(ApiError::client("ValidationException", message))
        }
    }
}

/// The response of a synchronous invocation, once the function has ended.
pub fn result(aws: &Aws, invocation: u64) -> Option<Response> {
    let invocation = usize::try_from(invocation).ok()?;
    let invocation = aws.lambda.invocations.get(invocation)?;
    let payload = payload(aws, invocation)?;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![
        header("x-amz-executed-version", "$LATEST"),
        header("content-type", "application/json"),
    ];
    if invocation.status != InvocationStatus::Succeeded {
        headers.push(header("x-amz-function-error", "Unhandled"));
    }

    Some(Response {
        status: 200,
        headers,
        body: payload.to_string().into_bytes(),
    })
}

/// What a function returned in its last attempt, or the error in its place.
pub(super) fn payload(aws: &Aws, invocation: &Invocation) -> Option<Value> {
    let attempt = invocation.attempts.last();
    let outcome = attempt.and_then(|attempt| attempt.outcome.as_ref());
    let failed = |kind: &str, message: &str| json!({"errorType": kind, "errorMessage": message});
    let stopped = |kind: &str, why: &str| {
        let id = &invocation.request_id;
        failed(kind, &format!("RequestId: {id} Error: {why}"))
    };

    Some(match (outcome, invocation.status) {
        (Some(Outcome::Succeeded(value)), _) => value.clone(),
        (Some(Outcome::Failed(message)), _) => failed("Error", message),
        (Some(Outcome::TimedOut), _) => {
            let function = aws.lambda.functions.get(&invocation.function);
            let timeout = function.map_or(0.0, |function| function.timeout.as_secs_f64());
            let why = format!("Task timed out after {timeout:.2} seconds");
            stopped("Sandbox.Timedout", &why)
        }
        (Some(Outcome::Crashed), _) => stopped(
            "Runtime.ExitError",
            "Runtime exited without providing a reason",
        ),
        (None, InvocationStatus::GivenUp) => failed("FunctionNotFound", "the function is gone"),
        (None, _) => return None,
    })
}

fn json_response(status: u16, body: &Value) -> Response {
    let mut body = body.clone();
    if let Value::Object(members) = &mut body {
        remove_nulls(members);
    }

    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response {
        status,
        headers,
        body: body.to_string().into_bytes(),
    }
}

fn failure(error: &ApiError) -> Response {
    let kind = if error.status < 500 {
        "User"
    } else {
        "Service"
    };
    let mut response = json_response(
        error.status,
        &json!({"Type": kind, "Message": error.message}),
    );
    response
        .headers
        .push(("x-amzn-errortype".to_owned(), error.code.clone()));
    response
}

#[cfg(test)]
mod tests;
