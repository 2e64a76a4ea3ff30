//! What CodePipeline does under the pipeline's role, and how an action fails when the role may not.

use std::collections::BTreeMap;

use super::state::{ErrorDetails, Execution};
use crate::Aws;
use crate::iam::{Demand, Session, require};

/// Fails unless the pipeline's role allows all of it. `place` is what the actions are done to, as
/// an operator calls it. A pipeline whose role no template made is not looked into: there is no
/// policy to look at.
pub(super) fn check(
    aws: &mut Aws,
    role: &str,
    place: &str,
    demands: &[Demand],
) -> Result<(), ErrorDetails> {
    if aws.cloudformation.iam.role_by_arn(role).is_none() {
        return Ok(());
    }

    let session = Session::of(role, aws.now.to_string());
    demands.iter().try_for_each(|demand| require(aws, &session, demand)).map_err(|denial| {
        let message = format!(
            "The service role or action role doesn't have the permissions required to access the \
             {place}. Update the IAM role permissions, and then try again. Error: {}",
            denial.message
        );
        ErrorDetails::new("PermissionError", message)
    })
}

/// Storing an artifact.
pub(super) fn store(
    aws: &mut Aws,
    execution: &Execution,
    bucket: &str,
    key: &str,
) -> Result<(), ErrorDetails> {
    let object = aws.partition().arn("s3", "", &format!("{bucket}/{key}"));
    let demand = Demand::new("s3:PutObject", object);
    check(
        aws,
        &execution.declaration.role,
        &format!("Amazon S3 bucket named {bucket}"),
        &[demand],
    )
}

/// Finding an image.
pub(super) fn image(
    aws: &mut Aws,
    execution: &Execution,
    repository: &str,
) -> Result<(), ErrorDetails> {
    let demand = Demand::new(
        "ecr:DescribeImages",
        aws.arn("ecr", &format!("repository/{repository}")),
    );
    check(
        aws,
        &execution.declaration.role,
        &format!("Amazon ECR image repository named {repository}"),
        &[demand],
    )
}

/// Reading a repository by a connection, whose ARN has the prefix of the actions.
///
/// Source: <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>
pub(super) fn connection(
    aws: &mut Aws,
    execution: &Execution,
    arn: &str,
) -> Result<(), ErrorDetails> {
    let service = arn.split(':').nth(2).unwrap_or_default();
    let demand = Demand::new(format!("{service}:UseConnection"), arn);
    let role = &execution.declaration.role;
    check(aws, role, &format!("connection {arn}"), &[demand])
}

/// Starting a build, and observing it.
///
/// Source: <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>
pub(super) fn project(
    aws: &mut Aws,
    execution: &Execution,
    project: &str,
) -> Result<(), ErrorDetails> {
    let arn = aws.arn("codebuild", &format!("project/{project}"));
    let demands = ["codebuild:StartBuild", "codebuild:BatchGetBuilds"]
        .map(|action| Demand::new(action, arn.as_str()));
    let place = format!("AWS CodeBuild project named {project}");
    check(aws, &execution.declaration.role, &place, &demands)
}

/// Finding and reading an object.
///
/// Source:
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html#edit-role-s3source>
pub(super) fn object(
    aws: &mut Aws,
    execution: &Execution,
    bucket: &str,
    key: &str,
) -> Result<(), ErrorDetails> {
    let on_bucket = [
        "s3:GetBucketVersioning",
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
    ];
    let on_object = [
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:GetObjectTagging",
        "s3:GetObjectVersionTagging",
    ];
    let arn = aws.partition().arn("s3", "", bucket);
    let demands: Vec<Demand> = on_bucket
        .map(|action| Demand::new(action, arn.as_str()))
        .into_iter()
        .chain(on_object.map(|action| Demand::new(action, format!("{arn}/{key}"))))
        .collect();

    check(
        aws,
        &execution.declaration.role,
        &format!("Amazon S3 bucket named {bucket}"),
        &demands,
    )
}

/// Publishing that an approval is waited for, if it has a topic.
///
/// Source: <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>
pub(super) fn notification(
    aws: &mut Aws,
    execution: &Execution,
    configuration: &BTreeMap<String, String>,
) -> Result<(), ErrorDetails> {
    let Some(topic) = configuration.get("NotificationArn") else {
        return Ok(());
    };
    let publish = Demand::new("sns:Publish", topic.as_str());
    check(
        aws,
        &execution.declaration.role,
        &format!("Amazon SNS topic {topic}"),
        &[publish],
    )
}

/// Looking a function up in the list and invoking it.
///
/// Source: <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>
pub(super) fn function(aws: &mut Aws, role: &str, function: &str) -> Result<(), ErrorDetails> {
    let invoke = Demand::new(
        "lambda:InvokeFunction",
        aws.arn("lambda", &format!("function:{function}")),
    );
    let demands = [Demand::anywhere("lambda:ListFunctions"), invoke];

    check(
        aws,
        role,
        &format!("AWS Lambda function named {function}"),
        &demands,
    )
}
