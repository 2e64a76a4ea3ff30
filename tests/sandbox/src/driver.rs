//! What makes the in-memory AWS go: it moves virtual time to whatever is due next and runs the functions that are invoked,
//! each as a task of its own, so that invocations overlap as they do in Lambda.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use slipway::aws::Sdk;
use tokio::task::LocalSet;

use crate::aws::lambda::{self, Attempt, Outcome};
use crate::aws::{Aws, Millis};
use crate::client::{CallFault, Invocation, World, sdk_config};
use crate::functions;

/// What goes wrong in a run. Attempts are numbered from 0 in the order in which Lambda starts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// The attempt dies at one of its calls, or its calls go wrong.
    Call { attempt: usize, fault: CallFault },
    /// The attempt's event is delivered a second time, so long after the first.
    Duplicate { attempt: usize, after: Duration },
}

/// One attempt that ran: what it was for and how many calls it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub invocation: u64,
    pub function: String,
    pub calls: u32,
}

/// A world under way.
#[derive(Clone)]
pub struct Driver {
    pub world: World,
    fault: Fault,
    ran: Rc<RefCell<Vec<Ran>>>,
    running: Rc<Cell<usize>>,
}

/// Looks at the account at every instant; an error ends the run.
pub type Watch<'a> = &'a mut dyn FnMut(&Aws) -> Result<(), String>;

/// Runs `story` on `aws` in virtual time, on a runtime of its own.
///
/// # Panics
/// When the runtime cannot be built.
pub fn run<T>(aws: Aws, fault: Fault, story: impl AsyncFnOnce(Driver) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a current-thread runtime needs nothing from the machine");
    LocalSet::new().block_on(&runtime, async { story(Driver::new(World::new(aws), fault)).await })
}

/// Runs `story` on `aws` in time that passes by the machine's clock, `speed` times as fast.
///
/// # Errors
/// What the machine refused when the runtime was built.
pub fn run_live<T>(aws: Aws, speed: u32, story: impl AsyncFnOnce(Driver) -> T) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let live = async { story(Driver::new(World::at_speed(aws, speed), Fault::None)).await };
    Ok(LocalSet::new().block_on(&runtime, live))
}

/// How long `forever` rests when nothing is due.
const IDLE: Millis = 60_000;

impl Driver {
    fn new(world: World, fault: Fault) -> Self {
        Self { world, fault, ran: Rc::default(), running: Rc::default() }
    }

    /// Lets time pass without end, showing every instant to `watch`.
    pub async fn forever(&self, mut watch: impl FnMut(&Aws)) {
        loop {
            let next = {
                let mut aws = self.world.aws();
                let ready: Vec<Attempt> = std::iter::from_fn(|| aws.lambda.take_ready()).collect();
                watch(&aws);
                let next = aws.agenda.next_due();
                drop(aws);
                ready.into_iter().for_each(|attempt| self.start(attempt));
                next
            };
            let now = self.world.clock.now();
            self.rest(next.unwrap_or(now + IDLE), now).await;
        }
    }

    /// Lets time pass until `done` says so.
    ///
    /// # Errors
    /// What `watch` found, or that `limit` of virtual time passed first.
    pub async fn until(&self, limit: Duration, watch: Watch<'_>, done: impl Fn(&Aws) -> bool) -> Result<(), String> {
        let deadline = self.world.clock.now() + limit.as_millis() as Millis;
        loop {
            let (over, next) = {
                let mut aws = self.world.aws();
                let ready: Vec<Attempt> = std::iter::from_fn(|| aws.lambda.take_ready()).collect();
                watch(&aws)?;
                let over = ready.is_empty() && self.running.get() == 0 && done(&aws);
                let next = aws.agenda.next_due();
                drop(aws);
                ready.into_iter().for_each(|attempt| self.start(attempt));
                (over, next)
            };
            if over {
                return Ok(());
            }
            let now = self.world.clock.now();
            if now >= deadline {
                return Err(format!("not done after {} s of virtual time", limit.as_secs()));
            }
            self.rest(next.unwrap_or(deadline).min(deadline), now).await;
        }
    }

    /// Sleeps until something is due, or until an invocation has called, which may have put something on the agenda.
    async fn rest(&self, next: Millis, now: Millis) {
        let due = self.world.clock.sleep(Duration::from_millis((next - now).max(1).unsigned_abs()));
        tokio::select! {
            biased;
            () = self.world.touched() => {}
            () = due => {}
        }
    }

    fn start(&self, attempt: Attempt) {
        let number = self.ran.borrow().len();
        self.ran.borrow_mut().push(Ran { invocation: attempt.invocation, function: attempt.code.clone(), calls: 0 });
        let plan = match self.fault {
            Fault::Call { attempt: at, fault } if at == number => fault,
            _ => CallFault::None,
        };
        match self.fault {
            Fault::Duplicate { attempt: at, after } if at == number => {
                lambda::duplicate(&mut self.world.aws(), attempt.invocation, after);
            }
            _ => {}
        }
        self.running.set(self.running.get() + 1);
        let driver = self.clone();
        tokio::task::spawn_local(async move { driver.attempt(attempt, number, plan).await });
    }

    async fn attempt(&self, attempt: Attempt, number: usize, plan: CallFault) {
        let invocation = Invocation::new(attempt.function.clone(), plan);
        let table = attempt.environment.get("LEDGER_TABLE").map(String::as_str).unwrap_or_default();
        let sdk = Sdk::new(sdk_config(&self.world, invocation.clone()), table);
        let outcome = tokio::select! {
            biased;
            () = invocation.crashed() => Outcome::Crashed,
            answer = functions::answer(&attempt.code, &sdk, attempt.payload) => match answer {
                Ok(value) => Outcome::Succeeded(value),
                Err(error) => Outcome::Failed(error.to_string()),
            },
            () = self.world.clock.sleep(attempt.timeout) => Outcome::TimedOut,
        };
        self.ran.borrow_mut()[number].calls = invocation.made();
        self.running.set(self.running.get() - 1);
        lambda::finished(&mut self.world.aws(), attempt.id, outcome);
        self.world.touch();
    }

    /// Every attempt so far, in the order in which they started.
    #[must_use]
    pub fn ran(&self) -> Vec<Ran> {
        self.ran.borrow().clone()
    }

    /// Attempts and AWS calls by execution, as far as an event tells for which one it was.
    #[must_use]
    pub fn cost_by_execution(&self) -> BTreeMap<String, (u32, u32)> {
        let aws = self.world.aws();
        let mut costs = BTreeMap::<String, (u32, u32)>::new();
        for ran in self.ran.borrow().iter() {
            if let Some(execution) = execution_of(&aws, ran.invocation) {
                let (attempts, calls) = costs.entry(execution).or_default();
                (*attempts, *calls) = (*attempts + 1, *calls + ran.calls);
            }
        }
        costs
    }
}

fn execution_of(aws: &Aws, invocation: u64) -> Option<String> {
    let invocation = aws.lambda.invocations.get(usize::try_from(invocation).ok()?)?;
    if let Some(job) = invocation.payload.pointer("/CodePipeline.job/id").and_then(|id| id.as_str()) {
        return aws.codepipeline.job(job).map(|job| job.execution.clone());
    }
    invocation.attempts.iter().find_map(|attempt| match &attempt.outcome {
        Some(Outcome::Succeeded(answer)) => answer.get("execution")?.as_str().map(ToOwned::to_owned),
        _ => None,
    })
}
