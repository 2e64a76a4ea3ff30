//! Services that a run can be about: how they run, how many tasks they have, and how their pipeline
//! releases them.
//!
//! There are a few dozen of them, each drawn from its number, so that the account of each is
//! deployed once and copied for every run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::canary::{ALARM, Canary};
use emulator::codepipeline::Execution;
use emulator::{Aws, cloudformation, cloudwatch, ecs, traffic};
use harness::demo::{CLUSTER, WEB, root};
use harness::driver::{Fault, run};
use invariants::ledger_reader::FUNCTIONS_STACK;

/// How many shapes there are: those below [`PAIRS_FROM`] are single services, the others blue/green
/// pairs, of which those from [`CANARIES_FROM`] on are judged.
pub const SHAPES: u32 = 120;
/// The number of the first pair.
pub const PAIRS_FROM: u32 = 64;
/// The number of the first pair whose new colour is judged beside the old one.
pub const CANARIES_FROM: u32 = 96;
/// The pipeline of every shape.
pub(super) const PIPELINE: &str = "slipway-web";
/// The stack of the service.
const SERVICE_STACK: &str = "web";
/// Longest that an account may take to become steady, in virtual time.
const STEADY_LIMIT: Duration = Duration::from_secs(3600);
/// How long requests have come to a pair that is judged.
const HISTORY: Duration = Duration::from_secs(20 * 60);
/// The load on a service behind a load balancer …
const REQUESTS_PER_SECOND: f64 = 20.0;
/// … and how many times as much makes a task fully busy.
const ROOM: f64 = 5.0;

/// How tasks are replaced, in the words of the pipeline template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Rolling,
    Doubling,
    MakeRoom,
    BlueGreen,
}

/// The least number of healthy tasks, as the pipeline's parameters give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    Unsaid,
    Percent(u32),
    Tasks(u32),
}

/// How the traffic of a pair moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shift {
    AllAtOnce,
    Linear(u32),
    Listed(&'static str),
    /// In two steps, each judged, before all of it.
    Judged(Canary),
}

/// What only a blue/green pair has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub shift: Shift,
    pub bake_minutes: u32,
    pub minimum_healthy_percent: u32,
    pub drain_minutes: u32,
    /// Bounds of automatic scaling.
    pub capacity: Option<(u32, u32)>,
}

/// One service with its pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub number: u32,
    pub fargate: bool,
    /// On EC2, whether tasks hold a fixed port, so that an instance takes one of them.
    pub static_port: bool,
    pub instances: u32,
    pub load_balanced: bool,
    /// Tasks that the service has before the first push.
    pub count: u32,
    pub grace_secs: u32,
    pub drain_secs: u32,
    pub strategy: Strategy,
    pub floor: Floor,
    /// The most tasks, in percent; nothing when it is not said.
    pub maximum_percent: Option<u32>,
    pub desired_count: Option<u32>,
    pub initial_count: Option<u32>,
    pub deadline_minutes: u32,
    pub approval: bool,
    pub queued: bool,
    pub pair: Option<Pair>,
}

