//! An operator stops a release at each of its points, whatever the strategy: what ran before runs
//! again, what users see goes back at once, and a second rollback does nothing.
//!
//! The points are those of the demos by name: before each attempt that makes calls which none before
//! it made, and after each of their calls that changes what runs or where traffic goes. Where no
//! other test has a crash at each of them, and nothing more, it is here too.

use std::collections::{BTreeMap, BTreeSet};

use behaviour::pair::as_text;
use behaviour::{LIMIT, invoke, is_closed, newest, on_all_cores, recorded, service, writes};
use emulator::client::CallFault;
use emulator::codepipeline::{self, Execution};
use emulator::lambda::InvocationStatus;
use emulator::{Aws, Call, Millis};
use harness::demo::{CLUSTER, Chapter, Demo, Rest, dns, play, play_from, play_with_rests};
use harness::driver::{Driver, Fault, Faults, Ran, Which, run};
use invariants::Invariants;
use invariants::ledger_reader::{earlier_releases, record, text};
use serde_json::{Value, json};

/// How soon a rollback makes its first change of what users see: 15 s, and as much for the event
/// that leads to it.
const PROMPT: Millis = 30_000;

/// Calls that change what runs, where traffic goes, or what a release leaves behind.
const CHANGES: [&str; 7] = [
    "UpdateService",
    "ModifyRule",
    "ModifyListener",
    "ChangeResourceRecordSets",
    "RegisterScalableTarget",
    "RegisterTaskDefinition",
    "RunTask",
];

/// Those of them that users notice.
const SEEN: [&str; 4] = [
    "UpdateService",
    "ModifyRule",
    "ModifyListener",
    "ChangeResourceRecordSets",
];

/// A release that is deployed if nothing stops it.
struct Undisturbed {
    chapter: Chapter,
    pipeline: String,
    /// What a rollback returns to.
    before: State,
    points: Vec<Point>,
}

/// Where it is stopped: before the next attempt of an account at rest, or after a call of that.
struct Point {
    from: Rest,
    function: String,
    call: Option<u32>,
}

/// What runs and where traffic goes.
type State = BTreeMap<String, Value>;

fn state(aws: &Aws) -> State {
    let services = aws.ecs.services.values().map(|found| {
        let seen = service(aws, &found.cluster, &found.name);
        let parts = ["taskDefinition", "desiredCount", "deploymentConfiguration"];
        (
            of_service(&found.name),
            json!(parts.map(|part| &seen[part])),
        )
    });
    let rules = aws.elb.rules.keys().map(|arn| {
        let actions = aws.elb.actions_of(arn).map(as_text);
        (format!("rule {arn}"), json!(actions))
    });
    let scaling = aws.ecs.services.values().filter_map(|found| {
        let target = aws.autoscaling.target_of(CLUSTER, &found.name)?;
        let suspended = json!([target.suspended.dynamic_in, target.suspended.scheduled]);
        Some((format!("scaling of {}", found.name), suspended))
    });
    let records = ("records".to_owned(), json!(dns::weights(aws)));
    services
        .chain(rules)
        .chain(scaling)
        .chain([records])
        .collect()
}

fn of_service(name: &str) -> String {
    format!("service {name}")
}

/// The release of a demo's chapter after `earlier` ones, with its points.
fn undisturbed(name: &str, earlier: usize) -> Undisturbed {
    let demo = Demo::named(name).expect("a demo");
    let mut aws = demo.open(1).expect("it opens");
    let scenes = demo.scenes();
    for scene in &scenes[..earlier] {
        let prepared = scene.prepared(aws).expect("it is prepared");
        let played = play(prepared, &scene.chapter, Fault::None, &mut |_| {});
        aws = played.expect("it ends as expected").aws;
    }
    let chapter = scenes[earlier].chapter;
    let aws = scenes[earlier].prepared(aws).expect("it is prepared");

    Undisturbed {
        chapter,
        pipeline: pipeline_of(&chapter),
        before: state(&aws),
        points: points(aws, &chapter),
    }
}

fn pipeline_of(chapter: &Chapter) -> String {
    format!("slipway-{}", chapter.application)
}

/// The services that the newest execution of a pipeline has released before its present one.
fn earlier_services(aws: &Aws, pipeline: &str) -> Vec<String> {
    let record = record(aws, &newest(aws, pipeline).id).unwrap_or_default();
    let services = earlier_releases(&record).filter_map(|release| text(release, "service"));
    services.map(ToOwned::to_owned).collect()
}

