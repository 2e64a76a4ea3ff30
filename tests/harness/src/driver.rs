//! What drives the in-memory AWS: it moves virtual time to whatever is due next and runs the
//! functions that are invoked, each as a task of its own, so that invocations overlap as they do in
//! Lambda.

mod faults;
mod ran;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use slipway::aws::Sdk;
use tokio::task::LocalSet;

use crate::functions::Function;
use emulator::client::{CallFault, Current, Invocation, World, container_config};
use emulator::lambda::{self, Attempt, Outcome};
use emulator::{Aws, Millis};

pub use faults::{Fault, Faults, Which};
pub use ran::Ran;

/// Called for every attempt that starts: the function and which of its attempts this is.
type Started = Box<dyn FnMut(&Driver, &str, usize)>;

/// Called with the account at rest, when no attempt runs and the next is about to start, and with
/// the number of those that have started.
type AtRest = Box<dyn FnMut(&Aws, usize)>;

/// A run in progress.
#[derive(Clone)]
pub struct Driver {
    pub world: World,
    faults: Rc<Faults>,
    ran: Rc<RefCell<Vec<Ran>>>,
    /// How many attempts of each function have started.
    started: Rc<RefCell<BTreeMap<String, usize>>>,
    running: Rc<Cell<usize>>,
    /// When the last of the deliveries that the faults cause comes.
    last_duplicate: Rc<Cell<Millis>>,
    on_start: Rc<RefCell<Option<Started>>>,
    at_rest: Rc<RefCell<Option<AtRest>>>,
    /// Containers that wait for the next invocation.
    warm: Rc<RefCell<BTreeMap<Deployed, Vec<Container>>>>,
}

/// The name and the environment of a function: another environment needs another container.
type Deployed = (String, BTreeMap<String, String>);

/// Where Lambda runs a function: kept from one invocation to the next, unless it died.
struct Container {
    current: Current,
    function: Function,
}

/// Looks at the account at every instant; an error ends the run.
pub type Watch<'a> = &'a mut dyn FnMut(&Aws) -> Result<(), String>;

/// Runs `scenario` on `aws` in virtual time, on a runtime of its own.
///
/// # Panics
/// When the runtime cannot be built.
pub fn run<T>(aws: Aws, faults: impl Into<Faults>, scenario: impl AsyncFnOnce(Driver) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a current-thread runtime needs nothing from the machine");
    let faults = faults.into();

    LocalSet::new().block_on(&runtime, async {
        let driver = Driver::new(World::new(aws), faults);
        let result = scenario(driver.clone()).await;
        // A listener holds the driver and the driver its listeners: without this neither they nor
        // the account would ever be freed.
        driver.on_start.borrow_mut().take();
        driver.at_rest.borrow_mut().take();
        driver.warm.borrow_mut().clear();
        result
    })
}

/// Runs `scenario` on `aws` in time that passes by the machine's clock, `speed` times as fast.
///
/// # Errors
/// What the machine refused when the runtime was built.
pub fn run_live<T>(
    aws: Aws,
    speed: u32,
    scenario: impl AsyncFnOnce(Driver) -> T,
) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let live =
        async { scenario(Driver::new(World::at_speed(aws, speed), Faults::default())).await };
    Ok(LocalSet::new().block_on(&runtime, live))
}

/// How long `forever` sleeps when nothing is due.
const IDLE: Millis = 60_000;

impl Driver {
    fn new(world: World, faults: Faults) -> Self {
        let world = world.throttled(faults.throttles.clone());
        Self {
            world,
            faults: Rc::new(faults),
            ran: Rc::default(),
            started: Rc::default(),
            running: Rc::default(),
            last_duplicate: Rc::default(),
            on_start: Rc::default(),
            at_rest: Rc::default(),
            warm: Rc::default(),
        }
    }

    /// Calls `listener` for every attempt that starts from now on.
    pub fn on_start(&self, listener: impl FnMut(&Self, &str, usize) + 'static) {
        *self.on_start.borrow_mut() = Some(Box::new(listener));
    }

    /// Calls `listener` from now on whenever no attempt runs and the next is about to start: a run
    /// on a copy of the account goes on as this one does, except for new containers of its
    /// functions.
    pub fn at_rest(&self, listener: impl FnMut(&Aws, usize) + 'static) {
        *self.at_rest.borrow_mut() = Some(Box::new(listener));
    }

