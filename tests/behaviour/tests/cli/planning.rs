//! What people check before a release: the tree of the dry run, with its code.

use emulator::ecr::Behaviour;
use harness::driver::Driver;
use serde_json::json;
use slipway_cli::{Exit, Look, Plan, Session};

use behaviour::{account, change_parameters, update_pipeline};

use crate::{closed, operate, push};

fn plan(target: &str, image: Option<&str>) -> Plan {
    Plan {
        target: target.to_owned(),
        image: image.map(ToOwned::to_owned),
    }
}

#[test]
fn a_plan_shows_what_would_change_and_changes_nothing() {
    operate(account(), async |driver: Driver, session: Session| {
        let first = push(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &first).await;
        let second = push(&driver, "web", "1.1.0", Behaviour::Healthy);
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
