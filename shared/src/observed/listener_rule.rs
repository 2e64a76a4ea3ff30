//! A listener rule as one observation saw it: where its forward action sends the traffic.
//!
//! How the rule is read and written is a matter of `aws::Rules` alone.

use std::collections::BTreeMap;
use std::time::Duration;

/// The tag of a rule or listener that only tests use. It counts with the value `true` alone.
pub const TEST_ROUTE: &str = "slipway:test-route";

/// Where a rule sends its traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// Target groups of the forward action with their weights, 0 to 999.
    pub weights: Vec<(String, u32)>,
    /// How long a client stays with its group whatever the weights, when the action is sticky.
    pub sticky: Option<Duration>,
}

/// A rule beside the production rule of a pair, or the default action of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherRule {
    /// That of the listener, for a default action.
    pub arn: String,
    /// Target groups of the forward action with their weights.
    pub weights: Vec<(String, u32)>,
    /// Whether it takes only requests with a header, a query or a source address that it names:
    /// those of tests, not those of every client.
    pub is_selective: bool,
}

/// Whether only tests use a rule or listener, by the values of [`TEST_ROUTE`] by ARN.
#[must_use]
pub fn is_for_tests(arn: &str, tags: &BTreeMap<String, String>) -> bool {
    tags.get(arn).is_some_and(|value| value == "true")
}

impl RuleView {
    /// The weight of a target group; none when the rule does not forward to it.
    #[must_use]
    pub fn weight(&self, group: &str) -> Option<u32> {
        self.weights
            .iter()
            .find(|(arn, _)| arn == group)
            .map(|(_, weight)| *weight)
    }
}
