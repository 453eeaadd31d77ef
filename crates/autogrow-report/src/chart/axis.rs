//! Axes: from values to pixels, and ticks at round numbers.

/// How values are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm; what is not above zero has no place.
    Log,
}

/// How values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// As they are.
    #[default]
    Plain,
    /// With k, M, G.
    Si,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it shows, with its unit: `accuracy, %`.
    pub label: String,
    /// Spread.
    pub scale: Scale,
    /// Notation.
    pub format: Format,
    /// From where to where; none: as far as the values go.
    pub range: Option<[f64; 2]>,
}

impl Axis {
    /// A linear axis as far as the values go.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// The same with another spread.
    #[must_use]
    pub fn scaled(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// The same with another notation.
    #[must_use]
    pub fn written(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The same from here to there.
    #[must_use]
    pub fn from_to(mut self, from: f64, to: f64) -> Self {
        self.range = Some([from, to]);
        self
    }

    /// Whether a value has a place on it.
    pub(super) fn holds(&self, value: f64) -> bool {
        value.is_finite() && (self.scale == Scale::Linear || value > 0.0)
    }

    /// Where it begins and ends, so that all of `values` are on it, with a margin of `margin` of
    /// its length where no range is given.
    pub(super) fn extent(&self, values: impl Iterator<Item = f64>, margin: f64) -> [f64; 2] {
        if let Some([from, to]) = self.range
            && self.holds(from)
            && self.holds(to)
            && from < to
        {
            return [from, to];
        }
        let fold = |[low, high]: [f64; 2], value: f64| [low.min(value), high.max(value)];
        let [low, high] = values
            .filter(|value| self.holds(*value))
            .fold([f64::INFINITY, f64::NEG_INFINITY], fold);
        if low > high {
            return if self.scale == Scale::Log { [0.1, 10.0] } else { [0.0, 1.0] };
        }
        match self.scale {
            Scale::Linear => {
                let span = high - low;
                let pad = if span > 0.0 { span * margin } else { low.abs().max(1.0) * 0.05 };
                [low - pad, high + pad]
            }
            Scale::Log => {
                let pad = (high / low).powf(margin).max(1.05);
                [low / pad, high * pad]
            }
        }
    }
}

/// An axis laid out in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    pub(super) scale: Scale,
    /// Values at its ends.
    pub(super) values: [f64; 2],
    /// Pixels at its ends.
    pub(super) pixels: [f64; 2],
}

impl Map {
    /// Where a value lies.
    pub(super) fn pixel(&self, value: f64) -> f64 {
        let place = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Log => value.ln(),
        };
        let [from, to] = self.values.map(place);
        let part = (place(value) - from) / (to - from);
        self.pixels[0] + part * (self.pixels[1] - self.pixels[0])
    }
}

/// Ticks at round values, `most` of them at most, each with its text.
pub(super) fn ticks(axis: &Axis, [from, to]: [f64; 2], most: usize) -> Vec<(f64, String)> {
    let most = most.max(2);
    let of_log = (axis.scale == Scale::Log).then(|| log(from, to, most));
    // Over a small part of a decade the scale is as good as linear, and so are its round values.
    let of_log = of_log.filter(|values| values.len() > 1);
    let is_log = of_log.is_some();
    let values = of_log.unwrap_or_else(|| linear(from, to, most));
    let step = values.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    let text = |value: f64| match axis.format {
        Format::Si => prefixed(value),
        Format::Plain if is_log => plain(value, value),
        Format::Plain => plain(value, step),
    };
    values.into_iter().map(|value| (value, text(value))).collect()
}

/// Round values, evenly spaced, `most` of them or one more at most.
pub(super) fn linear(from: f64, to: f64, most: usize) -> Vec<f64> {
    let rough = (to - from) / most as f64;
    let power = 10f64.powf(rough.log10().floor());
    let Some(step) = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|s| *s >= rough)
    else {
        return Vec::new();
    };
    let (first, last) = ((from / step - 1e-9).ceil(), (to / step + 1e-9).floor());
    let count = (last - first).clamp(-1.0, 100.0) as i64;
    (0..=count).map(|index| (first + index as f64) * step).collect()
}

