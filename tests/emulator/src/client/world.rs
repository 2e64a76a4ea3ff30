//! An account with its clock, shared by everything that runs on them.
//!
//! Each call of an invocation is made here at one instant, and a witness sees the account right
//! after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::VirtualClock;
use crate::{Aws, Call, Millis, Request, Response, lambda};

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
    pub(super) fn call(
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
    pub(super) fn throttles(&self, request: &Request) -> bool {
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
    pub(super) async fn ended(&self, request: &Request, response: Response) -> Response {
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
