//! The REST protocol of Lambda, with its one served operation: Invoke.

use serde_json::{Value, json};

use super::{Function, InvocationStatus, Outcome, invoke, not_found};
use crate::protocol::{Answer, Response, decode};
use crate::validation::not_in_enum;
use crate::{ApiError, Aws, Request};

/// Serves one request.
pub(super) fn answer(
    aws: &mut Aws,
    request: &Request,
    _: &str,
    refusal: Option<ApiError>,
) -> Answer {
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
        Ok(response) => Answer {
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
            Answer {
                operation,
                response: failure(&error),
                error: Some(error.code),
            }
        }
    }
}

const UNKNOWN: &str = "Unknown";

/// Which operation a request means, and the function that it names.
fn operation<'a>(method: &str, segments: &[&'a str]) -> (&'static str, &'a str) {
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

    let function = aws
        .lambda
        .function(name)
        .cloned()
        .ok_or_else(|| not_found(aws, name))?;
    call(aws, &function, request)
}

fn call(aws: &mut Aws, function: &Function, request: &Request) -> Result<Response, ApiError> {
    let payload = if request.body.is_empty() {
        Ok(json!({}))
    } else {
        serde_json::from_slice(&request.body)
    };
    let payload = payload.map_err(|error| {
        let message = format!("Could not parse request body into json: {error}");
        ApiError::client("InvalidRequestContentException", message)
    })?;
    let executed = ("x-amz-executed-version".to_owned(), "$LATEST".to_owned());

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
                headers: vec![executed],
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
    let invocation = aws
        .lambda
        .invocations
        .get(usize::try_from(invocation).ok()?)?;
    let outcome = invocation
        .attempts
        .last()
        .and_then(|attempt| attempt.outcome.as_ref());
    let failed = |kind: &str, message: &str| {
        let header = ("x-amz-function-error".to_owned(), "Unhandled".to_owned());
        Some((
            vec![header],
            json!({"errorType": kind, "errorMessage": message}),
        ))
    };
    let (mut headers, payload) = match (outcome, invocation.status) {
        (Some(Outcome::Succeeded(value)), _) => Some((Vec::new(), value.clone())),
        (Some(Outcome::Failed(message)), _) => failed("Error", message),
        (Some(Outcome::TimedOut), _) => failed("Sandbox.Timedout", "Task timed out"),
        (Some(Outcome::Crashed), _) => failed(
            "Runtime.ExitError",
            "Runtime exited without providing a reason",
        ),
        (None, InvocationStatus::GivenUp) => failed("FunctionNotFound", "the function is gone"),
        (None, _) => None,
    }?;

    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    Some(Response {
        status: 200,
        headers,
        body: payload.to_string().into_bytes(),
    })
}

fn json_response(status: u16, body: &Value) -> Response {
    let mut body = body.clone();
    if let Value::Object(members) = &mut body {
        members.retain(|_, value| !value.is_null());
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
mod tests {
    use std::time::Duration;

    use super::super::{create_function, finished};
    use super::*;

    fn world() -> Aws {
        let mut aws = Aws::new(1);
        for name in ["one", "two"] {
            let role = "arn:aws:iam::111122223333:role/slipway/of-a-test".to_owned();
            let function = Function {
                name: name.to_owned(),
                role,
                timeout: Duration::from_secs(9),
                ..Function::default()
            };
            create_function(&mut aws, function).unwrap();
        }
        aws
    }

    fn send(aws: &mut Aws, method: &str, path: &str, kind: &str, body: &str) -> (u16, Value) {
        let request = Request {
            method: method.to_owned(),
            path_and_query: path.to_owned(),
            headers: vec![
                (
                    "authorization".to_owned(),
                    "AWS4-HMAC-SHA256 Credential=A/20260105/eu-west-1/lambda/aws4_request, x"
                        .to_owned(),
                ),
                ("x-amz-invocation-type".to_owned(), kind.to_owned()),
            ],
            body: body.as_bytes().to_vec(),
            ..Request::default()
        };
        let response = aws.call(&request);

        (
            response.status,
            serde_json::from_slice(&response.body).unwrap_or_default(),
        )
    }

    #[test]
    fn an_event_is_accepted_and_a_dry_run_does_nothing() {
        let mut aws = world();
        let invoke = "/2015-03-31/functions/one/invocations";
        assert_eq!(send(&mut aws, "POST", invoke, "DryRun", "").0, 204);
        assert_eq!(send(&mut aws, "POST", invoke, "Event", "{}").0, 202);
        assert_eq!(
            (aws.lambda.invocations.len(), aws.lambda.take_awaited()),
            (1, None)
        );
        assert_eq!(send(&mut aws, "POST", invoke, "Event", "{").0, 400);

        let missing = invoke.replace("one", "three");
        assert_eq!(send(&mut aws, "POST", &missing, "Event", "{}").0, 404);
    }

    #[test]
    fn a_synchronous_invocation_is_tried_once_and_returns_its_error() {
        let mut aws = world();
        assert_eq!(
            send(
                &mut aws,
                "POST",
                "/2015-03-31/functions/one/invocations",
                "RequestResponse",
                "{}"
            )
            .0,
            200
        );

        let id = aws.lambda.take_awaited().unwrap();
        assert!(result(&aws, id).is_none());

        aws.now += 1000;
        aws.run_due();
        let attempt = aws.lambda.take_ready().unwrap();
        finished(&mut aws, attempt.id, Outcome::Failed("no".to_owned()));
        let answer = result(&aws, id).unwrap();

        assert!(
            answer
                .headers
                .contains(&("x-amz-function-error".to_owned(), "Unhandled".to_owned()))
        );
        assert!(
            String::from_utf8(answer.body)
                .unwrap()
                .contains("\"errorMessage\":\"no\"")
        );

        aws.now += 3_600_000;
        aws.run_due();
        assert!(aws.lambda.take_ready().is_none() && aws.lambda.dead_letters.is_empty());
    }

    #[test]
    fn an_unknown_path_is_an_unknown_operation() {
        let mut aws = world();
        assert_eq!(send(&mut aws, "GET", "/2018-10-31/layers", "", "").0, 404);
        let call = aws.calls.last().unwrap();
        assert_eq!(
            (call.operation.as_str(), call.error.as_deref()),
            ("GET /2018-10-31/layers", Some("UnknownOperationException"))
        );
    }
}
