//! What `start-pipeline` makes of a push: what it writes, what it starts, and what it leaves alone.

use std::time::Duration;

use emulator::Aws;
use emulator::client::{CallFault, Hang, Invocation, Trouble, sdk_config};
use emulator::ecr::{self, Behaviour};
use emulator::eventbridge;
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use harness::functions;
use invariants::ledger_reader::{FUNCTIONS_STACK, digest, executions};
use serde_json::{Value, json};
use slipway::aws::{Ledger, Sdk};
use slipway::release::{Outcome, Push, Record};
use slipway::timestamp::Timestamp;

use behaviour::{account, allow_by_hand, invoke, ledger_table, newest, writes};

/// An account in which an image was pushed and no function was invoked: the digest, and the event
/// as the rule of the pipeline forwards it.
fn pushed() -> (Aws, String, Value) {
    let mut aws = account();
    let disabled = eventbridge::call(
        &mut aws,
        "DisableRule",
        &json!({"Name": "slipway-slipway-web"}),
    );
    disabled.expect("the pipeline has a rule");

    // The claim follows the reading of the manifest, in the same second.
    aws.now = (aws.now / 1_000 + 1) * 1_000;
    let pushed =
        ecr::push(&mut aws, WEB, "1.0.0", Behaviour::Healthy).expect("the repository is there");
    let event = aws.events.events.last().expect("ECR sent an event").clone();

    (
        aws,
        pushed,
        json!({"subscription": {"pipeline": "slipway-web", "action": "Image"}, "event": event}),
    )
}

fn item(aws: &Aws, pk: &str, sk: &str) -> Option<Value> {
    aws.dynamodb.item(
        &ledger_table(aws),
        &json!({"pk": {"S": pk}, "sk": {"S": sk}}),
    )
}

/// How many executions of the pipeline there are for a digest.
fn started(aws: &Aws, pushed: &str) -> usize {
    executions(aws, "slipway-web")
        .filter(|execution| digest(execution) == Some(pushed))
        .count()
}

/// The ledger has the claim of the push, the record of the execution and its mark in the leases.
fn check_items(aws: &Aws, pushed: &str, event: &Value, execution: &str, now: Timestamp) {
    let text = |text: &str| json!({ "S": text });
    let in_400_days = (now.secs() + 400 * 86_400).to_string();
    let now = now.to_string();
    let version = json!({"N": "1"});
    assert_eq!(
        item(aws, "push#slipway-web", pushed),
        Some(json!({
            "pk": text("push#slipway-web"), "sk": text(pushed), "v": version,
            "pipeline": text("slipway-web"),
            "digest": text(pushed), "tag": text("1.0.0"),
            "event": event["event"]["id"].as_str().map(text),
            "pushed_at": text(&now), "claimed_at": text(&now), "execution": text(execution),
            "expires_at": {"N": in_400_days}
        }))
    );

    let pk = format!("execution#{execution}");
    assert_eq!(
        item(aws, &pk, "record"),
        Some(json!({
            "pk": text(&pk), "sk": text("record"), "v": version, "execution": text(execution),
            "pipeline": text("slipway-web"), "digest": text(pushed), "state": text("started"),
            "action": event["subscription"]["action"].as_str().map(text), "started_at": text(&now)
        }))
    );

    let sk = format!("started#{execution}");
    assert_eq!(
        item(aws, "lease", &sk),
        Some(json!({
            "pk": text("lease"), "sk": text(&sk), "v": version, "execution": text(execution),
            "pipeline": text("slipway-web")
        }))
    );
}

#[test]
fn a_push_is_claimed_started_and_recorded_by_value() {
    let (aws, pushed, event) = pushed();
    let now = Timestamp::from_secs(aws.now / 1_000).expect("in range");
    let (answer, aws) = run(aws, Fault::None, async |driver| {
        (
            invoke(&driver, "start-pipeline", event.clone())
                .await
                .expect("started"),
            driver.world.snapshot(),
        )
    });
    let execution = newest(&aws, "slipway-web").id.clone();

    assert_eq!(
        answer,
        json!({"status": "started", "execution": execution, "digest": pushed, "tag": "1.0.0"})
    );
    assert_eq!(digest(newest(&aws, "slipway-web")), Some(pushed.as_str()));

    check_items(&aws, &pushed, &event, &execution, now);
}

