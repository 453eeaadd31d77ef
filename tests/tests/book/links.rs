//! Links of the pages: each leads to a page, a heading or a file that is there, and the table of
//! contents names every page.

use crate::pages::{Page, pages, root};
use std::path::Path;

/// Targets of links and pictures, `[text](target)`, outside of blocks of code.
fn targets(page: &Page) -> Vec<String> {
    let (mut targets, mut within) = (Vec::new(), false);
    for line in page.text.lines() {
        within ^= line.starts_with("```");
        if !within {
            let links = line.split("](").skip(1);
            targets.extend(links.filter_map(|rest| Some(rest.split_once(')')?.0.to_string())));
        }
    }
    targets
}

/// The anchors of a page's headings, as mdBook and the forges make them.
fn anchors(page: &Page) -> Vec<String> {
    let (mut anchors, mut within) = (Vec::new(), false);
    for line in page.text.lines() {
        within ^= line.starts_with("```");
        if !within && let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            anchors.push(kept.collect::<String>().replace(' ', "-"));
        }
    }
    anchors
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    for page in &pages {
        let folder = Path::new(&page.name).parent().unwrap();
        for target in targets(page) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { page.name.clone().into() } else { folder.join(file) };
            let place = root().join(&path).canonicalize();
            let place = place.unwrap_or_else(|_| panic!("{} links to {target}", page.name));
            // What the book does not hold, it cannot show.
            let of_book = !page.name.starts_with("docs/") || place.starts_with(root().join("docs"));
            assert!(of_book, "{} links out of the book: {target}", page.name);
            if !anchor.is_empty() {
                let to = pages.iter().find(|page| root().join(&page.name) == place).unwrap();
                let there = anchors(to).iter().any(|own| own == anchor);
                assert!(there, "{} links to {target}, which has no such heading", page.name);
            }
        }
    }
}

#[test]
fn the_table_of_contents_names_every_page() {
    let pages = pages();
    let contents = pages.iter().find(|page| page.name == "docs/SUMMARY.md").unwrap();
    let named = targets(contents);
    for page in &pages {
        let Some(file) = page.name.strip_prefix("docs/") else { continue };
        let times = named.iter().filter(|name| *name == file).count();
        assert_eq!(times, usize::from(file != "SUMMARY.md"), "{file}");
    }
}
