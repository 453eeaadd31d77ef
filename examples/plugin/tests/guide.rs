//! The guide in AutoGrow's `docs/plugins.md`, followed word by word, gives this crate.

/// Every file of the crate that the guide shows, and in what language.
const FILES: [(&str, &str, &str); 7] = [
    ("Cargo.toml", "toml", include_str!("../Cargo.toml")),
    ("src/gated.rs", "rust", include_str!("../src/gated.rs")),
    ("src/small.rs", "rust", include_str!("../src/small.rs")),
    ("src/share.rs", "rust", include_str!("../src/share.rs")),
    ("src/stripes.rs", "rust", include_str!("../src/stripes.rs")),
    ("src/lib.rs", "rust", include_str!("../src/lib.rs")),
    ("src/main.rs", "rust", include_str!("../src/main.rs")),
];

#[test]
fn the_guide_shows_these_files() {
    let guide = include_str!("../../../docs/plugins.md");
    for (path, language, content) in FILES {
        let shown = format!("`{path}`:\n\n```{language}\n{content}```\n");
        assert!(guide.contains(&shown), "docs/plugins.md shows another {path}");
    }
}
