//! `AWS::Serverless::Function`: the function, its role, its retries and its events.

use serde_json::{Map, Value, json};

use super::super::error::{At, Problem, found};
use super::super::resolve::function as intrinsic;
use super::super::schema;
use super::super::template::Resource;
use super::{SERVERLESS, companion, copy, events, get_att, globals, tag_list};

/// The plain resources of one serverless function.
pub(super) fn write_out(
    resource: Resource,
    shared: &Map<String, Value>,
) -> Result<Vec<Resource>, Problem> {
    let properties = globals::merged(
        &Value::Object(shared.clone()),
        &Value::Object(resource.properties.clone()),
    );
    schema::check_names(&properties, schema::of(SERVERLESS)).at("Properties")?;
    let Value::Object(own) = properties else {
        return Err(Problem::new("takes a map")).at("Properties");
    };

    let mut made = vec![lambda_function(&resource, &own)];
    let (config, destination_policy) = event_invoke_config(&resource, &own)
        .at("EventInvokeConfig")
        .at("Properties")?;

    if !own.contains_key("Role") {
        made.push(
            role(&resource, &own, destination_policy)
                .at("Policies")
                .at("Properties")?,
        );
    }

    made.extend(config);
    for (name, event) in own
        .get("Events")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        made.extend(
            events::write_out(&resource, name, event)
                .at(name)
                .at("Events")
                .at("Properties")?,
        );
    }
    Ok(made)
}

fn lambda_function(resource: &Resource, own: &Map<String, Value>) -> Resource {
    let mut properties = Map::new();

    // SAM passes on the properties that both types have, except those that it fills in itself.
    let own_names: Vec<&str> = schema::names(schema::of(SERVERLESS)).collect();
    let passed_on: Vec<&str> = schema::names(schema::of("AWS::Lambda::Function"))
        .filter(|name| own_names.contains(name) && !["Role", "Tags"].contains(name))
        .collect();
    copy(own, &passed_on, &mut properties);

    // `sam package` would put the code into a bucket; here the metadata names the binary.
    properties.insert(
        "Code".to_owned(),
        json!({"S3Bucket": "sam", "S3Key": own["CodeUri"]}),
    );
    let role = own
        .get("Role")
        .cloned()
        .unwrap_or_else(|| get_att(&format!("{}Role", resource.logical_id), "Arn"));
    properties.insert("Role".to_owned(), role);
    properties.insert("Tags".to_owned(), tag_list(own.get("Tags")));

    if let Some(mode) = own.get("Tracing").filter(|mode| *mode != "Disabled") {
        properties.insert("TracingConfig".to_owned(), json!({ "Mode": mode }));
    }
    if let Some(queue) = own.get("DeadLetterQueue") {
        properties.insert(
            "DeadLetterConfig".to_owned(),
            json!({"TargetArn": queue["TargetArn"]}),
        );
    }

    Resource {
        kind: "AWS::Lambda::Function".to_owned(),
        properties,
        ..resource.clone()
    }
}

/// The retries of asynchronous invocations, and the policy that their destination needs.
fn event_invoke_config(
    resource: &Resource,
    own: &Map<String, Value>,
) -> Result<(Option<Resource>, Option<Value>), Problem> {
    let Some(config) = own.get("EventInvokeConfig").and_then(Value::as_object) else {
        return Ok((None, None));
    };

    let mut properties = Map::from_iter([
        (
            "FunctionName".to_owned(),
            json!({ "Ref": resource.logical_id }),
        ),
        ("Qualifier".to_owned(), json!("$LATEST")),
    ]);
    copy(
        config,
        &["MaximumEventAgeInSeconds", "MaximumRetryAttempts"],
        &mut properties,
    );

    let mut policy = None;
    if let Some(on_failure) = config
        .get("DestinationConfig")
        .and_then(|destinations| destinations.get("OnFailure"))
    {
        let destination = queue_of(on_failure)
            .at("OnFailure")
            .at("DestinationConfig")?;
        properties.insert(
            "DestinationConfig".to_owned(),
            json!({"OnFailure": {"Destination": destination}}),
        );
        policy = Some(destination_policy(resource, destination));
    }

    Ok((
        Some(companion(
            resource,
            "EventInvokeConfig",
            "AWS::Lambda::EventInvokeConfig",
            properties,
        )),
        policy,
    ))
}

/// The queue to which failed invocations go.
fn queue_of(on_failure: &Value) -> Result<&Value, Problem> {
    let destination = &on_failure["Destination"];
    if on_failure["Type"] != "SQS"
        || destination.is_null()
        || matches!(intrinsic(destination), Some(("Fn::If", _)))
    {
        return Err(Problem::new(format!(
            "the sandbox takes Type SQS and the ARN of a queue, found {}",
            found(on_failure)
        )));
    }
    Ok(destination)
}

