//! An approval stands between fill and swap: whatever an operator approved is what gets the
//! traffic, whatever is pushed meanwhile.

use std::time::Duration;

use emulator::codepipeline::Execution;
use emulator::{Aws, Millis, traffic};
use harness::approvals::{self, Approval};
use harness::demo::SHOP;
use harness::driver::{Driver, Fault, run};
use invariants::Invariants;
use invariants::ledger_reader::{digest, executions};
use serde_json::json;
use slipway::timestamp::Timestamp;

use behaviour::pair::{self, PIPELINE, SHORT, configure, secs, shop, weights};
use behaviour::{LIMIT, answer, ends, is_closed, pass, push, recorded};

/// What operators do: when the second and third image are pushed after the first one, and how they
/// answer.
#[derive(Clone, Copy, Debug)]
struct Plan {
    pushes: &'static [u64],
    /// How long each request for approval is thought about, in seconds.
    thinks: u64,
    /// Whether the request of that number is approved.
    answers: [bool; 3],
}

/// A version, and from when to when it may be served.
struct Served {
    digest: String,
    from: Millis,
    to: Millis,
}

const HOUR: u64 = 3600;

/// The request for approval that waits.
fn request(aws: &Aws) -> Option<Approval> {
    approvals::waiting(aws, PIPELINE).into_iter().next()
}

/// The digest that an approval is about.
fn requested(aws: &Aws, approval: &Approval) -> String {
    let execution = aws.codepipeline.execution(&approval.execution);
    let pushed = digest(execution.expect("it is in progress"));
    pushed.expect("pushed").to_owned()
}

fn all_over(aws: &Aws) -> bool {
    // Reading the ledger takes time, so it is read last.
    executions(aws, PIPELINE).all(Execution::is_over)
        && executions(aws, PIPELINE)
            .all(|execution| digest(execution).is_none() || is_closed(aws, &execution.id))
}

fn later(at: Millis, secs: u64) -> Millis {
    at + i64::try_from(secs).expect("small") * 1000
}

/// Lets time pass until `next`, or until a request for approval waits where none did; without a
/// `next`, until all is over. Returns whether it is.
async fn pass_until(
    driver: &Driver,
    plan: Plan,
    invariants: &mut Invariants,
    waiting: Option<&Approval>,
    (now, next): (Millis, Option<Millis>),
) -> bool {
    let rest = next.map_or(Duration::from_secs(4 * HOUR), |next| {
        Duration::from_millis((next - now).unsigned_abs())
    });
    let done = |aws: &Aws| {
        (waiting.is_none() && request(aws).is_some()) || (next.is_none() && all_over(aws))
    };

    match driver
        .until(rest, &mut |aws| invariants.at_instant(aws), done)
        .await
    {
        Ok(()) => next.is_none() && request(&driver.world.aws()).is_none(),
        Err(error) if next.is_none() || error.contains("invariant") => {
            panic!("{plan:?}: {error}")
        }
        Err(_) => false,
    }
}

/// Plays a plan; returns the digests that were pushed, and of those that were approved since when.
async fn play(driver: &Driver, plan: Plan) -> (Vec<String>, Vec<(String, Millis)>) {
    let begin = driver.world.clock.now();
    let seconds = [0].into_iter().chain(plan.pushes.iter().copied());
    let mut to_push = seconds
        .map(|secs| later(begin, secs))
        .enumerate()
        .peekable();
    let (mut pushed, mut approved, mut answered) = (Vec::new(), Vec::new(), 0);

    let mut invariants = Invariants::default().resumed(&driver.world.aws());
    loop {
        let now = driver.world.clock.now();
        while let Some((number, _)) = to_push.next_if(|(_, due)| *due <= now) {
            pushed.push(push(driver, SHOP, &format!("2.{number}.0")));
        }

        let waiting = request(&driver.world.aws());
        let thought = waiting
            .as_ref()
            .map(|waiting| later(waiting.since, plan.thinks));
        if let (Some(waiting), Some(true)) = (&waiting, thought.map(|thought| thought <= now)) {
            let approves = plan.answers[answered];
            answer(driver, waiting, approves);
            if approves {
                approved.push((requested(&driver.world.aws(), waiting), now));
            }
            answered += 1;
            continue;
        }

        let next = [thought, to_push.peek().map(|(_, due)| *due)]
            .into_iter()
            .flatten()
            .min();
        let due = (now, next);
        if pass_until(driver, plan, &mut invariants, waiting.as_ref(), due).await {
            break;
        }
    }

    invariants
        .at_end(&driver.world.aws())
        .unwrap_or_else(|error| panic!("{plan:?}: {error}"));
    (pushed, approved)
}

