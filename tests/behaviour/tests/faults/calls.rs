//! Every call of a release in place, one at a time, meets a trouble that lasts longer than the
//! SDK's own retries: the step reports that it is in progress, and the release ends as it does
//! without.

use behaviour::on_all_cores;
use emulator::client::{CallFault, Trouble};
use harness::demo::{WEB, play};
use harness::driver::Fault;
use slipway::limits::CALL_ATTEMPTS;
use slipway::release::Outcome;

use super::scenes::{IN_PLACE, Scene, active, failures, scenes};

const TROUBLES: [Trouble; 8] = [
    Trouble::Silence { effect: false },
    Trouble::Silence { effect: true },
    Trouble::Refused,
    Trouble::Reset,
    Trouble::Page {
        status: 502,
        effect: false,
    },
    Trouble::Page {
        status: 503,
        effect: true,
    },
    Trouble::InternalError { effect: false },
    Trouble::InternalError { effect: true },
];

/// The function that handles pushes; the others are steps of a pipeline.
const START: &str = "start-pipeline";

/// A call of an attempt, both by number, with what it is.
struct Point {
    attempt: usize,
    call: u32,
    function: String,
    operation: String,
}

fn points(scene: &Scene) -> Vec<Point> {
    let attempts = scene.attempts.iter().enumerate();
    let of_attempt = attempts.flat_map(|(attempt, ran)| {
        ran.operations
            .iter()
            .zip(1..)
            .map(move |(operation, call)| Point {
                attempt,
                call,
                function: ran.function.clone(),
                operation: operation.clone(),
            })
    });
    of_attempt.collect()
}

/// Plays the chapter with one fault; returns what is not as without it.
fn with(scene: &Scene, point: &Point, count: u32, trouble: Trouble) -> Result<(), String> {
    let fault = CallFault::From {
        first: point.call,
        count,
        trouble,
    };
    let call = Fault::Call {
        attempt: point.attempt,
        fault,
    };
    let played = play(scene.before.clone(), scene.chapter, call, &mut |_| {})?;
    if played.ran.iter().all(|ran| !ran.met.contains(&fault)) {
        return Err("nothing met the fault".to_owned());
    }

    match failures(&played, scene.before.codepipeline.jobs.len()).first() {
        Some(message) => Err(format!("a job failed: {message}")),
        None => Ok(()),
    }
}

/// Plays all of them on all cores and fails with all that went wrong.
fn with_each(faults: &[(&Point, u32, Trouble)]) {
    let scene = &scenes()[IN_PLACE];
    let found = on_all_cores(faults, |(point, count, trouble)| {
        let error = with(scene, point, *count, *trouble).err()?;
        let Point {
            function,
            call,
            operation,
            ..
        } = point;
        Some(format!(
            "{function} at its call {call}, {operation}, {count} times {trouble:?}: {error}"
        ))
    });

    let wrong: Vec<String> = found.into_iter().flatten().collect();
    println!("{} runs, each with one fault", faults.len());
    assert!(
        wrong.is_empty(),
        "{} of {} went wrong:\n{}",
        wrong.len(),
        faults.len(),
        wrong.join("\n")
    );
}

/// One trouble a call, each in its turn.
#[test]
fn trouble_that_outlasts_the_retries_changes_no_ending() {
    let points = points(&scenes()[IN_PLACE]);
    assert!(points.len() > 40, "only {} calls", points.len());

    let troubles = TROUBLES.into_iter().cycle();
    let faults: Vec<_> = points
        .iter()
        .zip(troubles)
        .map(|(point, trouble)| (point, CALL_ATTEMPTS, trouble))
        .collect();
    with_each(&faults);
}

/// Every attempt of the call has its effect.
#[test]
fn a_response_that_is_cut_off_changes_no_ending() {
    let points = points(&scenes()[IN_PLACE]);
    let faults: Vec<_> = points
        .iter()
        .map(|point| (point, CALL_ATTEMPTS, Trouble::CutOff))
        .collect();
    with_each(&faults);
}

/// No SDK repeats what is refused for its credentials or its time, so once is enough.
#[test]
fn credentials_that_are_not_taken_change_no_ending() {
    let points = points(&scenes()[IN_PLACE]);
    let faults: Vec<_> = points
        .iter()
        .map(|point| (point, 1, Trouble::Credentials))
        .collect();
    with_each(&faults);
}

/// Conflicts are not retried by the SDK: one is enough to fail a write, and several fail all writes
/// of the attempt.
fn conflicts(wanted: fn(&Point) -> bool, at_least: usize) {
    let points = points(&scenes()[IN_PLACE]);
    let is_write =
        |point: &Point| ["PutItem", "TransactWriteItems"].contains(&point.operation.as_str());
    let writes: Vec<&Point> = points
        .iter()
        .filter(|point| is_write(point) && wanted(point))
        .collect();

    assert!(writes.len() >= at_least, "only {} writes", writes.len());

    let faults: Vec<_> = writes
        .iter()
        .flat_map(|point| [1, 100].map(|count| (*point, count, Trouble::Conflict)))
        .collect();
    with_each(&faults);
}

#[test]
fn writes_of_a_step_that_conflict_with_a_transaction_change_no_ending() {
    conflicts(|point| point.function != START, 7);
}

#[test]
fn writes_of_a_start_that_conflict_with_a_transaction_change_no_ending() {
    conflicts(|point| point.function == START, 3);
}

/// No SDK repeats what is refused because something else is going on, so once is enough.
#[test]
fn refusals_that_pass_change_no_ending() {
    for operation in [
        "RegisterTaskDefinition",
        "DescribeScalableTargets",
        "RegisterScalableTarget",
        "StartPipelineExecution",
    ] {
        // In the others jobs fail anyway.
        let deployed = |scene: &&Scene| scene.chapter.outcome == Outcome::Deployed;
        let found = scenes().iter().filter(deployed).flat_map(|scene| {
            let points = points(scene).into_iter();
            points.map(move |point| (scene, point))
        });
        let mut met = 0;
        for (scene, point) in found.filter(|(_, point)| point.operation == operation) {
            let alike = with(scene, &point, 1, Trouble::Passing);
            let Point { function, call, .. } = &point;
            assert_eq!(alike, Ok(()), "{operation}, call {call} of {function}");
            met += 1;
        }
        assert!(met > 0, "{operation}");
    }
}

/// What a RegisterTaskDefinition leaves behind that is repeated because its response was lost, the
/// release must clear away.
#[test]
fn no_revision_is_left_that_nothing_runs() {
    let scene = &scenes()[IN_PLACE];
    let played = play(
        scene.before.clone(),
        scene.chapter,
        Fault::None,
        &mut |_| {},
    )
    .expect("it goes as written");
    let alike = active(&played.aws, WEB);
    let points = points(scene);
    let point = points
        .iter()
        .find(|point| point.operation == "RegisterTaskDefinition")
        .expect("it registers");

    for trouble in TROUBLES.into_iter().chain([Trouble::CutOff]) {
        let fault = CallFault::From {
            first: point.call,
            count: CALL_ATTEMPTS,
            trouble,
        };
        let fault = Fault::Call {
            attempt: point.attempt,
            fault,
        };
        let played = play(scene.before.clone(), scene.chapter, fault, &mut |_| {})
            .expect("it ends as without");

        assert_eq!(active(&played.aws, WEB).len(), alike.len(), "{trouble:?}");
    }
}
