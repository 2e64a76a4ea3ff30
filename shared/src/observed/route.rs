//! What routes the traffic of a pair by weights: a listener rule, or two weighted records.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::colour::PerColour;
use super::listener_rule::RuleView;
use super::pair::IncompletePair;
use super::record::{RecordPair, RecordSetView};
use super::service::ServiceView;
use super::weights::Weights;

/// The route of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// ARN of the listener rule, or of the listener whose default action it is.
    Rule(String),
    Record(Box<RecordPair>),
}

/// A route as one observation saw it.
#[derive(Clone, Copy, Debug)]
pub enum RouteView<'a> {
    Rule(&'a RuleView),
    /// All record sets of the name.
    Record(&'a [RecordSetView]),
}

impl Route {
    /// The weights of both colours, whose target groups are `groups`.
    ///
    /// # Errors
    /// When the rule does not forward to one of them, or the records are protected.
    pub fn weights_in(
        &self,
        view: RouteView<'_>,
        groups: PerColour<&str>,
    ) -> Result<Weights, IncompletePair> {
        match (self, view) {
            (Self::Rule(rule), RouteView::Rule(view)) => PerColour::try_from_fn(|colour| {
                let group = *groups.of(colour);
                let lacks = || IncompletePair::TargetGroup {
                    rule: rule.clone(),
                    target_group: group.to_owned(),
                };
                view.weight(group).ok_or_else(lacks)
            }),
            (Self::Record(pair), RouteView::Record(sets)) => Ok(pair.weights_in(sets)?),
            (Self::Rule(_), RouteView::Record(_)) | (Self::Record(_), RouteView::Rule(_)) => {
                Err(self.gone())
            }
        }
    }

    /// How many targets of a colour's service were seen healthy: in its group of the production
    /// rule, or, with records, in each of its groups, because a client of the name may use any of
    /// them.
    #[must_use]
    pub fn healthy(&self, service: &ServiceView, group: &str) -> u32 {
        match self {
            Self::Rule(_) => service.healthy_in(group),
            Self::Record(_) => service.healthy_in_each(),
        }
    }

    /// The route does not exist.
    #[must_use]
    pub fn gone(&self) -> IncompletePair {
        IncompletePair::Route {
            route: self.to_string(),
        }
    }

    /// For how long clients may still use a DNS answer from before a change; none with a rule,
    /// which every request follows.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        match self {
            Self::Rule(_) => None,
            Self::Record(pair) => Some(pair.ttl()),
        }
    }

    /// What another writer of its weights changed, in words.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Rule(_) => "listener rule",
            Self::Record(_) => "weighted records",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(arn) => write!(f, "the rule {arn}"),
            Self::Record(pair) => {
                let key = &pair.key;
                write!(
                    f,
                    "the {} record {} in zone {}",
                    key.kind, key.name, key.zone
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::colour::Colour;
    use crate::observed::record::tests::{key, set};

    #[test]
    fn the_weights_of_a_route_are_those_of_its_own_kind_of_view() {
        let groups = PerColour {
            blue: "group-blue",
            green: "group-green",
        };
        let view = RuleView {
            weights: vec![
                ("group-blue".to_owned(), 90),
                ("group-green".to_owned(), 10),
            ],
            sticky: None,
        };
        let sets = [set(Colour::Blue, 70), set(Colour::Green, 30)];
        let pair = key().view(&sets).expect("weighted").pair;
        let (rule, record) = (
            Route::Rule("rule".to_owned()),
            Route::Record(Box::new(pair)),
        );

        let of = |route: &Route, view| route.weights_in(view, groups).map_err(|it| it.to_string());
        let percent = |blue| Ok::<_, String>(Weights::with(Colour::Blue, blue));
        assert_eq!(of(&rule, RouteView::Rule(&view)), percent(90));
        assert_eq!(of(&record, RouteView::Record(&sets)), percent(70));

        let gone = "the CNAME record shop.example.com. in zone Z1 is gone";
        assert_eq!(of(&record, RouteView::Rule(&view)), Err(gone.to_owned()));
        assert_eq!(
            of(&rule, RouteView::Record(&sets)),
            Err("the rule rule is gone".to_owned())
        );
        assert_eq!(
            of(&record, RouteView::Record(&[])),
            Err(
                "the CNAME record shop.example.com. does not exist; expected two weighted records \
                 with this name and type"
                    .to_owned()
            )
        );
        assert_eq!(
            [rule.ttl(), record.ttl()],
            [None, Some(Duration::from_secs(30))]
        );
    }

    #[test]
    fn a_route_is_stored_by_the_name_of_its_kind() {
        let stored = |route: &Route| serde_json::to_value(route).expect("serializes");
        let rule = Route::Rule("rule".to_owned());
        assert_eq!(stored(&rule), serde_json::json!({"rule": "rule"}));

        let sets = [set(Colour::Blue, 70), set(Colour::Green, 30)];
        let pair = key().view(&sets).expect("weighted").pair;
        let record = Route::Record(Box::new(pair));
        assert_eq!(
            stored(&record),
            serde_json::json!({"record": {
                "key": {
                    "zone": "Z1", "name": "shop.example.com.", "type": "CNAME",
                    "identifiers": {"blue": "shop-blue", "green": "shop-green"},
                },
                "targets": {
                    "blue": "blue.eu-west-1.elb.amazonaws.com",
                    "green": "green.eu-west-1.elb.amazonaws.com",
                },
                "ttl": 30,
            }})
        );
    }
}
