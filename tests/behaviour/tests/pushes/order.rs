//! Pushes in the order of Amazon ECR: an older one never replaces a newer one, in whatever order
//! their events arrive.

use std::collections::BTreeMap;
use std::time::Duration;

use behaviour::{
    ends, image_of, invoke, invoke_with, is_closed, ledger_table, outcome, pass, push, reason,
    released, until,
};
use emulator::client::{CallFault, Hang, Trouble};
use emulator::ecr::{self, Behaviour};
use emulator::eventbridge::{self, Mishap};
use emulator::{Aws, dynamodb};
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use invariants::Invariants;
use invariants::ledger_reader::{digest, executions, item, text};
use serde_json::{Value, json};
use slipway::timestamp::Timestamp;

const PIPELINE: &str = "slipway-web";

/// The account after a release, in which no rule forwards the next pushes.
fn without_a_rule() -> Aws {
    let mut aws = released();
    let input = json!({"Name": "slipway-slipway-web"});
    eventbridge::call(&mut aws, "DisableRule", &input).expect("the pipeline has a rule");
    aws
}

/// Pushes an image, and returns its digest and what the rule of the pipeline would forward.
fn pushed(driver: &Driver, tag: &str) -> (String, Value) {
    let digest = push(driver, WEB, tag);
    (digest, forwarded(&driver.world.aws()))
}

/// What the rule of the pipeline would forward of the last event.
fn forwarded(aws: &Aws) -> Value {
    let mut events = aws.events.events.iter().rev();
    let event = events.find(|event| event["source"] == "aws.ecr");
    let subscription = json!({"pipeline": PIPELINE, "action": "Image"});
    json!({"subscription": subscription, "event": event.expect("ECR sent an event")})
}

async fn deliver(driver: &Driver, input: &Value) -> Value {
    let answer = invoke(driver, "start-pipeline", input.clone()).await;
    answer.expect("an answer")
}

async fn pass_secs(driver: &Driver, secs: u64) {
    pass(driver, Duration::from_secs(secs)).await;
}

/// The digests with which the pipeline was started from now on, oldest first.
fn started(aws: &Aws, since: usize) -> Vec<String> {
    let all = executions(aws, PIPELINE).skip(since);
    all.filter_map(digest).map(ToOwned::to_owned).collect()
}

fn count(driver: &Driver) -> usize {
    executions(&driver.world.aws(), PIPELINE).count()
}

/// Why a digest was not delivered, as recorded in the ledger.
fn refusal(driver: &Driver, pushed: &str) -> String {
    let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": pushed}});
    let claim = item(&driver.world.aws(), &key).expect("the claim is recorded");
    assert_eq!(text(&claim, "execution"), None);
    text(&claim, "refusal").expect("a reason").to_owned()
}

fn time_of(input: &Value) -> &str {
    input["event"]["time"].as_str().expect("a time")
}

#[test]
fn an_older_push_whose_event_comes_later_is_recorded_and_not_started() {
    run(without_a_rule(), Fault::None, async |driver| {
        let before = count(&driver);
        let (older, first) = pushed(&driver, "2.0.0");
        pass_secs(&driver, 10).await;
        let (newer, second) = pushed(&driver, "2.0.1");

        assert_eq!(deliver(&driver, &second).await["status"], "started");
        pass_secs(&driver, 120).await;
        let answer = deliver(&driver, &first).await;
        let reason = format!(
            "superseded: {} was pushed at {}, and this digest at {}",
            &newer[..19],
            time_of(&second),
            time_of(&first)
        );
        let refused = json!({"status": "refused", "digest": older, "reason": reason});
        assert_eq!(answer, refused);
        assert_eq!(refusal(&driver, &older), reason);
        assert_eq!(deliver(&driver, &first).await, refused, "a duplicate");
        assert_eq!(started(&driver.world.aws(), before), [newer]);
    });
}

