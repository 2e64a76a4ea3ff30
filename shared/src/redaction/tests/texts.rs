//! Texts as AWS, Docker and the programs in containers write them: with secrets that nothing else
//! knows, and with the names and words that explain them.

use super::*;

/// Each with what is left of it.
const WITH_SECRETS: [(&str, &str); 63] = [
    (
        "CannotPullContainerError: Error response from daemon: Get \
         \"https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/?token=hunter22\": denied",
        "CannotPullContainerError: Error response from daemon: Get \
         \"https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/?***\": denied",
    ),
    (
        "CannotPullContainerError: failed to do request: Head \
         \"https://me:hunter22@registry.example.com/v2/web/manifests/1\": EOF",
        "CannotPullContainerError: failed to do request: Head \
         \"https://***@registry.example.com/v2/web/manifests/1\": EOF",
    ),
    (
        "Get \
         \"https://layers.s3.eu-west-1.amazonaws.com/1a?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F\
         20260105&X-Amz-Signature=0a\": i/o timeout",
        "Get \"https://layers.s3.eu-west-1.amazonaws.com/1a?***\": i/o timeout",
    ),
    (
        "exec: \"--password=hunter22\": executable file not found in $PATH",
        "exec: \"--password=***\": executable file not found in $PATH",
    ),
    (
        "OCI runtime create failed: args: [/app --db-password hunter22 --port 80]: no such file",
        "OCI runtime create failed: args: [/app --db-password *** --port 80]: no such file",
    ),
    (
        "unrecognized arguments: '--api-key' 'hunter22'",
        "unrecognized arguments: '--api-key' '***'",
    ),
    (
        "exec [\"/app\",\"--token\",\"hunter22\",\"--port\",\"80\"] failed",
        "exec [\"/app\",\"--token\",\"***\",\"--port\",\"80\"] failed",
    ),
    (
        "failed to start: env [PATH=/bin DB_PASSWORD=hunter22 LEVEL=debug]",
        "failed to start: env [PATH=/bin DB_PASSWORD=*** LEVEL=debug]",
    ),
    (
        "env=['A=b', 'API_TOKEN=hunter22', 'C=d']",
        "env=['A=b', 'API_TOKEN=***', 'C=d']",
    ),
    (
        "docker: invalid env: CLIENT_SECRET=\"correct horse\" LEVEL=debug",
        "docker: invalid env: CLIENT_SECRET=\"***\" LEVEL=debug",
    ),
    (
        "dial error: postgres://app:hunter22@db.example.com:5432/shop?sslmode=require",
        "dial error: postgres://***@db.example.com:5432/shop?***",
    ),
    (
        "redis://:hunter22@cache.example.com:6379/0: connection refused",
        "redis://***@cache.example.com:6379/0: connection refused",
    ),
    (
        "mongodb+srv://app:hunter22@shop.example.net/db: no such host",
        "mongodb+srv://***@shop.example.net/db: no such host",
    ),
    (
        "cannot connect: Server=db;User Id=app;Password=hunter22;Database=shop",
        "cannot connect: Server=db;User Id=app;Password=***;Database=shop",
    ),
    (
        "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=aB3+/x==;EndpointSuffix=core\
         .windows.net",
        "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=***;EndpointSuffix=core.wind\
         ows.net",
    ),
    (
        "Endpoint=sb://bus.example.net/;SharedAccessKeyName=root;SharedAccessKey=aB3xyz12=",
        "Endpoint=sb://bus.example.net/;SharedAccessKeyName=root;SharedAccessKey=***",
    ),
    (
        "upstream: Authorization: Bearer hunter22hunter",
        "upstream: Authorization: Bearer ***",
    ),
    (
        "upstream: x-api-key: hunter22, x-request-id: 4f2a",
        "upstream: x-api-key: ***, x-request-id: 4f2a",
    ),
    (
        "upstream: rejected X-Api-Key:hunter22 of app",
        "upstream: rejected X-Api-Key:*** of app",
    ),
    (
        "curl -H \"X-Vault-Token: hunter22\" http://vault:8200 failed",
        "curl -H \"X-Vault-Token: ***\" http://vault:8200 failed",
    ),
    (
        "body: {\"access_token\":\"hunter22\",\"expires_in\":3600}",
        "body: {\"access_token\":\"***\",\"expires_in\":3600}",
    ),
    (
        "body: {\"user\": \"app\", \"password\": \"hunter \\\"22\\\" x\", \"port\": 5432}",
        "body: {\"user\": \"app\", \"password\": \"***\", \"port\": 5432}",
    ),
    (
        "log: {\\\"refreshToken\\\":\\\"hunter22\\\",\\\"level\\\":\\\"info\\\"}",
        "log: {\\\"refreshToken\\\":\\\"***\\\",\\\"level\\\":\\\"info\\\"}",
    ),
    (
        "config: {'password': 'hunter22', 'host': 'db'}",
        "config: {'password': '***', 'host': 'db'}",
    ),
    (
        "bad credentials eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4fw",
        "bad credentials ***",
    ),
    (
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE \
         AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_ACCESS_KEY_ID=*** AWS_SECRET_ACCESS_KEY=***",
    ),
    (
        "session ASIAIOSFODNN7EXAMPLE has expired",
        "session *** has expired",
    ),
    (
        "git clone failed: bad token ghp_0123456789abcdefghij",
        "git clone failed: bad token ***",
    ),
    (
        "slack: xoxb-0123456789-abcdefghij was revoked",
        "slack: *** was revoked",
    ),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----: bad key",
        "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----: bad key",
    ),
    (
        "docker login: YXBwOmh1bnRlcjIy is not valid",
        "docker login: *** is not valid",
    ),
    (
        "GET /hook?level=1&token=hunter22&z=1 404",
        "GET /hook?level=1&token=***&z=1 404",
    ),
    (
        "--set=level=debug,token=hunter22,port=80",
        "--set=level=debug,token=***,port=80",
    ),
    (
        "the variable DB_PASSWD=hunter22. Stopping",
        "the variable DB_PASSWD=***. Stopping",
    ),
    (
        "bad env [DB_PASS=hunter22 LEVEL=debug]",
        "bad env [DB_PASS=*** LEVEL=debug]",
    ),
    (
        "args: [--smtp-pass hunter22 --port 25]",
        "args: [--smtp-pass *** --port 25]",
    ),
    (
        "cannot connect: Driver=x;UID=sa;PWD=hunter22;Database=shop",
        "cannot connect: Driver=x;UID=sa;PWD=***;Database=shop",
    ),
    (
        "bad env [SECRET_KEY_BASE=hunter22 RAILS_MASTER_KEY=hunter23 ENCRYPTION_KEY=hunter24]",
        "bad env [SECRET_KEY_BASE=*** RAILS_MASTER_KEY=*** ENCRYPTION_KEY=***]",
    ),
    (
        "cannot connect: {user: app, password: hunter22, host: db}",
        "cannot connect: {user: app, password: ***, host: db}",
    ),
    (
        "invalid settings: db_password: 'correct horse' at line 3",
        "invalid settings: db_password: '***' at line 3",
    ),
    (
        "upstream: Authorization: Token hunter22hunter",
        "upstream: Authorization: Token ***",
    ),
    (
        "exec: \"migrate -dsn app:hunter22@tcp(db.example.com:3306)/shop\": not found",
        "exec: \"migrate -dsn app:***@tcp(db.example.com:3306)/shop\": not found",
    ),
    (
        "body: {\"password\": 12345678, \"port\": 5432}",
        "body: {\"password\": ***, \"port\": 5432}",
    ),
    (
        "GET /layer?sv=2024-08-04&sig=hunter22%3D&se=1 403",
        "GET /layer?sv=2024-08-04&sig=***&se=1 403",
    ),
    (
        "vault: token hvs.CAESIJ0123456789abcdefgh is not valid",
        "vault: token *** is not valid",
    ),
    (
        "env [STRIPE=sk_test_0123456789abcdef]: bad value",
        "env [STRIPE=***]: bad value",
    ),
    (
        "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = \
         wJalrXUtnFEMI/K7MDENG\nregion = eu-west-1",
        "[default]\naws_access_key_id = ***\naws_secret_access_key = ***\nregion = eu-west-1",
    ),
    (
        "bad settings: password = 'hunter22', port = 5432",
        "bad settings: password = '***', port = 5432",
    ),
    (
        "params: {\"password\"=>\"hunter22\", :token=>\"hunter23\", \"user\"=>\"app\"}",
        "params: {\"password\"=>\"***\", :token=>\"***\", \"user\"=>\"app\"}",
    ),
    (
        "env: [{\"name\":\"DB_PASSWORD\",\"value\":\"hunter22\"},{\"name\":\"A\",\"value\":\"b\"}]",
        "env: [{\"name\":\"DB_PASSWORD\",\"value\":\"***\"},{\"name\":\"A\",\"value\":\"b\"}]",
    ),
    (
        "{\n  Name: \"API_TOKEN\",\n  Value: \"correct horse\"\n}",
        "{\n  Name: \"API_TOKEN\",\n  Value: \"***\"\n}",
    ),
    (
        "ParameterKey=DBPassword,ParameterValue=hunter22 is not valid",
        "ParameterKey=DBPassword,ParameterValue=*** is not valid",
    ),
    (
        "log: {\\\\\\\"password\\\\\\\":\\\\\\\"hunter22\\\\\\\",\\\\\\\"level\\\\\\\":1}",
        "log: {\\\\\\\"password\\\\\\\":\\\\\\\"***\\\\\\\",\\\\\\\"level\\\\\\\":1}",
    ),
    (
        "log: {\\\"password\\\":\\\"hunter \\\\\\\"22\\\\\\\" x\\\",\\\"level\\\":1}",
        "log: {\\\"password\\\":\\\"***\\\",\\\"level\\\":1}",
    ),
    (
        "login &{Username:AWS Password:hunter22 Email: ServerAddress:1.dkr.ecr} failed",
        "login &{Username:AWS Password:*** Email: ServerAddress:1.dkr.ecr} failed",
    ),
    (
        "bad options {password:'hunter22', token:\"hunter23\", port:5432}",
        "bad options {password:'***', token:\"***\", port:5432}",
    ),
    (
        "<Credentials><SecretAccessKey>wJalrXUtnFEMI/K7</SecretAccessKey><Token/></Credentials>",
        "<Credentials><SecretAccessKey>***</SecretAccessKey><Token/></Credentials>",
    ),
    (
        "web.config: <add key=\"DbPassword\" value=\"correct horse\" /><add key=\"a\" />",
        "web.config: <add key=\"DbPassword\" value=\"***\" /><add key=\"a\" />",
    ),
    (
        "bad env map[API_TOKEN:hunter22 LEVEL:debug]",
        "bad env map[API_TOKEN:*** LEVEL:debug]",
    ),
    (
        "upstream: Authorization: ApiKey hunter22== of app",
        "upstream: Authorization: ApiKey *** of app",
    ),
    (
        "upstream: {\"authorization\":\"hunter22hunter\",\"host\":\"api\"}",
        "upstream: {\"authorization\":\"***\",\"host\":\"api\"}",
    ),
    (
        "Authorization: OAuth2 hunter22hunter, x-request-id: 4f2a",
        "Authorization: ***, x-request-id: 4f2a",
    ),
    (
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260105/eu-west-1/ecs, \
         SignedHeaders=host, Signature=0a0b0c",
        "Authorization: AWS4-HMAC-SHA256 Credential=***/20260105/eu-west-1/ecs, \
         SignedHeaders=host, Signature=***",
    ),
];

