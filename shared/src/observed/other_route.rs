//! What leads to the tasks of a colour beside the route of its pair.
//!
//! A release moves the weights of that route alone, so nothing here follows it.

use std::fmt;

/// A way to the tasks of a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherRoute {
    /// A target group that the released rule does not forward to, by its ARN.
    TargetGroup(String),
    /// A service of AWS Cloud Map, by the ARN of its registry.
    Registry(String),
    /// A service that Service Connect offers, by its discovery name.
    ServiceConnect(String),
    /// A target group of VPC Lattice, by its ARN.
    Lattice(String),
}

impl OtherRoute {
    /// The option of `aws ecs update-service` that removes it.
    #[must_use]
    pub fn removal(&self) -> &'static str {
        match self {
            Self::TargetGroup(_) => "--load-balancers <the one of the rule>",
            Self::Registry(_) => "--service-registries '[]'",
            Self::ServiceConnect(_) => "--service-connect-configuration enabled=false",
            Self::Lattice(_) => "--vpc-lattice-configurations '[]'",
        }
    }
}

impl fmt::Display for OtherRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TargetGroup(arn) => write!(f, "target group {arn}"),
            Self::Registry(arn) => write!(f, "service registry {arn}"),
            Self::ServiceConnect(name) => write!(f, "Service Connect service `{name}`"),
            Self::Lattice(arn) => write!(f, "VPC Lattice target group {arn}"),
        }
    }
}