#[test]
fn an_image_without_a_tag_and_what_is_not_a_push_are_ignored_with_the_reason() {
    let untagged = |event: &mut Value| {
        drop(
            event["detail"]
                .as_object_mut()
                .expect("an object")
                .remove("image-tag"),
        )
    };
    let deleted = |event: &mut Value| event["detail"]["action-type"] = json!("DELETE");
    type Edit<'a> = &'a dyn Fn(&mut Value);

    let cases: [(Edit, &str); 2] = [
        (
            &untagged,
            "an image pushed without a tag is part of a multi-architecture image, or not a \
            release yet",
        ),
        (
            &deleted,
            "DELETE with result SUCCESS is not a successful PUSH",
        ),
    ];
    for (change, reason) in cases {
        let (aws, pushed, mut event) = pushed();
        let before = aws.calls.len();
        change(&mut event["event"]);
        let (answer, aws) = run(aws, Fault::None, async |driver| {
            (
                invoke(&driver, "start-pipeline", event).await,
                driver.world.snapshot(),
            )
        });

        assert_eq!(answer, Ok(json!({"status": "ignored", "reason": reason})));
        assert_eq!(
            (started(&aws, &pushed), writes(&aws, before)),
            (0, Vec::new())
        );
    }
}

#[test]
fn an_event_without_a_subscription_is_refused_with_the_expected_form() {
    let (aws, _, event) = pushed();
    let refused = run(aws, Fault::None, async |driver| {
        invoke(&driver, "start-pipeline", event["event"].clone()).await
    });
    let refused = refused.expect_err("not wrapped");
    let legal =
        "expected {\"subscription\": {\"pipeline\": …, \"action\": …}, \"event\": <ECR event>}";

    assert!(refused.contains(legal), "{refused}");
}

#[test]
fn the_id_of_an_event_makes_a_request_token_that_codepipeline_takes() {
    let (aws, pushed, mut event) = pushed();
    event["event"]["id"] = json!(format!("{}/_ä {}", "a".repeat(100), "b".repeat(100)));
    let (answer, aws) = run(aws, Fault::None, async |driver| {
        (
            invoke(&driver, "start-pipeline", event)
                .await
                .expect("started"),
            driver.world.snapshot(),
        )
    });

    assert_eq!(
        (&answer["status"], started(&aws, &pushed)),
        (&json!("started"), 1)
    );
}

/// The SDK of an invocation of a function by itself.
fn sdk(driver: &Driver, function: &str, fault: CallFault) -> (Sdk, std::sync::Arc<Invocation>) {
    let table = ledger_table(&driver.world.aws());
    allow_by_hand(&mut driver.world.aws());
    let invocation = Invocation::new(format!("{FUNCTIONS_STACK}-{function}"), fault);
    (
        Sdk::new(sdk_config(&driver.world, invocation.clone()), &table),
        invocation,
    )
}

#[test]
fn a_digest_that_was_rolled_back_is_refused_and_the_refusal_is_written_down() {
    let (aws, pushed, event) = pushed();
    let mut again = event.clone();
    again["event"]["id"] = json!("another-event");
    let (refused, aws) = run(aws, Fault::None, async |driver| {
        let first = invoke(&driver, "start-pipeline", event.clone())
            .await
            .expect("started");
        let execution = first["execution"].as_str().expect("an id");
        let ledger = Ledger::new(&sdk(&driver, "roll-back", CallFault::None).0);
        let now = Timestamp::from_secs(driver.world.aws().now / 1_000).expect("in range");
        let closed = Record::started(execution, "slipway-web", Some(&pushed), now);
        let closed = closed.closed(Outcome::RolledBack, "unhealthy", now);

        assert!(
            ledger.put_record(&closed).await.expect("written"),
            "the record was started"
        );

        (
            invoke(&driver, "start-pipeline", again)
                .await
                .expect("refused"),
            driver.world.snapshot(),
        )
    });
    let reason = "this digest was rolled-back before (unhealthy); push a new image, or start the \
        pipeline by hand to try it again";

    assert_eq!(
        refused,
        json!({"status": "refused", "digest": pushed, "reason": reason})
    );
    assert_eq!(started(&aws, &pushed), 1);

    let push = item(&aws, "push#slipway-web", &pushed).expect("claimed");
    assert_eq!(push["refusal"], json!({ "S": reason }));
    assert_eq!(
        push["event"]["S"], event["event"]["id"],
        "the claim is still the first event's"
    );
    assert_eq!(push.get("expires_at"), None);
}

/// As if the process had died before it wrote the execution into the claim, and the release had
/// begun before the event was delivered again.
#[test]
fn a_claim_whose_execution_went_on_before_it_was_written_never_expires() {
    let (aws, pushed, event) = pushed();
    let (execution, aws) = run(aws, Fault::None, async |driver| {
        let first = invoke(&driver, "start-pipeline", event.clone()).await;
        let first = first.expect("started");
        let execution = first["execution"].as_str().expect("an id").to_owned();

        let ledger = Ledger::new(&sdk(&driver, "roll-back", CallFault::None).0);
        let claim = ledger.push("slipway-web", &pushed).await.expect("read");
        let claim = claim.expect("claimed");
        let unwritten = Push {
            execution: None,
            ..claim.clone()
        };
        let written = ledger.put_push(Some(&claim), &unwritten).await;
        assert!(written.expect("answered"), "nothing is in between");
        let record = ledger.record(&execution).await.expect("read");
        let begun = record.expect("recorded").begun("apps", "web");
        assert!(ledger.put_record(&begun).await.expect("answered"));

        let again = invoke(&driver, "start-pipeline", event.clone()).await;
        assert_eq!(again.expect("started"), first);
        (execution, driver.world.snapshot())
    });

    let claim = item(&aws, "push#slipway-web", &pushed).expect("claimed");
    assert_eq!(claim["execution"], json!({ "S": execution }));
    assert_eq!(claim.get("expires_at"), None);
}