impl Shape {
    /// The shape of a number below [`SHAPES`].
    #[must_use]
    pub fn nth(number: u32) -> Self {
        if number >= PAIRS_FROM {
            return Self::pair(number);
        }

        let mut rng = fastrand::Rng::with_seed(u64::from(number) * 7919 + 17);
        let fargate = rng.bool();
        let static_port = !fargate && rng.bool();
        let count = if rng.u8(..8) == 0 && !static_port {
            0
        } else {
            rng.u32(1..=4)
        };
        let desired_count = (rng.u8(..3) == 0 && !static_port).then(|| rng.u32(1..=4));
        let initial_count = rng.bool().then(|| rng.u32(1..=3));
        let size = desired_count.unwrap_or(if count == 0 {
            initial_count.unwrap_or(1)
        } else {
            count
        });
        let strategy = match (static_port, rng.u8(..3)) {
            (_, 0) if size > 1 => Strategy::MakeRoom,
            (_, 1) => Strategy::Doubling,
            _ => Strategy::Rolling,
        };
        let (floor, maximum_percent) = match strategy {
            Strategy::Doubling | Strategy::BlueGreen => (Floor::Unsaid, None),
            Strategy::MakeRoom if rng.bool() => (Floor::Unsaid, None),
            Strategy::MakeRoom => (Floor::Tasks(rng.u32(0..size)), None),
            Strategy::Rolling => rolling(&mut rng, size),
        };

        // With a fixed port a new task needs an instance without an old one.
        let instances = count.max(1)
            + if strategy == Strategy::MakeRoom {
                rng.u32(0..=1)
            } else {
                rng.u32(1..=2)
            };

        Self {
            number,
            fargate,
            static_port,
            instances,
            load_balanced: fargate && rng.u8(..4) > 0 || !fargate && rng.bool(),
            count,
            grace_secs: [0, 60, 300][rng.usize(..3)].max(if rng.bool() { 60 } else { 0 }),
            drain_secs: [0, 5, 30, 60][rng.usize(..4)],
            strategy,
            floor,
            maximum_percent,
            desired_count,
            initial_count,
            deadline_minutes: [4, 4, 15][rng.usize(..3)],
            approval: rng.u8(..3) == 0,
            queued: rng.u8(..4) == 0,
            pair: None,
        }
    }

    fn pair(number: u32) -> Self {
        let mut rng = fastrand::Rng::with_seed(u64::from(number) * 7919 + 17);
        let capacity = rng.bool().then(|| (rng.u32(1..=2), rng.u32(4..=6)));
        let count = if rng.u8(..8) == 0 && capacity.is_none() {
            0
        } else {
            rng.u32(1..=4)
        };
        let shift = match rng.u8(..3) {
            _ if number >= CANARIES_FROM => Shift::Judged(Canary::draw(&mut rng)),
            0 => Shift::AllAtOnce,
            1 => Shift::Linear([34, 50, 60][rng.usize(..3)]),
            _ => Shift::Listed(["5,50,100", "25,100", "1,100"][rng.usize(..3)]),
        };
        let pair = Pair {
            shift,
            bake_minutes: [0, 0, 1][rng.usize(..3)],
            minimum_healthy_percent: [50, 75, 100][rng.usize(..3)],
            drain_minutes: [0, 0, 3][rng.usize(..3)],
            capacity,
        };
        let fargate = rng.bool();

        Self {
            number,
            fargate,
            static_port: false,
            instances: if fargate { 1 } else { rng.u32(2..=3) },
            load_balanced: true,
            count: capacity.map_or(count, |(least, _)| count.max(least)),
            grace_secs: [60, 300][rng.usize(..2)],
            drain_secs: [0, 5, 30][rng.usize(..3)],
            strategy: Strategy::BlueGreen,
            floor: Floor::Unsaid,
            maximum_percent: None,
            desired_count: None,
            initial_count: rng.bool().then(|| rng.u32(1..=3)),
            deadline_minutes: [4, 4, 15][rng.usize(..3)],
            approval: rng.u8(..3) == 0,
            queued: rng.u8(..4) == 0,
            pair: Some(pair),
        }
    }

    /// How new versions are judged, if they are.
    #[must_use]
    pub fn canary(&self) -> Option<&Canary> {
        match &self.pair.as_ref()?.shift {
            Shift::Judged(canary) => Some(canary),
            Shift::AllAtOnce | Shift::Linear(_) | Shift::Listed(_) => None,
        }
    }

    /// Whether a judge has traffic enough to both colours: an old one without tasks answers
    /// nothing.
    pub(super) fn can_compare(&self) -> bool {
        self.count > 0 && self.canary().is_some_and(Canary::is_busy)
    }

    /// Whether a rollout may run out of time with nothing wrong.
    #[must_use]
    pub fn is_hasty(&self) -> bool {
        self.deadline_minutes < 15
    }

    /// Tasks that a release leaves the service with when it begins with `live` ones.
    #[must_use]
    pub fn size(&self, live: u32) -> u32 {
        self.desired_count.unwrap_or(if live == 0 {
            self.initial_count.unwrap_or(1)
        } else {
            live
        })
    }

