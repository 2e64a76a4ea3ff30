//! Events of other systems, given to every function: nothing panics, what is not ours is refused or
//! ignored without a change in the account, and what credentials an event holds are never repeated.
//!
//! `SLIPWAY_CORPUS` names folders with a folder `events`, whose files are used besides the
//! project's own examples.

use behaviour::{account, corpus, ecs_state, invoke, ledger_table, newest, writes};
use emulator::Aws;
use emulator::ecr::{self, Behaviour};
use emulator::eventbridge;
use harness::demo::WEB;
use harness::driver::{Fault, run};
use harness::functions::STEPS;
use serde_json::{Value, json};
use slipway::text;

/// The events by file. What is not JSON never reaches a function: Lambda refuses it.
fn events() -> Vec<(String, Value)> {
    let files = corpus::files("events", "../events/foreign");
    let parsed: Vec<_> = files
        .iter()
        .filter_map(|file| {
            let bytes = std::fs::read(file).expect("a file that can be read");
            let value = serde_json::from_slice(&text::utf8(&bytes).ok()?).ok()?;
            Some((file.display().to_string(), value))
        })
        .collect();

    assert!(parsed.len() >= 3, "too few events");
    parsed
}

/// What a function makes of an event, with the account after it.
fn given(aws: Aws, code: &str, event: Value) -> (Result<Value, String>, Aws) {
    run(aws, Fault::None, async |driver| {
        let answer = invoke(&driver, code, event).await;
        (answer, driver.world.snapshot())
    })
}

/// Texts of the event that nothing may repeat.
fn secrets(event: &Value) -> Vec<String> {
    let credentials = event.pointer("/CodePipeline.job/data/artifactCredentials");
    let members = ["accessKeyId", "secretAccessKey", "sessionToken"];
    members
        .iter()
        .filter_map(|member| Some(credentials?.get(member)?.as_str()?.to_owned()))
        .collect()
}

/// Whether a function refuses an event, ignores it, or reports on the job in it.
fn is_harmless(answer: &Result<Value, String>, code: &str, event: &Value) -> bool {
    match answer {
        // Lambda delivers it again and then keeps it in the dead-letter queue, so the text must
        // help an operator.
        Err(text) => text.len() > 20,
        Ok(Value::Null) => event.get("CodePipeline.job").is_some() && STEPS.contains(&code),
        Ok(value) => {
            value["status"] == "ignored" || format!("{answer:?}").contains("nothing to do")
        }
    }
}

#[test]
fn what_is_not_ours_is_refused_or_ignored_without_a_change() {
    let account = account();
    let state = |aws: &Aws| (ecs_state(aws), aws.dynamodb.items(&ledger_table(aws)));
    let before = state(&account);

    let mut tried = 0;
    for (name, event) in events() {
        let _unrecorded = corpus::unrecorded(&name);
        let subscription = json!({"pipeline": "slipway-web", "action": "Image"});
        let wrapped = json!({"subscription": subscription, "event": event});
        let mut inputs = vec![
            ("start-pipeline", wrapped),
            ("start-pipeline", event.clone()),
            ("roll-back", event.clone()),
        ];
        inputs.extend(STEPS.iter().map(|&step| (step, event.clone())));

        for (code, input) in inputs {
            tried += 1;
            let (answer, after) = given(account.clone(), code, input);
            let message = format!("{answer:?}");

            assert!(
                is_harmless(&answer, code, &event),
                "{code} on {name}: {message}"
            );
            assert_eq!(
                writes(&after, account.calls.len()),
                Vec::<String>::new(),
                "{code} on {name}"
            );
            assert_eq!(before, state(&after), "{code} on {name}");

            for secret in secrets(&event) {
                assert!(
                    !message.contains(&secret),
                    "{code} on {name} repeats a credential: {message}"
                );
            }
        }
    }
    println!("{tried} invocations");
}

#[test]
fn a_job_that_codepipeline_does_not_know_is_reported_once_and_not_again() {
    let account = account();
    for (name, event) in events()
        .into_iter()
        .filter(|(_, event)| event.get("CodePipeline.job").is_some())
    {
        let _unrecorded = corpus::unrecorded(&name);
        for &step in STEPS {
            let (answer, after) = given(account.clone(), step, event.clone());
            let reports: Vec<_> = after.calls[account.calls.len()..]
                .iter()
                .map(|call| (call.operation.as_str(), call.error.as_deref()))
                .collect();

            assert_eq!(answer, Ok(Value::Null), "{step} on {name}");
            assert_eq!(
                reports,
                [("PutJobFailureResult", Some("JobNotFoundException"))],
                "{step} on {name}"
            );
        }
    }
}

#[test]
fn a_job_id_that_codepipeline_refuses_is_reported_once_and_not_again() {
    let account = account();
    for step in STEPS {
        let (answer, after) = given(
            account.clone(),
            step,
            json!({"CodePipeline.job": {"id": "x"}}),
        );
        let errors: Vec<_> = after.calls[account.calls.len()..]
            .iter()
            .map(|call| call.error.as_deref())
            .collect();

        assert_eq!(answer, Ok(Value::Null), "{step}");
        assert_eq!(errors, [Some("ValidationException")], "{step}");
    }
}

#[test]
fn a_push_to_the_repository_is_acted_on_and_the_same_event_again_is_not() {
    let mut aws = account();
    let disabled = eventbridge::call(
        &mut aws,
        "DisableRule",
        &json!({"Name": "slipway-slipway-web"}),
    );
    disabled.expect("the pipeline has a rule");

    let pushed =
        ecr::push(&mut aws, WEB, "1.0.0", Behaviour::Healthy).expect("the repository is there");
    let event = aws
        .events
        .events
        .last()
        .expect("ECR sent the event of the push")
        .clone();
    let wrapped =
        json!({"subscription": {"pipeline": "slipway-web", "action": "Image"}, "event": event});
    let (first, aws) = given(aws, "start-pipeline", wrapped.clone());
    let first = first.expect("the event is ECR's own");

    assert_eq!(
        (&first["status"], &first["digest"]),
        (&json!("started"), &json!(pushed))
    );

    let (second, aws) = given(aws, "start-pipeline", wrapped);
    assert_eq!(second.expect("known")["status"], "known");
    assert_eq!(first["execution"], json!(newest(&aws, "slipway-web").id));
}

/// Images that are too old.
mod age;
/// Images that are built for another architecture.
mod architecture;
/// What arrives in a repository besides pushed images.
mod arrivals;
/// Missed pushes of which one fails.
mod failed;
/// Pushes alone.
mod foreign;
/// Claims of images that are not there any more.
mod gone;
/// Which of two pushes is the newer one.
mod order;
/// Promotions by a tag whose events were lost.
mod promoted;
/// Images by what their scan has found.
mod scans;
/// Images that must be signed.
mod signatures;
/// Pushes whose events were lost.
mod sweep;
/// Which tags are delivered.
mod tags;
/// Pushes of what an operator stopped.
mod withdrawn;