#[test]
fn a_push_whose_start_failed_is_superseded_by_the_next_one_when_it_is_delivered_again() {
    run(without_a_rule(), Fault::None, async |driver| {
        let before = count(&driver);
        let (older, first) = pushed(&driver, "2.0.0");
        // The pipeline is started by the sixth call, in as many attempts as the SDK makes.
        let fault = CallFault::From {
            first: 6,
            count: 4,
            trouble: Trouble::InternalError { effect: false },
        };
        let failed = invoke_with(&driver, "start-pipeline", first.clone(), fault).await;
        let error = failed.expect_err("CodePipeline is busy");
        assert!(
            error.starts_with("codepipeline:StartPipelineExecution failed"),
            "{error}"
        );

        pass_secs(&driver, 90).await;
        let (newer, second) = pushed(&driver, "2.0.1");
        assert_eq!(deliver(&driver, &second).await["status"], "started");
        assert_eq!(deliver(&driver, &first).await["status"], "refused");
        assert!(refusal(&driver, &older).starts_with("superseded: "));
        assert_eq!(started(&driver.world.aws(), before), [newer]);
    });
}

#[test]
fn a_newer_push_looks_again_while_the_older_one_may_be_being_started() {
    run(without_a_rule(), Fault::None, async |driver| {
        let before = count(&driver);
        let (older, first) = pushed(&driver, "2.0.0");
        pass_secs(&driver, 2).await;
        let (newer, second) = pushed(&driver, "2.0.1");

        // The older one is the newest with the fifth call, and the sixth starts the pipeline.
        let hang = CallFault::HangAfter(5, Hang::For(Duration::from_secs(5)));
        let first = invoke_with(&driver, "start-pipeline", first, hang);
        let early = async {
            driver.world.clock.sleep(Duration::from_secs(1)).await;
            invoke(&driver, "start-pipeline", second.clone()).await
        };
        let (first, early) = tokio::join!(first, early);
        assert_eq!(first.expect("an answer")["status"], "started");
        let why = format!(
            "another invocation claimed {} and may be starting the pipeline; retrying",
            &older[..19]
        );
        assert_eq!(early, Err(why));

        assert_eq!(deliver(&driver, &second).await["status"], "started");
        assert_eq!(started(&driver.world.aws(), before), [older, newer]);
    });
}

#[test]
fn a_push_that_may_be_being_started_delays_the_next_one_no_longer_than_an_invocation() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (older, first) = pushed(&driver, "2.0.0");
        let crash = CallFault::CrashAfter(5);
        let crashed = invoke_with(&driver, "start-pipeline", first, crash).await;
        crashed.expect_err("it died before it started the pipeline");

        let (_, second) = pushed(&driver, "2.0.1");
        let early = invoke(&driver, "start-pipeline", second.clone()).await;
        early.expect_err("the first one may be being started");
        pass_secs(&driver, 61).await;
        assert_eq!(deliver(&driver, &second).await["status"], "started");
        assert!(
            started(&driver.world.aws(), 0)
                .iter()
                .all(|digest| *digest != older)
        );
    });
}

/// As while the sweep of releases starts what a freeze ended.
#[test]
fn a_push_waits_while_the_pipeline_may_be_being_started_without_one() {
    run(without_a_rule(), Fault::None, async |driver| {
        let before = count(&driver);
        let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": "newest"}});
        let mut newest = item(&driver.world.aws(), &key).expect("the pipeline was released");
        {
            let mut aws = driver.world.aws();
            newest["claimed_at"] = json!({"S": eventbridge::timestamp(aws.now)});
            newest["restarting"] = json!({"S": format!("sha256:{}", "0a".repeat(32))});
            let put = json!({"TableName": ledger_table(&aws), "Item": newest});
            dynamodb::call(&mut aws, "PutItem", &put).expect("an item");
        }

        let (newer, input) = pushed(&driver, "2.0.0");
        let early = invoke(&driver, "start-pipeline", input.clone()).await;
        let why = "another invocation claimed sha256:0a0a0a0a0a0a and may be starting the \
            pipeline; retrying";
        assert_eq!(early, Err(why.to_owned()));
        pass_secs(&driver, 61).await;
        assert_eq!(deliver(&driver, &input).await["status"], "started");
        assert_eq!(started(&driver.world.aws(), before), [newer]);
        let after = item(&driver.world.aws(), &key).expect("an item");
        assert_eq!(after.get("restarting"), None);
    });
}

