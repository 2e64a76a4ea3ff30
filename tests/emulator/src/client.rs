//! Connects the real SDK to the sandbox: an HTTP client in the process, and virtual time.
//!
//! It runs on a current-thread runtime under `tokio::time::pause`, so waiting costs nothing and
//! nothing depends on the machine. Only `serve` lets time pass by the machine's clock, at a
//! multiple of its speed.

mod clock;
mod conversion;
mod faults;
mod refusals;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
use tokio::sync::Notify;

use crate::{Aws, Call, Millis, Request, Response, lambda};

pub use clock::VirtualClock;
use conversion::{proxy_page, read_request, write_cut_off, write_response};
use faults::Fate;
pub use faults::{CallFault, Hang, Invocation, Trouble};

/// How long a call is on its way, in milliseconds.
const LATENCY_MS: std::ops::RangeInclusive<u64> = 5..=60;
/// When a caller without a read time-out of its own gives an unanswered call up.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The name that signatures of calls to Lambda have.
const LAMBDA: &str = "lambda";

/// How often a synchronous invocation is looked at.
const RESULT_INTERVAL: Duration = Duration::from_millis(5);

/// An account and its clock, shared by everything that runs on them.
#[derive(Clone, Debug)]
pub struct World {
    aws: Arc<Mutex<Aws>>,
    touched: Arc<Notify>,
    pub clock: VirtualClock,
    witness: Arc<Mutex<Witness>>,
    throttles: Arc<Vec<Throttle>>,
}

/// Sees the account right after each call of an invocation, before anything else can happen, with
/// the request.
type Sees = Box<dyn FnMut(&Aws, &Request) + Send>;

#[derive(Default)]
struct Witness(Option<Sees>);

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Witness")
    }
}

/// A while in which a service throttles every call of every function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// The name that signatures have: `ecs`, `dynamodb`, …
    pub service: &'static str,
    pub from: Millis,
    pub until: Millis,
}

impl World {
    /// Starts the clock at the account's own time; call it inside the runtime.
    ///
    /// The SDK draws its retry jitter and its idempotency tokens from the thread's `fastrand`, so
    /// that is seeded here too.
    pub fn new(aws: Aws) -> Self {
        Self::at_speed(aws, 1)
    }

    /// Like `new`, with a clock that goes `speed` times as fast as the runtime's.
    pub fn at_speed(mut aws: Aws, speed: u32) -> Self {
        fastrand::seed(aws.rng.u64(..));
        Self {
            clock: VirtualClock::at_speed(aws.now, speed),
            aws: Arc::new(Mutex::new(aws)),
            touched: Arc::default(),
            witness: Arc::default(),
            throttles: Arc::default(),
        }
    }

    /// The same world, in which services throttle for a while.
    #[must_use]
    pub fn throttled(self, throttles: Vec<Throttle>) -> Self {
        Self {
            throttles: Arc::new(throttles),
            ..self
        }
    }

    /// Shows the account to `sees` right after each call of an invocation.
    pub fn witnessed_by(&self, sees: impl FnMut(&Aws, &Request) + Send + 'static) {
        self.witness
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0 = Some(Box::new(sees));
    }

    /// The account as it is now: everything that was due has happened. Do not hold it across an
    /// `await`.
    pub fn aws(&self) -> MutexGuard<'_, Aws> {
        let mut aws = self.aws.lock().unwrap_or_else(PoisonError::into_inner);
        aws.now = aws.now.max(self.clock.now());
        aws.run_due();
        aws
    }

    /// Lets a service answer one request of an attempt at the present instant.
    fn call(
        &self,
        request: &Request,
        attempt: Option<u64>,
        answer: impl FnOnce(&mut Aws, &Request) -> Response,
    ) -> Response {
        let mut aws = self.aws();
        aws.calls.attribute_to(attempt);
        let response = answer(&mut aws, request);
        aws.calls.attribute_to(None);

        if let Some(sees) = &mut self
            .witness
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
        {
            sees(&aws, request);
        }

        drop(aws);
        self.touch();
        response
    }

    /// Whether the service of a request throttles now.
    fn throttles(&self, request: &Request) -> bool {
        let now = self.clock.now();
        let mut active = self
            .throttles
            .iter()
            .filter(|throttle| (throttle.from..throttle.until).contains(&now))
            .peekable();

        active.peek().is_some()
            && request
                .service()
                .is_some_and(|service| active.any(|one| one.service == service))
    }

    /// Answers one request as a service does over the wire: a synchronous invocation answers when
    /// the function has ended.
    pub async fn exchange(&self, request: &Request) -> Exchange {
        let (response, call) = {
            let mut aws = self.aws();
            let response = aws.call(request);
            let call = aws.calls.last().cloned().expect("every call is logged");
            (response, call)
        };
        self.touch();
        let response = self.ended(request, response).await;
        Exchange { response, call }
    }

    /// The response to a request: to a synchronous invocation, once the function has ended.
    async fn ended(&self, request: &Request, response: Response) -> Response {
        if request.service().as_deref() != Some(LAMBDA) {
            return response;
        }
        let Some(invocation) = self.aws().lambda.take_awaited() else {
            return response;
        };
        loop {
            if let Some(result) = lambda::result(&self.aws(), invocation) {
                let headers = response.headers.into_iter().chain(result.headers);
                return Response {
                    status: response.status,
                    headers: headers.collect(),
                    body: result.body,
                };
            }
            tokio::time::sleep(RESULT_INTERVAL).await;
        }
    }

    /// Notifies waiters that something happened which may have added to the agenda.
    pub fn touch(&self) {
        self.touched.notify_one();
    }

    /// Comes back when something happened since the last time.
    pub async fn touched(&self) {
        self.touched.notified().await;
    }

    /// A copy of the account as it is now.
    pub fn snapshot(&self) -> Aws {
        self.aws().clone()
    }

    /// The account as it is now, at the end of a run: an empty one is left behind.
    pub fn take(&self) -> Aws {
        let mut aws = self.aws();
        let empty = Aws::new(aws.seed);
        std::mem::replace(&mut *aws, empty)
    }
}

/// A request that was answered, and how the log has it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub response: Response,
    pub call: Call,
}

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
