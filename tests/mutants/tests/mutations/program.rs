//! Source code, compared by what it means: parentheses and layout do not count.

use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprIf, Macro, Stmt, Token, parse_quote};

/// A file with only the parentheses that its operators need.
pub(crate) fn canonical(text: &str) -> String {
    let mut file = syn::parse_file(text).expect("Rust");
    Canonical.visit_file_mut(&mut file);
    file.to_token_stream().to_string()
}

/// A file with mutations in it, as it is while all of them are off.
pub(crate) fn without_switches(text: &str) -> String {
    let mut file = syn::parse_file(text).expect("Rust");
    Off.visit_file_mut(&mut file);
    Canonical.visit_file_mut(&mut file);
    file.to_token_stream().to_string()
}

/// Removes parentheses; the printer adds those that are needed.
struct Canonical;

impl VisitMut for Canonical {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        while let Expr::Paren(inner) = expression {
            *expression = (*inner.expr).clone();
        }
        visit_mut::visit_expr_mut(self, expression);
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        within(self, call);
    }
}

/// Puts what stands behind a switch that is off in its place.
struct Off;

impl VisitMut for Off {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        while let Expr::Paren(inner) = expression
            && let Expr::If(choice) = &*inner.expr
            && let Some(block) = while_off(choice)
        {
            *expression = match block.stmts.as_slice() {
                [Stmt::Expr(only, None)] => only.clone(),
                _ => parse_quote!(#block),
            };
        }
        visit_mut::visit_expr_mut(self, expression);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        while let Some((at, inner)) = first_switch(block) {
            block.stmts.splice(at..=at, inner.stmts);
        }
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        within(self, call);
    }
}

/// The first statement of a block that is a choice between both, and the branch that runs while its
/// switch is off.
pub(crate) fn first_switch(block: &Block) -> Option<(usize, Block)> {
    let mut statements = block.stmts.iter().enumerate();
    statements.find_map(|(at, statement)| match statement {
        Stmt::Expr(Expr::If(choice), None) => Some((at, while_off(choice)?.clone())),
        _ => None,
    })
}

/// The branch that runs while a switch is off, of a choice between both.
pub(crate) fn while_off(choice: &ExprIf) -> Option<&Block> {
    let condition = choice.cond.to_token_stream().to_string();
    let is_switch = condition.starts_with("slipway :: mutants :: is (");
    match &*choice.else_branch.as_ref().filter(|_| is_switch)?.1 {
        Expr::Block(block) => Some(&block.block),
        _ => None,
    }
}

/// Visits the arguments of a macro. Those that are not all expressions are left out of the
/// comparison.
fn within(visitor: &mut impl VisitMut, call: &mut Macro) {
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    let Ok(mut arguments) = parser.parse2(call.tokens.clone()) else {
        call.tokens = quote!();
        return;
    };
    for argument in &mut arguments {
        visitor.visit_expr_mut(argument);
    }
    call.tokens = arguments.to_token_stream();
}
