//! Task definitions of others, each the base of a real release: what Amazon ECS would take is
//! registered as it is except for the images and the read-only fields, and what it would not take
//! fails the action with a message that states why.
//!
//! `SLIPWAY_CORPUS` names folders with a folder `task-definitions`, whose files are used besides
//! the project's own examples.

use std::time::Duration;

use behaviour::{
    account, change_parameters, corpus, failure, jobs, newest, only_register, until,
    update_pipeline, without_mark, zipped,
};
use emulator::Aws;
use emulator::ecr::{self, Behaviour};
use emulator::ecs;
use emulator::lambda::{self, InvocationStatus};
use harness::driver::{Fault, run};
use invariants::ledger_reader::digest;
use serde_json::{Value, json};
use slipway::text;

/// Files that name images.
mod artifacts;
/// What differs between two definitions.
mod differences;
/// Outputs of `docker inspect`.
mod docker;
/// Empty members and reserved tags, which ECS is not to be sent.
mod empty;
/// What `docker inspect` prints, as the base of a release.
mod inspect;
/// What every task definition needs, and what Amazon ECS refuses.
mod rules;

const PIPELINE: &str = "slipway-page-counter";
const IMAGE: &str = "public.ecr.aws/docker/library/httpd@\
    sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678";

/// What RegisterTaskDefinition drops or refuses because only ECS writes it
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html).
const READ_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

#[test]
fn what_ecs_takes_is_registered_unchanged_and_the_rest_is_refused_with_the_reason() {
    let files = corpus::files("task-definitions", "../sandbox/examples/task-definitions");
    let (mut wrong, mut refused) = (Vec::new(), 0);

    for file in &files {
        let _unrecorded = corpus::unrecorded(file);
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let bytes = std::fs::read(file).expect("a file that can be read");

        let before = any_role_may_be_passed(account());
        let (key, expected) = expectation(&before, &bytes);
        refused += usize::from(expected.is_err());

        let against = expected.as_ref().ok().and_then(rules::against_ecs);
        let checked = match against {
            Some(words) => Err(format!("legal, and ECS would refuse it: {words}")),
            None => check(before, &bytes, &key, expected),
        };
        if let Err(error) = checked {
            wrong.push(format!("{name}: {error}"));
        }
    }

    println!(
        "{} task definitions: {} registered, {refused} refused",
        files.len(),
        files.len() - refused
    );
    assert!(
        files.len() > refused && refused > 0,
        "the project's own examples are of both kinds"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Definitions of others name roles of other accounts. Which roles may be passed on is a
/// matter of the policies, so here they allow them all, and only the definition decides.
fn any_role_may_be_passed(mut aws: Aws) -> Aws {
    let stack = aws.cloudformation.stack("page-counter-pipeline");
    let role = stack.and_then(|stack| stack.resource("DeployRole"));
    let name = role.expect("the pipeline's role").physical_id.clone();
    let role = aws
        .cloudformation
        .iam
        .role_mut(&name)
        .expect("the deploy role");
    let all = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}],
    });
    role.policies.insert("any-role".to_owned(), all);
    aws
}

/// The key under which the image is given, and what is expected: the definition that is registered,
/// or parts of the reason for which it is refused. The rules are: it parses, it has what every
/// definition needs, it has no placeholder left, and ECS takes it.
fn expectation(aws: &Aws, bytes: &[u8]) -> (String, Result<Value, Vec<String>>) {
    let text = match text::utf8(bytes) {
        Ok(text) => text,
        Err(error) => return ("web".to_owned(), Err(vec![error])),
    };
    let value: Value = match serde_json::from_slice(&text) {
        Ok(value) => value,
        Err(error) => {
            let line = format!("line {}", error.line());
            return ("web".to_owned(), Err(vec!["not JSON".to_owned(), line]));
        }
    };

    let key = image_key(&value).unwrap_or_else(|| "web".to_owned());
    let lacking = rules::lacking(&value, &key);
    if !lacking.is_empty() {
        return (key, Err(lacking));
    }

    let own = own(value, &key);
    match ecs::call(&mut aws.clone(), "RegisterTaskDefinition", &own) {
        Ok(_) => (key, Ok(own)),
        Err(error) => (key, Err(vec![error.message])),
    }
}

fn check(
    before: Aws,
    bytes: &[u8],
    key: &str,
    expected: Result<Value, Vec<String>>,
) -> Result<(), String> {
    let after = release(before.clone(), bytes, key);
    let execution = newest(&after, PIPELINE);
    // A file that is not a task definition is refused before the release begins.
    let begun = jobs(&after, &execution.id, "begin-release");
    let refused = begun.into_iter().filter(|job| failure(job).is_some());
    let registered = jobs(&after, &execution.id, "register-task-definition");
    let jobs: Vec<_> = refused.chain(registered).collect();
    let [job] = jobs[..] else {
        return Err(format!("{} jobs", jobs.len()));
    };
    let new: Vec<&str> = after
        .ecs
        .definition_arns()
        .filter(|arn| before.ecs.request_of(arn).is_none())
        .collect();

    match (expected, failure(job)) {
        (Err(parts), Some((kind, message))) => {
            let missing = parts.iter().find(|part| !message.contains(*part));
            match (kind, missing, new.len()) {
                ("ConfigurationError", None, 0) => Ok(()),
                _ => Err(format!("{kind}, {missing:?} is not in: {message}; {new:?}")),
            }
        }
        (Err(parts), None) => Err(format!("registered, and ECS would refuse it: {parts:?}")),
        (Ok(_), Some((kind, message))) => Err(format!("{kind}, and ECS would take it: {message}")),
        (Ok(own), None) => match new[..] {
            [arn] => {
                let sent = after.ecs.request_of(arn).expect("registered");
                same(&without_mark(sent).0, &own)
            }
            _ => Err(format!("registered {new:?}")),
        },
    }
}

