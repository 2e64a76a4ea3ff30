//! The REST protocol of Route 53: paths, documents and errors.

use serde_json::{Value, json};

use super::{operations, xml};
use crate::protocol::{Response, WrittenResponse, decode};
use crate::{ApiError, Aws, Request};

const VERSION: &str = "2013-04-01";

/// Serves one request.
pub(super) fn handle(
    aws: &mut Aws,
    request: &Request,
    id: &str,
    refusal: Option<ApiError>,
) -> WrittenResponse {
    let (operation, input) = operation_and_input(request);
    let result = match refusal {
        Some(error) => Err(error),
        None => operations::serve(aws, &operation, &input),
    };
    match result {
        Ok(result) => WrittenResponse {
            error: None,
            response: document(200, xml::write(&format!("{operation}Response"), &result)),
            operation,
        },
        Err(error) => WrittenResponse {
            operation,
            response: failure(&error, id),
            error: Some(error.code),
        },
    }
}

/// The operation of a request with its input; method and path of one that is not served.
pub(super) fn operation_and_input(request: &Request) -> (String, Value) {
    let path = decode(request.path());
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let query = request.query();
    let parameter = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };

    let (operation, input) = match (request.method.as_str(), segments.as_slice()) {
        ("POST", [VERSION, "hostedzone", id, "rrset"]) => {
            let body = xml::read(&request.body).unwrap_or_default();
            let input = json!({"HostedZoneId": id, "ChangeBatch": body["ChangeBatch"]});
            ("ChangeResourceRecordSets", input)
        }
        ("GET", [VERSION, "hostedzone", id, "rrset"]) => {
            let input = json!({
                "HostedZoneId": id, "StartRecordName": parameter("name"),
                "StartRecordType": parameter("type"),
                "StartRecordIdentifier": parameter("identifier"),
                "MaxItems": parameter("maxitems"),
            });
            ("ListResourceRecordSets", input)
        }
        ("GET", [VERSION, "hostedzone", id]) => ("GetHostedZone", json!({"Id": id})),
        ("GET", [VERSION, "change", id]) => ("GetChange", json!({"Id": id})),
        (method, _) => return (format!("{method} {path}"), Value::Null),
    };
    (operation.to_owned(), input)
}

fn failure(error: &ApiError, id: &str) -> Response {
    let side = if error.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let value = json!({
        "Error": {"Type": side, "Code": error.code, "Message": error.message},
        "RequestId": id,
    });
    document(error.status, xml::write("ErrorResponse", &value))
}

fn document(status: u16, document: String) -> Response {
    Response::with_body(status, "text/xml", document)
}
