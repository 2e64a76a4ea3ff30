//! Responses of the query protocol: values as XML.

use quick_xml::escape::escape;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Millis;

/// The whole response of an action: its result and the identifier of the request.
pub(crate) fn response(namespace: &str, action: &str, result: &Value, request_id: &str) -> String {
    let mut body = format!("<{action}Response xmlns=\"{namespace}\">");

    // An action without output has no result element.
    if !result.is_null() {
        element(&mut body, &format!("{action}Result"), result);
    }

    body.push_str(&format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
        </{action}Response>"
    ));
    body
}

/// A time as the query protocol writes it.
pub(crate) fn instant(at: Millis) -> Value {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).ok();
    at.and_then(|at| at.format(&Rfc3339).ok()).into()
}

fn write(body: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(members) => members
            .iter()
            .for_each(|(name, value)| element(body, name, value)),
        Value::Array(items) => items.iter().for_each(|item| element(body, "member", item)),
        Value::String(text) => body.push_str(&escape(text.as_str())),
        Value::Bool(_) | Value::Number(_) => body.push_str(&value.to_string()),
    }
}

fn element(body: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }

    // The entries of a map are not a list of members: each has the name.
    if let ("entry", Value::Array(entries)) = (name, value) {
        return entries.iter().for_each(|entry| element(body, name, entry));
    }

    body.push_str(&format!("<{name}>"));
    write(body, value);
    body.push_str(&format!("</{name}>"));
}
