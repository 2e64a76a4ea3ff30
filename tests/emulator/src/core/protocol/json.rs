//! AWS JSON 1.0 and 1.1: the operation is in a header, input and output are JSON objects.

use serde_json::{Map, Value, json};

use super::{Request, Response, WrittenResponse};
use crate::{ApiError, Aws};

/// A service that speaks this protocol.
#[derive(Clone, Copy)]
pub(crate) struct Json {
    version: &'static str,
    /// The prefix of `X-Amz-Target`.
    target: &'static str,
    /// Of its exceptions, in `__type`.
    namespace: &'static str,
    /// Of its ValidationException, which may come from the framework in front of it.
    validation_namespace: &'static str,
    call: JsonOperation,
}

/// One operation by its name, with its input.
pub(crate) type JsonOperation = fn(&mut Aws, &str, &Value) -> Result<Value, ApiError>;

/// The namespace of exceptions of the framework in front of all services.
const FRAMEWORK: &str = "com.amazon.coral.service";

impl Json {
    /// A service of version 1.1.
    pub(crate) const fn new(
        target: &'static str,
        namespace: &'static str,
        call: JsonOperation,
    ) -> Self {
        Self {
            version: "1.1",
            target,
            namespace,
            validation_namespace: namespace,
            call,
        }
    }

    /// The same service with version 1.0.
    pub(crate) const fn version_1_0(self) -> Self {
        Self {
            version: "1.0",
            ..self
        }
    }

    /// The same service, whose input is validated by the framework.
    pub(crate) const fn validated_by_framework(self) -> Self {
        Self {
            validation_namespace: "com.amazon.coral.validate",
            ..self
        }
    }

    /// One operation, without HTTP.
    #[cfg(test)]
    pub(crate) fn run(
        &self,
        aws: &mut Aws,
        operation: &str,
        input: &Value,
    ) -> Result<Value, ApiError> {
        (self.call)(aws, operation, input)
    }

    pub(super) fn namespace(&self) -> &'static str {
        self.namespace
    }

    pub(super) fn handle(
        &self,
        aws: &mut Aws,
        request: &Request,
        refusal: Option<ApiError>,
    ) -> WrittenResponse {
        self.answer_with(aws, request, refusal, |json, error| {
            json.failed(error, str::to_owned)
        })
    }

    /// Answers a request; `failed` writes the error, if it is one.
    pub(super) fn answer_with(
        &self,
        aws: &mut Aws,
        request: &Request,
        refusal: Option<ApiError>,
        failed: impl FnOnce(&Self, ApiError) -> WrittenResponse,
    ) -> WrittenResponse {
        let target = request.header("x-amz-target").unwrap_or_default();
        let (prefix, operation) = target.split_once('.').unwrap_or(("", target));

        let result = match refusal {
            Some(error) => Err(error),
            None if prefix != self.target => Err(ApiError::unknown_operation(target)),
            None => input(&request.body).and_then(|input| (self.call)(aws, operation, &input)),
        };

        match result {
            Ok(output) => WrittenResponse {
                operation: operation.to_owned(),
                error: None,
                response: response(self.version, 200, &output),
            },
            Err(error) => WrittenResponse {
                operation: operation.to_owned(),
                ..failed(self, error)
            },
        }
    }

    /// An error whose shape has another name than its code.
    pub(super) fn failed(
        &self,
        error: ApiError,
        shape_of: impl Fn(&str) -> String,
    ) -> WrittenResponse {
        let namespace = match error.code.as_str() {
            "ValidationException" => self.validation_namespace,
            code if is_of_framework(code) => FRAMEWORK,
            _ => self.namespace,
        };
        let shape = shape_of(&error.code);
        failed(self.version, namespace, &shape, error)
    }
}

/// The error of a service that the emulator does not have.
pub(super) fn rejection(error: ApiError) -> WrittenResponse {
    let namespace = if is_of_framework(&error.code) {
        FRAMEWORK
    } else {
        "com.amazonaws"
    };
    let shape = error.code.clone();
    failed("1.1", namespace, &shape, error)
}

/// The operation of a request and its input; nothing if they cannot be read.
pub(crate) fn read(request: &Request) -> Option<(String, Value)> {
    let (_, operation) = request.header("x-amz-target")?.split_once('.')?;
    let input = if request.body.is_empty() {
        json!({})
    } else {
        parsed(&request.body).ok()?
    };
    Some((operation.to_owned(), input))
}

/// Like `serde_json::from_slice`, which as a generic function would be compiled here, without the
/// optimisation that serde_json is built with.
fn parsed(body: &[u8]) -> serde_json::Result<Value> {
    match std::str::from_utf8(body) {
        Ok(text) => text.parse(),
        Err(_) => serde_json::from_slice(body),
    }
}

fn is_of_framework(code: &str) -> bool {
    matches!(
        code,
        "SerializationException"
            | "UnknownOperationException"
            | "MissingAuthenticationTokenException"
    )
}

fn input(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(json!({}));
    }

    let input = parsed(body)
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

fn failed(version: &str, namespace: &str, shape: &str, error: ApiError) -> WrittenResponse {
    // This one exception spells the member with a capital.
    let member = if error.code == "TransactionCanceledException" {
        "Message"
    } else {
        "message"
    };
    let mut body: Map<String, Value> = Map::new();
    body.insert("__type".to_owned(), json!(format!("{namespace}#{shape}")));
    body.insert(member.to_owned(), json!(error.message));
    body.extend(error.members);

    let mut response = response(version, error.status, &Value::Object(body));
    response
        .headers
        .push(("x-amzn-errortype".to_owned(), shape.to_owned()));
    WrittenResponse {
        operation: String::new(),
        error: Some(error.code),
        response,
    }
}

fn response(version: &str, status: u16, body: &Value) -> Response {
    // An output without members is an empty body in some services; `{}` is valid for all.
    let body = if body.is_null() {
        b"{}".to_vec()
    } else {
        // Not `to_vec`, for the reason of `parsed`.
        body.to_string().into_bytes()
    };
    Response::with_body(status, &format!("application/x-amz-json-{version}"), body)
}
