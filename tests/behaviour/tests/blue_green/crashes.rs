//! Crashes between two calls, enumerated: after every change of a release with five steps, followed
//! by Lambda's retry, by nothing, or by an operator who stops the execution and calls `roll-back`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::OnceLock;

use emulator::client::CallFault;
use emulator::codepipeline::{self, JobState};
use emulator::lambda::InvocationStatus;
use emulator::{Aws, traffic};
use harness::demo::SHOP;
use harness::driver::{Driver, Fault, Faults, Which, run};
use invariants::Invariants;
use invariants::ledger_reader::digest;
use serde_json::{Value, json};

use behaviour::pair::{self, PIPELINE, shop};
use behaviour::{LIMIT, invoke, is_closed, newest, on_all_cores, push, recorded};

const FIVE_STEPS: [(&str, &str); 5] = [
    ("Shift", "linear"),
    ("StepPercent", "20"),
    ("StepMinutes", "1"),
    ("BakeMinutes", "1"),
    ("DrainMinutes", "1"),
];

/// What follows a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Retry,
    /// No attempt of the job is left: CodePipeline waits for a result for 20 minutes.
    Nothing,
    /// An operator stops the execution and calls `roll-back`.
    Operator,
}

/// One call after which the attempt dies: the `attempt`th to start on `from`.
struct Point<'a> {
    from: &'a Aws,
    attempt: usize,
    call: u32,
    function: String,
}

/// The release without a crash.
struct Undisturbed {
    pushed: String,
    before: Value,
    attempts: Vec<Attempt>,
}

/// An attempt of it: the account before, its number on it, and after which calls it may crash.
struct Attempt {
    from: Aws,
    number: usize,
    function: String,
    crash_points: Vec<u32>,
}

impl Attempt {
    /// The attempt as it goes from there. In the release it may have had a container with the
    /// credentials of the deploy role, and so a call less.
    fn played(from: Aws, number: usize) -> Self {
        let (crash_points, function) = run(from.clone(), Fault::None, async |driver| {
            let has_run = |_: &Aws| driver.ran().len() > number;
            driver
                .until(LIMIT, &mut |_| Ok(()), has_run)
                .await
                .expect("it runs");
            let ran = driver.ran().swap_remove(number);
            (ran.crash_points(&driver.world.snapshot()), ran.function)
        });
        Self {
            from,
            number,
            function,
            crash_points,
        }
    }
}

/// Played once for all tests.
fn undisturbed() -> &'static Undisturbed {
    static UNDISTURBED: OnceLock<Undisturbed> = OnceLock::new();
    UNDISTURBED.get_or_init(|| {
        let aws = shop(&FIVE_STEPS);
        let before = pair::state(&aws);
        let (pushed, starts) = released(aws);
        let attempts = on_all_cores(&starts, |(from, number)| {
            Attempt::played(from.clone(), *number)
        });
        Undisturbed {
            pushed,
            before,
            attempts,
        }
    })
}

/// What was pushed, and for each attempt of its release the account at rest before it, with its
/// number among those that start from there.
fn released(aws: Aws) -> (String, Vec<(Aws, usize)>) {
    run(aws, Fault::None, async |driver| {
        let rests = Rc::new(RefCell::new(Vec::<(Aws, usize)>::new()));
        let kept = Rc::clone(&rests);
        driver.at_rest(move |aws, started| kept.borrow_mut().push((aws.clone(), started)));
        let pushed = push(&driver, SHOP, "2.0.0");

        driver
            .until(LIMIT, &mut |_| Ok(()), |aws| is_settled(aws, &pushed))
            .await
            .expect("it ends");
        let rests = rests.take();
        let starts = (0..driver.ran().len()).map(|number| {
            let mut earlier = rests.iter().rev();
            let rest = earlier.find(|(_, started)| *started <= number);
            let (from, started) = rest.expect("the push is at rest");
            (from.clone(), number - started)
        });
        (pushed, starts.collect())
    })
}

