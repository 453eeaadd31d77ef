//! The paths that a Rust file names, outside its tests: `use` groups spelled out, macros looked
//! into, comments and strings passed over.

use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};
use std::iter::Peekable;
use std::str::FromStr;

/// What a file names.
#[derive(Debug, Default)]
pub(super) struct Paths {
    pub(super) named: Vec<Named>,
    /// Modules with files of their own that are compiled for tests alone: `#[cfg(test)] mod a;`.
    pub(super) for_tests: Vec<String>,
}

/// A path of two or more names, or the one name of a `use`.
#[derive(Debug, PartialEq)]
pub(super) struct Named {
    /// As it is written: `["crate", "growth", "Depth"]`. A glob is a name, `*`.
    pub(super) path: Vec<String>,
    /// From 1.
    pub(super) line: usize,
    /// The modules inside the file that it stands in: `["a", "b"]` for `mod a { mod b { .. } }`.
    pub(super) inside: Vec<String>,
    /// What a `use` calls it, which is its last name or what follows `as`; none elsewhere.
    pub(super) imported: Option<String>,
}

type Tokens = Peekable<proc_macro2::token_stream::IntoIter>;

impl Paths {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Where it is not Rust.
    pub(super) fn of(content: &str) -> Result<Self, LexError> {
        let mut paths = Self::default();
        let mut scope = Scope { inside: Vec::new(), prefix: Vec::new(), imports: false };
        paths.read(TokenStream::from_str(content)?, &mut scope);
        Ok(paths)
    }

    fn read(&mut self, stream: TokenStream, scope: &mut Scope) {
        let outer = scope.imports;
        let mut tokens = stream.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                token if is_mark(Some(&token), '#') => self.attribute(&mut tokens, scope),
                token if is_mark(Some(&token), ';') => scope.imports = outer,
                token if is_mark(Some(&token), '*') && scope.imports => {
                    self.push(&["*".into()], token.span().start().line, None, scope);
                }
                TokenTree::Ident(word) if word == "use" => {
                    // What a type captures is no import: `impl Fn() + use<'_>`.
                    scope.imports = !is_mark(tokens.peek(), '<');
                }
                TokenTree::Ident(word) if word == "mod" => self.module(&mut tokens, scope),
                TokenTree::Ident(word) => {
                    let line = word.span().start().line;
                    self.path(word.to_string(), line, &mut tokens, scope);
                }
                TokenTree::Group(group) => self.read(group.stream(), scope),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        scope.imports = outer;
    }

    /// After a `#`: what `#[cfg(test)]` stands before is passed over.
    fn attribute(&mut self, tokens: &mut Tokens, scope: &mut Scope) {
        let Some(TokenTree::Group(group)) = tokens.peek() else { return };
        let is_for_tests = group.stream().to_string().replace(' ', "") == "cfg(test)";
        self.read(group.stream(), scope);
        tokens.next();
        if !is_for_tests {
            return;
        }
        let mut names = Vec::new();
        for token in tokens.by_ref() {
            match token {
                token if is_mark(Some(&token), ';') => break,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
                TokenTree::Ident(word) => names.push(word.to_string()),
                _ => {}
            }
        }
        if let [.., word, name] = &names[..]
            && word == "mod"
        {
            self.for_tests.push(name.clone());
        }
    }

    /// After `mod`.
    fn module(&mut self, tokens: &mut Tokens, scope: &mut Scope) {
        let Some(TokenTree::Ident(name)) = tokens.next() else { return };
        if let Some(TokenTree::Group(body)) = tokens.peek() {
            scope.inside.push(name.to_string());
            self.read(body.stream(), scope);
            scope.inside.pop();
            tokens.next();
        }
    }

