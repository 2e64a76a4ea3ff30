//! The step that moves production traffic between the load balancers of a pair by two weighted
//! records of Route 53: the steps, bakes and checks of `swap-target-groups`. Each begins when all
//! servers of Route 53 have the weights and DNS answers from before the change have expired.

use slipway::job::Failure;
use slipway::observed::route::Route;
use swap_target_groups::{RouteKind, Swap};

/// The step: one CodePipeline job is one invocation.
pub type SwapRecords = Swap<WeightedRecords>;

/// Two weighted records.
#[derive(Debug)]
pub struct WeightedRecords;

impl RouteKind for WeightedRecords {
    const STEP: &'static str = "swap-records";

    fn check_route(route: &Route) -> Result<(), Failure> {
        match route {
            Route::Record(_) => Ok(()),
            Route::Rule(_) => Err(Failure::configuration(format!(
                "{route} routes the traffic of the pair; expected weighted records, as parameter \
                 `record` of begin-release names them; run swap-target-groups in place of this \
                 action"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use slipway::job::FailureType;
    use slipway::observed::colour::PerColour;
    use slipway::observed::record::{RecordKey, RecordPair};
    use swap_target_groups::TargetGroups;

    use super::*;

    #[test]
    fn each_step_names_the_one_for_the_other_kind_of_route() {
        let both = |what: &str| PerColour::from_fn(|colour| format!("{what}-{colour}"));
        let record = Route::Record(Box::new(RecordPair {
            key: RecordKey {
                zone: "Z1".to_owned(),
                name: "shop.example.com.".to_owned(),
                kind: "A".to_owned(),
                identifiers: both("shop"),
            },
            targets: both("target"),
            ttl: 60,
        }));
        let rule = Route::Rule("arn".to_owned());

        assert_eq!(WeightedRecords::check_route(&record), Ok(()));
        assert_eq!(TargetGroups::check_route(&rule), Ok(()));

        let refused = WeightedRecords::check_route(&rule).expect_err("a rule");
        assert_eq!(refused.kind, FailureType::ConfigurationError);
        assert_eq!(
            refused.message,
            "the rule arn routes the traffic of the pair; expected weighted records, as parameter \
             `record` of begin-release names them; run swap-target-groups in place of this action"
        );
        let refused = TargetGroups::check_route(&record).expect_err("records");
        assert_eq!(
            refused.message,
            "the A record shop.example.com. in zone Z1 routes the traffic of the pair; expected a \
             listener rule; run swap-records in place of this action"
        );
    }
}
