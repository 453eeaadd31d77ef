//! A Rust file as a flat list of tokens: no comments, no string that looks like code, and each
//! token knows its line and whether it is compiled for tests alone.

use proc_macro2::{Delimiter, Group, LexError, TokenStream, TokenTree};
use std::str::FromStr;

/// An identifier, a literal, a punctuation character or a delimiter.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
    /// From 1.
    pub(super) line: usize,
    /// Whether it belongs to an item under `#[cfg(test)]`.
    pub(super) test: bool,
}

/// The tokens of a file.
///
/// # Errors
/// Where it is no Rust.
pub(super) fn tokens(content: &str) -> Result<Vec<Token>, LexError> {
    let mut tokens = Vec::new();
    flatten(TokenStream::from_str(content)?, false, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, test: bool, tokens: &mut Vec<Token>) {
    // Whether we are between a `#[cfg(test)]` and the end of the item it stands before.
    let mut item_for_tests = false;
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: String, test| tokens.push(Token { text, line, test });
        match tree {
            TokenTree::Group(group) => {
                item_for_tests |= is_cfg_test(&group);
                let test = test || item_for_tests;
                let (open, close) = delimiters(group.delimiter());
                push(open.into(), test);
                flatten(group.stream(), test, tokens);
                let line = group.span_close().start().line;
                tokens.push(Token { text: close.into(), line, test });
                item_for_tests &= group.delimiter() != Delimiter::Brace;
            }
            other => {
                let text = other.to_string();
                let ends = text == ";";
                push(text, test || item_for_tests);
                item_for_tests &= !ends;
            }
        }
    }
}

fn is_cfg_test(group: &Group) -> bool {
    let text = || group.stream().to_string().replace(' ', "");
    group.delimiter() == Delimiter::Bracket && text() == "cfg(test)"
}

fn delimiters(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Whether `tokens` begin with these texts.
pub(super) fn begins(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && texts.iter().zip(tokens).all(|(text, own)| own.text == *text)
}

/// Whether `tokens` begin with a call of this macro.
pub(super) fn calls(tokens: &[Token], name: &str) -> bool {
    begins(tokens, &[name, "!"])
        && tokens.get(2).is_some_and(|next| ["(", "[", "{"].contains(&next.text.as_str()))
}

/// Whether `tokens` begin with `parent::child`, or with `parent::{.., child, ..}`.
pub(super) fn mentions(tokens: &[Token], parent: &str, child: &str) -> bool {
    if !begins(tokens, &[parent, ":", ":"]) {
        return false;
    }
    let rest = &tokens[3..];
    if !begins(rest, &["{"]) {
        return begins(rest, &[child]);
    }
    let mut depth = 0;
    for (index, token) in rest.iter().enumerate() {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => return false,
            "}" => depth -= 1,
            text if text == child && depth == 1 => {
                if ["{", ","].contains(&rest[index - 1].text.as_str()) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anywhere(content: &str, is: impl Fn(&[Token]) -> bool) -> bool {
        let tokens = tokens(content).unwrap();
        (0..tokens.len()).any(|start| is(&tokens[start..]))
    }

    #[test]
    fn only_code_counts() {
        let todo = |content| anywhere(content, |tokens| calls(tokens, "todo"));
        assert!(todo("fn f() { todo!() }"));
        assert!(todo("fn f() { todo! {} }"));
        assert!(!todo("fn f() -> bool { todo != 1 } // todo!()"));
        assert!(!todo("/// todo!()\nfn f() { \"todo!()\" }"));
    }

    #[test]
    fn paths_are_found_in_groups() {
        let fs = |content| anywhere(content, |tokens| mentions(tokens, "std", "fs"));
        assert!(fs("use std::fs::File;"));
        assert!(fs("use std::{io, fs::{self, File}};"));
        assert!(!fs("use std::{io, my::fs};"));
        assert!(!fs("use std::{io}; use fs;"));
        assert!(!fs("use std::io; fn f() { std::mem::swap() }"));
    }

    #[test]
    fn items_for_tests_are_marked_to_their_end() {
        let content = "use a;\n#[cfg(test)]\nuse b;\nuse c;\n\
                       #[cfg(test)]\nmod tests { use d; }\nfn e(x: [u8; 2]) {}";
        let tokens = tokens(content).unwrap();
        let test = |name| tokens.iter().find(|token| token.text == name).unwrap().test;
        assert_eq!(["a", "b", "c", "d", "e"].map(test), [false, true, false, true, false]);
        assert_eq!(tokens.last().unwrap().line, 7);
    }
}
