//! What people check before a release: the tree of the dry run, with its code.

use std::path::Path;
use std::time::Duration;

use emulator::Aws;
use emulator::cloudwatch::set_alarm;
use emulator::ecr::Behaviour;
use emulator::eventbridge::{self, EventRule};
use harness::driver::Driver;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::json;
use slipway::image::short_digest;
use slipway_cli::{Answer, Doctor, Exit, Inspect, Look, Plan, Session, Stop};

use behaviour::pair::update;
use behaviour::{account, change_parameters, push_as, released, update_pipeline};

use crate::acting::at_step;
use crate::{closed, operate, pass, rows};

fn plan(target: &str, image: Option<&str>) -> Plan {
    Plan {
        target: target.to_owned(),
        image: image.map(ToOwned::to_owned),
    }
}

#[test]
fn a_plan_shows_what_would_change_and_changes_nothing() {
    operate(account(), async |driver: Driver, session: Session| {
        let first = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &first).await;
        let second = push_as(&driver, "web", "1.1.0", Behaviour::Healthy);
        closed(&session, &second).await;
        let before = driver.world.snapshot().ecs.definition_arns().count();

        let answer = plan("web", Some("1.0.0")).run(&session).await;
        let answer = answer.expect("an answer");
        assert_eq!((answer.exit, answer.warnings.len()), (Exit::Done, 0));
        let image = answer.json["image"].as_str().expect("an image");
        assert!(image.ends_with(&format!("/web@{first}")), "{image}");
        let text = answer.text(Look::Pipe);
        assert!(text.starts_with("OK   apps/web\n"), "{text}");
        assert!(text.contains("changed containers.web.image: "), "{text}");
        let after = driver.world.snapshot().ecs.definition_arns().count();
        assert_eq!(after, before);
    });
}

#[test]
fn a_plan_ends_with_its_own_code_if_a_check_is_ng() {
    let mut aws = account();
    let changed = update_pipeline(&mut aws, "slipway-web", |pipeline| {
        change_parameters(pipeline, "begin-release", |parameters| {
            parameters.insert("containers".to_owned(), json!(["api"]));
        });
    });
    changed.expect("a legal pipeline");

    operate(aws, async |_: Driver, session: Session| {
        let answer = plan("slipway-web", None).run(&session).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.exit, Exit::NotDeployed);
        let text = answer.text(Look::Pipe);
        assert!(text.contains("    NG   containers: "), "{text}");

        let failed = plan("slipway-web", Some("9.9.9")).run(&session).await;
        assert_eq!(failed.expect_err("no image").exit(), Exit::Refused);
    });
}

