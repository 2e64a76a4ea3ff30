//! Plays a plan on an account in virtual time: operators act, functions run, things go wrong, and
//! every invariant is checked.

mod acts;
mod beginning;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::bound;
use super::coverage::Coverage;
use super::plan::{Act, Anchor, Image, Incident, Plan};
use super::trace::Trace;
use beginning::{account, load, watched};
use emulator::client::Throttle;
use emulator::lambda::InvocationStatus;
use emulator::{Aws, Call, Millis, ecr};
use harness::demo::{WEB, nothing_denied};
use harness::driver::{Driver, Faults, Which, run};
use invariants::Invariants;

/// Longest that a run may take until everything has ended, in virtual time.
const LIMIT: Duration = Duration::from_secs(12 * 3600);

/// The result of a run.
#[derive(Debug)]
pub struct Played {
    /// What did not hold.
    pub failure: Option<String>,
    pub coverage: Coverage,
    /// What happened, if it was requested.
    pub trace: Vec<String>,
}

impl Played {
    /// A run whose account could not be made.
    pub(super) fn not_begun(error: String) -> Self {
        Self {
            failure: Some(error),
            coverage: Coverage::default(),
            trace: Vec::new(),
        }
    }
}

/// Plays a plan; with `traces`, what happens is written down.
#[must_use]
pub fn play(plan: &Plan, traces: bool) -> Played {
    let mut aws = match account(plan) {
        Ok(aws) => aws,
        Err(error) => return Played::not_begun(error),
    };
    aws.reseed(plan.seed);
    expect_mishaps(&mut aws, &plan.incidents);
    load(&mut aws, plan);

    for incident in &plan.incidents {
        if let Incident::Metrics(metrics) = incident {
            let start = aws.now;
            metrics.happen(&mut aws.cloudwatch.faults, start);
        }
    }

    let faults = faults(&plan.incidents, aws.now);
    run(aws, faults, async |driver| {
        let stage = Stage::new(plan, &driver, traces);
        let ended = stage.run().await;
        let ran = driver.ran();
        let aws = driver.world.aws();
        let mut played = stage.played(&aws, ended);
        played
            .coverage
            .account(plan, &aws, &ran, &stage.pushed.borrow());
        played
    })
}

/// Lets deliveries of events go wrong.
pub(super) fn expect_mishaps(aws: &mut Aws, incidents: &[Incident]) {
    let mishaps = incidents.iter().filter_map(|incident| match incident {
        Incident::Event {
            source,
            nth,
            mishap,
        } => Some(((*source, *nth), *mishap)),
        _ => None,
    });
    aws.events.expect(mishaps.collect());
}

/// The acts of each anchor for which this holds, and how long after it they happen.
pub(super) fn acts_of(
    incidents: &[Incident],
    is: impl Fn(Anchor) -> bool,
) -> impl Iterator<Item = (Act, Duration)> {
    incidents.iter().filter_map(move |incident| match incident {
        Incident::Act { when, act } if is(when.anchor) => Some((*act, when.after)),
        _ => None,
    })
}

/// The incidents that the driver causes.
pub(super) fn faults(incidents: &[Incident], start: Millis) -> Faults {
    let mut faults = Faults::default();
    for incident in incidents {
        match incident {
            Incident::Call {
                function,
                nth,
                fault,
            } => {
                faults.calls.push((
                    Which::Of {
                        function,
                        nth: *nth,
                    },
                    *fault,
                ));
            }
            Incident::Duplicate {
                function,
                nth,
                after,
            } => {
                faults.duplicates.push((
                    Which::Of {
                        function,
                        nth: *nth,
                    },
                    *after,
                ));
            }
            Incident::Throttle {
                service,
                from,
                lasts,
            } => {
                let from = start + from.as_millis() as i64;
                faults.throttles.push(Throttle {
                    service,
                    from,
                    until: from + lasts.as_millis() as i64,
                });
            }
            Incident::Event { .. } | Incident::Metrics(_) | Incident::Act { .. } => {}
        }
    }
    faults
}

/// How the time of a run ended.
enum End {
    /// Everything has ended.
    Over,
    /// Not everything has ended within the limit.
    Late(String),
    /// Something did not hold.
    Broken(String),
}

/// A run in progress.
#[derive(Clone)]
struct Stage {
    plan: Rc<Plan>,
    driver: Driver,
    invariants: Arc<Mutex<Invariants>>,
    broken: Arc<Mutex<Option<String>>>,
    trace: Rc<RefCell<Trace>>,
    coverage: Rc<RefCell<Coverage>>,
    /// Pushes and acts that are still to come.
    pending: Rc<Cell<usize>>,
    pushed: Rc<RefCell<Vec<String>>>,
    /// Approvals that an operator is looking at.
    noticed: Rc<RefCell<BTreeSet<String>>>,
    /// Releases that were taken over so far.
    taken_over: Rc<Cell<usize>>,
    /// Releases that hold and that an operator has seen.
    held: Rc<RefCell<BTreeSet<(String, String)>>>,
    /// When the line was stopped that an operator has seen last.
    stopped: Rc<Cell<Option<Millis>>>,
}

impl Stage {
    fn new(plan: &Plan, driver: &Driver, traces: bool) -> Self {
        let baked = plan
            .shape
            .pair
            .as_ref()
            .map_or(0, |pair| pair.minimum_healthy_percent);
        let drained = plan
            .shape
            .pair
            .as_ref()
            .map_or(0, |pair| u64::from(pair.drain_minutes) * 60);
        let invariants = watched(plan, &driver.world.aws())
            .baking(baked)
            .draining(Duration::from_secs(drained));
        let invariants = Arc::new(Mutex::new(invariants));
        let broken = Invariants::witness(&invariants, &driver.world);
        let trace = Trace::new(traces, &driver.world.aws());

        Self {
            plan: Rc::new(plan.clone()),
            driver: driver.clone(),
            invariants,
            broken,
            trace: Rc::new(RefCell::new(trace)),
            coverage: Rc::default(),
            pending: Rc::default(),
            pushed: Rc::default(),
            noticed: Rc::default(),
            taken_over: Rc::default(),
            held: Rc::default(),
            stopped: Rc::default(),
        }
    }