/// Events have whole seconds.
#[test]
fn of_two_pushes_within_a_second_the_one_that_came_into_the_repository_last_is_newer() {
    for newer_first in [true, false] {
        run(without_a_rule(), Fault::None, async |driver| {
            let before = count(&driver);
            let (older, first) = pushed(&driver, "2.0.0");
            pass(&driver, Duration::from_millis(300)).await;
            let (newer, mut second) = pushed(&driver, "2.0.1");
            second["event"]["time"] = first["event"]["time"].clone();

            if newer_first {
                assert_eq!(deliver(&driver, &second).await["status"], "started");
                assert_eq!(deliver(&driver, &first).await["status"], "refused");
                assert_eq!(started(&driver.world.aws(), before), [newer]);
            } else {
                assert_eq!(deliver(&driver, &first).await["status"], "started");
                assert_eq!(deliver(&driver, &second).await["status"], "started");
                assert_eq!(started(&driver.world.aws(), before), [older, newer]);
            }
        });
    }
}

/// As after `docker push` of an earlier image under another tag, to undo the push in between.
#[test]
fn a_tag_that_returns_to_an_image_is_a_push_of_its_own_while_its_release_is_open() {
    run(without_a_rule(), Fault::None, async |driver| {
        let before = count(&driver);
        let (first, event) = pushed(&driver, "2.0.0");
        let started_first = deliver(&driver, &event).await;
        let same = json!({"status": "known", "execution": started_first["execution"]});
        let another = tagged(&event, "another-tag", 0);
        assert_eq!(deliver(&driver, &another).await, same);

        pass_secs(&driver, 5).await;
        let (second, next) = pushed(&driver, "2.0.1");
        assert_eq!(deliver(&driver, &next).await["status"], "started");
        let late = tagged(&event, "a-late-tag", 0);
        assert_eq!(deliver(&driver, &late).await, same, "before the next push");

        let revert = tagged(&event, "a-revert", 60);
        assert_eq!(deliver(&driver, &revert).await["status"], "started");
        let expected = [first.clone(), second, first];
        assert_eq!(started(&driver.world.aws(), before), expected);
    });
}

#[test]
fn a_late_tag_of_an_image_that_was_started_leaves_its_claim_alone() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (first, event) = pushed(&driver, "2.0.0");
        let execution = deliver(&driver, &event).await["execution"].clone();
        pass_secs(&driver, 90).await;
        let (_, next) = pushed(&driver, "2.0.1");
        assert_eq!(deliver(&driver, &next).await["status"], "started");

        let late = tagged(&event, "a-late-tag", 30);
        let known = json!({"status": "known", "execution": execution});
        assert_eq!(deliver(&driver, &late).await, known);
        let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": first}});
        let claim = item(&driver.world.aws(), &key).expect("the claim is recorded");
        assert_eq!(text(&claim, "execution"), execution.as_str());
        assert_eq!(text(&claim, "refusal"), None);
    });
}

/// The same event once more, as that of another tag this many seconds later.
fn tagged(input: &Value, id: &str, later: i64) -> Value {
    let mut tagged = input.clone();
    let time: Timestamp = serde_json::from_value(input["event"]["time"].clone()).expect("a time");
    let time = Timestamp::from_secs(time.secs() + later).expect("in range");
    tagged["event"]["id"] = json!(id);
    tagged["event"]["time"] = json!(time);
    tagged
}

