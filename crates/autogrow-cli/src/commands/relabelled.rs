//! A data set with its classes in another order.

use autogrow::Result;
use autogrow::data::{Batch, DataSet, Outputs, Pass, Split, Targets};

/// The same data set, where class `i` has become class `places[i]` of `outputs`.
pub(super) fn relabelled(data: DataSet, outputs: &Outputs, places: &[usize]) -> DataSet {
    let split = |split| -> Box<dyn Split> { Box::new(Relabelled { split, places: places.into() }) };
    DataSet {
        outputs: outputs.clone(),
        train: split(data.train),
        validation: split(data.validation),
        test: split(data.test),
        ..data
    }
}

struct Relabelled {
    split: Box<dyn Split>,
    places: Vec<usize>,
}

impl Relabelled {
    fn targets_of(&self, targets: Targets) -> Targets {
        match targets {
            Targets::Classes(classes) => {
                let place = |class: usize| self.places.get(class).copied().unwrap_or(class);
                Targets::Classes(classes.into_iter().map(place).collect())
            }
            numbers => numbers,
        }
    }
}

impl Split for Relabelled {
    fn len(&self) -> usize {
        self.split.len()
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        Box::new(self.split.batches(pass).map(|batch| {
            batch.map(|batch| Batch { targets: self.targets_of(batch.targets), ..batch })
        }))
    }

    fn targets(&self) -> Result<Targets> {
        self.split.targets().map(|targets| self.targets_of(targets))
    }

    fn name(&self, position: usize) -> Option<String> {
        self.split.name(position)
    }

    fn stored_size(&self, position: usize) -> Result<Option<[usize; 2]>> {
        self.split.stored_size(position)
    }
}
