//! Requests to services that the emulator does not have, refused in the protocol of the request.

use super::{Request, Response, WrittenResponse, cbor, escape, json, query};
use crate::ApiError;

/// Refuses with `error`, or as AWS refuses an operation that it does not know.
pub(super) fn handle(
    service: &str,
    request: &Request,
    id: &str,
    error: Option<ApiError>,
) -> WrittenResponse {
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let what = format!("{} {}", request.method, request.path());
    let unknown = |operation: &str| ApiError::unknown_operation(&format!("{service} {operation}"));

    if let Some(target) = request.header("x-amz-target") {
        let operation = target.rsplit('.').next().unwrap_or(target).to_owned();
        let error = error.unwrap_or_else(|| unknown(&operation));
        return WrittenResponse {
            operation,
            ..json::rejection(error)
        };
    }

    if request.header("smithy-protocol") == Some("rpc-v2-cbor") {
        let operation = cbor::operation(request).to_owned();
        let error = error.unwrap_or_else(|| unknown(&operation));
        return cbor::rejection(operation, error);
    }

    if form {
        return form_rejection(service, request, id, error);
    }

    // A request for a path without a signature is treated as anonymous access to S3.
    let anonymous = service.is_empty() && request.path().len() > 1;
    if anonymous || service == "cloudfront" {
        return rest_xml(what, id, error);
    }

    // REST/JSON: the code is in the header, whatever the body contains.
    let not_found = || ApiError {
        status: 404,
        ..unknown(&what)
    };
    WrittenResponse {
        operation: what.clone(),
        ..json::rejection(error.unwrap_or_else(not_found))
    }
}

/// Refuses a form as its service does: EC2 has an XML of its own.
fn form_rejection(
    service: &str,
    request: &Request,
    id: &str,
    error: Option<ApiError>,
) -> WrittenResponse {
    let refused = query::rejection(request, id, error);
    if service != "ec2" {
        return refused;
    }
    WrittenResponse {
        response: ec2(id),
        ..refused
    }
}

fn rest_xml(operation: String, id: &str, error: Option<ApiError>) -> WrittenResponse {
    let error = error.unwrap_or_else(|| ApiError {
        status: 501,
        ..ApiError::client(
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        )
    });
    let (code, message) = (escape(&error.code), escape(&error.message));
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message>\
         <RequestId>{id}</RequestId></Error>"
    );
    let headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
    let response = Response {
        status: error.status,
        headers,
        body: body.into_bytes(),
    };

    WrittenResponse {
        operation,
        error: Some(error.code),
        response,
    }
}

fn ec2(id: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>\
         <Code>InvalidAction</Code><Message>The action is not valid for this web service.</Message>\
         </Error></Errors><RequestID>{id}</RequestID></Response>"
    );
    let headers = vec![("content-type".to_owned(), "text/xml".to_owned())];

    Response {
        status: 400,
        headers,
        body: body.into_bytes(),
    }
}
