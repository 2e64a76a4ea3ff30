//! Releases in which every action of every function and of the pipeline is called.

use std::sync::OnceLock;
use std::time::Duration;

use behaviour::{
    account, add_capacity_provider, found_roles, notices, on_all_cores, only_check, pair,
    use_capacity_provider,
};
use emulator::codepipeline::Execution;
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, cloudformation, ecs, iam};
use harness::demo::dns::SITE;
use harness::demo::{self, CHAPTERS, CLUSTER, COUNTER, Chapter, SHOP, WEB, play, push};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{executions, record, text};
use serde_json::json;

use super::by_records::{self, with_pair_by_records};
use super::by_worker;
use super::in_place;
use super::on_instances::{self, WAREHOUSE, with_pair_on_instances};
use super::pairs::{
    fail_canary, fail_canary_on_listener, fail_fill_by_alarm, fail_when_grown, promote_canary,
    release_on_listener, stop_in_bake, stop_on_listener,
};
use super::unreadable;

/// Longest until the report, in virtual time.
pub(super) const PATIENCE: Duration = Duration::from_secs(3_600);

/// Something that happens to the account.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Push(&'static Chapter),
    /// An image that ECR replicates, of which the event does not state what it is.
    Replica,
    /// An operator stops a release while it rolls out, so that `roll-back` restores the prior one.
    StoppedRelease,
    /// The same, after the prior revision was deregistered.
    DeregisteredPrior,
    /// A release in place that ECS rolls back, because an alarm of the service is in ALARM.
    FailedByAlarm,
    /// A new colour of the pair grows and then fails, so that the old one must grow before it takes
    /// the traffic back. What weights from outside are repaired first.
    GrownColour,
    /// A release with this tag, of which ECS rolls the fill back because of an alarm.
    FailedFill(&'static str),
    /// A canary that fails requests while an alarm is looked at, after which both colours grow.
    FailedCanary,
    /// A canary that fails requests, with the pair behind the default action of its listener.
    FailedCanaryOnListener,
    /// A canary that ends well, whose judge reads a file.
    PromotedCanary,
    /// A release that is stopped instead of failing, so that `roll-back` gives the traffic back,
    /// and with the pair behind the default action of its listener.
    StoppedOnListener,
    /// A release behind the default action of a listener that ends well.
    ReleaseOnListener,
    /// The job that registers a revision is delivered once more, and finds what it registered.
    RepeatedRegistration,
    /// An operator stops an execution before its release begins.
    NeverBegun,
    /// Tasks with a static port on a cluster in which an instance drains, and whose capacity
    /// provider may add instances.
    GrowingCluster,
    /// Releases of a service and of the pair that are only checked.
    DryRun,
    /// A release whose base is the newest revision of its family.
    NewestBase,
    /// A release of what ran before an update of the service by its own stack.
    StackUpdate,
    /// A release that runs a one-off task before the update.
    Migration,
    /// The same with a task that takes too long.
    SlowMigration,
    /// A release of a pair whose tasks hold a static port of instances.
    PairOnInstances,
    /// A release of a pair behind two weighted records.
    ReleaseByRecords,
    /// The stack of a pipeline finds the roles of its service.
    FoundRoles,
    /// A job of each custom action type, which the step or the worker refuses.
    CustomJobs,
    /// A release that waits for an approval, with notices.
    Notices,
    /// Jobs that no step can read, so that each records and reports the reason.
    UnreadableJobs,
}

/// What the demo does not show, and needs permissions of its own.
const NOT_IN_DEMO: [Event; 26] = [
    Event::Replica,
    Event::StoppedRelease,
    Event::DeregisteredPrior,
    Event::FailedByAlarm,
    Event::GrownColour,
    Event::FailedCanary,
    Event::FailedCanaryOnListener,
    Event::PromotedCanary,
    Event::StoppedOnListener,
    Event::FailedFill("9.11.0"),
    Event::ReleaseOnListener,
    // The other colour is idle now.
    Event::FailedFill("9.12.0"),
    Event::RepeatedRegistration,
    Event::NeverBegun,
    Event::GrowingCluster,
    Event::DryRun,
    Event::NewestBase,
    Event::StackUpdate,
    Event::Migration,
    Event::SlowMigration,
    Event::PairOnInstances,
    Event::ReleaseByRecords,
    Event::FoundRoles,
    Event::CustomJobs,
    Event::Notices,
    Event::UnreadableJobs,
];

/// An event, the account that it begins on, what it demands of roles, and the roles at its end.
pub(super) struct Scene {
    pub(super) event: Event,
    pub(super) before: Aws,
    pub(super) iam: iam::Iam,
    pub(super) roles: cloudformation::Iam,
}

impl Scene {
    fn of(event: Event, before: Aws, after: &Aws) -> Self {
        assert_eq!(after.iam.denials, [], "{event:?}");
        Self {
            event,
            before,
            iam: after.iam.clone(),
            roles: after.cloudformation.iam.clone(),
        }
    }
}

impl Event {
    /// Whether the pair's pipeline becomes one with judgements.
    pub(super) fn is_canary(self) -> bool {
        matches!(
            self,
            Self::FailedCanary | Self::FailedCanaryOnListener | Self::PromotedCanary
        )
    }

