//! The reads of IAM that the documentation uses: roles with their policies.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::cloudformation::Role;
use crate::iam::actions::unlisted;
use crate::page::Tokens;
use crate::protocol::query::Parameters;
use crate::protocol::xml::instant;
use crate::protocol::{Protocol, Query};
use crate::service::{Errors, Service};
use crate::{ApiError, Aws, validation};

pub(crate) const SERVICE: Service = Service {
    name: "iam",
    protocol: Protocol::Query(Query {
        version: "2010-05-08",
        namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
        call,
    }),
    errors: Errors::QUERY,
    demands: unlisted,
};

/// The most items of one page.
const MOST_ITEMS: usize = 1000;

/// One action of IAM; returns the members of its result.
fn call(aws: &mut Aws, action: &str, parameters: &Parameters) -> Result<Value, ApiError> {
    match action {
        "GetRole" => Ok(json!({ "Role": described(aws, role(aws, parameters)?) })),
        "ListRolePolicies" => {
            let names = role(aws, parameters)?
                .policies
                .keys()
                .map(|name| json!(name))
                .collect();
            page("PolicyNames", names, parameters)
        }
        "GetRolePolicy" => {
            let role = role(aws, parameters)?;
            let name = required(parameters, "PolicyName")?;
            let missing =
                || no_entity(format!("The role policy with name {name} cannot be found."));
            let document = role.policies.get(name).ok_or_else(missing)?;

            Ok(json!({
                "RoleName": role.name,
                "PolicyName": name,
                "PolicyDocument": encoded(document),
            }))
        }
        "ListAttachedRolePolicies" => {
            let policy =
                |arn: &String| json!({"PolicyName": arn.rsplit('/').next(), "PolicyArn": arn});
            let attached = role(aws, parameters)?
                .managed_policies
                .iter()
                .map(policy)
                .collect();
            page("AttachedPolicies", attached, parameters)
        }
        _ => Err(ApiError::unknown_operation(action)),
    }
}

fn required<'a>(parameters: &'a Parameters, member: &str) -> Result<&'a str, ApiError> {
    let given = parameters.get(member).map(String::as_str);
    given.ok_or_else(|| ApiError::client("ValidationError", validation::missing(member)))
}

fn no_entity(message: String) -> ApiError {
    ApiError {
        status: 404,
        ..ApiError::client("NoSuchEntity", message)
    }
}

fn role<'a>(aws: &'a Aws, parameters: &Parameters) -> Result<&'a Role, ApiError> {
    let name = required(parameters, "RoleName")?;
    let missing = || no_entity(format!("The role with name {name} cannot be found."));
    aws.cloudformation.iam.role(name).ok_or_else(missing)
}

fn described(aws: &Aws, role: &Role) -> Value {
    // A role is as old as the stack that it belongs to.
    let of = |stack: &&crate::cloudformation::Stack| {
        stack
            .resources
            .iter()
            .any(|resource| resource.kind == "AWS::IAM::Role" && resource.physical_id == role.name)
    };
    let created = aws
        .cloudformation
        .stacks()
        .find(of)
        .map_or(aws.now, |stack| stack.created);

    json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": instant(created),
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "MaxSessionDuration": role.max_session_seconds,
        "PermissionsBoundary": role.boundary.as_ref().map(|arn| {
            json!({
                "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
                "PermissionsBoundaryArn": arn,
            })
        }),
    })
}

/// IAM returns policy documents percent-encoded.
fn encoded(document: &Value) -> String {
    utf8_percent_encode(&document.to_string(), NON_ALPHANUMERIC).to_string()
}

/// One page of a list; the marker is the position at which the next page starts.
fn page(member: &str, items: Vec<Value>, parameters: &Parameters) -> Result<Value, ApiError> {
    let wrong = |message: &str| ApiError::client("ValidationError", message);
    let size = parameters
        .get("MaxItems")
        .map_or(Ok(MOST_ITEMS), |size| size.parse());
    let size = size.ok().filter(|size| (1..=MOST_ITEMS).contains(size));
    let size = size.ok_or_else(|| wrong("MaxItems is 1 to 1000"))?;

    let marker = parameters.get("Marker").map(String::as_str);
    let page = Tokens::Decimal.page(items, marker, size);
    let page = page.ok_or_else(|| wrong("Invalid Marker"))?;
    Ok(json!({
        member: page.items, "IsTruncated": page.next.is_some(), "Marker": page.next,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::cloudformation::deploy;

    /// An account with the functions of the project's own template.
    fn deployed() -> Aws {
        let mut aws = Aws::new(1);
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        deploy(&mut aws, "slipway", &template, &BTreeMap::new()).unwrap();
        aws
    }

    fn with(pairs: &[(&str, &str)]) -> Parameters {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn roles_are_found_with_their_policies() {
        let mut aws = deployed();
        let name = aws.cloudformation.iam.roles().next().unwrap().name.clone();
        let first = call(
            &mut aws,
            "ListRolePolicies",
            &with(&[("RoleName", &name), ("MaxItems", "1")]),
        )
        .unwrap();
        let more = first["IsTruncated"] == json!(true);

        assert_eq!(first["PolicyNames"].as_array().map(Vec::len), Some(1));
        assert_eq!(more, first["Marker"] == json!("1"));

        let policy = first["PolicyNames"][0].as_str().unwrap();
        let policy = with(&[("RoleName", &name), ("PolicyName", policy)]);
        assert!(
            call(&mut aws, "GetRolePolicy", &policy).unwrap()["PolicyDocument"]
                .as_str()
                .unwrap()
                .starts_with("%7B%22")
        );

        let role = call(&mut aws, "GetRole", &with(&[("RoleName", &name)])).unwrap();
        assert!(
            role["Role"]["AssumeRolePolicyDocument"]
                .as_str()
                .unwrap()
                .starts_with("%7B%22")
        );
        assert_eq!(
            call(&mut aws, "GetRole", &with(&[("RoleName", "none")]))
                .unwrap_err()
                .code,
            "NoSuchEntity"
        );
    }
}
