//! Freezes that cannot be meant: the release fails before it changes anything.

use emulator::ecr::{self, Behaviour};
use harness::demo::WEB;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use behaviour::{account, failure, is_closed, newest, until, update_pipeline};

const PIPELINE: &str = "slipway-web";
const STEP: &str = "register-task-definition";

/// Type and message with which a release fails whose step got these parameters too.
fn refused(more: &Value) -> (String, String) {
    let mut aws = account();
    let changed = update_pipeline(&mut aws, PIPELINE, |pipeline| {
        behaviour::change_parameters(pipeline, STEP, |parameters| {
            parameters.extend(more.as_object().expect("an object").clone());
        });
    });
    changed.expect("a legal pipeline");
    let before = behaviour::ecs_state(&aws);
    ecr::push(&mut aws, WEB, "1.0.0", Behaviour::Healthy).expect("pushed");

    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            let newest = newest(aws, PIPELINE);
            newest.is_over() && is_closed(aws, &newest.id)
        })
        .await;
        let aws = driver.world.aws();
        let execution = newest(&aws, PIPELINE).id.clone();
        let jobs = behaviour::jobs(&aws, &execution, STEP);
        let (kind, message) = failure(jobs.last().expect("a job")).expect("it fails");
        assert_eq!(behaviour::ecs_state(&aws), before, "nothing is changed");
        (kind.to_owned(), message.to_owned())
    })
}

#[test]
fn what_cannot_be_meant_fails_the_release_before_it_changes_anything() {
    let window = "expected a begin and an end such as `Fri 16:00/Mon 06:00`, `22:00/06:00` or \
                  `2026-12-23T18:00/2027-01-02T06:00`";
    let freeze = |window: &str, zone: &str| json!({"freeze": {"windows": [window], "zone": zone}});
    let cases = [
        (
            freeze("22:00/06:00", "Europe/Berln"),
            "`freeze.zone` is `Europe/Berln`; expected the IANA name of a time zone such as \
             Europe/Berlin"
                .to_owned(),
        ),
        (
            freeze("2027-01-02T06:00/2026-12-23T18:00", "UTC"),
            format!(
                "`freeze.windows` has `2027-01-02T06:00/2026-12-23T18:00`, which does not end \
                 after it begins; {window}"
            ),
        ),
        (
            freeze("Friday 16:00/Mon 06:00", "UTC"),
            format!("`freeze.windows` has `Friday 16:00/Mon 06:00`; {window}"),
        ),
        (
            json!({"line": {"stage": "two words"}}),
            "`line.stage` is `two words`; expected the name of a stage, 1 to 100 letters, digits, \
             `.`, `@`, `-` and `_`"
                .to_owned(),
        ),
    ];
    for (more, expected) in cases {
        let refused = refused(&more);
        assert_eq!(refused, ("ConfigurationError".to_owned(), expected));
    }

    let (kind, message) = refused(&json!({"freeze": {"windows": "22:00/06:00"}}));
    assert_eq!(kind, "ConfigurationError");
    let start = "UserParameters: `freeze.windows` (found \"22:00/06:00\"): invalid type";
    assert!(message.starts_with(start), "{message}");
}