    /// Shows the account at rest to the listeners.
    fn show_rest(&self, aws: &Aws) {
        let is_rest = self.running.get() == 0 && aws.lambda.is_ready();
        if let Some(listener) = self.at_rest.borrow_mut().as_mut().filter(|_| is_rest) {
            listener(aws, self.ran.borrow().len());
        }
    }

    /// Whether deliveries that the faults cause are still to come.
    #[must_use]
    pub fn expects_duplicates(&self) -> bool {
        self.last_duplicate.get() >= self.world.clock.now()
    }

    /// Lets time pass without end, showing every instant to `watch`.
    pub async fn forever(&self, mut watch: impl FnMut(&Aws)) {
        loop {
            let next = {
                let mut aws = self.world.aws();
                let ready: Vec<Attempt> = std::iter::from_fn(|| aws.lambda.take_ready()).collect();
                watch(&aws);
                let next = aws.next_due();
                drop(aws);
                ready.into_iter().for_each(|attempt| self.start(attempt));
                next
            };
            let now = self.world.clock.now();
            self.rest(next.unwrap_or(now + IDLE), now).await;
        }
    }

    /// Lets time pass until `done` is true.
    ///
    /// # Errors
    /// What `watch` found, or that `limit` of virtual time passed first.
    pub async fn until(
        &self,
        limit: Duration,
        watch: Watch<'_>,
        done: impl Fn(&Aws) -> bool,
    ) -> Result<(), String> {
        let deadline = self.world.clock.now() + limit.as_millis() as Millis;
        loop {
            let (over, next) = {
                let mut aws = self.world.aws();
                self.show_rest(&aws);
                let ready: Vec<Attempt> = std::iter::from_fn(|| aws.lambda.take_ready()).collect();
                watch(&aws)?;
                let over = ready.is_empty() && self.running.get() == 0 && done(&aws);
                let next = aws.next_due();
                drop(aws);
                ready.into_iter().for_each(|attempt| self.start(attempt));
                (over, next)
            };
            if over {
                return Ok(());
            }
            let now = self.world.clock.now();
            if now >= deadline {
                return Err(format!(
                    "not done after {} s of virtual time",
                    limit.as_secs()
                ));
            }
            self.rest(next.unwrap_or(deadline).min(deadline), now).await;
        }
    }

    /// Sleeps until something is due, or until an invocation has called, which may have put
    /// something on the agenda.
    async fn rest(&self, next: Millis, now: Millis) {
        let due = self
            .world
            .clock
            .sleep(Duration::from_millis((next - now).max(1).unsigned_abs()));
        tokio::select! {
            biased;
            () = self.world.touched() => {}
            () = due => {}
        }
    }

    fn start(&self, attempt: Attempt) {
        let (number, function) = (self.ran.borrow().len(), attempt.code.clone());
        let nth = self.count(&function);
        let is = |which: &Which| which.is(number, &function, nth);
        let plan = self
            .faults
            .calls
            .iter()
            .filter(|(which, _)| is(which))
            .map(|(_, fault)| *fault)
            .collect();

        for (_, after) in self.faults.duplicates.iter().filter(|(which, _)| is(which)) {
            lambda::duplicate(&mut self.world.aws(), attempt.invocation, *after);
            let due = self.world.clock.now() + after.as_millis() as Millis;
            self.last_duplicate.set(self.last_duplicate.get().max(due));
        }

        let (invocation, id) = (attempt.invocation, attempt.id);
        self.ran.borrow_mut().push(Ran {
            invocation,
            attempt: id,
            function,
            calls: 0,
            met: Vec::new(),
        });

        if let Some(listener) = self.on_start.borrow_mut().as_mut() {
            listener(self, &attempt.code, nth);
        }

        self.running.set(self.running.get() + 1);
        let driver = self.clone();
        tokio::task::spawn_local(async move { driver.attempt(attempt, number, plan).await });
    }

    /// Counts an attempt of a function; returns how many have started before it.
    fn count(&self, function: &str) -> usize {
        let mut started = self.started.borrow_mut();
        if let Some(count) = started.get_mut(function) {
            *count += 1;
            return *count - 1;
        }
        started.insert(function.to_owned(), 1);
        0
    }

