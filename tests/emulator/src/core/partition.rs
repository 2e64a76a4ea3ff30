//! The partitions of AWS: regions whose ARNs and domains differ from those of the others.

/// A partition. A region is of the first one whose regions begin as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// How its ARNs name it.
    pub(crate) name: &'static str,
    regions: &'static str,
    /// The domain of its endpoints.
    pub(crate) domain: &'static str,
    /// The domain of its registries with IPv6; none where no document has it.
    pub(crate) dual_stack: Option<&'static str>,
}

const PARTITIONS: [Partition; 8] = [
    of("aws-cn", "cn-", "amazonaws.com.cn").with("on.amazonwebservices.com.cn"),
    of("aws-eusc", "eusc-", "amazonaws.eu").with("on.amazonwebservices.eu"),
    of("aws-us-gov", "us-gov-", "amazonaws.com").with("on.aws"),
    of("aws-iso", "us-iso-", "c2s.ic.gov"),
    of("aws-iso-b", "us-isob-", "sc2s.sgov.gov"),
    of("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"),
    of("aws-iso-f", "us-isof-", "csp.hci.ic.gov"),
    of("aws", "", "amazonaws.com").with("on.aws"),
];

const fn of(name: &'static str, regions: &'static str, domain: &'static str) -> Partition {
    Partition {
        name,
        regions,
        domain,
        dual_stack: None,
    }
}

impl Partition {
    const fn with(self, domain: &'static str) -> Self {
        Self {
            dual_stack: Some(domain),
            ..self
        }
    }

    pub(crate) fn of_region(region: &str) -> Self {
        let found = PARTITIONS
            .into_iter()
            .find(|partition| region.starts_with(partition.regions));
        found.expect("the last one has every region")
    }

    /// The ARN of a resource without a region: of an account, or without one as in S3.
    pub(crate) fn arn(self, service: &str, account: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{account}:{resource}", self.name)
    }
}

/// Whether a host is in the domain of a partition.
pub(crate) fn is_of_aws(host: &str) -> bool {
    PARTITIONS.iter().any(|partition| {
        let name = host.strip_suffix(partition.domain);
        name.is_some_and(|name| name.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aws;

    #[test]
    fn a_region_has_the_arns_and_the_domains_of_its_partition() {
        for (region, name, domain, dual_stack) in [
            ("eu-west-1", "aws", "amazonaws.com", Some("on.aws")),
            (
                "cn-northwest-1",
                "aws-cn",
                "amazonaws.com.cn",
                Some("on.amazonwebservices.com.cn"),
            ),
            (
                "eusc-de-east-1",
                "aws-eusc",
                "amazonaws.eu",
                Some("on.amazonwebservices.eu"),
            ),
            (
                "us-gov-west-1",
                "aws-us-gov",
                "amazonaws.com",
                Some("on.aws"),
            ),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov", None),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov", None),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk", None),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov", None),
        ] {
            let mut aws = Aws::new(1);
            aws.region = region.to_owned();
            let found = aws.partition();
            assert_eq!(
                (found.name, found.domain, found.dual_stack),
                (name, domain, dual_stack)
            );

            assert_eq!(
                aws.arn("ecs", "cluster/apps"),
                format!("arn:{name}:ecs:{region}:111122223333:cluster/apps")
            );
            assert_eq!(
                found.arn("s3", "", "kept/a"),
                format!("arn:{name}:s3:::kept/a")
            );
            assert!(is_of_aws(&format!("kept.s3.{region}.{domain}")), "{region}");
        }
        for other in ["s3.eu-west-1.example.com", "kept.s3.notamazonaws.com"] {
            assert!(!is_of_aws(other), "{other}");
        }
    }
}
