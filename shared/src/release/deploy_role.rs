//! The role of a pipeline, under which its releases change its service.

use serde::{Deserialize, Serialize};

use super::StatedPipeline;
use crate::arn::is_partition;
use crate::image::is_account;

/// A deploy role with the external id that its trust policy requires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeployRole {
    pub arn: String,
    /// The ARN of the pipeline, as AWS states it and not as its user parameters do, so that no
    /// pipeline uses the role of another. Only a dry run by hand, which reads, names it itself.
    pub external_id: String,
    /// The region of what it reads and changes, if it is not that of pipeline and functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl DeployRole {
    /// The role `arn` of a pipeline. Without the pipeline's ARN it is made from the rest, in the
    /// partition of the role.
    ///
    /// # Errors
    /// When `arn` is not the ARN of an IAM role, or the pipeline's cannot be made.
    pub fn of_pipeline(arn: &str, pipeline: &StatedPipeline) -> Result<Self, String> {
        check_role_arn("deploy_role", arn)?;
        let external_id = pipeline.arn_beside(arn).ok_or_else(|| {
            format!(
                "`deploy_role` is `{arn}`, but AWS states no ARN of the pipeline, which is the \
                 external id for the role; expected it, or account, region and name of the \
                 pipeline"
            )
        })?;
        Ok(Self {
            arn: arn.to_owned(),
            external_id,
            region: None,
        })
    }

    /// The same role for a service in this region, which may be the pipeline's.
    #[must_use]
    pub fn in_region(self, region: &str) -> Self {
        let is_further = region_of(&self.external_id) != Some(region);
        Self {
            region: is_further.then(|| region.to_owned()),
            ..self
        }
    }

    /// The role under which the pipeline of this one is read, given by its ARN, or as `/path/name`
    /// for one of the pipeline's account.
    #[must_use]
    pub fn of_its_pipeline(&self, given: &str) -> Self {
        Self {
            arn: role_arn(given, &self.external_id),
            external_id: self.external_id.clone(),
            region: None,
        }
    }

    /// Whether the pipeline can be read under the role: the credentials of another account, and
    /// calls in another region, find no pipeline of this one.
    #[must_use]
    pub fn can_read_its_pipeline(&self) -> bool {
        account(&self.arn) == account(&self.external_id) && self.region.is_none()
    }
}

/// The ARN of a role that is given by it, or as `/path/name` for one of the account that another
/// ARN names.
#[must_use]
pub fn role_arn(given: &str, other: &str) -> String {
    if !given.starts_with('/') {
        return given.to_owned();
    }
    let partition = other.split(':').nth(1).unwrap_or_default();
    let account = account(other);
    format!("arn:{partition}:iam::{account}:role{given}")
}

/// Whether two ARNs are of one region and one account.
#[must_use]
pub(super) fn is_in_place_of(arn: &str, other: &str) -> bool {
    region_of(arn) == region_of(other) && account(arn) == account(other)
}

/// The region that an ARN names, if it names one.
#[must_use]
pub fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// The account that an ARN names; empty if it names none.
#[must_use]
pub fn account(arn: &str) -> &str {
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
                && is_account(account)
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

/// Refuses what is neither the ARN of an IAM role nor the path and the name of one, `/path/name`.
/// `field` is where it was given.
///
/// # Errors
/// With the field, the value and what is expected.
pub fn check_role(field: &str, role: &str) -> Result<(), String> {
    match role.strip_prefix('/') {
        Some(path_and_name) if is_role_name(path_and_name) => Ok(()),
        _ => check_role_arn(field, role),
    }
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
            "arn:aws:iam::111122223333:role/our teams/deploy",
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
    fn a_role_reads_the_pipeline_of_its_own_account_and_region() {
        let role_of =
            |arn: &str| DeployRole::of_pipeline(arn, &stated(Some(PIPELINE))).expect("a role");
        let foreign = ROLE.replace("111122223333", "444455556666");
        assert!(role_of(ROLE).can_read_its_pipeline());
        assert!(!role_of(&foreign).can_read_its_pipeline());
        assert!(
            !role_of(ROLE)
                .in_region("eu-north-1")
                .can_read_its_pipeline()
        );
    }

    #[test]
    fn a_role_has_a_region_if_it_is_another_one_than_the_pipelines() {
        let role = DeployRole::of_pipeline(ROLE, &stated(Some(PIPELINE))).expect("a role");
        assert_eq!(role.clone().in_region("eu-west-1").region, None);
        let elsewhere = role.in_region("eu-central-1").region;
        assert_eq!(elsewhere.as_deref(), Some("eu-central-1"));

        assert_eq!(region_of(PIPELINE), Some("eu-west-1"));
        assert_eq!(region_of(ROLE), None);
        assert_eq!(region_of("web"), None);
    }

    #[test]
    fn the_role_that_reads_a_pipeline_is_given_by_its_arn_or_by_its_path_and_name() {
        let stated = PIPELINE.replace("arn:aws:", "arn:aws-cn:");
        let role = DeployRole {
            arn: "arn:aws-cn:iam::444455556666:role/deploy".to_owned(),
            external_id: stated.clone(),
            region: Some("cn-north-1".to_owned()),
        };
        for (given, arn) in [
            ("/own", "arn:aws-cn:iam::111122223333:role/own"),
            (
                "/teams/shop/own",
                "arn:aws-cn:iam::111122223333:role/teams/shop/own",
            ),
            (ROLE, ROLE),
        ] {
            assert_eq!(check_role("pipeline_role", given), Ok(()));
            let expected = DeployRole {
                arn: arn.to_owned(),
                external_id: stated.clone(),
                region: None,
            };
            assert_eq!(role.of_its_pipeline(given), expected);
        }

        for given in ["/", "own", "/teams/", "/a b"] {
            let refused = check_role("pipeline_role", given).expect_err(given);
            assert!(refused.starts_with(&format!("`pipeline_role` is `{given}`; expected ")));
        }
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
