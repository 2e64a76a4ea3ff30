//! What a dry run names in set-ups of a service that a release would refuse, or that an operator
//! should know: with the permissions of the templates, in a pipeline and by hand.

use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, COUNTER, WEB};
use serde_json::{Value, json};

use super::bench::arn;
use behaviour::dry_run::{SetUp, checked, denied, names_its_cause, no_more, nothing};
use behaviour::{account, released, service};

/// Name and ARN of the deploy role of web's pipeline.
pub(super) fn deploy_role(aws: &Aws) -> (String, String) {
    let arn = aws.cloudformation.export("web-pipeline-DeployRoleArn");
    let arn = arn.expect("the stack exports it").to_owned();
    let name = arn.rsplit('/').next().expect("a name").to_owned();
    (name, arn)
}

/// An operator changes web.
fn set(aws: &mut Aws, change: Value) {
    let mut input = change;
    input["cluster"] = json!(CLUSTER);
    input["service"] = json!(WEB);
    ecs::call(aws, "UpdateService", &input).expect("the service is there");
}

/// The deploy role trusts no caller.
fn untrusted(aws: &mut Aws) {
    let (name, _) = deploy_role(aws);
    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");
    role.trust = json!({"Version": "2012-10-17", "Statement": []});
}

/// The deploy role requires the external id of another pipeline.
fn of_another_pipeline(aws: &mut Aws) {
    let (name, _) = deploy_role(aws);
    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");
    let expected = &mut role.trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"];
    assert!(expected.is_string(), "{expected}");
    *expected = json!("arn:aws:codepipeline:eu-west-1:111122223333:slipway-shop");
}

fn untrusted_line(aws: &Aws) -> String {
    let (_, role) = deploy_role(aws);
    let denial = denied(aws, "sts:AssumeRole");
    let user = "arn:aws:sts::111122223333:assumed-role/";
    let start = format!(
        "User: {user}{}/slipway-begin-release is not authorized",
        denial.role
    );
    assert!(denial.message.starts_with(&start), "{}", denial.message);

    format!(
        "release: NG role: sts:AssumeRole failed: AccessDenied: {}; the trust policy of {role} \
         must allow sts:AssumeRole to this user with the external id \
         arn:aws:codepipeline:eu-west-1:111122223333:slipway-web, and the policy of the user's \
         role must allow it on {role}; allow it, then retry the release",
        denial.message
    )
}

/// The deploy role may pass no role to tasks.
fn without_pass_role(aws: &mut Aws) {
    let (name, _) = deploy_role(aws);
    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");
    let mut taken = 0;
    for document in role.policies.values_mut() {
        let statements = document["Statement"].as_array_mut().expect("a list");
        let known = statements.len();
        statements.retain(|statement| statement["Sid"] != "PassRolesToTasks");
        taken += known - statements.len();
    }
    assert_eq!(taken, 1, "the template has the statement");
}

fn pass_role_line(aws: &Aws) -> String {
    let (_, role) = deploy_role(aws);
    let request = aws.ecs.request_of("web:2").expect("registered");
    let [task, execution] = ["taskRoleArn", "executionRoleArn"]
        .map(|field| request[field].as_str().expect("a role").to_owned());

    format!(
        "new revision: SKIP roles: `taskRoleArn` is {task}, `executionRoleArn` is {execution}; \
         whether a role exists and may be passed is not known until register-task-definition \
         passes it; TaskRoleArns of the pipeline's stack, or what the stack found, has those \
         that may be passed; to find out: aws iam simulate-principal-policy --policy-source-arn \
         {role} --action-names iam:PassRole --resource-arns {task} {execution} --context-entries \
         ContextKeyName=iam:PassedToService,ContextKeyType=string,\
         ContextKeyValues=ecs-tasks.amazonaws.com"
    )
}

fn without_breaker(aws: &mut Aws) {
    let breaker = json!({"deploymentCircuitBreaker": {"enable": false, "rollback": false}});
    set(aws, json!({ "deploymentConfiguration": breaker }));
}

/// Why a service with another setting than a release expects is refused.
fn unfit_line(check: &str, what: &str, found: &str, expected: &str) -> String {
    format!(
        "service web: NG {check}: {what} of service `web` is {found}; expected {expected} for a \
         release; change the service or choose another one"
    )
}

fn controller_line(controller: &str) -> String {
    unfit_line("controller", "the deployment controller", controller, "ECS")
}

