//! The figures of the paper: series of numbers in, a chart out.

use crate::Words;
use crate::chart::{
    Axis, Band, COLOURS, ContourChart, Dot, Format, Lane, LineChart, Scale, Series, Size, Stroke,
    Surface, Trajectory, levels, side_by_side,
};
use crate::run::{Epoch, MOST_SUB_NETWORKS, Run};
use autogrow_run::{Event, Phase};

/// What a curve shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// What guides growth, in percent ([`Words::score`]), of training and of guiding images.
    Score,
    /// What training makes smaller, of the same.
    Loss,
}

impl Quantity {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Score, Self::Loss];

    /// Its value on training images and on those that guide the run.
    pub fn of(self, epoch: &Epoch) -> [f64; 2] {
        match self {
            Self::Score => [epoch.record.train_accuracy, epoch.record.val_accuracy],
            Self::Loss => [epoch.record.train_loss, epoch.record.val_loss],
        }
    }

    /// Its heading.
    pub(crate) fn heading(self, words: Words) -> &'static str {
        match self {
            Self::Score => words.score_capitalised(),
            Self::Loss => "Loss",
        }
    }

    /// A vertical axis for `curves` of it, an epoch a number. Scores of the first epochs and of single
    /// later ones, far below all others, are left beneath the chart rather than all others squeezed;
    /// where two epochs in a row are that low, the chart shows it. Losses have a logarithmic axis.
    pub(crate) fn axis(self, words: Words, curves: &[Vec<f64>]) -> Axis {
        match self {
            Self::Loss => Axis::new("loss").scaled(Scale::Log),
            Self::Score => {
                let axis = Axis::new(format!("{}, %", words.score()));
                let finite = |curve: &Vec<f64>| -> Vec<f64> {
                    curve.iter().copied().filter(|value| value.is_finite()).collect()
                };
                let curves: Vec<_> = curves.iter().map(finite).collect();
                let mut values = curves.concat();
                values.sort_by(f64::total_cmp);
                let (Some(&low), Some(&top)) = (values.get(values.len() / 14), values.last())
                else {
                    return axis;
                };
                let later = curves.iter().flat_map(|curve| {
                    let begun = curve.iter().position(|&value| value >= low).unwrap_or(curve.len());
                    curve[begun..].windows(2).map(|pair| pair[0].max(pair[1]))
                });
                let low = later.fold(low, f64::min);
                let margin = ((top - low) * 0.06).max(0.05);
                axis.from_to(low - margin, top + margin)
            }
        }
    }
}

/// What a curve is drawn against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Epochs.
    Epochs,
    /// Time, in the unit that suits it.
    Time(TimeUnit),
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TimeUnit {
    Seconds,
    Minutes,
    Hours,
}

impl TimeUnit {
    /// That in which `seconds` are told best.
    pub fn of(seconds: f64) -> Self {
        match seconds {
            s if s >= 3.0 * 3600.0 => Self::Hours,
            s if s >= 180.0 => Self::Minutes,
            _ => Self::Seconds,
        }
    }

    /// Seconds in one.
    pub fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3600.0,
        }
    }

    /// Its symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Minutes => "min",
            Self::Hours => "h",
        }
    }
}

impl Against {
    fn axis(self) -> Axis {
        match self {
            Self::Epochs => Axis::new("epochs"),
            Self::Time(unit) => Axis::new(format!("time, {}", unit.symbol())),
        }
    }

    pub(crate) fn of(self, epoch: &Epoch) -> f64 {
        match self {
            Self::Epochs => epoch.number as f64,
            Self::Time(unit) => epoch.elapsed / unit.seconds(),
        }
    }
}

/// A run's curves with its growths beneath them: Figures 4 and 8.
pub fn growing(run: &Run, quantity: Quantity, against: Against) -> LineChart {
    let series = |which: usize, name: &str| {
        let points = run.epochs.iter().map(|epoch| [against.of(epoch), quantity.of(epoch)[which]]);
        Series::line(name, points.collect())
    };
    let curves =
        [0, 1].map(|which| run.epochs.iter().map(|epoch| quantity.of(epoch)[which]).collect());
    let at = |epoch: usize| place(run, epoch, against);
    let lanes = lanes(run, at);
    let band =
        run.epochs.iter().find(|epoch| epoch.record.phase == Phase::FineTuning).map(|first| {
            let last = run.epochs.last().map_or(0.0, |epoch| against.of(epoch));
            Band {
                from_to: [at(first.number.saturating_sub(1)), last],
                label: "fine-tuning".into(),
            }
        });
    let words = run.words();
    let name = quantity.heading(words);
    LineChart {
        title: String::new(),
        description: format!("{name} of {} against {}", run.name(), against.axis().label),
        x: against.axis().from_to(0.0, run.epochs.last().map_or(1.0, |epoch| against.of(epoch))),
        y: quantity.axis(words, &curves),
        series: vec![series(0, "training").coloured(1), series(1, words.guide()).coloured(0)],
        lanes,
        bands: band.into_iter().collect(),
    }
}

