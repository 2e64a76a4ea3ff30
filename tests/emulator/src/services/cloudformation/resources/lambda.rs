//! Functions, who may invoke them, and how asynchronous invocations are retried.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, gone, iam};
use crate::cloudformation::error::{At, Problem, found};
use crate::cloudformation::stack::StackResource;
use crate::lambda::{self, EventInvokeConfig, Function, Permission};
use crate::{ApiError, Aws};

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::Lambda::Function",
        create: create_function,
        update: UpdateMethod::InPlace(update_function),
        delete: delete_function,
    },
    ResourceType {
        name: "AWS::Lambda::Permission",
        create: create_permission,
        update: UpdateMethod::Replace,
        delete: delete_permission,
    },
    ResourceType {
        name: "AWS::Lambda::EventInvokeConfig",
        create: put_event_invoke_config,
        update: UpdateMethod::InPlace(update_event_invoke_config),
        delete: delete_event_invoke_config,
    },
    ResourceType {
        name: "AWS::Lambda::EventSourceMapping",
        create: create_mapping,
        update: UpdateMethod::InPlace(update_mapping),
        delete: delete_mapping,
    },
];

/// Limits of Lambda. Source:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_NAME_CHARS: usize = 64;
const TIMEOUT_SECS: std::ops::RangeInclusive<i64> = 1..=900;
const MEMORY_MB: std::ops::RangeInclusive<i64> = 128..=10_240;
const MAX_ENVIRONMENT_BYTES: usize = 4096;
const DEFAULT_TIMEOUT_SECS: i64 = 3;

fn create_function(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name_within(aws, "FunctionName", MAX_NAME_CHARS);
    let function = function(aws, name.clone(), desired)?;
    let arn = lambda::create_function(aws, function)?;
    Ok(Created::new(name, json!({ "Arn": arn })))
}

fn update_function(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["FunctionName", "PackageType"])?;
    let mut function = function(aws, old.physical_id.clone(), desired)?;

    // How asynchronous invocations are retried belongs to another resource.
    function.invoke_config = aws
        .lambda
        .function(&old.physical_id)
        .map(|known| known.invoke_config.clone())
        .unwrap_or_default();
    lambda::update_function(aws, function)?;

    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

fn function(aws: &Aws, name: String, desired: &Desired) -> Result<Function, Problem> {
    let invalid = |what: String| Problem::new(format!("InvalidParameterValueException: {what}"));
    if name.len() > MAX_NAME_CHARS {
        return Err(invalid(format!(
            "a function name has at most {MAX_NAME_CHARS} characters, found {name}"
        )))
        .at("FunctionName");
    }

    let within = |property: &str, range: &std::ops::RangeInclusive<i64>, default: i64| {
        let value = desired
            .properties
            .get(property)
            .and_then(Value::as_i64)
            .unwrap_or(default);
        let within = range.contains(&value).then_some(value);

        within
            .ok_or_else(|| {
                invalid(format!(
                    "takes {} to {}, found {value}",
                    range.start(),
                    range.end()
                ))
            })
            .at(property)
    };
    let timeout = within("Timeout", &TIMEOUT_SECS, DEFAULT_TIMEOUT_SECS)?;
    within("MemorySize", &MEMORY_MB, *MEMORY_MB.start())?;

    let role = desired.text("Role").unwrap_or_default().to_owned();
    iam::check_trust(aws, &role, "lambda.amazonaws.com").at("Role")?;

    Ok(Function {
        name,
        code: binary(&desired.metadata).at("Metadata")?,
        environment: environment(&desired.properties).at("Environment")?,
        timeout: Duration::from_secs(timeout.unsigned_abs()),
        role,
        ..Function::default()
    })
}

/// The binary that the function runs.
fn binary(metadata: &Map<String, Value>) -> Result<String, Problem> {
    let binary = metadata
        .get("BuildProperties")
        .and_then(|properties| properties.get("Binary"))
        .and_then(Value::as_str);
    let missing = || {
        Problem::new(
            "the sandbox runs functions that are built with BuildMethod rust-cargolambda and name \
             BuildProperties.Binary",
        )
    };

    match metadata.get("BuildMethod").and_then(Value::as_str) {
        Some("rust-cargolambda") => binary.map(str::to_owned).ok_or_else(missing),
        _ => Err(missing()),
    }
}