    /// Whether it needs another pipeline, or no sweep: the scene after it begins where this one
    /// began.
    fn is_aside(self) -> bool {
        let others = matches!(
            self,
            Self::DryRun
                | Self::FoundRoles
                | Self::CustomJobs
                | Self::Notices
                | Self::UnreadableJobs
        );
        others || self.is_canary()
    }

    pub(crate) async fn begin(self, driver: &Driver) {
        match self {
            Self::Push(chapter) => begin_chapter(driver, chapter).await,
            Self::Replica => {
                let aws = &mut driver.world.aws();
                ecr::replicate(aws, WEB, "9.8.0", Behaviour::Healthy, "us-west-2")
                    .expect("replicated");
            }
            Self::StoppedRelease => in_place::stop_a_release(driver, "9.0.0").await,
            Self::DeregisteredPrior => {
                in_place::deregister_prior(&mut driver.world.aws());
                in_place::stop_a_release(driver, "9.6.0").await;
            }
            Self::FailedByAlarm => in_place::fail_by_alarm(driver, "9.7.0").await,
            Self::RepeatedRegistration => in_place::repeat_registration(driver).await,
            Self::NeverBegun => in_place::stop_before_begin(driver).await,
            Self::GrowingCluster => release_on_capacity_provider(driver),
            Self::DryRun => check_only(driver),
            Self::NewestBase => release_from_newest(driver),
            Self::StackUpdate => in_place::reset_by_stack(&mut driver.world.aws()),
            Self::Migration => in_place::migrate(driver, "9.13.0", false),
            Self::SlowMigration => in_place::migrate(driver, "9.14.0", true),
            Self::PairOnInstances => on_instances::push(&mut driver.world.aws()),
            Self::ReleaseByRecords => by_records::push(&mut driver.world.aws()),
            Self::FoundRoles => found_roles::begin(&mut driver.world.aws(), &[]),
            Self::CustomJobs => by_worker::start(&mut driver.world.aws()),
            Self::Notices => drop(notices::wait_for_approval(driver, "9.15.0")),
            Self::GrownColour => fail_when_grown(driver).await,
            Self::FailedFill(tag) => fail_fill_by_alarm(driver, tag).await,
            Self::FailedCanary => fail_canary(driver).await,
            Self::FailedCanaryOnListener => fail_canary_on_listener(driver),
            Self::PromotedCanary => promote_canary(driver),
            Self::StoppedOnListener => stop_on_listener(driver).await,
            Self::ReleaseOnListener => drop(release_on_listener(driver, "9.2.0")),
            Self::UnreadableJobs => unreadable::give(&mut driver.world.aws()),
        }
    }

    /// Plays it to its end, as it should end.
    pub(super) fn play(self, aws: Aws) -> Aws {
        if let Self::Push(chapter) = self {
            return play(aws, chapter, Fault::None, &mut |_| {})
                .expect("the demo goes as expected")
                .aws;
        }

        let known = aws.codepipeline.executions.len();
        run(aws, Fault::None, async |driver| {
            self.begin(&driver).await;
            match self {
                Self::UnreadableJobs => {
                    let over = unreadable::are_reported;
                    let reported = driver.until(PATIENCE, &mut nothing_denied, over).await;
                    reported.expect("each step reports its job");
                }
                Self::Replica
                | Self::Migration
                | Self::RepeatedRegistration
                | Self::StackUpdate => ended(&driver, known, WEB, "deployed").await,
                Self::StoppedRelease | Self::DeregisteredPrior | Self::FailedByAlarm => {
                    ended(&driver, known, WEB, "rolled-back").await
                }
                Self::NeverBegun | Self::SlowMigration => {
                    ended(&driver, known, WEB, "failed").await
                }
                Self::GrowingCluster | Self::NewestBase => {
                    ended(&driver, known, COUNTER, "deployed").await
                }
                Self::ReleaseByRecords => ended(&driver, known, SITE, "deployed").await,
                Self::DryRun => checked(&driver, known).await,
                Self::CustomJobs => {
                    checked(&driver, known).await;
                    polled(&driver).await;
                }
                Self::Notices => announced(&driver).await,
                Self::FoundRoles => found_roles::complete(&driver, found_roles::STACK).await,
                Self::PairOnInstances => ended(&driver, known, WAREHOUSE, "deployed").await,
                Self::ReleaseOnListener | Self::PromotedCanary => {
                    ended(&driver, known, SHOP, "deployed").await
                }
                _ => ended(&driver, known, SHOP, "rolled-back").await,
            }
            driver.world.snapshot()
        })
    }
}

/// The schedule polls every minute.
async fn polled(driver: &Driver) {
    let listed = |aws: &Aws| {
        let mut calls = aws.calls.iter();
        calls.any(|call| call.operation == "ListActionTypes")
    };
    let polled = driver.until(PATIENCE, &mut nothing_denied, listed).await;
    polled.expect("it polls");
}

