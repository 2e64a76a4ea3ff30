//! The query protocol: a form in, XML out.

use std::collections::BTreeMap;

use super::{Answer, Request, Response, decode, escape};
use crate::aws::{ApiError, Aws, elb};

const VERSION: &str = "2015-12-01";
const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

pub(super) fn answer(aws: &mut Aws, request: &Request, id: &str, refusal: Option<ApiError>) -> Answer {
    let mut form = form(request);
    let action = form.remove("Action").unwrap_or_default();
    let version = form.remove("Version").unwrap_or_default();
    let result = match refusal {
        Some(error) => Err(error),
        None if action.is_empty() => Err(ApiError::client("MissingAction", "Missing Action")),
        None if version != VERSION => Err(unknown(&action, &version)),
        None => elb::call(aws, &action, &form),
    };
    let (error, status, body) = match result {
        Ok(result) => (None, 200, success(&action, &result, id)),
        Err(error) if error.code == "UnknownOperationException" => {
            let error = unknown(&action, &version);
            (Some(error.code.clone()), error.status, failure(&error, id))
        }
        Err(error) => (Some(error.code.clone()), error.status, failure(&error, id)),
    };
    let headers =
        vec![("content-type".to_owned(), "text/xml".to_owned()), ("content-length".to_owned(), body.len().to_string())];
    Answer { operation: action, error, response: Response { status, headers, body: body.into_bytes() } }
}

fn unknown(action: &str, version: &str) -> ApiError {
    ApiError::client("InvalidAction", format!("Could not find operation {action} for version {version}"))
}

pub(in crate::aws) fn form(request: &Request) -> BTreeMap<String, String> {
    let body = String::from_utf8_lossy(&request.body);
    let pairs = body.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decoded = pairs.map(|(name, value)| (decode(name), decode(&value.replace('+', " "))));
    request.query().into_iter().chain(decoded).collect()
}

/// Wraps the members of the result, unless the service wrote the whole document.
fn success(action: &str, result: &str, id: &str) -> String {
    if result.starts_with(&format!("<{action}Response")) || result.starts_with("<?xml") {
        return result.to_owned();
    }
    let result = if result.starts_with(&format!("<{action}Result")) {
        result.to_owned()
    } else {
        format!("<{action}Result>{result}</{action}Result>")
    };
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\">{result}<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn failure(error: &ApiError, id: &str) -> String {
    let side = if error.status < 500 { "Sender" } else { "Receiver" };
    let (code, message) = (escape(&error.code), escape(&error.message));
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>"
    )
}
