//! Names that a switch hides: a `let` behind a switch ends with its branch, so what reads the name
//! after it does not compile, or reads an earlier binding of the same name.

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprPath, LitStr, Macro, Pat, PatIdent, Stmt, Token};

use crate::program::{first_switch, while_off};

/// The names that statements behind switches bind, and statements after them read.
pub(crate) fn hidden(text: &str) -> Vec<String> {
    let mut file = syn::parse_file(text).expect("Rust");
    let mut hidden = Hidden::default();
    hidden.visit_file_mut(&mut file);
    hidden.names
}

#[derive(Default)]
struct Hidden {
    names: Vec<String>,
}

impl VisitMut for Hidden {
    fn visit_block_mut(&mut self, block: &mut Block) {
        for (at, statement) in block.stmts.iter().enumerate() {
            let Stmt::Expr(Expr::If(choice), None) = statement else {
                continue;
            };
            let bound = while_off(choice).map(bound_in).unwrap_or_default();
            let after = &block.stmts[at + 1..];
            self.names
                .extend(bound.into_iter().filter(|name| is_read(after, name)));
        }
        visit_mut::visit_block_mut(self, block);
    }
}

/// What the statements of a branch bind, those behind a switch within it too.
fn bound_in(block: &Block) -> Vec<String> {
    let mut bound = Bound::default();
    for statement in &block.stmts {
        if let Stmt::Local(local) = statement {
            bound.visit_pat_mut(&mut local.pat.clone());
        }
    }

    let mut names = bound.names;
    let mut rest = block.clone();
    while let Some((at, inner)) = first_switch(&rest) {
        names.extend(bound_in(&inner));
        rest.stmts.drain(..=at);
    }
    names
}

#[derive(Default)]
struct Bound {
    names: Vec<String>,
}

impl VisitMut for Bound {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        self.names.push(pattern.ident.to_string());
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

/// Whether statements read a name before one of them binds it anew.
fn is_read(statements: &[Stmt], name: &str) -> bool {
    for statement in statements {
        let mut reads = Reads { name, found: false };
        reads.visit_stmt_mut(&mut statement.clone());
        if reads.found {
            return true;
        }

        if let Stmt::Local(local) = statement
            && binds(&local.pat, name)
        {
            return false;
        }
    }
    false
}

fn binds(pattern: &Pat, name: &str) -> bool {
    let mut bound = Bound::default();
    bound.visit_pat_mut(&mut pattern.clone());
    bound.names.iter().any(|bound| bound == name)
}

struct Reads<'a> {
    name: &'a str,
    found: bool,
}

impl VisitMut for Reads<'_> {
    fn visit_expr_path_mut(&mut self, expression: &mut ExprPath) {
        self.found |= expression.path.is_ident(self.name);
        visit_mut::visit_expr_path_mut(self, expression);
    }

    /// A text may be the format of a macro, which captures names.
    fn visit_lit_str_mut(&mut self, text: &mut LitStr) {
        let text = text.value();
        let captures = |end: char| text.contains(&format!("{{{}{end}", self.name));
        self.found |= captures('}') || captures(':');
    }

    /// In a macro whose arguments are not all expressions any word may be the name.
    fn visit_macro_mut(&mut self, call: &mut Macro) {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(mut arguments) = parser.parse2(call.tokens.clone()) {
            for argument in &mut arguments {
                self.visit_expr_mut(argument);
            }
            return;
        }

        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let text = call.tokens.to_string();
        self.found |= text
            .split(|character| !is_part(character))
            .any(|word| word == self.name);
    }
}
