//! What an evaluation before the bake could not measure or choose as usual. It is remarked on in
//! the first summary and in the report, and stands in the continuation token as one letter.

use serde::{Deserialize, Serialize};

/// A remark on what was fixed before the bake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Remark {
    /// A deploy role of an older pipeline stack may not read the zones of the load balancer.
    #[serde(rename = "z")]
    ZonesDenied,
    /// There were requests, but no series of them by Availability Zone.
    #[serde(rename = "a")]
    ZonesAbsent,
    /// A deploy role of an older pipeline stack may not read the protocol of the target group.
    #[serde(rename = "p")]
    ProtocolDenied,
    /// There was no hour to choose the last share by.
    #[serde(rename = "h")]
    ShareUnknown,
    /// At no share a decision is expected within half the bake.
    #[serde(rename = "s")]
    ShareTooSmall,
    /// The last share that is given is no more than the new colour has.
    #[serde(rename = "l")]
    ShareNotMore,
}

impl Remark {
    /// The remark as a sentence.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::ZonesDenied => {
                "overdispersion was measured without Availability Zones: the deploy role may not \
                 call elasticloadbalancing:DescribeLoadBalancers; update the pipeline's stack"
            }
            Self::ZonesAbsent => {
                "overdispersion was measured without Availability Zones: CloudWatch had no series \
                 of the live target group by zone"
            }
            Self::ProtocolDenied => {
                "whether the target group speaks gRPC is not known: the deploy role may not call \
                 elasticloadbalancing:DescribeTargetGroups; update the pipeline's stack"
            }
            Self::ShareUnknown => {
                "the hour before had no requests to choose the last share by, so it is the smallest"
            }
            Self::ShareTooSmall => {
                "at this traffic no share is expected to be decided within half of the bake, so \
                 the last one is the largest"
            }
            Self::ShareNotMore => {
                "`last_percent` is no more than the share that the new colour has, so that share \
                 is not raised; give more, or 0"
            }
        }
    }
}