/// Which image a task definition runs, by digest.
fn image(aws: &Aws, version: &str) -> String {
    let request = aws.ecs.request_of(version).expect("registered");
    let image = request["containerDefinitions"][0]["image"]
        .as_str()
        .unwrap_or_default();
    image
        .split_once('@')
        .map_or_else(String::new, |(_, digest)| digest.to_owned())
}

/// Who may be served when: each approved image from its approval until the release of the next one
/// is closed.
fn allowed(aws: &Aws, first: String, approved: &[(String, Millis)]) -> Vec<Served> {
    let mut all = vec![Served {
        digest: first,
        from: Millis::MIN,
        to: Millis::MAX,
    }];
    for (approved, at) in approved {
        let execution = executions(aws, PIPELINE)
            .find(|one| digest(one) == Some(approved))
            .expect("it ran");
        assert_eq!(
            recorded(aws, &execution.id, "outcome").as_deref(),
            Some("deployed")
        );

        let ended: Timestamp =
            serde_json::from_value(json!(recorded(aws, &execution.id, "ended_at")))
                .expect("an instant");
        let began = Timestamp::from_secs(0).expect("in range");
        all.last_mut().expect("the first").to =
            i64::try_from(ended.since(began).as_millis()).expect("in range") + 1000;
        all.push(Served {
            digest: approved.clone(),
            from: *at,
            to: Millis::MAX,
        });
    }
    all
}

/// Plays a plan on a seed and checks every span of traffic since.
fn check(before: &Aws, plan: Plan, seed: u64, outcomes: &[&str]) {
    let mut aws = before.clone();
    aws.rng = fastrand::Rng::with_seed(seed);
    let (since, first) = (aws.now, image(&aws, &behaviour::pair::definitions(&aws)[1]));
    run(aws, Fault::None, async |driver| {
        let (pushed, approved) = play(&driver, plan).await;
        let aws = driver.world.snapshot();
        let found = pushed.iter().map(|pushed| {
            let execution = executions(&aws, PIPELINE)
                .find(|one| digest(one) == Some(pushed))
                .expect("it ran");
            recorded(&aws, &execution.id, "outcome").unwrap_or_default()
        });
        let found: Vec<String> = found.collect();

        assert_eq!(found, outcomes, "{plan:?}, seed {seed}");

        let allowed = allowed(&aws, first.clone(), &approved);
        let mut flows = 0;
        for span in traffic::history(&aws)
            .iter()
            .filter(|span| span.from >= since)
        {
            for flow in span.flows.iter().filter(|flow| flow.rate > 0.0) {
                let version = flow
                    .version
                    .as_ref()
                    .unwrap_or_else(|| panic!("{plan:?}, seed {seed}: no task serves"));
                let image = image(&aws, version);
                let known = allowed.iter().find(|served| served.digest == image);
                let fits =
                    known.is_some_and(|served| served.from <= span.from && span.to <= served.to);

                assert!(
                    fits,
                    "{plan:?}, seed {seed}: {version} ({image}) is served from {} to {}",
                    span.from, span.to
                );

                flows += 1;
            }
        }
        assert!(flows > approved.len(), "{plan:?}: {flows} flows");
    });
}

const SEEDS: u64 = 15;

fn with_approval() -> Aws {
    let mut aws = shop(&SHORT);
    configure(&mut aws, &[("Approval", "yes")]);
    aws
}

