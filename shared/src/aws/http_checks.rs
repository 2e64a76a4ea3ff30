//! The requests of HTTP checks, over the HTTP client of the SDK: without credentials, signature and
//! retries, and without following a redirect.
//!
//! It never decides what a response means. What a server sends is bounded: each attempt by its
//! time, a response by the bytes of its headers and of its body that are read.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::interceptors::context::{Error as ErasedError, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::DeserializeResponse;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;

use super::Sdk;
use super::unsigned::unsigned;
use crate::limits::{CHECK_BODY_BYTES, CHECK_CONNECT, CHECK_HEADER_BYTES, CHECK_TOTAL};
use crate::strategy::http_check::{Attempt, CheckResponse, CheckUrl, HttpCheck};
use crate::timestamp::readable;

#[derive(Clone, Debug)]
pub struct HttpChecks {
    sdk: Sdk,
}

/// Takes a response whose body has not been read.
#[derive(Debug)]
struct Unread;

impl DeserializeResponse for Unread {
    fn deserialize_streaming_with_config(
        &self,
        response: &mut HttpResponse,
        _config: &ConfigBag,
    ) -> Option<Result<Output, OrchestratorError<ErasedError>>> {
        let read = HttpResponse::new(response.status(), SdkBody::taken());
        Some(Ok(Output::erase(std::mem::replace(response, read))))
    }

    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<ErasedError>> {
        let status = response.status();
        Ok(Output::erase(HttpResponse::new(status, SdkBody::empty())))
    }
}

impl HttpChecks {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self { sdk: sdk.clone() }
    }

    /// One attempt of each check, all at once, in the order of the checks. Each ends within
    /// [`CHECK_TOTAL`].
    pub async fn attempts(&self, checks: &[&HttpCheck]) -> Vec<Attempt> {
        all(checks.iter().map(|check| self.attempt(check))).await
    }

    async fn attempt(&self, check: &HttpCheck) -> Attempt {
        let response = Box::pin(self.response(check));
        match self.sdk.within(CHECK_TOTAL, response).await {
            Some(attempt) => attempt,
            None => Err(format!("not complete within {}", readable(CHECK_TOTAL))),
        }
    }

    async fn response(&self, check: &HttpCheck) -> Attempt {
        let began = self.sdk.clock();
        let operation = self.operation(check)?;
        let mut response = operation.invoke(()).await.map_err(|e| root_cause(&e))?;

        let status = response.status().as_u16();
        let headers = headers_of(&response)?;
        let body = beginning(response.take_body()).await?;
        let latency = self.sdk.clock().duration_since(began).unwrap_or_default();
        Ok(CheckResponse {
            status,
            headers,
            body,
            latency,
        })
    }

    fn operation(
        &self,
        check: &HttpCheck,
    ) -> Result<Operation<(), HttpResponse, ErrorMetadata>, String> {
        let url = CheckUrl::parse(&check.url)?;
        let target = url.target.to_owned();
        let headers = check.headers.clone();
        let timeouts = TimeoutConfig::builder().connect_timeout(CHECK_CONNECT);

        Ok(unsigned(&self.sdk.own.config, "http-checks", "Get")
            .no_retry()
            .timeout_config(timeouts.build())
            .endpoint_url(url.origin)
            .serializer(move |(): ()| {
                let mut request = HttpRequest::new(SdkBody::empty());
                request.set_method("GET")?;
                request.set_uri(target.clone())?;
                for (name, value) in &headers {
                    let sent = request.headers_mut();
                    sent.try_insert(name.clone(), value.clone())?;
                }
                Ok(request)
            })
            .deserializer_impl(Unread)
            .build())
    }
}

/// The headers of a response, unless they are too many.
fn headers_of(response: &HttpResponse) -> Result<Vec<(String, String)>, String> {
    let headers = response.headers().iter_bytes();
    let bytes: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
    if bytes > CHECK_HEADER_BYTES {
        return Err(format!(
            "its headers have {bytes} bytes, and {CHECK_HEADER_BYTES} are accepted"
        ));
    }

    let headers = response.headers().iter_bytes();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Ok(headers
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect())
}

/// The beginning of a body. What is not read closes the connection.
async fn beginning(body: SdkBody) -> Result<Vec<u8>, String> {
    let mut stream = ByteStream::new(body);
    let mut bytes = Vec::new();
    while bytes.len() < CHECK_BODY_BYTES {
        let Some(next) = stream.try_next().await.map_err(|e| root_cause(&e))? else {
            break;
        };
        bytes.extend_from_slice(&next);
    }
    bytes.truncate(CHECK_BODY_BYTES);
    Ok(bytes)
}

/// The innermost cause of an error, which names what happened.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The outputs of futures that run at once, in their order.
async fn all<F: Future>(work: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut work: Vec<Pin<Box<F>>> = work.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = work.iter().map(|_| None).collect();

    poll_fn(|context| {
        for (future, output) in work.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;

    outputs.into_iter().flatten().collect()
}
