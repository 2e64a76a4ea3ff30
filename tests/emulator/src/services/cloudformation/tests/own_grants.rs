//! What the project's own templates grant besides the statements of single roles: every function
//! has the same ledger and the same deploy roles, every role the boundary, and no more is attached,
//! trusted or permitted than is listed here.

use serde_json::Value;

use super::own_records::RECORDS;
use super::own_roles::{deploy_role, listed, statements};
use super::own_statements::{KEY, TOPIC, accounts, functions_policy};
use super::own_templates::{account, deploy_pipeline, deploy_service, given, root};
use super::*;

const OLD_TABLE: &str = "slipway-LedgerTable-OLD";
const RULE: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/web/1/2/3";

/// An account with the functions in a stack of this name.
fn functions_in(stack: &str, choices: &[(&str, &str)]) -> Aws {
    let mut aws = account(1);
    let template = root().join("template.yaml");
    deploy(&mut aws, stack, &template, &given(choices)).unwrap();
    aws
}

/// The functions' names with their roles.
fn roles_of_functions(aws: &Aws) -> Vec<(&str, &Role)> {
    let functions = aws.lambda.functions.values();
    functions
        .map(|function| {
            let role = aws.cloudformation.iam.role_by_arn(&function.role);
            (function.name.as_str(), role.unwrap())
        })
        .collect()
}

fn assert_assume(aws: &Aws, resource: &Value, condition: &Value) {
    let mut assuming = 0;
    for (function, role) in roles_of_functions(aws) {
        let mut statements = role.statements();
        let found = statements.find(|known| known["Sid"] == "AssumeDeployRoles");
        let Some(statement) = found else {
            let without = [
                "slipway-announce-releases",
                "slipway-find-task-roles",
                "slipway-poll-jobs",
            ];
            assert!(without.contains(&function), "{function}");
            continue;
        };
        assert_eq!(statement["Resource"], *resource, "{function}");
        assert_eq!(statement["Condition"], *condition, "{function}");
        assuming += 1;
    }
    assert_eq!(assuming, aws.lambda.functions.len() - 3);
}

#[test]
fn each_function_assumes_every_tagged_role_or_those_of_the_given_list() {
    let tagged = json!({"Null": {"iam:ResourceTag/slipway:service": "false"}});
    let every = json!("arn:aws:iam::111122223333:role/*");
    assert_assume(&functions_in("slipway", &[]), &every, &tagged);

    let only = "arn:aws:iam::111122223333:role/a-*,arn:aws:iam::111122223333:role/b";
    let aws = functions_in("slipway", &[("DeployRoleArns", only)]);
    assert_assume(&aws, &listed(only), &Value::Null);
}

