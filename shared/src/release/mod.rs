//! What a release is: the lease of a service or a pair, the release that holds it, what can happen
//! to it, and its record.
//!
//! Everything here is pure: [`apply`] takes a lease and an event and returns the next lease, or
//! refuses. No module here reads or writes the ledger; `aws::Ledger` does, each write on the
//! condition that the item is the one that was read.

mod base;
mod change;
mod deploy_role;
mod earlier;
mod event;
mod expiry;
mod figures;
mod found;
mod judgement;
mod lease;
mod lease_proof;
mod leaving;
mod left_running;
mod missed;
mod names;
mod newest_push;
mod outcome;
mod pending_deregistration;
mod phase_name;
mod prior_pair;
mod promise;
mod push;
mod record;
mod refusal;
mod rejection;
mod restart;
mod routing;
mod seen_health;
mod stack_update;
mod standing;
mod started;
mod stated_pipeline;
mod stickiness;
mod stored;
mod target;
#[cfg(test)]
mod tests;
mod traffic_shift;
mod transition;

pub use base::{may_be_base, was_deployed};
pub use change::Change;
pub use deploy_role::{DeployRole, account, check_role, check_role_arn, region_of, role_arn};
pub use earlier::EarlierRelease;
pub use event::{Event, EventName};
pub use expiry::expires_at;
pub use figures::{Effect, EndedRelease, FigureTexts, Figures, by_service, ended, start_of};
pub use found::{Before, FoundDeployment, PriorState};
pub use judgement::{AwaitingDecision, JudgementRecord, OperatorDecision};
pub use lease::{Lease, Phase, Registering, Release, ReleasedService, RoleProof};
pub use lease_proof::{ActiveRelease, LeaseProof, prove_lease, record_failure};
pub use left_running::{Drift, LeftRunning};
pub use missed::{awaits_event, images_to_check, is_missed, tag_of};
pub use newest_push::{NewestPush, PushOrder};
pub use outcome::{Conclusion, Outcome};
pub use pending_deregistration::PendingDeregistration;
pub use phase_name::PhaseName;
pub use prior_pair::{PriorColour, PriorPair};
pub use promise::{Promise, PromisedBound};
pub use push::{KnownPushes, Push, PushDecision};
pub use record::{Record, RecordState};
pub use refusal::Refusal;
pub use rejection::Rejection;
pub use restart::Restart;
pub use routing::{KnownRule, LastKnownRouting};
pub use seen_health::{HealthLoss, SeenHealth};
pub use stack_update::{AfterUpdate, RunningReleases, StackUpdate};
pub use standing::Standing;
pub use started::Started;
pub use stated_pipeline::{StatedJob, StatedPipeline};
pub use stickiness::{SuspendedStickiness, bound_clients};
pub use target::{PairTarget, Prior, PriorService, ServiceTarget, Target, TrafficReturn};
pub use traffic_shift::TrafficShift;
pub use transition::{IllegalTransition, apply, close};
