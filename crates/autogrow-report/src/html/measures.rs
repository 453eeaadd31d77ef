//! The best model of a run that does not tell classes apart: its measures, as `evaluation.json` has
//! them.

use super::section as framed;
use crate::run::Measures;
use maud::{Markup, html};

pub(super) fn section(measures: &Measures) -> Markup {
    let words = |name: &str| name.replace('_', " ");
    let body = html! {
        dl.facts.small {
            @for (name, text) in &measures.facts { div { dt { (words(name)) } dd { (text) } } }
        }
        @for table in &measures.tables {
            div.scroll tabindex="0" role="region" aria-label=(words(&table.name)) {
                table {
                    caption { (words(&table.name)) }
                    thead { tr {
                        @for name in &table.columns { th scope="col" { (words(name)) } }
                    } }
                    tbody {
                        @for row in &table.rows { tr { @for cell in row { td { (cell) } } } }
                    }
                }
            }
        }
    };
    framed("measures", "The best model", &body)
}
