//! The best model class by class: confusions, calibration, and its most confident mistakes.

use super::format::{exact, percent};
use super::section as framed;
use crate::chart::{Axis, Dot, LineChart, Series, Size, Stroke};
use crate::run::Evaluation;
use maud::{Markup, PreEscaped, html};

/// Classes up to which the whole matrix is shown.
const MATRIX: usize = 30;
/// Confusions that are listed.
const LISTED: usize = 12;
const CALIBRATION: Size = Size { width: 340.0, height: 300.0 };

pub(super) fn section(evaluation: &Evaluation) -> Markup {
    let body = html! {
        dl.facts.small {
            div { dt { "top-1" } dd { (exact("top1", evaluation.top1, &percent(evaluation.top1))) } }
            @if let Some(baselines) = &evaluation.baselines {
                @if let Some(linear) = &baselines.linear {
                    div { dt { "logistic regression" }
                        dd { (exact("linear", linear.score, &percent(linear.score))) } }
                }
                div { dt { "always " (baselines.class.as_deref().unwrap_or("the biggest class")) }
                    dd { (exact("constant", baselines.constant, &percent(baselines.constant))) } }
            }
            @if let Some(top5) = evaluation.top5 {
                div { dt { "top-5" } dd { (exact("top5", top5, &percent(top5))) } }
            }
            @if let Some(loss) = evaluation.loss {
                div { dt { "loss" } dd { (exact("loss", loss, &format!("{loss:.4}"))) } }
            }
            @if let Some(ece) = evaluation.ece {
                div { dt { "calibration error" }
                    dd { (exact("ece", ece, &format!("{:.2}", 100.0 * ece))) span.unit { "points" } } }
            }
            @if let Some(data) = &evaluation.data {
                div { dt { "data set" } dd { (data) span.unit { (evaluation.split) } } }
            }
            @if let Some(model) = model(evaluation) { div { dt { "model" } dd { (model) } } }
            div { dt { "images" } dd { (evaluation.images) span.unit { (evaluation.split) } } }
        }
        @if !evaluation.confusion.is_empty() && evaluation.classes.len() <= MATRIX {
            (matrix(evaluation))
        }
        div.pair {
            @if !evaluation.confusion.is_empty() { (confusions(evaluation)) }
            @if !evaluation.calibration.is_empty() { (calibration(evaluation)) }
        }
        @if !evaluation.worst.is_empty() { (worst(evaluation)) }
    };
    framed("classes", "Class by class", &body)
}

/// What was evaluated, as far as the file says it.
fn model(evaluation: &Evaluation) -> Option<String> {
    let parts = [evaluation.network.as_deref(), evaluation.found.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Rows are what images show, columns what they were taken for; shades are parts of a row.
fn matrix(evaluation: &Evaluation) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Confusion matrix" {
            table.matrix {
                thead { tr {
                    th scope="col" { span.none { "truth ↓ taken for →" } }
                    @for class in &evaluation.classes { th scope="col" { (class.name) } }
                    th.n scope="col" { "right" }
                } }
                tbody {
                    @for (truth, (class, row)) in evaluation.classes.iter().zip(&evaluation.confusion).enumerate() {
                        @let sum = row.iter().map(|count| *count as f64).sum::<f64>().max(1.0);
                        tr {
                            th scope="row" { (class.name) }
                            @for (taken, &count) in row.iter().enumerate() {
                                @let part = count as f64 / sum;
                                @let is_right = taken == truth;
                                td.right[is_right].wrong[!is_right && count > 0]
                                    style={ "--part:" (format!("{:.3}", shade(part))) } {
                                    @if count > 0 { (count) } @else { span.none { "·" } }
                                }
                            }
                            td.n { (class.accuracy.map_or("–".into(), |percent| format!("{percent:.1} %"))) }
                        }
                    }
                }
            }
        }
        p.caption { "Images by what they show (rows) and what they were taken for (columns)." }
    }
}

/// Few mistakes are to be seen among many right answers: shades grow with the square root.
fn shade(part: f64) -> f64 {
    part.clamp(0.0, 1.0).sqrt()
}

fn confusions(evaluation: &Evaluation) -> Markup {
    let mut pairs: Vec<(u64, usize, usize)> = Vec::new();
    for (truth, row) in evaluation.confusion.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|(taken, count)| *taken != truth && **count > 0);
        pairs.extend(wrong.map(|(taken, count)| (*count, truth, taken)));
    }
    pairs.sort_by(|a, b| b.cmp(a));
    pairs.truncate(LISTED);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Most frequent confusions" {
            table {
                caption { "Most frequent confusions" }
                thead { tr {
                    th scope="col" { "shows" } th scope="col" { "taken for" } th.n scope="col" { "images" }
                } }
                tbody {
                    @for (count, truth, taken) in pairs {
                        tr {
                            td { (evaluation.classes[truth].name) }
                            td { (evaluation.classes[taken].name) }
                            td.n { (count) }
                        }
                    }
                }
            }
        }
    }
}

fn calibration(evaluation: &Evaluation) -> Markup {
    let bins = evaluation.calibration.iter().filter(|bin| bin.images > 0);
    let points: Vec<[f64; 2]> = bins.map(|bin| [bin.confidence, bin.accuracy]).collect();
    let chart = LineChart {
        description: "Calibration: accuracy against confidence".into(),
        x: Axis::new("confidence").from_to(0.0, 1.0),
        y: Axis::new("accuracy").from_to(0.0, 1.0),
        series: vec![
            Series::line("calibrated", vec![[0.0, 0.0], [1.0, 1.0]])
                .stroked(Stroke::Dashed)
                .coloured(6),
            Series::line("model", points).dotted(Dot::Disc).coloured(0),
        ],
        ..LineChart::default()
    };
    html! {
        figure.chart.plain { figcaption { "Calibration" } (PreEscaped(chart.svg(CALIBRATION))) }
    }
}

fn worst(evaluation: &Evaluation) -> Markup {
    let name = |class: usize| evaluation.classes.get(class).map_or("?", |class| &class.name);
    html! {
        h3 { "Most confident mistakes" }
        ul.worst {
            @for mistake in &evaluation.worst {
                @let (truth, taken) = (name(mistake.truth), name(mistake.predicted));
                li title=[mistake.name.as_deref()] {
                    @if let Some(image) = &mistake.image {
                        img src=(image)
                            alt={ "image " (mistake.index) ", showing " (truth) };
                    } @else {
                        p.none { (mistake.name.clone().unwrap_or(format!("row {}", mistake.index))) }
                    }
                    p { (truth) br; span.end { "→ " (taken) } " "
                        span.none { (format!("{:.0}\u{a0}%", 100.0 * mistake.probability)) } }
                }
            }
        }
    }
}
