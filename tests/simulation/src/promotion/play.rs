//! Plays a promotion in virtual time: operators commit, approve and act, functions run, things go
//! wrong, and every invariant is checked.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::order::{self, Order};
use super::{ALL_RECORDED, IN_ORDER, NOTHING_IN_FREEZE, Promotion};
use crate::coverage::Coverage;
use crate::freeze;
use crate::operators::{self, Done};
use crate::plan::{Act, Anchor};
use crate::play::{Played, acts_of, disturbed, expect_mishaps, faults, is_at_rest};
use crate::trace::Trace;
use emulator::{Aws, Millis, codepipeline};
use harness::approvals;
use harness::demo::promotion::{PIPELINE, SERVICES, STAGES, commit, deploy_pipeline, opened};
use harness::demo::{CLUSTER, nothing_denied};
use harness::driver::{Driver, run};
use invariants::{Invariants, Promise};

/// Longest that a run may take until everything has ended, in virtual time.
const LIMIT: Duration = Duration::from_secs(12 * 3600);

pub(super) fn play(plan: &Promotion, traces: bool) -> Played {
    let mut aws = match account(plan) {
        Ok(aws) => aws,
        Err(error) => return Played::not_begun(error),
    };
    aws.reseed(plan.seed);
    expect_mishaps(&mut aws, &plan.incidents);

    let faults = faults(&plan.incidents, aws.now);
    run(aws, faults, async |driver| {
        let stage = Stage::new(plan, &driver, traces);
        let failure = stage.run().await.err();
        let ran = driver.ran();
        let aws = driver.world.aws();
        let mut played = stage.played(&aws, failure);
        played.coverage.promotion(plan, &aws, &ran);
        played
    })
}

/// The demo's account with the four environments, and the pipeline as the plan has it.
fn account(plan: &Promotion) -> Result<Aws, String> {
    static OPENED: OnceLock<Result<Aws, String>> = OnceLock::new();
    let mut aws = OPENED.get_or_init(|| opened(1, &[])).clone()?;

    let mut parameters = vec![
        ("Strategy", plan.strategy.rules().word.to_owned()),
        ("ExecutionMode", plan.mode.to_owned()),
        ("SoakMinutes", plan.soak_minutes.to_string()),
    ];
    let freeze = plan.freeze.map(|freeze| freeze.parameters(aws.now));
    parameters.extend(freeze.into_iter().flatten());
    let parameters: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    deploy_pipeline(&mut aws, &parameters)?;
    Ok(aws)
}

/// What the services of the environments are promised.
fn promises(plan: &Promotion) -> [Promise; 4] {
    let healthy = plan.promised();
    SERVICES.map(|service| Promise {
        cluster: CLUSTER,
        service,
        healthy,
    })
}

/// A run in progress.
#[derive(Clone)]
struct Stage {
    plan: Rc<Promotion>,
    driver: Driver,
    invariants: Arc<Mutex<Invariants>>,
    broken: Arc<Mutex<Option<String>>>,
    order: Rc<RefCell<Order>>,
    trace: Rc<RefCell<Trace>>,
    coverage: Rc<RefCell<Coverage>>,
    /// Commits and acts that are still to come.
    pending: Rc<Cell<usize>>,
    /// Approvals that an operator is looking at.
    noticed: Rc<RefCell<BTreeSet<String>>>,
    /// Releases that were taken over so far.
    taken_over: Rc<Cell<usize>>,
    /// Transitions that were disabled and that an operator has seen.
    stopped: Rc<RefCell<BTreeSet<(usize, Millis)>>>,
}

impl Stage {
    fn new(plan: &Promotion, driver: &Driver, traces: bool) -> Self {
        let (invariants, order, trace) = {
            let aws = driver.world.aws();
            let invariants = Invariants::new(&promises(plan)).resumed(&aws);
            let order = Order::new(&aws, plan.freeze);
            (invariants, order, Trace::new(traces, &aws))
        };
        let invariants = Arc::new(Mutex::new(invariants));
        let broken = Invariants::witness(&invariants, &driver.world);

        Self {
            plan: Rc::new(plan.clone()),
            driver: driver.clone(),
            invariants,
            broken,
            order: Rc::new(RefCell::new(order)),
            trace: Rc::new(RefCell::new(trace)),
            coverage: Rc::default(),
            pending: Rc::default(),
            noticed: Rc::default(),
            taken_over: Rc::default(),
            stopped: Rc::default(),
        }
    }

    fn invariants(&self) -> MutexGuard<'_, Invariants> {
        self.invariants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass until everything has ended.
    async fn run(&self) -> Result<(), String> {
        let stage = self.clone();
        self.driver.on_start(move |_, function, nth| {
            stage.anchored(|anchor| anchor.is_attempt(function, nth));
        });

        self.pending.set(1);
        let stage = self.clone();
        tokio::task::spawn_local(async move { stage.commit_all().await });
        let mut watch = |aws: &Aws| self.look(aws);
        self.driver
            .until(LIMIT, &mut watch, |aws| self.is_over(aws))
            .await
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
        self.order.borrow_mut().look(aws)?;
        nothing_denied(aws)?;

        self.notice_approvals(aws);
        self.notice_lines(aws);
        let taken_over = self.invariants().taken_over();
        for number in self.taken_over.replace(taken_over)..taken_over {
            self.anchored(|anchor| anchor == Anchor::RollBack(number));
        }
        Ok(())
    }