/// A function reads no service under its own role.
fn own_role_line(aws: &Aws) -> String {
    let denial = denied(aws, "ecs:DescribeServices");
    format!(
        "service web: NG exists: ecs:DescribeServices failed: AccessDeniedException: {}; allow \
         ecs:DescribeServices in role {}, then retry the release; without `deploy_role` a service \
         is read with the function's own credentials: give it, the output DeployRoleArn of the \
         pipeline's stack",
        denial.message, denial.role
    )
}

/// The tasks of web are on instances, of which none takes tasks.
fn without_instances(aws: &mut Aws) {
    let instances = aws.ecs.instances.values();
    let all: Vec<&str> = instances.map(|known| known.arn.as_str()).collect();
    let drained = json!({"cluster": CLUSTER, "containerInstances": all, "status": "DRAINING"});
    ecs::call(aws, "UpdateContainerInstancesState", &drained).expect("they are there");
    on_instances(aws);
}

/// Amazon ECS shows a launch type that web does not have.
fn on_instances(aws: &mut Aws) {
    ecs::set_shown(aws, (CLUSTER, WEB), "launchType", json!("EC2"));
}

/// Amazon ECS shows a service for a while after its deletion.
fn deleted(aws: &mut Aws) {
    let mut services = aws.ecs.services.values_mut();
    let found = services.find(|found| found.name == WEB);
    found.expect("the service is there").status = ecs::ServiceStatus::Inactive;
}

/// Amazon ECS itself shifts the traffic of web.
fn of_native_strategy(aws: &mut Aws) {
    let mut shown = service(aws, CLUSTER, WEB)["deploymentConfiguration"].clone();
    shown["strategy"] = json!("BLUE_GREEN");
    ecs::set_shown(aws, (CLUSTER, WEB), "deploymentConfiguration", shown);
}

fn deregistered(aws: &mut Aws) {
    let gone = json!({"taskDefinition": arn("web:2")});
    ecs::call(aws, "DeregisterTaskDefinition", &gone).expect("it is there");
}

/// The deploy role may not read a service that is named wrongly, or in a wrong cluster.
fn unreadable_line(aws: &Aws, cluster: &str, service: &str) -> String {
    let (name, _) = deploy_role(aws);
    let denial = denied(aws, "ecs:DescribeServices");
    let arn = format!("arn:aws:ecs:eu-west-1:111122223333:service/{cluster}/{service}");
    let resource = format!("on resource: {arn} ");
    assert!(denial.message.contains(&resource), "{}", denial.message);
    format!(
        "service {service}: NG exists: ecs:DescribeServices failed: AccessDeniedException: {}; \
         allow ecs:DescribeServices in role {name}, then retry the release; the deploy role reads \
         the services of its own stack only: if another one is meant, correct the name of the \
         cluster or of the service",
        denial.message
    )
}

