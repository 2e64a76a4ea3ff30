//! Load balancers, listeners, rules and target groups.

use serde_json::{Value, json};

use super::{Made, ResourceType, Update, Wish, answered, gone};
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema::Kind::{self, Boolean, Integer, List, Object, Text};
use crate::cloudformation::schema::{TAGS, TEXTS, may, need};
use crate::cloudformation::stack::StackResource;
use crate::{ApiError, Aws, elb};

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        properties: LOAD_BALANCER,
        create: |aws, wish| create_named(aws, wish, elb::create_load_balancer),
        update: Update::Refuse,
        delete: |aws, old| gone(elb::delete_load_balancer(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::TargetGroup",
        properties: TARGET_GROUP,
        create: |aws, wish| create_named(aws, wish, elb::create_target_group),
        update: Update::InPlace(|aws, old, wish| {
            super::refuse_changes(
                old,
                wish,
                &[
                    "Name",
                    "Port",
                    "Protocol",
                    "ProtocolVersion",
                    "TargetType",
                    "VpcId",
                ],
            )?;
            change(aws, old, wish, elb::update_target_group)
        }),
        delete: |aws, old| gone(elb::delete_target_group(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::Listener",
        properties: LISTENER,
        create: |aws, wish| create(aws, &wish.properties, elb::create_listener),
        update: Update::InPlace(|aws, old, wish| {
            super::refuse_changes(old, wish, &["LoadBalancerArn"])?;
            change_all(aws, old, wish, elb::update_listener)
        }),
        delete: |aws, old| gone(elb::delete_listener(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::ListenerRule",
        properties: RULE,
        create: |aws, wish| create(aws, &wish.properties, elb::create_rule),
        update: Update::InPlace(|aws, old, wish| {
            super::refuse_changes(old, wish, &["ListenerArn"])?;
            change_all(aws, old, wish, elb::update_rule)
        }),
        delete: |aws, old| gone(elb::delete_rule(aws, &old.physical_id)),
    },
];

const PAIRS: Kind = List(&Object(&[may("Key", Text), may("Value", Text)]));
const LOAD_BALANCER: Kind = Object(&[
    may("IpAddressType", Text),
    may("LoadBalancerAttributes", PAIRS),
    may("Name", Text),
    may("Scheme", Text),
    may("SecurityGroups", TEXTS),
    may(
        "SubnetMappings",
        List(&Object(&[
            may("AllocationId", Text),
            need("SubnetId", Text),
        ])),
    ),
    may("Subnets", TEXTS),
    may("Tags", TAGS),
    may("Type", Text),
]);
const TARGET_GROUP: Kind = Object(&[
    may("HealthCheckEnabled", Boolean),
    may("HealthCheckIntervalSeconds", Integer),
    may("HealthCheckPath", Text),
    may("HealthCheckPort", Text),
    may("HealthCheckProtocol", Text),
    may("HealthCheckTimeoutSeconds", Integer),
    may("HealthyThresholdCount", Integer),
    may("IpAddressType", Text),
    may(
        "Matcher",
        Object(&[may("GrpcCode", Text), may("HttpCode", Text)]),
    ),
    may("Name", Text),
    may("Port", Integer),
    may("Protocol", Text),
    may("ProtocolVersion", Text),
    may("Tags", TAGS),
    may("TargetGroupAttributes", PAIRS),
    may("TargetType", Text),
    may("UnhealthyThresholdCount", Integer),
    may("VpcId", Text),
]);
const REDIRECT: Kind = Object(&[
    may("Host", Text),
    may("Path", Text),
    may("Port", Text),
    may("Protocol", Text),
    may("Query", Text),
    need("StatusCode", Text),
]);
const FORWARD: Kind = Object(&[
    may(
        "TargetGroupStickinessConfig",
        Object(&[may("DurationSeconds", Integer), may("Enabled", Boolean)]),
    ),
    may(
        "TargetGroups",
        List(&Object(&[
            may("TargetGroupArn", Text),
            may("Weight", Integer),
        ])),
    ),
]);
const OIDC: Kind = Object(&[
    may("AuthenticationRequestExtraParams", Kind::Map(&Text)),
    need("AuthorizationEndpoint", Text),
    need("ClientId", Text),
    may("ClientSecret", Text),
    need("Issuer", Text),
    may("OnUnauthenticatedRequest", Text),
    may("Scope", Text),
    may("SessionCookieName", Text),
    may("SessionTimeout", Integer),
    need("TokenEndpoint", Text),
    may("UseExistingClientSecret", Boolean),
    need("UserInfoEndpoint", Text),
]);
const COGNITO: Kind = Object(&[
    may("AuthenticationRequestExtraParams", Kind::Map(&Text)),
    may("OnUnauthenticatedRequest", Text),
    may("Scope", Text),
    may("SessionCookieName", Text),
    may("SessionTimeout", Integer),
    need("UserPoolArn", Text),
    need("UserPoolClientId", Text),
    need("UserPoolDomain", Text),
]);
const ACTIONS: Kind = List(&Object(&[
    may("AuthenticateCognitoConfig", COGNITO),
    may("AuthenticateOidcConfig", OIDC),
    may(
        "FixedResponseConfig",
        Object(&[
            may("ContentType", Text),
            may("MessageBody", Text),
            need("StatusCode", Text),
        ]),
    ),
    may("ForwardConfig", FORWARD),
    may("Order", Integer),
    may("RedirectConfig", REDIRECT),
    may("TargetGroupArn", Text),
    need("Type", Text),
]));
const LISTENER: Kind = Object(&[
    may("AlpnPolicy", TEXTS),
    may(
        "Certificates",
        List(&Object(&[may("CertificateArn", Text)])),
    ),
    need("DefaultActions", ACTIONS),
    may("ListenerAttributes", PAIRS),
    need("LoadBalancerArn", Text),
    may("Port", Integer),
    may("Protocol", Text),
    may("SslPolicy", Text),
]);
const VALUES: Kind = Object(&[may("RegexValues", TEXTS), may("Values", TEXTS)]);
const CONDITION: Kind = Object(&[
    may("Field", Text),
    may("HostHeaderConfig", VALUES),
    may(
        "HttpHeaderConfig",
        Object(&[
            may("HttpHeaderName", Text),
            may("RegexValues", TEXTS),
            may("Values", TEXTS),
        ]),
    ),
    may("HttpRequestMethodConfig", VALUES),
    may("PathPatternConfig", VALUES),
    may("QueryStringConfig", Object(&[may("Values", PAIRS)])),
    may("SourceIpConfig", VALUES),
    may("Values", TEXTS),
]);
const RULE: Kind = Object(&[
    need("Actions", ACTIONS),
    need("Conditions", List(&CONDITION)),
    need("ListenerArn", Text),
    need("Priority", Integer),
    may("Tags", TAGS),
]);

const MAX_NAME_CHARS: usize = 32;

type Create = fn(&mut Aws, &Value) -> Result<Value, ApiError>;

fn create(aws: &mut Aws, properties: &Value, create: Create) -> Result<Made, Problem> {
    let attributes = create(aws, properties)?;
    let arn = answered(&attributes, "/Arn")?.to_owned();
    Ok(Made::new(arn, attributes))
}

/// A name that is made up has at most 32 characters: 5 of the stack, 6 of the logical id, and chance.
fn create_named(aws: &mut Aws, wish: &Wish, create_this: Create) -> Result<Made, Problem> {
    let mut properties = wish.properties.clone();
    if wish.text("Name").is_none() {
        let start = |text: &str, chars: usize| text.chars().take(chars).collect::<String>();
        let name = format!(
            "{}-{}-{}",
            start(&wish.stack, 5),
            start(&wish.logical_id, 6),
            super::random(aws)
        );
        debug_assert!(name.len() <= MAX_NAME_CHARS);
        properties["Name"] = json!(name);
    }
    create(aws, &properties, create_this)
}

type Change = fn(&mut Aws, &str, &Value) -> Result<(), ApiError>;

/// Sends the properties that the template changed.
fn change(
    aws: &mut Aws,
    old: &StackResource,
    wish: &Wish,
    change: Change,
) -> Result<Made, Problem> {
    let names = changed(old, wish)?;
    send(
        aws,
        old,
        &names
            .iter()
            .map(|name| (name.clone(), wish.properties[name].clone()))
            .collect(),
        change,
    )
}

/// Sends all properties with the change of any, which is the worst that can happen to weights that delivery has moved.
fn change_all(
    aws: &mut Aws,
    old: &StackResource,
    wish: &Wish,
    change: Change,
) -> Result<Made, Problem> {
    changed(old, wish)?;
    send(aws, old, &wish.properties, change)
}

fn send(
    aws: &mut Aws,
    old: &StackResource,
    properties: &Value,
    change: Change,
) -> Result<Made, Problem> {
    change(aws, &old.physical_id, properties)?;
    Ok(Made {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

/// The names of the properties that differ.
fn changed(old: &StackResource, wish: &Wish) -> Result<Vec<String>, Problem> {
    let changed = super::super::stack::changed(old, wish);
    match changed
        .iter()
        .find(|name| wish.properties.get(name.as_str()).is_none())
    {
        Some(name) => Err(Problem::new(format!(
            "the sandbox does not take {name} back to its default"
        ))),
        None => Ok(changed),
    }
}
