//! The services' wire protocols: from an HTTP request to an operation of a service, and back.

pub(crate) mod cbor;
mod json;
pub(crate) mod query;
mod unknown;
pub(crate) mod xml;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use super::service::{self, Errors, Service, Wording};
use super::{ApiError, Aws, Call, cloudformation, elb, iam, record};
pub(crate) use cbor::Cbor;
pub(crate) use json::{Json, read as read_json};
pub(crate) use query::Query;

/// An HTTP request as a service receives it, in the process or over a connection.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Who calls: the name of a Lambda function, or `operator`.
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

/// The response of a service.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// A response with a body, whose type and length are its headers.
    pub(crate) fn with_body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = vec![
            ("content-type".to_owned(), content_type.to_owned()),
            ("content-length".to_owned(), body.len().to_string()),
        ];
        Self {
            status,
            headers,
            body,
        }
    }
}

/// How a service is called.
#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Json(Json),
    Query(Query),
    Cbor(Cbor),
    Rest(Rest),
}

/// Operations are methods and paths of HTTP, which the service reads and answers by itself.
#[derive(Clone, Copy)]
pub(crate) struct Rest {
    /// Answers a request, whose identifier is given, or refuses it with an error.
    pub(crate) handle: fn(&mut Aws, &Request, &str, Option<ApiError>) -> WrittenResponse,
    /// The operation and those members of its input that name its subject.
    pub(crate) read: fn(&Request) -> Option<(String, Value)>,
}

impl Protocol {
    /// The operation of a request and its input; nothing if the request cannot be read.
    pub(crate) fn read(&self, request: &Request) -> Option<(String, Value)> {
        match self {
            Self::Json(_) => read_json(request),
            Self::Query(_) => Some(query::read(request)),
            Self::Cbor(_) if cbor::is_json(request) => read_json(request),
            Self::Cbor(_) => Some((
                cbor::operation(request).to_owned(),
                cbor::input(request).ok()?,
            )),
            Self::Rest(rest) => (rest.read)(request),
        }
    }
}

impl Service {
    fn handle(
        &self,
        aws: &mut Aws,
        request: &Request,
        id: &str,
        refusal: Option<ApiError>,
    ) -> WrittenResponse {
        match &self.protocol {
            Protocol::Json(json) => json.handle(aws, request, refusal),
            Protocol::Query(query) => query.handle(aws, request, id, refusal),
            Protocol::Cbor(cbor) => cbor.handle(aws, request, refusal),
            Protocol::Rest(rest) => (rest.handle)(aws, request, id, refusal),
        }
    }
}

/// The response of an operation as it was written, and its entry in the log.
pub(crate) struct WrittenResponse {
    pub(crate) operation: String,
    /// The code of the error, if it is one.
    pub(crate) error: Option<String>,
    pub(crate) response: Response,
}

