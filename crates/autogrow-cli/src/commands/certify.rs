//! `autogrow certify`: is the found depth worth it? The network as growth left it, one level shallower
//! and one deeper, each trained to the end on the same batches as the found one.

mod take;

use super::resume;
use super::train::Ended;
use super::{objective_of, open_data, open_device};
use crate::args::{CertifyArgs, ResumeArgs};
use crate::output::{BOLD, Output, RESET, si, table};
use crate::settings::Settings;
use autogrow::config::Config;
use autogrow::data::DataSet;
use autogrow::growth::{Comparison, Depth, Evidence, disagreements, mcnemar};
use autogrow::network::SeedNetwork;
use autogrow::ranks::Ranks;
use autogrow::run::{Checkpoint, ModelFile, Origin, RunFolder, publish};
use autogrow::training::{Objective, evaluate};
use autogrow::{Error, Job, Resolved, Result, at_depth, registry};
use autogrow_run::certificate::{Certificate, Contender, Rival, Verdict, pooled};
use autogrow_run::names;
use burn::tensor::Device;
use std::path::{Path, PathBuf};

/// What all networks of a certificate share.
struct Court<'a> {
    run: &'a Path,
    config: Resolved,
    data: DataSet,
    device: Device,
    grown: Checkpoint,
    price: f64,
    orders: usize,
    /// Of fine-tuning.
    epochs: usize,
    output: &'a Output,
    ranks: Ranks,
}

/// A network on the test images, for each order.
struct Judged {
    depth: Depth,
    evidence: Vec<Evidence>,
}

pub(crate) fn run(args: &CertifyArgs, output: &Output) -> Result<()> {
    let run = &args.run;
    if !run.join(names::CONFIG).is_file() {
        return Err(Error::run(run, "is not a run folder: it holds no config.toml")
            .with_hint("name the folder of a run that is finished"));
    }
    if let Some(price) = args.price.filter(|price| !(price.is_finite() && *price >= 0.0)) {
        return Err(Error::config("--price", format!("= {price} is out of range"))
            .with_hint("it is 0 or more"));
    }
    let outcome = RunFolder::outcome(run)?.ok_or_else(|| {
        Error::run(run, "is not finished, so there is nothing to certify yet")
            .with_hint(format!("`autogrow resume {}` brings it to its end", run.display()))
    })?;
    let loaded = Settings::from(&args.settings).load_over_file(&run.join(names::CONFIG))?;
    let config = loaded.resolve()?;
    let device = open_device(&config, &loaded)?;
    let data = open_data(&config)?;
    let grown = RunFolder::grown(run)?;
    if !grown.origin.is_of(&data)? {
        return Err(Error::run(run, "was trained on other images than the data set holds now")
            .with_hint("bring the data back as it was"));
    }
    let price = args.price.unwrap_or(config.growth.price);
    let orders = args.orders.get();
    let ranks = Ranks::single();
    let epochs = outcome.fine_tuning_epochs;
    let court = Court { run, config, data, device, grown, price, orders, epochs, output, ranks };
    let certificate = court.certificate(&outcome.found)?;
    let path = run.join(names::CERTIFICATE);
    let mut text = serde_json::to_string_pretty(&certificate)
        .map_err(|error| Error::run(&path, error.to_string()))?;
    text.push('\n');
    publish(&path, text.as_bytes())?;
    let best = certificate.best();
    let takes = args.take && *best != outcome.found;
    if takes {
        take::take(run, &outcome.found, &court.trained(best, 0)?)?;
    }
    let objective = objective_of(&court.config)?;
    let taken = if takes { " It is the run's model now." } else { "" };
    output.result(&certificate, || self::text(&certificate, &*objective) + taken)
}

