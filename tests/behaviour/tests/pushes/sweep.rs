//! Pushes that no event brought: the schedule of the pipeline's rule finds them.

use std::collections::BTreeMap;
use std::time::Duration;

use behaviour::{account, ends, image_of, invoke, invoke_with, ledger_table, pass, push, released};
use emulator::client::CallFault;
use emulator::ecr::{self, Behaviour};
use emulator::eventbridge::{self, Mishap};
use emulator::{Aws, dynamodb};
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use invariants::Invariants;
use invariants::ledger_reader::{digest, executions, item, text};
use serde_json::{Value, json};

pub(super) const PIPELINE: &str = "slipway-web";

/// The account after a release, in which no rule forwards the next pushes.
pub(super) fn without_a_rule() -> Aws {
    let mut aws = released();
    let input = json!({"Name": "slipway-slipway-web"});
    eventbridge::call(&mut aws, "DisableRule", &input).expect("the pipeline has a rule");
    aws
}

pub(super) fn subscription() -> Value {
    json!({"pipeline": PIPELINE, "action": "Image", "repository": WEB, "tag_pattern": "*"})
}

/// What comes of what the rule sends on its schedule.
pub(super) async fn swept(driver: &Driver, subscription: Value) -> Result<Value, String> {
    let event = json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "source": "aws.events",
        "detail-type": "Scheduled Event", "account": "111122223333", "region": "eu-west-1",
        "time": "2026-01-05T09:00:00Z", "resources": [], "detail": {},
    });
    let input = json!({"subscription": subscription, "event": event});
    invoke(driver, "start-pipeline", input).await
}

pub(super) async fn sweep(driver: &Driver, subscription: Value) -> Value {
    swept(driver, subscription).await.expect("an answer")
}

pub(super) async fn pass_minutes(driver: &Driver, minutes: u64) {
    pass(driver, Duration::from_secs(60 * minutes)).await;
}

/// Gives an image another tag, whose event waits until time passes.
pub(super) fn tag(driver: &Driver, repository: &str, pushed: &str, tag: &str) {
    let put = ecr::retag(&mut driver.world.aws(), repository, pushed, tag);
    put.expect("the image is there");
}

pub(super) fn nothing() -> Value {
    json!({"status": "swept", "missed": []})
}

pub(super) fn claim(driver: &Driver, pushed: &str) -> Option<Value> {
    let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": pushed}});
    item(&driver.world.aws(), &key)
}

/// How many executions of the pipeline there are for a digest.
pub(super) fn started(driver: &Driver, pushed: &str) -> usize {
    let aws = driver.world.aws();
    let of_push = executions(&aws, PIPELINE).filter(|one| digest(one) == Some(pushed));
    of_push.count()
}

#[test]
fn a_push_whose_event_was_lost_is_released_within_an_hour() {
    run(released(), Fault::None, async |driver| {
        let lost = BTreeMap::from([(("aws.ecr", 0), Mishap::Lost)]);
        driver.world.aws().events.expect(lost);
        let pushed = push(&driver, WEB, "2.0.0");
        pass_minutes(&driver, 5).await;
        assert_eq!(claim(&driver, &pushed), None);

        let begun = driver.world.aws().now;
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert!(image_of(&driver.world.aws(), WEB).ends_with(&pushed));
        let took = driver.world.aws().now - begun;
        assert!(took < 80 * 60_000, "{took}");

        pass_minutes(&driver, 61).await;
        assert_eq!(started(&driver, &pushed), 1);
        let aws = driver.world.snapshot();
        Invariants::default().at_end(&aws).expect("no push is lost");
    });
}

