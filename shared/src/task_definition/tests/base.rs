//! Which base parameters choose.

use crate::task_definition::{Base, BaseName};

const FILE: Option<&str> = Some("Config::taskdef.json");
const WEB: Option<&str> = Some("web");
const RUNNING: Option<BaseName> = Some(BaseName::Running);
const NEWEST: Option<BaseName> = Some(BaseName::Newest);

#[test]
fn the_base_is_what_runs_unless_another_one_is_given() {
    for (taskdef, base, family, chosen) in [
        (None, None, None, Base::Running),
        (None, RUNNING, None, Base::Running),
        (None, NEWEST, None, Base::Newest(None)),
        (None, NEWEST, WEB, Base::Newest(WEB)),
        (None, None, WEB, Base::Newest(WEB)),
        (FILE, None, None, Base::File("Config::taskdef.json")),
    ] {
        assert_eq!(Base::chosen(taskdef, base, family), Ok(chosen));
    }
}

#[test]
fn two_bases_are_refused_by_their_names() {
    for (taskdef, base, family, start) in [
        (FILE, RUNNING, None, "`taskdef` and `base` are both given"),
        (FILE, NEWEST, WEB, "`taskdef` and `base` are both given"),
        (FILE, None, WEB, "`taskdef` and `family` are both given"),
        (
            None,
            RUNNING,
            WEB,
            "`family` is `web` and `base` is `running`",
        ),
    ] {
        let refusal = Base::chosen(taskdef, base, family).expect_err(start);
        assert!(refusal.starts_with(start), "{refusal}");
    }
}
