//! What messages about a task definition must not quote, and what they must.

use serde_json::{Value, json};

use super::definition;

/// A text as it is about a container with these members.
fn redacted(members: &Value, text: &str) -> String {
    let mut container = json!({"name": "backend", "image": "example/api:1"});
    let own = container.as_object_mut().expect("an object");
    own.extend(members.as_object().expect("an object").clone());

    definition(json!({"family": "a", "containerDefinitions": [
        {"name": "first", "image": "b"}, container,
    ]}))
    .redacted(text)
}

/// A text as it is about a container that runs this.
pub(super) fn of_command(command: &[&str], text: &str) -> String {
    let members = json!({ "command": command });
    let redacted = redacted(&members, text);
    for members in [
        json!({ "entryPoint": command }),
        json!({"healthCheck": {"command": command}}),
    ] {
        assert_eq!(self::redacted(&members, text), redacted, "{members}");
    }
    redacted
}

#[test]
fn regions_and_names_of_variables_are_kept() {
    let members = json!({
        "environment": [
            {"name": "AWS_REGION", "value": "eu-west-1"},
            {"name": "DATABASE_URL", "value": "postgres://app:hunter22@db/x"},
            {"name": "WANTED", "value": "DATABASE_URL"},
        ],
        "secrets": [{"name": "API_TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:1:parameter/t"}],
    });
    let text = "DATABASE_URL and API_TOKEN are not set in eu-west-1: postgres://app:hunter22@db/x";
    assert_eq!(
        redacted(&members, text),
        "DATABASE_URL and API_TOKEN are not set in eu-west-1: ***"
    );

    let named = json!({"environment": [{"name": "A", "value": "API_TOKEN"}]});
    assert_eq!(redacted(&named, "API_TOKEN"), "***");
}

#[test]
fn a_value_that_is_a_name_is_kept_unless_its_variable_is_named_as_a_secret() {
    for (variable, value, text, expected) in [
        ("HOST", "backend", "backend failed", "backend failed"),
        ("HOST", "ackend", "backend: ackend", "backend: ***"),
        ("IMAGE", "example/api", "example/api:1", "example/api:1"),
        ("IMAGE", "xample/api", "example/api:1", "e***:1"),
        ("DB_PASSWORD", "backend", "backend failed", "*** failed"),
        ("API_KEY", "example", "example/api:1", "***/api:1"),
    ] {
        let members = json!({"environment": [{"name": variable, "value": value}]});
        assert_eq!(redacted(&members, text), expected, "{variable}={value}");
    }
}

#[test]
fn what_a_task_could_not_read_or_write_stays_named() {
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:production/db-AbCdEf";
    let members = json!({
        "environment": [
            {"name": "STAGE", "value": "production"}, {"name": "ACCOUNT", "value": "111122223333"},
        ],
        "secrets": [{"name": "PASSWORD", "valueFrom": secret}],
    });
    let text = format!("unable to retrieve secret from asm: failed to fetch secret {secret}");
    assert_eq!(redacted(&members, &text), text);

    for (member, value) in [
        (
            "repositoryCredentials",
            json!({"credentialsParameter": secret}),
        ),
        (
            "logConfiguration",
            json!({"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/production/web"}}),
        ),
        (
            "logConfiguration",
            json!({"logDriver": "awslogs", "options": {"awslogs-stream-prefix": "production"}}),
        ),
    ] {
        let stage = json!([{"name": "STAGE", "value": "production"}]);
        let members = json!({"environment": stage, member: value});
        assert_eq!(
            redacted(&members, "no production"),
            "no production",
            "{member}"
        );
    }

    let other = json!({"environment": [{"name": "STAGE", "value": "production"}]});
    assert_eq!(redacted(&other, "no production"), "no ***");
}