#[test]
fn a_missed_push_is_started_once_its_event_must_have_come_and_once_only() {
    run(without_a_rule(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        pass_minutes(&driver, 9).await;
        assert_eq!(sweep(&driver, subscription()).await, nothing());

        pass_minutes(&driver, 2).await;
        let swept = sweep(&driver, subscription()).await;
        let missed = swept["missed"].as_array().expect("a list");
        assert_eq!(missed.len(), 1, "{swept}");
        let found = [
            &missed[0]["status"],
            &missed[0]["digest"],
            &missed[0]["tag"],
        ];
        assert_eq!(found, [&json!("started"), &json!(pushed), &json!("2.0.0")]);

        pass_minutes(&driver, 30).await;
        assert_eq!(sweep(&driver, subscription()).await, nothing());
        assert_eq!(started(&driver, &pushed), 1);
    });
}

#[test]
fn of_two_missed_pushes_the_newer_is_started_and_the_older_is_recorded() {
    run(without_a_rule(), Fault::None, async |driver| {
        let older = push(&driver, WEB, "2.0.0");
        pass_minutes(&driver, 1).await;
        let newer = push(&driver, WEB, "2.0.1");
        pass_minutes(&driver, 11).await;

        let swept = sweep(&driver, subscription()).await;
        let missed = &swept["missed"];
        let statuses = json!([missed[0]["status"], missed[1]["status"]]);
        let digests = json!([missed[0]["digest"], missed[1]["digest"]]);
        assert_eq!(statuses, json!(["started", "refused"]), "{swept}");
        assert_eq!(digests, json!([newer, older]));
        assert_eq!(started(&driver, &older), 0);
        let claim = claim(&driver, &older).expect("recorded");
        let refusal = text(&claim, "refusal").expect("a reason");
        assert!(refusal.starts_with("superseded: "), "{refusal}");
        assert_eq!(sweep(&driver, subscription()).await, nothing());
    });
}

/// As if each invocation of an event had died before it started the pipeline.
#[test]
fn a_claim_that_led_to_nothing_is_started_under_its_own_event() {
    run(without_a_rule(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let event = driver.world.aws().events.events.last().cloned();
        let input = json!({"subscription": subscription(), "event": event});
        // The digest is claimed with the fourth call.
        let crash = CallFault::CrashAfter(4);
        let crashed = invoke_with(&driver, "start-pipeline", input, crash).await;
        crashed.expect_err("it died before it started the pipeline");
        let claimed = claim(&driver, &pushed).expect("claimed");
        assert_eq!(text(&claimed, "execution"), None);

        pass_minutes(&driver, 9).await;
        assert_eq!(sweep(&driver, subscription()).await, nothing());
        pass_minutes(&driver, 2).await;
        let swept = sweep(&driver, subscription()).await;
        assert_eq!(swept["missed"][0]["status"], "started", "{swept}");
        let resumed = claim(&driver, &pushed).expect("claimed");
        assert!(text(&resumed, "execution").is_some());
        assert_eq!(text(&resumed, "event"), text(&claimed, "event"));
    });
}

/// As after `docker push --all-tags`, if the event of one tag is lost and that of the other late.
#[test]
fn a_late_event_of_a_tag_that_a_missed_push_had_starts_nothing() {
    run(without_a_rule(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        pass(&driver, Duration::from_secs(5)).await;
        tag(&driver, WEB, &pushed, "2.0");
        let event = driver.world.aws().events.events.last().cloned();
        pass_minutes(&driver, 11).await;
        let swept = sweep(&driver, subscription()).await;
        assert_eq!(swept["missed"][0]["status"], "started", "{swept}");
        let execution = ends(&driver, PIPELINE, &pushed, "deployed").await;

        let input = json!({"subscription": subscription(), "event": event});
        let late = invoke(&driver, "start-pipeline", input).await;
        let known = json!({"status": "known", "execution": execution});
        assert_eq!(late.expect("an answer"), known);
        assert_eq!(started(&driver, &pushed), 1);
    });
}

