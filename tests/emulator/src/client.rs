//! Connects the real SDK to the sandbox: an HTTP client in the process, and virtual time.
//!
//! It runs on a current-thread runtime under `tokio::time::pause`, so waiting costs nothing and
//! nothing depends on the machine. Only `serve` lets time pass by the machine's clock, at a
//! multiple of its speed.

mod clock;
mod conversion;
mod faults;
mod refusals;
mod world;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::{Aws, Request};

pub use clock::VirtualClock;
use conversion::{proxy_page, read_request, write_cut_off, write_response};
use faults::Fate;
pub use faults::{CallFault, Hang, Invocation, Trouble};
pub use world::{Exchange, Throttle, World};

/// How long a call is on its way, in milliseconds.
const LATENCY_MS: std::ops::RangeInclusive<u64> = 5..=60;
/// When a caller without a read time-out of its own gives an unanswered call up.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The SDK's HTTP client for one invocation.
#[derive(Clone, Debug)]
pub struct InMemoryAws {
    world: World,
    invocation: Current,
    read_timeout: Duration,
}

/// The invocation that a container of Lambda works on: one at a time, and another one later.
#[derive(Clone, Debug)]
pub struct Current(Arc<Mutex<Arc<Invocation>>>);

impl Current {
    pub fn new(invocation: Arc<Invocation>) -> Self {
        Self(Arc::new(Mutex::new(invocation)))
    }

    /// Takes the next invocation up.
    pub fn set(&self, invocation: Arc<Invocation>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = invocation;
    }

    fn get(&self) -> Arc<Invocation> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl InMemoryAws {
    pub fn new(world: &World, invocation: Current) -> Self {
        Self {
            world: world.clone(),
            invocation,
            read_timeout: READ_TIMEOUT,
        }
    }

    async fn exchange(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let invocation = self.invocation.get();
        let request = read_request(request, &invocation.caller).await?;
        let call = invocation.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let fate = invocation.fate(call, &request);
        if fate == Fate::CrashedBefore {
            return invocation.die().await;
        }

        let latency = self.world.aws().rng.u64(LATENCY_MS);
        self.world.clock.sleep(Duration::from_millis(latency)).await;
        if let Fate::Meets(trouble) = fate {
            return self.meet(trouble, &request, invocation.attempt).await;
        }

        let throttled = fate == Fate::Throttled || self.world.throttles(&request);
        let answer = if throttled { Aws::throttle } else { Aws::call };
        let response = self.world.call(&request, invocation.attempt, answer);
        let response = self.world.ended(&request, response).await;

        match fate {
            Fate::HangsAfter(hang) => {
                invocation.freeze(hang).await;
                write_response(response)
            }
            Fate::CrashedAfter => invocation.die().await,
            _ => write_response(response),
        }
    }

    /// What comes in place of the response to a request. What does not reach its service is not in
    /// the log of calls.
    async fn meet(
        &self,
        trouble: Trouble,
        request: &Request,
        attempt: Option<u64>,
    ) -> Result<HttpResponse, ConnectorError> {
        let (world, effect) = (&self.world, trouble.has_effect());
        match trouble {
            Trouble::InternalError { .. } => {
                return write_response(
                    world.call(request, attempt, |aws, request| aws.fail(request, effect)),
                );
            }
            Trouble::Conflict => {
                return write_response(world.call(request, attempt, refusals::conflict));
            }
            Trouble::Passing => {
                return write_response(world.call(request, attempt, refusals::refuse));
            }
            Trouble::Credentials => {
                return write_response(world.call(request, attempt, Aws::distrust));
            }
            Trouble::CutOff => {
                return write_cut_off(world.call(request, attempt, |aws, request| {
                    let response = aws.call(request);
                    aws.calls.cut_off();
                    response
                }));
            }
            _ if effect => drop(world.call(request, attempt, Aws::call)),
            _ => {}
        }
        match trouble {
            Trouble::Page { status, .. } => write_response(proxy_page(status)),
            Trouble::Silence { .. } => {
                world.clock.sleep(self.read_timeout).await;
                Err(ConnectorError::timeout(
                    "no answer within the read time-out".into(),
                ))
            }
            Trouble::Refused => Err(ConnectorError::io(
                io::Error::from(io::ErrorKind::ConnectionRefused).into(),
            )),
            _ => Err(ConnectorError::io(
                io::Error::from(io::ErrorKind::ConnectionReset).into(),
            )),
        }
    }
}

impl HttpClient for InMemoryAws {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let read_timeout = settings.read_timeout().unwrap_or(READ_TIMEOUT);
        SharedHttpConnector::new(Self {
            read_timeout,
            ..self.clone()
        })
    }
}

impl HttpConnector for InMemoryAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().exchange(request))
    }
}

/// The configuration with which an invocation's clients talk to the world.
pub fn sdk_config(world: &World, invocation: Arc<Invocation>) -> SdkConfig {
    container_config(world, Current::new(invocation))
}

/// The configuration of a container that works on one invocation after the other.
pub fn container_config(world: &World, invocation: Current) -> SdkConfig {
    let region = world.aws().region.clone();
    let credentials = Credentials::from_keys(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
    );

    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(InMemoryAws::new(world, invocation))
        // Nothing stalls here, and looking for it costs time.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .time_source(world.clock)
        .sleep_impl(world.clock)
        .build()
}

#[cfg(test)]
mod tests;
