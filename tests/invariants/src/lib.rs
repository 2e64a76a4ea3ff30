//! What must hold, whatever goes wrong: checked after every call, at every instant and at the end
//! of every run, from the account's own state, by code that shares nothing with the functions.
//!
//! `traffic` holds invariants 1 and 7, `colours` those of a pair, `endings` 2 and 3, `pushes` 4 and
//! 5, `jobs` 6, `lease` 8, and `families` and `by_hand` too, `freezes` 10. That a healthy release
//! ends deployed, and a plainly worse one does not (9), needs to know what was requested: the
//! simulation checks it.

mod baking;
mod by_hand;
mod colours;
pub mod deliveries;
mod endings;
mod families;
mod freezes;
mod jobs;
mod lease;
mod ledger;
pub mod ledger_reader;
mod pair;
mod pair_services;
mod pushes;
pub mod routes;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::ledger_reader::text;
use emulator::client::World;
use emulator::{Aws, Call, Millis, Request};

pub use families::A_SHARED_FAMILY;
pub use freezes::NOTHING_WHILE_FROZEN;
pub use traffic::Promise;

use ledger::Ledger;

/// The line of what only canaries meet.
pub const A_FAILED_CANARY: &str = "3 a canary that fails has given its traffic back";

/// The line of what only pairs behind records meet.
pub const A_COLOUR_STAYS: &str = "7 a colour stays while answers may lead to it";

/// Watches one run.
#[derive(Clone, Debug, Default)]
pub struct Invariants {
    traffic: traffic::ServedTraffic,
    colours: colours::Colours,
    endings: endings::Endings,
    lease: lease::Leases,
    pushes: pushes::Pushes,
    ledger: Ledger,
    /// Attempts of functions with which something went wrong.
    disturbed: BTreeSet<u64>,
    /// When operators last changed a service by hand.
    by_hand: Vec<Millis>,
    /// The weights that operators set last, by route.
    weights_by_hand: by_hand::WeightsByHand,
    baking: baking::Baking,
    freezes: freezes::Freezes,
    evaluated: BTreeMap<&'static str, u64>,
}

impl Invariants {
    #[must_use]
    pub fn new(promises: &[Promise]) -> Self {
        Self {
            traffic: traffic::ServedTraffic::new(promises),
            ..Self::default()
        }
    }

    /// Starts watching a copy of an account whose past was watched before.
    #[must_use]
    pub fn resumed(mut self, aws: &Aws) -> Self {
        self.ledger = Ledger::of(aws);
        self.traffic.resume(aws);
        self
    }

    /// Lets the calls of a world's invocations be checked, each right after it was served. The
    /// first violation appears in what this returns.
    pub fn witness(watched: &Arc<Mutex<Self>>, world: &World) -> Arc<Mutex<Option<String>>> {
        let (broken, watched) = (Arc::<Mutex<Option<String>>>::default(), Arc::clone(watched));
        let tells = Arc::clone(&broken);
        world.witnessed_by(move |aws, request| {
            let checked = watched
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .after_call(aws, request);
            if let Err(what) = checked {
                tells
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(what);
            }
        });
        broken
    }

