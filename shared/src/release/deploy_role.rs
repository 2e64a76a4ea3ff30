//! The role of a pipeline, under which its releases change its service.

use serde::{Deserialize, Serialize};

/// A deploy role with the external id that its trust policy requires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeployRole {
    pub arn: String,
    /// The ARN of the pipeline, as AWS states it and not as its user parameters do, so that no
    /// pipeline uses the role of another.
    pub external_id: String,
}

/// A pipeline as AWS states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedPipeline {
    pub arn: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    pub name: Option<String>,
}

impl DeployRole {
    /// The role `arn` of a pipeline. Without the pipeline's ARN it is made from the rest, in the
    /// partition of the role.
    ///
    /// # Errors
    /// When `arn` is not the ARN of an IAM role, or the pipeline's cannot be made.
    pub fn of_pipeline(arn: &str, pipeline: &StatedPipeline) -> Result<Self, String> {
        check_role_arn("deploy_role", arn)?;
        let partition = arn.split(':').nth(1).unwrap_or_default();

        let external_id = match pipeline {
            StatedPipeline { arn: Some(arn), .. } => arn.clone(),
            StatedPipeline {
                arn: None,
                account: Some(account),
                region: Some(region),
                name: Some(name),
            } => format!("arn:{partition}:codepipeline:{region}:{account}:{name}"),
            StatedPipeline { .. } => {
                return Err(format!(
                    "`deploy_role` is `{arn}`, but AWS states no ARN of the pipeline, which is \
                     the external id for the role; expected it, or account, region and name of \
                     the pipeline"
                ));
            }
        };
        Ok(Self {
            arn: arn.to_owned(),
            external_id,
        })
    }

    /// Whether the role is of the account of its pipeline: the credentials of another account read
    /// and start no pipeline of this one.
    #[must_use]
    pub fn is_of_the_pipelines_account(&self) -> bool {
        account(&self.arn) == account(&self.external_id)
    }
}

/// The account that an ARN names; empty if it names none.
fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// Refuses what is not the ARN of an IAM role, in any partition. `field` is where it was given.
///
/// # Errors
/// With the field, the value and what is expected.
pub fn check_role_arn(field: &str, arn: &str) -> Result<(), String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_role = match parts[..] {
        ["arn", partition, "iam", "", account, resource] => {
            is_partition(partition)
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && resource.strip_prefix("role/").is_some_and(is_role_name)
        }
        _ => false,
    };

    if is_role {
        return Ok(());
    }
    Err(format!(
        "`{field}` is `{arn}`; expected the ARN of an IAM role, \
         arn:<partition>:iam::<account>:role/<name>"
    ))
}

fn is_partition(partition: &str) -> bool {
    let is_own = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    partition.starts_with("aws") && partition.bytes().all(is_own)
}

/// Whether this is a path and a name (IAM API: CreateRole).
fn is_role_name(path_and_name: &str) -> bool {
    let name = path_and_name.rsplit('/').next().unwrap_or_default();
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);

    !name.is_empty()
        && name.bytes().all(is_of_name)
        && path_and_name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/slipway-web-DeployRole-1A2B";
    const PIPELINE: &str = "arn:aws:codepipeline:eu-west-1:111122223333:web";

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn stated(arn: Option<&str>) -> StatedPipeline {
        StatedPipeline {
            arn: arn.map(ToOwned::to_owned),
            account: text("444455556666"),
            region: text("eu-west-1"),
            name: text("web"),
        }
    }

    #[test]
    fn an_arn_of_a_role_is_accepted_in_every_partition_and_under_every_path() {
        for arn in [
            ROLE,
            "arn:aws-cn:iam::111122223333:role/deploy",
            "arn:aws-us-gov:iam::111122223333:role/teams/shop/deploy",
            "arn:aws-iso-b:iam::111122223333:role/a_b+c=d,e.f@g-h",
        ] {
            assert_eq!(check_role_arn("deploy_role", arn), Ok(()), "{arn}");
        }
    }

    #[test]
    fn what_is_not_the_arn_of_a_role_is_refused_with_field_value_and_form() {
        for arn in [
            "",
            "deploy",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/teams/",
            "arn:aws:iam::111122223333:role/a b",
            "arn:aws:iam::111122223333:role/a\"b",
            "arn:aws:iam::111122223333:user/deploy",
            "arn:aws:iam::1111:role/deploy",
            "arn:aws:iam::11112222333a:role/deploy",
            "arn:aws:iam:eu-west-1:111122223333:role/deploy",
            "arn:aws:sts::111122223333:assumed-role/deploy/session",
            "arn:azure:iam::111122223333:role/deploy",
            "urn:aws:iam::111122223333:role/deploy",
        ] {
            assert_eq!(
                check_role_arn("pipeline_role", arn),
                Err(format!(
                    "`pipeline_role` is `{arn}`; expected the ARN of an IAM role, \
                     arn:<partition>:iam::<account>:role/<name>"
                ))
            );
        }
    }

    #[test]
    fn the_external_id_is_the_arn_of_the_pipeline() {
        let role = |arn: &str, pipeline: &StatedPipeline| {
            DeployRole::of_pipeline(arn, pipeline).expect("a role")
        };

        let found = role(ROLE, &stated(Some(PIPELINE)));
        assert_eq!(
            (found.arn.as_str(), found.external_id.as_str()),
            (ROLE, PIPELINE)
        );

        let made = role(ROLE, &stated(None)).external_id;
        assert_eq!(made, "arn:aws:codepipeline:eu-west-1:444455556666:web");
        let made = role(&ROLE.replace("arn:aws:", "arn:aws-cn:"), &stated(None)).external_id;
        assert_eq!(made, "arn:aws-cn:codepipeline:eu-west-1:444455556666:web");
    }

    #[test]
    fn a_role_is_of_the_pipelines_account_or_of_another() {
        let is_own = |arn: &str| {
            let role = DeployRole::of_pipeline(arn, &stated(Some(PIPELINE))).expect("a role");
            role.is_of_the_pipelines_account()
        };
        assert!(is_own(ROLE));
        assert!(!is_own(&ROLE.replace("111122223333", "444455556666")));
    }

    #[test]
    fn a_pipeline_that_aws_does_not_state_has_no_role() {
        for pipeline in [
            StatedPipeline {
                account: None,
                ..stated(None)
            },
            StatedPipeline {
                region: None,
                ..stated(None)
            },
            StatedPipeline {
                name: None,
                ..stated(None)
            },
        ] {
            let refused = DeployRole::of_pipeline(ROLE, &pipeline).expect_err("not stated");
            assert!(refused.starts_with(&format!("`deploy_role` is `{ROLE}`, but ")));
        }

        let refused = DeployRole::of_pipeline("deploy", &stated(Some(PIPELINE)));
        let no_arn = check_role_arn("deploy_role", "deploy").expect_err("no ARN");
        assert_eq!(refused, Err(no_arn));
    }
}
