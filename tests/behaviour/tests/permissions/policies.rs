//! Least privilege, both ways: the policies of the templates allow what is called, under the roles
//! of the functions and the deploy roles of the pipelines, and nothing that no run ever called. Each
//! action is taken away once, and a report must name it, the resource and the role.

mod deploy_roles;
mod in_place;
mod reports;
mod scenes;

use std::collections::{BTreeMap, BTreeSet};

use emulator::Aws;
use emulator::cloudformation::items;
use emulator::iam::{Access, Demand, evaluate};
use harness::demo::{COUNTER, SHOP, deployed};
use harness::driver::{Fault, run};
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};

use deploy_roles::{OF_PAIR, deploy_role};
use reports::{learned, reports};
use scenes::{PATIENCE, Scene, scenes};

/// What the pipeline's role may do because CodePipeline's documentation asks for it, though the
/// sandbox's engine never does it: statement and action.
const ONLY_DOCUMENTED: [(&str, &str); 5] = [
    ("ArtifactBucket", "s3:GetBucketAcl"),
    ("ArtifactBucket", "s3:GetBucketLocation"),
    ("ArtifactBucket", "s3:GetBucketVersioning"),
    ("Artifacts", "s3:GetObjectVersion"),
    ("ConfigBucket", "s3:ListBucket"),
];

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

/// What a role's statements allow. SAM's own, for logs and the dead-letter queue, have no Sid.
fn permissions(aws: &Aws, role: &str) -> Vec<Permission> {
    let text = |value: &Value| value.as_str().expect("a word").to_owned();
    let statements = aws
        .cloudformation
        .iam
        .role(role)
        .expect("a role of a stack")
        .statements();

    statements
        .filter(|statement| statement.get("Sid").is_some())
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

/// Gives the action to the statement, or takes it away.
fn change(aws: &mut Aws, permission: &Permission, give: bool) {
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
        let added = give.then(|| json!(permission.action));
        statement["Action"] = kept.cloned().chain(added).collect();
    }
}

/// The actions that a role's statements allow.
fn allowed(aws: &Aws, role: &str) -> BTreeSet<String> {
    let known = permissions(aws, role).into_iter();
    known.map(|known| known.action).collect()
}

/// The actions that the scenes demanded of roles.
fn called(scenes: &[Scene], roles: &[String]) -> BTreeSet<String> {
    let all = scenes.iter().flat_map(|scene| &scene.demanded);
    all.filter(|(role, _)| roles.contains(role))
        .map(|(_, action)| action.clone())
        .collect()
}

/// Compares what a template allows with what was called; some of it the scenes do not call.
fn compare(
    (template, who): (&str, &str),
    allowed: &BTreeSet<String>,
    called: &BTreeSet<String>,
    unplayed: &[&str],
) -> Result<(), String> {
    let missing: Vec<_> = called.difference(allowed).collect();
    if !missing.is_empty() {
        return Err(format!(
            "{template} does not allow {who} to call {missing:?}"
        ));
    }

    let unused: Vec<_> = allowed
        .difference(called)
        .filter(|action| !unplayed.contains(&action.as_str()))
        .collect();
    if !unused.is_empty() {
        return Err(format!(
            "{template} allows {who} {unused:?}, which it never calls"
        ));
    }
    Ok(())
}

/// Compares the functions' policies in template.yaml with what was demanded of their roles.
fn compare_functions(aws: &Aws, scenes: &[Scene]) -> Result<(), String> {
    for (role, function) in functions(aws) {
        let who = ("template.yaml", function.as_str());
        let called = called(scenes, std::slice::from_ref(&role));
        compare(who, &allowed(aws, &role), &called, &[])?;
    }
    Ok(())
}

/// Takes one permission away, plays the first scene that demands it, and answers how an operator
/// learns of it.
fn without(scenes: &[Scene], missing: &Permission) -> Result<String, String> {
    let demand = (missing.role.clone(), missing.action.clone());
    let scene = scenes
        .iter()
        .find(|scene| scene.demanded.contains(&demand))
        .ok_or("no scene demands it")?;
    let mut aws = scene.before.clone();
    change(&mut aws, missing, false);

    run(aws, Fault::None, async |driver| {
        // An update of the role's stack in the scene gives it back.
        let taken = missing.clone();
        driver.on_start(move |driver, _, _| change(&mut driver.world.aws(), &taken, false));
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
    let mut wrong = Vec::new();
    for missing in permissions {
        match without(scenes, missing) {
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
fn policies_allow_what_is_called_and_no_more() {
    let (scenes, mut aws) = scenes();
    assert_eq!(aws.iam.denials, [], "the templates lack a permission");

    compare_functions(&aws, &scenes).expect("template.yaml allows what is called and no more");
    let roles = functions(&aws);
    let mut of_stacks: Vec<String> = roles.keys().cloned().collect();
    of_stacks.extend(["web-pipeline", OF_PAIR].map(|stack| deploy_role(&aws, stack)));

    let wildcard = of_stacks
        .iter()
        .flat_map(|role| permissions(&aws, role))
        .find(|known| known.action.contains('*'));
    assert!(wildcard.is_none(), "{wildcard:?} has a wildcard action");

    let (role, _) = roles
        .iter()
        .find(|(_, function)| *function == "update-service")
        .expect("a function");
    let unused = Permission {
        role: role.clone(),
        statement: "Ledger".to_owned(),
        action: "dynamodb:DeleteTable".to_owned(),
    };
    change(&mut aws, &unused, true);

    let error = compare_functions(&aws, &scenes).expect_err("an unused action");
    assert_eq!(
        error,
        "template.yaml allows update-service [\"dynamodb:DeleteTable\"], which it never calls"
    );
}

#[test]
fn each_action_that_a_function_lacks_is_reported_with_role_and_resource() {
    let (scenes, aws) = scenes();
    let functions = functions(&aws);
    let permissions: Vec<_> = functions
        .keys()
        .flat_map(|role| permissions(&aws, role))
        .collect();
    with_each_missing(&scenes, &permissions, |missing| {
        match (functions[&missing.role].as_str(), missing.action.as_str()) {
            // They answer no job: their errors end in the log, and their events in the dead-letter
            // queue.
            ("start-pipeline" | "roll-back", _) => "function",
            // A job that cannot be answered cannot tell why.
            (_, "codepipeline:PutJobSuccessResult" | "codepipeline:PutJobFailureResult") => {
                "function"
            }
            // The pipeline names the role.
            (_, "sts:AssumeRole") => "ConfigurationError",
            // A judgement stands without its report, which is said where it fails the job.
            ("evaluate-canary", "s3:PutObject") => "JobFailed",
            _ => "PermissionError",
        }
    });
}

#[test]
fn each_action_that_the_pipeline_lacks_fails_its_action_as_permission_error() {
    let (scenes, aws) = scenes();
    for application in [COUNTER, SHOP] {
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
        let is_documented = |known: &Permission| {
            ONLY_DOCUMENTED.contains(&(known.statement.as_str(), known.action.as_str()))
        };

        // Without a Config artifact no action reads one.
        let is_unread = |known: &Permission| application == SHOP && known.action == "s3:GetObject";
        let permissions: Vec<_> = permissions(&aws, &role)
            .into_iter()
            .filter(|known| !is_documented(known) && !is_unread(known))
            .collect();
        with_each_missing(&scenes, &permissions, |_| "PermissionError");
    }
}

/// Each rule's undelivered events must be allowed into its dead-letter queue, and the policy allows
/// nothing else.
#[test]
fn the_dead_letter_queue_takes_the_events_of_every_rule() {
    let aws = deployed(1).expect("the stacks deploy");
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
