//! AWS JSON 1.0 and 1.1: the operation is in a header, input and output are JSON objects.

use serde_json::{Map, Value, json};

use super::{Answer, Request, Response, cbor};
use crate::dynamodb::Failure;
use crate::{
    ApiError, Aws, autoscaling, cloudwatch, codepipeline, dynamodb, ecr, ecs, eventbridge,
};

/// The prefix of `X-Amz-Target`, and the namespace in `__type`.
const TARGETS: [(&str, &str, &str); 7] = [
    (
        "application-autoscaling",
        "AnyScaleFrontendService",
        "com.amazonaws.applicationautoscaling",
    ),
    (
        "codepipeline",
        "CodePipeline_20150709",
        "com.amazonaws.codepipeline",
    ),
    (
        "dynamodb",
        "DynamoDB_20120810",
        "com.amazonaws.dynamodb.v20120810",
    ),
    (
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "com.amazonaws.ecr",
    ),
    (
        "ecs",
        "AmazonEC2ContainerServiceV20141113",
        "com.amazonaws.ecs",
    ),
    ("events", "AWSEvents", "com.amazonaws.events"),
    (
        "monitoring",
        "GraniteServiceVersion20100801",
        "com.amazonaws.cloudwatch",
    ),
];

pub(super) fn answer(
    aws: &mut Aws,
    service: &str,
    request: &Request,
    refusal: Option<ApiError>,
) -> Answer {
    let target = request.header("x-amz-target").unwrap_or_default();
    let (prefix, operation) = target.split_once('.').unwrap_or(("", target));
    let known = TARGETS
        .iter()
        .any(|(name, known, _)| *name == service && *known == prefix);
    let result = match refusal {
        Some(error) => Err(error.into()),
        None if !known => Err(ApiError::unknown_operation(target).into()),
        None => input(&request.body)
            .map_err(Failure::from)
            .and_then(|input| dispatch(aws, service, operation, &input)),
    };
    match result {
        Ok(output) => Answer {
            operation: operation.to_owned(),
            error: None,
            response: response(service, 200, &output),
        },
        Err(failure) => Answer {
            operation: operation.to_owned(),
            ..failed(service, failure)
        },
    }
}

/// An error of a service that the sandbox cannot even ask.
pub(super) fn rejection(service: &str, error: ApiError) -> Answer {
    failed(service, error.into())
}

fn dispatch(
    aws: &mut Aws,
    service: &str,
    operation: &str,
    input: &Value,
) -> Result<Value, Failure> {
    match service {
        "application-autoscaling" => Ok(autoscaling::call(aws, operation, input)?),
        "codepipeline" => Ok(codepipeline::call(aws, operation, input)?),
        "ecr" => Ok(ecr::call(aws, operation, input)?),
        "ecs" => Ok(ecs::call(aws, operation, input)?),
        "events" => Ok(eventbridge::call(aws, operation, input)?),
        "monitoring" => Ok(cbor::plain(&cloudwatch::call(aws, operation, input)?)),
        _ => dynamodb::answer(aws, operation, input),
    }
}

fn input(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let input: Value = serde_json::from_slice(body)
        .map_err(|error| ApiError::client("SerializationException", error.to_string()))?;
    if input.is_object() {
        Ok(input)
    } else {
        Err(ApiError::client(
            "SerializationException",
            "Start of structure or map expected",
        ))
    }
}

fn failed(service: &str, Failure { error, members }: Failure) -> Answer {
    let namespace = match error.code.as_str() {
        // These two come from the framework in front of the services.
        "ValidationException" if service == "dynamodb" => "com.amazon.coral.validate",
        "SerializationException"
        | "UnknownOperationException"
        | "MissingAuthenticationTokenException" => "com.amazon.coral.service",
        _ => TARGETS
            .iter()
            .find(|(name, ..)| *name == service)
            .map_or("com.amazonaws", |(.., namespace)| namespace),
    };
    let shape = if service == "monitoring" {
        cloudwatch::shape_of(&error.code)
    } else {
        &error.code
    };
    let kind = format!("{namespace}#{shape}");
    // This one exception spells the member with a capital.
    let member = if error.code == "TransactionCanceledException" {
        "Message"
    } else {
        "message"
    };
    let mut body: Map<String, Value> = Map::new();
    body.insert("__type".to_owned(), json!(kind));
    body.insert(member.to_owned(), json!(error.message));
    body.extend(members);
    let mut response = response(service, error.status, &Value::Object(body));
    response
        .headers
        .push(("x-amzn-errortype".to_owned(), shape.to_owned()));
    if service == "monitoring" {
        response.headers.push(cbor::query_error(&error));
    }
    Answer {
        operation: String::new(),
        error: Some(error.code),
        response,
    }
}

fn response(service: &str, status: u16, body: &Value) -> Response {
    let version = if ["dynamodb", "monitoring"].contains(&service) {
        "1.0"
    } else {
        "1.1"
    };
    // An output without members is an empty body in some services; `{}` is legal for all.
    let body = if body.is_null() {
        b"{}".to_vec()
    } else {
        serde_json::to_vec(body).expect("values are always written")
    };
    let headers = vec![
        (
            "content-type".to_owned(),
            format!("application/x-amz-json-{version}"),
        ),
        ("content-length".to_owned(), body.len().to_string()),
    ];
    Response {
        status,
        headers,
        body,
    }
}
