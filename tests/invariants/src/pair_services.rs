//! The services of a pair as the account shows them: those behind the target groups that the ledger
//! has of its colours. Nothing here knows how they are named.

use serde_json::Value;

use crate::ledger_reader::text;
use emulator::Aws;
use emulator::ecs::Service;

/// The colours of a pair, by the names under which the ledger has what exists once for each.
pub(crate) const COLOURS: [&str; 2] = ["blue", "green"];

/// The target groups of both colours in a lease: of its release, or as the last one left them.
pub(crate) fn groups(lease: &Value) -> [Option<&str>; 2] {
    COLOURS.map(|colour| {
        let of_release = text(lease, &format!("release.prior.pair.{colour}.target_group"));
        of_release.or_else(|| text(lease, &format!("settled.rule.target_groups.{colour}")))
    })
}

/// The service behind a target group, in the cluster of a lease or of a record.
pub(crate) fn behind<'a>(aws: &'a Aws, item: &Value, group: Option<&str>) -> Option<&'a Service> {
    let cluster = text(item, "cluster")?.rsplit('/').next()?;
    aws.ecs.service_behind(cluster, group?)
}
