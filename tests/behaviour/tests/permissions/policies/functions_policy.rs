//! What the policy of all functions allows them, and what it denies them, whatever allows it.

use behaviour::account;
use emulator::Aws;
use emulator::cloudformation::items;
use emulator::iam::{Access, Demand, evaluate};
use harness::functions::ALL;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};

const LOGS: &str = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda";
const QUEUES: &str = "arn:aws:sqs:eu-west-1:111122223333";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function";
const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";

/// Calls, and whether the policy allows them by itself.
fn calls_of_lambda() -> Vec<(Demand, bool)> {
    let logs = |action: &str, group: &str| {
        let resource = format!("{LOGS}/{group}:log-stream:1");
        Demand::new(action, resource)
    };
    let queue = |action: &str, name: &str| Demand::new(action, format!("{QUEUES}:{name}"));

    vec![
        (logs("logs:PutLogEvents", "slipway-roll-back"), true),
        (logs("logs:CreateLogStream", "slipway-start-pipeline"), true),
        (logs("logs:PutLogEvents", "other-roll-back"), false),
        (logs("logs:DeleteLogGroup", "slipway-roll-back"), false),
        (logs("logs:CreateLogGroup", "slipway-roll-back"), false),
        (queue("sqs:SendMessage", "slipway-dead-letters"), true),
        (queue("sqs:SendMessage", "other"), false),
        (queue("sqs:ReceiveMessage", "slipway-dead-letters"), false),
        (Demand::anywhere("ec2:CreateNetworkInterface"), false),
    ]
}

/// Calls, and whether the policy leaves them to others.
fn calls() -> Vec<(Demand, bool)> {
    let assume = || Demand::new("sts:AssumeRole", ROLE);

    vec![
        // Lambda manages the network interfaces under the same role.
        (Demand::anywhere("ec2:CreateNetworkInterface"), true),
        (
            by_code(
                Demand::anywhere("ec2:CreateNetworkInterface"),
                "slipway-roll-back",
            ),
            false,
        ),
        (
            by_code(
                Demand::anywhere("ec2:RunInstances"),
                "slipway-update-service",
            ),
            false,
        ),
        (by_code(assume(), "slipway-roll-back"), true),
        (by_code(assume(), "slipway-another"), false),
        (by_code(assume(), "another"), false),
        (assume(), false),
    ]
}

/// A demand of the code of a function.
fn by_code(demand: Demand, function: &str) -> Demand {
    demand.with("lambda:SourceFunctionArn", format!("{FUNCTION}:{function}"))
}

/// The policy's ARN.
fn policy(aws: &Aws) -> &str {
    let stack = aws.cloudformation.stack(FUNCTIONS_STACK).expect("deployed");
    let policy = stack.resource("FunctionsPolicy").expect("a policy");
    &policy.physical_id
}

/// The policy's statements.
fn statements(aws: &Aws) -> Vec<Value> {
    let document = aws.cloudformation.iam.managed_policy(policy(aws));
    items(&document.expect("a document")["Statement"]).to_vec()
}

/// Which of the calls statements allow by themselves, and which they leave to others, beside one
/// that allows everything.
fn allowed(statements: &[&Value]) -> [Vec<bool>; 2] {
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let is_allowed = |beside: &[&Value], demand: &Demand| {
        let statements = statements.iter().chain(beside).copied();
        evaluate(statements, demand) == Ok(Access::Allowed)
    };
    let of = |calls: Vec<(Demand, bool)>, beside: &[&Value]| -> Vec<bool> {
        let demands = calls.iter().map(|(demand, _)| demand);
        demands.map(|demand| is_allowed(beside, demand)).collect()
    };
    [of(calls_of_lambda(), &[]), of(calls(), &[&all])]
}

#[test]
fn functions_use_their_log_groups_no_network_and_deploy_roles_from_their_own_code_only() {
    let aws = account();
    let statements = statements(&aws);
    let all: Vec<&Value> = statements.iter().collect();
    let expected: [Vec<bool>; 2] = [calls_of_lambda(), calls()]
        .map(|calls| calls.iter().map(|(_, is_allowed)| *is_allowed).collect());
    assert_eq!(allowed(&all), expected);

    for taken in &all {
        let others: Vec<&Value> = all.iter().copied().filter(|it| it != taken).collect();
        let sid = &taken["Sid"];
        assert_ne!(allowed(&others), expected, "no call shows what {sid} does");
    }
}

#[test]
fn each_function_has_the_policy_and_it_names_no_other_one() {
    let aws = account();
    let policy = policy(&aws).to_owned();
    for function in aws.lambda.functions.values() {
        let role = aws.cloudformation.iam.role_by_arn(&function.role);
        let attached = &role.expect("a role of the stack").managed_policies;
        assert_eq!(*attached, [policy.as_str()], "{}", function.name);
    }

    let statements = statements(&aws);
    let denial = statements
        .iter()
        .find(|statement| statement["Action"] == "sts:AssumeRole");
    let condition = &denial.expect("a statement")["Condition"]["ArnNotLike"];
    let mut named: Vec<&str> = items(&condition["lambda:SourceFunctionArn"])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    named.sort_unstable();
    // The others assume no role.
    let functions = aws.lambda.functions.values();
    let of_releases = functions.filter(|function| ALL.contains(&function.code.as_str()));
    let of_releases: Vec<String> = of_releases
        .map(|function| format!("{FUNCTION}:{}", function.name))
        .collect();
    assert_eq!(named, of_releases);
}

#[test]
fn it_denies_everything_of_a_network_and_the_assumption_of_roles_on_everything() {
    let aws = account();
    let mut statements = statements(&aws);
    statements.retain(|statement| statement["Effect"] == "Deny");
    for statement in &mut statements {
        let members = statement.as_object_mut().expect("a statement");
        members.shift_remove("Condition").expect("a condition");
    }

    let denied = |sid: &str, action: &str| json!({"Sid": sid, "Effect": "Deny", "Action": action, "Resource": "*"});
    assert_eq!(
        statements,
        [
            denied("NoNetworkByCode", "ec2:*"),
            denied("NoDeployRolesElsewhere", "sts:AssumeRole"),
        ]
    );
}
