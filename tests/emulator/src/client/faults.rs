//! What goes wrong with the calls of one invocation: it dies at one of them, hangs after one, or
//! something else comes in place of their responses.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::refusals;
use crate::Request;

/// What goes wrong with one call of an invocation. Calls are counted from 1, the SDK's retries
/// among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallFault {
    #[default]
    None,
    /// The invocation dies after this call took effect, before its response.
    CrashAfter(u32),
    /// The invocation dies before this call is made.
    CrashBefore(u32),
    /// From this call on, this many calls are throttled.
    ThrottleFrom(u32, u32),
    /// This call takes effect, but its response never comes.
    TimeoutAfterEffect(u32),
    /// From this call on, this many calls in a row get something else in place of their response.
    From {
        first: u32,
        count: u32,
        trouble: Trouble,
    },
    /// The invocation stands still once this call is answered, and later goes on as if no time had
    /// passed.
    HangAfter(u32, Hang),
}

/// What comes in place of a response. `effect` is whether the call took effect anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing, within the read time-out.
    Silence { effect: bool },
    /// The connection is refused, so that the call has no effect.
    Refused,
    /// The connection is reset after the call took effect.
    Reset,
    /// A page in HTML with this status, from a proxy before the service.
    Page { status: u16, effect: bool },
    /// The service's own error, with status 500.
    InternalError { effect: bool },
    /// The response with its status 200, and half of its body before the connection ends. The
    /// service's errors come whole.
    CutOff,
    /// DynamoDB refuses writes, because another transaction has the item. Other calls are answered.
    Conflict,
    /// A service is busy with what the call is about, and refuses it until that has passed. Calls
    /// of operations without such a refusal are answered.
    Passing,
    /// The service does not take the credentials, because it does not know them yet or takes them
    /// for expired, or not the time of the signature.
    Credentials,
}

impl Trouble {
    /// Whether the call takes effect although no response to it comes.
    pub(super) fn has_effect(self) -> bool {
        match self {
            Self::Silence { effect }
            | Self::Page { effect, .. }
            | Self::InternalError { effect } => effect,
            Self::Reset | Self::CutOff => true,
            Self::Refused | Self::Conflict | Self::Passing | Self::Credentials => false,
        }
    }

    /// Whether it can come to a request.
    fn meets(self, request: &Request) -> bool {
        match self {
            Self::Conflict => is_item_write(request),
            Self::Passing => !refusals::passing(request).is_empty(),
            _ => true,
        }
    }
}

/// Whether DynamoDB would write items for a request.
fn is_item_write(request: &Request) -> bool {
    const WRITES: [&str; 4] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
    let target = request
        .header("x-amz-target")
        .and_then(|target| target.split_once('.'));
    target.is_some_and(|(prefix, operation)| {
        prefix.starts_with("DynamoDB") && WRITES.contains(&operation)
    })
}

/// How long an invocation stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hang {
    For(Duration),
    /// Until so much is left of the function's time-out, or not at all when there is less.
    UntilLeft(Duration),
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Throttled,
    Meets(Trouble),
    CrashedAfter,
    CrashedBefore,
    HangsAfter(Hang),
}

impl CallFault {
    fn fate(self, call: u32) -> Fate {
        match self {
            Self::CrashAfter(at) if call == at => Fate::CrashedAfter,
            // A call in progress when the process dies never arrives.
            Self::CrashAfter(at) if call > at => Fate::CrashedBefore,
            Self::CrashBefore(at) if call >= at => Fate::CrashedBefore,
            Self::ThrottleFrom(first, count) if call >= first && call - first < count => {
                Fate::Throttled
            }
            Self::TimeoutAfterEffect(at) if call == at => {
                Fate::Meets(Trouble::Silence { effect: true })
            }
            Self::From {
                first,
                count,
                trouble,
            } if call >= first && call - first < count => Fate::Meets(trouble),
            Self::HangAfter(at, hang) if call == at => Fate::HangsAfter(hang),
            _ => Fate::Answered,
        }
    }
}

/// One invocation of a function: who calls, how often it called, and what goes wrong.
#[derive(Debug)]
pub struct Invocation {
    pub caller: String,
    pub calls: AtomicU32,
    plan: Vec<CallFault>,
    /// The attempt of Lambda that this is, when Lambda started it.
    pub(super) attempt: Option<u64>,
    met: Mutex<Vec<CallFault>>,
    /// How long it is to stand still, from now on.
    frozen: Mutex<Option<Hang>>,
    crash: Notify,
}

impl Invocation {
    pub fn new(caller: impl Into<String>, plan: CallFault) -> Arc<Self> {
        Self::of_attempt(None, caller, vec![plan])
    }

    /// An attempt of Lambda with everything that goes wrong with it.
    pub fn of_attempt(
        attempt: Option<u64>,
        caller: impl Into<String>,
        plan: Vec<CallFault>,
    ) -> Arc<Self> {
        Arc::new(Self {
            caller: caller.into(),
            calls: AtomicU32::new(0),
            plan,
            attempt,
            met: Mutex::default(),
            frozen: Mutex::default(),
            crash: Notify::new(),
        })
    }

    /// Comes back when the plan kills the invocation: the driver then drops its future.
    pub async fn crashed(&self) {
        self.crash.notified().await;
    }

    /// How many calls were made.
    pub fn made(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The parts of its plan that took effect.
    pub fn met(&self) -> Vec<CallFault> {
        self.met
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What becomes of the request of a call: the first fault of the plan that concerns it.
    pub(super) fn fate(&self, call: u32, request: &Request) -> Fate {
        let concerns = |fate: Fate| match fate {
            Fate::Answered => false,
            Fate::Meets(trouble) => trouble.meets(request),
            _ => true,
        };
        let first = self
            .plan
            .iter()
            .map(|fault| (fault, fault.fate(call)))
            .find(|(_, fate)| concerns(*fate));
        let Some((fault, fate)) = first else {
            return Fate::Answered;
        };

        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        if !met.contains(fault) {
            met.push(*fault);
        }
        fate
    }

    pub(super) async fn die<T>(&self) -> T {
        self.crash.notify_one();
        std::future::pending().await
    }

    /// Stands still from here until [`Self::run`] goes on.
    pub(super) async fn freeze(&self, hang: Hang) {
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Some(hang);
        let mut was_polled = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut was_polled, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Runs the invocation's code. While it stands still its code is not polled, so that no timer
    /// of the SDK fires either: it goes on exactly where it was.
    pub async fn run<F: Future>(&self, timeout: Duration, code: F) -> F::Output {
        let end = Instant::now() + timeout;
        let mut code = std::pin::pin!(code);
        let mut still: Option<std::pin::Pin<Box<tokio::time::Sleep>>> = None;

        std::future::poll_fn(|context| {
            loop {
                if let Some(sleep) = &mut still {
                    std::task::ready!(sleep.as_mut().poll(context));
                    still = None;
                }

                if let Poll::Ready(output) = code.as_mut().poll(context) {
                    return Poll::Ready(output);
                }

                match self
                    .frozen
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take()
                {
                    Some(Hang::For(time)) => still = Some(Box::pin(tokio::time::sleep(time))),
                    Some(Hang::UntilLeft(left)) => {
                        still = Some(Box::pin(tokio::time::sleep_until(end - left)))
                    }
                    None => return Poll::Pending,
                }
            }
        })
        .await
    }
}