fn destination_policy(resource: &Resource, destination: &Value) -> Value {
    json!({
        "PolicyName": format!("{}EventInvokeConfigOnFailureSQSPolicy", resource.logical_id),
        "PolicyDocument": {"Statement": [
            {"Action": "sqs:SendMessage", "Effect": "Allow", "Resource": destination},
        ]},
    })
}

fn managed(name: &str) -> Value {
    json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:iam::aws:policy/{name}") })
}

fn role(
    resource: &Resource,
    own: &Map<String, Value>,
    destination_policy: Option<Value>,
) -> Result<Resource, Problem> {
    let mut managed_policies = managed_policies_of(own);
    let mut inline: Vec<Value> = own
        .get("DeadLetterQueue")
        .map(dead_letter_policy)
        .transpose()?
        .into_iter()
        .chain(destination_policy)
        .collect();
    add_given_policies(resource, own, &mut managed_policies, &mut inline)?;

    let mut properties = Map::from_iter([
        (
            "AssumeRolePolicyDocument".to_owned(),
            own.get("AssumeRolePolicyDocument")
                .cloned()
                .unwrap_or_else(trust_in_lambda),
        ),
        (
            "ManagedPolicyArns".to_owned(),
            Value::Array(managed_policies),
        ),
        ("Tags".to_owned(), tag_list(own.get("Tags"))),
    ]);
    if !inline.is_empty() {
        properties.insert("Policies".to_owned(), Value::Array(inline));
    }

    copy(own, &["PermissionsBoundary"], &mut properties);
    if let Some(path) = own.get("RolePath") {
        properties.insert("Path".to_owned(), path.clone());
    }
    Ok(companion(resource, "Role", "AWS::IAM::Role", properties))
}

/// The managed policies that the function's other properties need.
fn managed_policies_of(own: &Map<String, Value>) -> Vec<Value> {
    let mut policies = vec![managed("service-role/AWSLambdaBasicExecutionRole")];
    if own.get("Tracing").is_some_and(|mode| mode != "Disabled") {
        policies.push(managed("AWSXRayDaemonWriteAccess"));
    }
    if own.contains_key("VpcConfig") {
        policies.push(managed("service-role/AWSLambdaVPCAccessExecutionRole"));
    }
    policies
}

/// Adds the policies of the property `Policies`, each to those of its kind.
fn add_given_policies(
    resource: &Resource,
    own: &Map<String, Value>,
    managed_policies: &mut Vec<Value>,
    inline: &mut Vec<Value>,
) -> Result<(), Problem> {
    let given = match own.get("Policies") {
        None => &[],
        Some(Value::Array(policies)) => policies.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };

    for (at, policy) in given.iter().enumerate() {
        let name = format!("{}RolePolicy{at}", resource.logical_id);
        match policy {
            Value::String(arn) if arn.starts_with("arn:") => managed_policies.push(policy.clone()),
            _ if matches!(intrinsic(policy), Some(("Ref", id)) if id != "AWS::NoValue") => {
                managed_policies.push(policy.clone());
            }
            Value::String(name) if name.starts_with("AWSLambda") => {
                let arn = managed(&format!("service-role/{name}"));
                if !managed_policies.contains(&arn) {
                    managed_policies.push(arn);
                }
            }
            _ => inline.push(named_policy(&name, policy).at(at)?),
        }
    }
    Ok(())
}

fn trust_in_lambda() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Action": ["sts:AssumeRole"],
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com"]},
        }],
    })
}

/// A policy document under the name that SAM gives it; in `Fn::If`, in both branches.
fn named_policy(name: &str, policy: &Value) -> Result<Value, Problem> {
    match (intrinsic(policy), policy) {
        (Some(("Fn::If", Value::Array(parts))), _) if parts.len() == 3 => {
            let branch = |at: usize| match intrinsic(&parts[at]) {
                Some(("Ref", id)) if id == "AWS::NoValue" => Ok(parts[at].clone()),
                _ => named_policy(name, &parts[at]).at(at),
            };
            Ok(json!({"Fn::If": [parts[0], branch(1)?, branch(2)?]}))
        }
        (None, Value::Object(document)) if document.contains_key("Statement") => {
            Ok(json!({"PolicyName": name, "PolicyDocument": policy}))
        }
        _ => Err(Problem::new(format!(
            "the sandbox takes policies with a Statement, and names of managed policies and \
             references to them, found {}",
            found(policy)
        ))),
    }
}

fn dead_letter_policy(queue: &Value) -> Result<Value, Problem> {
    let action = match queue["Type"].as_str() {
        Some("SQS") => "sqs:SendMessage",
        Some("SNS") => "sns:Publish",
        _ => {
            return Err(Problem::new(format!(
                "'DeadLetterQueue' requires Type of SQS or SNS, found {}",
                found(&queue["Type"])
            )));
        }
    };
    let statement = json!({"Action": action, "Resource": queue["TargetArn"], "Effect": "Allow"});

    Ok(json!({
        "PolicyName": "DeadLetterQueuePolicy",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }))
}
