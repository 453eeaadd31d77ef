//! Results as Markdown.

use super::Cells;
use crate::figures::Drawing;
use crate::results::Results;

/// A title, notes, figures, a table; links go to run folders.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = format!("# {}\n", results.title);
    for note in &results.notes {
        text.push_str(&format!("\n{note}\n"));
    }
    for Drawing { title, file, numbers } in &results.figures {
        let json = if *numbers { format!(", [numbers]({file}.json)") } else { String::new() };
        text.push_str(&format!(
            "\n![{title}]({file}.png)\n\n{title} ([SVG]({file}.svg), [PNG]({file}.png){json})\n"
        ));
    }
    let row = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let Cells { headers, rows } = Cells::of(results);
    text.push_str(&format!("\n{}{}", row(&headers), row(&vec!["---"; headers.len()])));
    for (cells, folders, remarks) in rows {
        let links = folders.iter().map(|(what, name)| format!("[{what}](runs/{name}/)"));
        let links = links.collect::<Vec<_>>().join(", ");
        let cells = cells.into_iter().chain([links, remarks]);
        let cells: Vec<_> = cells.map(|cell| cell.replace('|', "\\|")).collect();
        text.push_str(&row(&cells.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    text
}