    /// Tasks that stay healthy while `size` of them are replaced, by the words of the strategy. ECS
    /// knows percentages only: a number of tasks became one for at most `most` tasks, and is less
    /// of a service that a person makes smaller in between.
    #[must_use]
    pub fn promised(&self, size: u32, most: u32) -> u32 {
        if let Some((least, _)) = self.pair.as_ref().and_then(|pair| pair.capacity) {
            return size.min(least);
        }
        match (self.floor, self.strategy) {
            (Floor::Percent(percent), _) => (size * percent).div_ceil(100),
            (Floor::Tasks(0), _) => 0,
            (Floor::Tasks(tasks), _) if tasks >= most => size,
            (Floor::Tasks(tasks), _) => {
                tasks.min((size * ((tasks - 1) * 100 / most + 1)).div_ceil(100))
            }
            (Floor::Unsaid, Strategy::MakeRoom) => size.saturating_sub(1),
            (Floor::Unsaid, _) => size,
        }
    }

    /// An account with the service, its pipeline and the functions, steady. The same every time.
    ///
    /// # Errors
    /// What a template or a service refused.
    pub fn account(&self) -> Result<Aws, String> {
        static ACCOUNTS: Mutex<BTreeMap<u32, Aws>> = Mutex::new(BTreeMap::new());

        if let Some(known) = ACCOUNTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&self.number)
        {
            return Ok(known.clone());
        }

