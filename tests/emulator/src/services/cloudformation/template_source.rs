//! Where a template comes from, a request or an object in S3, and how it is returned.

use serde_json::{Value, json};

use super::api::{named, validation};
use super::format;
use crate::protocol::query::Parameters;
use crate::{ApiError, Aws, s3};

/// A request with its template as `TemplateBody`, also if it names the object that has it.
pub(super) fn with_body(aws: &Aws, parameters: &Parameters) -> Result<Parameters, ApiError> {
    let mut parameters = parameters.clone();
    let Some(url) = parameters.remove("TemplateURL") else {
        if let Some(body) = parameters.get("TemplateBody") {
            format::check_length(body).map_err(validation)?;
        }
        return Ok(parameters);
    };
    if parameters.contains_key("TemplateBody") {
        return Err(validation(
            "Only one of TemplateBody and TemplateURL may be specified.",
        ));
    }

    let body = fetched(aws, &url)?;
    parameters.insert("TemplateBody".to_owned(), body);
    Ok(parameters)
}

/// The text of the object that a URL names, in the style of AWS or at an endpoint of the emulator.
fn fetched(aws: &Aws, url: &str) -> Result<String, ApiError> {
    let (host, path) = ["https://", "http://"]
        .into_iter()
        .find_map(|scheme| url.strip_prefix(scheme)?.split_once('/'))
        .ok_or_else(|| validation("TemplateURL must be a supported URL."))?;
    let refused = |error: ApiError| {
        validation(format!(
            "S3 error: {}\nFor more information check \
             http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
            error.message
        ))
    };
    let object = s3::object_at(aws, host, &format!("/{path}")).map_err(refused)?;

    String::from_utf8(object.body.clone())
        .map_err(|_| validation("Template format error: unsupported structure."))
}

/// GetTemplate: both stages are the template as it was sent.
pub(super) fn get(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let stack = named(aws, parameters, "StackName")?;
    Ok(json!({
        "TemplateBody": &*stack.body,
        "StagesAvailable": ["Original", "Processed"],
    }))
}
