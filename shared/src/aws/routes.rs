//! The route of a pair, observed and changed by the adapter of its kind.

use std::time::Duration;

use super::{AwsError, ObservedRecords, ObservedRule, Records, Rules, Sdk};
use crate::observed::colour::{Colour, PerColour};
use crate::observed::route::{Route, RouteView};
use crate::observed::weights::Weights;

#[derive(Clone, Debug)]
pub struct Routes {
    rules: Rules,
    records: Records,
}

/// A route as observed, with what must be sent back when it is changed.
#[derive(Clone, Debug)]
pub enum ObservedRoute {
    Rule(ObservedRule),
    Record(ObservedRecords),
}

impl ObservedRoute {
    #[must_use]
    pub fn view(&self) -> RouteView<'_> {
        match self {
            Self::Rule(rule) => RouteView::Rule(&rule.view),
            Self::Record(records) => RouteView::Record(&records.views),
        }
    }

    /// How long a client stays with its colour whatever the weights; none unless the rule binds it.
    #[must_use]
    pub fn sticky(&self) -> Option<Duration> {
        match self {
            Self::Rule(rule) => rule.view.sticky,
            Self::Record(_) => None,
        }
    }

    /// The same route, so that a change of its weights also binds clients for this long, or no
    /// longer binds them.
    #[must_use]
    pub fn with_stickiness(&self, duration: Option<Duration>) -> Self {
        match self {
            Self::Rule(rule) => Self::Rule(rule.with_stickiness(duration)),
            Self::Record(records) => Self::Record(records.clone()),
        }
    }
}

impl Routes {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            rules: Rules::new(sdk),
            records: Records::new(sdk),
        }
    }

    /// The route as it is now; `None` when the rule or the zone does not exist.
    ///
    /// # Errors
    /// When a call fails or the response cannot be understood.
    pub async fn observe(&self, route: &Route) -> Result<Option<ObservedRoute>, AwsError> {
        match route {
            Route::Rule(arn) => {
                let seen = self.rules.observe(arn).await?;
                Ok(seen.map(ObservedRoute::Rule))
            }
            Route::Record(pair) => {
                let seen = self.records.observe(&pair.key).await?;
                Ok(seen.map(ObservedRoute::Record))
            }
        }
    }

    /// Sets the weights of both colours, whose target groups are `groups`. Returns the id of the
    /// change that has to reach all servers of Route 53; a rule changes at once.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn apply(
        &self,
        seen: &ObservedRoute,
        groups: PerColour<&str>,
        weights: Weights,
    ) -> Result<Option<String>, AwsError> {
        match seen {
            ObservedRoute::Rule(rule) => {
                let wanted = [Colour::Blue, Colour::Green]
                    .map(|colour| (*groups.of(colour), *weights.of(colour)));
                self.rules.apply(rule, &wanted).await?;
                Ok(None)
            }
            ObservedRoute::Record(records) => self.records.apply(records, weights).await.map(Some),
        }
    }

    /// Whether all servers of Route 53 have a change; `None` when Route 53 does not know it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn is_in_sync(&self, change: &str) -> Result<Option<bool>, AwsError> {
        self.records.is_in_sync(change).await
    }
}