fn assert_ledger(aws: &Aws, table: &str) {
    let arn = format!("arn:aws:dynamodb:eu-west-1:111122223333:table/{table}");
    let mut checked = 0;
    for (function, role) in roles_of_functions(aws) {
        let about = role
            .statements()
            .filter(|known| known.to_string().contains("dynamodb:"));
        for statement in about {
            let of_sid = match statement["Sid"].as_str() {
                Some("ReadStream") => format!("{arn}/stream/*"),
                Some("ListStreams") => "*".to_owned(),
                _ => arn.clone(),
            };
            assert_eq!(statement["Resource"], of_sid, "{function}: {statement}");
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} statements");
}

#[test]
fn each_function_has_the_ledger_of_its_stack_or_the_given_one() {
    let aws = functions_in("slipway", &[]);
    assert_ledger(&aws, &physical_id(&aws, "slipway", "LedgerTable"));
    let aws = functions_in("slipway", &[("LedgerTableName", OLD_TABLE)]);
    assert_ledger(&aws, OLD_TABLE);
}

/// The Sids and the actions of the roles of functions.
fn actions_of_functions(aws: &Aws) -> BTreeMap<String, Vec<(Value, Value)>> {
    let roles = roles_of_functions(aws).into_iter();
    let of_role = |role: &Role| {
        let statements = role.statements();
        let found = statements.map(|known| (known["Sid"].clone(), known["Action"].clone()));
        found.collect()
    };
    roles
        .map(|(function, role)| (function.to_owned(), of_role(role)))
        .collect()
}

/// The releases of the tests are played without any choice, and so compare those roles only.
#[test]
fn choices_add_statements_to_the_policy_of_all_functions_alone() {
    let every = [
        ("KmsKeyArn", KEY),
        ("NotificationTopicArn", TOPIC),
        ("ReservedConcurrency", "10"),
        ("SubnetIds", "subnet-1"),
        ("SecurityGroupIds", "sg-1"),
        ("LedgerTableName", OLD_TABLE),
        ("LogBucket", "logs"),
        ("Tracing", "Active"),
        ("CustomActions", "yes"),
        ("DeployRoleArns", "arn:aws:iam::111122223333:role/a-*"),
    ];
    let [plain, chosen] = [&[][..], &every[..]].map(|choices| functions_in("slipway", choices));
    let [of_plain, of_chosen] = [&plain, &chosen].map(actions_of_functions);
    assert_eq!(of_chosen, of_plain);

    let sids = |aws: &Aws| -> Vec<String> {
        let policy = aws
            .cloudformation
            .iam
            .managed_policy(&functions_policy(aws));
        let statements = items(&policy.unwrap()["Statement"]).iter();
        statements
            .map(|statement| statement["Sid"].as_str().unwrap().to_owned())
            .collect()
    };
    let always = [
        "WriteOwnLogs",
        "SendDeadLetters",
        "NoNetworkByCode",
        "NoDeployRolesElsewhere",
    ];
    assert_eq!(sids(&plain), always);
    let mut added = sids(&chosen);
    added.retain(|sid| !always.contains(&sid.as_str()));
    assert_eq!(added, ["WriteTraces", "NetworkInterfaces", "UseKey"]);
}

#[test]
fn the_roles_of_functions_trust_lambda_alone() {
    let aws = functions_in("slipway", &[]);
    let expected = json!({
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    });
    for (function, role) in roles_of_functions(&aws) {
        let trust = items(&role.trust["Statement"]);
        assert_eq!(trust, std::slice::from_ref(&expected), "{function}");
    }
}

/// Under a name other than the prefix of the rules of pipelines.
#[test]
fn rules_of_pipelines_and_of_the_stack_send_undelivered_events_and_invoke_their_functions() {
    let aws = functions_in("delivery", &[]);
    let rule = |name: &str| format!("arn:aws:events:eu-west-1:111122223333:rule/{name}");

    let stack = aws.cloudformation.stack("delivery").unwrap();
    let policy = &stack.resource("DeadLetterQueuePolicy").unwrap().properties["PolicyDocument"];
    assert_eq!(
        items(&policy["Statement"]),
        [json!({
            "Sid": "UndeliveredEvents",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "arn:aws:sqs:eu-west-1:111122223333:delivery-dead-letters",
            "Condition": {
                "ArnLike": {"aws:SourceArn": [rule("slipway-*"), rule("delivery-*")]},
            },
        })]
    );

    let mut granted = BTreeSet::new();
    for function in aws.lambda.functions.values() {
        for permission in &function.permissions {
            assert_eq!(permission.principal, "events.amazonaws.com");
            let source = permission.source_arn.clone().unwrap_or_default();
            granted.insert((function.code.clone(), source));
        }
    }
    let expected = [
        ("announce-releases", rule("delivery-approval-started")),
        ("poll-jobs", rule("delivery-action-started")),
        ("poll-jobs", rule("delivery-poll")),
        ("roll-back", rule("delivery-execution-ended")),
        ("roll-back", rule("delivery-sweep")),
        ("start-pipeline", rule("slipway-*")),
    ];
    let expected = expected.map(|(function, source)| (function.to_owned(), source));
    assert_eq!(granted, BTreeSet::from(expected));
}

#[test]
fn the_policy_and_the_roles_of_the_functions_follow_the_name_of_their_stack() {
    let [own, other] = ["slipway", "delivery"].map(|stack| {
        let aws = functions_in(stack, &[]);
        let roles = aws.cloudformation.export(&format!("{stack}-FunctionRoles"));
        let expected = format!("arn:aws:iam::111122223333:role/slipway/{stack}/*");
        assert_eq!(roles, Some(expected.as_str()));

        let policy = physical_id(&aws, stack, "FunctionsPolicy");
        let document = aws.cloudformation.iam.managed_policy(&policy);
        document.unwrap().to_string()
    });
    assert!(own.contains("function:slipway-"), "{own}");
    assert_eq!(own.replace("slipway-", "delivery-"), other);
}

#[test]
fn only_the_roles_of_functions_have_an_attached_policy() {
    for aws in accounts() {
        let policy = functions_policy(&aws);
        let functions = roles_of_functions(&aws);
        for role in aws.cloudformation.iam.roles() {
            let is_of_function = functions.iter().any(|(_, known)| known.arn == role.arn);
            let attached = is_of_function.then_some(policy.as_str());
            let expected: Vec<&str> = attached.into_iter().collect();
            assert_eq!(role.managed_policies, expected, "{}", role.name);
        }
    }
}

#[test]
fn the_roles_of_tasks_have_the_listed_statements_only() {
    for aws in accounts() {
        let sids = |role: &str| -> Vec<String> {
            let role = aws.cloudformation.iam.role(&physical_id(&aws, "web", role));
            let statements = role.unwrap().statements();
            statements
                .map(|statement| statement["Sid"].as_str().unwrap().to_owned())
                .collect()
        };
        let mut execution = sids("ExecutionRole");
        execution.sort_unstable();
        assert_eq!(
            execution,
            [
                "DecryptSecrets",
                "Login",
                "PullImages",
                "PullOtherImages",
                "ReadSecrets",
                "WriteLogs"
            ]
        );
        assert!(sids("TaskRole").is_empty());
    }
}

/// A policy of the account that can bound roles.
const BOUNDARY: &str = "
Resources:
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}
";

