//! What a dry run lists of the revision that a release would register: what differs from the one
//! that runs, and no value of a variable.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::LazyLock;

use emulator::Aws;
use harness::demo::{COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::digest;
use serde_json::{Value, json};
use slipway::task_definition::{Difference, TaskDefinition};

use super::bench::*;
use super::dry_run::dry_run;
use super::families::{FILE, with_file};
use behaviour::{ends, newest, only_check, push, released, until, zipped};

const PIPELINE: &str = "slipway-page-counter";

/// The check with the name `difference`.
fn difference(tree: &Value) -> Value {
    let groups = tree["checks"].as_array().expect("groups").iter();
    let mut checks = groups.flat_map(|group| group["checks"].as_array().expect("checks"));
    let found = checks.find(|check| check["name"] == "difference");
    found.expect("a check").clone()
}

/// The first container's image of a revision.
fn image_of(aws: &Aws, revision: &str) -> String {
    let request = aws.ecs.request_of(revision).expect("registered");
    let image = request["containerDefinitions"][0]["image"].as_str();
    image.expect("an image").to_owned()
}

/// A dry run of a release of an image of web, from a base.
async fn planned(driver: &Driver, tag: &str, base: &str) -> Value {
    let more = json!({"containers": ["web"], "image": image(tag), "base": base});
    dry_run(driver, more).await
}

#[test]
fn a_release_of_an_image_changes_that_image_and_nothing_else() {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let answer = planned(&driver, "2.0.0", "running").await;

        let old = image_of(&driver.world.aws(), "web:2");
        let new = pinned(&pushed);
        assert_eq!(
            difference(&answer["checks"]),
            json!({
                "name": "difference", "state": "OK", "reason": "1 member differs from web:2",
                "changes": [
                    {"change": "changed", "path": "containers.web.image", "old": old, "new": new},
                ],
            })
        );
        let lines = format!(
            "\n    OK   difference: 1 member differs from web:2\n      changed \
             containers.web.image: {old} -> {new}\n"
        );
        let text = answer["text"].as_str().expect("a text");
        assert!(text.contains(&lines), "{text}");
    });
}

#[test]
fn a_release_of_what_runs_would_register_nothing() {
    run(released(), Fault::None, async |driver| {
        let answer = planned(&driver, "1.0.0", "running").await;
        assert_eq!(
            difference(&answer["checks"]),
            json!({
                "name": "difference", "state": "OK",
                "reason": "nothing differs: no revision would be registered",
            })
        );
    });
}

#[test]
fn an_order_without_a_meaning_is_no_difference_although_a_revision_would_be_registered() {
    let variable = |name: &str| json!({"name": name, "value": "x"});
    run(released(), Fault::None, async |driver| {
        let runs = register_copy(&driver, "web:2", |request| {
            let variables = json!([variable("A"), variable("B")]);
            request["containerDefinitions"][0]["environment"] = variables;
        });
        set(&driver, json!({"taskDefinition": runs}));
        pass(&driver, 600).await;

        register_copy(&driver, "web:2", |request| {
            let variables = json!([variable("B"), variable("A")]);
            request["containerDefinitions"][0]["environment"] = variables;
        });
        let answer = planned(&driver, "1.0.0", "newest").await;
        assert_eq!(
            difference(&answer["checks"])["reason"],
            "nothing differs from web:3, but a revision would be registered"
        );
    });
}

#[test]
fn without_an_image_or_its_container_it_is_not_known() {
    run(released(), Fault::None, async |driver| {
        for (more, why) in [
            (json!({"containers": ["web"]}), "`image` is not given"),
            (
                json!({"image": image("1.0.0")}),
                "`containers` names none that gets the image",
            ),
        ] {
            let answer = dry_run(&driver, more).await;
            assert_eq!(
                difference(&answer["checks"]),
                json!({"name": "difference", "state": "SKIP", "reason": why})
            );
        }
    });
}

/// Web runs a revision with a variable, and its family has a newer one that differs in more.
async fn with_newer_base(driver: &Driver) {
    let runs = register_copy(driver, "web:2", |request| {
        request["containerDefinitions"][0]["environment"] = json!([
            {"name": "TOKEN", "value": "hunter22"}, {"name": "PIN", "value": "zq-1"},
        ]);
    });
    set(driver, json!({"taskDefinition": runs}));
    pass(driver, 600).await;

    register_copy(driver, "web:3", |request| {
        request["tags"] = json!([{"key": "team", "value": "web"}]);
        let web = &mut request["containerDefinitions"][0];
        web["environment"] = json!([
            {"name": "PIN", "value": "zq-2"}, {"name": "TOKEN", "value": "hunter33"},
        ]);
        web["secrets"] = json!([{
            "name": "DB", "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/db",
        }]);
        web["command"] = json!(["run", "--password", "correct-horse", "--like", "hunter33"]);
        web["dockerLabels"] = json!({"proxy.auth": "hush"});
    });
}

