//! Results as a page of HTML that needs nothing but itself.

use super::Cells;
use crate::figures::Drawing;
use crate::results::Results;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em;color:#1d2329}\
    table{border-collapse:collapse;font-size:13px}\
    th,td{border:1px solid #ccd3da;padding:.3em .6em;text-align:left;vertical-align:top}\
    th{background:#eef1f4}p{max-width:60em}\
    figure{display:inline-block;margin:0 1em 1.5em 0;max-width:48em}\
    figure img{max-width:100%}figcaption{font-size:13px}";

/// A title, notes, figures, a table; links go to run folders.
pub(crate) fn html(results: &Results) -> String {
    let title = escape(&results.title);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n"
    );
    for note in &results.notes {
        text.push_str(&format!("<p>{}</p>\n", escape(note)));
    }
    for Drawing { title, file, numbers } in &results.figures {
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
    let row = |tag: &str, cells: Vec<String>| {
        let cells = cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>"));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let Cells { headers, rows } = Cells::of(results);
    text.push_str("<table>\n");
    text.push_str(&row("th", headers.into_iter().map(escape).collect()));
    for (cells, folders, remarks) in rows {
        let links = folders
            .iter()
            .map(|(what, name)| format!("<a href=\"runs/{}/\">{}</a>", escape(name), escape(what)));
        let links = links.collect::<Vec<_>>().join("<br>");
        let cells = cells.iter().map(|cell| escape(cell)).chain([links, escape(&remarks)]);
        text.push_str(&row("td", cells.collect()));
    }
    text.push_str("</table>\n</html>\n");
    text
}

/// As text that is neither a tag nor the end of an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
