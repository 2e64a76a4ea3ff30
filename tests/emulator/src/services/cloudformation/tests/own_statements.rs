//! The statements of the roles that the project's own templates make. Other tests take an action
//! away by its statement's Sid and observe who misses it: a statement without a Sid would be left
//! out, and an action that another statement allows too would not be missed.

use serde_json::Value;

use super::own_records::RECORDS;
use super::own_roles::{OTHER_REPOSITORY, PIPELINES, TARGETS, deploy_role};
use super::own_templates::{account, deploy_pipeline, deploy_service, given, root};
use super::*;
use crate::iam::{Access, Demand, evaluate};

const STEPS: &str = "Steps";
pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";
pub(super) const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web-*";
pub(super) const POOL: &str = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_a";
pub(super) const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:releases";

/// What adds statements to the roles of a pipeline's stack.
const CHOICES: [(&str, &str); 6] = [
    ("OtherRepositoryArns", OTHER_REPOSITORY),
    ("NotificationTopicArn", TOPIC),
    ("KmsKeyArn", KEY),
    ("ConfigBucket", "config"),
    ("StopLine", "yes"),
    ("ImageGate", "CRITICAL:0"),
];

/// An account with a service or a pair, and the functions.
fn with_functions(is_pair: bool) -> Aws {
    let mut aws = account(1);
    let of_service = [
        ("BlueGreen", if is_pair { "yes" } else { "no" }),
        ("SecretArns", SECRET),
        ("KmsKeyArn", KEY),
        ("OtherRepositoryArns", OTHER_REPOSITORY),
    ];
    deploy_service(&mut aws, &of_service).unwrap();
    let functions = root().join("template.yaml");
    let of_functions = given(&[
        ("KmsKeyArn", KEY),
        ("SubnetIds", "subnet-1"),
        ("SecurityGroupIds", "sg-1"),
        ("Tracing", "Active"),
    ]);
    deploy(&mut aws, "slipway", &functions, &of_functions).unwrap();
    aws
}

/// An account for each template of a pipeline, with the other templates that make roles.
pub(super) fn accounts() -> [Aws; 4] {
    PIPELINES.map(|template| {
        let is_pair = template != "in-place.yaml";
        let mut aws = with_functions(is_pair);
        let rule = if is_pair {
            aws.cloudformation.stack("web").unwrap().outputs["ProductionRuleArn"].clone()
        } else {
            String::new()
        };
        let mut of_pipeline = CHOICES.to_vec();
        let mut of_role = vec![("Service", "web")];
        if is_pair {
            let by_rule = [("Rule", rule.as_str()), ("UserPoolArn", POOL)];
            let traffic = if template == "dns.yaml" {
                &RECORDS[..]
            } else {
                &by_rule[..]
            };
            of_pipeline.extend(traffic);
            // A judgement reads alarms also where nothing scales.
            if template != "canary.yaml" {
                of_pipeline.push(("ScalableTargetArns", TARGETS));
            }
            of_role = vec![("BlueService", "web-blue"), ("GreenService", "web-green")];
            of_role.extend(traffic);
            if template == "canary.yaml" {
                of_role.push(("ScalableTargetArns", ""));
            }
        }
        deploy_pipeline(&mut aws, template, &of_pipeline).unwrap();
        deploy_role(&mut aws, &of_role).unwrap();
        aws
    })
}

/// The statements that the templates give to a role.
pub(super) fn given_statements(role: &Role) -> Vec<&Value> {
    role.statements().collect()
}

/// The ARN of the policy of all functions, which has some statements by choice only.
pub(super) fn functions_policy(aws: &Aws) -> String {
    physical_id(aws, "slipway", "FunctionsPolicy")
}

#[test]
fn each_function_has_the_partitions_of_the_ledger_that_it_uses() {
    let [aws, ..] = accounts();
    for (name, function) in &aws.lambda.functions {
        let role = aws.cloudformation.iam.role_by_arn(&function.role).unwrap();
        let keys: Vec<(&str, &Value)> = role
            .statements()
            .filter(|statement| statement.to_string().contains("dynamodb:"))
            .map(|statement| {
                let condition = &statement["Condition"]["ForAllValues:StringLike"];
                let sid = statement["Sid"].as_str().unwrap();
                (sid, &condition["dynamodb:LeadingKeys"])
            })
            .collect();

        let (ledger, leases) = (json!(["execution#*", "lease"]), json!("lease"));
        let records = json!("execution#*");
        let [read, write] = [
            json!(["execution#*", "push#*"]),
            json!(["execution#*", "lease", "push#*"]),
        ];
        let expected = match name.as_str() {
            "slipway-start-pipeline" => vec![
                ("ReadLedger", &read),
                ("WriteLedger", &write),
                ("Leases", &leases),
            ],
            "slipway-announce-releases" => vec![
                ("ReadLedger", &records),
                ("ReadStream", &Value::Null),
                ("ListStreams", &Value::Null),
            ],
            "slipway-find-task-roles" | "slipway-poll-jobs" => vec![],
            "slipway-begin-release" => vec![("Ledger", &ledger), ("Leases", &leases)],
            "slipway-roll-back" => vec![("Ledger", &write), ("Leases", &leases)],
            _ => vec![("Ledger", &ledger)],
        };
        assert_eq!(keys, expected, "{name}");
    }
}

