//! Results as Markdown.

use super::{HEADER, RUNS, cells, folders};
use crate::reproduce::figures::Figure;
use crate::reproduce::results::Results;

/// A title, notes, figures, a table; links go to run folders.
pub(in crate::reproduce) fn markdown(results: &Results) -> String {
    let mut text = format!("# {}\n", results.title);
    for note in &results.notes {
        text.push_str(&format!("\n{note}\n"));
    }
    for Figure { title, file, numbers } in &results.figures {
        let json = if *numbers { format!(", [numbers]({file}.json)") } else { String::new() };
        text.push_str(&format!(
            "\n![{title}]({file}.png)\n\n{title} ([SVG]({file}.svg), [PNG]({file}.png){json})\n"
        ));
    }
    text.push_str(&format!("\n{}{}", row(HEADER), row(HEADER.map(|_| "---"))));
    for line in &results.lines {
        let mut cells = cells(line).map(|cell| cell.replace('|', "\\|"));
        let links = folders(line);
        let links = links.iter().map(|(what, name)| format!("[{what}](runs/{name}/)"));
        cells[RUNS] = links.collect::<Vec<_>>().join(", ");
        text.push_str(&row(cells.each_ref().map(String::as_str)));
    }
    text
}

fn row(cells: [&str; 17]) -> String {
    format!("| {} |\n", cells.join(" | "))
}
