//! `autogrow certify`: is the found depth worth it? The network as growth left it, one level shallower
//! and one deeper, each trained to the end on the same batches as the found one.

mod screen;
mod take;

use super::resume;
use super::train::Ended;
use super::{open_data, open_device};
use crate::args::{CertifyArgs, ResumeArgs};
use crate::output::{BOLD, Output, RESET, si, table};
use crate::reporter::write;
use crate::settings::Settings;
use autogrow::growth::Depth;
use autogrow::ranks::Ranks;
use autogrow::run::{ModelFile, RunFolder};
use autogrow::training::Objective;
use autogrow::{Error, Job, Result, Trial};
use autogrow_run::certificate::{Certificate, Contender, Rival, Verdict};
use autogrow_run::names;
use screen::{Screen, State};
use std::path::{Path, PathBuf};

/// Where the networks of a certificate are kept, and who hears of their training.
struct Court<'a> {
    run: &'a Path,
    trial: Trial<'a>,
    output: &'a Output,
}

pub(crate) fn run(args: &CertifyArgs, output: &Output) -> Result<()> {
    let run = &args.run;
    if let Some(price) = args.price.filter(|price| !(price.is_finite() && *price >= 0.0)) {
        return Err(Error::config("--price", format!("= {price} is out of range"))
            .with_hint("it is 0 or more"));
    }
    let outcome = RunFolder::finished(run)?;
    let loaded = Settings::from(&args.settings).load_over_file(&run.join(names::CONFIG))?;
    let config = &loaded.resolve()?;
    let device = &open_device(config, &loaded)?;
    let data = &open_data(config)?;
    let grown = &RunFolder::grown(run)?;
    let job = Job { config, data, device, ranks: &Ranks::single() };
    let price = args.price.unwrap_or(config.growth.price);
    let trial = Trial { job, grown, outcome: &outcome, price, orders: args.orders.get() };
    trial.check_data(run)?;
    let court = Court { run, trial, output };
    let found = &outcome.found;
    let mut screen = Screen::new(&trial, output);
    screen.tell_clock();
    let certificate = trial.certificate(found, &mut |depth, order| {
        // The run itself is the found network's first order.
        let folder = match trial.is_the_run(order) && depth == found {
            true => run.clone(),
            false => {
                screen.tell_training(depth, order, court.state(depth, order));
                court.trained(depth, order)?
            }
        };
        Ok(ModelFile::read(&folder)?.build(device)?.0)
    })?;
    RunFolder::certified(run, &certificate)?;
    write(run, None)?;
    let best = certificate.best();
    let takes = args.take && best != found;
    if takes {
        take::take(run, found, &court.trained(best, 0)?)?;
    }
    let objective = job.objective()?;
    let taken = match takes {
        true => {
            " It is the run's model now.\nThe test images have chosen it: its score on them is too good to be \
             told of new images."
        }
        false => "",
    };
    output.result(&certificate, || text(&certificate, &*objective) + taken)
}

impl Court<'_> {
    /// Where a network is trained.
    fn folder(&self, depth: &Depth, order: usize) -> PathBuf {
        self.run.join(names::CERTIFICATE_RUNS).join(format!("{depth}-{}", order + 1))
    }

    /// How far that has come.
    fn state(&self, depth: &Depth, order: usize) -> State {
        let folder = self.folder(depth, order);
        match [names::RESULT, names::CONFIG].map(|name| folder.join(name).is_file()) {
            [true, _] => State::Done,
            [_, true] => State::Begun,
            _ => State::New,
        }
    }

    /// The folder of a run from the end of growth, brought to its end.
    fn trained(&self, depth: &Depth, order: usize) -> Result<PathBuf> {
        let folder = self.folder(depth, order);
        if !folder.join(names::CONFIG).is_file() {
            let (config, checkpoint) = self.trial.begin(depth, order)?;
            RunFolder::branch(&folder, &config, &checkpoint)?;
        }
        let args = ResumeArgs {
            run: folder.clone(),
            allow: Vec::new(),
            page: false,
            settings: Default::default(),
        };
        let ranks = self.trial.job.ranks;
        let ended: Option<Ended> = resume::go_on_from(&args, self.output, ranks, &mut |_| {})?;
        ended.map(|_| folder).ok_or_else(|| Error::run(self.run, "has no result"))
    }
}

fn text(certificate: &Certificate, objective: &dyn Objective) -> String {
    let Certificate { found, price, .. } = certificate;
    let row = |name: &str, contender: &Contender, rival: Option<&Rival>| {
        let [gain, asked, p] = match rival {
            None => Default::default(),
            Some(rival) => {
                let Rival { gain, error, asked, p, .. } = rival;
                let p = p.iter().flatten().map(|p| format!("{p:.2}")).collect::<Vec<_>>();
                [format!("{gain:+.2} ± {error:.2}"), format!("{asked:.2}"), p.join(" ")]
            }
        };
        let score = objective.score_text(contender.mean_percent());
        [name.into(), contender.depth.to_string(), si(contender.macs), score, gain, asked, p]
    };
    let shallower = certificate.shallower.as_ref();
    let rows = shallower
        .map(|rival| row("shallower", &rival.contender, Some(rival)))
        .into_iter()
        .chain([row("found", found, None)])
        .chain([row("deeper", &certificate.deeper.contender, Some(&certificate.deeper))]);
    let header = ["", "depth", "MACs", "test", "depth brings", "its price", "p"];
    let mut rivals = shallower.into_iter().chain([&certificate.deeper]);
    let is_open = *certificate.best() == found.depth
        && rivals.any(|rival| rival.verdict == Verdict::Undecided);
    let verdict = if is_open { "stands" } else { "is the better depth at this price" };
    format!(
        "{}\nA doubling of the cost has to bring {price} points. {}\n{BOLD}{}{RESET} {verdict}.",
        table(header, rows.collect()),
        certificate.sentences().join(" "),
        certificate.best()
    )
}
