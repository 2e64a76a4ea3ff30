//! Amazon ECS, which knows tag conditions, conditions on the cluster, and tags that are given while
//! something is created.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>

use serde_json::Value;

use crate::cloudformation::items;
use crate::iam::{Demand, IamRequest, pass_role};
use crate::text::short_name;
use crate::{Aws, Quirk};

use super::definition_details;

/// The principal to which the roles of a task definition are passed.
const TASKS: &str = "ecs-tasks.amazonaws.com";

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let each = |member: &str, kind: &str| -> Vec<Demand> {
        items(&request.input[member])
            .iter()
            .map(|name| in_cluster(aws, request, kind, text(name)))
            .collect()
    };
    Some(match request.operation.as_str() {
        "DescribeServices" => each("services", "service"),
        "DescribeTasks" => each("tasks", "task"),
        "DeleteService" | "ListServiceDeployments" => {
            vec![in_cluster(aws, request, "service", request.text("service"))]
        }
        "DescribeServiceDeployments" => items(&request.input["serviceDeploymentArns"])
            .iter()
            .flat_map(|arn| service_deployment(request, text(arn)))
            .collect(),
        "RunTask" => run_task(aws, request),
        "StopTask" => vec![in_cluster(aws, request, "task", request.text("task"))],
        "DescribeContainerInstances" => each("containerInstances", "container-instance"),
        "ListContainerInstances" => vec![tagged(aws, request.on(cluster(aws, request)))],
        "DescribeCapacityProviders" => capacity_providers(aws, request),
        "ListServices" => {
            vec![Demand::anywhere(request.action()).with("ecs:cluster", cluster(aws, request))]
        }
        "ListTasks" => vec![list_tasks(aws, request)],
        "DescribeClusters" => match items(&request.input["clusters"]) {
            [] => vec![tagged(aws, request.on(cluster_arn(aws, "default")))],
            names => names
                .iter()
                .map(|name| tagged(aws, request.on(cluster_arn(aws, text(name)))))
                .collect(),
        },
        // These three support no resource-level permissions.
        "DescribeTaskDefinition" | "ListTaskDefinitions" | "DeregisterTaskDefinition" => {
            vec![Demand::anywhere(request.action())]
        }
        "TagResource" | "UntagResource" | "ListTagsForResource" => {
            vec![tagged(
                aws,
                request.on(request.text("resourceArn").to_owned()),
            )]
        }
        "UpdateService" => update_service(aws, request),
        "CreateService" => create_service(aws, request),
        "CreateCluster" => create_cluster(aws, request),
        "RegisterTaskDefinition" => register(aws, request),
        _ => return None,
    })
}

fn create_cluster(aws: &Aws, request: &IamRequest) -> Vec<Demand> {
    let name = request.input["clusterName"].as_str().unwrap_or("default");
    let arn = cluster_arn(aws, name);
    with_tags(request, vec![request.on(arn.clone())], &arn)
}

/// Without an instance to list for, tasks are listed on `*`, although the reference names container
/// instances only.
fn list_tasks(aws: &Aws, request: &IamRequest) -> Demand {
    let demand = match request.input["containerInstance"].as_str() {
        Some(instance) => in_cluster(aws, request, "container-instance", instance),
        None => Demand::anywhere(request.action()),
    };
    demand.with("ecs:cluster", cluster(aws, request))
}

/// A service deployment, and the service that it belongs to.
fn service_deployment(request: &IamRequest, arn: &str) -> [Demand; 2] {
    let of_service = arn.replacen(":service-deployment/", ":service/", 1);
    let service = of_service
        .rsplit_once('/')
        .map_or(arn, |(service, _)| service);
    [arn, service].map(|arn| request.on(arn.to_owned()))
}

fn capacity_providers(aws: &Aws, request: &IamRequest) -> Vec<Demand> {
    items(&request.input["capacityProviders"])
        .iter()
        .map(|name| {
            let name = short_name(text(name));
            request.on(aws.arn("ecs", &format!("capacity-provider/{name}")))
        })
        .collect()
}

/// A service that gets a task definition gets its roles, too, so that both must be allowed.
fn update_service(aws: &Aws, request: &IamRequest) -> Vec<Demand> {
    let update = in_cluster(aws, request, "service", request.text("service"));
    let Some(definition) = request.input["taskDefinition"].as_str() else {
        return vec![update];
    };

    let update = update.with(
        "ecs:task-definition",
        aws.ecs.definition_arn(definition).unwrap_or(definition),
    );
    let roles = aws
        .ecs
        .roles_of(definition)
        .map(|role| pass_role(aws, role, TASKS));
    std::iter::once(update).chain(roles).collect()
}