    async fn attempt(&self, mut attempt: Attempt, number: usize, plan: Vec<CallFault>) {
        let invocation = Invocation::of_attempt(Some(attempt.id), attempt.function.clone(), plan);
        let container = match self.container(&attempt, &invocation) {
            Ok(container) => container,
            Err(error) => return self.ended(&attempt, number, &invocation, Outcome::Failed(error)),
        };
        let outcome = {
            // Boxed, since what a function awaits is tens of kilobytes, which every future around
            // it would be moved with.
            let payload = std::mem::take(&mut attempt.payload);
            let code = Box::pin(container.function.handle(payload));
            let code = invocation.run(attempt.timeout, code);

            tokio::select! {
                biased;
                () = invocation.crashed() => Outcome::Crashed,
                answer = code => match answer {
                    Ok(value) => Outcome::Succeeded(value),
                    Err(error) => Outcome::Failed(error.to_string()),
                },
                () = self.world.clock.sleep(attempt.timeout) => Outcome::TimedOut,
            }
        };

        if matches!(outcome, Outcome::Succeeded(_) | Outcome::Failed(_)) {
            self.warm
                .borrow_mut()
                .entry(deployed(&attempt))
                .or_default()
                .push(container);
        }
        self.ended(&attempt, number, &invocation, outcome);
    }

    /// A container that is free, or a new one.
    fn container(
        &self,
        attempt: &Attempt,
        invocation: &Arc<Invocation>,
    ) -> Result<Container, String> {
        if let Some(warm) = self
            .warm
            .borrow_mut()
            .get_mut(&deployed(attempt))
            .and_then(Vec::pop)
        {
            warm.current.set(Arc::clone(invocation));
            return Ok(warm);
        }

        let variable = |name: &str| {
            attempt
                .environment
                .get(name)
                .map(String::as_str)
                .unwrap_or_default()
        };
        let (table, reports) = (variable("LEDGER_TABLE"), variable("SLIPWAY_REPORTS_BUCKET"));
        let current = Current::new(Arc::clone(invocation));
        let sdk = Sdk::new(container_config(&self.world, current.clone()), table)
            .with_reports(reports)
            .with_function(&attempt.function);
        let function = Function::new(&attempt.code, &sdk).map_err(|error| error.to_string())?;

        Ok(Container { current, function })
    }

    fn ended(&self, attempt: &Attempt, number: usize, invocation: &Invocation, outcome: Outcome) {
        {
            let ran = &mut self.ran.borrow_mut()[number];
            ran.calls = invocation.made();
            ran.met = invocation.met();
        }
        self.running.set(self.running.get() - 1);
        lambda::finished(&mut self.world.aws(), attempt.id, outcome);
        self.world.touch();
    }

    /// Every attempt so far, in the order in which they started.
    #[must_use]
    pub fn ran(&self) -> Vec<Ran> {
        self.ran.borrow().clone()
    }

    /// Attempts and AWS calls by execution, as far as an event names its execution.
    #[must_use]
    pub fn cost_by_execution(&self) -> BTreeMap<String, (u32, u32)> {
        let aws = self.world.aws();
        let mut costs = BTreeMap::<String, (u32, u32)>::new();
        for ran in self.ran.borrow().iter() {
            if let Some(execution) = execution_of(&aws, ran.invocation) {
                let (attempts, calls) = costs.entry(execution).or_default();
                *attempts += 1;
                *calls += ran.calls;
            }
        }
        costs
    }
}

fn deployed(attempt: &Attempt) -> Deployed {
    (attempt.function.clone(), attempt.environment.clone())
}

fn execution_of(aws: &Aws, invocation: u64) -> Option<String> {
    let invocation = aws
        .lambda
        .invocations
        .get(usize::try_from(invocation).ok()?)?;
    if let Some(job) = invocation
        .payload
        .pointer("/CodePipeline.job/id")
        .and_then(|id| id.as_str())
    {
        return aws.codepipeline.job(job).map(|job| job.execution.clone());
    }

    invocation
        .attempts
        .iter()
        .find_map(|attempt| match &attempt.outcome {
            Some(Outcome::Succeeded(answer)) => {
                answer.get("execution")?.as_str().map(ToOwned::to_owned)
            }
            _ => None,
        })
}
