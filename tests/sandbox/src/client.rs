//! The door through which the real SDK reaches the sandbox: an HTTP client in the process, and virtual time.
//!
//! It runs on a current-thread runtime under `tokio::time::pause`, so waiting costs nothing and nothing depends on the machine.
//! Only `serve` lets time pass by the machine's clock, so many times as fast as is asked for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::aws::{Aws, Call, Millis, Request, Response, lambda};

/// How long a call is on its way, in milliseconds.
const LATENCY_MS: std::ops::RangeInclusive<u64> = 5..=60;
/// When a caller without a read time-out of its own gives an unanswered call up.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a synchronous invocation is looked at.
const RESULT_INTERVAL: Duration = Duration::from_millis(5);

/// Virtual time: the clock of the runtime, moved to an instant of the sandbox.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    base: Millis,
    started: Instant,
    speed: u32,
}

impl VirtualClock {
    /// A clock that shows `base` now; call it inside the runtime.
    pub fn starting_at(base: Millis) -> Self {
        Self::at_speed(base, 1)
    }

    /// A clock that goes `speed` times as fast as the runtime's.
    pub fn at_speed(base: Millis, speed: u32) -> Self {
        Self { base, started: Instant::now(), speed: speed.max(1) }
    }

    pub fn now(&self) -> Millis {
        self.base + (self.started.elapsed() * self.speed).as_millis() as Millis
    }

    /// Sleeps for so long by this clock.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / self.speed).await;
    }
}

impl AsyncSleep for VirtualClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration / self.speed))
    }
}

impl TimeSource for VirtualClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now().unsigned_abs())
    }
}

/// An account and its clock, shared by everything that runs on them.
#[derive(Clone, Debug)]
pub struct World {
    aws: Arc<Mutex<Aws>>,
    touched: Arc<Notify>,
    pub clock: VirtualClock,
}

impl World {
    /// Starts the clock at the account's own time; call it inside the runtime.
    ///
    /// The SDK draws its retry jitter and its idempotency tokens from the thread's `fastrand`, so that is seeded here too.
    pub fn new(aws: Aws) -> Self {
        Self::at_speed(aws, 1)
    }

    /// Like `new`, with a clock that goes `speed` times as fast as the runtime's.
    pub fn at_speed(mut aws: Aws, speed: u32) -> Self {
        fastrand::seed(aws.rng.u64(..));
        Self { clock: VirtualClock::at_speed(aws.now, speed), aws: Arc::new(Mutex::new(aws)), touched: Arc::default() }
    }

    /// The account as it is now: everything that was due has happened. Do not hold it across an `await`.
    pub fn aws(&self) -> MutexGuard<'_, Aws> {
        let mut aws = self.aws.lock().unwrap_or_else(PoisonError::into_inner);
        aws.now = aws.now.max(self.clock.now());
        aws.run_due();
        aws
    }

    /// Answers one request at the present instant.
    pub fn call(&self, request: &Request) -> Response {
        let response = self.aws().call(request);
        self.touch();
        response
    }

    /// Answers one request as a service does over the wire: a synchronous invocation answers when the function has ended.
    pub async fn exchange(&self, request: &Request) -> Exchange {
        let (response, call, invocation) = {
            let mut aws = self.aws();
            let response = aws.call(request);
            let call = aws.calls.last().cloned().expect("every call is logged");
            (response, call, aws.lambda.take_awaited())
        };
        self.touch();
        let Some(invocation) = invocation else { return Exchange { response, call } };
        loop {
            if let Some(result) = lambda::result(&self.aws(), invocation) {
                let mut response = response;
                response.headers.extend(result.headers);
                return Exchange { response: Response { body: result.body, ..response }, call };
            }
            tokio::time::sleep(RESULT_INTERVAL).await;
        }
    }

    /// Says that something happened which may have put something on the agenda.
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
}

/// A request that was answered, and how the log has it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub response: Response,
    pub call: Call,
}

/// What goes wrong with one call of an invocation. Calls are counted from 1, the SDK's retries among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallFault {
    #[default]
    None,
    /// The invocation dies after this call took effect, before its answer.
    CrashAfter(u32),
    /// The invocation dies before this call is made.
    CrashBefore(u32),
    /// From this call on, so many calls are throttled.
    ThrottleFrom(u32, u32),
    /// This call takes effect, but its answer never comes.
    TimeoutAfterEffect(u32),
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    Throttled,
    TimedOut,
    CrashedAfter,
    CrashedBefore,
}

