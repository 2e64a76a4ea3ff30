//! Projection expressions: the parts of an item that a read answers.

use super::Placeholders;
use super::lexer::Parser;
use super::path::{Path, Step, check_disjoint};
use crate::ApiError;
use crate::dynamodb::attribute::{Attribute, Item};

pub(in crate::services::dynamodb) fn projection(
    text: &str,
    placeholders: &mut Placeholders,
) -> Result<Vec<Path>, ApiError> {
    let mut parser = Parser::new("ProjectionExpression", text, placeholders)?;
    let mut paths = vec![parser.path()?];
    while parser.take(",") {
        paths.push(parser.path()?);
    }
    parser.end()?;
    check_disjoint("ProjectionExpression", &paths.iter().collect::<Vec<_>>())?;
    Ok(paths)
}

/// The parts of an item at these paths; list elements move together, as DynamoDB leaves no holes.
pub(in crate::services::dynamodb) fn project<'a>(
    item: &Item,
    paths: impl IntoIterator<Item = &'a Path>,
) -> Item {
    let steps: Vec<&[Step]> = paths.into_iter().map(|path| path.0.as_slice()).collect();
    part_of_map(item, &steps)
}

fn part(value: &Attribute, paths: &[&[Step]]) -> Option<Attribute> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    match value {
        Attribute::M(map) => Some(Attribute::M(part_of_map(map, paths)))
            .filter(|part| *part != Attribute::M(Item::new())),
        Attribute::L(list) => {
            let parts: Vec<Attribute> = list
                .iter()
                .enumerate()
                .filter_map(|(index, value)| within(value, &Step::Index(index), paths))
                .collect();
            Some(Attribute::L(parts)).filter(|part| *part != Attribute::L(Vec::new()))
        }
        _ => None,
    }
}

fn part_of_map(map: &Item, paths: &[&[Step]]) -> Item {
    let part = |(name, value): (&String, &Attribute)| {
        Some((
            name.clone(),
            within(value, &Step::Name(name.clone()), paths)?,
        ))
    };
    map.iter().filter_map(part).collect()
}

fn within(value: &Attribute, step: &Step, paths: &[&[Step]]) -> Option<Attribute> {
    let deeper: Vec<&[Step]> = paths
        .iter()
        .filter(|path| path.first() == Some(step))
        .map(|path| &path[1..])
        .collect();
    if deeper.is_empty() {
        None
    } else {
        part(value, &deeper)
    }
}
