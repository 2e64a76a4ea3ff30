//! Least privilege, both ways: the policies of the templates allow what is called, under the roles
//! of the functions and the deploy roles of the pipelines, and nothing that no run ever called.
//! Each action is taken away once, and a report must name it, the resource and the role.

mod by_records;
mod by_worker;
mod conditions;
mod deploy_roles;
mod functions_policy;
mod in_place;
mod least;
mod on_instances;
mod pairs;
mod reports;
mod scenes;
mod statements;
mod unreadable;

use std::collections::BTreeMap;

use behaviour::{account, on_all_cores};
use emulator::Aws;
use emulator::cloudformation::items;
use emulator::iam::{Access, Demand, evaluate};
use harness::demo::{COUNTER, SHOP};
use harness::driver::{Fault, run};
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::Value;

use least::is_unplayed;
use reports::{learned, reports};
use scenes::{PATIENCE, Scene, scenes};

/// One action of one statement of one role.
#[derive(Clone, Debug)]
struct Permission {
    role: String,
    statement: String,
    action: String,
}

/// The functions' binaries by the names of their roles.
fn functions(aws: &Aws) -> BTreeMap<String, String> {
    let name = |arn: &str| {
        aws.cloudformation
            .iam
            .role_by_arn(arn)
            .expect("each function has a role of the stack")
            .name
            .clone()
    };
    aws.lambda
        .functions
        .values()
        .map(|function| (name(&function.role), function.code.clone()))
        .collect()
}

/// What the statements of a role's own policies allow.
fn permissions(aws: &Aws, role: &str) -> Vec<Permission> {
    let text = |value: &Value| value.as_str().expect("a word").to_owned();
    let statements = aws
        .cloudformation
        .iam
        .role(role)
        .expect("a role of a stack")
        .statements();

    statements
        .filter(|known| known["Effect"] == "Allow" && known.get("Sid").is_some())
        .flat_map(|statement| {
            items(&statement["Action"])
                .iter()
                .map(move |action| (statement, action))
        })
        .map(|(statement, action)| Permission {
            role: role.to_owned(),
            statement: text(&statement["Sid"]),
            action: text(action),
        })
        .collect()
}

/// Takes the action away from the statement.
fn take(aws: &mut Aws, permission: &Permission) {
    let role = aws
        .cloudformation
        .iam
        .role_mut(&permission.role)
        .expect("a role of a stack");
    let statements = role
        .policies
        .values_mut()
        .filter_map(|document| document["Statement"].as_array_mut())
        .flatten();

    for statement in statements.filter(|statement| statement["Sid"] == permission.statement) {
        let kept = items(&statement["Action"])
            .iter()
            .filter(|action| **action != permission.action);
        statement["Action"] = kept.cloned().collect();
    }
}

/// Takes one permission away, plays the first scene that demands it, and returns how an operator
/// learns of it.
fn without(scenes: &[Scene], missing: &Permission) -> Result<String, String> {
    let scene = scenes
        .iter()
        .find(|scene| scene.iam.has_demanded(&missing.role, &missing.action))
        .ok_or("no scene demands it")?;
    let mut aws = scene.before.clone();
    take(&mut aws, missing);

    run(aws, Fault::None, async |driver| {
        // An update of the role's stack in the scene gives it back.
        let taken = missing.clone();
        driver.on_start(move |driver, _, _| take(&mut driver.world.aws(), &taken));
        scene.event.begin(&driver).await;
        let known = |aws: &Aws| learned(aws, missing).is_some();
        let ended = driver.until(PATIENCE, &mut |_| Ok(()), known).await;
        let aws = driver.world.aws();

        learned(&aws, missing).ok_or_else(|| {
            format!(
                "{:?}: not reported: {ended:?}, denied {:?}, reported {:?}",
                scene.event,
                aws.iam.denials,
                reports(&aws)
            )
        })
    })
}