    /// After the first name of a path, to its last.
    fn path(&mut self, first: String, line: usize, tokens: &mut Tokens, scope: &mut Scope) {
        let mut path = vec![first];
        while skip_colons(tokens) {
            match tokens.peek() {
                Some(TokenTree::Ident(name)) => path.push(name.to_string()),
                token if is_mark(token, '*') => path.push("*".into()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let outer = scope.prefix.len();
                    scope.prefix.append(&mut path);
                    self.read(group.stream(), scope);
                    scope.prefix.truncate(outer);
                    tokens.next();
                    return;
                }
                // The types of a function: `parse::<u32>`.
                _ => break,
            }
            tokens.next();
        }
        let renamed = matches!(tokens.peek(), Some(TokenTree::Ident(word)) if word == "as");
        let mut alias = None;
        if renamed && scope.imports {
            tokens.next();
            if let Some(TokenTree::Ident(name)) = tokens.next() {
                alias = Some(name.to_string());
            }
        }
        self.push(&path, line, alias, scope);
    }

    fn push(&mut self, path: &[String], line: usize, alias: Option<String>, scope: &Scope) {
        let mut path = [&scope.prefix[..], path].concat();
        // `use a::{self, b}` names `a`.
        if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
            path.pop();
        }
        if path.len() > 1 || scope.imports {
            let imported = scope.imports.then(|| alias.or_else(|| path.last().cloned())).flatten();
            self.named.push(Named { path, line, inside: scope.inside.clone(), imported });
        }
    }
}

/// Where a token stands.
struct Scope {
    inside: Vec<String>,
    /// What stands before the group of a `use`.
    prefix: Vec<String>,
    /// Whether this is part of a `use`.
    imports: bool,
}

/// Whether `::` came next; it is passed over.
fn skip_colons(tokens: &mut Tokens) -> bool {
    let mut colon = || tokens.next_if(|token| is_mark(Some(token), ':')).is_some();
    colon() && colon()
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(own)) if own.as_char() == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(content: &str) -> Vec<String> {
        Paths::of(content).unwrap().named.iter().map(|named| named.path.join("::")).collect()
    }

    #[test]
    fn groups_are_spelled_out() {
        let of = paths("use std::{io, a::{self, B as C}, d::*};\nuse burn;\nuse ::{e::F, g};");
        assert_eq!(of, ["std::io", "std::a", "std::a::B", "std::d::*", "burn", "e::F", "g"]);
        assert_eq!(paths("use super::*;"), ["super::*"]);
    }

    #[test]
    fn code_and_macros_are_read_comments_and_strings_are_not() {
        let code = "/// a::b\n#[derive(serde::Serialize)] struct A<T: x::Y> { f: [c::D; 2] }\n\
                    fn f() { \"e::f\"; g(h::i::<j::K>(), l.m::<n>()); // o::p\n vec![q::r()] }";
        let all = ["serde::Serialize", "x::Y", "c::D", "h::i", "j::K", "q::r"];
        assert_eq!(paths(code), all);
        assert_eq!(paths("macro_rules! m { () => { $crate::a::b!() } }"), ["crate::a::b"]);
        assert_eq!(paths("pub(crate) fn f(x: u8) -> bool { x as usize * y == 1 }"), [""; 0]);
        assert_eq!(paths("fn f() -> impl A + use<'_> { let a = b { c: d::e, f }; }"), ["d::e"]);
    }

    #[test]
    fn tests_are_passed_over() {
        let code = "use a::b;\n#[cfg(test)]\nuse c::{d, e};\n#[cfg(test)]\nmod f;\n\
                    #[cfg(test)]\npub(crate) mod g;\nuse h::i;\n\
                    #[cfg(test)]\nmod tests { use j::k; }\nuse l::m;";
        assert_eq!(paths(code), ["a::b", "h::i", "l::m"]);
        assert_eq!(Paths::of(code).unwrap().for_tests, ["f", "g"]);
    }

    #[test]
    fn a_path_knows_its_line_its_module_and_its_name() {
        let code =
            "use a::B as C;\nmod d { mod e { fn f() { super::g() } } }\nuse h::{\n    I,\n};";
        let named = Paths::of(code).unwrap().named;
        let told = named.iter().map(|named| {
            (named.line, named.inside.join("::"), named.imported.clone().unwrap_or_default())
        });
        let expected = [(1, "", "C"), (2, "d::e", ""), (4, "", "I")];
        let expected = expected.map(|(line, inside, name)| (line, inside.into(), name.into()));
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_not_rust_is_an_error() {
        assert!(Paths::of("fn f() {").is_err());
    }
}