/// The key of `images` under which the release gives its image: the first placeholder, or else the
/// first container.
fn image_key(definition: &Value) -> Option<String> {
    let definition = definition.get("taskDefinition").unwrap_or(definition);
    let containers = definition.get("containerDefinitions")?.as_array()?;
    let placeholder = |container: &&Value| {
        container["image"]
            .as_str()
            .is_some_and(|image| image.starts_with('<'))
    };
    let key = match containers.iter().find(placeholder) {
        Some(container) => &container["image"],
        None => &containers.first()?["name"],
    };
    key.as_str()
        .filter(|key| !key.is_empty())
        .map(ToOwned::to_owned)
}

/// The file as Amazon ECS is to be sent it.
fn own(mut value: Value, key: &str) -> Value {
    let mut definition = match value.get_mut("taskDefinition") {
        Some(inner) => inner.take(),
        None => value.take(),
    };

    // DescribeTaskDefinition returns the tags beside the definition, RegisterTaskDefinition takes
    // them inside.
    if let Some(tags) = value.get("tags") {
        definition["tags"] = tags.clone();
    }

    let members = definition.as_object_mut().expect("an object");
    members.retain(|member, _| !READ_ONLY.contains(&member.as_str()));

    for container in definition["containerDefinitions"]
        .as_array_mut()
        .expect("containers")
    {
        if container["name"] == key || container["image"] == key {
            container["image"] = json!(IMAGE);
        }
    }

    empty::remove_reserved_tags(&mut definition);
    empty::remove_refused(&mut definition, "");
    definition
}

fn same(sent: &Value, own: &Value) -> Result<(), String> {
    // As texts, so that the order of the members counts too, and 1 is not 1.0.
    match (sent.to_string(), own.to_string()) {
        (sent, own) if sent == own => Ok(()),
        (sent, own) => Err(format!("sent\n{sent}\ninstead of\n{own}")),
    }
}

/// Runs the pipeline's first two steps with this file as `taskdef.json` in its Config artifact.
fn release(mut aws: Aws, text: &[u8], key: &str) -> Aws {
    aws.s3
        .put(
            "page-counter-config",
            "config.zip",
            zipped("taskdef.json", text),
        )
        .expect("the bucket is there");
    only_register(&mut aws, PIPELINE, json!({"images": {key: IMAGE}}));
    if is_for_own_addresses(text) {
        without_look_at_the_file(&mut aws);
    }

    let tag = format!("at-{}", aws.now);
    pushed(aws, &tag)
}

/// Whether a file is for tasks with addresses of their own, which the service does not have.
fn is_for_own_addresses(bytes: &[u8]) -> bool {
    let Ok(text) = text::utf8(bytes) else {
        return false;
    };
    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
    let definition = value.get("taskDefinition").unwrap_or(&value);
    definition["networkMode"] == "awsvpc"
}

/// Lets the release begin with what runs, so that only the registration reads the file.
fn without_look_at_the_file(aws: &mut Aws) {
    let changed = update_pipeline(aws, PIPELINE, |pipeline| {
        change_parameters(pipeline, "begin-release", |parameters| {
            parameters.remove("taskdef");
        });
    });
    changed.expect("a legal pipeline");
}

/// Pushes an image of the page counter, and lets its release end.
fn pushed(mut aws: Aws, tag: &str) -> Aws {
    let pushed = ecr::push(&mut aws, "page-counter", tag, Behaviour::Healthy)
        .expect("the repository is there");

    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            let execution = newest(aws, PIPELINE);
            digest(execution) == Some(pushed.as_str()) && execution.is_over()
        })
        .await;
        driver.world.snapshot()
    })
}

#[test]
fn a_file_that_is_the_same_again_makes_no_new_revision() {
    let text = br#"{"family": "page-counter-again", "networkMode": "bridge",
        "containerDefinitions": [{"name": "web", "image": "<IMAGE>", "memory": 64}]}"#;
    let first = release(account(), text, "<IMAGE>");
    let registered = first
        .lambda
        .invocations
        .iter()
        .rev()
        .find(|it| it.function.ends_with("register-task-definition"));
    let registered = registered.expect("the action's invocation").id;
    let again = run(first.clone(), Fault::None, async |driver| {
        lambda::duplicate(&mut driver.world.aws(), registered, Duration::ZERO);
        driver
            .until(Duration::from_secs(10), &mut |_| Ok(()), |_| false)
            .await
            .expect_err("only the time ends it");
        driver.world.snapshot()
    });
    let duplicate = again
        .lambda
        .invocations
        .iter()
        .find(|it| it.duplicate_of == Some(registered));

    assert!(
        duplicate.is_some_and(|it| it.status == InvocationStatus::Succeeded),
        "{duplicate:?}"
    );

    let revisions = |aws: &Aws| {
        aws.ecs
            .definition_arns()
            .filter(|arn| arn.contains("page-counter-again"))
            .count()
    };
    assert_eq!((revisions(&first), revisions(&again)), (1, 1));
}
