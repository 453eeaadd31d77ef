//! What the source says of structs and enums: fields, variants, and their documentation. The
//! generated pages have their words from there, so that there is one place to write them.

use std::collections::BTreeMap;

/// A field or a variant.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Of a field.
    pub(crate) kind: String,
    pub(crate) doc: String,
}

/// The members of every documented `pub struct` and `pub enum` in source formatted by rustfmt.
pub(crate) fn members(source: &str) -> BTreeMap<String, Vec<Member>> {
    let mut types = BTreeMap::<String, Vec<Member>>::new();
    let (mut doc, mut current) = (String::new(), None);
    for line in source.lines() {
        let text = line.trim();
        let declared = text.strip_prefix("pub struct ").or(text.strip_prefix("pub enum "));
        if let Some(words) = text.strip_prefix("///") {
            doc.push_str(words);
        } else if let Some(name) = declared.and_then(|rest| rest.strip_suffix(" {")) {
            current = Some(name.to_string());
            doc.clear();
        } else if line == "}" {
            current = None;
        } else if !text.starts_with("#[") {
            let member = text.trim_start_matches("pub ").trim_end_matches(',');
            let (name, kind) = member.split_once(": ").unwrap_or((member, ""));
            if let Some(name_of_type) = &current
                && !doc.is_empty()
            {
                let name = name.split('(').next().unwrap_or_default().to_string();
                let member = Member { name, kind: kind.into(), doc: doc.trim().into() };
                types.entry(name_of_type.clone()).or_default().push(member);
            }
            doc.clear();
        }
    }
    types
}

#[test]
fn members_come_with_their_words() {
    let source = "/// A.\npub struct A {\n    /// Of\n    /// it.\n    #[serde(x)]\n    pub b: Vec<f64>,\n}\n\
                  /// E.\npub enum E {\n    /// One.\n    One(usize),\n}\n/// Not.\nfn f() {}\n";
    let types = members(source);
    let told = |name: &str| {
        let Member { name, kind, doc } = &types[name][0];
        [name.clone(), kind.clone(), doc.clone()]
    };
    assert_eq!(types.len(), 2);
    assert_eq!(told("A"), ["b", "Vec<f64>", "Of it."]);
    assert_eq!(told("E"), ["One", "", "One."]);
}
