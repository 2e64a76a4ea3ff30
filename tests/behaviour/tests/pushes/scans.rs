//! Images whose scan has too many findings, or no result yet.

use std::time::Duration;

use behaviour::pair::update;
use behaviour::{account, ends, invoke, pass, push, released};
use emulator::Aws;
use emulator::ecr::{self, Scan, Scanner};
use emulator::eventbridge;
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{digest, executions, item, text};
use serde_json::{Value, json};

use crate::sweep::tag;

const PIPELINE: &str = "slipway-web";

/// An account in which no rule forwards the next pushes.
fn without_a_rule(mut aws: Aws) -> Aws {
    let input = json!({"Name": "slipway-slipway-web"});
    eventbridge::call(&mut aws, "DisableRule", &input).expect("the pipeline has a rule");
    aws
}

async fn deliver(driver: &Driver, gate: &str, event: Value) -> Value {
    let subscription = json!({
        "pipeline": PIPELINE, "action": "Image", "repository": WEB, "tag_pattern": "*",
        "image_gate": gate,
    });
    let input = json!({"subscription": subscription, "event": event});
    let answer = invoke(driver, "start-pipeline", input).await;
    answer.expect("an answer")
}

/// Pushes an image, and returns its digest with the event of the push.
fn pushed(driver: &Driver, tag: &str) -> (String, Value) {
    let digest = push(driver, WEB, tag);
    let event = driver.world.aws().events.events.last().cloned();
    (digest, event.expect("ECR sent an event"))
}

/// What the rule sends on its schedule, eleven minutes later.
async fn sweep_later(driver: &Driver, gate: &str) -> Value {
    pass(driver, Duration::from_secs(11 * 60)).await;
    let event = json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "source": "aws.events",
        "detail-type": "Scheduled Event", "account": "111122223333", "region": "eu-west-1",
        "time": "2026-01-05T09:00:00Z", "resources": [], "detail": {},
    });
    deliver(driver, gate, event).await
}

