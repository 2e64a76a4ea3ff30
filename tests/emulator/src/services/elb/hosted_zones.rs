//! The hosted zones of the names of load balancers, which aliases in Route 53 name beside them.

use crate::partition::Partition;

/// Regions, each with the zone of its Application Load Balancers. Source:
/// <https://docs.aws.amazon.com/general/latest/gr/elb.html>
const ZONES: [(&str, &str); 38] = [
    ("us-east-2", "Z3AADJGX6KTTL2"),
    ("us-east-1", "Z35SXDOTRQ7X7K"),
    ("us-west-1", "Z368ELLRRE2KJ0"),
    ("us-west-2", "Z1H1FL5HABSF5"),
    ("af-south-1", "Z268VQBMOI5EKX"),
    ("ap-east-1", "Z3DQVH9N71FHZ0"),
    ("ap-east-2", "Z02789141MW7T1WBU19PO"),
    ("ap-south-1", "ZP97RAFLXTNZK"),
    ("ap-south-2", "Z0173938T07WNTVAEPZN"),
    ("ap-northeast-1", "Z14GRHDCWA56QT"),
    ("ap-northeast-2", "ZWKZPGTI48KDX"),
    ("ap-northeast-3", "Z5LXEXXYW11ES"),
    ("ap-southeast-1", "Z1LMS91P8CMLE5"),
    ("ap-southeast-2", "Z1GM3OXH4ZPM65"),
    ("ap-southeast-3", "Z08888821HLRG5A9ZRTER"),
    ("ap-southeast-4", "Z09517862IB2WZLPXG76F"),
    ("ap-southeast-5", "Z06010284QMVVW7WO5J"),
    ("ap-southeast-6", "Z023301818UFJ50CIO0MV"),
    ("ap-southeast-7", "Z0390008CMBRTHFGWBCB"),
    ("ca-central-1", "ZQSVJUPU6J1EY"),
    ("ca-west-1", "Z06473681N0SF6OS049SD"),
    ("eu-central-1", "Z215JYRZR1TBD5"),
    ("eu-central-2", "Z06391101F2ZOEP8P5EB3"),
    ("eu-west-1", "Z32O12XQLNTSW2"),
    ("eu-west-2", "ZHURV8PSTC4K8"),
    ("eu-west-3", "Z3Q77PNBQS71R4"),
    ("eu-north-1", "Z23TAZ6LKFMNIO"),
    ("eu-south-1", "Z3ULH7SSC9OV64"),
    ("eu-south-2", "Z0956581394HF5D5LXGAP"),
    ("il-central-1", "Z09170902867EHPV2DABU"),
    ("me-central-1", "Z08230872XQRWHG2XF6I"),
    ("me-south-1", "ZS929ML54UICD"),
    ("mx-central-1", "Z023552324OKD1BB28BH5"),
    ("sa-east-1", "Z2P70J7HTTTPLU"),
    ("us-gov-east-1", "Z166TLBEWOO7G0"),
    ("us-gov-west-1", "Z33AYJ8TM3BH4J"),
    ("cn-north-1", "Z1GDH35T77C1KE"),
    ("cn-northwest-1", "ZM7IZAIOVVDZF"),
];

/// The zone of a region that the source does not have.
const UNDOCUMENTED: &str = "Z0UNDOCUMENTED";

/// The zone of the Application Load Balancers of a region.
pub(crate) fn hosted_zone(region: &str) -> &'static str {
    let mut all = ZONES.iter();
    let found = all.find(|(known, _)| *known == region);
    found.map_or(UNDOCUMENTED, |(_, zone)| *zone)
}

/// The zone that has a name, if it is the name of an Application Load Balancer:
/// `<balancer>.<region>.elb.<domain of the partition>`.
pub(crate) fn zone_of_name(name: &str) -> Option<&'static str> {
    let (start, domain) = name.trim_end_matches('.').split_once(".elb.")?;
    let (_, region) = start.rsplit_once('.')?;
    (Partition::of_region(region).domain == domain).then(|| hosted_zone(region))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_region_has_a_zone_of_its_own() {
        let regions: BTreeSet<&str> = ZONES.iter().map(|(region, _)| *region).collect();
        let zones: BTreeSet<&str> = ZONES.iter().map(|(_, zone)| *zone).collect();
        assert_eq!((regions.len(), zones.len()), (ZONES.len(), ZONES.len()));

        assert_eq!(hosted_zone("eu-west-1"), "Z32O12XQLNTSW2");
        assert_eq!(hosted_zone("cn-north-1"), "Z1GDH35T77C1KE");
        assert_eq!(hosted_zone("eusc-de-east-1"), UNDOCUMENTED);
    }

    #[test]
    fn a_name_lies_in_the_zone_of_its_region() {
        for (name, zone) in [
            ("web-1.eu-west-1.elb.amazonaws.com.", Some("Z32O12XQLNTSW2")),
            (
                "dualstack.web-1.us-gov-west-1.elb.amazonaws.com",
                Some("Z33AYJ8TM3BH4J"),
            ),
            (
                "web-1.cn-northwest-1.elb.amazonaws.com.cn.",
                Some("ZM7IZAIOVVDZF"),
            ),
            ("web-1.cn-northwest-1.elb.amazonaws.com.", None),
            ("web-1.eu-west-1.elb.example.com.", None),
            ("eu-west-1.elb.amazonaws.com.", None),
            ("web.example.com.", None),
        ] {
            assert_eq!(zone_of_name(name), zone, "{name}");
        }
    }
}
