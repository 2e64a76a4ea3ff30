//! HTTP checks in the pipelines of some shapes: of the idle colour of a pair before it gets
//! traffic, and of a single service before its release ends. What they expect is drawn, so they are
//! added to a copy of the template, as an operator adds further ones.

use std::ops::Range;

use serde_json::json;

use super::Shape;
use emulator::Aws;

/// The action that makes them.
pub(crate) const CHECK: &str = "check";

/// The end of a line with the last function that each pipeline may invoke before a swap.
const MAY_INVOKE: &str = "-UpdateServiceFunctionArn'\n";
/// The line that is added to it.
const MAY_CHECK: &str =
    "                  - Fn::ImportValue: !Sub '${FunctionsStack}-RunChecksFunctionArn'\n";

/// What the HTTP checks of a pipeline expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnChecks {
    /// What every version returns that works.
    Passing,
    /// What no version returns.
    Failing,
}

impl DrawnChecks {
    /// Drawn by itself, so that all else of a shape stays as it is.
    pub(super) fn draw(shape: &Shape) -> Option<Self> {
        let is_special =
            shape.oddity.is_some() || shape.canary().is_some() || shape.records().is_some();
        // The approval of a pair has the place of the action.
        let has_room = shape.pair.is_none() || !shape.approval;
        if is_special || !has_room || !shape.load_balanced {
            return None;
        }

        let mut rng = fastrand::Rng::with_seed(u64::from(shape.number) * 6271 + 23);
        match rng.u8(..8) {
            0 => Some(Self::Failing),
            1..=2 => Some(Self::Passing),
            _ => None,
        }
    }

    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passing => "expected to pass",
            Self::Failing => "expected to fail",
        }
    }

    /// The template of the shape's pipeline with the action in it, and with the permission to
    /// invoke its function.
    pub(super) fn added_to(
        self,
        template: &str,
        shape: &Shape,
        aws: &Aws,
    ) -> Result<String, String> {
        let is_pair = shape.pair.is_some();
        let next = if is_pair {
            "swap-target-groups"
        } else {
            "finish-release"
        };

        let mut changed = template.to_owned();
        let (place, order) = run_order(template, next)?;
        let own_order = if is_pair {
            // The place of the approval.
            order - 1
        } else {
            changed.replace_range(place, &(order + 1).to_string());
            order
        };

        let next = format!("            - Name: {next}\n");
        let action = self.action(own_order, shape, aws)?;
        let changes = [
            (MAY_INVOKE, format!("{MAY_INVOKE}{MAY_CHECK}")),
            (next.as_str(), format!("{action}{next}")),
        ];
        for (before, after) in changes {
            if !changed.contains(before) {
                return Err(format!("the template has no {before:?}"));
            }
            changed = changed.replacen(before, &after, 1);
        }
        Ok(changed)
    }

    fn action(self, run_order: u32, shape: &Shape, aws: &Aws) -> Result<String, String> {
        let mut balancers = aws.elb.load_balancers.values();
        let balancer = balancers.next().ok_or("nothing has a load balancer")?;
        let status = match self {
            Self::Passing => 200,
            Self::Failing => 204,
        };
        // More attempts than faults come to one release.
        let mut check = json!({
            "name": "health", "url": format!("http://{}/", balancer.dns_name), "status": status,
            "attempts": 5,
        });
        if shape.pair.is_some() {
            check["headers"] = json!({"x-slipway-colour": "#{Begin.IdleColour}"});
        }

        let parameters = json!({
            "pipeline": "${PipelineName}", "execution": "#{codepipeline.PipelineExecutionId}",
            "cluster": "${Cluster}", "service": "${Service}",
            "task_definition": "#{Register.TaskDefinitionArn}", "http_checks": [check],
        });
        Ok(format!(
            "            - Name: {CHECK}
              Namespace: Check
              RunOrder: {run_order}
              ActionTypeId:
                Category: Invoke
                Owner: AWS
                Provider: Lambda
                Version: '1'
              Configuration:
                FunctionName: !Sub '${{FunctionsStack}}-run-checks'
                UserParameters: !Sub '{parameters}'
"
        ))
    }
}

/// The run order of an action, and where it is in the template.
fn run_order(template: &str, action: &str) -> Result<(Range<usize>, u32), String> {
    const MEMBER: &str = "RunOrder: ";

    let missing = || format!("the template has no run order of {action}");
    let name = template.find(&format!("- Name: {action}\n"));
    let name = name.ok_or_else(missing)?;
    let start = name + template[name..].find(MEMBER).ok_or_else(missing)? + MEMBER.len();
    let end = start + template[start..].find('\n').ok_or_else(missing)?;
    let order = template[start..end].parse().map_err(|_| missing())?;
    Ok((start..end, order))
}