/// Whether the release of a push is over, its record closed, and no retry pending.
fn is_settled(aws: &Aws, pushed: &str) -> bool {
    let execution = newest(aws, PIPELINE);
    digest(execution) == Some(pushed)
        && execution.is_over()
        && is_closed(aws, &execution.id)
        && aws
            .lambda
            .invocations
            .iter()
            .all(|invocation| invocation.status != InvocationStatus::Pending)
}

/// Lets the attempt die and the rest happen; returns the outcome.
fn crash(point: &Point, after: After, undisturbed: &Undisturbed) -> Result<String, String> {
    let mut aws = point.from.clone();
    if after == After::Nothing {
        aws.lambda
            .functions
            .values_mut()
            .for_each(|function| function.invoke_config.maximum_retry_attempts = 0);
    }

    let calls = vec![(
        Which::Number(point.attempt),
        CallFault::CrashAfter(point.call),
    )];
    let mut invariants = Invariants::default().resumed(&aws);
    let rule = pair::rule(&aws);

    run(
        aws,
        Faults {
            calls,
            ..Faults::default()
        },
        async |driver| {
            let mut watch = |aws: &Aws| {
                invariants.at_instant(aws)?;
                serves(aws, &rule)
            };
            if after == After::Operator {
                // A sweep can die before the push has started its execution.
                let died = |aws: &Aws| {
                    driver.ran().iter().any(|ran| !ran.met.is_empty())
                        && digest(newest(aws, PIPELINE)) == Some(undisturbed.pushed.as_str())
                };
                driver.until(LIMIT, &mut watch, died).await?;
                stop_and_roll_back(&driver, &undisturbed.pushed).await;
            }

            driver
                .until(LIMIT, &mut watch, |aws| {
                    is_settled(aws, &undisturbed.pushed)
                })
                .await?;
            checked_end(&driver, &mut invariants, after, undisturbed)
        },
    )
}

/// What the account has come to once the release is over: one attempt died, the invariants hold,
/// and the pair agrees with the ledger; returns the outcome.
fn checked_end(
    driver: &Driver,
    invariants: &mut Invariants,
    after: After,
    undisturbed: &Undisturbed,
) -> Result<String, String> {
    let mut aws = driver.world.snapshot();
    let died: Vec<u64> = driver
        .ran()
        .iter()
        .filter(|ran| !ran.met.is_empty())
        .map(|ran| ran.attempt)
        .collect();
    if died.is_empty() {
        return Err("nothing died".to_owned());
    }

    invariants.disturbed(died);

    // Without another attempt for a job, no result reaches CodePipeline.
    let lost = aws
        .codepipeline
        .jobs
        .iter_mut()
        .find(|job| job.state == JobState::TimedOut);
    if let Some(job) = lost.filter(|_| after == After::Nothing) {
        job.state = JobState::Abandoned;
    }

    invariants.at_end(&aws)?;
    ended(&aws, undisturbed)
}

/// A colour with traffic can serve it: together, the colours with a weight have the two tasks that
/// the live one had.
fn serves(aws: &Aws, rule: &str) -> Result<(), String> {
    let exposed = traffic::exposed(aws, rule);
    if !exposed.is_empty() {
        return Err(format!(
            "invariant 1: {exposed:?} have traffic and no healthy target"
        ));
    }

    let weighted = pair::groups(aws)
        .into_iter()
        .zip(pair::weights(aws))
        .filter(|(_, weight)| *weight > 0);
    let healthy: usize = weighted
        .map(|(group, _)| aws.elb.healthy_count(&group, aws.now))
        .sum();

    if healthy < 2 {
        Err(format!("invariant 7: {healthy} healthy targets serve"))
    } else {
        Ok(())
    }
}

async fn stop_and_roll_back(driver: &Driver, pushed: &str) {
    let execution = newest(&driver.world.aws(), PIPELINE).id.clone();
    let of_push = digest(newest(&driver.world.aws(), PIPELINE)) == Some(pushed);
    assert!(of_push, "the push started an execution");

    let input = json!({
        "pipelineName": PIPELINE,
        "pipelineExecutionId": execution,
        "abandon": true,
        "reason": "doubts",
    });

    // The execution may have ended with the call.
    let _ = codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &input);
    driver.world.touch();

    // Its time may not have come; the sweep goes on with it.
    let _ = invoke(
        driver,
        "roll-back",
        json!({"parameters": {"execution": execution}}),
    )
    .await;
}