/// Where the end of an epoch lies.
fn place(run: &Run, epoch: usize, against: Against) -> f64 {
    match run.epochs.binary_search_by_key(&epoch, |own| own.number) {
        Ok(index) => against.of(&run.epochs[index]),
        Err(_) => 0.0,
    }
}

/// A lane a sub-network.
fn lanes(run: &Run, at: impl Fn(usize) -> f64) -> Vec<Lane> {
    let count = run.depth().map_or(0, |depth| depth.sub_networks().min(MOST_SUB_NETWORKS));
    let mut lanes: Vec<Lane> =
        (0..count).map(|i| Lane { name: i.to_string(), ..Lane::default() }).collect();
    for event in &run.events {
        match event {
            Event::Grew { epoch, subnet, .. } => {
                if let Some(lane) = lanes.get_mut(*subnet) {
                    lane.grown.push(at(*epoch));
                }
            }
            Event::Stopped { epoch, subnet, .. }
            | Event::Capped { epoch, subnet, .. }
            | Event::OutOfTime { epoch, subnet, .. } => {
                if let Some(lane) = lanes.get_mut(*subnet) {
                    lane.stopped = Some(at(*epoch));
                }
            }
            _ => {}
        }
    }
    if lanes.iter().all(|lane| lane.grown.is_empty() && lane.stopped.is_none()) {
        lanes.clear();
    }
    lanes
}

/// A quantity of several runs on one chart: on the images that guide them alone, a colour a run.
pub fn overlaid(runs: &[(String, &Run)], quantity: Quantity, against: Against) -> LineChart {
    let series = |(name, run): &(String, &Run)| {
        let points = run.epochs.iter().map(|epoch| [against.of(epoch), quantity.of(epoch)[1]]);
        Series::line(name.as_str(), points.collect())
    };
    let curve =
        |(_, run): &(String, &Run)| run.epochs.iter().map(|epoch| quantity.of(epoch)[1]).collect();
    let curves: Vec<Vec<f64>> = runs.iter().map(curve).collect();
    let last = runs.iter().filter_map(|(_, run)| run.epochs.last());
    let last = last.map(|epoch| against.of(epoch)).fold(0.0, f64::max);
    let words = Words::common(runs.iter().map(|(_, run)| run.words()));
    let mut y = quantity.axis(words, &curves);
    y.label = format!("{} {}", words.guide(), y.label);
    LineChart {
        description: format!("{} of {} runs", y.label, runs.len()),
        x: against.axis().from_to(0.0, last),
        y,
        series: runs.iter().map(series).collect(),
        ..LineChart::default()
    }
}

/// A trained network.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// What is written beside it; empty: nothing.
    pub label: String,
    /// Trainable parameters.
    pub parameters: f64,
    /// Multiply-accumulates for an image.
    pub macs: f64,
    /// Multiply-accumulates of all its training for an image of the training set, forward passes
    /// alone; not a number where they are not known.
    pub training: f64,
    /// Percent; of several seeds the mean.
    pub accuracy: f64,
    /// Its deviation over several seeds; 0 for one.
    pub deviation: f64,
}

/// Networks that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Their name.
    pub name: String,
    /// Whether AutoGrow found them; else they were designed or searched by hand.
    pub is_found: bool,
    /// The networks, in the order in which a line connects those designed by hand.
    pub nets: Vec<Net>,
}

/// Accuracy against parameters, found nets beside a manual search: Figure 6.
pub fn accuracy_against_parameters(title: &str, families: &[Family]) -> LineChart {
    let series = families.iter().enumerate();
    let series = series.map(|(place, family)| of_family(place, family, |net| net.parameters));
    LineChart {
        title: title.into(),
        x: Axis::new("parameters").scaled(Scale::Log).written(Format::Si),
        y: Axis::new("accuracy, %"),
        series: series.collect(),
        ..LineChart::default()
    }
}