#[test]
fn of_two_deliveries_that_both_found_no_claim_one_starts_the_pipeline_and_the_other_looks_again() {
    // The same event twice, and two tags of one image at once.
    for id in [None, Some("another-event")] {
        let (aws, pushed, event) = pushed();
        let mut other = event.clone();
        if let Some(id) = id {
            other["event"]["id"] = json!(id);
        }

        let (slow, fast, again, aws) = run(aws, Fault::None, async |driver| {
            let (sdk, invocation) = sdk(
                &driver,
                "start-pipeline",
                // The manifest is read before the claim.
                CallFault::HangAfter(2, Hang::For(Duration::from_secs(5))),
            );
            let code = Box::pin(functions::invoke("start-pipeline", &sdk, event.clone()));
            let slow = invocation.run(Duration::from_secs(60), code);
            let (slow, fast) = tokio::join!(slow, invoke(&driver, "start-pipeline", other));
            let again = invoke(&driver, "start-pipeline", event.clone()).await;

            (
                slow.map_err(|error| error.to_string()),
                fast,
                again,
                driver.world.snapshot(),
            )
        });
        let fast = fast.expect("started");

        assert_eq!(fast["status"], "started");

        let short = &pushed[..19];
        assert_eq!(
            slow,
            Err(format!(
                "another invocation claimed {short} at the same moment; retrying"
            ))
        );
        assert_eq!(
            again,
            Ok(json!({"status": "known", "execution": fast["execution"]}))
        );
        assert_eq!(started(&aws, &pushed), 1);
    }
}

#[test]
fn a_push_whose_manifest_cannot_be_read_is_not_lost() {
    let (aws, _, mut event) = pushed();
    let config = "application/vnd.oci.image.config.v1+json";
    event["event"]["detail"]["artifact-media-type"] = json!(config);

    let (busy, again) = run(aws, Fault::None, async |driver| {
        // The manifest is read first, in as many attempts as the SDK makes.
        let fault = CallFault::From {
            first: 1,
            count: 4,
            trouble: Trouble::InternalError { effect: false },
        };
        let (sdk, invocation) = sdk(&driver, "start-pipeline", fault);
        let code = Box::pin(functions::invoke("start-pipeline", &sdk, event.clone()));
        let busy = invocation.run(Duration::from_secs(60), code).await;
        let again = invoke(&driver, "start-pipeline", event.clone()).await;
        (busy.map_err(|error| error.to_string()), again)
    });

    // Lambda delivers again what fails.
    let error = busy.expect_err("ECR is busy");
    assert!(error.starts_with("ecr:BatchGetImage failed"), "{error}");
    assert_eq!(again.expect("started")["status"], "started");
}

#[test]
fn a_second_tag_that_comes_between_the_claim_and_the_start_of_the_first_looks_again() {
    let (aws, pushed, event) = pushed();
    let mut other = event.clone();
    other["event"]["id"] = json!("another-event");

    let (first, second, again, aws) = run(aws, Fault::None, async |driver| {
        // The claim is written with the fourth call, and the sixth one starts the pipeline.
        let hang = CallFault::HangAfter(4, Hang::For(Duration::from_secs(5)));
        let (sdk, invocation) = sdk(&driver, "start-pipeline", hang);
        let code = Box::pin(functions::invoke("start-pipeline", &sdk, event.clone()));
        let first = invocation.run(Duration::from_secs(60), code);
        let second = async {
            driver.world.clock.sleep(Duration::from_secs(1)).await;
            invoke(&driver, "start-pipeline", other.clone()).await
        };
        let (first, second) = tokio::join!(first, second);
        let again = invoke(&driver, "start-pipeline", other.clone()).await;

        (
            first.map_err(|error| error.to_string()),
            second,
            again,
            driver.world.snapshot(),
        )
    });
    let first = first.expect("started");
    assert_eq!(first["status"], "started");

    let short = &pushed[..19];
    assert_eq!(
        second,
        Err(format!(
            "another invocation claimed {short} and may be starting the pipeline; retrying"
        ))
    );
    assert_eq!(
        again,
        Ok(json!({"status": "known", "execution": first["execution"]}))
    );
    assert_eq!(started(&aws, &pushed), 1);
}