/// Every point of the release of a chapter, in each environment of a promotion.
fn points(aws: Aws, chapter: &Chapter) -> Vec<Point> {
    let (played, rests) = play_with_rests(aws, chapter).expect("it ends as expected");
    let pipeline = pipeline_of(chapter);
    let mut known = BTreeSet::new();
    let mut points = Vec::new();
    for rest in rests {
        let Some(next) = played.ran.get(rest.started) else {
            continue;
        };
        let calls = next.called(&played.aws);
        let made = calls.iter().map(|call| call.operation.as_str());
        let made: Vec<&str> = made.filter(|made| *made != "AssumeRole").collect();
        let environment = earlier_services(rest.account(), &pipeline).len();
        if !known.insert((next.function.clone(), environment, format!("{made:?}"))) {
            continue;
        }

        let changes = changes(rest.account());
        let at = |call| Point {
            from: rest.clone(),
            function: next.function.clone(),
            call,
        };
        points.push(at(None));
        points.extend(changes.into_iter().map(|call| at(Some(call))));
    }
    points
}

/// The calls of the next attempt, counted from 1, that change something.
fn changes(from: &Aws) -> Vec<u32> {
    run(from.clone(), Fault::None, async |driver| {
        let has_run = |_: &Aws| !driver.ran().is_empty();
        let ran = driver.until(LIMIT, &mut |_| Ok(()), has_run).await;
        ran.expect("it runs");
        let aws = driver.world.snapshot();
        let ran: Ran = driver.ran().swap_remove(0);
        let numbered = (1..).zip(ran.called(&aws));
        numbered
            .filter(|(_, call)| is_one_of(call, &CHANGES))
            .map(|(number, _)| number)
            .collect()
    })
}

/// Whether a call took effect and is one of these operations.
fn is_one_of(call: &Call, operations: &[&str]) -> bool {
    call.error.is_none() && operations.contains(&call.operation.as_str())
}

/// Stops the release at a point, and lets it be undone; whether there was something to stop.
fn undone(of: &Undisturbed, point: &Point) -> Result<bool, String> {
    let call = point
        .call
        .map(|call| (Which::Number(0), CallFault::CrashAfter(call)));
    let faults = Faults {
        calls: call.into_iter().collect(),
        ..Faults::default()
    };
    let from = point.from.account();
    let mut invariants = Invariants::default().resumed(from);

    run(from.clone(), faults, async |driver| {
        let mut watch = |aws: &Aws| invariants.at_instant(aws);
        if point.call.is_some() {
            let died = |_: &Aws| driver.ran().iter().any(|ran| !ran.met.is_empty());
            driver.until(LIMIT, &mut watch, died).await?;
        }
        let stopped = driver.world.snapshot();
        let execution = newest(&stopped, &of.pipeline).id.clone();
        if !stop(&driver, &of.pipeline, &execution) || is_closed(&stopped, &execution) {
            return Ok(false);
        }

        let is_over = |aws: &Aws| is_settled(aws, &execution);
        driver.until(LIMIT, &mut watch, is_over).await?;
        let aws = driver.world.snapshot();
        let died = driver.ran().into_iter().filter(|ran| !ran.met.is_empty());
        invariants.disturbed(died.map(|ran| ran.attempt));
        invariants.at_end(&aws)?;

        if is_late(point, &stopped, &aws, &execution) {
            return is_restored(&state(&stopped), &aws, &execution).map(|()| false);
        }
        let expected = expected(of, &stopped, &aws);
        is_restored(&expected, &aws, &execution)?;
        is_prompt(&expected, &stopped, &aws)?;
        second_does_nothing(&driver, &aws, &execution).await?;
        Ok(true)
    })
}

/// Stops an execution at once; whether it was in progress.
fn stop(driver: &Driver, pipeline: &str, execution: &str) -> bool {
    let input = json!({
        "pipelineName": pipeline, "pipelineExecutionId": execution, "abandon": true,
        "reason": "an operator had doubts",
    });
    let stopped = codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &input);
    driver.world.touch();
    stopped.is_ok()
}

/// Whether an execution is over, and what its release began is closed.
fn is_settled(aws: &Aws, execution: &str) -> bool {
    let found = aws.codepipeline.execution(execution);
    let state = recorded(aws, execution, "state");
    let mut invocations = aws.lambda.invocations.iter();
    found.is_some_and(Execution::is_over)
        && state.is_none_or(|state| state == "closed")
        && aws.events.in_progress == 0
        && invocations.all(|one| one.status != InvocationStatus::Pending)
}

/// Whether finish-release ran already: what it closes as deployed stays so.
fn is_late(point: &Point, stopped: &Aws, aws: &Aws, execution: &str) -> bool {
    let [before, after] = [stopped, aws].map(|aws| recorded(aws, execution, "outcome"));
    point.function == "finish-release" && before.is_none() && after.as_deref() == Some("deployed")
}

/// What a rollback leaves: all as before, and of a promotion what its earlier releases deployed.
fn expected(of: &Undisturbed, stopped: &Aws, aws: &Aws) -> State {
    let earlier = earlier_services(aws, &of.pipeline);
    let deployed: Vec<String> = earlier.iter().map(|name| of_service(name)).collect();

    let mut expected = of.before.clone();
    let kept = state(stopped);
    expected.extend(kept.into_iter().filter(|(name, _)| deployed.contains(name)));
    expected
}

