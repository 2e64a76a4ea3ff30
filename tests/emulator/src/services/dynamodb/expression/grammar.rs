//! The grammar of conditions: OR binds less than AND, and AND less than NOT.

use std::cmp::Ordering;

use super::super::attribute::Attribute;
use super::Placeholders;
use super::condition::{Comparator, Condition, Operand};
use super::parser::{Parser, Problem};
use crate::ApiError;

const KEYWORDS: [&str; 5] = ["BETWEEN", "IN", "AND", "OR", "NOT"];

/// The types that `attribute_type` compares with, in the order of its message.
const TYPES: [&str; 10] = ["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"];

const ORDER: [Problem; 5] = [
    Problem::Parentheses,
    Problem::Function,
    Problem::Misuse,
    Problem::Reserved,
    Problem::Comparison,
];
/// The functions of conditions, which updates do not have.
pub(super) const FUNCTIONS: [&str; 6] = [
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
];
/// What is wrong with one comparison.
const OF_COMPARISON: [Problem; 5] = [
    Problem::Name,
    Problem::Value,
    Problem::Operand,
    Problem::Distinct,
    Problem::Type,
];

/// What parentheses can be around.
enum Term {
    Operand(Operand),
    Condition(Condition),
    /// The call of this function, which is a condition.
    Call(String, Condition),
}

impl Condition {
    pub(in crate::services::dynamodb) fn parse(
        member: &'static str,
        text: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, ApiError> {
        let parser = Parser::new(member, &KEYWORDS, text, placeholders)?;
        let mut grammar = Grammar {
            parser,
            group: None,
        };
        let term = grammar.either()?;
        let condition = grammar.condition(term)?;
        grammar.parser.finish(&ORDER)?;
        Ok(condition)
    }
}

struct Grammar<'a> {
    parser: Parser<'a>,
    /// The first and the last token of the parentheses that were closed last.
    group: Option<(usize, usize)>,
}