const MISSING_TOKEN: Wording = Wording::new(
    403,
    "MissingAuthenticationTokenException",
    "Missing Authentication Token",
);

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The credential scope of the signature: `<key>/<date>/<region>/<service>/aws4_request`.
    /// A presigned URL has it in the query string.
    fn scope(&self) -> Option<Cow<'_, str>> {
        let Some(authorization) = self.header("authorization") else {
            return self.parameter("X-Amz-Credential").map(Cow::Owned);
        };
        let (_, scope) = authorization.split_once("Credential=")?;
        let end = scope.bytes().position(|byte| matches!(byte, b',' | b' '));
        Some(Cow::Borrowed(&scope[..end.unwrap_or(scope.len())]))
    }

    /// The service that the signature names.
    pub(crate) fn service(&self) -> Option<String> {
        // Only S3 still takes URLs that were signed by version 2, which names no service; boto3
        // makes them.
        if self.header("authorization").is_none() && self.parameter("AWSAccessKeyId").is_some() {
            return Some("s3".to_owned());
        }
        self.scope()?
            .strip_suffix("/aws4_request")?
            .rsplit('/')
            .next()
            .map(str::to_owned)
    }

    /// The region that the signature names.
    pub(crate) fn region(&self) -> Option<String> {
        self.scope()?.split('/').nth(2).map(str::to_owned)
    }

    /// The access key id that the signature names.
    pub(crate) fn access_key(&self) -> Option<String> {
        self.scope()?.split('/').next().map(str::to_owned)
    }

    /// The session token of temporary credentials. A presigned URL has it in the query string.
    pub(crate) fn session_token(&self) -> Option<String> {
        let header = self.header("x-amz-security-token").map(str::to_owned);
        header.or_else(|| self.parameter("X-Amz-Security-Token"))
    }

    /// Without the query string, still percent-encoded.
    pub fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query string, decoded.
    fn parameter(&self, name: &str) -> Option<String> {
        let mut parameters = self.query().into_iter();
        let found = parameters.find(|(known, _)| known == name);
        found.map(|(_, value)| value)
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
    /// Answers one request by the rules of the service that its signature names, if its caller may
    /// make it, in the account of its credentials and the region that it names. A request to the
    /// name of a load balancer is for an application.
    pub fn call(&mut self, request: &Request) -> Response {
        if let Some(response) = elb::respond(self, request) {
            self.log(request, "http".to_owned(), "Get".to_owned(), None);
            return response;
        }
        let place = self.place_of(request);
        self.in_place(place, |aws| aws.serve(request))
    }

    fn serve(&mut self, request: &Request) -> Response {
        let refusal = iam::authorize(self, request).err();
        let response = self.handle(request, refusal);
        iam::served(self);
        response
    }

    /// Answers one request with an error, without any effect, in the protocol of its service.
    pub fn refuse(&mut self, request: &Request, error: ApiError) -> Response {
        self.handle(request, Some(error))
    }

    /// Answers one request with the throttling error of its service, without any effect.
    pub fn throttle(&mut self, request: &Request) -> Response {
        self.refuse(request, Errors::of(request).throttled.error())
    }

    /// Answers one request as its service does with credentials, or the time of a signature, that
    /// it does not accept, without any effect.
    pub fn distrust(&mut self, request: &Request) -> Response {
        let errors = Errors::of(request);
        let wordings = [errors.unknown_key, errors.expired, errors.skewed];
        let wording = wordings[self.rng.usize(..wordings.len())];
        self.refuse(request, wording.error())
    }

    /// Answers one request with the error that its service has for a fault of its own. `effect`:
    /// the call takes effect anyway, and the log has it as one that succeeded.
    pub fn fail(&mut self, request: &Request, effect: bool) -> Response {
        let error = Errors::of(request).internal.error();
        if !effect {
            return self.refuse(request, error);
        }
        self.call(request);
        let id = self.uuid();
        let service = request.service().unwrap_or_default();
        self.respond(request, &service, &id, Some(error)).response
    }

    fn handle(&mut self, request: &Request, refusal: Option<ApiError>) -> Response {
        let id = self.uuid();
        let service = request.service().unwrap_or_default();
        let WrittenResponse {
            operation,
            error,
            response,
        } = self.respond(request, &service, &id, refusal);
        // A request to a pre-signed URL is not a call of an SDK.
        if !cloudformation::is_response(request) {
            record::call(&service, &operation, error.as_deref(), request, &response);
        }

        self.log(request, service, operation, error);
        response
    }

    fn log(
        &mut self,
        request: &Request,
        service: String,
        operation: String,
        error: Option<String>,
    ) {
        self.calls.add(Call {
            at: self.now,
            caller: request.caller.clone(),
            service,
            operation,
            error,
            attempt: None,
            cut_off: false,
        });
    }

    /// The response in the protocol of the service, with the identifier of the request.
    fn respond(
        &mut self,
        request: &Request,
        service: &str,
        id: &str,
        refusal: Option<ApiError>,
    ) -> WrittenResponse {
        let mut answer = match service::find(service) {
            Some(service) => service.handle(self, request, id, refusal),
            None if service.is_empty() => {
                let error = MISSING_TOKEN.error();
                unknown::handle(service, request, id, Some(error))
            }
            None => unknown::handle(service, request, id, refusal),
        };
        answer
            .response
            .headers
            .push(("x-amzn-requestid".to_owned(), id.to_owned()));
        answer
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
