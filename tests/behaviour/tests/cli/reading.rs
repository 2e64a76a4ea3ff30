//! What people read: an open release, the history of a service, the story and the pushes.

use std::path::Path;
use std::time::Duration;

use emulator::ecr::Behaviour;
use emulator::ecs;
use harness::driver::Driver;
use serde_json::json;
use slipway::image::short_digest;
use slipway_cli::{Exit, Failed, History, Look, Painter, Pushes, Report, Session, Why};

use behaviour::shop::reports;
use behaviour::{account, push_as, released, retag};

use crate::acting::quiet_shop;
use crate::{closed, field, operate, pass, rows, status};

fn history(service: &str) -> History {
    History {
        service: service.to_owned(),
        most: 20,
    }
}

fn why(what: &str) -> Why {
    Why {
        what: what.to_owned(),
    }
}

/// How often the operator has called an operation since so many calls.
fn calls(driver: &Driver, since: usize, operation: &str) -> usize {
    let aws = driver.world.aws();
    let calls = aws.calls[since..].iter();
    calls
        .filter(|call| call.caller == "operator" && call.operation == operation)
        .count()
}

#[test]
fn an_open_release_is_shown_with_its_step_and_what_the_service_runs() {
    operate(account(), async |driver: Driver, session: Session| {
        let digest = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        pass(Duration::from_secs(60)).await;

        let all = status(None).run(&session).await.expect("an answer");
        let open = rows(&all);
        let web = open.iter().find(|row| row[0] == "apps/web").expect("web");
        assert_eq!(web[1], "open");
        assert_eq!(web[3], short_digest(&digest));
        assert_eq!(web[4], "slipway-web");
        assert!(web[6].starts_with("update-service "), "{web:?}");
        assert_eq!((all.exit, all.warnings), (Exit::Done, Vec::new()));

        let one = status(Some("web")).run(&session).await.expect("an answer");
        assert_eq!(field(&one, "execution"), web[5]);
        let runs = &one.json["runs"];
        assert_eq!(runs[0]["service"], "web");
        assert_eq!(runs[0]["desired"], 2);
        assert_eq!(one.json["lease"]["release"]["digest"], json!(digest));

        let record = closed(&session, &digest).await;
        let free = status(Some("apps/web"))
            .run(&session)
            .await
            .expect("an answer");
        assert_eq!(field(&free, "state"), "free");
        let change = record.change.expect("a change");
        assert_eq!(
            free.json["runs"][0]["task_definition"],
            json!(change.task_definition)
        );
    });
}

#[test]
fn a_service_that_has_drifted_is_shown_with_both_revisions() {
    operate(released(), async |driver: Driver, session: Session| {
        {
            let mut aws = driver.world.aws();
            let copy = aws.ecs.request_of("web:2").expect("registered").clone();
            ecs::call(&mut aws, "RegisterTaskDefinition", &copy).expect("legal");
            let input = json!({"cluster": "apps", "service": "web", "taskDefinition": "web:3"});
            ecs::call(&mut aws, "UpdateService", &input).expect("legal");
        }
        driver.world.touch();
        pass(Duration::from_secs(3_700)).await;

        let one = status(Some("web")).run(&session).await.expect("an answer");
        assert_eq!(field(&one, "state"), "drifted");
        let shown = field(&one, "drift");
        let expected = "web runs web:3, and its last release left web:2; it was deployed outside \
                        of a release; seen at 2026-";
        assert!(shown.starts_with(expected), "{shown}");
        let all = status(None).run(&session).await.expect("an answer");
        let listed = rows(&all);
        let web = listed.iter().find(|row| row[0] == "apps/web");
        assert_eq!(web.expect("web")[1], "drifted");
    });
}

#[test]
fn a_watch_follows_a_release_to_its_end_and_ends_as_it_does() {
    operate(account(), async |driver: Driver, session: Session| {
        let idle = status(None).run(&session).await.expect("an answer");
        assert_eq!(idle.text(Look::Pipe), "");
        assert_eq!(
            idle.warnings,
            ["the ledger has no service: no release has begun yet"]
        );

        let good = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &good).await;
        let nothing = status(Some("web"))
            .watch(&session, &mut |_, _| Ok(()))
            .await;
        let nothing = nothing.expect("an answer");
        assert_eq!(nothing.text(Look::Pipe), "no release is open\n");
        assert_eq!(nothing.exit, Exit::Done);

        push_as(&driver, "web", "1.1.0", Behaviour::NeverHealthy);
        pass(Duration::from_secs(60)).await;
        let mut painter = Painter::default();
        let mut lines = String::new();
        let end = status(Some("web"))
            .watch(&session, &mut |answer, at| {
                lines += &painter.changes(answer, at);
                Ok(())
            })
            .await
            .expect("an answer");
        assert_eq!(end.exit, Exit::NotDeployed);
        assert_eq!(field(&end, "outcome"), "rolled-back");
        let states = lines
            .lines()
            .filter_map(|line| line.split_once("\tstate\t"));
        let states: Vec<&str> = states.map(|(_, state)| state).collect();
        // A look each 10 s sees one of both states between, or both.
        assert!(
            matches!(
                states[..],
                ["open", "failed" | "rolling-back", "free"]
                    | ["open", "failed", "rolling-back", "free"]
            ),
            "{lines}"
        );
    });
}