fn is_restored(expected: &State, aws: &Aws, execution: &str) -> Result<(), String> {
    let found = state(aws);
    let differs = |(name, value): &(&String, &Value)| found.get(*name) != Some(*value);
    match expected.iter().find(differs) {
        Some((name, value)) => Err(format!(
            "{name} is {:?}, and was {value}; the release ended {:?} ({:?})",
            found.get(name),
            recorded(aws, execution, "outcome"),
            recorded(aws, execution, "reason"),
        )),
        None => Ok(()),
    }
}

/// What users saw of the new revision goes back at once: the traffic of a pair, or the tasks of a
/// single service.
fn is_prompt(expected: &State, stopped: &Aws, aws: &Aws) -> Result<(), String> {
    let found = state(stopped);
    let differs = |name: &str| expected.get(name) != found.get(name);
    let is_route = |name: &str| name.starts_with("rule ") || name == "records";
    let is_single = |name: &str| {
        let is_colour = name.ends_with("-blue") || name.ends_with("-green");
        name.starts_with("service ") && !is_colour
    };
    let mut names = expected.keys().map(String::as_str);
    if !names.any(|name| differs(name) && (is_route(name) || is_single(name))) {
        return Ok(());
    }

    let mut later = aws.calls[stopped.calls.len()..].iter();
    let first = later.find(|call| call.caller.ends_with("roll-back") && is_one_of(call, &SEEN));
    let after = first.map(|call| call.at - stopped.now);
    match after {
        Some(after) if after <= PROMPT => Ok(()),
        _ => Err(format!("the first change came after {after:?} ms")),
    }
}

async fn second_does_nothing(driver: &Driver, aws: &Aws, execution: &str) -> Result<(), String> {
    if !is_closed(aws, execution) {
        return Ok(());
    }
    let again = json!({"parameters": {"execution": execution}});
    invoke(driver, "roll-back", again).await?;
    let after = driver.world.snapshot();
    let written = writes(&after, aws.calls.len());
    if written.is_empty() && state(&after) == state(aws) {
        Ok(())
    } else {
        Err(format!("a second rollback made {written:?}"))
    }
}

/// Stops the release at each of its points, of which there are at least so many.
fn each_point(name: &str, earlier: usize, least: usize) {
    let of = undisturbed(name, earlier);
    let ended = on_all_cores(&of.points, |point| undone(&of, point));
    let mut stopped = 0;
    let mut wrong = Vec::new();
    for (point, ended) in of.points.iter().zip(ended) {
        match ended {
            Ok(was_stopped) => stopped += usize::from(was_stopped),
            Err(error) => {
                let call = point.call.map(|call| format!("after call {call} of"));
                let at = call.unwrap_or_else(|| "before".to_owned());
                wrong.push(format!("{at} {}: {error}", point.function));
            }
        }
    }
    assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
    assert!(stopped >= least, "{name}: only {stopped} points");
}

/// Lets an attempt die after each of its changes, and Lambda try again: the release goes on.
fn each_crash(name: &str, earlier: usize, least: usize) {
    let of = undisturbed(name, earlier);
    let crashes: Vec<&Point> = of.points.iter().filter(|it| it.call.is_some()).collect();
    let ended = on_all_cores(&crashes, |point| {
        let fault = CallFault::CrashAfter(point.call.unwrap_or_default());
        let attempt = 0;
        play_from(&point.from, &of.chapter, Fault::Call { attempt, fault }).err()
    });
    let wrong: Vec<String> = ended.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
    assert!(crashes.len() >= least, "{name}: {} crashes", crashes.len());
}

#[test]
fn a_crash_after_a_change_of_a_rolling_release_changes_no_ending() {
    each_crash("rolling", 1, 2);
}

#[test]
fn a_crash_after_a_change_of_a_blue_green_release_changes_no_ending() {
    each_crash("blue-green", 1, 4);
}

#[test]
fn a_rolling_release_is_undone_from_each_point() {
    each_point("rolling", 1, 6);
}

#[test]
fn a_doubling_release_is_undone_from_each_point() {
    each_point("doubling", 1, 6);
}

#[test]
fn a_release_that_makes_room_is_undone_from_each_point() {
    each_point("make-room", 1, 6);
}

#[test]
fn a_release_with_a_migration_is_undone_from_each_point() {
    each_point("migration", 0, 7);
}

#[test]
fn a_blue_green_release_is_undone_from_each_point() {
    each_point("blue-green", 1, 10);
}

#[test]
fn a_linear_release_is_undone_from_each_point() {
    each_point("linear", 1, 10);
}

#[test]
fn a_canary_release_is_undone_from_each_point() {
    each_point("canary", 0, 10);
}

#[test]
fn a_release_by_dns_is_undone_from_each_point() {
    each_point("dns", 1, 10);
}

#[test]
fn each_environment_of_a_promotion_is_undone_from_each_point() {
    each_point("promotion", 0, 24);
}
