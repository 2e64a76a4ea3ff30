//! Responses to CloudFormation, each put to the URL that came with its request.
//!
//! The URL is signed by CloudFormation, so the request has no credentials and no permission, and
//! the URL is in no log and no error.

use std::sync::Arc;

use aws_smithy_runtime::client::orchestrator::operation::OperationBuilder;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::clients::Clients;
use super::unsigned::unsigned;
use super::{AwsError, Sdk};
use crate::events::ResponseUrl;

const OPERATION: &str = "s3:PutObject";

#[derive(Clone, Debug)]
pub struct Responses {
    clients: Arc<Clients>,
}

impl Responses {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.own),
        }
    }

    /// Puts a response, with the time-outs and retries of every call.
    ///
    /// # Errors
    /// If it does not arrive, or the URL does not take it.
    pub async fn put(&self, url: &ResponseUrl, response: &str) -> Result<(), AwsError> {
        let Some((endpoint, target)) = url.parts() else {
            let lack = "ResponseURL is not a URL with a path";
            return Err(AwsError::unexpected(OPERATION, lack));
        };

        let target = target.to_owned();
        let operation = self
            .unsigned()
            .endpoint_url(endpoint)
            .serializer(move |response: String| {
                let mut request = HttpRequest::new(SdkBody::empty());
                request.set_method("PUT")?;
                request.set_uri(target.clone())?;

                // A type of content would have to be signed.
                let length = response.len().to_string();
                request.headers_mut().insert("content-length", length);
                *request.body_mut() = SdkBody::from(response);
                Ok(request)
            })
            .deserializer(|response: &HttpResponse| {
                if response.status().is_success() {
                    Ok(())
                } else {
                    Err(OrchestratorError::operation(refusal(response)))
                }
            })
            .build();

        let put = operation.invoke(response.to_owned()).await;
        put.map_err(AwsError::from_sdk(OPERATION))
    }

    /// An operation with the time-outs and retries of every call.
    fn unsigned(&self) -> OperationBuilder {
        let config = &self.clients.config;
        let retries = config.retry_config().cloned();
        let timeouts = config.timeout_config().cloned();

        unsigned(config, "cloudformation", "Respond")
            .standard_retry(&retries.unwrap_or_else(RetryConfig::standard))
            .timeout_config(timeouts.unwrap_or_else(TimeoutConfig::disabled))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
    }
}

/// The error of a response by its status: the body can repeat what was signed.
fn refusal(response: &HttpResponse) -> ErrorMetadata {
    ErrorMetadata::builder()
        .code(response.status().as_u16().to_string())
        .message("the URL of the request does not take the response")
        .build()
}
