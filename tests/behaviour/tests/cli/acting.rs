//! What people do: start, wait, stop, answer, decide, start again and roll back, with the codes by
//! which the process ends.

use std::time::Duration;

use emulator::Aws;
use emulator::ecr::{self, Answers, Behaviour, Profile};
use harness::demo::canary::{ask, become_canary};
use harness::driver::Driver;
use invariants::ledger_reader::executions;
use serde_json::json;
use slipway::release::{Outcome, Record};
use slipway_cli::{
    Again, Answer, Approve, Decide, Decision, Deploy, Exit, Failed, Limit, Reject, Rollback,
    Session, Stop, Wait, Waiting, Waits,
};

use behaviour::pair::update;
use behaviour::shop::{SHORT, shop};
use behaviour::{account, change_parameters, push_as, update_pipeline};

use crate::{closed, field, operate, pass, status};

const LIMIT: Limit = Limit { timeout: 600 };

const WAITING: Waiting = Waiting {
    wait: true,
    limit: LIMIT,
};

async fn deploy(session: &Session, target: &str, image: &str) -> Result<Answer, Failed> {
    let deploy = Deploy {
        target: target.to_owned(),
        image: image.to_owned(),
        waiting: WAITING,
    };
    deploy.run(session).await
}

async fn wait(session: &Session, execution: &str, pipeline: Option<&str>) -> Answer {
    let wait = Wait {
        execution: execution.to_owned(),
        pipeline: pipeline.map(ToOwned::to_owned),
        limit: LIMIT,
    };
    wait.run(session).await.expect("an answer")
}

pub(crate) fn waits(target: &str) -> Waits {
    Waits {
        target: target.to_owned(),
        pipeline: None,
        action: None,
        because: "seen".to_owned(),
    }
}

/// Waits until the step of the open release of a service begins like this. An action has a space
/// and its percentage after its name once its first job was reported.
pub(crate) async fn at_step(session: &Session, service: &str, step: &str) {
    for _ in 0..2_000 {
        if let Ok(answer) = status(Some(service)).run(session).await
            && field(&answer, "step").starts_with(step)
        {
            return;
        }
        pass(Duration::from_secs(10)).await;
    }
    panic!("`{service}` does not come to `{step}`");
}

#[test]
fn a_deployment_ends_as_its_release_does() {
    operate(account(), async |driver: Driver, session: Session| {
        let first = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &first).await;
        let second = push_as(&driver, "web", "1.1.0", Behaviour::Healthy);
        closed(&session, &second).await;
        let broken = push_as(&driver, "web", "1.2.0", Behaviour::NeverHealthy);
        closed(&session, &broken).await;

        let good = deploy(&session, "web", "1.0.0").await.expect("an answer");
        assert_eq!(good.exit, Exit::Done);
        assert_eq!(good.json["record"]["digest"], json!(first));
        assert_eq!(field(&good, "outcome"), "deployed");

        let bad = deploy(&session, "slipway-web", &broken).await;
        let bad = bad.expect("an answer");
        assert_eq!(bad.exit, Exit::NotDeployed);
        assert_eq!(field(&bad, "outcome"), "rolled-back");

        for (target, image) in [("web", "9.9.9"), ("api", "1.0.0"), ("web", "shop:1.0.0")] {
            let failed = deploy(&session, target, image).await.expect_err("refused");
            assert_eq!(failed.exit(), Exit::Refused, "{failed}");
        }
    });
}

