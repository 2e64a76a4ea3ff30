//! The partitions of AWS: what differs between them beside their regions.
//!
//! Never decides whether a region exists: AWS adds some.

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// How the names of its regions begin.
    regions: &'static str,
    /// Its domain (`dnsSuffix` in the endpoint rules of the AWS SDKs).
    pub(crate) domain: &'static str,
    /// The domain of its registries with IPv6, where one is known
    /// (docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html; China and Europe as in
    /// github.com/awslabs/amazon-ecr-credential-helper).
    pub(crate) dual_stack: Option<&'static str>,
    /// The host of its console after the name of the region, where one is known
    /// (docs.aws.amazon.com/general/latest/gr/mgmt-console.html; Europe as in
    /// github.com/aws/aws-cli).
    pub(crate) console: Option<&'static str>,
}

/// The partition of a region is the first one whose regions begin as it does.
pub(crate) const PARTITIONS: [Partition; 8] = [
    public(
        "cn-",
        "amazonaws.com.cn",
        "on.amazonwebservices.com.cn",
        "console.amazonaws.cn",
    ),
    public(
        "eusc-",
        "amazonaws.eu",
        "on.amazonwebservices.eu",
        "console.amazonaws-eusc.eu",
    ),
    public(
        "us-gov-",
        "amazonaws.com",
        "on.aws",
        "console.amazonaws-us-gov.com",
    ),
    isolated("us-iso-", "c2s.ic.gov"),
    isolated("us-isob-", "sc2s.sgov.gov"),
    isolated("eu-isoe-", "cloud.adc-e.uk"),
    isolated("us-isof-", "csp.hci.ic.gov"),
    COMMERCIAL,
];

/// That of every region that is in no other one.
const COMMERCIAL: Partition = public("", "amazonaws.com", "on.aws", "console.aws.amazon.com");

const fn public(
    regions: &'static str,
    domain: &'static str,
    dual_stack: &'static str,
    console: &'static str,
) -> Partition {
    Partition {
        regions,
        domain,
        dual_stack: Some(dual_stack),
        console: Some(console),
    }
}

const fn isolated(regions: &'static str, domain: &'static str) -> Partition {
    Partition {
        regions,
        domain,
        dual_stack: None,
        console: None,
    }
}

impl Partition {
    pub(crate) fn of(region: &str) -> Self {
        let mut all = PARTITIONS.into_iter();
        let found = all.find(|partition| region.starts_with(partition.regions));
        found.unwrap_or(COMMERCIAL)
    }

    /// Whether a host is in a domain of the partition.
    pub(crate) fn has(self, host: &str) -> bool {
        let is_in = |domain: &str| {
            let name = host.strip_suffix(domain);
            name.is_some_and(|name| name.ends_with('.'))
        };
        is_in(self.domain) || self.dual_stack.is_some_and(is_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_a_console_of_its_own_or_none_that_is_known() {
        for (region, console) in [
            ("eu-west-1", Some("console.aws.amazon.com")),
            ("us-east-1", Some("console.aws.amazon.com")),
            ("cn-north-1", Some("console.amazonaws.cn")),
            ("us-gov-west-1", Some("console.amazonaws-us-gov.com")),
            ("eusc-de-east-1", Some("console.amazonaws-eusc.eu")),
            ("us-isob-east-1", None),
        ] {
            assert_eq!(Partition::of(region).console, console, "{region}");
        }
    }

    #[test]
    fn a_host_is_in_a_domain_as_a_whole_name() {
        let china = Partition::of("cn-north-1");
        assert!(china.has("ecr.cn-north-1.amazonaws.com.cn"));
        assert!(china.has("dkr-ecr.cn-north-1.on.amazonwebservices.com.cn"));
        for other in ["ecr.cn-north-1.amazonaws.com", "not-amazonaws.com.cn"] {
            assert!(!china.has(other), "{other}");
        }
        assert!(!Partition::of("us-iso-east-1").has("ecr.us-iso-east-1.on.aws"));
    }
}
