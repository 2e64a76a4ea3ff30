use super::*;

const ZONE: &str = "
Resources:
  Zone: {Type: AWS::Route53::HostedZone, Properties: {Name: example.com}}
Outputs: {Zone: {Value: !Ref Zone, Export: {Name: zone}}}
";

/// Two weighted records with one name, of which `blue` has this weight.
fn records(blue: u8, ttl: u32, more: &str) -> String {
    let record = |id: &str, weight: u8| {
        format!(
            "
    Type: AWS::Route53::RecordSet
    Properties:
      {{HostedZoneId: !ImportValue zone, Name: shop.example.com, Type: CNAME, TTL: {ttl},
       SetIdentifier: {id}, Weight: {weight}, ResourceRecords: [{id}.example.org]}}"
        )
    };
    format!(
        "
Resources:
  Blue:{}
  Green:{}
  {more}
",
        record("blue", blue),
        record("green", 0)
    )
}

struct Deployed {
    folder: Folder,
    aws: Aws,
}

impl Deployed {
    fn new(name: &str, template: &str) -> Self {
        let folder = Folder::new(name, &[("zone.yaml", ZONE), ("t.yaml", template)]);
        let mut aws = Aws::new(1);
        let zone = folder.0.join("zone.yaml");
        deploy(&mut aws, "zone", &zone, &BTreeMap::new()).unwrap();
        folder.deploy(&mut aws, "t.yaml").unwrap();
        Self { folder, aws }
    }

    fn update(&mut self, template: &str) -> Result<(), StackError> {
        self.folder.write("t.yaml", template);
        self.folder.deploy(&mut self.aws, "t.yaml")
    }

    /// The identifiers and weights.
    fn weights(&self) -> Vec<(String, i64)> {
        let zone = self.aws.route53.zones().next().unwrap();
        let weighted = zone
            .records()
            .filter_map(|record| Some((record.set_identifier.clone()?, record.weight?)));
        weighted.collect()
    }

    /// What delivery does: it moves all weight to green.
    fn move_weights(&mut self) {
        let zone = self.aws.route53.zones().next().unwrap().id.clone();
        let change = |id: &str, weight: u8| {
            let values = json!([{"Value": format!("{id}.example.org")}]);
            json!({"Action": "UPSERT", "ResourceRecordSet": {
                "Name": "shop.example.com", "Type": "CNAME", "SetIdentifier": id, "TTL": 60,
                "Weight": weight, "ResourceRecords": values,
            }})
        };
        let changes = json!([change("blue", 0), change("green", 100)]);
        crate::route53::apply(&mut self.aws, &zone, &changes).unwrap();
    }
}

fn of(weights: [(&str, i64); 2]) -> Vec<(String, i64)> {
    let owned = weights.map(|(id, weight)| (id.to_owned(), weight));
    owned.to_vec()
}

#[test]
fn an_update_of_a_record_sends_its_weight_and_one_of_another_does_not() {
    let mut deployed = Deployed::new("records", &records(100, 60, ""));
    assert_eq!(deployed.weights(), of([("blue", 100), ("green", 0)]));
    assert_eq!(
        physical_id(&deployed.aws, "app", "Blue"),
        "shop.example.com"
    );

    deployed.move_weights();
    let queue = "Queue: {Type: AWS::SQS::Queue}";
    deployed.update(&records(100, 60, queue)).unwrap();
    assert_eq!(deployed.weights(), of([("blue", 0), ("green", 100)]));

    deployed.update(&records(90, 60, queue)).unwrap();
    assert_eq!(
        deployed.weights(),
        of([("blue", 90), ("green", 100)]),
        "only the record that changed is sent"
    );
    let renamed = records(90, 60, queue).replace("SetIdentifier: green", "SetIdentifier: other");
    deployed.update(&renamed).unwrap();
    assert_eq!(deployed.weights(), of([("blue", 90), ("other", 0)]));
}

#[test]
fn an_update_that_leaves_weighted_records_with_two_ttls_fails() {
    let mut deployed = Deployed::new("record-ttl", &records(100, 60, ""));
    let error = deployed.update(&records(100, 30, "")).unwrap_err();
    assert!(
        error
            .problem
            .contains("weighted sets must contain the same TTL"),
        "{error}"
    );
    assert_eq!(deployed.weights(), of([("blue", 100), ("green", 0)]));
}

#[test]
fn a_record_is_deleted_as_it_is_or_as_the_template_has_it() {
    for by_template in [false, true] {
        let mut deployed = Deployed::new("record-end", &records(100, 60, ""));
        let quirk = crate::Quirk::DeletesTemplateValues;
        deployed.aws.settle_quirk(quirk, by_template);
        deployed.move_weights();
        let deleted = delete(&mut deployed.aws, "app");
        assert_eq!(deleted.is_err(), by_template);

        if by_template {
            let error = deleted.unwrap_err().to_string();
            assert!(error.contains("do not match the current values"), "{error}");
        } else {
            assert!(deployed.weights().is_empty());
            delete(&mut deployed.aws, "zone").unwrap();
            assert_eq!(deployed.aws.route53.zones().count(), 0);
        }
    }
}

#[test]
fn a_zone_is_found_by_its_id_or_its_name() {
    let of_name = records(1, 60, "").replace("HostedZoneId: !ImportValue zone", "ZONE");
    let by_name = of_name.replace("ZONE", "HostedZoneName: example.com.");
    assert_eq!(Deployed::new("record-name", &by_name).weights().len(), 2);

    let other = of_name.replace("ZONE", "HostedZoneName: example.org.");
    assert!(refused("record-no-zone", &other).contains("found none named example.org."));
    let neither = of_name.replace("ZONE, ", "");
    assert!(refused("record-neither", &neither).contains("either HostedZoneId or"));
}
