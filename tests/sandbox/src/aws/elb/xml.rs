//! Answers of the query protocol: values as XML.

use quick_xml::escape::escape;
use serde_json::Value;

const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// The whole answer of an action: its result and the identifier of the request.
pub(super) fn response(action: &str, result: &Value, request_id: &str) -> String {
    let mut body = format!("<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>");
    write(&mut body, result);
    body.push_str(&format!(
        "</{action}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    ));
    body
}

fn write(body: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(members) => members.iter().for_each(|(name, value)| element(body, name, value)),
        Value::Array(items) => items.iter().for_each(|item| element(body, "member", item)),
        Value::String(text) => body.push_str(&escape(text.as_str())),
        Value::Bool(_) | Value::Number(_) => body.push_str(&value.to_string()),
    }
}

fn element(body: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    body.push_str(&format!("<{name}>"));
    write(body, value);
    body.push_str(&format!("</{name}>"));
}