#[test]
fn what_was_pushed_before_another_tag_of_the_newest_image_does_not_replace_it() {
    run(without_a_rule(), Fault::None, async |driver| {
        let before = count(&driver);
        let (newest, event) = pushed(&driver, "2.0.0");
        let first = deliver(&driver, &event).await;
        let again = deliver(&driver, &tagged(&event, "another-tag", 20)).await;
        let known = json!({"status": "known", "execution": first["execution"]});
        assert_eq!(again, known);

        let (between, late) = pushed(&driver, "2.0.1");
        let late = tagged(&late, "between", 10);
        assert_eq!(deliver(&driver, &late).await["status"], "refused");
        assert!(refusal(&driver, &between).starts_with("superseded: "));
        assert_eq!(started(&driver.world.aws(), before), [newest]);
    });
}

/// As if the process of the second tag had died before it started the pipeline.
#[test]
fn a_late_event_of_the_newest_image_makes_nothing_in_between_the_newest() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (newest, event) = pushed(&driver, "2.0.0");
        let second = tagged(&event, "another-tag", 120);
        let crash = CallFault::CrashAfter(5);
        let crashed = invoke_with(&driver, "start-pipeline", second, crash).await;
        crashed.expect_err("it died before it started the pipeline");
        pass_secs(&driver, 61).await;
        assert_eq!(deliver(&driver, &event).await["digest"], json!(newest));

        let (_, late) = pushed(&driver, "2.0.1");
        assert_eq!(deliver(&driver, &late).await["status"], "refused");
    });
}

#[test]
fn a_push_whose_event_is_late_does_not_replace_what_was_pushed_and_deployed_meanwhile() {
    run(released(), Fault::None, async |driver| {
        let late = Mishap::Late(Duration::from_secs(600));
        let late = BTreeMap::from([(("aws.ecr", 0), late)]);
        driver.world.aws().events.expect(late);
        let older = push(&driver, WEB, "2.0.0");
        pass_secs(&driver, 10).await;
        let newer = push(&driver, WEB, "2.0.1");

        ends(&driver, PIPELINE, &newer, "deployed").await;
        pass_secs(&driver, 700).await;
        assert!(refusal(&driver, &older).starts_with("superseded: "));
        assert!(image_of(&driver.world.aws(), WEB).ends_with(&newer));
        let aws = driver.world.snapshot();
        Invariants::default().at_end(&aws).expect("no push is lost");
    });
}

/// The release of the first push fails after the tag has returned to its image.
#[test]
fn a_tag_that_returned_to_an_image_starts_nothing_once_the_image_was_rolled_back() {
    run(without_a_rule(), Fault::None, async |driver| {
        let before = count(&driver);
        let behaviour = Behaviour::NeverHealthy;
        let bad = ecr::push(&mut driver.world.aws(), WEB, "2.0.0", behaviour).expect("pushed");
        driver.world.touch();
        let event = forwarded(&driver.world.aws());
        let first = deliver(&driver, &event).await;
        until(&driver, |aws| image_of(aws, WEB).ends_with(&bad)).await;
        let (_, next) = pushed(&driver, "2.0.1");
        assert_eq!(deliver(&driver, &next).await["status"], "started");
        let revert = tagged(&event, "a-revert", 3_600);
        let again = deliver(&driver, &revert).await;
        assert_eq!(again["status"], "started");

        let execution = |answer: &Value| answer["execution"].as_str().expect("an id").to_owned();
        let (first, again) = (execution(&first), execution(&again));
        until(&driver, |aws| is_closed(aws, &first)).await;
        assert_eq!(outcome(&driver, &first), "rolled-back");
        let why = format!("execution {first} with the same digest was rolled back");
        assert_eq!(reason(&driver, &again), why);
        assert_eq!(outcome(&driver, &again), "failed");

        let later = deliver(&driver, &tagged(&event, "once-more", 7_200)).await;
        assert_eq!(later["status"], "refused");
        assert_eq!(started(&driver.world.aws(), before).len(), 3);
    });
}
