//! Lambda: invoking a function is authorized on its ARN.

use serde_json::{Value, json};

use super::rest::{UNKNOWN, operation};
use crate::iam::{Demand, IamRequest};
use crate::protocol::decode;
use crate::{Aws, Request};

/// The operation of a request, with the function that it names.
pub(super) fn read(request: &Request) -> Option<(String, Value)> {
    let path = decode(request.path());
    let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    match operation(&request.method, &segments) {
        (UNKNOWN, _) => None,
        (operation, function) => Some((operation.to_owned(), json!({"FunctionName": function}))),
    }
}

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let name = request.text("FunctionName");
    let function = if name.starts_with("arn:") {
        name.to_owned()
    } else {
        aws.arn("lambda", &format!("function:{name}"))
    };
    (request.operation == "Invoke").then(|| vec![Demand::new("lambda:InvokeFunction", function)])
}
