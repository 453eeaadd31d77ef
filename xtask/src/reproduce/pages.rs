//! Writes what there is so far: a page a suite, in three formats.

use super::place::{Place, publish};
use super::plan::Plan;
use super::results::Results;
use super::scale::Settings;
use super::table;
use anyhow::Result;

/// Writes the pages of all suites of a plan.
///
/// # Errors
/// Where a result cannot be read or a page not be written.
pub(super) fn write_pages(plan: &Plan<'_>, place: &Place, settings: &Settings<'_>) -> Result<()> {
    for page in &plan.pages {
        let results = Results::read(page, plan, place, settings)?;
        let path = |extension| place.out.join(format!("{}.{extension}", page.suite.name));
        publish(&path("md"), &table::markdown(&results))?;
        publish(&path("csv"), &table::csv(&results)?)?;
        publish(&path("html"), &table::html(&results))?;
    }
    Ok(())
}