#[test]
fn a_newer_base_is_listed_member_by_member_without_a_secret() {
    run(released(), Fault::None, async |driver| {
        with_newer_base(&driver).await;
        let answer = planned(&driver, "1.0.0", "newest").await;
        let found = difference(&answer["checks"]);
        assert_eq!(found["reason"], "7 members differ from web:3");

        let text = answer["text"].as_str().expect("a text");
        let lines: Vec<&str> = text.lines().collect();
        let start = lines.iter().position(|line| line.contains(" difference: "));
        let start = start.expect("a line") + 1;
        assert_eq!(
            lines[start..start + 7],
            [
                "      added containers.web.command: [\"run\",\"--password\",\"***\",\"--like\",\
                 \"***\"]",
                "      added containers.web.dockerLabels.proxy.auth: ***",
                "      changed containers.web.environment.PIN: *** -> ***",
                "      changed containers.web.environment.TOKEN: *** -> ***",
                "      added containers.web.secrets.DB: parameter/db",
                "      removed tags.slipway:service: web",
                "      added tags.team: web",
            ]
        );

        let whole = answer.to_string();
        for secret in ["hunter", "zq-1", "zq-2", "correct-horse", "hush"] {
            assert!(!whole.contains(secret), "{secret}: {whole}");
        }
    });
}

/// The definition that was sent for a revision.
fn sent(aws: &Aws, revision: &str) -> TaskDefinition {
    let request = aws.ecs.request_of(revision).expect("registered").clone();
    TaskDefinition::from_value(request).expect("a task definition")
}

#[test]
fn what_is_listed_is_what_the_registration_changes() {
    run(released(), Fault::None, async |driver| {
        with_newer_base(&driver).await;
        push(&driver, WEB, "2.0.0");
        let listed = difference(&planned(&driver, "2.0.0", "newest").await["checks"]);

        begun(&driver, json!({"base": "newest"})).await;
        let more = json!({"images": {"web": image("2.0.0")}, "base": "newest"});
        let answer = look(&driver, "register-task-definition", more).await;
        assert_eq!(
            answer["outputVariables"]["TaskDefinitionArn"],
            arn("web:5"),
            "{answer}"
        );

        let aws = driver.world.aws();
        let registered = Difference::between(&sent(&aws, "web:3"), &sent(&aws, "web:5"));
        assert_eq!((registered.count(), registered.more), (8, 0));
        assert_eq!(listed["changes"], json!(registered.changes));
    });
}

thread_local! {
    /// What this thread logs.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Logs of all threads have one subscriber: a call site that another thread meets first, without
/// one, would never be logged.
static LOGS: LazyLock<()> = LazyLock::new(|| {
    let lines = tracing_subscriber::fmt().json().with_writer(|| Log);
    tracing::subscriber::set_global_default(lines.finish()).expect("the only one");
});

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The tree of the dry run that this thread logged last, as the field `checks` has it.
fn checks() -> Value {
    let text = String::from_utf8(LOGGED.take()).expect("UTF-8");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut dry_runs = lines.filter(|line| line["fields"]["message"] == "dry run");
    let line = dry_runs.next_back().expect("a dry run");
    serde_json::from_str(line["fields"]["checks"].as_str().expect("a text")).expect("a tree")
}

/// The tree that a job of the counter's pipeline logs for an image that is pushed, and its digest.
async fn logged(driver: &Driver, tag: &str) -> (Value, String) {
    only_check(&mut driver.world.aws(), PIPELINE, json!({}));
    LazyLock::force(&LOGS);
    let pushed = push(driver, COUNTER, tag);
    until(driver, |aws| {
        let execution = newest(aws, PIPELINE);
        digest(execution) == Some(pushed.as_str()) && execution.is_over()
    })
    .await;
    (checks(), pushed)
}

#[test]
fn a_file_is_compared_with_what_runs_whatever_ecs_has_filled_in() {
    run(with_file(FILE), Fault::None, async |driver| {
        let pushed = push(&driver, COUNTER, "1.0.0");
        ends(&driver, PIPELINE, &pushed, "deployed").await;

        let mut file: Value = serde_json::from_slice(FILE).expect("JSON");
        file["memory"] = json!("0.5GB");
        let container = &mut file["containerDefinitions"][0];
        container["essential"] = json!(true);
        container["environment"] = json!([
            {"name": "TOKEN", "value": "hunter22"}, {"name": "EMPTY", "value": ""},
        ]);
        let archive = zipped("taskdef.json", file.to_string().as_bytes());
        let put = driver
            .world
            .aws()
            .s3
            .put("page-counter-config", "config.zip", archive);
        put.expect("the bucket is there");

        let runs = image_of(&driver.world.aws(), "page-counter:2");
        let (tree, pushed) = logged(&driver, "2.0.0").await;
        let image = pinned(&pushed).replace("/web@", "/page-counter@");
        assert_eq!(
            difference(&tree),
            json!({
                "name": "difference", "state": "OK",
                "reason": "3 members differ from page-counter:2",
                "changes": [
                    {
                        "change": "added", "path": "containers.frontend.environment.TOKEN",
                        "new": "***",
                    },
                    {
                        "change": "changed", "path": "containers.frontend.image", "old": runs,
                        "new": image,
                    },
                    {"change": "changed", "path": "memory", "old": "256", "new": "512"},
                ],
            })
        );
    });
}