/// Takes each permission away and compares how an operator learns of it with what is expected.
fn with_each_missing(
    scenes: &[Scene],
    permissions: &[Permission],
    expected: impl Fn(&Permission) -> &'static str,
) {
    let learned = on_all_cores(permissions, |missing| without(scenes, missing));
    let mut wrong = Vec::new();
    for (missing, learned) in permissions.iter().zip(learned) {
        match learned {
            Ok(kind) if kind == expected(missing) => {}
            Ok(kind) => wrong.push(format!(
                "{missing:?}: reported as {kind}, expected {}",
                expected(missing)
            )),
            Err(error) => wrong.push(format!("{missing:?}: {error}")),
        }
    }

    println!("{} permissions, each missing once", permissions.len());
    assert!(!permissions.is_empty(), "there is nothing to take away");
    assert!(
        wrong.is_empty(),
        "{} of {} went wrong:\n{}",
        wrong.len(),
        permissions.len(),
        wrong.join("\n")
    );
}

#[test]
fn each_action_that_a_function_lacks_is_reported_with_role_and_resource() {
    let (scenes, aws) = scenes();
    let functions = functions(aws);
    let permissions: Vec<_> = functions
        .iter()
        .flat_map(|(role, function)| {
            let who = format!("template.yaml: {function}");
            let mut of_role = permissions(aws, role);
            of_role.retain(|known| !is_unplayed(&who, &known.statement, &known.action));
            of_role
        })
        .collect();
    with_each_missing(scenes, &permissions, |missing| {
        match (functions[&missing.role].as_str(), missing.action.as_str()) {
            // They report no job: their errors end in the log, and their events in the dead-letter
            // queue.
            ("start-pipeline" | "roll-back" | "announce-releases", _) => "function",
            // It reports a job that it cannot pass on. All else ends as with those before.
            ("poll-jobs", "lambda:InvokeFunction") => "PermissionError",
            ("poll-jobs", _) => "function",
            // CloudFormation shows why the stack failed.
            ("find-task-roles", _) => "stack",
            // A job whose result cannot be reported cannot state why.
            (_, "codepipeline:PutJobSuccessResult" | "codepipeline:PutJobFailureResult") => {
                "function"
            }
            // The pipeline names the role.
            (_, "sts:AssumeRole") => "ConfigurationError",
            // A judgement stands without its report; a job that fails states that it is missing.
            ("evaluate-canary", "s3:PutObject") => "JobFailed",
            _ => "PermissionError",
        }
    });
}

#[test]
fn each_action_that_the_pipeline_lacks_fails_its_action_as_permission_error() {
    let (scenes, aws) = scenes();
    for (application, template) in [(COUNTER, "in-place.yaml"), (SHOP, "blue-green.yaml")] {
        let role = &aws.codepipeline.pipelines[&format!("slipway-{application}")]
            .declaration
            .role;
        let role = aws
            .cloudformation
            .iam
            .role_by_arn(role)
            .expect("a role of the stack")
            .name
            .clone();

        let who = format!("{template}: PipelineRole");
        let permissions: Vec<_> = permissions(aws, &role)
            .into_iter()
            .filter(|known| !is_unplayed(&who, &known.statement, &known.action))
            .collect();
        with_each_missing(scenes, &permissions, |_| "PermissionError");
    }
}

/// Each rule's undelivered events must be allowed into its dead-letter queue, and the policy allows
/// nothing else.
#[test]
fn the_dead_letter_queue_takes_the_events_of_every_rule() {
    let aws = account();
    let stack = aws.cloudformation.stack(FUNCTIONS_STACK).expect("deployed");
    let policy = stack
        .resource("DeadLetterQueuePolicy")
        .expect("a policy")
        .properties["PolicyDocument"]
        .clone();
    let statements = items(&policy["Statement"]);
    let actions: Vec<_> = statements
        .iter()
        .flat_map(|statement| items(&statement["Action"]))
        .collect();

    assert_eq!(actions, ["sqs:SendMessage"]);

    let mut queues = 0;
    for rule in aws.events.rules.values() {
        let letters = rule
            .targets
            .iter()
            .filter_map(|target| target.declared["DeadLetterConfig"]["Arn"].as_str());
        for queue in letters {
            queues += 1;
            let send =
                Demand::new("sqs:SendMessage", queue).with("aws:SourceArn", rule.arn.as_str());
            assert_eq!(evaluate(statements, &send), Ok(Access::Allowed), "{send:?}");

            let other = send.with("aws:SourceArn", aws.arn("events", "rule/another"));
            assert_eq!(evaluate(statements, &other), Ok(Access::NotAllowed));
        }
    }
    assert!(
        queues >= 3,
        "only {queues} targets have a dead-letter queue"
    );
}
