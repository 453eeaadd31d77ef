//! Rows in memory, as the network takes them, and [`Table`]: a file of rows for a model.

use super::fit::{Fit, Whose};
use super::sheet::Sheet;
use super::targets::{self, RowTargets};
use super::wanted::Wanted;
use crate::images::{Source, SourceTargets};
use crate::random::Draws;
use crate::subset::Subset;
use autogrow_core::Result;
use autogrow_core::data::{Outputs, Split, TableInput};
use autogrow_formats::Input;
use std::path::Path;
use std::sync::Arc;

/// Standardised rows.
pub(super) struct Rows {
    width: usize,
    values: Vec<f32>,
    targets: RowTargets,
    /// Line of each row in its file.
    lines: Vec<u64>,
}

impl Rows {
    /// Some rows of a table with their targets.
    pub(super) fn labelled(fit: &Fit<'_>, sheet: &Sheet, rows: &[usize]) -> Result<Self> {
        let found = Wanted::named(&fit.table.targets, fit.outputs.task())
            .find(sheet)
            .map_err(|problem| fit.refused(sheet, problem))?;
        let targets = targets::read(fit, sheet, rows, &found.columns)?;
        let lines = rows.iter().map(|&row| sheet.lines[row]).collect();
        Ok(Self { width: fit.table.width(), values: fit.features(sheet, rows)?, targets, lines })
    }
}

impl Source for Rows {
    fn image(&self) -> [usize; 3] {
        [self.width, 1, 1]
    }

    fn targets(&self) -> SourceTargets<'_> {
        match &self.targets {
            RowTargets::Classes(classes) => SourceTargets::Classes(classes),
            RowTargets::Numbers { width, values } => {
                SourceTargets::Numbers { width: *width, values }
            }
        }
    }

    fn stored_size(&self, _: usize) -> Result<[usize; 2]> {
        Ok([1, 1])
    }

    fn name(&self, index: usize) -> Option<String> {
        self.lines.get(index).map(|line| format!("line {line}"))
    }

    fn fill(&self, index: usize, _: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        out.copy_from_slice(&self.values[index * self.width..(index + 1) * self.width]);
        Ok(())
    }
}

/// A table whose rows a model is to be evaluated on, or to tell something of.
pub struct Table<'a> {
    sheet: Sheet,
    input: &'a TableInput,
}

impl<'a> Table<'a> {
    /// Reads a file, packed or not, for a model that takes `input`.
    ///
    /// # Errors
    /// [`Error::Data`](autogrow_core::Error::Data) where it cannot be read or is no table.
    pub fn read(path: &Path, input: &'a TableInput) -> Result<Self> {
        Ok(Self { sheet: Sheet::read(path, &Fit::known(input))?, input })
    }

    /// The same of a file's bytes; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn of_bytes(name: &str, bytes: &[u8], input: &'a TableInput) -> Result<Self> {
        let content = Input::embedded(name, bytes);
        Ok(Self { sheet: Sheet::of(Path::new(name), content, &Fit::known(input))?, input })
    }

    /// Line of each row in the file.
    pub fn lines(&self) -> impl Iterator<Item = u64> + '_ {
        self.sheet.lines.iter().copied()
    }

    /// All rows, in order, with the targets of a model that has these outputs.
    ///
    /// # Errors
    /// [`Error::Run`](autogrow_core::Error::Run) where columns or classes are not those of the
    /// model, [`Error::Data`](autogrow_core::Error::Data) where a cell cannot be used.
    pub fn labelled(&self, outputs: &Outputs) -> Result<Box<dyn Split>> {
        let fit = Fit { table: self.input, outputs, whose: Whose::Model };
        self.split(Rows::labelled(&fit, &self.sheet, &self.rows())?)
    }

    /// All rows, in order; their targets, which need not be there, are not looked at.
    ///
    /// # Errors
    /// As [`Table::labelled`].
    pub fn unlabelled(&self, outputs: &Outputs) -> Result<Box<dyn Split>> {
        let (fit, rows) = (Fit { table: self.input, outputs, whose: Whose::Model }, self.rows());
        let values = fit.features(&self.sheet, &rows)?;
        let targets = RowTargets::Classes(vec![0; rows.len()]);
        let lines = self.sheet.lines.clone();
        self.split(Rows { width: self.input.width(), values, targets, lines })
    }

    fn rows(&self) -> Vec<usize> {
        (0..self.sheet.rows.len()).collect()
    }

    fn split(&self, rows: Rows) -> Result<Box<dyn Split>> {
        Ok(Box::new(Subset::new(Arc::new(rows), (0..self.sheet.rows.len() as u32).collect())))
    }
}