/// Texts in which names, addresses and words look like secrets.
const WITHOUT_SECRETS: [&str; 44] = [
    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve \
     ref \
     111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/token-api:1.4@sha256:0a0a0a0a0a0a0a0a0a0a\
     0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a: not found",
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
     retrieval failed: unable to retrieve secret from asm: service call has been retried 1 \
     time(s): failed to fetch secret \
     arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf from secrets manager: \
     AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/web-execution/0a1b2c is \
     not authorized to perform: secretsmanager:GetSecretValue on resource: \
     arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf because no \
     identity-based policy allows the secretsmanager:GetSecretValue action status code: 400, \
     request id: 3f1a2b3c-1111-2222-3333-444455556666",
    "ResourceInitializationError: invalid ssm parameters: /prod/web/password, /prod/web/api-token",
    "OutOfMemoryError: Container killed due to memory usage",
    "Essential container in task exited",
    "Task failed ELB health checks in (target-group \
     arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/token-api/73e2d6bc24d8a067)",
    "(service secret-service) was unable to place a task. Reason: No Container Instances were \
     found in your cluster.",
    "exec password-reset:latest: exec format error",
    "container web-token exited with 1: secret: not found",
    "CannotStartContainerError: log stream ecs/web-token/0123456789abcdef0123456789abcdef in \
     /ecs/secret-service",
    "The security token included in the request is invalid.",
    "ExpiredToken: The provided token has expired.",
    "flag needs an argument: --password",
    "the option --token is required; see --token-file /run/secrets/token",
    "exec: \"--password\": executable file not found in $PATH",
    "AWS_SECRET_ACCESS_KEY is not set in eu-west-1",
    "\"password\": expected a string at line 3",
    "failed to connect to web-1.abcdef.eu-west-1.rds.amazonaws.com:5432 from \
     sg-0123456789abcdef0 in subnet-0123456789abcdef0",
    "Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuMMCm-abcABC123_x",
    "is not authorized to perform: iam:PassRole on resource: \
     arn:aws:iam::111122223333:role/teams/secret-rotation with an explicit deny",
    "image ghcr.io/shop/basic-auth:2 has no linux/arm64",
    "Key=config/web.json VersionId=3sL4kqtJlcpXroDTDmJ in bucket web-secrets",
    "StatusCode: 400, RequestID: 4442587FB7D0A2F9, api error AccessDenied",
    "task 0123456789abcdef0123456789abcdef of \
     arn:aws:ecs:eu-west-1:111122223333:task/apps/0123456789abcdef0123456789abcdef",
    "secret=arn:aws:secretsmanager:eu-west-1:111122223333:secret:db is in another region",
    "port is already allocated; x-ray is off; api-key-rotation:3 runs",
    "Basic authentication failed for the bearer token",
    "invalid reference format: repository name (shop/Password-Reset) must be lowercase",
    "exec in env [PWD=/usr/src/app OLDPWD=/ PATH=/bin]: no such file",
    "--bypass=cache and compass=north are not known",
    "failed to fetch oauth token: 403 Forbidden; password: must not be empty",
    "GET https://auth.example.com/token: net/http: TLS handshake timeout",
    "the token 0a1b2c3d of the session has expired",
    "body: {\"max_token\": 4096, \"token\": null, \"secret\": true}",
    "env [npm_config_registry_of_the_company=internal design=flat]",
    "listen tcp(0.0.0.0:8080): address already in use",
    "if token == nil: token = expired, secret = not found, bad env [API_TOKEN= LEVEL=debug]",
    "InvalidToken:The security token is wrong; cannot pull shop/Token:1.4.0-rc1",
    "valueFrom arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf:DB_PASSWORD:\
     AWSCURRENT: is not found",
    "{\"name\":\"DB_TOKEN\",\"valueFrom\":\"/prod/db/token1\"}; token, value: none",
    "unauthorized: authentication required; authorization: denied by policy, see 403",
    "the authorization code0123 has expired",
    "no authorization: arn:aws:iam::111122223333:role/deploy1 may not do that",
    "the \"password\" value is wrong; <Token></Token>; token>5; --token <token> --at <time>",
];