impl Grammar<'_> {
    fn either(&mut self) -> Result<Term, ApiError> {
        let mut term = self.both()?;
        while self.parser.take("OR") {
            let one = Box::new(self.condition(term)?);
            let two = self.both()?;
            term = Term::Condition(Condition::Or(one, Box::new(self.condition(two)?)));
        }
        Ok(term)
    }

    fn both(&mut self) -> Result<Term, ApiError> {
        let mut term = self.negated()?;
        while self.parser.take("AND") {
            let one = Box::new(self.condition(term)?);
            let two = self.negated()?;
            term = Term::Condition(Condition::And(one, Box::new(self.condition(two)?)));
        }
        Ok(term)
    }

    fn negated(&mut self) -> Result<Term, ApiError> {
        if !self.parser.take("NOT") {
            return self.comparison();
        }
        let term = self.comparison()?;
        let condition = Box::new(self.condition(term)?);
        Ok(Term::Condition(Condition::Not(condition)))
    }

    fn comparison(&mut self) -> Result<Term, ApiError> {
        let term = self.atom()?;
        let condition = if let Some(comparator) = self.parser.peek().and_then(Comparator::of) {
            self.parser.expect(comparator.symbol())?;
            let one = self.operand_of(term)?;
            let two = self.operand()?;
            self.check_distinct(comparator.symbol(), &one, &two);
            Condition::Compare(one, comparator, two)
        } else if self.parser.take("BETWEEN") {
            let operand = self.operand_of(term)?;
            let lower = self.operand()?;
            self.parser.expect("AND")?;
            let upper = self.operand()?;
            self.check_bounds(&lower, &upper);
            Condition::Between(operand, lower, upper)
        } else if self.parser.take("IN") {
            let operand = self.operand_of(term)?;
            self.parser.expect("(")?;
            Condition::In(operand, self.arguments()?)
        } else {
            self.end_comparison();
            return Ok(term);
        };

        self.end_comparison();
        Ok(Term::Condition(condition))
    }

    fn end_comparison(&mut self) {
        if let Some(problem) = self.parser.first_problem(&OF_COMPARISON) {
            self.parser.note(Problem::Comparison, problem);
        }
    }

    fn atom(&mut self) -> Result<Term, ApiError> {
        let begin = self.parser.position();
        if self.parser.take("(") {
            let term = self.either()?;
            let end = self.parser.position();
            self.parser.expect(")")?;
            if self.group == Some((begin + 1, end - 1)) {
                let problem = "The expression has redundant parentheses;";
                self.parser.note(Problem::Parentheses, problem);
            }
            self.group = Some((begin, end));
            return Ok(term);
        }
        if let Some(function) = self.parser.take_call() {
            let arguments = self.arguments()?;
            return Ok(self.call(function, arguments));
        }
        let operand = match self.parser.take_value() {
            Some(value) => Operand::Value(value),
            None => Operand::Path(self.parser.path()?),
        };
        Ok(Term::Operand(operand))
    }

    fn operand(&mut self) -> Result<Operand, ApiError> {
        let term = self.atom()?;
        self.operand_of(term)
    }

    /// A term as an operand, which of the functions only `size` is.
    fn operand_of(&mut self, term: Term) -> Result<Operand, ApiError> {
        match term {
            Term::Operand(operand) => Ok(operand),
            Term::Condition(_) => Err(self.parser.syntax_error()),
            Term::Call(function, _) => {
                self.misused(&function);
                Ok(Operand::Value(Attribute::Bool(true)))
            }
        }
    }

    /// A term as a condition, which `size` is not.
    fn condition(&mut self, term: Term) -> Result<Condition, ApiError> {
        match term {
            Term::Condition(condition) | Term::Call(_, condition) => Ok(condition),
            Term::Operand(operand @ Operand::Size(_)) => {
                self.misused("size");
                Ok(Condition::Exists(operand))
            }
            Term::Operand(_) => Err(self.parser.syntax_error()),
        }
    }

    fn misused(&mut self, function: &str) {
        let what = "The function is not allowed to be used this way in an expression; function:";
        self.parser
            .note(Problem::Misuse, format!("{what} {function}"));
    }

    /// Operands between commas, and the parenthesis at their end.
    fn arguments(&mut self) -> Result<Vec<Operand>, ApiError> {
        let mut arguments = vec![self.operand()?];
        while self.parser.take(",") {
            arguments.push(self.operand()?);
        }
        self.parser.expect(")")?;
        Ok(arguments)
    }

    fn call(&mut self, function: String, arguments: Vec<Operand>) -> Term {
        let count = arguments.len();
        let expected = match function.as_str() {
            "attribute_exists" | "attribute_not_exists" | "size" => 1,
            "attribute_type" | "begins_with" | "contains" => 2,
            "if_not_exists" | "list_append" => {
                let what = "The function is not allowed in a condition expression; function:";
                self.parser
                    .note(Problem::Function, format!("{what} {function}"));
                count
            }
            _ => {
                let problem = format!("Invalid function name; function: {function}");
                self.parser.note(Problem::Function, problem);
                count
            }
        };
        if count != expected {
            let problem = wrong_count(&function, count);
            self.parser.note(Problem::Operand, problem);
        } else {
            self.check_arguments(&function, &arguments);
        }

        let mut arguments = arguments.into_iter();
        let mut next = || {
            let argument = arguments.next();
            argument.unwrap_or(Operand::Value(Attribute::Null))
        };
        let condition = match function.as_str() {
            "size" => return Term::Operand(Operand::Size(Box::new(next()))),
            "attribute_exists" => Condition::Exists(next()),
            "attribute_not_exists" => Condition::NotExists(next()),
            "attribute_type" => Condition::IsOfType(next(), next()),
            "begins_with" => Condition::BeginsWith(next(), next()),
            _ => Condition::Contains(next(), next()),
        };
        Term::Call(function, condition)
    }

    fn check_arguments(&mut self, function: &str, arguments: &[Operand]) {
        if let [one, two] = arguments {
            self.check_distinct(function, one, two);
        }
        let wrong_type = |kind: &str| wrong_type(function, kind);
        let kinds: Vec<Option<&str>> = arguments.iter().map(Operand::kind).collect();
        let problem = match function {
            "attribute_exists" | "attribute_not_exists" => {
                let is_path = matches!(arguments, [Operand::Path(_)]);
                (!is_path).then(|| requires_path(function))
            }
            "begins_with" => {
                let mut kinds = kinds.into_iter().flatten();
                kinds
                    .find(|kind| !["S", "B"].contains(kind))
                    .map(wrong_type)
            }
            "size" => {
                let mut kinds = kinds.into_iter().flatten();
                kinds
                    .find(|kind| ["N", "BOOL", "NULL"].contains(kind))
                    .map(wrong_type)
            }
            "attribute_type" => match &arguments[1] {
                Operand::Value(Attribute::S(name)) => {
                    let all = TYPES.join(",");
                    let is_known = TYPES.contains(&name.as_str());
                    let what = "Invalid attribute type name found; type:";
                    (!is_known).then(|| format!("{what} {name}, valid types: {{{all}}}"))
                }
                other => {
                    let kind = other.kind().unwrap_or("{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
                    Some(wrong_type(kind))
                }
            },
            _ => None,
        };
        if let Some(problem) = problem {
            self.parser.note(Problem::Type, problem);
        }
    }

    fn check_distinct(&mut self, operator: &str, one: &Operand, two: &Operand) {
        if let (Operand::Path(path), true) = (one, one == two) {
            let problem = format!(
                "The first operand must be distinct from the remaining operands for this operator \
                 or function; operator: {operator}, first operand: {path}"
            );
            self.parser.note(Problem::Distinct, problem);
        }
    }

    fn check_bounds(&mut self, lower: &Operand, upper: &Operand) {
        let (Operand::Value(lower), Operand::Value(upper)) = (lower, upper) else {
            return;
        };
        let shown = |value: &Attribute| {
            let json = value.to_json();
            let text = &json[value.kind()];
            let text = text
                .as_str()
                .map_or_else(|| text.to_string(), str::to_owned);
            format!("AttributeValue: {{{}:{text}}}", value.kind())
        };
        let requirement = if lower.kind() != upper.kind() {
            "same data type for lower and upper bounds"
        } else if lower.order(upper).is_some_and(Ordering::is_gt) {
            "upper bound to be greater than or equal to lower bound"
        } else {
            return;
        };
        let problem = format!(
            "The BETWEEN operator requires {requirement}; lower bound operand: {}, upper bound \
             operand: {}",
            shown(lower),
            shown(upper)
        );
        self.parser.note(Problem::Type, problem);
    }
}

/// The problem of a function whose first argument is not a path.
pub(super) fn requires_path(function: &str) -> String {
    format!("Operator or function requires a document path; operator or function: {function}")
}

/// The problem of a function or an operator that does not take this number of arguments.
pub(super) fn wrong_count(function: &str, count: usize) -> String {
    format!(
        "Incorrect number of operands for operator or function; operator or function: {function}, \
         number of operands: {count}"
    )
}

/// The problem of a function or an operator that does not take values of a type.
pub(super) fn wrong_type(function: &str, kind: &str) -> String {
    format!(
        "Incorrect operand type for operator or function; operator or function: {function}, \
         operand type: {kind}"
    )
}
