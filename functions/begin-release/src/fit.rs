//! What a service has, and no release changes: the base of the new revision must fit it.
//!
//! ECS registers any revision, and refuses one that does not fit at its deployment only, after an
//! approval. Only what is certain refuses a release.

mod exec;
mod network;
mod ports;
mod volumes;

use slipway::aws::ObservedService;
use slipway::job::{Checks, StepError};
use slipway::task_definition::TaskDefinition;

use exec::check_exec;
use network::check_network;
use ports::check_ports;
use volumes::check_volumes;

/// Refuses a base, given with its name, that the service could not be updated to. What `accepted`
/// has or lacks too, the revision that this service runs, ECS has accepted: of an idle colour it is
/// not known.
pub(crate) fn check_fit(
    checks: &mut Checks,
    deployed_to: &ObservedService,
    accepted: Option<&TaskDefinition>,
    base: (&str, &TaskDefinition),
) -> Result<(), StepError> {
    check_ports(checks, deployed_to, base)?;
    check_network(checks, deployed_to, accepted, base)?;
    check_volumes(checks, deployed_to, accepted, base)?;
    check_exec(checks, deployed_to, accepted, base)
}
