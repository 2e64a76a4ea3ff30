//! The managed policies for people: they allow all that the commands call, and nothing else.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use emulator::Aws;
use emulator::cloudformation::items;
use emulator::ecr::Behaviour;
use emulator::iam::{Access, Demand, evaluate};
use harness::driver::Driver;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::Value;
use slipway_cli::{
    Approve, Deploy, Doctor, Exit, Figures, History, Limit, Page, Plan, Pushes, Report, Rollback,
    Session, Stop, Wait, Waiting, Why,
};

use behaviour::pair::update;
use behaviour::{account, add_capacity_provider, push_as, use_capacity_provider};

use crate::acting::{at_step, quiet_shop, waits};
use crate::adopting::init_with_placeholder;
use crate::planning::watched;
use crate::{closed, operate_as, pass, status};

/// A function that no release invokes: its role stands for that of a person.
const PERSON: &str = "slipway-find-task-roles";

const READER: &str = "ReaderPolicy";
const OPERATOR: &str = "OperatorPolicy";

/// The statements of a policy of the functions' stack.
fn statements(aws: &Aws, policy: &str) -> Vec<Value> {
    let stack = aws.cloudformation.stack(FUNCTIONS_STACK).expect("deployed");
    let arn = &stack.resource(policy).expect("a policy").physical_id;
    let document = aws.cloudformation.iam.managed_policy(arn);
    items(&document.expect("a document")["Statement"]).to_vec()
}

/// The name of the role of the function that stands for a person.
fn role(aws: &Aws) -> String {
    let arn = &aws.lambda.functions[PERSON].role;
    arn.rsplit('/').next().unwrap_or_default().to_owned()
}

/// An account in which the person has these policies and nothing else.
fn with_policies(mut aws: Aws, policies: &[&str]) -> Aws {
    let granted: Vec<(String, Value)> = policies
        .iter()
        .map(|name| {
            let statements = statements(&aws, name);
            let document = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
            ((*name).to_owned(), document)
        })
        .collect();
    let name = role(&aws);
    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");
    role.managed_policies.clear();
    role.policies = granted.into_iter().collect();
    aws.iam.demanded.clear();
    aws
}

/// The actions that the person called, who was denied nothing.
fn called(aws: &Aws) -> BTreeSet<String> {
    let name = role(aws);
    let denied: Vec<_> = aws
        .iam
        .denials
        .iter()
        .filter(|it| it.role == name)
        .collect();
    assert!(denied.is_empty(), "{denied:?}");

    let demanded = aws.iam.demanded.get(&name).into_iter().flatten();
    demanded.map(|demand| demand.action.clone()).collect()
}

/// That the person called each action of the policies and no other, in these accounts and in that
/// of a canary with a report, whose functions have alarms.
fn assert_exact(accounts: &[Aws], policies: &[&str]) {
    let mut demanded: BTreeSet<String> = accounts.iter().flat_map(called).collect();
    demanded.extend(called(&after_report(policies)));
    let allowed: BTreeSet<String> = policies
        .iter()
        .flat_map(|policy| statements(&accounts[0], policy))
        .flat_map(|statement| items(&statement["Action"]).to_vec())
        .map(|action| action.as_str().expect("a word").to_owned())
        .collect();
    assert_eq!(demanded, allowed);
}

/// The account in which the person has looked at the functions and at all that was released, and
/// saved the report of a canary.
fn after_report(policies: &[&str]) -> Aws {
    let mut aws = quiet_shop("promote");
    watched(&mut aws, "OK", "OK");
    let aws = with_policies(aws, policies);
    operate_as(aws, PERSON, async |driver: Driver, session: Session| {
        let digest = push_as(&driver, "shop", "2.0.0", Behaviour::Healthy);
        let record = closed(&session, &digest).await;
        let doctor = Doctor { target: None };
        let answer = doctor.run(&session).await.expect("an answer");
        assert_eq!(answer.exit, Exit::Done);
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let report = Report {
            execution: record.execution,
            output: Some(file.join(format!("cli-report-{}.html", policies.len()))),
        };
        report.run(&session).await.expect("an answer");

        let figures = Figures {
            target: None,
            days: 30,
            until: None,
        };
        figures.run(&session).await.expect("an answer");
        let page = Page {
            output: None,
            days: 30,
        };
        page.run(&session).await.expect("an answer");
        driver.world.snapshot()
    })
}

/// The account in which the person has looked at services to adopt: on Fargate, on instances of a
/// capacity provider, and at a pair.
fn after_init() -> Aws {
    let mut aws = account();
    add_capacity_provider(&mut aws, "ENABLED");
    use_capacity_provider(&mut aws, "page-counter");
    let aws = with_policies(aws, &[READER, OPERATOR]);
    operate_as(aws, PERSON, async |driver: Driver, session: Session| {
        for service in ["web", "page-counter", "shop"] {
            let init = init_with_placeholder(service, service, "permissions");
            init.run(&session).await.expect("an answer");
        }
        driver.world.snapshot()
    })
}

