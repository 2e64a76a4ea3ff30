//! The services' wire protocols: from an HTTP request to an operation of a service, and back.

pub(crate) mod cbor;
mod json;
pub(crate) mod query;
mod unknown;
pub(crate) mod xml;

#[cfg(test)]
mod tests;

use std::ops::Deref;

use super::{ApiError, Aws, Millis, iam, lambda, record, s3};
pub(crate) use query::form;

/// An HTTP request as a service receives it, whoever sent it and however it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Who calls: the name of a Lambda function, or `person`.
    pub caller: String,
    pub method: String,
    /// The host of the URL, for S3 bucket names; may be empty.
    pub host: String,
    /// The path and the query string, still percent-encoded.
    pub path_and_query: String,
    /// Header names are lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The answer of a service.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// One call that a service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub at: Millis,
    pub caller: String,
    /// The name that the signature names: `ecs`, `elasticloadbalancing`, …
    pub service: String,
    pub operation: String,
    /// The code of the error that was answered.
    pub error: Option<String>,
    /// The attempt of Lambda that called, when the driver says which.
    pub attempt: Option<u64>,
}

impl Call {
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.error
            .as_deref()
            .is_some_and(|code| code.contains("hrottling") || code == "SlowDown")
    }
}

/// All calls so far, oldest first.
#[derive(Clone, Debug, Default)]
pub struct CallLog {
    calls: Vec<Call>,
    attempt: Option<u64>,
}

impl CallLog {
    /// Says which attempt of Lambda makes the calls from now on.
    pub fn attribute_to(&mut self, attempt: Option<u64>) {
        self.attempt = attempt;
    }
}

impl Deref for CallLog {
    type Target = [Call];

    fn deref(&self) -> &[Call] {
        &self.calls
    }
}

/// How the answer of an operation was written, and what the log says of it.
struct Answer {
    operation: String,
    error: Option<String>,
    response: Response,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The credential scope of the signature: `<key>/<date>/<region>/<service>/aws4_request`.
    /// A presigned URL has it in the query string.
    fn scope(&self) -> Option<String> {
        match self.header("authorization") {
            Some(authorization) => authorization
                .split("Credential=")
                .nth(1)?
                .split([',', ' '])
                .next()
                .map(str::to_owned),
            None => self
                .query()
                .into_iter()
                .find(|(name, _)| name == "X-Amz-Credential")
                .map(|(_, scope)| scope),
        }
    }

    /// The service that the signature names.
    pub(crate) fn service(&self) -> Option<String> {
        // Only S3 still takes URLs that were signed by version 2, which names no service; boto3 makes them.
        if self.header("authorization").is_none()
            && self
                .query()
                .iter()
                .any(|(name, _)| name == "AWSAccessKeyId")
        {
            return Some("s3".to_owned());
        }
        self.scope()?
            .strip_suffix("/aws4_request")?
            .rsplit('/')
            .next()
            .map(str::to_owned)
    }

    /// The access key id that the signature names.
    pub(crate) fn access_key(&self) -> Option<String> {
        self.scope()?.split('/').next().map(str::to_owned)
    }

    /// Without the query string, still percent-encoded.
    pub fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    /// The parameters of the query string, decoded.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let query = self
            .path_and_query
            .split_once('?')
            .map_or("", |(_, query)| query);
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }
}

impl Aws {
    /// Answers one request by the rules of the service that its signature names, if its caller may ask for it.
    pub fn call(&mut self, request: &Request) -> Response {
        let refusal = iam::authorize(self, request).err();
        self.answer(request, refusal)
    }

    /// Answers one request with an error, without any effect, in the protocol of its service.
    pub fn refuse(&mut self, request: &Request, error: ApiError) -> Response {
        self.answer(request, Some(error))
    }

