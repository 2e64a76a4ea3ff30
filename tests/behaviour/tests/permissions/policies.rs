//! Least privilege, both ways: the policies of the templates allow what is called, and nothing that
//! no run ever called. Each action is taken away once, and a report must name it, the resource and
//! the role.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::cloudformation::items;
use emulator::cloudwatch::set_alarm;
use emulator::codepipeline::{self, ActionStatus, Execution, ReportContent};
use emulator::ecr::{self, Answers, Behaviour, Profile};
use emulator::iam::{Demand, Verdict, evaluate};
use emulator::lambda::{self, Outcome};
use emulator::{Aws, elb, traffic};
use harness::functions;
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{FUNCTIONS_STACK, executions, record, text};
use harness::demo::canary::{ask, become_canary};
use harness::demo::{CHAPTERS, COUNTER, Chapter, Person, SHOP, WEB, deployed, play, push};
use serde_json::{Value, json};
use behaviour::pair::{self, SHORT, listener, set_weights, until_action};

/// Longest until the report, in virtual time.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Enough of them to show within minutes that an image fails.
const REQUESTS_PER_SECOND: f64 = 1_000.0;
const ALARM: &str = "shop-errors";
/// What a canary pipeline's stack is given so that a release takes minutes.
const JUDGED: [(&str, &str); 3] = [
    ("FirstBakeMinutes", "15"),
    ("BakeMinutes", "1"),
    ("DrainMinutes", "0"),
];

/// What the pipeline's role may do because CodePipeline's documentation asks for it, though the
/// sandbox's engine never does it: statement and action.
const ONLY_DOCUMENTED: [(&str, &str); 5] = [
    ("ArtifactBucket", "s3:GetBucketAcl"),
    ("ArtifactBucket", "s3:GetBucketLocation"),
    ("ArtifactBucket", "s3:GetBucketVersioning"),
    ("Artifacts", "s3:GetObjectVersion"),
    ("ConfigBucket", "s3:ListBucket"),
];

