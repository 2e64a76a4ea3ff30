//! `imagedefinitions.json`, `imageDetail.json` and what others take for one: read as it is if it
//! has the form, and refused with the form if it does not.
//!
//! `SLIPWAY_CORPUS` names folders with a folder `artifacts`, whose files are used besides the
//! project's own examples.

use std::collections::BTreeMap;

use behaviour::corpus;
use serde_json::Value;
use slipway::image::ImageReference;
use slipway::task_definition::{parse_image_definitions, parse_image_detail};
use slipway::text;

const OWN: &str = "../sandbox/examples/artifacts";

#[test]
fn a_file_of_images_is_read_as_it_is_or_refused_with_the_form() {
    let (mut definitions, mut details, mut neither) = (0, 0, 0);

    for file in corpus::files("artifacts", OWN) {
        let name = file.display();
        let bytes = std::fs::read(&file).expect("a file that can be read");
        let text = text::utf8(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let value: Value = serde_json::from_slice(&text).unwrap_or_default();

        let read = parse_image_definitions(&text);
        match of_containers(&value) {
            Some(images) => {
                definitions += 1;
                images.values().for_each(|image| check_reference(image));
                assert_eq!(read, Ok(images), "{name}");
            }
            None => {
                let error = read.expect_err("another form");
                assert!(error.contains("expected"), "{name}: {error}");
            }
        }

        let read = parse_image_detail(&text);
        match value.get("ImageURI").and_then(Value::as_str) {
            Some(image) => {
                details += 1;
                check_reference(image);
                assert_eq!(read.as_deref(), Ok(image), "{name}");
            }
            None => {
                let error = read.expect_err("another form");
                assert!(error.contains("expected {\"ImageURI\""), "{name}: {error}");
                neither += usize::from(of_containers(&value).is_none());
            }
        }
    }
    println!("{definitions} lists of images, {details} of one image, {neither} of neither");
}

/// The images of a list that has the form, by container.
fn of_containers(value: &Value) -> Option<BTreeMap<String, String>> {
    let entries = value.as_array().filter(|entries| !entries.is_empty())?;
    let images: BTreeMap<String, String> = entries
        .iter()
        .map(|entry| {
            let text = |member: &str| Some(entry.get(member)?.as_str()?.to_owned());
            Some((text("name")?, text("imageUri")?))
        })
        .collect::<Option<_>>()?;
    (images.len() == entries.len()).then_some(images)
}

/// What could be pulled is read as it is, and anything else is refused with a reason.
fn check_reference(image: &str) {
    let part = |rest: &str| rest.split(['@', ':']).next().unwrap_or_default().to_owned();
    let is_lower = !part(image.rsplit('/').next().unwrap_or_default())
        .contains(|c: char| c.is_ascii_uppercase() || c.is_whitespace() || "<>{}$".contains(c));
    let account = image
        .split_once(".dkr.ecr.")
        .map_or("111122223333", |(account, _)| account);
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let may_be = is_lower
        && is_account
        && !image.is_empty()
        && !image.contains("://")
        && !image.starts_with("arn:");

    match ImageReference::parse(image) {
        Ok(read) => {
            assert!(may_be, "{image} was read as {read}");
            assert_eq!(read.to_string(), image);
        }
        Err(error) => assert!(error.contains("expected"), "{image}: {error}"),
    }
}