/// The claim of a push expires after 400 days, what was the newest push never.
#[test]
fn the_newest_push_is_not_started_again_once_its_claim_has_expired() {
    run(without_a_rule(), Fault::None, async |driver| {
        let image = image_of(&driver.world.aws(), WEB);
        let (_, pushed) = image.split_once('@').expect("a digest");
        let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": pushed}});
        let before = started(&driver, pushed);
        let table = ledger_table(&driver.world.aws());
        let delete = json!({"Delete": {"TableName": table, "Key": key}});
        let input = json!({"TransactItems": [delete]});
        dynamodb::call(&mut driver.world.aws(), "TransactWriteItems", &input).expect("deleted");
        assert_eq!(claim(&driver, pushed), None);

        pass_minutes(&driver, 11).await;
        assert_eq!(sweep(&driver, subscription()).await, nothing());
        assert_eq!(started(&driver, pushed), before);
    });
}

#[test]
fn a_sweep_starts_nothing_that_cannot_run_or_that_the_pipeline_does_not_take() {
    run(without_a_rule(), Fault::None, async |driver| {
        let other = push(&driver, WEB, "dev-1");
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"},
        });
        let input = json!({
            "repositoryName": WEB, "imageTag": "v1", "imageManifest": manifest.to_string(),
        });
        let put = ecr::call(&mut driver.world.aws(), "PutImage", &input).expect("put");
        let chart = put["image"]["imageId"]["imageDigest"].as_str();
        let chart = chart.expect("a digest");
        pass_minutes(&driver, 11).await;

        let mut of_versions = subscription();
        of_versions["tag_pattern"] = json!("v*");
        let swept = sweep(&driver, of_versions.clone()).await;
        assert_eq!(swept["missed"][0]["status"], "ignored", "{swept}");
        let recorded = claim(&driver, chart).expect("recorded");
        let refusal = text(&recorded, "refusal").expect("a reason");
        assert!(refusal.contains("helm.config"), "{refusal}");
        assert_eq!((started(&driver, chart), started(&driver, &other)), (0, 0));
        assert_eq!(claim(&driver, &other), None);
        assert_eq!(sweep(&driver, of_versions).await, nothing());
    });
}

#[test]
fn nothing_is_started_before_a_first_push_or_without_a_repository() {
    let ignored = |reason: &str| json!({"status": "ignored", "reason": reason});
    let mut aws = account();
    let input = json!({"Name": "slipway-slipway-web"});
    eventbridge::call(&mut aws, "DisableRule", &input).expect("the pipeline has a rule");
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "1.0.0");
        pass_minutes(&driver, 60).await;
        let swept = sweep(&driver, subscription()).await;
        assert_eq!(swept, ignored("no push was recorded yet"));

        let bare = json!({"pipeline": PIPELINE, "action": "Image"});
        let swept = sweep(&driver, bare).await;
        assert_eq!(swept, ignored("the subscription names no repository"));
        assert_eq!(started(&driver, &pushed), 0);
    });
}

/// A repository that the pipeline does not deliver: executions with its images are ignored.
pub(super) const TOOLS: &str = "tools";

/// Creates that repository, and returns the subscription to it.
pub(super) fn tools(driver: &Driver) -> Value {
    let repository = json!({ "repositoryName": TOOLS });
    ecr::call(&mut driver.world.aws(), "CreateRepository", &repository).expect("created");
    let mut of_tools = subscription();
    of_tools["repository"] = json!(TOOLS);
    of_tools
}

/// Starts the pipeline with two images that had one tag in turn, and returns its subscription and
/// their digests. Nothing is missed then.
async fn started_twice(driver: &Driver) -> (Value, [String; 2]) {
    let of_tools = tools(driver);
    let mut pushed = Vec::new();
    for behaviour in [Behaviour::Healthy, Behaviour::Exits] {
        let digest = ecr::push(&mut driver.world.aws(), TOOLS, "stable", behaviour);
        assert_eq!(deliver_last(driver, &of_tools).await["status"], "started");
        pushed.push(digest.expect("pushed"));
        pass_minutes(driver, 11).await;
    }
    assert_eq!(sweep(driver, of_tools.clone()).await, nothing());
    (of_tools, pushed.try_into().expect("two"))
}

/// The last event of ECR.
pub(super) fn last_event(driver: &Driver) -> Value {
    let aws = driver.world.aws();
    let mut events = aws.events.events.iter().rev();
    let last = events.find(|event| event["source"] == "aws.ecr");
    last.expect("there was a push").clone()
}

