//! ARNs that users give: their service, region and account.
//!
//! Never decides whether what an ARN names exists.

use crate::image::{has_region_form, is_account};

/// What the ARN of a resource of `service` in a region names, such as `listener/app/…`; `None` for
/// any other text.
#[must_use]
pub fn resource_of<'a>(arn: &'a str, service: &str) -> Option<&'a str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", partition, of, region, account, resource] => {
            let is_regional = is_partition(partition)
                && of == service
                && has_region_form(region)
                && is_account(account);
            is_regional.then_some(resource)
        }
        _ => None,
    }
}

/// Whether a text has the form of the names of partitions, such as `aws-us-gov`: AWS adds some.
#[must_use]
pub(crate) fn is_partition(text: &str) -> bool {
    let is_own = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with("aws") && text.bytes().all(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/a/1";

    #[test]
    fn the_resource_of_an_arn_is_what_follows_the_account() {
        for (from, to) in [
            ("", ""),
            ("aws:", "aws-us-gov:"),
            ("eu-west-1", "us-gov-east-1"),
            ("eu-west-1", "ap-southeast-12"),
        ] {
            let arn = LISTENER.replacen(from, to, 1);
            let found = resource_of(&arn, "elasticloadbalancing");
            assert_eq!(found, Some("listener/app/a/1"), "{arn}");
        }

        let revision = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";
        assert_eq!(resource_of(revision, "ecs"), Some("task-definition/web:2"));
    }

    #[test]
    fn an_arn_of_another_service_or_without_a_region_and_an_account_names_no_resource() {
        for (from, to) in [
            ("arn:", "urn:"),
            ("aws:", "azure:"),
            ("aws:", "aws/:"),
            ("aws:", ":"),
            ("elasticloadbalancing", "ecs"),
            ("eu-west-1", ""),
            ("eu-west-1", "eu-west"),
            ("eu-west-1", "EU-WEST-1"),
            ("eu-west-1", "Ireland"),
            ("111122223333", ""),
            ("111122223333", "1111"),
            (":listener/app/a/1", ""),
        ] {
            let arn = LISTENER.replacen(from, to, 1);
            assert_eq!(resource_of(&arn, "elasticloadbalancing"), None, "{arn}");
        }
    }
}