#[test]
fn every_role_takes_the_boundary_of_its_stack() {
    let folder = Folder::new("boundary", &[("t.yaml", BOUNDARY)]);
    for (template, traffic) in [
        ("in-place.yaml", &[][..]),
        ("blue-green.yaml", &[("Rule", RULE)][..]),
        ("canary.yaml", &[("Rule", RULE)][..]),
        ("dns.yaml", &RECORDS[..]),
    ] {
        let mut aws = account(1);
        folder.deploy(&mut aws, "t.yaml").unwrap();
        let boundary = physical_id(&aws, "app", "Boundary");
        let bound = [("PermissionsBoundary", boundary.as_str())];

        deploy_service(&mut aws, &bound).unwrap();
        let functions = root().join("template.yaml");
        deploy(&mut aws, "slipway", &functions, &given(&bound)).unwrap();
        deploy_pipeline(&mut aws, template, &[traffic, &bound].concat()).unwrap();
        deploy_role(&mut aws, &[&[("Service", "web")][..], &bound].concat()).unwrap();

        let mut roles = 0;
        for role in aws.cloudformation.iam.roles() {
            assert_eq!(role.boundary.as_ref(), Some(&boundary), "{}", role.name);
            roles += 1;
        }
        // Of the functions, of tasks, of the pipeline, and the role for another account.
        assert_eq!(roles, aws.lambda.functions.len() + 2 + 2 + 1);
    }
}

#[test]
fn a_deploy_role_for_another_account_has_no_statement_about_what_is_not_given() {
    let mut aws = account(1);
    let pair = [
        ("BlueService", "web-blue"),
        ("GreenService", "web-green"),
        ("Rule", RULE),
        ("TaskRoleArns", ""),
        ("OtherRepositoryArns", ""),
        ("ScalableTargetArns", ""),
    ];
    deploy_role(&mut aws, &pair).unwrap();
    let found = statements(&aws, "role");
    assert!(found.contains_key("UpdateService"), "{found:?}");
    for sid in [
        "PassRolesToTasks",
        "FindOtherImages",
        "SuspendScaleIn",
        "AlarmsOfScaling",
        "KeepAlarms",
    ] {
        assert!(!found.contains_key(sid), "{sid}");
    }
}
