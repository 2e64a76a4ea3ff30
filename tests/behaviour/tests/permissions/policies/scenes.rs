//! Releases in which every action of every function and of the pipeline is called.

use std::collections::BTreeSet;
use std::time::Duration;

use behaviour::pair::{self, SHORT, listener, set_weights, until_action};
use behaviour::{add_capacity_provider, only_check, use_capacity_provider};
use emulator::cloudwatch::set_alarm;
use emulator::codepipeline::Execution;
use emulator::ecr::{self, Answers, Behaviour, Profile};
use emulator::lambda::{self, InvocationStatus};
use emulator::{Aws, elb, traffic};
use harness::demo::canary::{ask, become_canary};
use harness::demo::{self, CHAPTERS, COUNTER, Chapter, SHOP, WEB, deployed, play, push};
use harness::driver::{Driver, Fault, run};
use harness::functions::STEPS;
use invariants::ledger_reader::{FUNCTIONS_STACK, executions, record, text};
use serde_json::json;

use super::in_place::{deregister_prior, fail_by_alarm, stop_a_release, stop_before_begin};

/// Longest until the report, in virtual time.
pub(super) const PATIENCE: Duration = Duration::from_secs(3_600);

/// Enough of them to show within minutes that an image fails.
const REQUESTS_PER_SECOND: f64 = 1_000.0;
const ALARM: &str = "shop-errors";
/// What a canary pipeline's stack is given so that a release takes minutes.
const JUDGED: [(&str, &str); 3] = [
    ("FirstBakeMinutes", "15"),
    ("BakeMinutes", "1"),
    ("DrainMinutes", "0"),
];

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
    /// A canary that fails requests, while an alarm is looked at and the new colour grows, so that
    /// the old one must grow before it takes the traffic back.
    FailedCanary,
    /// A canary that fails requests, with the pair behind the default action of its listener.
    FailedCanaryOnListener,
    /// A release that is stopped instead of failing, so that `roll-back` gives the traffic back,
    /// and with the pair behind the default action of its listener.
    StoppedOnListener,
    /// A release behind the default action of a listener that ends well.
    ReleaseOnListener,
    /// The job that registers a revision is delivered once more, and finds what it registered.
    RepeatedRegistration,
    /// An operator stops an execution before its release begins.
    NeverBegun,
    /// Tasks with a static port on a cluster whose capacity provider may add instances.
    GrowingCluster,
    /// Releases of a service and of the pair that are only checked.
    DryRun,
    /// A release whose base is the newest revision of its family.
    NewestBase,
    /// Jobs that no step can make sense of, so that each reports a failure.
    SenselessJobs,
}

/// What the demo does not show, and needs permissions of its own.
const UNTOLD: [Event; 15] = [
    Event::Replica,
    Event::StoppedRelease,
    Event::DeregisteredPrior,
    Event::FailedByAlarm,
    Event::GrownColour,
    Event::FailedCanary,
    Event::FailedCanaryOnListener,
    Event::StoppedOnListener,
    Event::ReleaseOnListener,
    Event::RepeatedRegistration,
    Event::NeverBegun,
    Event::GrowingCluster,
    Event::DryRun,
    Event::NewestBase,
    Event::SenselessJobs,
];

/// An event, the account that it begins on, and what it demands of roles: the role's name and the
/// action.
pub(super) struct Scene {
    pub(super) event: Event,
    pub(super) before: Aws,
    pub(super) demanded: BTreeSet<(String, String)>,
}

impl Event {
    /// Whether the pair's pipeline becomes one with judgements.
    pub(super) fn is_canary(self) -> bool {
        matches!(self, Self::FailedCanary | Self::FailedCanaryOnListener)
    }

