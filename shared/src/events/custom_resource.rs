//! CloudFormation's requests for a custom resource of a stack, and the responses to them.
//!
//! Source: AWS CloudFormation User Guide, custom resource request objects and response objects. The
//! URL of a response is signed: anyone who has it can respond, so it is never shown.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::limits::REASON_CHARS;
use crate::redaction::without_signatures;

/// What becomes of the resource.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum RequestType {
    Create,
    Update,
    Delete,
}

/// A request for a custom resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomResourceRequest {
    pub request_type: RequestType,
    #[serde(rename = "ResponseURL")]
    pub response_url: ResponseUrl,
    /// The ARN of the stack.
    pub stack_id: String,
    /// What the template gives the resource.
    #[serde(default)]
    pub resource_properties: Value,
    request_id: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
}

/// Where the response to a request is put.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ResponseUrl(String);

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseUrl")
    }
}

impl ResponseUrl {
    /// Scheme and host, and path and query; `None` if it has no path.
    pub(crate) fn parts(&self) -> Option<(&str, &str)> {
        let (scheme, rest) = self.0.split_once("://")?;
        let path = scheme.len() + "://".len() + rest.find('/')?;
        Some(self.0.split_at(path))
    }
}

impl CustomResourceRequest {
    /// Reads an event.
    ///
    /// # Errors
    /// If it is not such a request, so that there is nowhere to respond to.
    pub fn parse(event: Value) -> Result<Self, String> {
        serde_json::from_value(event).map_err(|e| {
            format!(
                "{}; expected a request of CloudFormation for a custom resource, whose RequestType \
                 is Create, Update or Delete",
                without_signatures(&e.to_string())
            )
        })
    }

    /// The response: the attributes of the resource, or why there are none. The id of the resource
    /// is the same in every response, because another one would be a replacement.
    #[must_use]
    pub fn response(&self, outcome: Result<Value, String>) -> String {
        let made = || format!("{}/{}", self.stack_id, self.logical_resource_id);
        let mut response = json!({
            "Status": "SUCCESS",
            "PhysicalResourceId": self.physical_resource_id.clone().unwrap_or_else(made),
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
        });
        match outcome {
            Ok(attributes) => response["Data"] = attributes,
            Err(reason) => {
                response["Status"] = json!("FAILED");
                let reason: String = reason.chars().take(REASON_CHARS).collect();
                response["Reason"] = json!(reason);
            }
        }
        response.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://responses.s3.eu-west-1.amazonaws.com/a%7Cb?X-Amz-Signature=5ec2e7";
    const STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/web-pipeline/1";

    fn request(kind: &str) -> Value {
        json!({
            "RequestType": kind, "ResponseURL": URL, "StackId": STACK, "RequestId": "r-1",
            "LogicalResourceId": "TaskRoles", "ResourceType": "Custom::TaskRoles",
            "ResourceProperties": {"Cluster": "apps"},
        })
    }

    fn response(request: Value, outcome: Result<Value, String>) -> Value {
        let request = CustomResourceRequest::parse(request).expect("a request");
        serde_json::from_str(&request.response(outcome)).expect("JSON")
    }

    #[test]
    fn a_response_has_the_ids_of_its_request_and_the_attributes() {
        let expected = json!({
            "Status": "SUCCESS", "PhysicalResourceId": format!("{STACK}/TaskRoles"),
            "StackId": STACK, "RequestId": "r-1", "LogicalResourceId": "TaskRoles",
            "Data": {"Arns": "a"},
        });
        assert_eq!(
            response(request("Create"), Ok(json!({"Arns": "a"}))),
            expected
        );
    }

    #[test]
    fn the_id_of_a_resource_stays_and_a_failure_has_a_reason_that_is_cut() {
        let mut update = request("Update");
        update["PhysicalResourceId"] = json!("made-before");
        let failed = response(update, Err("é".repeat(REASON_CHARS + 1)));

        assert_eq!(failed["Status"], "FAILED");
        assert_eq!(failed["PhysicalResourceId"], "made-before");
        assert_eq!(failed["Reason"], "é".repeat(REASON_CHARS));
        assert_eq!(failed.get("Data"), None);
    }

    #[test]
    fn a_url_is_taken_apart_and_shown_nowhere() {
        let parsed = CustomResourceRequest::parse(request("Delete")).expect("a request");
        assert_eq!(parsed.request_type, RequestType::Delete);
        assert_eq!(
            parsed.response_url.parts(),
            Some((
                "https://responses.s3.eu-west-1.amazonaws.com",
                "/a%7Cb?X-Amz-Signature=5ec2e7"
            ))
        );
        assert!(!format!("{parsed:?}").contains("5ec2e7"));
        assert!(ResponseUrl("https://host".to_owned()).parts().is_none());
    }

    #[test]
    fn another_event_is_refused_without_its_url() {
        for event in [json!({}), request("Destroy"), request(URL)] {
            let error = CustomResourceRequest::parse(event).expect_err("not a request");
            assert!(error.contains("Create, Update or Delete"), "{error}");
            assert!(!error.contains("5ec2e7"), "{error}");
        }
    }
}