    fn is_over(&self, aws: &Aws) -> bool {
        self.pending.get() == 0
            && is_at_rest(&self.driver, aws)
            && self.invariants().is_settled(aws)
    }

    async fn commit_all(self) {
        for (number, drawn) in self.plan.commits.iter().enumerate() {
            self.driver.world.clock.sleep(drawn.after).await;
            {
                let mut aws = self.driver.world.aws();
                let fails: Vec<&str> = drawn.fails.into_iter().collect();
                let committed = commit(&mut aws, drawn.behaviour, &fails);
                let what = format!("commit {number}, {:?}: {committed:?}", drawn.behaviour);
                self.trace.borrow_mut().say(&aws, &what);
            }
            self.driver.world.touch();
            self.anchored(|anchor| anchor == Anchor::Push(number));
        }
        self.pending.set(self.pending.get() - 1);
    }

    /// Lets the acts of an anchor happen when their time comes.
    fn anchored(&self, is: impl Fn(Anchor) -> bool) {
        for (act, after) in acts_of(&self.plan.incidents, is) {
            self.later(after, move |stage| stage.perform(act));
        }
    }

    /// Does something after a while, which the run waits for.
    fn later(&self, after: Duration, does: impl FnOnce(&Self) + 'static) {
        self.pending.set(self.pending.get() + 1);
        let stage = self.clone();
        tokio::task::spawn_local(async move {
            stage.driver.world.clock.sleep(after).await;
            does(&stage);
            stage.pending.set(stage.pending.get() - 1);
            stage.driver.world.touch();
        });
    }

    fn perform(&self, act: Act) {
        let mut aws = self.driver.world.aws();
        let done = match act {
            Act::Stop { abandon } => operators::stop(&mut aws, PIPELINE, abandon),
            Act::Retry => operators::retry(&mut aws, PIPELINE),
            Act::AskRollBack => operators::ask_roll_back(&mut aws, PIPELINE),
            Act::Start { .. } => operators::started(&mut aws, "", &json!({"name": PIPELINE})),
            Act::StopLine { environment } => stop_line(&mut aws, STAGES[environment]),
            _ => Done::Nothing,
        };
        let what = format!("{}: {act:?} comes to {done:?}", act.as_str());
        self.trace.borrow_mut().say(&aws, &what);

        if let Done::Asked { digest, execution } = &done {
            self.invariants().started_by_hand(digest, execution);
        }
        if done != Done::Nothing {
            self.coverage.borrow_mut().act(act);
        }
    }

    /// Operators see that an approval waits, and answer it in their time.
    fn notice_approvals(&self, aws: &Aws) {
        for approval in approvals::waiting(aws, PIPELINE) {
            if !self.noticed.borrow_mut().insert(approval.id.clone()) {
                continue;
            }
            let number = self.noticed.borrow().len() - 1;
            let drawn = self.plan.answers.get(number).copied();
            let answer = drawn.unwrap_or(operators::USUAL_ANSWER);

            self.anchored(|anchor| anchor == Anchor::Approval(number));
            self.later(answer.after, move |stage| {
                let mut aws = stage.driver.world.aws();
                let taken = approval.answer(&mut aws, answer.approves).is_ok();
                let word = if answer.approves { "approve" } else { "reject" };
                let what = format!("an operator answers: {word}, accepted: {taken}");
                stage.trace.borrow_mut().say(&aws, &what);
                if taken {
                    stage.coverage.borrow_mut().answer(word);
                }
            });
        }
    }

    /// An operator sees that a transition is disabled, and enables it in time.
    fn notice_lines(&self, aws: &Aws) {
        for (number, stage) in STAGES.into_iter().enumerate() {
            let Some(since) = freeze::stopped(aws, PIPELINE, stage) else {
                continue;
            };
            if !self.stopped.borrow_mut().insert((number, since)) {
                continue;
            }
            self.later(freeze::REPAIRED, move |run| {
                let mut aws = run.driver.world.aws();
                freeze::go_on(&mut aws, PIPELINE, stage);
                let what = format!("an operator enables the transition into {stage}");
                run.trace.borrow_mut().say(&aws, &what);
            });
        }
    }

    /// Checks the end and gathers everything.
    fn played(&self, aws: &Aws, failure: Option<String>) -> Played {
        let mut invariants = self.invariants();
        invariants.disturbed(disturbed(&self.driver, aws));

        let ended = invariants.at_end(aws);
        let recorded = ended.and_then(|()| order::at_end(&self.plan, aws));
        let mut coverage = self.coverage.borrow().clone();
        coverage.invariants(invariants.evaluated());
        let order = self.order.borrow();
        coverage.invariant(IN_ORDER, order.arrived);
        coverage.invariant(NOTHING_IN_FREEZE, order.watched);
        coverage.invariant(ALL_RECORDED, recorded.as_ref().map_or(0, |count| *count));

        self.trace.borrow_mut().look(aws);
        Played {
            failure: failure.or(recorded.err()),
            coverage,
            trace: self.trace.borrow_mut().take(),
        }
    }
}

/// An operator disables the transition into a stage.
fn stop_line(aws: &mut Aws, stage: &str) -> Done {
    let input = json!({
        "pipelineName": PIPELINE, "stageName": stage, "transitionType": "Inbound",
        "reason": "not now",
    });
    match codepipeline::call(aws, "DisableStageTransition", &input) {
        Ok(_) => Done::Something,
        Err(_) => Done::Nothing,
    }
}