fn run_task(aws: &Aws, request: &IamRequest) -> Vec<Demand> {
    let definition = request.text("taskDefinition");
    let arn = aws.ecs.definition_arn(definition).unwrap_or(definition);
    let cluster = cluster(aws, request);
    let run = request
        .on(arn.to_owned())
        .with("ecs:cluster", cluster.as_str());
    let roles = aws
        .ecs
        .roles_of(definition)
        .map(|role| pass_role(aws, role, TASKS));
    let created = format!("{}/*", cluster.replacen(":cluster/", ":task/", 1));
    with_tags(
        request,
        std::iter::once(run).chain(roles).collect(),
        &created,
    )
}

fn create_service(aws: &Aws, request: &IamRequest) -> Vec<Demand> {
    let create = in_cluster(aws, request, "service", request.text("serviceName"));
    let arn = create.resource.clone();
    let roles = aws
        .ecs
        .roles_of(request.text("taskDefinition"))
        .map(|role| pass_role(aws, role, TASKS));
    with_tags(
        request,
        std::iter::once(create).chain(roles).collect(),
        &arn,
    )
}

/// The reference states that a task definition can be named, and AWS's errors had `*`: which
/// applies is drawn once per account.
fn register(aws: &mut Aws, request: &IamRequest) -> Vec<Demand> {
    let arn = aws.arn(
        "ecs",
        &format!("task-definition/{}:*", request.text("family")),
    );
    let named = aws.draw_quirk(Quirk::RegistersOnFamily);
    let register = if named {
        request.on(arn.clone())
    } else {
        Demand::anywhere(request.action())
    };
    let given = ["taskRoleArn", "executionRoleArn"]
        .into_iter()
        .filter_map(|member| request.input[member].as_str())
        // ECS refuses what is not a role before anything is passed.
        .filter(|role| definition_details::is_role(role));
    let roles = given.map(|role| pass_role(aws, role, TASKS));

    with_tags(
        request,
        std::iter::once(register).chain(roles).collect(),
        &arn,
    )
}

/// Tags that are given while something is created are an action of their own.
///
/// Source:
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html>
fn with_tags(request: &IamRequest, mut demands: Vec<Demand>, created: &str) -> Vec<Demand> {
    let tags = items(&request.input["tags"]);
    if tags.is_empty() {
        return demands;
    }

    let mut tag = Demand::new("ecs:TagResource", created)
        .with("ecs:CreateAction", request.operation.as_str());
    for given in tags {
        let (key, value) = (text(&given["key"]), text(&given["value"]));
        tag = tag.with(&format!("aws:RequestTag/{key}"), value);
        demands[0] = demands[0]
            .clone()
            .with(&format!("aws:RequestTag/{key}"), value);
    }

    demands.push(tag);
    demands
}

/// The demand on something that lives in a cluster, given by name or ARN.
fn in_cluster(aws: &Aws, request: &IamRequest, kind: &str, name: &str) -> Demand {
    let cluster = cluster(aws, request);
    let arn = if name.starts_with("arn:") {
        name.to_owned()
    } else {
        format!(
            "{}/{name}",
            cluster.replacen(":cluster/", &format!(":{kind}/"), 1)
        )
    };
    tagged(aws, request.on(arn)).with("ecs:cluster", cluster)
}

/// The ARN of the cluster that the request names.
fn cluster(aws: &Aws, request: &IamRequest) -> String {
    cluster_arn(aws, request.input["cluster"].as_str().unwrap_or("default"))
}

fn cluster_arn(aws: &Aws, name: &str) -> String {
    if name.starts_with("arn:") {
        name.to_owned()
    } else {
        aws.arn("ecs", &format!("cluster/{name}"))
    }
}

/// The demand with the tags of the resource that it is about.
fn tagged(aws: &Aws, mut demand: Demand) -> Demand {
    for tag in aws.ecs.tags_on(&demand.resource) {
        for prefix in ["aws", "ecs"] {
            demand = demand.with(
                &format!("{prefix}:ResourceTag/{}", text(&tag["key"])),
                text(&tag["value"]),
            );
        }
    }
    demand
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