#[test]
fn an_image_that_is_pushed_before_the_approval_of_another_waits() {
    let before = with_approval();
    for seed in 1..=SEEDS {
        let plan = Plan {
            pushes: &[20],
            thinks: 300,
            answers: [true; 3],
        };
        check(&before, plan, seed, &["deployed", "deployed"]);
    }
}

#[test]
fn an_image_that_is_pushed_after_the_approval_of_another_waits() {
    let before = with_approval();
    for seed in 1..=SEEDS {
        let plan = Plan {
            pushes: &[180],
            thinks: 1,
            answers: [true; 3],
        };
        check(&before, plan, seed, &["deployed", "deployed"]);
    }
}

#[test]
fn a_rejected_image_never_gets_traffic_and_the_next_one_does_when_approved() {
    let before = with_approval();
    for seed in 1..=SEEDS {
        let plan = Plan {
            pushes: &[20],
            thinks: 60,
            answers: [false, true, true],
        };
        check(&before, plan, seed, &["rolled-back", "deployed"]);
        let plan = Plan {
            pushes: &[20],
            thinks: 60,
            answers: [true, false, false],
        };
        check(&before, plan, seed, &["deployed", "rolled-back"]);
    }
}

#[test]
fn of_those_that_wait_for_a_long_approval_the_newest_comes_next() {
    let before = with_approval();
    for seed in 1..=SEEDS {
        let plan = Plan {
            pushes: &[300, 900],
            thinks: HOUR / 2,
            answers: [true; 3],
        };
        check(&before, plan, seed, &["deployed", "superseded", "deployed"]);
    }
}

/// Requests per second of the morning, and the tasks that target tracking gives them.
const MORNING: f64 = 1190.0;
const NEEDED: usize = 20;

/// No healthy task of a colour gets more than it would in the live colour once that has grown.
fn carries_its_share(aws: &Aws, colour: usize) -> Result<(), String> {
    let groups = pair::groups(aws);
    let healthy = aws.elb.healthy_count(&groups[colour], aws.now);
    let share = usize::try_from(weights(aws)[colour]).expect("a weight");
    if share * NEEDED <= 100 * healthy {
        Ok(())
    } else {
        Err(format!("{healthy} healthy tasks have {share}%"))
    }
}

/// Filled with 2 tasks at night, approved in the morning.
#[test]
fn a_live_colour_that_grew_from_2_to_20_while_the_approval_waited_lets_no_step_overload() {
    let steps = [
        ("Shift", "listed"),
        ("Steps", "5,50,100"),
        ("StepMinutes", "1"),
    ];
    let mut before = with_approval();
    configure(&mut before, &steps);
    pair::update(&mut before, SHOP, &[("MaxCapacity", "30")]);

    run(before, Fault::None, async |driver| {
        // The update brings the retired colour to its minimum.
        pass(&driver, secs(120)).await;
        let pushed = push(&driver, SHOP, "2.0.0");
        driver
            .until(LIMIT, &mut |_| Ok(()), |aws| request(aws).is_some())
            .await
            .expect("the approval waits");
        assert_eq!(pair::counts(&driver.world.aws()), [2, 2]);

        let rule = pair::rule(&driver.world.aws());
        traffic::set(&mut driver.world.aws(), &rule, MORNING);
        driver.world.touch();
        let has_grown = |aws: &Aws| carries_its_share(aws, 1).is_ok();
        driver
            .until(LIMIT, &mut |_| Ok(()), has_grown)
            .await
            .expect("the live colour grows");
        assert_eq!(pair::counts(&driver.world.aws()), [2, 20]);

        let approval = request(&driver.world.aws()).expect("it waits");
        answer(&driver, &approval, true);

        let mut reached = Vec::new();
        let mut fits = |aws: &Aws| {
            reached.push(weights(aws)[0]);
            carries_its_share(aws, 0).and(carries_its_share(aws, 1))
        };
        driver
            .until(LIMIT, &mut fits, |aws| weights(aws) == [100, 0])
            .await
            .expect("the traffic is shifted");
        reached.dedup();
        assert_eq!(reached, [0, 5, 50, 100]);

        ends(&driver, PIPELINE, &pushed, "deployed").await;
    });
}