/// The scan of an image completes.
fn complete(driver: &Driver, scanner: Scanner, pushed: &str, findings: &[(&str, &'static str)]) {
    let mut aws = driver.world.aws();
    let findings = findings.iter();
    let scan = Scan {
        scanner,
        status: "COMPLETE",
        completed: Some(aws.now),
        findings: findings
            .map(|(name, severity)| ((*name).to_owned(), *severity))
            .collect(),
    };
    ecr::set_scan(&mut aws, WEB, pushed, scan).expect("the image is there");
}

/// What the ledger has of a digest, by the name of the field.
fn recorded(driver: &Driver, pushed: &str, field: &str) -> Option<String> {
    let key = json!({"pk": {"S": format!("push#{PIPELINE}")}, "sk": {"S": pushed}});
    let claim = item(&driver.world.aws(), &key)?;
    text(&claim, field).map(ToOwned::to_owned)
}

/// How many executions of the pipeline there are for a digest.
fn started(driver: &Driver, pushed: &str) -> usize {
    let aws = driver.world.aws();
    let of_push = executions(&aws, PIPELINE).filter(|one| digest(one) == Some(pushed));
    of_push.count()
}

#[test]
fn an_image_with_too_many_findings_is_refused_unless_they_are_allowed() {
    run(without_a_rule(released()), Fault::None, async |driver| {
        let (digest, event) = pushed(&driver, "2.0.0");
        complete(
            &driver,
            Scanner::Basic,
            &digest,
            &[("CVE-2024-0001", "CRITICAL")],
        );
        let answer = deliver(&driver, "CRITICAL:0", event).await;
        assert_eq!(answer["status"], "refused", "{answer}");
        assert_eq!(started(&driver, &digest), 0);
        let refusal = recorded(&driver, &digest, "refusal").expect("a reason");
        assert!(
            refusal.contains("1 findings of severity CRITICAL, such as CVE-2024-0001"),
            "{refusal}"
        );

        let (digest, event) = pushed(&driver, "2.0.1");
        complete(
            &driver,
            Scanner::Basic,
            &digest,
            &[("CVE-2024-0001", "CRITICAL")],
        );
        let answer = deliver(&driver, "CRITICAL:0 allow:CVE-2024-0001", event).await;
        assert_eq!(answer["status"], "started", "{answer}");
        assert_eq!(started(&driver, &digest), 1);
    });
}

#[test]
fn an_image_waits_for_its_scan_and_the_sweep_starts_it() {
    for aws in [released(), account()] {
        run(without_a_rule(aws), Fault::None, async |driver| {
            let (digest, event) = pushed(&driver, "2.0.0");
            let answer = deliver(&driver, "HIGH:0", event).await;
            assert_eq!(answer["status"], "waiting", "{answer}");
            let waiting = recorded(&driver, &digest, "waiting").expect("a reason");
            let expected = "the scan of the image has no result: ScanNotFoundException";
            assert_eq!(waiting, expected);

            let swept = sweep_later(&driver, "HIGH:0").await;
            assert_eq!(swept["missed"][0]["status"], "waiting", "{swept}");
            assert_eq!(started(&driver, &digest), 0);

            complete(
                &driver,
                Scanner::Basic,
                &digest,
                &[("CVE-2024-0002", "LOW")],
            );
            let swept = sweep_later(&driver, "HIGH:0").await;
            assert_eq!(swept["missed"][0]["status"], "started", "{swept}");
            assert_eq!(started(&driver, &digest), 1);
            assert_eq!(recorded(&driver, &digest, "waiting"), None);
        });
    }
}

#[test]
fn an_image_whose_scan_has_no_result_for_long_is_refused() {
    run(without_a_rule(released()), Fault::None, async |driver| {
        let (digest, event) = pushed(&driver, "2.0.0");
        let answer = deliver(&driver, "HIGH:0", event).await;
        assert_eq!(answer["status"], "waiting", "{answer}");

        pass(&driver, Duration::from_secs(12 * 3_600)).await;
        let swept = sweep_later(&driver, "HIGH:0").await;
        assert_eq!(swept["missed"][0]["status"], "refused", "{swept}");
        let refusal = recorded(&driver, &digest, "refusal").expect("a reason");
        let expected = "ScanNotFoundException 12h00m after its first push";
        assert!(refusal.ends_with(expected), "{refusal}");

        complete(&driver, Scanner::Basic, &digest, &[]);
        let swept = sweep_later(&driver, "HIGH:0").await;
        assert_eq!(swept["missed"], json!([]), "{swept}");
        assert_eq!(started(&driver, &digest), 0);
    });
}

#[test]
fn a_pipeline_without_a_gate_reads_no_scan() {
    run(without_a_rule(released()), Fault::None, async |driver| {
        let (digest, event) = pushed(&driver, "2.0.0");
        let before = driver.world.aws().calls.len();
        let answer = deliver(&driver, "", event).await;
        assert_eq!(answer["status"], "started", "{answer}");
        assert_eq!(started(&driver, &digest), 1);
        let aws = driver.world.aws();
        let calls = aws.calls[before..].iter();
        let read = calls.filter(|call| call.operation == "DescribeImageScanFindings");
        assert_eq!(read.count(), 0);
    });
}

#[test]
fn the_deploy_role_reads_the_findings_of_inspector() {
    let mut aws = account();
    update(&mut aws, "web-pipeline", &[("ImageGate", "CRITICAL:0")]);
    run(aws, Fault::None, async |driver| {
        let digest = push(&driver, WEB, "1.0.0");
        let scanner = Scanner::Enhanced;
        complete(&driver, scanner, &digest, &[("CVE-2024-0002", "HIGH")]);
        ends(&driver, PIPELINE, &digest, "deployed").await;
    });
}

#[test]
fn an_image_that_waits_is_started_by_the_event_of_its_scan() {
    for scanner in [Scanner::Basic, Scanner::Enhanced] {
        let mut aws = account();
        update(&mut aws, "web-pipeline", &[("ImageGate", "CRITICAL:0")]);
        run(aws, Fault::None, async |driver| {
            let digest = push(&driver, WEB, "1.0.0");
            pass(&driver, Duration::from_secs(60)).await;
            assert!(recorded(&driver, &digest, "waiting").is_some());
            assert_eq!(started(&driver, &digest), 0);

            complete(&driver, scanner, &digest, &[("CVE-2024-0002", "HIGH")]);
            driver.world.touch();
            pass(&driver, Duration::from_secs(60)).await;
            assert_eq!(started(&driver, &digest), 1);
            assert_eq!(recorded(&driver, &digest, "waiting"), None);
        });
    }
}

/// The event of the last scan.
fn scan_event(driver: &Driver) -> Value {
    let aws = driver.world.aws();
    let mut events = aws.events.events.iter().rev();
    let scan = events.find(|event| event["detail-type"] == "ECR Image Scan");
    scan.expect("the scan was reported").clone()
}

#[test]
fn the_event_of_a_scan_starts_nothing_that_does_not_wait_for_it() {
    run(without_a_rule(released()), Fault::None, async |driver| {
        let ignored = json!({
            "status": "ignored", "reason": "no push of the image waits for its scan",
        });
        let (digest, event) = pushed(&driver, "2.0.0");
        complete(&driver, Scanner::Basic, &digest, &[]);
        let scan = scan_event(&driver);
        assert_eq!(deliver(&driver, "HIGH:0", scan.clone()).await, ignored);
        assert_eq!(started(&driver, &digest), 0);

        assert_eq!(deliver(&driver, "HIGH:0", event).await["status"], "started");
        assert_eq!(deliver(&driver, "HIGH:0", scan).await, ignored);
        assert_eq!(started(&driver, &digest), 1);
    });
}

#[test]
fn the_event_of_a_scan_reads_the_findings_and_no_manifest_again() {
    run(without_a_rule(released()), Fault::None, async |driver| {
        let (digest, event) = pushed(&driver, "2.0.0");
        assert_eq!(deliver(&driver, "HIGH:0", event).await["status"], "waiting");
        complete(&driver, Scanner::Basic, &digest, &[]);
        let before = driver.world.aws().calls.len();
        let answer = deliver(&driver, "HIGH:0", scan_event(&driver)).await;
        assert_eq!(answer["status"], "started", "{answer}");

        let aws = driver.world.aws();
        let calls = aws.calls[before..].iter();
        let of_ecr = calls.filter(|call| {
            call.caller == "slipway-start-pipeline" && call.operation.contains("Image")
        });
        let read: Vec<&str> = of_ecr.map(|call| call.operation.as_str()).collect();
        assert_eq!(read, ["DescribeImages", "DescribeImageScanFindings"]);
    });
}

#[test]
fn the_event_of_a_scan_starts_no_image_that_the_pipeline_takes_no_longer() {
    run(without_a_rule(released()), Fault::None, async |driver| {
        let (digest, event) = pushed(&driver, "2.0.0");
        assert_eq!(deliver(&driver, "HIGH:0", event).await["status"], "waiting");
        complete(&driver, Scanner::Basic, &digest, &[]);
        let subscription = json!({
            "pipeline": PIPELINE, "action": "Image", "repository": WEB, "tag_pattern": "v*",
            "image_gate": "HIGH:0",
        });
        let input = json!({"subscription": subscription, "event": scan_event(&driver)});
        let answer = invoke(&driver, "start-pipeline", input).await;
        let reason = "tag `2.0.0` does not match the pipeline's tag pattern `v*`";
        let ignored = json!({"status": "ignored", "reason": reason});
        assert_eq!(answer.expect("an answer"), ignored);
        assert_eq!(started(&driver, &digest), 0);
    });
}

#[test]
fn the_event_of_a_scan_does_not_let_an_image_pass_that_has_too_many_findings() {
    run(without_a_rule(released()), Fault::None, async |driver| {
        let (digest, event) = pushed(&driver, "2.0.0");
        assert_eq!(deliver(&driver, "HIGH:0", event).await["status"], "waiting");
        complete(
            &driver,
            Scanner::Basic,
            &digest,
            &[("CVE-2024-0001", "HIGH")],
        );
        let answer = deliver(&driver, "HIGH:0", scan_event(&driver)).await;
        assert_eq!(answer["status"], "refused", "{answer}");
        let refusal = recorded(&driver, &digest, "refusal").expect("a reason");
        assert!(refusal.contains("1 findings of severity HIGH"), "{refusal}");
        assert_eq!(started(&driver, &digest), 0);
    });
}

/// An image gets two tags, and another image is pushed between the two. The events come in reverse.
#[test]
fn a_late_event_of_an_earlier_tag_makes_no_push_that_waits_older() {
    run(without_a_rule(released()), Fault::None, async |driver| {
        let (waiting, first) = pushed(&driver, "2.0.0");
        pass(&driver, Duration::from_secs(10)).await;
        let (between, second) = pushed(&driver, "2.0.1");
        pass(&driver, Duration::from_secs(10)).await;
        tag(&driver, WEB, &waiting, "2.0");
        let third = driver.world.aws().events.events.last().cloned();
        let third = third.expect("ECR sent an event");
        let time = third["time"].as_str().map(ToOwned::to_owned);

        assert_eq!(deliver(&driver, "HIGH:0", third).await["status"], "waiting");
        complete(&driver, Scanner::Basic, &between, &[]);
        let answer = deliver(&driver, "HIGH:0", second).await;
        assert_eq!(answer["status"], "started", "{answer}");
        let answer = deliver(&driver, "HIGH:0", first).await;
        assert_eq!(answer["status"], "waiting", "{answer}");
        assert_eq!(recorded(&driver, &waiting, "pushed_at"), time);
        assert_eq!(recorded(&driver, &waiting, "tag").as_deref(), Some("2.0"));

        complete(&driver, Scanner::Basic, &waiting, &[]);
        let answer = deliver(&driver, "HIGH:0", scan_event(&driver)).await;
        assert_eq!(answer["status"], "started", "{answer}");
        assert_eq!(started(&driver, &waiting), 1);
    });
}
