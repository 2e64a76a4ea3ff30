//! Where the output of a container goes.
//!
//! Never repeats the value of an option: it can be a token.

use std::collections::BTreeMap;

use serde_json::json;

use super::draft::Draft;
use super::fields::Fields;
use super::place::Place;

/// The drivers that ECS takes on an instance (ECS API: LogConfiguration, `logDriver`).
const DRIVERS: [&str; 8] = [
    "awsfirelens",
    "awslogs",
    "fluentd",
    "gelf",
    "journald",
    "json-file",
    "splunk",
    "syslog",
];

/// The drivers of Fargate (ECS API: LogConfiguration, `logDriver`).
const FARGATE_DRIVERS: [&str; 3] = ["awsfirelens", "awslogs", "splunk"];

/// The drivers of Amazon ECS Managed Instances (the same page).
const MANAGED_DRIVERS: [&str; 4] = ["awsfirelens", "awslogs", "json-file", "splunk"];

/// The options of `awslogs` that ECS takes (ECS API: LogConfiguration, `options`). It refuses
/// others, such as `awslogs-endpoint` (github.com/aws/amazon-ecs-agent/issues/872).
const OF_AWSLOGS: [&str; 8] = [
    CREATES_GROUP,
    "awslogs-datetime-format",
    "awslogs-group",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
];

const CREATES_GROUP: &str = "awslogs-create-group";

/// Where a container sends its output that ECS started with FireLens: to a socket of its task
/// (github.com/aws/amazon-ecs-agent).
const OF_FIRELENS: &str = "unix:///var/lib/ecs/data/firelens/";

/// A driver that was given. `json-file` without options is Docker's own.
pub(super) fn convert(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let mut config = host.object("LogConfig")?;
    // nerdctl has names of its own, and adds where its daemon listens
    // (github.com/containerd/nerdctl, pkg/inspecttypes/dockercompat).
    let is_of_nerdctl = !config.has("Type") && config.has("driver");
    let (kind, more) = if is_of_nerdctl {
        config.take("address");
        ("driver", "opts")
    } else {
        ("Type", "Config")
    };
    let (field, of_options) = (config.at(kind), config.at(more));
    let driver = config.text(kind)?;
    let mut options = config.options(more)?;
    draft.leave_rest(&mut config);
    if options.is_empty() && ["", "json-file"].contains(&driver.as_str()) {
        return Ok(());
    }

    if driver == "awslogs" {
        of_awslogs(&mut options, &of_options, draft);
    }
    if let Some(reason) = refusal(&driver, &options, &draft.place) {
        draft.leave(field, driver, reason);
        if !options.is_empty() {
            let count = format!("options: {}", options.len());
            draft.leave(of_options, count, "they are of this driver");
        }
        return Ok(());
    }

    let mut made = json!({"logDriver": driver});
    if !options.is_empty() {
        made["options"] = json!(options);
    }
    draft.put("logConfiguration", made, &field, &driver);
    Ok(())
}

/// Removes the options of Docker that ECS refuses.
fn of_awslogs(options: &mut BTreeMap<String, String>, place: &str, draft: &mut Draft) {
    options.retain(|name, _| {
        let is_taken = OF_AWSLOGS.contains(&name.as_str());
        if !is_taken {
            let reason = "ECS does not take this option of awslogs";
            draft.leave(format!("{place}.{name}"), "a text", reason);
        }
        is_taken
    });

    // ECS takes no other word than `true` (github.com/terraform-linters/tflint-ruleset-aws/
    // issues/348), and Docker takes more for it. Without it no group is made, as with `false`.
    if let Some(creates) = options.remove(CREATES_GROUP)
        && ["1", "t", "true"].contains(&creates.to_ascii_lowercase().as_str())
    {
        options.insert(CREATES_GROUP.to_owned(), "true".to_owned());
    }
}

/// Why ECS does not take a driver with these options, if it does not: the driver is another one, or
/// needs more of them (ECS API: LogConfiguration, `options`; for the prefix on Fargate
/// github.com/aws/aws-cdk/issues/1422).
fn refusal(driver: &str, options: &BTreeMap<String, String>, place: &Place) -> Option<String> {
    let drivers = if place.is_fargate {
        &FARGATE_DRIVERS[..]
    } else if place.is_managed {
        &MANAGED_DRIVERS[..]
    } else {
        &DRIVERS[..]
    };
    if !drivers.contains(&driver) {
        let reason = "ECS does not take this driver here; the running definition decides";
        return Some(reason.to_owned());
    }
    let address = options.get("fluentd-address");
    if address.is_some_and(|address| address.starts_with(OF_FIRELENS)) {
        let reason = "the ECS agent sets it for FireLens; the running definition decides";
        return Some(reason.to_owned());
    }

    let required: &[&str] = match driver {
        "awslogs" if place.is_fargate => {
            &["awslogs-group", "awslogs-region", "awslogs-stream-prefix"]
        }
        "awslogs" => &["awslogs-group", "awslogs-region"],
        "splunk" => &["splunk-token", "splunk-url"],
        _ => &[],
    };
    let missing: Vec<&str> = required
        .iter()
        .copied()
        .filter(|option| options.get(*option).is_none_or(String::is_empty))
        .collect();
    let missing = Some(missing.join(", ")).filter(|missing| !missing.is_empty())?;
    Some(format!(
        "ECS needs {missing} with it; the running definition decides"
    ))
}