    /// Answers one request with the throttling error of its service, without any effect.
    pub fn throttle(&mut self, request: &Request) -> Response {
        let error = match request.service().as_deref() {
            Some("s3") => ApiError {
                status: 503,
                ..ApiError::client("SlowDown", "Please reduce your request rate.")
            },
            Some("elasticloadbalancing" | "monitoring") => {
                ApiError::client("Throttling", "Rate exceeded")
            }
            Some("dynamodb") => ApiError::client(
                "ThrottlingException",
                "Rate of requests exceeds the allowed throughput.",
            ),
            _ => ApiError::client("ThrottlingException", "Rate exceeded"),
        };
        self.refuse(request, error)
    }

    /// Answers one request with the error that its service has for a fault of its own. `effect`: the call takes effect all the same,
    /// and the log has it as one that succeeded.
    pub fn fail(&mut self, request: &Request, effect: bool) -> Response {
        let error = internal_error(request.service().as_deref().unwrap_or_default());
        if !effect {
            return self.refuse(request, error);
        }
        self.call(request);
        let id = self.uuid();
        self.respond(request, &id, Some(error)).response
    }

    fn answer(&mut self, request: &Request, refusal: Option<ApiError>) -> Response {
        let (at, id) = (self.now, self.uuid());
        let Answer {
            operation,
            error,
            response,
        } = self.respond(request, &id, refusal);
        let service = request.service().unwrap_or_default();
        record::call(&service, &operation, error.as_deref(), request, &response);
        let (caller, attempt) = (request.caller.clone(), self.calls.attempt);
        self.calls.calls.push(Call {
            at,
            caller,
            service,
            operation,
            error,
            attempt,
        });
        response
    }

    /// The answer in the protocol of the service, with the identifier of the request.
    fn respond(&mut self, request: &Request, id: &str, refusal: Option<ApiError>) -> Answer {
        let service = request.service().unwrap_or_default();
        let mut answer = match service.as_str() {
            "application-autoscaling" | "codepipeline" | "ecs" | "ecr" | "events" | "dynamodb" => {
                json::answer(self, &service, request, refusal)
            }
            "cloudformation" | "elasticloadbalancing" | "iam" | "sts" => {
                query::answer(self, &service, request, id, refusal)
            }
            // boto3 and the AWS CLI ask CloudWatch in JSON, the Rust SDK in CBOR.
            "monitoring" if request.header("x-amz-target").is_some() => {
                json::answer(self, &service, request, refusal)
            }
            "monitoring" => cbor::answer(self, request, refusal),
            "lambda" => {
                let (operation, error, response) = lambda::answer(self, request, refusal);
                Answer {
                    operation,
                    error,
                    response,
                }
            }
            "s3" => {
                let (operation, error, response) = s3::answer(self, request, id, refusal);
                Answer {
                    operation,
                    error,
                    response,
                }
            }
            "" => {
                let message = "Missing Authentication Token";
                let error = ApiError {
                    status: 403,
                    ..ApiError::client("MissingAuthenticationTokenException", message)
                };
                unknown::answer("", request, id, Some(error))
            }
            other => unknown::answer(other, request, id, refusal),
        };
        answer
            .response
            .headers
            .push(("x-amzn-requestid".to_owned(), id.to_owned()));
        answer
    }
}

/// How a service words a fault of its own.
fn internal_error(service: &str) -> ApiError {
    let (code, message) = match service {
        "application-autoscaling" => (
            "InternalServiceException",
            "The service encountered an internal error",
        ),
        "dynamodb" => ("InternalServerError", "Internal server error"),
        "ecs" => (
            "ServerException",
            "Service Unavailable. Please try again later.",
        ),
        "ecr" => ("ServerException", "Internal server error"),
        "s3" => (
            "InternalError",
            "We encountered an internal error. Please try again.",
        ),
        _ => (
            "InternalFailure",
            "The request processing has failed because of an unknown error",
        ),
    };
    ApiError {
        status: 500,
        ..ApiError::client(code, message)
    }
}

pub(crate) fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// Text inside an XML element.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