    pub(crate) async fn begin(self, driver: &Driver) {
        match self {
            Self::Push(chapter) => begin_chapter(driver, chapter).await,
            Self::Replica => {
                let aws = &mut driver.world.aws();
                ecr::replicate(aws, WEB, "9.8.0", Behaviour::Healthy, "us-west-2")
                    .expect("replicated");
            }
            Self::StoppedRelease => stop_a_release(driver, "9.0.0").await,
            Self::DeregisteredPrior => {
                deregister_prior(&mut driver.world.aws());
                stop_a_release(driver, "9.6.0").await;
            }
            Self::FailedByAlarm => fail_by_alarm(driver, "9.7.0").await,
            Self::RepeatedRegistration => repeat_registration(driver).await,
            Self::NeverBegun => stop_before_begin(driver).await,
            Self::GrowingCluster => release_on_capacity_provider(driver),
            Self::DryRun => check_only(driver),
            Self::NewestBase => release_from_newest(driver),
            Self::GrownColour => fail_when_grown(driver).await,
            Self::FailedCanary => fail_canary(driver).await,
            Self::FailedCanaryOnListener => fail_canary_on_listener(driver),
            Self::StoppedOnListener => stop_on_listener(driver).await,
            Self::ReleaseOnListener => drop(release_on_listener(driver, "9.2.0")),
            Self::SenselessJobs => {
                let job =
                    json!({"CodePipeline.job": {"id": "4c5b1b1e-0000-4000-8000-000000000000"}});
                for &step in STEPS {
                    let (function, job) = (format!("{FUNCTIONS_STACK}-{step}"), job.clone());
                    lambda::invoke_async(&mut driver.world.aws(), &function, job)
                        .expect("accepted");
                }
            }
        }
    }

    /// Plays it to its end, as it should end.
    fn play(self, aws: Aws) -> Aws {
        if let Self::Push(chapter) = self {
            return play(aws, chapter, Fault::None, &mut |_| {})
                .expect("the demo goes as expected")
                .aws;
        }

        let known = aws.codepipeline.executions.len();
        run(aws, Fault::None, async |driver| {
            self.begin(&driver).await;
            match self {
                Self::SenselessJobs => {
                    driver
                        .until(Duration::from_secs(5), &mut |_| Ok(()), |_| false)
                        .await
                        .expect_err("time ends it");
                }
                Self::Replica => ended(&driver, known, WEB, "deployed").await,
                Self::StoppedRelease | Self::DeregisteredPrior | Self::FailedByAlarm => {
                    ended(&driver, known, WEB, "rolled-back").await
                }
                Self::RepeatedRegistration => ended(&driver, known, WEB, "deployed").await,
                Self::NeverBegun => ended(&driver, known, WEB, "failed").await,
                Self::GrowingCluster | Self::NewestBase => {
                    ended(&driver, known, COUNTER, "deployed").await
                }
                Self::DryRun => checked(&driver, known).await,
                Self::ReleaseOnListener => ended(&driver, known, SHOP, "deployed").await,
                _ => ended(&driver, known, SHOP, "rolled-back").await,
            }
            driver.world.snapshot()
        })
    }
}

async fn begin_chapter(driver: &Driver, chapter: &Chapter) {
    let pushed = push(&mut driver.world.aws(), chapter).expect("pushed");
    if chapter.operator == demo::Operator::StopsInBake {
        stop_in_bake(driver, &pushed).await;
    }
}

/// Stops a release of the pair once the new colour has traffic; without a permission it does not
/// come so far.
async fn stop_in_bake(driver: &Driver, pushed: &str) {
    if let Ok(execution) = until_action(driver, pushed, "swap-target-groups", 1).await {
        pair::stop(driver, &execution);
    }
}

/// Delivers the event of a registration again once it has succeeded.
async fn repeat_registration(driver: &Driver) {
    let known = driver.world.aws().lambda.invocations.len();
    ecr::push(&mut driver.world.aws(), WEB, "9.5.0", Behaviour::Healthy).expect("pushed");
    let registered = |aws: &Aws| {
        let mut since = aws.lambda.invocations.iter().skip(known);
        let succeeded = since.find(|it| {
            it.function.ends_with("register-task-definition")
                && it.status == InvocationStatus::Succeeded
        });
        succeeded.map(|it| it.id)
    };
    let come = |aws: &Aws| registered(aws).is_some();

    // Without a permission it does not come so far.
    if driver.until(PATIENCE, &mut |_| Ok(()), come).await.is_ok() {
        let aws = &mut driver.world.aws();
        let invocation = registered(aws).expect("it was there");
        lambda::duplicate(aws, invocation, Duration::ZERO);
    }
}