impl Court<'_> {
    fn certificate(&self, found: &Depth) -> Result<Certificate> {
        let shallower = found.shallower().filter(|_| self.can_lose_sub_modules());
        let shallower = shallower.map(|depth| self.judged(depth, found)).transpose()?;
        let found = self.judged(found.clone(), found)?;
        let deeper = self.judged(found.depth.deeper(), &found.depth)?;
        Ok(Certificate {
            schema: 1,
            price: self.price,
            images: found.evidence.first().map_or(0, |evidence| evidence.losses.len()),
            shallower: shallower.map(|shallower| self.rival(&found, &shallower)),
            deeper: self.rival(&found, &deeper),
            found: contender(&found),
        })
    }

    /// Whether the network can be made shallower. Not where what follows a sub-network reads channels of
    /// each of its sub-modules (DenseNet).
    fn can_lose_sub_modules(&self) -> bool {
        let kind = registry::find::<SeedNetwork>(&self.config.network.name)
            .and_then(SeedNetwork::sub_module_kind);
        kind.is_ok_and(|kind| (kind.channels)(8, 1) == (kind.channels)(8, 2))
    }

    fn rival(&self, found: &Judged, rival: &Judged) -> Rival {
        let is_deeper = rival.depth.covers(&found.depth);
        let pairs = || found.evidence.iter().zip(&rival.evidence);
        let comparisons: Vec<Comparison> = pairs()
            .map(|(found, rival)| {
                let [deep, shallow] = if is_deeper { [rival, found] } else { [found, rival] };
                let one = std::slice::from_ref;
                Comparison::of(one(deep), one(shallow), 1, self.price)
            })
            .collect();
        let compared = pooled(&comparisons);
        let alone: Option<Vec<_>> = pairs()
            .map(|(found, rival)| Some(disagreements(found.right.as_ref()?, rival.right.as_ref()?)))
            .collect();
        Rival {
            contender: contender(rival),
            gain: compared.gain,
            error: compared.error,
            asked: compared.price,
            p: alone.as_ref().map(|alone| alone.iter().copied().map(mcnemar).collect()),
            alone,
            verdict: Verdict::of(&compared),
        }
    }

    /// The network at this depth, trained for each order where it is not yet, on the test images.
    fn judged(&self, depth: Depth, found: &Depth) -> Result<Judged> {
        let orders = (0..self.orders).map(|order| {
            // The run itself is the found network's first order, unless a clock has planned it.
            let is_the_run = self.config.run.max_minutes == 0.0 && depth == *found && order == 0;
            let folder = match is_the_run {
                true => self.run.to_path_buf(),
                false => self.trained(&depth, order)?,
            };
            self.evidence(&folder)
        });
        let evidence = orders.collect::<Result<_>>()?;
        Ok(Judged { depth, evidence })
    }

    /// The folder of a run from the end of growth, brought to its end.
    fn trained(&self, depth: &Depth, order: usize) -> Result<PathBuf> {
        let folder = self.run.join(names::CERTIFICATE_RUNS).join(format!("{depth}-{}", order + 1));
        if !folder.join(names::CONFIG).is_file() {
            let mut config: Config = self.config.config().clone();
            config.growth.policy = "none".into();
            config.network.depth = depth.clone();
            config.growth.max_depth = None;
            (config.growth.max_macs, config.growth.max_parameters) = (0, 0);
            // All have the training that the run had time for.
            config.run.max_minutes = 0.0;
            config.fine_tune.epochs = self.epochs;
            let config = Resolved::of(config)?;
            let Self { data, device, ranks, .. } = self;
            let job = Job { config: &config, data, device, ranks };
            let mut checkpoint = at_depth(job, &self.grown, depth, order)?;
            checkpoint.origin = Origin::of(&config, data)?;
            RunFolder::branch(&folder, &config, &checkpoint)?;
        }
        self.output.note(&format!("{depth}, order {}:", order + 1));
        let args = ResumeArgs {
            run: folder.clone(),
            allow: Vec::new(),
            page: false,
            settings: Default::default(),
        };
        let ended: Option<Ended> = resume::go_on(&args, self.output, &self.ranks)?;
        ended.map(|_| folder).ok_or_else(|| Error::run(self.run, "has no result"))
    }

    /// What the best model of a run says of the test images.
    fn evidence(&self, run: &Path) -> Result<Evidence> {
        let (network, _) = ModelFile::read(run)?.build(&self.device)?;
        let objective = objective_of(&self.config)?;
        let test = &*self.data.test;
        let judged =
            evaluate(&network, &*objective, test, &self.device, &self.ranks, &mut || Ok(()))?;
        Ok(Evidence {
            score: judged.scores.score,
            macs: network.macs()?,
            right: judged.right,
            losses: judged.losses.into(),
        })
    }
}

fn contender(judged: &Judged) -> Contender {
    Contender {
        depth: judged.depth.clone(),
        macs: judged.evidence.first().map_or(0, |evidence| evidence.macs),
        test_percent: judged.evidence.iter().map(|evidence| evidence.score).collect(),
    }
}

fn text(certificate: &Certificate, objective: &dyn Objective) -> String {
    let Certificate { found, price, .. } = certificate;
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    let row = |name: &str, contender: &Contender, rival: Option<&Rival>| {
        let [gain, asked, p] = match rival {
            None => Default::default(),
            Some(rival) => {
                let Rival { gain, error, asked, p, .. } = rival;
                let p = p.iter().flatten().map(|p| format!("{p:.2}")).collect::<Vec<_>>();
                [format!("{gain:+.2} ± {error:.2}"), format!("{asked:.2}"), p.join(" ")]
            }
        };
        let score = objective.score_text(mean(&contender.test_percent));
        [name.into(), contender.depth.to_string(), si(contender.macs), score, gain, asked, p]
    };
    let shallower = certificate.shallower.as_ref();
    let rows = shallower
        .map(|rival| row("shallower", &rival.contender, Some(rival)))
        .into_iter()
        .chain([row("found", found, None)])
        .chain([row("deeper", &certificate.deeper.contender, Some(&certificate.deeper))]);
    let header = ["", "depth", "MACs", "test", "depth brings", "its price", "p"];
    let verdicts = shallower.map(|rival| below(rival, found)).into_iter();
    let verdicts: Vec<_> = verdicts.chain([above(&certificate.deeper)]).collect();
    format!(
        "{}\nA doubling of the cost has to bring {price} points. {}\n{BOLD}{}{RESET} is the better \
         depth at this price.",
        table(header, rows.collect()),
        verdicts.join(" "),
        certificate.best()
    )
}

fn below(rival: &Rival, found: &Contender) -> String {
    let (depth, found) = (&rival.contender.depth, &found.depth);
    match rival.verdict {
        Verdict::Deeper => format!("{found} is worth its cost over {depth}."),
        Verdict::Shallower => format!("{found} is not worth its cost over {depth}."),
        Verdict::Undecided => {
            format!("Whether {found} is worth its cost over {depth} is undecided.")
        }
    }
}

fn above(rival: &Rival) -> String {
    let depth = &rival.contender.depth;
    match rival.verdict {
        Verdict::Deeper => format!("{depth} would be worth its cost."),
        Verdict::Shallower => format!("{depth} would not be worth its cost."),
        Verdict::Undecided => format!("Whether {depth} would be worth its cost is undecided."),
    }
}