/// Something that happens to the account.
#[derive(Clone, Copy, Debug)]
enum Event {
    Push(&'static Chapter),
    /// A person stops a release while it rolls out, so that `roll-back` restores the prior one.
    StoppedRelease,
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
    /// A person stops an execution before its release begins.
    NeverBegun,
    /// Jobs that no step can make sense of, so that each reports a failure.
    SenselessJobs,
}

/// What the story does not tell, and needs permissions of its own.
const UNTOLD: [Event; 8] = [
    Event::StoppedRelease,
    Event::GrownColour,
    Event::FailedCanary,
    Event::FailedCanaryOnListener,
    Event::StoppedOnListener,
    Event::ReleaseOnListener,
    Event::NeverBegun,
    Event::SenselessJobs,
];

/// An event, the account that it begins on, and what it demands of roles: the role's name and the
/// action.
struct Scene {
    event: Event,
    before: Aws,
    demanded: BTreeSet<(String, String)>,
}

/// One action of one statement of one role.
#[derive(Clone, Debug)]
struct Permission {
    role: String,
    statement: String,
    action: String,
}

impl Event {
    async fn begin(self, driver: &Driver) {
        match self {
            Self::Push(chapter) => begin_chapter(driver, chapter).await,
            Self::StoppedRelease => stop_a_release(driver).await,
            Self::NeverBegun => stop_before_begin(driver).await,
            Self::GrownColour => fail_when_grown(driver).await,
            Self::FailedCanary => fail_canary(driver).await,
            Self::FailedCanaryOnListener => fail_canary_on_listener(driver),
            Self::StoppedOnListener => stop_on_listener(driver).await,
            Self::ReleaseOnListener => drop(release_on_listener(driver, "9.2.0")),
            Self::SenselessJobs => {
                let job =
                    json!({"CodePipeline.job": {"id": "4c5b1b1e-0000-4000-8000-000000000000"}});
                for &step in functions::STEPS {
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
                Self::StoppedRelease => ended(&driver, known, WEB, "rolled-back").await,
                Self::NeverBegun => ended(&driver, known, WEB, "failed").await,
                Self::ReleaseOnListener => ended(&driver, known, SHOP, "deployed").await,
                _ => ended(&driver, known, SHOP, "rolled-back").await,
            }
            driver.world.snapshot()
        })
    }
}

async fn begin_chapter(driver: &Driver, chapter: &Chapter) {
    let pushed = push(&mut driver.world.aws(), chapter).expect("pushed");
    if chapter.person == Person::StopsInBake {
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

async fn stop_a_release(driver: &Driver) {
    let before = driver.world.aws().codepipeline.executions.len();
    ecr::push(&mut driver.world.aws(), WEB, "9.0.0", Behaviour::Healthy).expect("pushed");
    let rolling = |aws: &Aws| {
        let execution = aws.codepipeline.executions.get(before);
        let action =
            execution.and_then(|execution| execution.latest_action("Release", "update-service"));
        action.is_some_and(|action| {
            action.status == ActionStatus::InProgress && action.external_id.is_some()
        })
    };
    driver
        .until(PATIENCE, &mut |_| Ok(()), rolling)
        .await
        .expect("the rollout begins");
    stop(driver, before);
}

async fn stop_before_begin(driver: &Driver) {
    let before = driver.world.aws().codepipeline.executions.len();
    ecr::push(&mut driver.world.aws(), WEB, "9.9.0", Behaviour::Healthy).expect("pushed");
    let started = |aws: &Aws| {
        let execution = aws.codepipeline.executions.get(before);
        execution
            .and_then(|execution| record(aws, &execution.id))
            .is_some()
    };

    // Without a permission it does not come so far.
    if driver
        .until(PATIENCE, &mut |_| Ok(()), started)
        .await
        .is_ok()
    {
        stop(driver, before);
    }
}

/// Stops an execution of `web` at once.
fn stop(driver: &Driver, execution: usize) {
    let id = driver.world.aws().codepipeline.executions[execution]
        .id
        .clone();
    let asked = json!({
        "pipelineName": format!("slipway-{WEB}"),
        "pipelineExecutionId": id,
        "abandon": true,
        "reason": "a test",
    });
    codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &asked).expect("stopped");
}

/// Pushes to the pair an image that fails its health checks once it gets traffic, and lets the new
/// colour grow meanwhile.
async fn fail_when_grown(driver: &Driver) {
    pair::configure(&mut driver.world.aws(), &SHORT);
    set_weights(&mut driver.world.aws(), [60, 40]);
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
    pair::configure(aws, &[&SHORT[..], &[("Rule", listener.as_str())]].concat());
    ecr::push(aws, SHOP, tag, Behaviour::Healthy).expect("pushed")
}

/// Lets a release end that is newer than so many executions, as it should.
async fn ended(driver: &Driver, known: usize, application: &str, outcome: &str) {
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
fn scenes() -> (Vec<Scene>, Aws) {
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

        // A canary needs another pipeline: what follows goes on from before it.
        match event {
            Event::FailedCanary | Event::FailedCanaryOnListener => {
                assert_eq!(after.iam.denials, [], "{event:?}")
            }
            _ => aws = after,
        }
    }
    (scenes, aws)
}

/// The functions' binaries by the names of their roles.
fn functions(aws: &Aws) -> BTreeMap<String, String> {
    let name = |arn: &str| {
        aws.cloudformation
            .iam
            .role_by_arn(arn)
            .expect("each function has a role of the stack")
            .name
            .clone()
    };
    aws.lambda
        .functions
        .values()
        .map(|function| (name(&function.role), function.code.clone()))
        .collect()
}

/// What a role's statements allow. SAM's own, for logs and the dead-letter queue, have no Sid.
fn permissions(aws: &Aws, role: &str) -> Vec<Permission> {
    let text = |value: &Value| value.as_str().expect("a word").to_owned();
    let statements = aws
        .cloudformation
        .iam
        .role(role)
        .expect("a role of a stack")
        .statements();

    statements
        .filter(|statement| statement.get("Sid").is_some())
        .flat_map(|statement| {
            items(&statement["Action"])
                .iter()
                .map(move |action| (statement, action))
        })
        .map(|(statement, action)| Permission {
            role: role.to_owned(),
            statement: text(&statement["Sid"]),
            action: text(action),
        })
        .collect()
}

/// Gives the action to the statement, or takes it away.
fn change(aws: &mut Aws, permission: &Permission, give: bool) {
    let role = aws
        .cloudformation
        .iam
        .role_mut(&permission.role)
        .expect("a role of a stack");
    let statements = role
        .policies
        .values_mut()
        .filter_map(|document| document["Statement"].as_array_mut())
        .flatten();

    for statement in statements.filter(|statement| statement["Sid"] == permission.statement) {
        let kept = items(&statement["Action"])
            .iter()
            .filter(|action| **action != permission.action);
        let added = give.then(|| json!(permission.action));
        statement["Action"] = kept.cloned().chain(added).collect();
    }
}

/// Compares the functions' policies in template.yaml with what was demanded of their roles.
fn compare(aws: &Aws, scenes: &[Scene]) -> Result<(), String> {
    for (role, function) in functions(aws) {
        let allowed: BTreeSet<String> = permissions(aws, &role)
            .into_iter()
            .map(|known| known.action)
            .collect();
        let all = scenes.iter().flat_map(|scene| &scene.demanded);
        let called: BTreeSet<String> = all
            .filter(|(demanded_of, _)| *demanded_of == role)
            .map(|(_, action)| action.clone())
            .collect();
        let missing: Vec<_> = called.difference(&allowed).collect();
        let unused: Vec<_> = allowed.difference(&called).collect();

        match (missing.is_empty(), unused.is_empty()) {
            (true, true) => {}
            (false, _) => {
                return Err(format!(
                    "template.yaml does not allow {function} to call {missing:?}"
                ));
            }
            (_, false) => {
                return Err(format!(
                    "template.yaml allows {function} {unused:?}, which it never calls"
                ));
            }
        }
    }
    Ok(())
}

/// Everything that a person can read: how jobs and actions failed, and the errors of functions in
/// their logs.
fn reports(aws: &Aws) -> Vec<(&str, &str)> {
    let jobs = aws
        .codepipeline
        .jobs
        .iter()
        .flat_map(|job| &job.reports)
        .filter_map(|report| match &report.content {
            ReportContent::Failure { kind, message } => Some((kind.as_str(), message.as_str())),
            ReportContent::Success { .. } => None,
        });
    let stages = aws
        .codepipeline
        .executions
        .iter()
        .flat_map(|execution| &execution.stages);
    let actions = stages
        .flat_map(|stage| &stage.actions)
        .filter_map(|action| action.error.as_ref());
    let actions = actions.map(|error| (error.code.as_str(), error.message.as_str()));
    let attempts = aws
        .lambda
        .invocations
        .iter()
        .flat_map(|invocation| &invocation.attempts);
    let errors = attempts.filter_map(|attempt| match &attempt.outcome {
        Some(Outcome::Failed(message)) => Some(("function", message.as_str())),
        _ => None,
    });
    jobs.chain(actions).chain(errors).collect()
}

/// The kind of failure by which a person learns that the permission is missing: role, action and
/// resource.
fn learned(aws: &Aws, missing: &Permission) -> Option<String> {
    let Permission { role, action, .. } = missing;
    let mut denials = aws.iam.denials.iter();
    let resource = &denials
        .find(|denial| denial.role == *role && denial.action == *action)?
        .resource;
    let places = [
        format!("resource: {resource}"),
        format!("resource: \"{resource}\""),
        format!("resource {resource}"),
    ];
    let names = |message: &str| {
        message.contains(action)
            && message.contains(role)
            && places.iter().any(|place| message.contains(place))
    };

    reports(aws)
        .into_iter()
        .find(|(_, message)| names(message))
        .map(|(kind, _)| kind.to_owned())
}

/// Takes one permission away, plays the first scene that demands it, and answers how a person
/// learns of it.
fn without(scenes: &[Scene], missing: &Permission) -> Result<String, String> {
    let demand = (missing.role.clone(), missing.action.clone());
    let scene = scenes
        .iter()
        .find(|scene| scene.demanded.contains(&demand))
        .ok_or("no scene demands it")?;
    let mut aws = scene.before.clone();
    change(&mut aws, missing, false);

    run(aws, Fault::None, async |driver| {
        scene.event.begin(&driver).await;
        let known = |aws: &Aws| learned(aws, missing).is_some();
        let ended = driver.until(PATIENCE, &mut |_| Ok(()), known).await;
        let aws = driver.world.aws();

        learned(&aws, missing).ok_or_else(|| {
            format!(
                "{:?}: not reported: {ended:?}, denied {:?}, reported {:?}",
                scene.event,
                aws.iam.denials,
                reports(&aws)
            )
        })
    })
}

/// Takes each permission away and compares how a person learns of it with what is expected.
fn with_each_missing(
    scenes: &[Scene],
    permissions: &[Permission],
    expected: impl Fn(&Permission) -> &'static str,
) {
    let mut wrong = Vec::new();
    for missing in permissions {
        match without(scenes, missing) {
            Ok(kind) if kind == expected(missing) => {}
            Ok(kind) => wrong.push(format!(
                "{missing:?}: reported as {kind}, expected {}",
                expected(missing)
            )),
            Err(error) => wrong.push(format!("{missing:?}: {error}")),
        }
    }

    println!("{} permissions, each missing once", permissions.len());
    assert!(!permissions.is_empty(), "there is nothing to take away");
    assert!(
        wrong.is_empty(),
        "{} of {} went wrong:\n{}",
        wrong.len(),
        permissions.len(),
        wrong.join("\n")
    );
}

#[test]
fn policies_allow_what_is_called_and_no_more() {
    let (scenes, mut aws) = scenes();
    assert_eq!(aws.iam.denials, [], "the templates lack a permission");

    compare(&aws, &scenes).expect("template.yaml allows what is called and no more");
    let roles = functions(&aws);
    let wildcard = roles
        .keys()
        .flat_map(|role| permissions(&aws, role))
        .find(|known| known.action.contains('*'));
    assert!(wildcard.is_none(), "{wildcard:?} has a wildcard action");

    let (role, _) = roles
        .iter()
        .find(|(_, function)| *function == "update-service")
        .expect("a function");
    let unused = Permission {
        role: role.clone(),
        statement: "UpdateService".to_owned(),
        action: "ecs:DeleteService".to_owned(),
    };
    change(&mut aws, &unused, true);

    let error = compare(&aws, &scenes).expect_err("an unused action");
    assert_eq!(
        error,
        "template.yaml allows update-service [\"ecs:DeleteService\"], which it never calls"
    );
}

#[test]
fn each_action_that_a_function_lacks_is_reported_with_role_and_resource() {
    let (scenes, aws) = scenes();
    let functions = functions(&aws);
    let permissions: Vec<_> = functions
        .keys()
        .flat_map(|role| permissions(&aws, role))
        .collect();
    with_each_missing(&scenes, &permissions, |missing| {
        match (functions[&missing.role].as_str(), missing.action.as_str()) {
            // They answer no job: their errors end in the log, and their events in the dead-letter
            // queue.
            ("start-pipeline" | "roll-back", _) => "function",
            // A job that cannot be answered cannot tell why.
            (_, "codepipeline:PutJobSuccessResult" | "codepipeline:PutJobFailureResult") => {
                "function"
            }
            // What explains a failed rollout is added to that failure.
            (_, "ecs:ListTasks" | "ecs:DescribeTasks") => "JobFailed",
            // A judgement stands without its report, which is said where it fails the job.
            ("evaluate-canary", "s3:PutObject") => "JobFailed",
            _ => "PermissionError",
        }
    });
}

#[test]
fn each_action_that_the_pipeline_lacks_fails_its_action_as_permission_error() {
    let (scenes, aws) = scenes();
    for application in [COUNTER, SHOP] {
        let role = &aws.codepipeline.pipelines[&format!("slipway-{application}")]
            .declaration
            .role;
        let role = aws
            .cloudformation
            .iam
            .role_by_arn(role)
            .expect("a role of the stack")
            .name
            .clone();
        let is_documented = |known: &Permission| {
            ONLY_DOCUMENTED.contains(&(known.statement.as_str(), known.action.as_str()))
        };

        // Without a Config artifact no action reads one.
        let is_unread = |known: &Permission| application == SHOP && known.action == "s3:GetObject";
        let permissions: Vec<_> = permissions(&aws, &role)
            .into_iter()
            .filter(|known| !is_documented(known) && !is_unread(known))
            .collect();
        with_each_missing(&scenes, &permissions, |_| "PermissionError");
    }
}

/// Each rule's undelivered events must be allowed into its dead-letter queue, and the policy allows
/// nothing else.
#[test]
fn the_dead_letter_queue_takes_the_events_of_every_rule() {
    let aws = deployed(1).expect("the stacks deploy");
    let stack = aws.cloudformation.stack(FUNCTIONS_STACK).expect("deployed");
    let policy = stack
        .resource("DeadLetterQueuePolicy")
        .expect("a policy")
        .properties["PolicyDocument"]
        .clone();
    let statements = items(&policy["Statement"]);
    let actions: Vec<_> = statements
        .iter()
        .flat_map(|statement| items(&statement["Action"]))
        .collect();

    assert_eq!(actions, ["sqs:SendMessage"]);

    let mut queues = 0;
    for rule in aws.events.rules.values() {
        let letters = rule
            .targets
            .iter()
            .filter_map(|target| target.declared["DeadLetterConfig"]["Arn"].as_str());
        for queue in letters {
            queues += 1;
            let send =
                Demand::new("sqs:SendMessage", queue).with("aws:SourceArn", rule.arn.as_str());
            assert_eq!(
                evaluate(statements, &send),
                Ok(Verdict::Allowed),
                "{send:?}"
            );

            let other = send.with("aws:SourceArn", aws.arn("events", "rule/another"));
            assert_eq!(evaluate(statements, &other), Ok(Verdict::NotAllowed));
        }
    }
    assert!(
        queues >= 3,
        "only {queues} targets have a dead-letter queue"
    );
}