#[test]
fn what_begins_no_release_ends_as_refused() {
    let mut aws = account();
    let changed = update_pipeline(&mut aws, "slipway-web", |pipeline| {
        change_parameters(pipeline, "begin-release", |parameters| {
            parameters.insert("containers".to_owned(), json!(["api"]));
        });
    });
    changed.expect("a legal pipeline");
    let first = executions(&aws, "slipway-web")
        .next()
        .expect("one")
        .id
        .clone();

    operate(aws, async |driver: Driver, session: Session| {
        let pushed = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        let record = closed(&session, &pushed).await;
        assert_eq!(record.outcome, Some(Outcome::Failed));
        let refused = wait(&session, &record.execution, None).await;
        assert_eq!(refused.exit, Exit::Refused);

        let again = deploy(&session, "slipway-web", "1.0.0").await;
        assert_eq!(again.expect("an answer").exit, Exit::Refused);
        // The first execution of a pipeline finds no image.
        let nothing = wait(&session, &first, Some("slipway-web")).await;
        assert_eq!(nothing.exit, Exit::Refused);
        assert_eq!(nothing.json["status"], "Failed");
    });
}

#[test]
fn a_rejected_digest_is_released_again_and_no_other() {
    operate(account(), async |driver: Driver, session: Session| {
        let good = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &good).await;
        let bad = push_as(&driver, "web", "1.1.0", Behaviour::NeverHealthy);
        let record = closed(&session, &bad).await;

        let again = |digest: &str| Again {
            digest: digest.to_owned(),
            because: "the database was down".to_owned(),
            pipeline: None,
            waiting: WAITING,
        };
        let second = again(&bad).run(&session).await.expect("an answer");
        assert_eq!(second.exit, Exit::NotDeployed);
        assert_ne!(second.json["record"]["execution"], json!(record.execution));
        assert_eq!(second.json["record"]["digest"], json!(bad));

        let failed = again(&good).run(&session).await.expect_err("refused");
        assert_eq!(failed.exit(), Exit::Refused);

        // The pipeline is gone, and a service that another one releases has its name.
        let of_gone = Record {
            execution: "0b6f9c1e-5f0c-4c56-9f5e-2f1f3f0a7c11".to_owned(),
            pipeline: "web".to_owned(),
            ..record
        };
        let written = session.ledger().put_record(&of_gone).await;
        assert!(written.expect("written"));
        let mut of_gone = again(&bad);
        of_gone.pipeline = Some("web".to_owned());
        let failed = of_gone.run(&session).await.expect_err("refused");
        assert_eq!(
            failed.to_string(),
            format!(
                "pipeline `web`, whose release of {bad} was rolled back, does not exist any more; \
                 expected `slipway deploy` with the pipeline that is meant now"
            )
        );
    });
}

#[test]
fn a_release_that_is_stopped_restores_what_ran_before() {
    operate(account(), async |driver: Driver, session: Session| {
        let good = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &good).await;

        let stopped = push_as(&driver, "web", "1.1.0", Behaviour::Healthy);
        at_step(&session, "web", "update-service ").await;
        let soon = Wait {
            execution: "web".to_owned(),
            pipeline: None,
            limit: Limit { timeout: 0 },
        };
        assert_eq!(
            soon.run(&session).await.expect("an answer").exit,
            Exit::Open
        );

        let stop = Stop {
            execution: "web".to_owned(),
            pipeline: None,
            because: "doubts".to_owned(),
        };
        let answer = stop.run(&session).await.expect("an answer");
        let execution = answer.json["execution"].as_str().expect("an id").to_owned();
        assert_eq!(
            wait(&session, &execution, None).await.exit,
            Exit::NotDeployed
        );
        let record = closed(&session, &stopped).await;
        assert_eq!(
            (record.outcome, record.withdrawn),
            (Some(Outcome::RolledBack), true)
        );
        assert_eq!(
            stop.run(&session).await.expect_err("over").exit(),
            Exit::Refused
        );
    });
}