/// A text in the UTF-16 that PowerShell writes, with its byte-order mark.
fn in_utf_16(text: &str) -> Vec<u8> {
    let units = ['\u{feff}'.to_string(), text.to_owned()].concat();
    units.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn files_of_an_inspection_are_read_as_power_shell_writes_them() {
    let running = json!({"taskDefinition": {"family": "web", "containerDefinitions": [
        {"name": "web", "image": "web:1.3.0", "memory": 128},
    ]}});
    let docker = json!([{
        "Name": "/web", "Path": "./run", "Args": [], "Config": {"Image": "web:1.4.0"},
        "HostConfig": {},
    }]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [running, docker] = [("running", running), ("docker", docker)].map(|(name, value)| {
        let file = folder.join(format!("cli-inspect-{name}.json"));
        std::fs::write(&file, in_utf_16(&value.to_string())).expect("a file");
        file
    });

    let inspect = Inspect {
        file: Some(docker),
        running,
    };
    let answer = inspect.run().expect("an answer");
    let container = &answer.json["definition"]["containerDefinitions"][0];
    assert_eq!(container["image"], "web:1.4.0");
    assert_eq!(container["memory"], 128);
}

/// Gives the functions' stack its alarms, with these states of those on dead letters and the sweep.
pub(crate) fn watched(aws: &mut Aws, dead_letters: &str, sweep: &str) {
    let topic = "arn:aws:sns:eu-west-1:111122223333:operators";
    update(aws, FUNCTIONS_STACK, &[("NotificationTopicArn", topic)]);
    for (alarm, state) in [("DeadLettersAlarm", dead_letters), ("SweepAlarm", sweep)] {
        let stack = aws.cloudformation.stack(FUNCTIONS_STACK).expect("deployed");
        let name = stack.resource(alarm).expect("an alarm").physical_id.clone();
        set_alarm(aws, &name, state);
    }
}

/// The state of each check with its name.
fn states(answer: &Answer) -> Vec<(String, String)> {
    let rows = rows(answer).into_iter().filter(|row| row.len() == 3);
    rows.map(|row| (row[0].clone(), row[1].clone())).collect()
}

/// The states of the checks without a pipeline, after those of dead letters and the sweep.
fn expected(dead_letters: &str, sweep: &str) -> Vec<(String, String)> {
    let states = [
        (dead_letters, "dead letters"),
        (sweep, "sweep"),
        ("OK", "ended executions"),
        ("OK", "ledger"),
    ];
    let owned = |(state, check): (&str, &str)| (state.to_owned(), check.to_owned());
    states.map(owned).into()
}

/// State and text of each check of a name.
fn found(answer: &Answer, check: &str) -> Vec<String> {
    let rows = rows(answer).into_iter();
    let rows = rows.filter(|row| row.len() == 3 && row[1] == check);
    rows.map(|row| format!("{} {}", row[0], row[2])).collect()
}

/// Disables the rules of EventBridge whose target is a function.
pub(crate) fn disable_rules_of(aws: &mut Aws, function: &str) {
    let is_target = |rule: &EventRule| rule.targets.iter().any(|it| it.arn.ends_with(function));
    let rules = aws.events.rules.values().filter(|rule| is_target(rule));
    let names: Vec<String> = rules.map(|rule| rule.name.clone()).collect();
    for name in &names {
        let input = json!({ "Name": name });
        eventbridge::call(aws, "DisableRule", &input).expect("it is there");
    }
}

#[test]
fn the_doctor_finds_a_push_that_is_not_in_the_ledger() {
    let mut aws = released();
    disable_rules_of(&mut aws, "-start-pipeline");
    operate(aws, async |driver: Driver, session: Session| {
        let of_web = Doctor {
            target: Some("web".to_owned()),
        };
        let answer = of_web.run(&session).await.expect("an answer");
        assert_eq!(
            found(&answer, "pushes"),
            ["OK the ledger has what the repository has"]
        );

        let pushed = push_as(&driver, "web", "2.0.0", Behaviour::Healthy);
        pass(Duration::from_secs(11 * 60)).await;
        let answer = of_web.run(&session).await.expect("an answer");
        assert_eq!(answer.exit, Exit::NotDeployed);
        let missed = found(&answer, "pushes");
        let start = format!("NG {} (2.0.0) was pushed ", short_digest(&pushed));
        assert!(missed[0].starts_with(&start), "{missed:?}");
        let end = format!("slipway deploy slipway-web {pushed}");
        assert!(missed[0].ends_with(&end), "{missed:?}");
        assert!(missed[0].contains(" finds it within an hour"), "{missed:?}");

        pass(Duration::from_secs(80 * 60)).await;
        let answer = of_web.run(&session).await.expect("an answer");
        let missed = found(&answer, "pushes");
        assert!(missed[0].contains(" no sweep has found it"), "{missed:?}");
    });
}

#[test]
fn the_doctor_finds_a_release_that_no_sweep_has_seen_the_end_of() {
    let mut aws = account();
    disable_rules_of(&mut aws, "-roll-back");
    operate(aws, async |driver: Driver, session: Session| {
        push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        at_step(&session, "web", "update-service ").await;
        let stop = Stop {
            execution: "web".to_owned(),
            pipeline: None,
            because: "doubts".to_owned(),
        };
        let stopped = stop.run(&session).await.expect("an answer");
        let id = stopped.json["execution"].as_str().expect("an id");

        let own = Doctor { target: None };
        pass(Duration::from_secs(5 * 60)).await;
        let answer = own.run(&session).await.expect("an answer");
        assert_eq!(
            found(&answer, "ended executions"),
            ["OK none has left its release open"]
        );
        pass(Duration::from_secs(10 * 60)).await;
        let answer = own.run(&session).await.expect("an answer");
        assert_eq!(answer.exit, Exit::NotDeployed);
        let left = found(&answer, "ended executions");
        let start = format!("NG execution {id} of slipway-web ended ");
        assert!(left[0].starts_with(&start), "{left:?}");
    });
}

#[test]
fn the_doctor_finds_dead_letters_and_a_sweep_that_does_not_run() {
    let mut aws = account();
    watched(&mut aws, "ALARM", "OK");
    operate(aws, async |_: Driver, session: Session| {
        let own = Doctor { target: None };
        let answer = own.run(&session).await.expect("an answer");
        assert_eq!(states(&answer), expected("NG", "OK"));
        assert_eq!(answer.exit, Exit::NotDeployed);

        let with_plan = Doctor {
            target: Some("slipway-web".to_owned()),
        };
        let answer = with_plan.run(&session).await.expect("an answer");
        let skipped = ("SKIP".to_owned(), "pushes".to_owned());
        let with_pushes = [expected("NG", "OK"), vec![skipped]].concat();
        assert_eq!(states(&answer), with_pushes, "no push was recorded yet");
        let text = answer.text(Look::Pipe);
        assert!(text.contains("\nOK   apps/web\n"), "{text}");
        assert_eq!(answer.exit, Exit::NotDeployed);
    });

    let mut aws = account();
    watched(&mut aws, "OK", "ALARM");
    operate(aws, async |_: Driver, session: Session| {
        let own = Doctor { target: None };
        let answer = own.run(&session).await.expect("an answer");
        assert_eq!(states(&answer), expected("OK", "NG"));
        assert_eq!(answer.exit, Exit::NotDeployed);
    });
}

#[test]
fn the_doctor_skips_alarms_that_the_stack_does_not_have() {
    operate(account(), async |_: Driver, session: Session| {
        let own = Doctor { target: None };
        let answer = own.run(&session).await.expect("an answer");
        assert_eq!(states(&answer), expected("SKIP", "SKIP"));
        assert_eq!(answer.exit, Exit::Done);
    });
}
