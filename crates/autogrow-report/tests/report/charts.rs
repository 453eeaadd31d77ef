//! Charts stay as they were looked at, and become pixels anywhere.

use crate::common::{assert_same, fixture};
use autogrow_report::Run;
use autogrow_report::chart::{Size, Surface, Trajectory, png};
use autogrow_report::figure::{
    Against, Family, Net, Quantity, TimeUnit, accuracy_against_macs, accuracy_against_parameters,
    growing, loss_surface, trajectories,
};

fn family(name: &str, is_found: bool, nets: &[(&str, f64, f64, f64)]) -> Family {
    let net = |&(label, parameters, macs, accuracy): &(&str, f64, f64, f64)| Net {
        training: f64::NAN,
        deviation: 0.0,
        label: label.into(),
        parameters,
        macs,
        accuracy,
    };
    Family { name: name.into(), is_found, nets: nets.iter().map(net).collect() }
}

fn families() -> Vec<Family> {
    let manual = [
        ("", 7.8e4, 1.2e7, 88.4),
        ("2-2-2", 1.75e5, 2.6e7, 90.8),
        ("", 2.7e5, 4.0e7, 91.7),
        ("5-5-5", 4.6e5, 6.9e7, 92.6),
        ("", 8.5e5, 1.26e8, 93.3),
        ("18-18-18", 1.7e6, 2.5e8, 93.6),
    ];
    let found = [("K = 3", 1.9e6, 2.8e8, 93.9), ("K = 50", 5.4e5, 8.1e7, 92.9)];
    vec![family("trained from scratch", false, &manual), family("AutoGrow", true, &found)]
}

fn surface() -> Surface {
    let places: Vec<f64> = (0..41).map(|i| -2.0 + 0.1 * f64::from(i)).collect();
    let z = |x: f64, y: f64| 0.05 + (x - 0.5).powi(2) + 2.5 * (y + 0.2 * x).powi(2);
    let values = places.iter().flat_map(|y| places.iter().map(move |x| z(*x, *y)));
    Surface { x: places.clone(), y: places.clone(), z: values.collect() }
}

fn way() -> Trajectory {
    let at = |i: u32| {
        let t = f64::from(i) / 19.0;
        [-1.6 + 2.1 * t, 1.4 * (1.0 - t).powi(2) - 0.1 + 0.25 * (9.0 * t).sin() * (1.0 - t)]
    };
    let marks = vec![(0, "1-1-1".into()), (9, "growth".into()), (19, "4-4-4".into())];
    Trajectory { name: "p-AutoGrow".into(), points: (0..20).map(at).collect(), marks }
}

fn charts() -> Vec<(&'static str, String)> {
    let run = Run { path: "digits".into(), ..Run::read(&fixture("run")).unwrap() };
    let size = Size::FIGURE;
    let small = Size { width: 358.0, height: 290.0 };
    let time = Against::Time(TimeUnit::Seconds);
    vec![
        ("accuracy", growing(&run, Quantity::Score, Against::Epochs).svg(size)),
        ("loss-by-time", growing(&run, Quantity::Loss, time).svg(small)),
        ("parameters", accuracy_against_parameters("CIFAR10", &families()).svg(size)),
        ("macs", accuracy_against_macs("CIFAR10", &families()).svg(size)),
        ("trajectory", trajectories("Training", surface(), vec![way()], [0.61, 0.2]).svg(size)),
        (
            "surface",
            loss_surface("Around a minimum", surface(), vec![0.1, 0.5, 1.0, 4.0]).svg(small),
        ),
    ]
}

#[test]
fn charts_are_as_they_were() {
    for (name, svg) in charts() {
        assert_same(&format!("charts/{name}.svg"), svg.as_bytes());
    }
}

/// Width and height in a PNG's header.
fn size(png: &[u8]) -> [u32; 2] {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    [16, 20].map(|at| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()))
}

#[test]
fn every_chart_becomes_pixels() {
    for (name, svg) in charts() {
        let width = if svg.contains("width=\"640\"") { 1280 } else { 716 };
        let pixels = png(&svg, 2.0).unwrap();
        assert_eq!(size(&pixels)[0], width, "{name}");
        if let Some(folder) = std::env::var_os("AUTOGROW_CHARTS") {
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), pixels)
                .unwrap();
        }
    }
}

#[test]
fn text_needs_no_font_of_the_machine() {
    let text = |text: &str| {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90\" height=\"20\" \
             font-family=\"Nowhere, sans-serif\"><text y=\"15\">{text}</text></svg>"
        );
        png(&svg, 1.0).unwrap()
    };
    assert_ne!(text("accuracy"), text(""));
    assert_ne!(text("τ − ≥ ▲"), text("τ"));
}

#[test]
fn what_is_no_chart_is_an_error() {
    let huge = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1e6\" height=\"1e6\"/>";
    for svg in ["", "<html/>", "<svg", huge] {
        assert!(png(svg, 1.0).unwrap_err().to_string().contains("cannot be drawn"), "{svg}");
    }
    assert!(png(&charts()[0].1, f32::NAN).is_err());
    assert!(png(&charts()[0].1, 0.0).is_err());
}