impl CallFault {
    fn fate(self, call: u32) -> Fate {
        match self {
            Self::CrashAfter(at) if call == at => Fate::CrashedAfter,
            // Whatever is still under way when the process dies never arrives.
            Self::CrashAfter(at) if call > at => Fate::CrashedBefore,
            Self::CrashBefore(at) if call >= at => Fate::CrashedBefore,
            Self::ThrottleFrom(first, count) if call >= first && call - first < count => Fate::Throttled,
            Self::TimeoutAfterEffect(at) if call == at => Fate::TimedOut,
            _ => Fate::Answered,
        }
    }
}

/// One invocation of a function: who calls, how often it called, and what goes wrong.
#[derive(Debug)]
pub struct Invocation {
    pub caller: String,
    pub calls: AtomicU32,
    pub plan: CallFault,
    crash: Notify,
}

impl Invocation {
    pub fn new(caller: impl Into<String>, plan: CallFault) -> Arc<Self> {
        Arc::new(Self { caller: caller.into(), calls: AtomicU32::new(0), plan, crash: Notify::new() })
    }

    /// Comes back when the plan kills the invocation: the driver then drops its future.
    pub async fn crashed(&self) {
        self.crash.notified().await;
    }

    /// How many calls were made.
    pub fn made(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn die<T>(&self) -> T {
        self.crash.notify_one();
        std::future::pending().await
    }
}

/// The SDK's HTTP client for one invocation.
#[derive(Clone, Debug)]
pub struct InMemoryAws {
    world: World,
    invocation: Arc<Invocation>,
    read_timeout: Duration,
}

impl InMemoryAws {
    pub fn new(world: &World, invocation: Arc<Invocation>) -> Self {
        Self { world: world.clone(), invocation, read_timeout: READ_TIMEOUT }
    }

    async fn exchange(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = read(request, &self.invocation.caller).await?;
        let call = self.invocation.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let fate = self.invocation.plan.fate(call);
        if fate == Fate::CrashedBefore {
            return self.invocation.die().await;
        }
        let latency = self.world.aws().rng.u64(LATENCY_MS);
        self.world.clock.sleep(Duration::from_millis(latency)).await;
        let response = match fate {
            Fate::Throttled => self.world.aws().throttle(&request),
            _ => self.world.call(&request),
        };
        match fate {
            Fate::CrashedAfter => self.invocation.die().await,
            Fate::TimedOut => {
                self.world.clock.sleep(self.read_timeout).await;
                Err(ConnectorError::timeout("no answer within the read time-out".into()))
            }
            _ => write(response),
        }
    }
}

impl HttpClient for InMemoryAws {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let read_timeout = settings.read_timeout().unwrap_or(READ_TIMEOUT);
        SharedHttpConnector::new(Self { read_timeout, ..self.clone() })
    }
}

impl HttpConnector for InMemoryAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().exchange(request))
    }
}

/// The configuration with which an invocation's clients talk to the world.
pub fn sdk_config(world: &World, invocation: Arc<Invocation>) -> SdkConfig {
    let region = world.aws().region.clone();
    let credentials = Credentials::from_keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(InMemoryAws::new(world, invocation))
        .time_source(world.clock)
        .sleep_impl(world.clock)
        .build()
}

async fn read(mut request: HttpRequest, caller: &str) -> Result<Request, ConnectorError> {
    let body =
        ByteStream::new(request.take_body()).collect().await.map_err(|error| ConnectorError::user(error.into()))?;
    let uri: http::Uri =
        request.uri().parse().map_err(|error: http::uri::InvalidUri| ConnectorError::user(error.into()))?;
    Ok(Request {
        caller: caller.to_owned(),
        method: request.method().to_owned(),
        host: uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default(),
        path_and_query: uri.path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default(),
        headers: request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.to_vec(),
    })
}

fn write(response: Response) -> Result<HttpResponse, ConnectorError> {
    let wrong = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::other(error, None);
    let status = http::StatusCode::from_u16(response.status).map_err(|error| wrong(error.into()))?;
    let mut written = HttpResponse::new(status.into(), SdkBody::from(response.body));
    for (name, value) in response.headers {
        written.headers_mut().try_append(name, value).map_err(|error| wrong(error.into()))?;
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