#[test]
fn a_reader_may_call_what_the_commands_that_show_call() {
    let aws = with_policies(account(), &[READER]);
    let after = operate_as(aws, PERSON, async |driver: Driver, session: Session| {
        let digest = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        pass(Duration::from_secs(60)).await;
        for service in [None, Some("web")] {
            let answer = status(service).run(&session).await.expect("an answer");
            assert_eq!(answer.warnings, Vec::<String>::new());
        }
        let record = closed(&session, &digest).await;

        let history = History {
            service: "web".to_owned(),
            most: 20,
        };
        history.run(&session).await.expect("an answer");
        let why = Why {
            what: record.execution.clone(),
        };
        let story = why.run(&session).await.expect("an answer");
        assert_eq!(story.warnings, Vec::<String>::new());
        let pushes = Pushes {
            pipeline: "slipway-web".to_owned(),
            most: 20,
        };
        pushes.run(&session).await.expect("an answer");
        let wait = Wait {
            execution: record.execution,
            pipeline: None,
            limit: Limit { timeout: 10 },
        };
        wait.run(&session).await.expect("an answer");
        driver.world.snapshot()
    });
    assert_exact(&[after], &[READER]);
}

#[test]
fn an_operator_may_call_what_all_commands_call() {
    let mut aws = account();
    let changes = [("Approval", "yes"), ("TaskDefinitionFile", "")];
    update(&mut aws, "page-counter-pipeline", &changes);
    let aws = with_policies(aws, &[READER, OPERATOR]);

    let after = operate_as(aws, PERSON, async |driver: Driver, session: Session| {
        let first = push_as(&driver, "page-counter", "1.0.0", Behaviour::Healthy);
        at_step(&session, "page-counter", "approve waits").await;
        let approve = Approve {
            waiting: waits("page-counter"),
        };
        approve.run(&session).await.expect("an answer");
        let record = closed(&session, &first).await;

        act(&session).await;
        let pushes = Pushes {
            pipeline: "slipway-page-counter".to_owned(),
            most: 20,
        };
        pushes.run(&session).await.expect("an answer");
        let why = Why {
            what: record.execution.clone(),
        };
        why.run(&session).await.expect("an answer");
        driver.world.snapshot()
    });
    assert_exact(&[after, after_init()], &[READER, OPERATOR]);
}

/// Plans, checks, deploys, stops and rolls back the counter, whose releases wait for an approval.
async fn act(session: &Session) {
    let plan = Plan {
        target: "slipway-page-counter".to_owned(),
        image: Some("1.0.0".to_owned()),
    };
    plan.run(session).await.expect("an answer");
    let doctor = Doctor {
        target: Some("slipway-page-counter".to_owned()),
    };
    doctor.run(session).await.expect("an answer");

    let deploy = Deploy {
        target: "page-counter".to_owned(),
        image: "1.0.0".to_owned(),
        waiting: Waiting {
            wait: false,
            limit: Limit { timeout: 10 },
        },
    };
    deploy.run(session).await.expect("an answer");
    at_step(session, "page-counter", "approve waits").await;
    let open = status(Some("page-counter")).run(session).await;
    let execution = open.expect("an answer").json["lease"]["release"]["execution"].clone();
    let execution = execution.as_str().expect("an id").to_owned();
    let rollback = Rollback {
        service: "page-counter".to_owned(),
    };
    rollback.run(session).await.expect("an answer");

    let limit = Limit { timeout: 600 };
    let wait = Wait {
        execution: execution.clone(),
        pipeline: None,
        limit,
    };
    wait.run(session).await.expect("an answer");
    let stop = Stop {
        execution,
        pipeline: None,
        because: "doubts".to_owned(),
    };
    stop.run(session).await.expect_err("it has ended");
}

#[test]
fn people_invoke_no_function_but_those_of_the_documented_commands() {
    let aws = account();
    let statements = statements(&aws, OPERATOR);
    let invoked = ["begin-release", "evaluate-canary", "roll-back"];
    for function in aws.lambda.functions.values() {
        let arn = format!(
            "arn:aws:lambda:eu-west-1:111122223333:function:{}",
            function.name
        );
        let demand = Demand::new("lambda:InvokeFunction", arn);
        let is_allowed = evaluate(&statements, &demand) == Ok(Access::Allowed);
        assert_eq!(
            is_allowed,
            invoked.contains(&function.code.as_str()),
            "{}",
            function.code
        );
    }
}