        let made = self.made()?;
        ACCOUNTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(self.number, made.clone());
        Ok(made)
    }

    fn made(&self) -> Result<Aws, String> {
        let mut aws = Aws::new(u64::from(self.number));
        ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": CLUSTER}))
            .map_err(|e| e.to_string())?;
        ecs::add_container_instances(&mut aws, CLUSTER, self.instances);
        self.update_service_stack(&mut aws)?;
        stack(&mut aws, FUNCTIONS_STACK, "template.yaml", &[])?;

        match &self.pair {
            None => stack(
                &mut aws,
                "web-pipeline",
                "infra/pipelines/in-place.yaml",
                &self.pipeline_parameters(),
            )?,
            Some(pair) => {
                let parameters = self.pair_parameters(pair, &aws)?;
                let is_judged = self.canary().is_some();
                let template = if is_judged { "canary" } else { "blue-green" };
                stack(
                    &mut aws,
                    "web-pipeline",
                    &format!("infra/pipelines/{template}.yaml"),
                    &parameters,
                )?;

                if is_judged {
                    cloudwatch::set_alarm(&mut aws, ALARM, "OK");
                }
            }
        }

        let counts = match self.pair {
            None => vec![(WEB.to_owned(), self.count)],
            Some(_) => vec![
                (format!("{WEB}-blue"), self.count),
                (format!("{WEB}-green"), 0),
            ],
        };
        for (service, count) in counts {
            let asked = json!({"cluster": CLUSTER, "service": service, "desiredCount": count});
            ecs::call(&mut aws, "UpdateService", &asked).map_err(|e| e.to_string())?;
        }

        run(aws, Fault::None, async |driver| {
            let steady = |aws: &Aws| {
                aws.ecs.services.values().all(|service| {
                    !service.is_deploying()
                        && aws.ecs.tasks_of(&service.arn).count() == service.desired_count as usize
                }) && aws.codepipeline.executions.iter().all(Execution::is_over)
            };
            driver.until(STEADY_LIMIT, &mut |_| Ok(()), steady).await?;

            if let Some(canary) = self.canary() {
                load(&mut driver.world.aws(), Some(canary));
                // A judge asks what was usual before.
                driver
                    .until(HISTORY, &mut |_| Ok(()), |_| false)
                    .await
                    .unwrap_or_default();
            }
            Ok(driver.world.snapshot())
        })
    }

    /// Deploys the service's stack, or updates it.
    ///
    /// # Errors
    /// What the template or a service refused.
    pub fn update_service_stack(&self, aws: &mut Aws) -> Result<(), String> {
        let tight = self.strategy == Strategy::MakeRoom && self.count > 1;
        let parameters = [
            ("Name", WEB.to_owned()),
            ("VpcId", "vpc-0a1b2c3d".to_owned()),
            ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e".to_owned()),
            ("Cluster", CLUSTER.to_owned()),
            (
                "LaunchType",
                if self.fargate { "FARGATE" } else { "EC2" }.to_owned(),
            ),
            (
                "HostPort",
                if self.static_port { "80" } else { "0" }.to_owned(),
            ),
            ("LoadBalanced", yes(self.load_balanced)),
            ("HealthCheckGraceSeconds", self.grace_secs.to_string()),
            ("DeregistrationDelaySeconds", self.drain_secs.to_string()),
            (
                "MinimumHealthyPercent",
                if tight { "50" } else { "100" }.to_owned(),
            ),
            (
                "MaximumPercent",
                if tight { "100" } else { "200" }.to_owned(),
            ),
        ];

        let mut parameters = parameters.to_vec();
        if let Some(pair) = &self.pair {
            parameters.push(("BlueGreen", yes(true)));
            if let Some((least, most)) = pair.capacity {
                parameters.extend([
                    ("MinCapacity", least.to_string()),
                    ("MaxCapacity", most.to_string()),
                ]);
            }
        }
        stack(aws, SERVICE_STACK, "infra/service.yaml", &parameters)
    }

    fn pair_parameters(
        &self,
        pair: &Pair,
        aws: &Aws,
    ) -> Result<Vec<(&'static str, String)>, String> {
        let mut parameters = vec![
            ("Name", WEB.to_owned()),
            ("Cluster", CLUSTER.to_owned()),
            ("Service", WEB.to_owned()),
            (
                "Rule",
                production_rule(aws).ok_or("the pair has no production rule")?,
            ),
            ("Repository", WEB.to_owned()),
            ("ContainerName", "web".to_owned()),
            (
                "ExecutionMode",
                if self.queued { "QUEUED" } else { "SUPERSEDED" }.to_owned(),
            ),
            ("DeadlineMinutes", self.deadline_minutes.to_string()),
            ("Approval", yes(self.approval)),
            ("BakeMinutes", pair.bake_minutes.to_string()),
            (
                "MinimumHealthyPercent",
                pair.minimum_healthy_percent.to_string(),
            ),
            ("DrainMinutes", pair.drain_minutes.to_string()),
        ];
        parameters.extend(
            self.initial_count
                .map(|count| ("InitialCount", count.to_string())),
        );
        let shift = match &pair.shift {
            Shift::AllAtOnce => vec![("Shift", "all-at-once".to_owned())],
            Shift::Linear(percent) => vec![
                ("Shift", "linear".to_owned()),
                ("StepPercent", percent.to_string()),
            ],
            Shift::Listed(steps) => vec![
                ("Shift", "listed".to_owned()),
                ("Steps", (*steps).to_owned()),
            ],
            Shift::Judged(canary) => canary.parameters(),
        };
        parameters.extend(shift);

        if self.canary().is_none() {
            parameters.push(("StepMinutes", "1".to_owned()));
        }
        Ok(parameters)
    }

    fn pipeline_parameters(&self) -> Vec<(&'static str, String)> {
        let strategy = match self.strategy {
            Strategy::Rolling => "rolling",
            Strategy::Doubling => "doubling",
            Strategy::MakeRoom | Strategy::BlueGreen => "make-room",
        };
        let mut parameters = vec![
            ("Name", WEB.to_owned()),
            ("Cluster", CLUSTER.to_owned()),
            ("Service", WEB.to_owned()),
            ("Repository", WEB.to_owned()),
            ("ContainerName", "web".to_owned()),
            (
                "ExecutionMode",
                if self.queued { "QUEUED" } else { "SUPERSEDED" }.to_owned(),
            ),
            ("Strategy", strategy.to_owned()),
            ("DeadlineMinutes", self.deadline_minutes.to_string()),
            ("Approval", yes(self.approval)),
        ];
        match self.floor {
            Floor::Unsaid => {}
            Floor::Percent(percent) => {
                parameters.push(("MinimumHealthyPercent", percent.to_string()))
            }
            Floor::Tasks(tasks) => parameters.push(("MinimumHealthyTasks", tasks.to_string())),
        }

        parameters.extend(
            self.maximum_percent
                .map(|percent| ("MaximumPercent", percent.to_string())),
        );
        parameters.extend(
            self.desired_count
                .map(|count| ("DesiredCount", count.to_string())),
        );
        parameters.extend(
            self.initial_count
                .map(|count| ("InitialCount", count.to_string())),
        );
        parameters
    }
}