/// The statements of the role of a pipeline, by Sid. The bucket of artifacts has another name in
/// each account.
fn of_pipeline(aws: &Aws) -> BTreeMap<String, Value> {
    let name = physical_id(aws, "web-pipeline", "PipelineRole");
    let bucket = physical_id(aws, "web-pipeline", "ArtifactBucket");
    let role = aws.cloudformation.iam.role(&name).unwrap();
    role.statements()
        .map(|statement| {
            let text = statement.to_string().replace(&bucket, "artifacts");
            let sid = statement["Sid"].as_str().unwrap().to_owned();
            (sid, serde_json::from_str(&text).unwrap())
        })
        .collect()
}

#[test]
fn the_roles_of_pipelines_differ_only_in_the_steps_that_they_invoke() {
    let [in_place, others @ ..] = accounts().map(|aws| of_pipeline(&aws));
    for other in others {
        for (sid, statement) in &other {
            let expected = &in_place[sid];
            if sid == STEPS {
                assert_eq!(statement["Action"], expected["Action"]);
                assert_ne!(statement["Resource"], expected["Resource"]);
            } else {
                assert_eq!(statement, expected);
            }
        }
        assert_eq!(other.len(), in_place.len());
    }
}

#[test]
fn the_roles_of_pipelines_and_of_tasks_trust_one_service() {
    let accounts = accounts();
    let account = json!({"StringEquals": {"aws:SourceAccount": "111122223333"}});
    for (stack, role, service) in [
        ("web-pipeline", "PipelineRole", "codepipeline"),
        ("web", "ExecutionRole", "ecs-tasks"),
        ("web", "TaskRole", "ecs-tasks"),
    ] {
        let expected = json!({
            "Effect": "Allow",
            "Principal": {"Service": format!("{service}.amazonaws.com")},
            "Action": "sts:AssumeRole",
            "Condition": account,
        });
        for aws in &accounts {
            let role = aws.cloudformation.iam.role(&physical_id(aws, stack, role));
            let trust = &role.unwrap().trust["Statement"];
            assert_eq!(items(trust), std::slice::from_ref(&expected), "{stack}");
        }
    }
}

/// The actions of a statement, each on each of its resources, that another statement allows too,
/// whatever the conditions of either.
fn allowed_by_both(one: &Value, other: &Value) -> Vec<Demand> {
    let mut other = other.clone();
    other["Condition"] = Value::Null;

    let mut both = Vec::new();
    for action in items(&one["Action"]) {
        for resource in items(&one["Resource"]) {
            let demand = Demand::new(action.as_str().unwrap(), resource.as_str().unwrap());
            if evaluate([&other], &demand).unwrap() == Access::Allowed {
                both.push(demand);
            }
        }
    }
    both
}

#[test]
fn each_statement_of_a_role_has_a_sid_of_its_own() {
    for aws in accounts() {
        let mut names = 0;
        for role in aws.cloudformation.iam.roles() {
            let mut sids = BTreeSet::new();
            for statement in given_statements(role) {
                let sid = statement["Sid"].as_str();
                assert!(sid.is_some(), "{}: no Sid: {statement}", role.name);
                assert!(sids.insert(sid), "{}: {sid:?} twice", role.name);
            }
            names += sids.len();
        }
        assert!(names > 40, "only {names} statements");
    }
}

#[test]
fn no_action_stands_in_two_statements_of_a_role_that_are_about_the_same_resource() {
    for aws in accounts() {
        for role in aws.cloudformation.iam.roles() {
            let mut statements = given_statements(role);
            statements.retain(|statement| statement["Effect"] == "Allow");
            for (at, one) in statements.iter().enumerate() {
                for (_, other) in statements.iter().enumerate().filter(|(own, _)| *own != at) {
                    let both = allowed_by_both(one, other);
                    assert_eq!(both, [], "{}: {} {}", role.name, one["Sid"], other["Sid"]);
                }
            }
        }
    }
}

#[test]
fn an_action_of_two_statements_is_found_also_under_a_pattern_and_a_condition() {
    let statement = |actions: Value, resource: &str| {
        json!({
            "Effect": "Allow", "Action": actions, "Resource": resource,
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        })
    };
    let narrow = statement(
        json!("ecs:DescribeTasks"),
        "arn:aws:ecs:eu-west-1:1:task/main/*",
    );
    let wide = statement(json!(["ecs:ListTasks", "ecs:DescribeTasks"]), "*");
    let apart = statement(
        json!("ecs:DescribeTasks"),
        "arn:aws:ecs:eu-west-1:1:task/other/*",
    );

    let found = Demand::new("ecs:DescribeTasks", "arn:aws:ecs:eu-west-1:1:task/main/*");
    assert_eq!(allowed_by_both(&narrow, &wide), [found]);
    assert_eq!(allowed_by_both(&narrow, &apart), []);
}