/// Moves the counter's service to a capacity provider, and pushes an image.
fn release_on_capacity_provider(driver: &Driver) {
    let aws = &mut driver.world.aws();
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

/// Pushes to the pair an image that fails its health checks once it gets traffic, and lets the new
/// colour grow meanwhile.
async fn fail_when_grown(driver: &Driver) {
    // Long enough that the image fails in it, whatever is drawn.
    let bake = [&SHORT[..], &[("BakeMinutes", "5")]].concat();
    pair::configure(&mut driver.world.aws(), &bake);
    // The sweep leaves a pair without any traffic to the release.
    set_weights(&mut driver.world.aws(), [0, 0]);
    let pushed = ecr::push(
        &mut driver.world.aws(),
        SHOP,
        "9.0.0",
        Behaviour::FailsUnderTraffic,
    )
    .expect("pushed");

    // Without a permission it does not come so far.
    if until_action(driver, &pushed, "swap-target-groups", 0)
        .await
        .is_ok()
    {
        pair::set(
            &mut driver.world.aws(),
            "shop-green",
            json!({"desiredCount": 3}),
        );
    }
}

/// Asks the shop for something, pushes an image that fails one request in twenty, and lets the new
/// colour grow meanwhile.
async fn fail_canary(driver: &Driver) {
    let pushed = {
        let aws = &mut driver.world.aws();
        set_alarm(aws, ALARM, "OK");
        become_canary(aws, &[&JUDGED[..], &[("Alarms", ALARM)]].concat())
            .expect("the template deploys");
        ask(aws, REQUESTS_PER_SECOND).expect("there is a shop");
        push_failing(aws, "9.3.0")
    };
    // Without a permission it does not come so far.
    if until_action(driver, &pushed, "judge-first", 0)
        .await
        .is_ok()
    {
        pair::set(
            &mut driver.world.aws(),
            "shop-green",
            json!({"desiredCount": 3}),
        );
    }
}

/// The same behind the listener's default action, at weights that no release left.
fn fail_canary_on_listener(driver: &Driver) {
    let aws = &mut driver.world.aws();
    let (listener, actions) = (listener(aws), pair::actions(aws, [60, 40]));
    elb::update_listener(aws, &listener, &json!({ "DefaultActions": actions }))
        .expect("it is there");
    become_canary(aws, &[&JUDGED[..], &[("Rule", listener.as_str())]].concat())
        .expect("the template deploys");
    traffic::set(aws, &listener, REQUESTS_PER_SECOND);
    push_failing(aws, "9.4.0");
}

fn push_failing(aws: &mut Aws, tag: &str) -> String {
    let profile = Profile::of(Answers::GOOD.failing(0.05));
    ecr::push_with(aws, SHOP, tag, Behaviour::Healthy, profile).expect("pushed")
}

async fn stop_on_listener(driver: &Driver) {
    let pushed = release_on_listener(driver, "9.1.0");
    stop_in_bake(driver, &pushed).await;
}

/// Puts the pair behind its listener's default action, at weights that no release left, and pushes
/// an image.
fn release_on_listener(driver: &Driver, tag: &str) -> String {
    let aws = &mut driver.world.aws();
    let (listener, actions) = (listener(aws), pair::actions(aws, [60, 40]));
    elb::update_listener(aws, &listener, &json!({ "DefaultActions": actions }))
        .expect("it is there");
    // Long enough for a look in between, at which an operator can stop it.
    let bake = [("Rule", listener.as_str()), ("BakeMinutes", "3")];
    pair::configure(aws, &[&SHORT[..], &bake].concat());
    ecr::push(aws, SHOP, tag, Behaviour::Healthy).expect("pushed")
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
        .until(PATIENCE, &mut |_| Ok(()), over)
        .await
        .expect("it ends");
}

/// Lets a release end that is newer than so many executions, as it should.
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
        .until(PATIENCE, &mut |_| Ok(()), over)
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

/// The chapters and what they do not tell, and the account at the end.
pub(super) fn scenes() -> (Vec<Scene>, Aws) {
    let mut aws = deployed(1).expect("the stacks deploy");
    let mut scenes = Vec::new();
    for event in CHAPTERS.iter().map(Event::Push).chain(UNTOLD) {
        aws.iam.demanded.clear();
        let before = aws.clone();
        let after = event.play(aws.clone());
        scenes.push(Scene {
            event,
            before,
            demanded: after.iam.demanded.clone(),
        });

        // These need another pipeline: what follows goes on from before them.
        if event.is_canary() || matches!(event, Event::DryRun) {
            assert_eq!(after.iam.denials, [], "{event:?}");
        } else {
            aws = after;
        }
    }
    (scenes, aws)
}
