//! What a rollout reports that is late.

use harness::demo::COUNTER;
use harness::driver::{Fault, run};
use serde_json::json;

use super::bench::*;
use behaviour::account;

#[test]
fn a_late_rollout_quotes_the_newest_message_of_ecs_although_none_of_its_tasks_stopped() {
    run(account(), Fault::None, async |driver| {
        begun(
            &driver,
            json!({"service": COUNTER, "strategy": "make-room"}),
        )
        .await;

        // Every instance has an old task, which holds the static host port of a new one.
        let next = register_copy(&driver, "page-counter:1", |_| ());
        let rolling = json!({
            "service": COUNTER, "strategy": "rolling", "task_definition": next,
            "deadline_minutes": 1,
        });
        let answer = ended(&driver, "update-service", rolling).await;
        let message = "; newest message: (service page-counter) was unable to place a task because \
                       no container instance met all of its requirements. ";
        fails(&answer, "JobFailed", &["not steady after 1m", message]);
    });
}
