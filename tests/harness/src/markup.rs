//! The markup of pages, as tests look at it.

/// Elements that have no end.
const VOID: [&str; 2] = ["meta", "!DOCTYPE"];

/// Every tag as its name and its attributes. The templates hold no `>` inside an attribute, and
/// escaping lets none in.
#[must_use]
pub fn tags(page: &str) -> Vec<(&str, &str)> {
    let inside = page
        .split('<')
        .skip(1)
        .map(|part| &part[..part.find('>').expect("a tag ends")]);
    inside
        .map(|text| text.split_once([' ', '\n']).unwrap_or((text, "")))
        .collect()
}

/// The names of a tag's attributes.
pub fn attribute_names(attributes: &str) -> impl Iterator<Item = &str> {
    let names = attributes.split('"').step_by(2);
    names.map(|name| name.trim().trim_end_matches('='))
}

/// # Panics
/// Where an element is closed that is not the innermost open one, or none is closed.
pub fn assert_well_formed(page: &str) {
    let mut open = Vec::new();
    for (name, attributes) in tags(page) {
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "closes what is open");
        } else if !VOID.contains(&name) && !attributes.ends_with('/') && !name.ends_with('/') {
            open.push(name);
        }
    }

    assert!(open.is_empty(), "{open:?} stay open");
}

/// # Panics
/// Where a table, a drawing or a landmark has no name for those who hear the page.
pub fn assert_audible(page: &str) {
    let all = tags(page);
    let attributes =
        |name: &'static str| all.iter().filter(move |tag| tag.0 == name).map(|tag| tag.1);

    assert!(attributes("html").all(|html| html.contains("lang=\"en\"")));
    assert!(attributes("th").all(|th| th.contains("scope=")));
    assert!(
        attributes("svg")
            .all(|svg| svg.contains("role=\"img\"") || svg.contains("aria-hidden=\"true\""))
    );
    assert_eq!(
        attributes("desc").count(),
        attributes("svg")
            .filter(|svg| svg.contains("role=\"img\""))
            .count()
    );
    assert_eq!(attributes("h1").count(), 1);

    let ids: Vec<_> = all
        .iter()
        .filter_map(|(_, text)| text.split("id=\"").nth(1)?.split('"').next())
        .collect();
    for named in all
        .iter()
        .filter_map(|(_, text)| text.split("aria-labelledby=\"").nth(1)?.split('"').next())
    {
        assert!(named.split(' ').all(|id| ids.contains(&id)), "{named}");
    }
}