pub(super) async fn deliver(driver: &Driver, subscription: &Value, event: &Value) -> Value {
    let input = json!({"subscription": subscription, "event": event});
    let answer = invoke(driver, "start-pipeline", input).await;
    answer.expect("an answer")
}

pub(super) async fn deliver_last(driver: &Driver, subscription: &Value) -> Value {
    deliver(driver, subscription, &last_event(driver)).await
}

/// As after `docker push tools:stable` of an earlier image, whose event is lost.
#[test]
fn an_image_to_which_the_tag_of_the_newest_push_has_returned_is_started_again() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (of_tools, pushed) = started_twice(&driver).await;
        tag(&driver, TOOLS, &pushed[0], "stable");

        let swept = sweep(&driver, of_tools.clone()).await;
        assert_eq!(swept["missed"][0]["status"], "started", "{swept}");
        assert_eq!(swept["missed"][0]["digest"], json!(pushed[0]));
        assert_eq!(started(&driver, &pushed[0]), 2);
        pass_minutes(&driver, 11).await;
        assert_eq!(sweep(&driver, of_tools).await, nothing());
    });
}

#[test]
fn a_tag_that_returned_does_not_replace_a_newer_image_whose_event_is_about_to_come() {
    run(without_a_rule(), Fault::None, async |driver| {
        let (of_tools, pushed) = started_twice(&driver).await;
        tag(&driver, TOOLS, &pushed[0], "stable");
        pass_minutes(&driver, 1).await;
        let behaviour = Behaviour::Healthy;
        let newer = ecr::push(&mut driver.world.aws(), TOOLS, "2.0.0", behaviour);
        let newer = newer.expect("pushed");

        assert_eq!(sweep(&driver, of_tools.clone()).await, nothing());
        assert_eq!(
            deliver_last(&driver, &of_tools).await["digest"],
            json!(newer)
        );
        assert_eq!(started(&driver, &newer), 1);
        assert_eq!(started(&driver, &pushed[0]), 1);
    });
}

/// Pushes, each at a minute, with the minutes at which its event is delivered: none if it is lost.
const PUSHES: [(u64, &[u64]); 10] = [
    (0, &[0]),
    (7, &[]),
    (13, &[13, 95]),
    (21, &[140]),
    (34, &[]),
    (41, &[41, 42]),
    (48, &[170]),
    (66, &[]),
    (72, &[175]),
    (150, &[]),
];

#[test]
fn of_lost_doubled_and_late_events_each_push_is_started_once_or_superseded() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let before = executions(&driver.world.aws(), PIPELINE).count();
        let mut pushed = Vec::new();
        for minute in 0..=180 {
            if PUSHES
                .get(pushed.len())
                .is_some_and(|next| next.0 == minute)
            {
                let tag = format!("3.{minute}.0");
                let digest = ecr::push(&mut driver.world.aws(), TOOLS, &tag, Behaviour::Healthy);
                pushed.push((digest.expect("pushed"), last_event(&driver)));
            }
            for ((_, deliveries), (_, event)) in PUSHES.iter().zip(&pushed) {
                if deliveries.contains(&minute) {
                    deliver(&driver, &of_tools, event).await;
                }
            }
            if minute > 0 && minute % 60 == 0 {
                sweep(&driver, of_tools.clone()).await;
            }
            pass_minutes(&driver, 1).await;
        }

        {
            let aws = driver.world.aws();
            let started = executions(&aws, PIPELINE).skip(before);
            let started: Vec<&str> = started.filter_map(digest).collect();
            let expected = [0, 2, 5, 6, 8, 9].map(|number| pushed[number].0.as_str());
            assert_eq!(started, expected);
        }
        for number in [1, 3, 4, 7] {
            let claim = claim(&driver, &pushed[number].0).expect("recorded");
            let refusal = text(&claim, "refusal").expect("a reason");
            assert!(refusal.starts_with("superseded: "), "{refusal}");
        }
    });
}