#[test]
fn a_watch_ends_when_its_time_is_over_or_its_reader_has_gone() {
    operate(account(), async |driver: Driver, session: Session| {
        push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        pass(Duration::from_secs(60)).await;
        let mut soon = status(Some("web"));
        soon.limit.timeout = 0;
        let open = soon.watch(&session, &mut |_, _| Ok(())).await;
        assert_eq!(open.expect("an answer").exit, Exit::Open);

        let mut looks = 0;
        let gone = status(Some("web"))
            .watch(&session, &mut |_, _| {
                looks += 1;
                Err(std::io::ErrorKind::BrokenPipe.into())
            })
            .await;
        assert_eq!(gone.expect("an answer").exit, Exit::Done);
        assert_eq!(looks, 1);
    });
}

#[test]
fn the_report_of_a_canary_is_shown_by_its_address_and_saved_as_it_was_written() {
    operate(
        quiet_shop("promote"),
        async |driver: Driver, session: Session| {
            let digest = push_as(&driver, "shop", "2.0.0", Behaviour::Healthy);
            let record = closed(&session, &digest).await;
            let execution = record.execution;
            let report = |output: Option<&Path>| Report {
                execution: execution.clone(),
                output: output.map(Path::to_path_buf),
            };

            let shown = report(None).run(&session).await.expect("an answer");
            let rows = rows(&shown);
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0][0], "inconclusive");
            let console = "https://eu-west-1.console.aws.amazon.com/s3/object/";
            assert!(rows[0][2].starts_with(console), "{rows:?}");
            assert_eq!(shown.json["reports"][0]["link"], json!(rows[0][2]));

            let written = reports(&driver.world.snapshot());
            assert_eq!(written.len(), 2);
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
            for name in ["cli-report.html", "cli-report.json"] {
                let file = folder.join(name);
                let saved = report(Some(&file)).run(&session).await;
                let saved = saved.expect("an answer").json["saved"].clone();
                assert_eq!(saved, json!(file.display().to_string()));
                let text = std::fs::read_to_string(&file).expect("a file");
                let extension = &name["cli-report".len()..];
                let mut written = written.iter();
                let object = written.find(|(key, _)| key.ends_with(extension));
                assert_eq!(Some(&text), object.map(|(_, text)| text));
            }
        },
    );
}

#[test]
fn both_colours_of_a_pair_are_shown_with_their_weights() {
    operate(account(), async |driver: Driver, session: Session| {
        let digest = push_as(&driver, "shop", "1.0.0", Behaviour::Healthy);
        closed(&session, &digest).await;

        let since = driver.world.aws().calls.len();
        let shop = status(Some("shop")).run(&session).await.expect("an answer");
        let reads = calls(&driver, since, "DescribeServices");
        assert_eq!(reads, 1, "both colours are in one cluster");
        let runs = shop.json["runs"].as_array().expect("a list");
        let colours: Vec<_> = runs
            .iter()
            .map(|it| (it["service"].clone(), it["weight"].clone()))
            .collect();
        let weight = |name: &str, weight: u32| (json!(name), json!(weight));
        let expected = [weight("shop-blue", 0), weight("shop-green", 100)];
        let others = [weight("shop-blue", 100), weight("shop-green", 0)];
        assert!(colours == expected || colours == others, "{colours:?}");
        assert_eq!(rows(&shop).len(), 4);
    });
}

#[test]
fn a_story_has_the_reason_and_a_later_push_is_refused() {
    operate(account(), async |driver: Driver, session: Session| {
        let good = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &good).await;
        let bad = push_as(&driver, "web", "1.1.0", Behaviour::NeverHealthy);
        let record = closed(&session, &bad).await;

        let past = history("web").run(&session).await.expect("an answer");
        let outcomes: Vec<_> = rows(&past).iter().map(|row| row[2].clone()).collect();
        assert_eq!(outcomes, ["rolled-back", "deployed"]);

        let story = why(&record.execution)
            .run(&session)
            .await
            .expect("an answer");
        assert_eq!(field(&story, "outcome"), "rolled-back");
        assert_eq!(field(&story, "digest"), bad);
        assert_eq!(Some(field(&story, "reason")), record.reason);
        let failed = rows(&story)
            .into_iter()
            .find(|row| row.len() == 5 && row[3] == "Failed");
        assert_eq!(failed.expect("an action")[2], "Release/update-service");

        retag(&driver, "web", "1.1.0", "1.1.1");
        pass(Duration::from_secs(120)).await;
        let pushes = Pushes {
            pipeline: "slipway-web".to_owned(),
            most: 20,
        };
        let pushes = pushes.run(&session).await.expect("an answer");
        let states: Vec<_> = rows(&pushes).iter().map(|row| row[4].clone()).collect();
        assert_eq!(states, ["refused", "started"]);
        let refused = why(&bad["sha256:".len()..][..12]).run(&session).await;
        let refused = refused.expect("an answer");
        assert_eq!(field(&refused, "push"), "refused");
        assert!(field(&refused, "push by").starts_with("this digest was rolled-back before"));
    });
}

#[test]
fn what_is_not_known_is_refused_by_its_name() {
    operate(account(), async |_: Driver, session: Session| {
        let unknown = "0b6f9c1e-5f0c-4c56-9f5e-2f1f3f0a7c11";
        let report = Report {
            execution: unknown.to_owned(),
            output: None,
        };
        let refused = [
            status(Some("api")).run(&session).await,
            history("api").run(&session).await,
            why(unknown).run(&session).await,
            why("sha256:0a0a0a0").run(&session).await,
            why("web").run(&session).await,
            report.run(&session).await,
        ];
        for answer in refused {
            let failed = answer.expect_err("refused");
            assert!(matches!(failed, Failed::Refused(_)), "{failed}");
            assert_eq!(failed.exit(), Exit::Refused);
        }
    });
}