/// The ledger's word and the pair agree: all is new, or all is as it was.
fn ended(aws: &Aws, undisturbed: &Undisturbed) -> Result<String, String> {
    let execution = newest(aws, PIPELINE).id.clone();
    let outcome = recorded(aws, &execution, "outcome").ok_or("no outcome")?;
    let reason = recorded(aws, &execution, "reason").ok_or("no reason")?;
    let state = pair::state(aws);
    let is_new = || {
        pair::weights(aws) == [100, 0]
            && pair::counts(aws) == [2, 0]
            && pair::definitions(aws)[0]
                == recorded(aws, &execution, "change.task_definition").unwrap_or_default()
            && pair::suspensions(aws) == [false, false]
    };

    match outcome.as_str() {
        "deployed" if is_new() => Ok(outcome),
        "rolled-back" | "failed" if state == undisturbed.before => Ok(outcome),
        _ => Err(format!(
            "{outcome} ({reason}), but {state}; it was {}",
            undisturbed.before
        )),
    }
}

/// Every crash of an attempt that may concern the release.
fn points(undisturbed: &Undisturbed, after: After) -> Vec<Point<'_>> {
    // A push whose start is never tried again is lost: the dead letters show that, and no release
    // is concerned.
    let is_step = |function: &str| after == After::Retry || function != "start-pipeline";
    let attempts = undisturbed.attempts.iter();

    attempts
        .filter(|attempt| is_step(&attempt.function))
        .flat_map(|attempt| {
            let calls = attempt.crash_points.iter();
            calls.map(|call| Point {
                from: &attempt.from,
                attempt: attempt.number,
                call: *call,
                function: attempt.function.clone(),
            })
        })
        .collect()
}

/// Plays every crash on all cores; returns how many releases ended in which way, and what went
/// wrong.
fn play(
    points: &[Point],
    after: After,
    undisturbed: &Undisturbed,
) -> (BTreeMap<String, usize>, Vec<String>) {
    let ended = on_all_cores(points, |point| crash(point, after, undisturbed));
    let (mut outcomes, mut wrong) = (BTreeMap::new(), Vec::new());

    for (point, ended) in points.iter().zip(ended) {
        match ended {
            Ok(outcome) => *outcomes.entry(outcome).or_insert(0) += 1,
            Err(error) => {
                let Point {
                    from,
                    call,
                    function,
                    ..
                } = point;
                let at = (from.now - undisturbed.attempts[0].from.now) / 1000;
                wrong.push(format!(
                    "{function} after its call {call}, at {at} s: {error}"
                ));
            }
        }
    }
    (outcomes, wrong)
}

/// Plays every crash and checks that none goes wrong; returns how many releases ended in which way.
fn after_each_change(after: After) -> BTreeMap<String, usize> {
    let undisturbed = undisturbed();
    let points = points(undisturbed, after);
    let (outcomes, wrong) = play(&points, after, undisturbed);
    println!("{} crashes, then {after:?}: {outcomes:?}", points.len());

    assert!(points.len() > 60, "only {} crashes", points.len());
    assert!(
        wrong.is_empty(),
        "{} of {} went wrong:\n{}",
        wrong.len(),
        points.len(),
        wrong.join("\n")
    );

    outcomes
}

#[test]
fn a_crash_after_any_change_and_a_retry_change_no_ending() {
    let outcomes = after_each_change(After::Retry);
    assert_eq!(outcomes.keys().collect::<Vec<_>>(), ["deployed"]);
}

#[test]
fn a_crash_after_any_change_and_nothing_more_leaves_nothing_in_between() {
    let outcomes = after_each_change(After::Nothing);
    assert_eq!(
        outcomes.keys().collect::<Vec<_>>(),
        ["deployed", "failed", "rolled-back"]
    );
}

#[test]
fn a_crash_after_any_change_and_an_operators_stop_leave_nothing_in_between() {
    let outcomes = after_each_change(After::Operator);
    assert_eq!(
        outcomes.keys().collect::<Vec<_>>(),
        ["deployed", "failed", "rolled-back"]
    );
}
