//! What a run begins with: the account of its plan, and what is watched in it.

use crate::plan::Plan;
use crate::{bound, shape};
use emulator::Aws;
use harness::demo::{CLUSTER, WEB};
use invariants::{Invariants, Promise};

/// The account of a plan: that of its shape, with its freeze.
pub(super) fn account(plan: &Plan) -> Result<Aws, String> {
    let mut aws = plan.shape.account()?;
    if let Some(freeze) = plan.freeze {
        let parameters = freeze.parameters(aws.now);
        plan.shape.deploy_pipeline(&mut aws, &parameters)?;
    }
    Ok(aws)
}

/// Sends requests, as usual or in an unusual way.
pub(super) fn load(aws: &mut Aws, plan: &Plan) {
    shape::load(aws, &plan.shape);
    for traffic in &plan.traffic {
        traffic.begin(aws, plan);
    }
}

/// What is watched from the beginning of a run on.
pub(super) fn watched(plan: &Plan, aws: &Aws) -> Invariants {
    let window = plan.freeze.and_then(|freeze| freeze.window(aws.now));
    let invariants = Invariants::new(&promises(plan)).resumed(aws);
    match window {
        Some((from, to)) => invariants.frozen(from, to),
        None => invariants,
    }
}

/// What the services are promised. The other one of the family has one task, which no release of
/// the first takes away, whatever that is promised itself.
fn promises(plan: &Plan) -> Vec<Promise> {
    let promise = |service, healthy| Promise {
        cluster: CLUSTER,
        service,
        healthy,
    };
    let sibling = promise(shape::SIBLING, u32::from(!bound::is_frail(plan)));

    let mut promises = vec![promise(WEB, bound::promised(plan))];
    promises.extend(plan.shape.has_sibling().then_some(sibling));
    promises
}