/// Accuracy against multiply-accumulates, the area of a marker proportional to the parameters:
/// Figure 7.
pub fn accuracy_against_macs(title: &str, families: &[Family]) -> LineChart {
    let nets = families.iter().flat_map(|family| &family.nets);
    let largest = nets.map(|net| net.parameters).fold(f64::MIN_POSITIVE, f64::max);
    let series = families.iter().enumerate().map(|(place, family)| {
        let areas = family.nets.iter().map(|net| 260.0 * net.parameters / largest);
        Series { areas: areas.collect(), ..of_family(place, family, |net| net.macs) }
    });
    LineChart {
        title: title.into(),
        x: Axis::new("multiply-accumulates for an image").written(Format::Si),
        y: Axis::new("accuracy, %"),
        series: series.collect(),
        ..LineChart::default()
    }
}

/// Accuracy against what training has cost: what a search for the depth comes to.
pub fn accuracy_against_training(title: &str, families: &[Family]) -> LineChart {
    let series = families.iter().enumerate();
    let series = series.map(|(place, family)| of_family(place, family, |net| net.training));
    LineChart {
        title: title.into(),
        x: Axis::new("multiply-accumulates of all training, a training image")
            .scaled(Scale::Log)
            .written(Format::Si),
        y: Axis::new("accuracy, %"),
        series: series.collect(),
        ..LineChart::default()
    }
}

/// The family at this place: as many as there are colours differ by colour, those behind by their dots.
fn of_family(place: usize, family: &Family, x: impl Fn(&Net) -> f64) -> Series {
    Series {
        name: family.name.clone(),
        points: family.nets.iter().map(|net| [x(net), net.accuracy]).collect(),
        labels: family.nets.iter().map(|net| net.label.clone()).collect(),
        errors: family.nets.iter().map(|net| net.deviation).collect(),
        stroke: if family.is_found { Stroke::None } else { Stroke::Solid },
        dot: match (family.is_found, place / COLOURS) {
            (false, _) => Dot::Ring,
            (true, 0) => Dot::Diamond,
            (true, 1) => Dot::Square,
            (true, _) => Dot::Disc,
        },
        ..Series::default()
    }
}

/// Ways of training over the loss, projected to the plane of two principal components: Figures 2
/// and 3. `explained` is the part of the variance along each, 0 to 1.
pub fn trajectories(
    title: &str,
    surface: Surface,
    trajectories: Vec<Trajectory>,
    explained: [f64; 2],
) -> ContourChart {
    let axis = |which: &str, part: f64| {
        Axis::new(format!("{which} principal component ({:.0} % of variance)", 100.0 * part))
    };
    ContourChart {
        title: title.into(),
        x: axis("first", explained[0]),
        y: axis("second", explained[1]),
        surface,
        trajectories,
        levels: Vec::new(),
    }
}

/// Losses around several minima side by side, with the same contours, as an SVG document.
pub fn loss_surfaces(surfaces: &[(String, Surface)]) -> String {
    let levels = levels(surfaces.iter().flat_map(|(_, surface)| &surface.z).copied());
    let chart =
        |(title, surface): &(String, Surface)| loss_surface(title, surface.clone(), levels.clone());
    match surfaces {
        [one] => chart(one).svg(Size { width: 480.0, height: 440.0 }),
        several => {
            let panel = Size { width: 380.0, height: 360.0 };
            let panels: Vec<_> = several.iter().map(|one| chart(one).svg(panel)).collect();
            side_by_side(&panels, panel)
        }
    }
}

/// The loss around a minimum, in the middle, along two random directions: Figure 5. Surfaces that are
/// compared get the same `levels`.
pub fn loss_surface(title: &str, surface: Surface, levels: Vec<f64>) -> ContourChart {
    ContourChart {
        title: title.into(),
        x: Axis::new("first direction"),
        y: Axis::new("second direction"),
        surface,
        levels,
        trajectories: vec![Trajectory {
            points: vec![[0.0, 0.0]],
            marks: vec![(0, String::new())],
            ..Trajectory::default()
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow_run::config::SelectOn;

    #[test]
    fn a_collapse_is_on_the_chart_and_the_first_epochs_are_not() {
        let words = Words::of(None, SelectOn::Val);
        let lowest = |later: &[f64]| {
            let rise = [10.0, 20.0, 90.0];
            let curve: Vec<f64> =
                rise.iter().chain([95.0; 40].iter()).chain(later).copied().collect();
            Quantity::Score.axis(words, &[curve]).range.unwrap()[0]
        };
        assert!(lowest(&[]) > 80.0);
        assert!(lowest(&[30.0, 95.0]) > 80.0, "one epoch");
        assert!(lowest(&[95.0, 30.0, 35.0]) < 35.0, "a collapse");
    }
}
