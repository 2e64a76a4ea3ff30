//! A command that the demo's web service runs once before each update, as its pipeline's stack
//! takes it.

use emulator::Aws;
use emulator::ecs::{CommandEnd, Task};
use harness::demo::WEB;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use crate::{account, ends, pair, push};

/// The command's words.
const WORDS: [&str; 2] = ["migrate", "up"];

/// Lets the pipeline of web run the command, which has this many minutes.
pub fn add(aws: &mut Aws, minutes: &str) {
    let words = WORDS.join(",");
    let changes = [
        ("MigrationCommand", words.as_str()),
        ("MigrationFamily", WEB),
        ("MigrationMinutes", minutes),
    ];
    pair::update(aws, "web-pipeline", &changes);
}

/// The parameters of an action that runs the command.
pub fn parameters() -> Value {
    json!({"task": "migrate", "command": WORDS})
}

/// From now on the command ends with this exit code after 20 seconds.
pub fn exits_with(aws: &mut Aws, exit_code: i32) {
    let end = CommandEnd {
        after_secs: 20,
        exit_code,
    };
    aws.ecs.commands.insert(WORDS.join(" "), end);
}

/// From now on the command does not end.
pub fn goes_on(aws: &mut Aws) {
    aws.ecs.commands.remove(&WORDS.join(" "));
}

/// An account in which web was released once, with the command.
pub fn released() -> Aws {
    let mut aws = account();
    add(&mut aws, "30");
    exits_with(&mut aws, 0);

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "1.0.0");
        ends(&driver, "slipway-web", &pushed, "deployed").await;
        driver.world.snapshot()
    })
}

/// The tasks that no service started, as far as ECS remembers them.
pub fn tasks(aws: &Aws) -> Vec<Task> {
    let tasks = aws.ecs.tasks.values();
    tasks
        .filter(|task| task.service.is_empty())
        .cloned()
        .collect()
}
