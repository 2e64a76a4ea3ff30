//! Secrets in the commands of containers that a text repeats without their names.

use super::secrets::of_command;

#[test]
fn a_password_of_a_known_client_is_masked_and_what_other_programs_take_is_kept() {
    for command in [
        &["mysqladmin", "ping", "-uroot", "-phunter22"][..],
        &[
            "CMD-SHELL",
            "/usr/bin/mariadb-admin -phunter22 ping || exit 1",
        ],
        &["CMD-SHELL", "redis-cli -h cache-1 -a hunter22 ping"],
        &["sh", "-c", "sshpass -p hunter22 ssh host-1"],
        &["mongosh", "--quiet", "-p", "hunter22"],
    ] {
        let text = "hunter22 of cache-1, host-1 and -uroot";
        let kept = "*** of cache-1, host-1 and -uroot";
        assert_eq!(of_command(command, text), kept, "{command:?}");
    }

    for (command, text) in [
        (
            &["./run", "-p", "808080", "-a0.0.0.0"][..],
            "808080 0.0.0.0",
        ),
        (&["mysql", "-p", "storefront"], "no storefront"),
        (
            &["CMD-SHELL", "mysqladmin ping -p$MYSQL_ROOT_PASSWORD"],
            "$MYSQL_ROOT_PASSWORD",
        ),
        (
            &["redis-cli", "-a", "--no-auth-warning"],
            "--no-auth-warning",
        ),
    ] {
        assert_eq!(of_command(command, text), text, "{command:?}");
    }
}

#[test]
fn a_secret_of_a_command_is_masked_where_the_text_does_not_name_it() {
    for word in [
        "--connection-string=Server=db;Password=abc12345;Database=storefront",
        "--set=level=debug,token=abc12345",
        "/hook?size=10&token=abc12345&z=1",
        r#"{"user":"app","password":"abc12345"}"#,
        r#"{"user": "app", "password" : "abc12345"}"#,
    ] {
        let line = format!("./run {word}");
        for command in [&["./run", word][..], &["sh", "-c", line.as_str()]] {
            let seen = of_command(command, "cannot decode abc12345");
            assert_eq!(seen, "cannot decode ***", "{command:?}");
        }
    }

    // Drawn by chance, and a key of no known maker.
    let drawn = "w51H7abcDEFghiJKLmno";
    let seen = of_command(&["./run", drawn], &format!("cannot decode {drawn}"));
    assert_eq!(seen, "cannot decode ***");
}