    fn invariants(&self) -> MutexGuard<'_, Invariants> {
        self.invariants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self) -> End {
        let stage = self.clone();
        self.driver.on_start(move |_, function, nth| {
            stage.anchored(|anchor| anchor.is_attempt(function, nth));
        });
        let stage = self.clone();

        self.pending.set(1);
        tokio::task::spawn_local(async move { stage.push_all().await });
        let mut broken = None;
        let mut watch = |aws: &Aws| {
            let seen = self.look(aws);
            broken = seen.clone().err();
            seen
        };
        let ended = self
            .driver
            .until(LIMIT, &mut watch, |aws| self.is_over(aws))
            .await;

        match (broken, ended) {
            (Some(why), _) => End::Broken(why),
            (None, Err(why)) => End::Late(why),
            (None, Ok(())) => End::Over,
        }
    }

    /// Looks at one instant.
    fn look(&self, aws: &Aws) -> Result<(), String> {
        self.trace.borrow_mut().look(aws);
        self.broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .map_or(Ok(()), Err)?;
        self.invariants().at_instant(aws)?;
        nothing_denied(aws)?;

        if self.plan.shape.approval {
            self.notice_approvals(aws);
        }

        let taken_over = self.invariants().taken_over();
        for number in self.taken_over.replace(taken_over)..taken_over {
            self.anchored(|anchor| anchor == Anchor::RollBack(number));
        }
        if self.plan.shape.canary().is_some() {
            self.notice_hold();
        }
        if self.plan.freeze.is_some() {
            self.notice_line(aws);
        }
        Ok(())
    }

    fn is_over(&self, aws: &Aws) -> bool {
        self.pending.get() == 0
            && is_at_rest(&self.driver, aws)
            && self.invariants().is_settled(aws)
    }

    async fn push_all(self) {
        for (number, push) in self.plan.pushes.iter().enumerate() {
            self.driver.world.clock.sleep(push.after).await;
            let pushed = {
                let mut aws = self.driver.world.aws();
                let tag = format!("1.{number}.0");
                let pushed = match push.image {
                    Image::New(behaviour) if push.replicated => {
                        ecr::replicate(&mut aws, WEB, &tag, behaviour, "us-west-2")
                    }
                    Image::New(behaviour) => ecr::push(&mut aws, WEB, &tag, behaviour),
                    Image::Flawed(flaw) => {
                        ecr::push_with(&mut aws, WEB, &tag, ecr::Behaviour::Healthy, flaw.profile())
                    }
                    Image::Again(of) => ecr::retag(&mut aws, WEB, &self.pushed.borrow()[of], &tag),
                };

                self.trace.borrow_mut().say(
                    &aws,
                    &format!("push of {WEB}:{tag}, {:?}: {pushed:?}", push.image),
                );
                pushed.unwrap_or_default()
            };
            self.pushed.borrow_mut().push(pushed);
            self.driver.world.touch();
            self.anchored(|anchor| anchor == Anchor::Push(number));
        }
        self.pending.set(self.pending.get() - 1);
    }

    /// Checks the end and gathers everything.
    fn played(&self, aws: &Aws, ended: End) -> Played {
        let mut invariants = self.invariants();
        invariants.disturbed(disturbed(&self.driver, aws));

        let checked = match &ended {
            End::Broken(_) => Ok(()),
            End::Over | End::Late(_) => invariants
                .at_end(aws)
                .and_then(|()| bound::at_end(&self.plan, aws, &self.pushed.borrow())),
        };
        let failure = checked.err().or(match ended {
            End::Over => None,
            End::Late(why) | End::Broken(why) => Some(why),
        });

        self.trace.borrow_mut().look(aws);
        let mut coverage = self.coverage.borrow().clone();
        coverage.invariants(invariants.evaluated());
        coverage.bound(bound::is_calm(&self.plan));
        coverage.worse(bound::plainly_worse(&self.plan, &self.pushed.borrow()).is_some());

        Played {
            failure,
            coverage,
            trace: self.trace.borrow_mut().take(),
        }
    }
}

/// Whether no event, execution or invocation is in progress or still to come.
pub(super) fn is_at_rest(driver: &Driver, aws: &Aws) -> bool {
    let mut executions = aws.codepipeline.executions.iter();
    let mut invocations = aws.lambda.invocations.iter().rev();
    !driver.expects_duplicates()
        && aws.events.in_progress == 0
        && executions.all(|execution| execution.is_over())
        && invocations.all(|one| one.status != InvocationStatus::Pending)
}

/// The attempts that met a fault, or of which a call was throttled.
pub(super) fn disturbed(driver: &Driver, aws: &Aws) -> BTreeSet<u64> {
    let ran = driver.ran().into_iter();
    let met = ran.filter(|ran| !ran.met.is_empty()).map(|ran| ran.attempt);
    let calls = aws.calls.iter();
    let throttled = calls.filter(|call| call.is_throttled() || is_of_busy_zone(call));
    met.chain(throttled.filter_map(|call| call.attempt))
        .collect()
}

/// Whether Route 53 refused a change because it was processing another one of the zone.
pub(super) fn is_of_busy_zone(call: &Call) -> bool {
    call.error.as_deref() == Some("PriorRequestNotComplete")
}
