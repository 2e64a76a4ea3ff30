//! The query protocol: a form in, XML out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Request, Response, WrittenResponse, decode, escape, xml};
use crate::{ApiError, Aws};

/// The members of a form by their dotted names: `Tags.member.1.Key`.
pub(crate) type Parameters = BTreeMap<String, String>;

/// A service that speaks this protocol.
#[derive(Clone, Copy)]
pub(crate) struct Query {
    pub(crate) version: &'static str,
    pub(crate) namespace: &'static str,
    /// One action by its name; returns the members of its result.
    pub(crate) call: fn(&mut Aws, &str, &Parameters) -> Result<Value, ApiError>,
}

impl Query {
    pub(super) fn handle(
        &self,
        aws: &mut Aws,
        request: &Request,
        id: &str,
        refusal: Option<ApiError>,
    ) -> WrittenResponse {
        let mut form = form(request);
        let action = form.remove("Action").unwrap_or_default();
        let version = form.remove("Version").unwrap_or_default();

        let result = match refusal {
            Some(error) => Err(error),
            None if action.is_empty() => Err(ApiError::client("MissingAction", "Missing Action")),
            None if version != self.version => Err(unknown(&action, &version)),
            None => (self.call)(aws, &action, &form),
        };

        let error = match result {
            Ok(result) => {
                let body = xml::response(self.namespace, &action, &result, id);
                return WrittenResponse {
                    operation: action,
                    error: None,
                    response: response(200, body),
                };
            }
            Err(error) if error.code == "UnknownOperationException" => unknown(&action, &version),
            Err(error) => error,
        };
        let body = failure(self.namespace, &error, id);
        WrittenResponse {
            operation: action,
            response: response(error.status, body),
            error: Some(error.code),
        }
    }
}

/// The action of a request and its input.
pub(super) fn read(request: &Request) -> (String, Value) {
    let mut form = form(request);
    let action = form.remove("Action").unwrap_or_default();
    (action, Value::Object(tree(&form)))
}

/// What a service that is not emulated at all returns for an action.
pub(super) fn rejection(request: &Request, id: &str, error: Option<ApiError>) -> WrittenResponse {
    let form = form(request);
    let part = |name: &str| form.get(name).cloned().unwrap_or_default();
    let error = error.unwrap_or_else(|| unknown(&part("Action"), &part("Version")));
    let body = failure(
        "http://webservices.amazon.com/AWSFault/2005-15-09",
        &error,
        id,
    );

    WrittenResponse {
        operation: part("Action"),
        response: response(error.status, body),
        error: Some(error.code),
    }
}

fn response(status: u16, body: String) -> Response {
    Response::with_body(status, "text/xml", body)
}

fn unknown(action: &str, version: &str) -> ApiError {
    ApiError::client(
        "InvalidAction",
        format!("Could not find operation {action} for version {version}"),
    )
}

fn form(request: &Request) -> Parameters {
    let body = String::from_utf8_lossy(&request.body);
    let pairs = body
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decoded = pairs.map(|(name, value)| (decode(name), decode(&value.replace('+', " "))));
    request.query().into_iter().chain(decoded).collect()
}

/// The members as the structure that their names spell: `Actions.member.1.Type` is in the first
/// element of the list `Actions`.
pub(crate) fn tree(parameters: &Parameters) -> Map<String, Value> {
    let mut root = Map::new();
    for (name, value) in parameters {
        put(&mut root, name, value);
    }
    root.into_iter()
        .map(|(name, value)| (name, with_lists(value)))
        .collect()
}

fn put(into: &mut Map<String, Value>, name: &str, value: &str) {
    match name.split_once('.') {
        None => _ = into.insert(name.to_owned(), value.into()),
        Some((head, rest)) => {
            if let Value::Object(inner) = into.entry(head).or_insert_with(|| Map::new().into()) {
                put(inner, rest, value);
            }
        }
    }
}

fn with_lists(value: Value) -> Value {
    let Value::Object(mut members) = value else {
        return value;
    };

    let items = members
        .get("member")
        .filter(|_| members.len() == 1)
        .and_then(Value::as_object)
        .cloned();
    match items {
        Some(items) => {
            let mut items: Vec<(usize, Value)> = items
                .into_iter()
                .map(|(at, item)| (at.parse().unwrap_or(usize::MAX), with_lists(item)))
                .collect();
            items.sort_by_key(|(at, _)| *at);
            items.into_iter().map(|(_, item)| item).collect()
        }
        None => {
            members
                .values_mut()
                .for_each(|value| *value = with_lists(value.take()));
            Value::Object(members)
        }
    }
}

fn failure(namespace: &str, error: &ApiError, id: &str) -> String {
    let side = if error.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let (code, message) = (escape(&error.code), escape(&error.message));

    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{side}</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>"
    )
}