#[test]
fn what_does_not_exist_is_neither_stopped_nor_waited_for() {
    operate(account(), async |_: Driver, session: Session| {
        let unknown = "0b6f9c1e-5f0c-4c56-9f5e-2f1f3f0a7c11";
        for pipeline in ["slipway-web", "slipway-none"] {
            let stop = Stop {
                execution: unknown.to_owned(),
                pipeline: Some(pipeline.to_owned()),
                because: "doubts".to_owned(),
            };
            let failed = stop.run(&session).await.expect_err("unknown");
            assert_eq!(failed.exit(), Exit::Refused, "{failed}");

            let wait = Wait {
                execution: unknown.to_owned(),
                pipeline: Some(pipeline.to_owned()),
                limit: LIMIT,
            };
            let failed = wait.run(&session).await.expect_err("unknown");
            assert_eq!(
                failed.to_string(),
                format!("pipeline `{pipeline}` has no execution {unknown}")
            );
        }
    });
}

#[test]
fn an_open_release_is_rolled_back_and_a_closed_one_is_not() {
    operate(account(), async |driver: Driver, session: Session| {
        let good = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &good).await;

        let taken_back = push_as(&driver, "web", "1.2.0", Behaviour::Healthy);
        at_step(&session, "web", "update-service ").await;
        let rollback = Rollback {
            service: "web".to_owned(),
        };
        let answer = rollback.run(&session).await.expect("an answer");
        assert_eq!(answer.warnings, Vec::<String>::new());
        let record = closed(&session, &taken_back).await;
        assert_eq!(record.outcome, Some(Outcome::RolledBack));
        let closed = rollback.run(&session).await.expect_err("closed");
        assert_eq!(closed.to_string(), "no release of `apps/web` is open");
    });
}

#[test]
fn an_approval_is_given_or_refused_once() {
    let mut aws = account();
    let changes = [("Approval", "yes"), ("TaskDefinitionFile", "")];
    update(&mut aws, "page-counter-pipeline", &changes);

    operate(aws, async |driver: Driver, session: Session| {
        let approve = Approve {
            waiting: waits("page-counter"),
        };
        let failed = approve.run(&session).await.expect_err("nothing waits");
        assert_eq!(failed.exit(), Exit::Refused);

        let first = push_as(&driver, "page-counter", "1.0.0", Behaviour::Healthy);
        at_step(&session, "page-counter", "approve waits").await;
        let answer = approve.run(&session).await.expect("an answer");
        assert_eq!(answer.json["answer"], "approved");
        assert_eq!(
            closed(&session, &first).await.outcome,
            Some(Outcome::Deployed)
        );

        let second = push_as(&driver, "page-counter", "1.1.0", Behaviour::Healthy);
        at_step(&session, "page-counter", "approve waits").await;
        let reject = Reject {
            waiting: waits("slipway-page-counter"),
        };
        let answer = reject.run(&session).await.expect("an answer");
        assert_eq!(answer.json["answer"], "rejected");
        let record = closed(&session, &second).await;
        assert_eq!(Exit::of_record(&record), Exit::Refused);
    });
}

#[test]
fn a_held_canary_is_promoted_by_the_decision_of_an_operator() {
    operate(
        quiet_shop("hold"),
        async |driver: Driver, session: Session| {
            let decide = Decide {
                decision: Decision::Promote,
                service: "shop".to_owned(),
            };
            let failed = decide.run(&session).await.expect_err("nothing waits");
            assert_eq!(failed.exit(), Exit::Refused);

            let profile = Profile::of(Answers::GOOD);
            let healthy = Behaviour::Healthy;
            let pushed = ecr::push_with(&mut driver.world.aws(), "shop", "2.0.0", healthy, profile);
            driver.world.touch();
            at_step(&session, "shop", "the judgement is inconclusive").await;
            decide.run(&session).await.expect("an answer");
            let record = closed(&session, &pushed.expect("pushed")).await;
            assert_eq!(record.outcome, Some(Outcome::Deployed));
        },
    );
}

/// The shop without requests, whose canaries are inconclusive, with what follows then.
pub(crate) fn quiet_shop(inconclusive: &str) -> Aws {
    let mut aws = shop();
    let changes = [&SHORT[..], &[("Inconclusive", inconclusive)][..]].concat();
    become_canary(&mut aws, &changes).expect("the template deploys");
    ask(&mut aws, 0.0).expect("there is a shop");
    aws
}