fn log(from: f64, to: f64, most: usize) -> Vec<f64> {
    let (low, high) = (from.log10().floor() as i32, to.log10().ceil() as i32);
    // From many ticks a decade to few, then every second, third, ... decade.
    let by = |digits: &[f64], every: i32| -> Vec<f64> {
        let powers = (low..=high).filter(|power| power.rem_euclid(every) == 0);
        let values = powers.flat_map(|power| digits.iter().map(move |d| d * 10f64.powi(power)));
        values.filter(|v| *v >= from * (1.0 - 1e-9) && *v <= to * (1.0 + 1e-9)).collect()
    };
    let within = [&[1.0, 2.0, 3.0, 4.0, 5.0, 7.0][..], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
    let decades = (1..40).map(|every| by(&[1.0], every));
    let mut choices = within.iter().map(|digits| by(digits, 1)).chain(decades);
    choices.find(|values| values.len() <= most).unwrap_or_default()
}

/// A value with as many digits as `step` needs.
fn plain(value: f64, step: f64) -> String {
    // A double has no more than 17 digits that mean anything.
    let digits = |count: f64| count.clamp(0.0, 17.0) as usize;
    let power = |value: f64| (value.abs().log10() + 1e-9).floor();
    let text = if value == 0.0 {
        "0".into()
    } else if !step.is_finite() {
        format!("{value}")
    } else if value.abs() >= 1e6 || step < 1e-4 {
        format!("{value:.0$e}", digits(power(value) - power(step)))
    } else {
        format!("{value:.0$}", digits(-power(step)))
    };
    text.replace('-', "−")
}

/// A tick: `1500000` as `1.5 M`, with no digit that is not needed, so that neighbours are told apart.
fn prefixed(value: f64) -> String {
    let (divisor, unit) = match value.abs() {
        n if n >= 1e9 => (1e9, " G"),
        n if n >= 1e6 => (1e6, " M"),
        n if n >= 1e3 => (1e3, " k"),
        _ => (1.0, ""),
    };
    let text = format!("{:.3}", value / divisor);
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis, range: [f64; 2], most: usize) -> Vec<String> {
        ticks(axis, range, most).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(
            texts(&Axis::new(""), [0.0, 36.0], 8),
            ["0", "5", "10", "15", "20", "25", "30", "35"]
        );
        assert_eq!(
            texts(&Axis::new(""), [99.1, 99.62], 6),
            ["99.1", "99.2", "99.3", "99.4", "99.5", "99.6"]
        );
        assert_eq!(texts(&Axis::new(""), [-1.0, 1.0], 5), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        let log = || Axis::new("").scaled(Scale::Log);
        assert_eq!(texts(&log(), [0.0008, 7.0], 5), ["0.001", "0.01", "0.1", "1"]);
        assert_eq!(texts(&log(), [0.5, 3.0], 6), ["0.5", "0.7", "1", "2", "3"]);
        assert_eq!(texts(&log(), [1.31, 1.52], 5), ["1.35", "1.40", "1.45", "1.50"]);
        let si = Axis::new("").scaled(Scale::Log).written(Format::Si);
        assert_eq!(texts(&si, [9e4, 3e6], 5), ["100 k", "200 k", "500 k", "1 M", "2 M"]);
    }

    #[test]
    fn very_small_and_very_large_ticks_have_the_digits_that_tell_them_apart() {
        let axis = Axis::new("");
        assert_eq!(texts(&axis, [0.0, 2e-5], 5), ["0", "5e−6", "1.0e−5", "1.5e−5", "2.0e−5"]);
        assert_eq!(texts(&axis, [-2e6, 2e6], 4), ["−2e6", "−1e6", "0", "1e6", "2e6"]);
        assert_eq!(texts(&axis, [1e6, 1.4e6], 2), ["1.0e6", "1.2e6", "1.4e6"]);
        let log = Axis::new("").scaled(Scale::Log);
        assert_eq!(texts(&log, [1e-7, 1e-4], 4), ["1e−7", "1e−6", "1e−5", "0.0001"]);
        for power in -300..300 {
            let from = 10f64.powi(power);
            for to in [from * 1.0001, from * 1.7, from * 3.0, from * 40.0] {
                for range in [[from, to], [-to, -from], [-from, to]] {
                    let mut texts = texts(&axis, range, 6);
                    assert!(texts.iter().all(|text| !text.contains('-')), "{texts:?}");
                    let values = texts.iter().map(|text| text.replace('−', "-").parse::<f64>());
                    let values: Vec<f64> = values.collect::<Result<_, _>>().unwrap();
                    assert!(values.is_sorted(), "{texts:?}");
                    let count = texts.len();
                    texts.dedup();
                    assert_eq!(texts.len(), count, "{texts:?}");
                }
            }
        }
    }

    #[test]
    fn any_range_has_few_ticks() {
        for power in -300..300 {
            let from = 10f64.powi(power);
            for scale in [Scale::Linear, Scale::Log] {
                let axis = Axis::new("").scaled(scale);
                for to in [from * 1.0001, from * 3.0, from * 1e7] {
                    assert!(ticks(&axis, [from, to], 6).len() <= 8, "{from} to {to}");
                }
            }
        }
    }

    #[test]
    fn an_axis_without_values_is_still_an_axis() {
        let axis = Axis::new("");
        assert_eq!(axis.extent([f64::NAN].into_iter(), 0.1), [0.0, 1.0]);
        let [low, high] = axis.extent([5.0].into_iter(), 0.1);
        assert!(low < 5.0 && 5.0 < high);
        let [low, high] = axis.scaled(Scale::Log).extent([0.0, -1.0, 3.0].into_iter(), 0.1);
        assert!(0.0 < low && low < 3.0 && 3.0 < high);
    }
}
