//! The image that the live colour runs is archived while a release waits: that is found before the
//! first change that would need it for its rollback.

use emulator::{Aws, Quirk, ecr};
use harness::demo::SHOP;
use harness::driver::{Fault, run};
use serde_json::json;

use super::{begun, calls, changed, definitions, fill, filled, look, to_half};
use behaviour::pair::secs;
use behaviour::{image_of, pass};

/// Moves the image that green runs to the archive.
fn archive(aws: &mut Aws) {
    aws.settle_quirk(Quirk::RefusesFilterOfNamed, false);
    let image = image_of(aws, "shop-green");
    let (_, digest) = image.split_once('@').expect("an image by its digest");
    let input = json!({
        "repositoryName": SHOP, "imageId": {"imageDigest": digest},
        "targetStorageClass": "ARCHIVE",
    });
    ecr::call(aws, "UpdateImageStorageClass", &input).expect("the image is there");
}

#[test]
fn an_hour_after_the_beginning_fill_and_swap_prove_again_that_green_can_be_restored() {
    let steps = [
        (begun as fn() -> Aws, "update-service", "UpdateService"),
        (filled as fn() -> Aws, "swap-target-groups", "ModifyRule"),
    ];
    for (scene, step, change) in steps {
        for (waited, refused) in [(1_800, false), (3_600, true)] {
            run(scene(), Fault::None, async |driver| {
                archive(&mut driver.world.aws());
                pass(&driver, secs(waited)).await;
                let [new, _] = definitions(&driver.world.aws());
                let parameters = if step == "update-service" {
                    fill(&new)
                } else {
                    to_half(&new)
                };

                // The first look of the fill may suspend scale-in.
                let since = calls(&driver);
                look(&driver, step, &parameters).await;
                let answer = look(&driver, step, &parameters).await;
                let made = changed(&driver.world.snapshot(), since);
                assert_eq!(made.contains(&change.to_owned()), !refused, "{answer}");

                let message = answer["message"].as_str().unwrap_or_default();
                assert_eq!(
                    message.contains("can no longer be restored"),
                    refused,
                    "{answer}"
                );
            });
        }
    }
}