const SET_UPS: [SetUp; 17] = [
    SetUp {
        make: untrusted,
        parameters: no_more,
        line: untrusted_line,
    },
    SetUp {
        make: of_another_pipeline,
        parameters: no_more,
        line: untrusted_line,
    },
    SetUp {
        make: nothing,
        parameters: |_| json!({"deploy_role": null}),
        line: own_role_line,
    },
    SetUp {
        make: without_pass_role,
        parameters: no_more,
        line: pass_role_line,
    },
    SetUp {
        make: |aws| set(aws, json!({"availabilityZoneRebalancing": "ENABLED"})),
        parameters: |_| json!({"strategy": "make-room", "minimum_healthy_percent": 50}),
        line: |_| {
            "rollout: NG rebalancing: Availability Zone rebalancing of service `web` is ENABLED \
             and the planned maximum is 100 %; expected more than 100 %, or rebalancing DISABLED: \
             aws ecs update-service --cluster apps --service web --availability-zone-rebalancing \
             DISABLED"
                .to_owned()
        },
    },
    SetUp {
        make: |aws| ecs::set_controller(aws, CLUSTER, WEB, "CODE_DEPLOY"),
        parameters: no_more,
        line: |_| controller_line("CODE_DEPLOY"),
    },
    SetUp {
        make: |aws| ecs::set_controller(aws, CLUSTER, WEB, "EXTERNAL"),
        parameters: no_more,
        line: |_| controller_line("EXTERNAL"),
    },
    SetUp {
        make: without_breaker,
        parameters: no_more,
        line: |_| {
            "service web: NG circuit-breaker: off: a rollout of a broken image fails at its \
             deadline only; expected on, with rollback; turn `deploymentCircuitBreaker` of the \
             service on"
                .to_owned()
        },
    },
    SetUp {
        make: deregistered,
        parameters: no_more,
        line: |_| {
            "prior release: OK status: INACTIVE; a rollback of a single service registers it again"
                .to_owned()
        },
    },
    SetUp {
        make: nothing,
        parameters: |_| json!({"containers": ["wbe"]}),
        line: |_| {
            "new revision: NG containers: `containers` names `wbe`, which is not in task \
             definition web:2; expected web; give `taskdef`, `base` or `family` as in \
             register-task-definition if it has another base"
                .to_owned()
        },
    },
    SetUp {
        make: nothing,
        parameters: |_| json!({"service": "wbe"}),
        line: |aws| unreadable_line(aws, CLUSTER, "wbe"),
    },
    SetUp {
        make: nothing,
        parameters: |_| json!({"cluster": "appz"}),
        line: |aws| unreadable_line(aws, "appz", WEB),
    },
    SetUp {
        make: without_instances,
        parameters: no_more,
        line: |_| {
            "rollout: NG instances: cluster `apps` has no ACTIVE container instance, and service \
             `web` has no capacity provider that adds one; expected at least one for tasks that \
             are not on Fargate; register one, or set one that is DRAINING to ACTIVE"
                .to_owned()
        },
    },
    SetUp {
        make: on_instances,
        parameters: no_more,
        line: |_| "rollout: OK instances: 2 are ACTIVE".to_owned(),
    },
    SetUp {
        make: deleted,
        parameters: no_more,
        line: |_| unfit_line("status", "the status", "INACTIVE", "ACTIVE"),
    },
    SetUp {
        make: |aws| {
            ecs::set_shown(aws, (CLUSTER, WEB), "schedulingStrategy", json!("DAEMON"));
        },
        parameters: no_more,
        line: |_| unfit_line("scheduling", "the scheduling strategy", "DAEMON", "REPLICA"),
    },
    SetUp {
        make: of_native_strategy,
        parameters: no_more,
        line: |_| {
            unfit_line(
                "strategy",
                "the deployment strategy",
                "BLUE_GREEN",
                "ROLLING",
            )
        },
    },
];

#[test]
fn each_wrong_set_up_of_a_service_is_named_by_the_line_of_its_cause() {
    let aws = released();
    for set_up in &SET_UPS {
        names_its_cause(&aws, WEB, set_up);
    }
}

#[test]
fn static_host_ports_without_a_free_instance_are_named_by_their_line() {
    let set_up = SetUp {
        make: nothing,
        // A direct invocation has no artifacts, so no file either.
        parameters: |_| json!({"strategy": "rolling", "taskdef": null}),
        line: |_| {
            "rollout: NG room: the rollout could never finish: of 2 tasks at least 2 must stay \
             healthy (ceil(2 × 100 %)) and at most 4 may run (floor(2 × 200 %)), and the tasks \
             hold a static host port, so an instance takes one of them, so a new task needs an \
             instance without an old one, but 2 instances run 2 tasks; choose `make-room`, add an \
             instance, or use host port 0"
                .to_owned()
        },
    };
    names_its_cause(&account(), COUNTER, &set_up);
}

#[test]
fn a_service_of_the_templates_has_nothing_that_is_ng() {
    let (aws, tree) = checked(&released(), WEB, nothing, no_more);
    let (_, role) = deploy_role(&aws);
    let states: Vec<&str> = tree
        .iter()
        .filter_map(|line| line.split_once(": ")?.1.split(' ').next())
        .collect();

    assert!(!states.contains(&"NG"), "{tree:#?}");
    let line = format!("release: OK role: {role}");
    assert!(tree.contains(&line), "{line}\n{tree:#?}");
    let line = "release: OK overlap: no other open release changes its services".to_owned();
    assert!(tree.contains(&line), "{line}\n{tree:#?}");
    let line = "service web: OK circuit-breaker: on, with rollback".to_owned();
    assert!(tree.contains(&line), "{line}\n{tree:#?}");
    let line = "rollout: OK instances: none are needed on Fargate".to_owned();
    assert!(tree.contains(&line), "{line}\n{tree:#?}");
}
