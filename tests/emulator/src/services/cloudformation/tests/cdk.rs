//! What templates of the CDK have beside the types that the project's own templates use.

use super::*;
use crate::iam::{Demand, Session, require};

const NETWORK: &str = "
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, AvailabilityZone: !Select [0, !GetAZs ''], CidrBlock: 10.0.0.0/18}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Association:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {RouteTableId: !Ref Table, SubnetId: !Ref Subnet}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}
  Address: {Type: AWS::EC2::EIP, Properties: {Domain: vpc}}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {SubnetId: !Ref Subnet, AllocationId: !GetAtt Address.AllocationId}
  Route:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref Table
      DestinationCidrBlock: 0.0.0.0/0
      NatGatewayId: !Ref Nat
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: tasks, VpcId: !Ref Vpc}
  Ingress:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !GetAtt Group.GroupId, IpProtocol: tcp, FromPort: 80, ToPort: 80}
  Metadata: {Type: AWS::CDK::Metadata, Properties: {Analytics: 'v2:1'}}
Outputs:
  Vpc: {Value: !GetAtt Vpc.VpcId}
  Block: {Value: !GetAtt Vpc.CidrBlock}
  Zone: {Value: !GetAtt Subnet.AvailabilityZone}
  Association: {Value: !GetAtt Association.Id}
  Attachment: {Value: !GetAtt Attachment.AttachmentType}
  Route: {Value: !Ref Route}
  Address: {Value: !Ref Address}
  Allocation: {Value: !GetAtt Address.AllocationId}
  Ingress: {Value: !Ref Ingress}
";

#[test]
fn a_network_gives_identifiers_and_what_its_properties_say() {
    let outputs = outputs("network", NETWORK);
    for (name, start) in [
        ("Vpc", "vpc-0"),
        ("Block", "10.0.0.0/16"),
        ("Zone", "eu-west-1a"),
        ("Association", "rtbassoc-0"),
        ("Attachment", "IGW"),
        ("Route", "rtb-0"),
        ("Address", "203.0.113."),
        ("Allocation", "eipalloc-0"),
        ("Ingress", "sgr-0"),
    ] {
        assert!(outputs[name].starts_with(start), "{name}: {outputs:?}");
    }
}

#[test]
fn of_a_network_only_what_replaces_nothing_is_changed() {
    let folder = Folder::new("network-changed", &[("t.yaml", NETWORK)]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    let before = physical_id(&aws, "app", "Vpc");

    folder.write("t.yaml", &NETWORK.replace("v2:1", "v2:2"));
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(physical_id(&aws, "app", "Vpc"), before);

    folder.write("t.yaml", &NETWORK.replace("10.0.0.0/16", "10.1.0.0/16"));
    let refused = folder.deploy(&mut aws, "t.yaml").unwrap_err();
    assert!(
        refused.problem.contains("a change of CidrBlock"),
        "{refused}"
    );
}

/// A role with a policy of its own, and another one that is a resource.
const POLICY: &str = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Action: sts:AssumeRole
          Principal: {Service: ecs-tasks.amazonaws.com}
      Policies:
        - PolicyName: own
          PolicyDocument: {Statement: [{Effect: Allow, Action: 'ecr:List*', Resource: '*'}]}
  RoleDefaultPolicy:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: apart
      Roles: [!Ref Role]
      PolicyDocument: {Statement: [{Effect: Allow, Action: 'ecs:Describe*', Resource: '*'}]}
";

/// Whether the role of the template may take each of these actions.
fn may<const COUNT: usize>(aws: &mut Aws, actions: [&str; COUNT]) -> [bool; COUNT] {
    let name = physical_id(aws, "app", "Role");
    let role = aws.cloudformation.iam.role(&name).unwrap().arn.clone();
    let session = Session::of(role, "web");
    actions.map(|action| require(aws, &session, &Demand::anywhere(action)).is_ok())
}

#[test]
fn an_inline_policy_is_put_into_its_roles_and_stays_when_they_change() {
    let folder = Folder::new("inline", &[("t.yaml", POLICY)]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    let actions = ["ecs:DescribeServices", "ecs:ListTasks", "ecr:ListImages"];
    assert_eq!(may(&mut aws, actions), [true, false, true]);

    let changed = POLICY.replace("ecr:List*", "ecr:Get*");
    folder.write("t.yaml", &changed);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(may(&mut aws, actions), [true, false, false]);

    let changed = changed.replace("ecs:Describe*", "ecs:List*");
    folder.write("t.yaml", &changed);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(may(&mut aws, actions), [false, true, false]);

    let start = changed.find("  RoleDefaultPolicy").unwrap();
    folder.write("t.yaml", &changed[..start]);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(may(&mut aws, actions), [false, false, false]);
}

#[test]
fn an_inline_policy_of_no_role_or_of_one_that_is_not_there_is_refused() {
    for (at, (roles, expected)) in [
        (
            "[]",
            "At least one of [Groups,Roles,Users] must be non-empty.",
        ),
        ("[none]", "The role with name none cannot be found."),
    ]
    .into_iter()
    .enumerate()
    {
        let message = refused(
            &format!("inline-{at}"),
            &POLICY.replace("[!Ref Role]", roles),
        );
        assert!(message.contains(expected), "{message}");
    }
}

const BOOTSTRAPPED: &str = "
Parameters:
  BootstrapVersion: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /cdk-bootstrap/version}
Rules:
  CheckBootstrapVersion:
    Assertions:
      - Assert: {Fn::Not: [{Fn::Contains: [['4', '5'], !Ref BootstrapVersion]}]}
        AssertDescription: CDK bootstrap stack version 6 required.
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'q-${BootstrapVersion}'}}
";

#[test]
fn a_parameter_of_the_store_is_the_value_under_its_name() {
    let folder = Folder::new("store", &[("t.yaml", BOOTSTRAPPED)]);
    let mut aws = Aws::new(1);
    let missing = folder.deploy(&mut aws, "t.yaml").unwrap_err();
    assert_eq!(
        missing.problem,
        "Unable to fetch parameters [/cdk-bootstrap/version] from parameter store for this account."
    );

    let body = BOOTSTRAPPED.replace(", Default: /cdk-bootstrap/version", "");
    let without = Folder::new("no-store", &[("t.yaml", body.as_str())]);
    assert_eq!(
        without.deploy(&mut aws, "t.yaml").unwrap_err().problem,
        "Parameter BootstrapVersion should either have input value or default value"
    );

    let put = |aws: &mut Aws, version: &str| {
        let store = &mut aws.cloudformation.parameter_store;
        store.insert("/cdk-bootstrap/version".to_owned(), version.to_owned());
        folder.deploy(aws, "t.yaml")
    };
    let refused = put(&mut aws, "5").unwrap_err();
    assert_eq!(refused.problem, "CDK bootstrap stack version 6 required.");

    put(&mut aws, "21").unwrap();
    assert!(physical_id(&aws, "app", "Queue").ends_with("/q-21"));
    let stack = aws.cloudformation.stack("app").unwrap();
    assert_eq!(
        stack.parameters["BootstrapVersion"],
        "/cdk-bootstrap/version"
    );
}
