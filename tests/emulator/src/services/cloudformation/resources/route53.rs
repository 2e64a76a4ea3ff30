//! Hosted zones and record sets.

use serde_json::{Map, Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod};
use crate::cloudformation::error::Problem;
use crate::cloudformation::stack::StackResource;
use crate::{Aws, Quirk, route53};

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::Route53::HostedZone",
        create: create_zone,
        update: UpdateMethod::Refuse,
        delete: delete_zone,
    },
    ResourceType {
        name: "AWS::Route53::RecordSet",
        create: create_record,
        update: UpdateMethod::InPlace(update_record),
        delete: delete_record,
    },
];

fn create_zone(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.text("Name").unwrap_or_default();
    let comment = desired.properties["HostedZoneConfig"]["Comment"].as_str();
    let id = route53::create_zone(aws, name, comment);
    let servers = aws.route53.zone(&id).map(route53::HostedZone::name_servers);
    let attributes = json!({"Id": id, "NameServers": servers});
    Ok(Created::new(id, attributes))
}

fn delete_zone(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let zone = aws.route53.zone(&old.physical_id);
    // The zone's own NS and SOA records go with it.
    if zone.is_some_and(|zone| zone.records().count() > 2) {
        return Err(Problem::new(
            "HostedZoneNotEmpty: The specified hosted zone contains non-required resource record \
             sets and so cannot be deleted.",
        ));
    }
    aws.route53.remove_zone(&old.physical_id);
    Ok(())
}

fn create_record(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let zone = zone(aws, &desired.properties)?;
    let changes = json!([change("CREATE", &desired.properties)]);
    route53::apply(aws, &zone, &changes)?;
    let name = desired.text("Name").unwrap_or_default();
    Ok(Created::new(name, Value::Object(Map::new())))
}

/// Sends all properties, with the weight, whatever changed. A set with another identifier takes the
/// place of the old one.
fn update_record(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<Created, Problem> {
    let fixed = ["HostedZoneId", "HostedZoneName", "Name", "Type"];
    super::refuse_changes(old, desired, &fixed)?;

    let zone = zone(aws, &desired.properties)?;
    let upsert = change("UPSERT", &desired.properties);
    let is_renamed = old.properties["SetIdentifier"] != desired.properties["SetIdentifier"];
    let deletion = is_renamed
        .then(|| present(aws, &zone, &old.properties))
        .flatten();
    let changes: Value = deletion.into_iter().chain([upsert]).collect();
    route53::apply(aws, &zone, &changes)?;
    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

/// A set that is gone, with its zone or without it, is deleted.
fn delete_record(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let Ok(zone) = zone(aws, &old.properties) else {
        return Ok(());
    };
    let Some(as_it_is) = present(aws, &zone, &old.properties) else {
        return Ok(());
    };
    let deletion = if aws.draw_quirk(Quirk::DeletesTemplateValues) {
        change("DELETE", &old.properties)
    } else {
        as_it_is
    };
    route53::apply(aws, &zone, &json!([deletion]))?;
    Ok(())
}

/// The id of the zone that the properties name, by its id or by its name.
fn zone(aws: &Aws, properties: &Value) -> Result<String, Problem> {
    let text = |name: &str| properties[name].as_str();
    let name = match (text("HostedZoneId"), text("HostedZoneName")) {
        (Some(id), None) => return Ok(id.to_owned()),
        (None, Some(name)) => name,
        _ => return Err(Problem::new("takes either HostedZoneId or HostedZoneName")),
    };
    let mut named = aws.route53.zones().filter(|zone| zone.name == name);
    match (named.next(), named.next()) {
        (Some(zone), None) => Ok(zone.id.clone()),
        (found, _) => Err(Problem::new(format!(
            "takes the name of one hosted zone, found {} named {name}",
            if found.is_some() { "several" } else { "none" }
        ))),
    }
}

/// A change of the record set that the properties describe.
fn change(action: &str, properties: &Value) -> Value {
    let values: Option<Value> = properties["ResourceRecords"]
        .as_array()
        .map(|values| values.iter().map(|value| json!({"Value": value})).collect());
    let mut record = json!({ "ResourceRecords": values });
    for name in [
        "AliasTarget",
        "Name",
        "SetIdentifier",
        "TTL",
        "Type",
        "Weight",
    ] {
        record[name] = properties[name].clone();
    }
    json!({"Action": action, "ResourceRecordSet": record})
}

/// The deletion of the set that the properties name, as it is now.
fn present(aws: &Aws, zone: &str, properties: &Value) -> Option<Value> {
    let record = aws.route53.record(zone, properties)?;
    Some(json!({"Action": "DELETE", "ResourceRecordSet": record}))
}