#[test]
fn a_value_is_masked_as_json_has_it() {
    let members = json!({"environment": [{"name": "A", "value": "quote\"<d>"}]});
    for text in [r#"["quote\"<d>"]"#, r#"["quote\"\u003cd\u003e"]"#] {
        assert_eq!(redacted(&members, text), r#"["***"]"#);
    }
}

#[test]
fn a_secret_among_the_words_of_a_command_is_masked_and_the_command_is_kept() {
    for command in [
        &["./run", "--api-key", "hunter22", "--port", "808080"][..],
        &["./run", "--api-key=hunter22", "--port", "808080"],
        &["sh", "-c", "API_KEY=hunter22 ./run --port 808080"],
        &["sh", "-c", "curl -u admin:hunter22 http://localhost:808080"],
        &[
            "sh",
            "-c",
            "curl -H \"X-Api-Key: hunter22\" http://localhost:808080",
        ],
        &[
            "sh",
            "-c",
            "curl -H 'Authorization: Bearer hunter22' http://localhost:808080",
        ],
        &[
            "./run",
            "--password",
            "hunter22",
            "--key-file=/run/server.pem",
        ],
        &[
            "sh",
            "-c",
            "curl -H 'Authorization: Basic hunter22' http://localhost:808080",
        ],
        &[
            "curl",
            "--user",
            "admin:hunter22",
            "http://localhost:808080",
        ],
        &["curl", "--proxy-user", "admin:hunter22", "localhost:808080"],
        &["./run", "--api-key=hunter22", "serving"],
    ] {
        let line = command.join(" ");
        let text = format!("exec: [{line}]: file not found: ./run");
        assert_eq!(
            of_command(command, &text),
            text.replace("hunter22", "***"),
            "{command:?}"
        );
    }
}

#[test]
fn the_credentials_of_a_header_are_masked_where_its_scheme_is_not_before_them() {
    for scheme in ["Basic", "bearer"] {
        let header = format!("Authorization: {scheme} hunter22");
        let line = format!("curl -H '{header}' localhost");
        for command in [
            &["curl", "-H", header.as_str()][..],
            &["sh", "-c", line.as_str()],
        ] {
            assert_eq!(
                of_command(command, "cannot decode hunter22"),
                "cannot decode ***",
                "{command:?}"
            );
        }
    }
}

#[test]
fn a_word_of_a_command_that_looks_drawn_by_chance_is_masked() {
    let drawn = "sk_live_51H7abcDEFghiJKL";
    for command in [
        &["./run", drawn][..],
        &["./run", "--with=sk_live_51H7abcDEFghiJKL"],
    ] {
        assert_eq!(of_command(command, &format!("run {drawn}")), "run ***");
    }

    for kept in [
        "MyWorkerServiceVersion2Main",
        "MyWorkerServiceVersion21Main",
        "/opt/Service123/bin/Run456",
        "prod-cluster-eu-west-1-2026",
        "sk_live_51H7abcDEFg",
    ] {
        assert_eq!(of_command(&["./run", kept], kept), kept);
    }
}

#[test]
fn a_secret_among_the_options_of_a_log_driver_is_masked() {
    let members = json!({"logConfiguration": {"logDriver": "splunk", "options": {
        "splunk-token": "hunter22", "splunk-url": "https://splunk.example.com",
    }}});
    assert_eq!(
        redacted(&members, "https://splunk.example.com refused hunter22"),
        "https://splunk.example.com refused ***"
    );
}

#[test]
fn places_of_secrets_flags_and_names_in_capitals_are_kept() {
    for command in [
        &[
            "./run",
            "--key-path",
            "/run/server.pem",
            "--token-url",
            "id.example.com",
        ][..],
        &["./run", "--secret-dir=/run/secrets", "--port", "808080"],
        &["./run", "--no-auth", "--verbose"],
        &["./run", "SHOP_PRODUCTION_2026_01_05"],
    ] {
        let line = command.join(" ");
        assert_eq!(of_command(command, &line), line);
    }
}

#[test]
fn names_of_volumes_family_and_roles_are_kept() {
    let definition = |value: &str| {
        definition(json!({
            "family": "storefront",
            "taskRoleArn": "arn:aws:iam::111122223333:role/slipway/web-task",
            "executionRoleArn": "arn:aws:iam::111122223333:role/slipway/web-start",
            "volumes": [{"name": "uploads"}],
            "containerDefinitions": [{
                "name": "web", "image": "web:1", "environment": [{"name": "A", "value": value}],
            }],
        }))
    };

    for name in ["storefront", "web-task", "web-start", "uploads"] {
        let text = format!("{name} cannot be used");
        assert_eq!(definition(name).redacted(&text), text);
    }
    let text = "anything cannot be used";
    assert_eq!(definition("anything").redacted(text), "*** cannot be used");
}

#[test]
fn a_secret_among_the_assignments_of_a_word_is_masked_and_the_others_are_kept() {
    for (word, kept) in [
        (
            "--connection-string=Server=db;Password=abc12345;Database=storefront",
            "--connection-string=Server=db;Password=***;Database=storefront",
        ),
        (
            "--connection=Server=db;Password=abc,12345;Database=storefront",
            "--connection=Server=db;Password=***;Database=storefront",
        ),
        (
            "jdbc:sqlserver://db;user=app;password=abc12345",
            "jdbc:sqlserver://db;user=app;password=***",
        ),
        (
            "--set=level=debug,token=abc12345",
            "--set=level=debug,token=***",
        ),
        (
            "--query=size=10&token=abc12345&z=1",
            "--query=size=10&token=***&z=1",
        ),
        ("/hook?token=abc12345&z=1", "/hook?token=***&z=1"),
        ("--password=abc;12345=6", "--password=***"),
        ("--user=admin:abc12345", "--user=admin:***"),
        ("--define=DB_HOST=database", "--define=DB_HOST=database"),
    ] {
        let line = format!("./run {word}");
        for command in [&["./run", word][..], &["sh", "-c", line.as_str()]] {
            let text = format!("exec: \"{word}\": file not found");
            let expected = format!("exec: \"{kept}\": file not found");
            assert_eq!(of_command(command, &text), expected, "{command:?}");
        }
    }
}

#[test]
fn a_secret_in_json_or_in_a_header_of_its_own_is_masked() {
    for argument in [
        r#"{"user":"app","password":"abc12345"}"#,
        r#"{"user": "app", "password" : "abc12345"}"#,
        r#"{\"user\":\"app\",\"password\":\"abc12345\"}"#,
    ] {
        let text = format!("no file {argument}");
        assert_eq!(
            of_command(&["./run", argument], &text),
            text.replace("abc12345", "***")
        );
    }

    for (header, kept) in [
        ("X-Api-Key: abc12345", "X-Api-Key: ***"),
        ("X-Api-Key:abc12345", "X-Api-Key:***"),
        (
            "Authorization: Bearer abcdefgh",
            "Authorization: Bearer ***",
        ),
        ("Accept: application/json", "Accept: application/json"),
    ] {
        for option in ["-H", "--header"] {
            assert_eq!(of_command(&["curl", option, header], header), kept);
        }
    }
}

#[test]
fn the_value_of_a_secret_is_masked_although_it_is_a_word_or_a_region() {
    for (name, value, kept) in [
        ("DB_PASSWORD", "fargate", "no *** here"),
        ("DB_PASSWORD", "eu-west-1", "no *** here"),
        ("LAUNCH_TYPE", "fargate", "no fargate here"),
        ("KEY_REGION", "eu-west-1", "no eu-west-1 here"),
    ] {
        let members = json!({"environment": [{"name": name, "value": value}]});
        assert_eq!(
            redacted(&members, &format!("no {value} here")),
            kept,
            "{name}"
        );
    }
}

#[test]
fn a_variable_is_named_as_a_secret_by_any_word_for_one() {
    for name in [
        "BASIC_AUTH",
        "DB_CREDENTIAL",
        "ACCESS_KEY",
        "PASSPHRASE",
        "DB_PWD",
        "CLIENT_SECRET",
        "Api_Token",
    ] {
        let members = json!({"environment": [{"name": name, "value": "backend"}]});
        assert_eq!(redacted(&members, "backend failed"), "*** failed", "{name}");
    }
}
