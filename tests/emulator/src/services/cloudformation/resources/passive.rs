//! Resource types that nothing in the sandbox acts on: networks, and the metadata of the CDK. One
//! table has what `Ref` and `Fn::GetAtt` give of each, and what may change of it in place.
//!
//! Source: the pages of the types in
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/>

use serde_json::{Map, Value};

use super::{Created, Desired, ResourceType, UpdateMethod};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::stack::{StackResource, changed};

pub(super) const TYPES: &[ResourceType] = &types();

/// A type of the table.
struct Form {
    name: &'static str,
    /// What `Ref` gives: these, with bars between them.
    reference: &'static [Gives],
    attributes: &'static [(&'static str, Gives)],
    /// The properties of which a change replaces nothing.
    mutable: &'static [&'static str],
}

/// How a value is made.
#[derive(Clone, Copy)]
enum Gives {
    Reference,
    /// An identifier that begins so.
    Id(&'static str),
    Property(&'static str),
    Word(&'static str),
    /// A public address.
    Address,
    Uuid,
}

const FORMS: &[Form] = &[
    Form {
        name: "AWS::CDK::Metadata",
        reference: &[Gives::Uuid],
        attributes: &[],
        mutable: &["Analytics", "Modules"],
    },
    Form {
        name: "AWS::EC2::VPC",
        reference: &[Gives::Id("vpc")],
        attributes: &[
            ("VpcId", Gives::Reference),
            ("CidrBlock", Gives::Property("CidrBlock")),
            ("DefaultNetworkAcl", Gives::Id("acl")),
            ("DefaultSecurityGroup", Gives::Id("sg")),
        ],
        mutable: &["EnableDnsHostnames", "EnableDnsSupport", "Tags"],
    },
    Form {
        name: "AWS::EC2::Subnet",
        reference: &[Gives::Id("subnet")],
        attributes: &[
            ("SubnetId", Gives::Reference),
            ("AvailabilityZone", Gives::Property("AvailabilityZone")),
            ("CidrBlock", Gives::Property("CidrBlock")),
            ("NetworkAclAssociationId", Gives::Id("aclassoc")),
            ("VpcId", Gives::Property("VpcId")),
        ],
        mutable: &["MapPublicIpOnLaunch", "Tags"],
    },
    Form {
        name: "AWS::EC2::RouteTable",
        reference: &[Gives::Id("rtb")],
        attributes: &[("RouteTableId", Gives::Reference)],
        mutable: &["Tags"],
    },
    Form {
        name: "AWS::EC2::SubnetRouteTableAssociation",
        reference: &[Gives::Id("rtbassoc")],
        attributes: &[("Id", Gives::Reference)],
        mutable: &[],
    },
    Form {
        name: "AWS::EC2::Route",
        reference: &[
            Gives::Property("RouteTableId"),
            Gives::Property("DestinationCidrBlock"),
        ],
        attributes: &[("CidrBlock", Gives::Property("DestinationCidrBlock"))],
        mutable: &["GatewayId", "NatGatewayId"],
    },
    Form {
        name: "AWS::EC2::InternetGateway",
        reference: &[Gives::Id("igw")],
        attributes: &[("InternetGatewayId", Gives::Reference)],
        mutable: &["Tags"],
    },
    Form {
        name: "AWS::EC2::VPCGatewayAttachment",
        reference: &[Gives::Word("IGW"), Gives::Property("VpcId")],
        attributes: &[("AttachmentType", Gives::Word("IGW"))],
        mutable: &["InternetGatewayId"],
    },
    Form {
        name: "AWS::EC2::EIP",
        reference: &[Gives::Address],
        attributes: &[
            ("PublicIp", Gives::Reference),
            ("AllocationId", Gives::Id("eipalloc")),
        ],
        mutable: &["Tags"],
    },
    Form {
        name: "AWS::EC2::NatGateway",
        reference: &[Gives::Id("nat")],
        attributes: &[
            ("NatGatewayId", Gives::Reference),
            ("EniId", Gives::Id("eni")),
        ],
        mutable: &["Tags"],
    },
    Form {
        name: "AWS::EC2::SecurityGroupIngress",
        reference: &[Gives::Id("sgr")],
        attributes: &[("Id", Gives::Reference)],
        mutable: &["Description"],
    },
    Form {
        name: "AWS::EC2::SecurityGroupEgress",
        reference: &[Gives::Id("sgr")],
        attributes: &[("Id", Gives::Reference)],
        mutable: &["Description"],
    },
];

const fn types() -> [ResourceType; FORMS.len()] {
    let mut types = [of(FORMS[0].name); FORMS.len()];
    let mut at = 1;
    while at < FORMS.len() {
        types[at] = of(FORMS[at].name);
        at += 1;
    }
    types
}

const fn of(name: &'static str) -> ResourceType {
    ResourceType {
        name,
        create,
        update: UpdateMethod::InPlace(keep),
        delete,
    }
}

fn form(name: &str) -> &'static Form {
    let found = FORMS.iter().find(|form| form.name == name);
    found.expect("the type is one of this table")
}

impl Gives {
    /// The value; nothing of a property that the template does not give.
    fn value(self, aws: &mut Aws, desired: &Desired, reference: &str) -> Option<String> {
        match self {
            Self::Reference => Some(reference.to_owned()),
            Self::Id(prefix) => Some(format!("{prefix}-0{}", aws.hex(16))),
            Self::Property(name) => desired.text(name).map(str::to_owned),
            Self::Word(word) => Some(word.to_owned()),
            Self::Address => Some(format!("203.0.113.{}", aws.rng.u8(1..255))),
            Self::Uuid => Some(aws.uuid()),
        }
    }
}

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let form = form(desired.kind);
    let parts: Vec<String> = form
        .reference
        .iter()
        .filter_map(|gives| gives.value(aws, desired, ""))
        .collect();
    let reference = parts.join("|");

    let mut attributes = Map::new();
    for (name, gives) in form.attributes {
        if let Some(value) = gives.value(aws, desired, &reference) {
            attributes.insert((*name).to_owned(), Value::String(value));
        }
    }
    Ok(Created {
        physical_id: reference,
        attributes,
    })
}

/// A changed property is only remembered, unless its change would replace the resource.
fn keep(_aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    let mutable = form(desired.kind).mutable;
    let changed = changed(old, desired);
    let fixed: Vec<&str> = changed
        .iter()
        .map(String::as_str)
        .filter(|name| !mutable.contains(name))
        .collect();
    super::refuse_changes(old, desired, &fixed)?;

    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

fn delete(_aws: &mut Aws, _old: &StackResource) -> Result<(), Problem> {
    Ok(())
}
