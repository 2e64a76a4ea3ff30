//! The commands of infra/buildspec.yml, run by bash with programs in place of Docker and the AWS
//! CLI that write down how they are called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::demo::root;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const REPOSITORY: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/orders";

/// The tests of an image fail if there is a file `fail`.
const DOCKER: &str = r#"#!/bin/bash
echo "$*" >> calls
case "$1" in
  login) cat > /dev/null ;;
  build) [[ "$*" != *"--target test"* || ! -e fail ]] ;;
  push) touch pushed ;;
  inspect) printf 'example.com/other@sha256:aa\n%s@sha256:bb\n' "$REPOSITORY_URI" ;;
esac
"#;

/// An image is found once it was pushed. What a file `found` has is returned in place of that; with
/// an empty one the call fails.
const AWS: &str = r#"#!/bin/bash
case "$1 $2" in
  "ecr get-login-password") echo password ;;
  "ecr batch-get-image")
    [[ "$*" == *" --repository-name orders --image-ids imageTag=$COMMIT "* ]] || exit 252
    echo batch-get-image >> calls
    if [[ -e found ]]; then [[ -s found ]] && cat found || exit 254
    elif [[ -e pushed ]]; then printf 'sha256:bb\tNone\n'
    else printf 'None\tImageNotFound\n'; fi ;;
  *) exit 252 ;;
esac
"#;

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("build-spec-{name}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(folder.0.join("bin")).expect("a folder");
        folder.program("docker", DOCKER);
        folder.program("aws", AWS);
        folder
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.0.join("bin").join(name);
        fs::write(&path, text).expect("a file");
        let mode = Command::new("chmod").arg("+x").arg(&path).status();
        assert!(mode.expect("chmod runs").success());
    }

    /// Runs the commands of the build as CodeBuild does: one after the other in one shell, up to
    /// the first that fails. Returns the exported variables, or nothing if one failed.
    fn build(&self, commit: &str) -> Option<String> {
        let commands = commands().join("\n[ $? = 0 ] || exit 1\n");
        let exported = "printenv IMAGE_TAG IMAGE_URI IMAGE_DIGEST";
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .arg("-c")
            .arg(format!("{commands}\n[ $? = 0 ] || exit 1\n{exported}"))
            .current_dir(&self.0)
            .env("PATH", format!("{}:{path}", self.0.join("bin").display()))
            .env("REPOSITORY_URI", REPOSITORY)
            .env("CODEBUILD_RESOLVED_SOURCE_VERSION", commit)
            .env("COMMIT", commit)
            .output()
            .expect("bash runs");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        output.status.success().then_some(printed)
    }

    /// The calls of Docker since the last look, each without its options.
    fn calls(&self) -> Vec<String> {
        let path = self.0.join("calls");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        let first = |call: &str| call.split(' ').next().unwrap_or_default().to_owned();
        calls.lines().map(first).collect()
    }

    fn has(&self, file: &str) -> bool {
        self.0.join(file).exists()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The commands of the phase `build`: plain ones, ones in single quotes, and blocks.
fn commands() -> Vec<String> {
    let path: &Path = &root().join("infra/buildspec.yml");
    let text = fs::read_to_string(path).expect("a build spec");
    let (_, list) = text.split_once("    commands:\n").expect("commands");
    let lines = list.lines().take_while(|line| line.starts_with("      "));

    let mut commands: Vec<String> = Vec::new();
    for line in lines {
        match line.strip_prefix("      - ") {
            Some("|") => commands.push(String::new()),
            Some(command) => commands.push(unquoted(command)),
            None => {
                let block = commands.last_mut().expect("a command");
                block.push_str(line.trim_start());
                block.push('\n');
            }
        }
    }
    commands
}

fn unquoted(command: &str) -> String {
    let inside = command
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    inside.map_or_else(|| command.to_owned(), |inside| inside.replace("''", "'"))
}

#[test]
fn a_commit_is_built_tested_and_pushed_once_with_its_id_as_the_tag() {
    let folder = Folder::new("once");
    let uri = format!("{REPOSITORY}@sha256:bb");
    let exported = format!("{COMMIT}\n{uri}\nsha256:bb\n");

    assert_eq!(folder.build(COMMIT), Some(exported.clone()));
    let calls = [
        "batch-get-image",
        "login",
        "build",
        "build",
        "push",
        "inspect",
    ];
    assert_eq!(folder.calls(), calls);
    let detail = fs::read_to_string(folder.0.join("imageDetail.json")).expect("it is there");
    assert_eq!(detail, format!("{{\"ImageURI\":\"{uri}\"}}"));

    assert_eq!(folder.build(COMMIT), Some(exported), "the same image again");
    assert_eq!(folder.calls(), ["batch-get-image"]);
}

#[test]
fn an_image_whose_tests_fail_is_not_pushed() {
    let folder = Folder::new("fails");
    fs::write(folder.0.join("fail"), "").expect("a file");
    assert_eq!(folder.build(COMMIT), None);
    assert_eq!(folder.calls(), ["batch-get-image", "login", "build"]);
    assert!(!folder.has("pushed") && !folder.has("imageDetail.json"));
}

#[test]
fn an_image_that_cannot_be_looked_for_is_not_built_again() {
    let folder = Folder::new("denied");
    for found in [
        "",
        "None\tKmsError\n",
        "None\tImageInaccessible\n",
        "None\tNone\n",
    ] {
        fs::write(folder.0.join("found"), found).expect("a file");
        assert_eq!(folder.build(COMMIT), None, "{found:?}");
        assert_eq!(folder.calls(), ["batch-get-image"], "{found:?}");
        assert!(!folder.has("imageDetail.json"), "{found:?}");
    }
}

#[test]
fn only_the_id_of_a_commit_is_a_tag() {
    let folder = Folder::new("tags");
    for source in ["latest", "", "refs/heads/main", "arn:aws:s3:::bucket/key"] {
        assert_eq!(folder.build(source), None, "{source}");
        assert_eq!(folder.calls(), [""; 0], "{source}");
    }
}