    /// How often each invariant had something to check.
    #[must_use]
    pub fn evaluated(&self) -> &BTreeMap<&'static str, u64> {
        &self.evaluated
    }

    /// What holds at every instant: the promised tasks serve (7), and traffic goes to healthy
    /// targets only (1).
    ///
    /// # Errors
    /// The invariant that does not hold, with what was found.
    pub fn at_instant(&mut self, aws: &Aws) -> Result<(), String> {
        let promised = self.traffic.promised(aws)?;
        let weights = self.traffic.weights(aws, &self.ledger, |group| {
            self.endings.last_mover_saw(aws, group)
        })?;
        self.count("7 the promised tasks serve", promised);
        self.count("1 weights point at healthy targets", weights);
        self.pushes.look(aws);
        self.lease.look(aws);

        Ok(())
    }

    /// What holds after each call of an invocation, which is the account's last one.
    ///
    /// # Errors
    /// The invariant that does not hold, with what was found.
    pub fn after_call(&mut self, aws: &Aws, request: &Request) -> Result<(), String> {
        let Some(call) = aws.calls.last().filter(|call| call.error.is_none()) else {
            return Ok(());
        };
        match (call.service.as_str(), call.operation.as_str()) {
            ("dynamodb", "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems") => {
                self.written(aws, call, request)
            }
            ("ecs", "DescribeServices") => {
                self.endings.saw_services(aws, call, request);
                Ok(())
            }
            ("elasticloadbalancing", "DescribeRules" | "DescribeListeners")
            | ("route53", "ListResourceRecordSets") => {
                self.endings.saw_rules(aws, call);
                Ok(())
            }
            ("elasticloadbalancing", "DescribeTargetHealth") => {
                self.endings.saw_targets(aws, call, request);
                Ok(())
            }
            ("ecs", "UpdateService" | "RegisterTaskDefinition")
            | ("elasticloadbalancing", "ModifyRule" | "ModifyListener")
            | ("route53", "ChangeResourceRecordSets")
            | ("application-autoscaling", "RegisterScalableTarget") => {
                self.changed(aws, call, request)
            }
            ("ecs", "DeregisterTaskDefinition") => {
                let unused = families::unused(aws, request)?;
                self.count(A_SHARED_FAMILY, unused);
                Ok(())
            }
            ("codepipeline", "PutJobSuccessResult") => {
                self.baking.went_on(aws, call, &self.ledger, &self.endings)
            }
            ("codepipeline", "PutJobFailureResult") => {
                let given_back = if self.by_hand.is_empty() {
                    pair::given_back(aws, call, &self.ledger)?
                } else {
                    0
                };
                self.count(A_FAILED_CANARY, given_back);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// How many releases `roll-back` has taken over.
    #[must_use]
    pub fn taken_over(&self) -> usize {
        self.lease.taken_over()
    }

    /// Of the tasks that a new colour was filled with, how many percent must be healthy while it
    /// has traffic.
    #[must_use]
    pub fn baking(mut self, percent: u32) -> Self {
        self.baking.percent = percent;
        self
    }

    /// How long the old colour of a pair stays after its traffic left.
    #[must_use]
    pub fn draining(mut self, drain: Duration) -> Self {
        self.colours.drain = drain.as_millis() as Millis;
        self
    }

    /// An invocation wrote the ledger.
    fn written(&mut self, aws: &Aws, call: &Call, request: &Request) -> Result<(), String> {
        if !self.ledger.read {
            self.ledger = Ledger::of(aws);
            return Ok(());
        }

        let after = self.ledger.after(aws, request);
        let before = std::mem::replace(&mut self.ledger, after);
        let correct = self.lease.written(aws, call, &before, &self.ledger)?;
        self.count("8 the lease is passed on correctly", correct);
        let closed =
            self.endings
                .closed(aws, call, &before, &self.ledger, !self.by_hand.is_empty())?;
        self.count("2 what is recorded is true", closed.outcomes);
        self.count("3 what is rolled back is restored", closed.restored);
        self.pushes.note_endings(aws, &before, &self.ledger)?;

        Ok(())
    }

    /// An invocation changed something that a lease protects.
    fn changed(&mut self, aws: &Aws, call: &Call, request: &Request) -> Result<(), String> {
        if !self.ledger.read {
            self.ledger = Ledger::of(aws);
        }

        let by_hand = self.by_hand.last().is_some_and(|at| aws.now - at < 70_000);
        let held = self
            .lease
            .changed(aws, call, request, &self.ledger, by_hand)?;
        self.count("8 only the holder changes a service", held);

        if routes::sets_weights(call) {
            let routes = call
                .attempt
                .and_then(|attempt| self.endings.observations_of(attempt));

            // What begin-release finds, some release left or a stack update reset, as what the
            // sweep finds while no release holds the pair.
            let repairs =
                call.caller.ends_with("begin-release") || self.lease.repair_of(call).is_some();
            let left = routes.filter(|_| !repairs);
            let left = left.map_or(Ok(0), |(_, routes)| {
                self.weights_by_hand
                    .left_alone(aws, call, &self.ledger, &self.lease, routes)
            })?;
            let raised = routes.map_or(Ok(0), |(observations, routes)| {
                pair::fit(aws, &self.ledger, observations, routes)
            })?;

            self.count("8 weights that an operator set are left alone", left);
            self.count("1 traffic goes to a colour that was seen fit", raised);

            if raised > 0 {
                let looked = self.freezes.allow(aws, &self.ledger, "more traffic")?;
                self.count(NOTHING_WHILE_FROZEN, looked);
                let guarded = self
                    .ledger
                    .open()
                    .map_or(Ok(0), |lease| colours::is_guarded(aws, lease))?;
                self.count("7 nothing is scaled in while traffic moves", guarded);
            }
        }

        let drained = self.colours.changed(aws, call, request, &self.ledger)?;
        self.count("7 the old colour drains", drained);
        if call.operation == "UpdateService" {
            self.updated(aws, call, request)?;
        }
        Ok(())
    }

    /// An invocation changed a service.
    fn updated(&mut self, aws: &Aws, call: &Call, request: &Request) -> Result<(), String> {
        if self.by_hand.is_empty() {
            let kept = self.colours.kept(aws, call, request, &self.ledger)?;
            self.count(A_COLOUR_STAYS, kept);
        }
        if freezes::deploys(&self.ledger, request) {
            let looked = self.freezes.allow(aws, &self.ledger, "a deployment")?;
            self.count(NOTHING_WHILE_FROZEN, looked);
        }
        let ordered = self.pushes.deployed(aws, call, request)?;
        self.count("5 no older and no rejected image comes back", ordered);
        Ok(())
    }

    /// An operator started an execution with an image, which may have been rejected before.
    pub fn started_by_hand(&mut self, digest: &str, execution: &str) {
        self.pushes.started_by_hand(digest, execution);
    }

    /// What was pushed with this digest cannot run.
    pub fn cannot_run(&mut self, digest: &str) {
        self.pushes.cannot_run(digest);
    }

    /// Something went wrong with these attempts of functions.
    pub fn disturbed(&mut self, attempts: impl IntoIterator<Item = u64>) {
        self.disturbed.extend(attempts);
    }

    /// What holds at the end: every execution ended and the ledger records how (2), pushes led to
    /// something (4), jobs got one result (6), no lease is left.
    ///
    /// # Errors
    /// The invariant that does not hold, with what was found.
    pub fn at_end(&mut self, aws: &Aws) -> Result<(), String> {
        let ledger = Ledger::of(aws);
        self.count(
            "2 every execution ends",
            endings::at_end(aws, &ledger, self.by_hand.is_empty())?,
        );
        self.count(
            "3 scale-in is given back",
            colours::given_back(aws, &ledger)?,
        );
        self.count("4 no push is lost", pushes::none_lost(aws)?);

        let once = self.pushes.none_twice(aws, &self.disturbed)?;
        self.count("4 no push starts twice", once);
        let idle = self.pushes.none_of_idle(aws)?;
        self.count("4 what cannot run starts nothing", idle);
        self.count(
            "6 every job is answered once",
            jobs::answered(aws, &self.disturbed)?,
        );
        self.count(
            "6 nothing undisturbed is given up",
            jobs::given_up(aws, &self.disturbed)?,
        );

        Ok(())
    }

    /// Whether no lease is held and every record is closed, as far as the ledger shows.
    #[must_use]
    pub fn is_settled(&mut self, aws: &Aws) -> bool {
        if !self.ledger.read {
            self.ledger = Ledger::of(aws);
        }
        self.ledger
            .leases
            .values()
            .all(|lease| text(lease, "release.execution").is_none())
            && self
                .ledger
                .records
                .values()
                .all(|record| text(record, "state") == Some("closed"))
    }

    /// Leases as they were last written.
    pub fn leases(&self) -> impl Iterator<Item = &Value> {
        self.ledger.leases.values().map(Arc::as_ref)
    }

    fn count(&mut self, invariant: &'static str, times: u64) {
        *self.evaluated.entry(invariant).or_default() += times;
    }
}

/// The parts of a request's JSON body.
fn body(request: &Request) -> Value {
    // Not `from_slice`, which as a generic function would be compiled here, without optimisation.
    let text = std::str::from_utf8(&request.body).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The execution for which an attempt of a step works.
fn execution_of(aws: &Aws, attempt: u64) -> Option<String> {
    let invocation = aws
        .lambda
        .invocations
        .iter()
        .rev()
        .find(|one| one.attempts.iter().any(|log| log.id == attempt))?;
    let job = invocation
        .payload
        .pointer("/CodePipeline.job/id")?
        .as_str()?;
    aws.codepipeline.job(job).map(|job| job.execution.clone())
}

/// The whole number of a DynamoDB item, by path.
fn number(item: &Value, path: &str) -> Option<u64> {
    let mut value = item.get(path.split('.').next()?)?;
    for name in path.split('.').skip(1) {
        value = value.get("M")?.get(name)?;
    }
    value.get("N")?.as_str()?.parse().ok()
}
