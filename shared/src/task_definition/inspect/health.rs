//! The health check: times in nanoseconds become seconds within the bounds of ECS.
//!
//! Never takes over the check of an image that is inherited: ECS does not run it
//! (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html).

use serde_json::{Map, Value};

use super::draft::Draft;
use super::fields::Fields;
use super::left_out::shown;

const NANOSECONDS: u64 = 1_000_000_000;

/// The bounds in ECS of each number: Docker's name, ECS's name, the least and the most, and what
/// Docker takes for 0 where ECS takes something else (ECS API: HealthCheck; Docker Engine API:
/// HealthConfig, with its defaults in docs.docker.com/reference/dockerfile, HEALTHCHECK).
const TIMES: [(&str, &str, u64, u64, u64); 3] = [
    ("Interval", "interval", 5, 300, 0),
    ("StartPeriod", "startPeriod", 0, 300, 0),
    ("Timeout", "timeout", 2, 60, 30),
];

const RETRIES: (u64, u64) = (1, 10);

pub(super) fn convert(config: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let mut check = config.object("Healthcheck")?;
    let test = check.texts("Test")?;

    match test.first().map(String::as_str) {
        Some("NONE") => {
            draft.set("healthCheck", Value::Null);
            leave_times(&mut check, draft, "the check is off");
            return Ok(());
        }
        Some("CMD" | "CMD-SHELL") if test.len() > 1 => {}
        Some(_) => {
            return Err(format!(
                "`{}` has no command; expected CMD or CMD-SHELL with one, or NONE",
                check.at("Test")
            ));
        }
        None => {
            let reason = "ECS does not run the check of an image; it needs a test";
            leave_times(&mut check, draft, reason);
            return Ok(());
        }
    }

    let mut made = Map::new();
    made.insert("command".to_owned(), Value::from(test));
    for (from, to, least, most, default) in TIMES {
        let seconds = match check.count(from)?.div_ceil(NANOSECONDS) {
            0 => default,
            seconds => seconds,
        };
        if seconds > 0 {
            let seconds = bounded(&check.at(from), seconds, (least, most), draft);
            made.insert(to.to_owned(), Value::from(seconds));
        }
    }

    let retries = check.count("Retries")?;
    if retries > 0 {
        let retries = bounded(&check.at("Retries"), retries, RETRIES, draft);
        made.insert("retries".to_owned(), Value::from(retries));
    }
    draft.set("healthCheck", Value::Object(made));

    draft.leave_rest(&mut check);
    Ok(())
}

/// The nearest number that ECS takes. Another one than the file has is listed.
fn bounded(field: &str, number: u64, (least, most): (u64, u64), draft: &mut Draft) -> u64 {
    let taken = number.clamp(least, most);
    if taken != number {
        let reason = format!("ECS takes {least} to {most}; {taken} is set");
        draft.leave(field, number.to_string(), reason);
    }
    taken
}

/// Times without a test that ECS runs.
fn leave_times(check: &mut Fields, draft: &mut Draft, reason: &str) {
    for (name, value) in check.rest() {
        draft.leave(check.at(&name), shown(&value), reason);
    }
}
