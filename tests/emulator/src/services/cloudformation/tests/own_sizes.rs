//! The sizes of the project's own templates.

use super::own_templates::root;

/// The most bytes of a template in a request. Source:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>
const TEMPLATE_BODY: u64 = 51_200;

/// The most bytes of a template in an object. `sam deploy` puts that of the functions into one.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>,
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-deploy.html>
const TEMPLATE_OBJECT: u64 = 1_048_576;

#[test]
fn the_functions_template_fits_into_an_object_and_each_other_one_into_a_request() {
    let folders = ["infra", "infra/pipelines"].map(|folder| root().join(folder));
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut templates: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    templates.retain(|path| path.extension().is_some_and(|end| end == "yaml"));

    assert!(templates.len() >= 5, "{templates:?}");
    let in_requests = templates.into_iter().map(|path| (path, TEMPLATE_BODY));
    let of_functions = (root().join("template.yaml"), TEMPLATE_OBJECT);
    for (template, most) in in_requests.chain([of_functions]) {
        let bytes = std::fs::metadata(&template).unwrap().len();
        assert!(bytes <= most, "{template:?} has {bytes} bytes");
    }
}