/// The rule whose weights send production traffic to the colours of a pair.
pub(super) fn production_rule(aws: &Aws) -> Option<String> {
    aws.cloudformation
        .export(&format!("{SERVICE_STACK}-ProductionRuleArn"))
        .map(ToOwned::to_owned)
}

/// Lets requests come to what is behind a load balancer, as many as a judge needs where there is
/// one.
pub(super) fn load(aws: &mut Aws, canary: Option<&Canary>) {
    let loaded = production_rule(aws).or_else(|| aws.elb.listeners.keys().next().cloned());
    let rate = canary.map_or(REQUESTS_PER_SECOND, |canary| {
        f64::from(canary.requests_per_second)
    });

    if let Some(loaded) = loaded {
        aws.traffic.requests_per_task = ROOM * rate;
        traffic::set(aws, &loaded, rate);
    }
}

/// A floor and a ceiling between which `size` tasks can be replaced.
fn rolling(rng: &mut fastrand::Rng, size: u32) -> (Floor, Option<u32>) {
    let maximum = rng.bool().then(|| rng.u32(100..=200));
    let ceiling = size * maximum.unwrap_or(200) / 100;
    let floor = match rng.u8(..3) {
        0 => Floor::Unsaid,
        1 => Floor::Percent(rng.u32(0..=100)),
        _ => Floor::Tasks(rng.u32(0..=size)),
    };
    let kept = match floor {
        Floor::Unsaid => size,
        Floor::Percent(percent) => (size * percent).div_ceil(100),
        Floor::Tasks(tasks) => tasks,
    };

    if kept >= size && ceiling <= size {
        (floor, None)
    } else {
        (floor, maximum)
    }
}

fn yes(it_is: bool) -> String {
    if it_is { "yes" } else { "no" }.to_owned()
}

fn stack(
    aws: &mut Aws,
    name: &str,
    template: &str,
    parameters: &[(&str, String)],
) -> Result<(), String> {
    let parameters = parameters
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    cloudformation::deploy(aws, name, &root().join(template), &parameters)
        .map_err(|e| format!("stack {name}: {e}"))
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let launch = match (self.fargate, self.static_port) {
            (true, _) => "Fargate".to_owned(),
            (false, true) => format!("{} instances, one task each", self.instances),
            (false, false) => format!("{} instances", self.instances),
        };
        write!(f, "service of {} tasks on {launch}", self.count)?;

        if self.load_balanced {
            write!(
                f,
                " behind a load balancer ({} s grace, {} s draining)",
                self.grace_secs, self.drain_secs
            )?;
        }

        write!(f, "; {:?}", self.strategy)?;
        match self.floor {
            Floor::Unsaid => {}
            Floor::Percent(percent) => write!(f, ", at least {percent} % healthy")?,
            Floor::Tasks(tasks) => write!(f, ", at least {tasks} healthy")?,
        }
        if let Some(pair) = &self.pair {
            match &pair.shift {
                Shift::Judged(canary) => write!(f, " {canary}")?,
                other => write!(f, " {other:?}")?,
            }

            write!(
                f,
                ", bakes {} min, drains {} min",
                pair.bake_minutes, pair.drain_minutes
            )?;
            write!(f, ", at least {} % healthy", pair.minimum_healthy_percent)?;

            if let Some((least, most)) = pair.capacity {
                write!(f, ", scaled from {least} to {most}")?;
            }
        }
        if let Some(maximum) = self.maximum_percent {
            write!(f, ", at most {maximum} %")?;
        }
        if let Some(count) = self.desired_count {
            write!(f, ", sets {count} tasks")?;
        }

        write!(f, "; {} min a rollout", self.deadline_minutes)?;
        write!(
            f,
            "{}",
            if self.approval {
                "; with an approval"
            } else {
                ""
            }
        )?;
        write!(f, "{}", if self.queued { "; queued" } else { "" })
    }
}
