//! The demo in regions of other partitions, whose ARNs and domains differ.

use behaviour::{image_of, outcome, push, reason, service, settled};
use emulator::Aws;
use harness::demo::{CLUSTER, WEB, deployed_to};
use harness::driver::{Fault, run};

#[test]
fn a_push_is_deployed_in_a_region_of_each_partition() {
    for (region, partition, domain) in [
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
    ] {
        let mut aws = Aws::new(1);
        aws.region = region.to_owned();
        let aws = deployed_to(aws).expect("the demo is legal in every region");

        run(aws, Fault::None, async |driver| {
            let pushed = push(&driver, WEB, "1.0.0");
            let execution = settled(&driver, "slipway-web", &pushed).await;
            let why = reason(&driver, &execution);
            assert_eq!(outcome(&driver, &execution), "deployed", "{region}: {why}");

            let aws = driver.world.snapshot();
            assert_eq!(
                service(&aws, CLUSTER, WEB)["taskDefinition"],
                format!("arn:{partition}:ecs:{region}:111122223333:task-definition/web:2")
            );
            assert_eq!(
                image_of(&aws, WEB),
                format!("111122223333.dkr.ecr.{region}.{domain}/web@{pushed}")
            );
        });
    }
}
