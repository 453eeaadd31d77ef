//! Results as a page of HTML that needs nothing but itself.

use super::{HEADER, RUNS, cells, folders};
use crate::reproduce::figures::Figure;
use crate::reproduce::results::Results;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em;color:#1d2329}\
    table{border-collapse:collapse;font-size:13px}\
    th,td{border:1px solid #ccd3da;padding:.3em .6em;text-align:left;vertical-align:top}\
    th{background:#eef1f4}p{max-width:60em}\
    figure{display:inline-block;margin:0 1em 1.5em 0;max-width:48em}\
    figure img{max-width:100%}figcaption{font-size:13px}";

/// A title, notes, figures, a table; links go to run folders.
pub(in crate::reproduce) fn html(results: &Results) -> String {
    let title = escape(&results.title);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n"
    );
    for note in &results.notes {
        text.push_str(&format!("<p>{}</p>\n", escape(note)));
    }
    for Figure { title, file, numbers } in &results.figures {
        let (title, file) = (escape(title), escape(file));
        let link = |ending: &str, name: &str| format!("<a href=\"{file}.{ending}\">{name}</a>");
        let mut links = vec![link("svg", "SVG"), link("png", "PNG")];
        links.extend(numbers.then(|| link("json", "numbers")));
        text.push_str(&format!(
            "<figure><img src=\"{file}.svg\" alt=\"{title}\"><figcaption>{title} ({})\
             </figcaption></figure>\n",
            links.join(", ")
        ));
    }
    let row = |tag: &str, cells: &[String]| {
        let cells = cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>"));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    text.push_str(&format!("<table>\n{}", row("th", &HEADER.map(escape))));
    for line in &results.lines {
        let mut cells = cells(line).map(|cell| escape(&cell));
        let links = folders(line);
        let links = links
            .iter()
            .map(|(what, name)| format!("<a href=\"runs/{}/\">{}</a>", escape(name), escape(what)));
        cells[RUNS] = links.collect::<Vec<_>>().join("<br>");
        text.push_str(&row("td", &cells));
    }
    text.push_str("</table>\n</html>\n");
    text
}

/// As text that is neither a tag nor the end of an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
