//! Stubs: resource types that have a name, an ARN and properties, and no behaviour.

use serde_json::{Value, json};

use super::policy_document::check_document;
use super::{Created, Desired, ResourceType, UpdateMethod};
use crate::Aws;
use crate::cloudformation::error::{At, Problem, found};
use crate::cloudformation::stack::StackResource;

pub(super) const TYPES: &[ResourceType] = &[
    stub("AWS::SQS::Queue", create_queue),
    stub("AWS::SQS::QueuePolicy", create_queue_policy),
    stub("AWS::Logs::LogGroup", create_log_group),
    stub("AWS::EC2::SecurityGroup", create_security_group),
    stub("AWS::CloudWatch::Alarm", create_alarm),
];

const fn stub(
    name: &'static str,
    create: fn(&mut Aws, &Desired) -> Result<Created, Problem>,
) -> ResourceType {
    ResourceType {
        name,
        create,
        update: UpdateMethod::InPlace(keep),
        delete,
    }
}

/// Retention periods that CloudWatch Logs knows. Source:
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const RETENTION_DAYS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// The most metrics of an expression that an alarm watches. Source:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
const MAX_ALARM_METRICS: usize = 10;

/// Takes a name for the first time.
fn claim(aws: &mut Aws, kind: &'static str, name: &str) -> Result<(), Problem> {
    if aws.cloudformation.names.insert((kind, name.to_owned())) {
        return Ok(());
    }
    Err(Problem::new(format!("{kind} {name} already exists")))
}

fn create_queue(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "QueueName");
    let url = format!(
        "https://sqs.{}.{}/{}/{name}",
        aws.region,
        aws.partition().domain,
        aws.account
    );
    claim(aws, "AWS::SQS::Queue", &url)?;

    let attributes = json!({"Arn": aws.arn("sqs", &name), "QueueName": name, "QueueUrl": url});
    Ok(Created::new(url, attributes))
}

fn create_queue_policy(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    check_document(&desired.properties["PolicyDocument"], true).at("PolicyDocument")?;
    let queues = desired.properties["Queues"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);

    for url in queues {
        if !aws
            .cloudformation
            .names
            .contains(&("AWS::SQS::Queue", url.to_owned()))
        {
            return Err(Problem::new(format!("takes URLs of queues, found {url}"))).at("Queues");
        }
    }

    let id = desired.made_up_name(aws);
    Ok(Created::new(id.clone(), json!({ "Id": id })))
}

fn create_log_group(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    if let Some(days) = desired.properties.get("RetentionInDays")
        && !days
            .as_i64()
            .is_some_and(|days| RETENTION_DAYS.contains(&days))
    {
        return Err(Problem::new(format!(
            "takes one of {RETENTION_DAYS:?}, found {}",
            found(days)
        )))
        .at("RetentionInDays");
    }

    let name = desired.name(aws, "LogGroupName");
    claim(aws, "AWS::Logs::LogGroup", &name)?;
    let arn = aws.arn("logs", &format!("log-group:{name}:*"));
    Ok(Created::new(name, json!({ "Arn": arn })))
}

fn create_security_group(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let id = format!("sg-0{}", aws.hex(16));
    claim(aws, "AWS::EC2::SecurityGroup", &id)?;
    Ok(Created::new(
        id.clone(),
        json!({"GroupId": id, "Id": id, "VpcId": desired.text("VpcId").unwrap_or("vpc-0default")}),
    ))
}

/// The alarm watches nothing: its metrics are of services whose metrics the sandbox does not have.
fn create_alarm(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let has = |property: &str| desired.properties.get(property).is_some();
    if has("MetricName") == has("Metrics") {
        return Err(Problem::new("takes either MetricName or Metrics"));
    }
    let queries = desired.properties["Metrics"].as_array();
    let metrics = queries
        .into_iter()
        .flatten()
        .filter(|query| query.get("MetricStat").is_some())
        .count();
    if metrics > MAX_ALARM_METRICS {
        return Err(Problem::new(format!(
            "takes at most {MAX_ALARM_METRICS} metrics, found {metrics}"
        )))
        .at("Metrics");
    }

    let name = desired.name(aws, "AlarmName");
    claim(aws, "AWS::CloudWatch::Alarm", &name)?;
    let arn = aws.arn("cloudwatch", &format!("alarm:{name}"));
    Ok(Created::new(name, json!({ "Arn": arn })))
}

/// A changed property is only remembered, unless it is the name.
fn keep(_aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    super::refuse_changes(
        old,
        desired,
        &[
            "AlarmName",
            "QueueName",
            "FifoQueue",
            "LogGroupName",
            "LogGroupClass",
            "GroupName",
            "GroupDescription",
            "VpcId",
        ],
    )?;
    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    aws.cloudformation
        .names
        .retain(|(kind, name)| *kind != old.kind || *name != old.physical_id);
    Ok(())
}
