//! Buckets.

use serde_json::{Value, json};

use super::policy_document::check_document;
use super::{Created, Desired, ResourceType, UpdateMethod};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::stack::StackResource;

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::S3::Bucket",
        create: create_bucket,
        update: UpdateMethod::InPlace(update_bucket),
        delete: delete_bucket,
    },
    ResourceType {
        name: "AWS::S3::BucketPolicy",
        create: create_policy,
        update: UpdateMethod::InPlace(update_policy),
        delete: forget,
    },
];

const MAX_NAME_CHARS: usize = 63;

fn create_bucket(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let mut name = desired.name_within(aws, "BucketName", MAX_NAME_CHARS);
    if desired.text("BucketName").is_none() {
        name = name.to_lowercase();
    }

    let valid =
        |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-' || one == '.';
    if !(3..=MAX_NAME_CHARS).contains(&name.len()) || !name.chars().all(valid) {
        return Err(Problem::new(format!(
            "a bucket name has 3 to {MAX_NAME_CHARS} lower-case letters, digits, dots and \
             hyphens, found {name}"
        )))
        .at("BucketName");
    }
    if aws.s3.has_bucket(&name) {
        return Err(Problem::new(format!(
            "BucketAlreadyOwnedByYou: {name} already exists"
        )));
    }

    aws.s3.at(aws.now).create_bucket(
        &name,
        desired.properties["VersioningConfiguration"]["Status"] == "Enabled",
    );
    let partition = aws.partition();
    let domain = partition.domain;
    let attributes = json!({
        "Arn": partition.arn("s3", "", &name),
        "DomainName": format!("{name}.s3.{domain}"),
        "RegionalDomainName": format!("{name}.s3.{}.{domain}", aws.region),
    });

    Ok(Created::new(name, attributes))
}

fn update_bucket(
    _aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<Created, Problem> {
    super::refuse_changes(
        old,
        desired,
        &[
            "BucketName",
            "NotificationConfiguration",
            "VersioningConfiguration",
        ],
    )?;
    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

fn delete_bucket(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    if !aws.s3.has_bucket(&old.physical_id) {
        return Ok(());
    }
    Ok(aws.s3.delete_bucket(&old.physical_id)?)
}

fn create_policy(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    check_document(&desired.properties["PolicyDocument"], true).at("PolicyDocument")?;
    let bucket = desired.text("Bucket").unwrap_or_default().to_owned();
    if !aws.s3.has_bucket(&bucket) {
        return Err(Problem::new(format!("NoSuchBucket: {bucket}"))).at("Bucket");
    }
    Ok(Created::new(bucket, Value::Null))
}

fn update_policy(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["Bucket"])?;
    create_policy(aws, desired)
}

fn forget(_aws: &mut Aws, _old: &StackResource) -> Result<(), Problem> {
    Ok(())
}