#[test]
fn secrets_are_masked_by_their_form_and_by_the_names_before_them() {
    for (text, kept) in WITH_SECRETS {
        assert_eq!(without_signatures(text), kept);
        assert_eq!(without_signatures(kept), kept, "a second time");
    }
}

#[test]
fn a_value_is_masked_after_a_name_that_ends_in_any_word_for_a_secret() {
    let names = "ACCESS_KEY AccountKey api-key ENCRYPTION_KEY master.key passphrase DB_PASS passwd \
                 DB_PASSWORD PRIVATE_KEY pwd CLIENT_SECRET SECRET_KEY SECRET_KEY_BASE signature \
                 refreshToken";
    for name in names.split_whitespace() {
        let text = format!("bad {name}=hunter22 for web");
        let kept = format!("bad {name}=*** for web");
        assert_eq!(without_signatures(&text), kept);
    }
}

#[test]
fn names_and_words_that_an_operator_needs_are_kept() {
    for text in WITHOUT_SECRETS {
        assert_eq!(without_signatures(text), text);
    }
}

#[test]
fn the_rest_of_a_value_is_masked_where_a_name_before_it_masked_its_beginning() {
    for (value, text, kept) in [
        (
            "hunter22 and more",
            "TOKEN=hunter22 and more: no",
            "TOKEN=***: no",
        ),
        ("a1;b2c3d4", "X=1;TOKEN=a1;b2c3d4 x", "X=1;TOKEN=*** x"),
    ] {
        let shown = without_signatures(text);
        assert_eq!(without(&shown, &[value], &[]), kept);
    }
}
