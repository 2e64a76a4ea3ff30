//! The REST face of Lambda: what reads functions, and Invoke.

use serde_json::{Value, json};

use super::{Function, InvocationStatus, Outcome, invoke, not_found};
use crate::protocol::{Response, decode};
use crate::{ApiError, Aws, Request};

/// The most functions of one page.
const MOST_FUNCTIONS: usize = 50;

/// Answers one request: the operation, the code of the error if any, and the response.
pub(crate) fn answer(
    aws: &mut Aws,
    request: &Request,
    refusal: Option<ApiError>,
) -> (String, Option<String>, Response) {
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
        Ok(response) => (operation.to_owned(), None, response),
        Err(error) => {
            let operation = if operation == UNKNOWN {
                format!("{} {path}", request.method)
            } else {
                operation.to_owned()
            };
            (operation, Some(error.code.clone()), failure(&error))
        }
    }
}

const UNKNOWN: &str = "Unknown";

/// Which operation a request means, and the function that it names.
fn operation<'a>(method: &str, segments: &[&'a str]) -> (&'static str, &'a str) {
    match (method, segments) {
        ("GET", ["2015-03-31", "functions"]) => ("ListFunctions", ""),
        ("GET", ["2015-03-31", "functions", name]) => ("GetFunction", name),
        ("GET", ["2015-03-31", "functions", name, "configuration"]) => {
            ("GetFunctionConfiguration", name)
        }
        ("GET", ["2015-03-31", "functions", name, "policy"]) => ("GetPolicy", name),
        ("POST", ["2015-03-31", "functions", name, "invocations"]) => ("Invoke", name),
        ("GET", ["2019-09-25", "functions", name, "event-invoke-config"]) => {
            ("GetFunctionEventInvokeConfig", name)
        }
        _ => (UNKNOWN, ""),
    }
}

fn serve(
    aws: &mut Aws,
    operation: &str,
    name: &str,
    request: &Request,
) -> Result<Response, ApiError> {
    if operation == "ListFunctions" {
        return Ok(json_response(200, &list(aws, request)?));
    }
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
    let output = match operation {
        "GetFunction" => json!({"Configuration": configuration(&function), "Tags": {}}),
        "GetFunctionConfiguration" => configuration(&function),
        "GetPolicy" => policy(&function)?,
        "GetFunctionEventInvokeConfig" => event_invoke_config(&function),
        _ => return call(aws, &function, request),
    };
    Ok(json_response(200, &output))
}

fn configuration(function: &Function) -> Value {
    json!({
        "FunctionName": function.name, "FunctionArn": function.arn, "Role": function.role, "Runtime": "provided.al2023",
        "Handler": "bootstrap", "Description": function.code, "Timeout": function.timeout.as_secs(), "PackageType": "Zip",
        "Environment": {"Variables": function.environment}, "Version": "$LATEST", "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}

fn list(aws: &Aws, request: &Request) -> Result<Value, ApiError> {
    let query = request.query();
    let given = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let wrong = |message: &str| ApiError::client("InvalidParameterValueException", message);
    let size = given("MaxItems").map_or(Ok(MOST_FUNCTIONS), str::parse);
    let size = size
        .ok()
        .filter(|size| (1..=10_000).contains(size))
        .map(|size| size.min(MOST_FUNCTIONS));
    let size = size.ok_or_else(|| wrong("MaxItems is 1 to 10000"))?;
    let start = given("Marker")
        .filter(|marker| !marker.is_empty())
        .map_or(Ok(0), str::parse::<usize>);
    let start = start.map_err(|_| wrong("The marker is not valid"))?;
    let functions: Vec<Value> = aws
        .lambda
        .functions
        .values()
        .skip(start)
        .take(size)
        .map(configuration)
        .collect();
    let end = start + functions.len();
    let next = (end < aws.lambda.functions.len()).then(|| end.to_string());
    Ok(json!({"Functions": functions, "NextMarker": next}))
}

fn policy(function: &Function) -> Result<Value, ApiError> {
    if function.permissions.is_empty() {
        let error = ApiError::client(
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
        );
        return Err(ApiError {
            status: 404,
            ..error
        });
    }
    let statement = |permission: &super::Permission| {
        let mut condition = json!({});
        if let Some(arn) = &permission.source_arn {
            condition["ArnLike"] = json!({ "AWS:SourceArn": arn });
        }
        if let Some(account) = &permission.source_account {
            condition["StringEquals"] = json!({ "AWS:SourceAccount": account });
        }
        json!({"Sid": permission.statement_id, "Effect": "Allow", "Principal": {"Service": permission.principal},
            "Action": "lambda:InvokeFunction", "Resource": function.arn, "Condition": condition})
    };
    let statements: Value = function.permissions.iter().map(statement).collect();
    let document = json!({"Version": "2012-10-17", "Id": "default", "Statement": statements});
    Ok(json!({ "Policy": document.to_string() }))
}

fn event_invoke_config(function: &Function) -> Value {
    let config = &function.invoke_config;
    let mut destinations = json!({});
    if let Some(destination) = &config.on_failure {
        destinations["OnFailure"] = json!({ "Destination": destination });
    }
    json!({"FunctionArn": format!("{}:$LATEST", function.arn), "MaximumRetryAttempts": config.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": config.maximum_event_age.as_secs(), "DestinationConfig": destinations})
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
            let message = format!(
                "1 validation error detected: Value '{other}' at 'invocationType' failed to satisfy constraint: \
                 Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
            );
            Err(ApiError::client("ValidationException", message))
        }
    }
}

/// What the caller of a synchronous invocation is answered, once the function has ended.
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
    fn functions_are_listed_in_pages() {
        let mut aws = world();
        let (_, first) = send(&mut aws, "GET", "/2015-03-31/functions/?MaxItems=1", "", "");
        assert_eq!(
            (&first["Functions"][0]["FunctionName"], &first["NextMarker"]),
            (&json!("one"), &json!("1"))
        );
        let (_, second) = send(
            &mut aws,
            "GET",
            "/2015-03-31/functions/?MaxItems=1&Marker=1",
            "",
            "",
        );
        assert_eq!(
            (&second["Functions"][0]["Timeout"], second.get("NextMarker")),
            (&json!(9), None)
        );
        assert_eq!(
            send(&mut aws, "GET", "/2015-03-31/functions/three", "", "").0,
            404
        );
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
    }

    #[test]
    fn a_synchronous_invocation_is_tried_once_and_answers_its_error() {
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
