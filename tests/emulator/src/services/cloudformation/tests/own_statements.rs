//! The statements of the roles that the project's own templates make. Other tests take an action
//! away by its statement's Sid and observe who misses it: a statement without a Sid would be left
//! out, and an action that another statement allows too would not be missed.

use serde_json::Value;

use super::own_roles::{OTHER_REPOSITORY, deploy_role};
use super::own_templates::{account, deploy_functions, deploy_pipeline, deploy_service};
use super::*;
use crate::iam::{Access, Demand, evaluate};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web-*";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:releases";

/// What adds statements to the roles of a pipeline's stack.
const CHOICES: [(&str, &str); 4] = [
    ("OtherRepositoryArns", OTHER_REPOSITORY),
    ("NotificationTopicArn", TOPIC),
    ("KmsKeyArn", KEY),
    ("ConfigBucket", "config"),
];

/// An account for each template of a pipeline, with the other templates that make roles.
fn accounts() -> [Aws; 3] {
    ["in-place.yaml", "blue-green.yaml", "canary.yaml"].map(|template| {
        let is_pair = template != "in-place.yaml";
        let mut aws = account(1);
        let of_service = [
            ("BlueGreen", if is_pair { "yes" } else { "no" }),
            ("SecretArns", SECRET),
            ("KmsKeyArn", KEY),
        ];
        deploy_service(&mut aws, &of_service).unwrap();
        deploy_functions(&mut aws);

        let rule = if is_pair {
            aws.cloudformation.stack("web").unwrap().outputs["ProductionRuleArn"].clone()
        } else {
            String::new()
        };
        let mut of_pipeline = CHOICES.to_vec();
        let mut of_role = vec![("Service", "web")];
        if is_pair {
            of_pipeline.push(("Rule", rule.as_str()));
            of_role = vec![
                ("BlueService", "web-blue"),
                ("GreenService", "web-green"),
                ("Rule", rule.as_str()),
            ];
        }
        deploy_pipeline(&mut aws, template, &of_pipeline).unwrap();
        deploy_role(&mut aws, &of_role).unwrap();
        aws
    })
}

/// The statements that the templates give to a role. SAM's own, for the dead-letter queue, have no
/// Sid.
fn given_statements(role: &Role) -> Vec<&Value> {
    role.policies
        .iter()
        .filter(|(name, _)| !name.ends_with("EventInvokeConfigOnFailureSQSPolicy"))
        .flat_map(|(_, document)| items(&document["Statement"]))
        .collect()
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
            let statements = given_statements(role);
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
