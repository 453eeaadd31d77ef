//! `cargo xtask scaling FILE`: from measured points to what more ranks would bring.

mod fit;
mod model;
mod points;
mod show;

use anyhow::{Context, Result};
use autogrow_report::chart::Size;
use clap::Args;
use model::{Computer, Link};
use points::Points;
use show::Fitted;
use std::path::PathBuf;
use std::process::ExitCode;

/// Whose points, and where the charts go.
#[derive(Debug, Args)]
pub(crate) struct ScalingArgs {
    /// Measured points; tests/cluster/measured.toml is an example
    points: PathBuf,
    /// Folder of the charts, one for each network between ranks
    #[arg(long, value_name = "FOLDER")]
    charts: Option<PathBuf>,
}

/// Fits the model and prints what it says.
///
/// # Errors
/// Where files cannot be read or written, or the points do not determine the model.
pub(crate) fn run(args: &ScalingArgs) -> Result<ExitCode> {
    let points = Points::read(&args.points)?;
    let fitted = Link::fitted(&points.all_reduce).context(
        "[[all_reduce]] does not determine the network\nhint: measure at least two numbers of \
         ranks and two sizes",
    )?;
    println!("{}\n\nfitted to sums over ranks: {}", points.about, show::link(&fitted));
    print!("{}", show::sums(&fitted, &points.all_reduce));
    if !points.check.is_empty() {
        print!("\nnot fitted to:\n{}", show::sums(&fitted, &points.check));
    }
    let networks = networks(&points)?;
    for network in networks.iter().filter(|fitted| !fitted.network.parallel.is_empty()) {
        print!("\nsteps of {}:\n{}", network.network.name, show::steps(fitted, network));
    }
    let measured = ("as measured", fitted);
    let assumed = points.assumed.iter().map(|assumed| (assumed.name.as_str(), assumed.link()));
    for (number, (name, link)) in [measured].into_iter().chain(assumed).enumerate() {
        println!("\n== {name}: {}", show::link(&link));
        for fitted in &networks {
            let network = fitted.network;
            println!("\n{}, {} images divided among ranks", network.name, network.batch);
            print!("{}", show::table(link, fitted));
        }
        if let Some(folder) = &args.charts {
            std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
            let path = folder.join(format!("scaling-{number}.svg"));
            let title = format!("{name}: {}", show::link(&link));
            std::fs::write(&path, show::chart(&title, link, &networks).svg(Size::FIGURE))
                .with_context(|| format!("{} cannot be written", path.display()))?;
            println!("\n{}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn networks(points: &Points) -> Result<Vec<Fitted<'_>>> {
    let fitted = points.network.iter().map(|network| {
        let computer = Computer::fitted(&network.step).with_context(|| {
            let name = &network.name;
            format!("the steps of {name} do not determine it\nhint: measure two numbers of images")
        })?;
        Ok(Fitted { network, computer })
    });
    fitted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_predicted_within_a_fifth() {
        let tree = crate::tree::Tree::here().unwrap();
        let points = Points::read(&tree.root.join("tests/cluster/measured.toml")).unwrap();
        let link = Link::fitted(&points.all_reduce).unwrap();
        let within = |model: f64, measured: f64, what: &dyn std::fmt::Debug| {
            assert!((model / measured - 1.0).abs() < 0.2, "{what:?}: {model} s by the model");
        };
        // Sums over more ranks than it was fitted to.
        for sum in &points.check {
            within(link.sum(sum.bytes, sum.ranks), sum.seconds, sum);
        }
        for fitted in networks(&points).unwrap() {
            for step in &fitted.network.parallel {
                within(fitted.divided(link, step.ranks).total(), step.seconds, step);
            }
        }
    }
}
