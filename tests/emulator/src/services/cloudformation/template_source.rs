//! Where a template comes from, a request or an object in S3, and how it is returned.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::api::{required, updatable, validation};
use super::describe::{Known, known};
use super::{change_set, format};
use crate::partition::is_of_aws;
use crate::protocol::query::Parameters;
use crate::{ApiError, Aws, s3};

/// A request with its template as `TemplateBody`, also if it names the object that has it, or wants
/// that of its stack.
pub(super) fn with_body(aws: &Aws, parameters: &Parameters) -> Result<Parameters, ApiError> {
    let mut parameters = parameters.clone();
    let keeps = parameters.remove("UsePreviousTemplate");
    if keeps.is_some_and(|keeps| keeps == "true") {
        return with_previous(aws, parameters);
    }
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

fn with_previous(aws: &Aws, mut parameters: Parameters) -> Result<Parameters, ApiError> {
    let is_given = |member: &str| parameters.contains_key(member);
    if is_given("TemplateBody") || is_given("TemplateURL") {
        return Err(validation(
            "You cannot specify both usePreviousTemplate and Template Body/Template URL",
        ));
    }

    let stack = updatable(aws, required(&parameters, "StackName")?)?;
    let body = stack.body.to_string();
    parameters.insert("TemplateBody".to_owned(), body);
    Ok(parameters)
}

/// The text of the object that a URL names, in the style of AWS or at an endpoint of the emulator.
fn fetched(aws: &Aws, url: &str) -> Result<String, ApiError> {
    if let Some(rest) = url.strip_prefix("s3://") {
        let bucket = rest.split('/').next().unwrap_or_default();
        return Err(validation(format!(
            "S3 error: Domain name specified in {bucket} is not a valid S3 domain"
        )));
    }
    let (host, path) = ["https://", "http://"]
        .into_iter()
        .find_map(|scheme| url.strip_prefix(scheme)?.split_once('/'))
        .filter(|(host, _)| is_of_s3(host))
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

/// Whether a host is one of AWS, or of an endpoint of the emulator.
fn is_of_s3(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let is_local = name == "localhost" || name.ends_with(".localhost");
    is_local || is_of_aws(name) || name.parse::<IpAddr>().is_ok()
}

/// GetTemplate, of a stack or of a change set: both stages are the template as it was sent.
pub(super) fn get(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let (set, stack) = (parameters.get("ChangeSetName"), parameters.get("StackName"));
    let body = match (set, stack) {
        (None, None) => Err(validation(
            "StackName is required if ChangeSetName is not specified.",
        )),
        (Some(set), None) if !set.starts_with("arn:") => {
            Err(validation("StackName is a required parameter."))
        }
        (Some(_), _) => change_set::template(aws, parameters).map(Some),
        (None, Some(stack)) => of_stack(aws, stack),
    };
    Ok(json!({
        "TemplateBody": body?,
        "StagesAvailable": ["Original", "Processed"],
    }))
}

/// The template of a stack by its name, or its id after the deletion; one in review has none.
fn of_stack(aws: &Aws, name: &str) -> Result<Option<String>, ApiError> {
    Ok(match known(aws, name)? {
        Known::There(stack) => Some(stack.body.to_string()),
        Known::InReview(_) => None,
        Known::Deleted(deleted) => deleted.template.clone(),
    })
}