fn environment(properties: &Value) -> Result<BTreeMap<String, String>, Problem> {
    let variables = properties["Environment"]["Variables"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let bytes = Value::Object(variables.clone()).to_string().len();
    if bytes > MAX_ENVIRONMENT_BYTES {
        return Err(Problem::new(format!(
            "{bytes} bytes (limit {MAX_ENVIRONMENT_BYTES})"
        )));
    }

    let mut environment = BTreeMap::new();
    for (name, value) in &variables {
        let valid = name.len() >= 2
            && name.starts_with(|one: char| one.is_ascii_alphabetic())
            && name
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || one == '_');
        if !valid || name.starts_with("AWS_") {
            return Err(Problem::new(
                "not a valid name of a variable, or a reserved one",
            ))
            .at(name);
        }
        environment.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    Ok(environment)
}

fn delete_function(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(lambda::delete_function(aws, &old.physical_id))
}

fn create_permission(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    if desired.text("Action") != Some("lambda:InvokeFunction") {
        return Err(Problem::new(format!(
            "takes lambda:InvokeFunction, found {}",
            found(&desired.properties["Action"])
        )))
        .at("Action");
    }

    let statement_id = desired.made_up_name(aws);
    let permission = Permission {
        statement_id: statement_id.clone(),
        principal: desired.text("Principal").unwrap_or_default().to_owned(),
        source_arn: desired.text("SourceArn").map(str::to_owned),
        source_account: desired.text("SourceAccount").map(str::to_owned),
    };
    lambda::add_permission(
        aws,
        desired.text("FunctionName").unwrap_or_default(),
        permission,
    )?;

    Ok(Created::new(
        statement_id.clone(),
        json!({ "Id": statement_id }),
    ))
}

fn delete_permission(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(lambda::remove_permission(
        aws,
        old.properties["FunctionName"].as_str().unwrap_or_default(),
        &old.physical_id,
    ))
}

fn put_event_invoke_config(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    if desired.text("Qualifier") != Some("$LATEST") {
        return Err(Problem::new("the sandbox has $LATEST only")).at("Qualifier");
    }
    let destinations = &desired.properties["DestinationConfig"];
    if destinations.get("OnSuccess").is_some() {
        return Err(Problem::new(
            "the sandbox has destinations for failures only",
        ))
        .at("OnSuccess")
        .at("DestinationConfig");
    }

    let number = |property: &str, default: u64| {
        desired
            .properties
            .get(property)
            .map_or(Some(default), Value::as_u64)
            .ok_or_else(|| negative(property))
    };
    let default = EventInvokeConfig::default();
    let config = EventInvokeConfig {
        maximum_retry_attempts: number(
            "MaximumRetryAttempts",
            default.maximum_retry_attempts.into(),
        )?
        .try_into()
        .unwrap_or(u32::MAX),
        maximum_event_age: Duration::from_secs(number(
            "MaximumEventAgeInSeconds",
            default.maximum_event_age.as_secs(),
        )?),
        on_failure: destinations["OnFailure"]["Destination"]
            .as_str()
            .map(str::to_owned),
    };
    let function = desired.text("FunctionName").unwrap_or_default().to_owned();
    lambda::put_event_invoke_config(aws, &function, config)?;

    Ok(Created::new(format!("{function}|$LATEST"), json!({})))
}

fn negative(property: &str) -> ApiError {
    ApiError::client(
        "InvalidParameterValueException",
        format!("{property} must not be negative"),
    )
}

fn update_event_invoke_config(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["FunctionName", "Qualifier"])?;
    put_event_invoke_config(aws, desired)
}

fn delete_event_invoke_config(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(lambda::put_event_invoke_config(
        aws,
        old.properties["FunctionName"].as_str().unwrap_or_default(),
        EventInvokeConfig::default(),
    ))
}

fn create_mapping(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    lambda::check_reader(aws, &desired.properties)?;
    let id = lambda::create_mapping(aws, &desired.properties)?;
    let arn = aws.arn("lambda", &format!("event-source-mapping:{id}"));
    let attributes = json!({"Id": id, "EventSourceMappingArn": arn});
    Ok(Created::new(id, attributes))
}

fn update_mapping(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["EventSourceArn", "StartingPosition"])?;
    lambda::update_mapping(aws, &old.physical_id, &desired.properties)?;
    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

fn delete_mapping(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    lambda::delete_mapping(aws, &old.physical_id);
    Ok(())
}