/// The approval is announced.
async fn announced(driver: &Driver) {
    let over = |aws: &Aws| notices::events(aws, "Slipway Release Waiting") > 0;
    let announced = driver.until(PATIENCE, &mut nothing_denied, over).await;
    announced.expect("it is announced");
}

async fn begin_chapter(driver: &Driver, chapter: &Chapter) {
    let pushed = push(&mut driver.world.aws(), chapter).expect("pushed");
    if chapter.operator == demo::Operator::StopsInBake {
        stop_in_bake(driver, &pushed).await;
    }
}

/// Moves the counter's service to a capacity provider beside an instance that drains, and pushes an
/// image.
fn release_on_capacity_provider(driver: &Driver) {
    let aws = &mut driver.world.aws();
    ecs::add_container_instances(aws, CLUSTER, 1);
    let mut instances = aws.ecs.instances.values();
    let free = instances.find(|instance| instance.ports.is_empty());
    let free = free.expect("a new instance").arn.clone();
    let drained = json!({"cluster": CLUSTER, "containerInstances": [free], "status": "DRAINING"});
    ecs::call(aws, "UpdateContainerInstancesState", &drained).expect("it is there");
    add_capacity_provider(aws, "ENABLED");
    use_capacity_provider(aws, COUNTER);
    ecr::push(aws, COUNTER, "9.6.0", Behaviour::Healthy).expect("pushed");
}

/// Makes the newest revision the base of the counter's releases, and pushes an image.
fn release_from_newest(driver: &Driver) {
    let aws = &mut driver.world.aws();
    let base = [("Base", "newest"), ("TaskDefinitionFile", "")];
    pair::update(aws, "page-counter-pipeline", &base);
    ecr::push(aws, COUNTER, "9.10.0", Behaviour::Healthy).expect("pushed");
}

/// Pushes to a service and to the pair an image of which a release is only checked.
fn check_only(driver: &Driver) {
    let aws = &mut driver.world.aws();
    for application in [WEB, SHOP] {
        only_check(aws, &format!("slipway-{application}"), json!({}));
        ecr::push(aws, application, "9.9.5", Behaviour::Healthy).expect("pushed");
    }
}

/// Lets an execution end that leaves no record.
async fn checked(driver: &Driver, known: usize) {
    let over = |aws: &Aws| {
        let mut newer = aws.codepipeline.executions.iter().skip(known).peekable();
        newer.peek().is_some() && newer.all(Execution::is_over)
    };
    driver
        .until(PATIENCE, &mut nothing_denied, over)
        .await
        .expect("it ends");
}

/// The templates must allow all that a scene needs.
fn nothing_denied(aws: &Aws) -> Result<(), String> {
    let denied = aws.iam.denials.first();
    denied.map_or(Ok(()), |denial| Err(denial.message.clone()))
}

/// Lets a release end that is newer than this many executions, as it should.
pub(super) async fn ended(driver: &Driver, known: usize, application: &str, outcome: &str) {
    let over = |aws: &Aws| {
        if aws.codepipeline.executions.len() == known {
            return false;
        }

        let newest = executions(aws, &format!("slipway-{application}")).next_back();
        let record = newest
            .filter(|execution| execution.is_over())
            .and_then(|newest| record(aws, &newest.id));
        let over = aws.codepipeline.executions.iter().all(Execution::is_over);
        over && record.is_some_and(|record| text(&record, "state") == Some("closed"))
    };
    driver
        .until(PATIENCE, &mut nothing_denied, over)
        .await
        .expect("it ends");
    let aws = driver.world.aws();
    let newest = executions(&aws, &format!("slipway-{application}"))
        .next_back()
        .expect("it ran");
    let record = record(&aws, &newest.id).expect("recorded");

    assert_eq!(
        text(&record, "outcome"),
        Some(outcome),
        "{:?}",
        text(&record, "reason")
    );
}

/// The chapters and scenes that they do not cover, and the account at the end. They are played
/// once.
pub(super) fn scenes() -> &'static (Vec<Scene>, Aws) {
    static SCENES: OnceLock<(Vec<Scene>, Aws)> = OnceLock::new();
    SCENES.get_or_init(play_all)
}

fn play_all() -> (Vec<Scene>, Aws) {
    let mut aws = account();
    let (mut scenes, mut aside) = (Vec::new(), Vec::new());
    let events = CHAPTERS.iter().map(Event::Push).chain(NOT_IN_DEMO);
    for (number, event) in events.enumerate() {
        aws = match event {
            Event::PairOnInstances => with_pair_on_instances(aws),
            Event::ReleaseByRecords => with_pair_by_records(aws),
            _ => aws,
        };
        aws.iam.demanded.clear();
        let before = aws.clone();

        if event.is_aside() {
            aside.push((number, event, before));
        } else {
            aws = event.play(aws);
            scenes.push((number, Scene::of(event, before, &aws)));
        }
    }

    scenes.extend(on_all_cores(&aside, |(number, event, before)| {
        let after = event.play(before.clone());
        (*number, Scene::of(*event, before.clone(), &after))
    }));
    scenes.sort_by_key(|(number, _)| *number);
    let scenes = scenes.into_iter().map(|(_, scene)| scene);
    (scenes.collect(), aws)
}
