//! Every command that a page shows in a `console` block. It is run, in order, in a folder that each
//! page has to itself, and says what the page says it says, numbers aside. What cannot be run here
//! is listed with the reason; where it is `autogrow`, its options, keys and values are checked all
//! the same. (`cargo xtask` commands are checked by xtask's own tests.)

use crate::pages::{Page, Shown, pages};
use crate::shell::{Place, words};
use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Output;
use std::sync::Mutex;
use std::thread::available_parallelism;

/// What is shown but not run here: what such a command contains, and why. The first one counts.
const NOT_RUN: [(&str, &str); 16] = [
    (PLUGIN, "is of the plugin that the page makes; its own tests run it"),
    ("cargo run -- train", "takes a minute; its files are kept in docs/figures/run"),
    ("cargo ", "builds, or works for hours"),
    (".ci/run", "builds"),
    ("valgrind ", "is another program, and takes minutes"),
    ("python ", "needs PyTorch"),
    ("autogrow download", "asks the network"),
    ("fashion-mnist", "needs a data set that is not built in"),
    ("cifar10", "needs a data set that is not built in"),
    ("imagenet", "needs a data set that is not built in, or weights of PyTorch"),
    ("mpirun", "needs an MPI and several processes"),
    ("srun", "needs a Slurm cluster"),
    ("suite initializers.toml", "trains for minutes"),
    ("autogrow reproduce", "trains for hours, on data sets that are not built in"),
    ("landscape shallow", "stands for models of one's own"),
    ("FOLDER", "stands for several commands"),
];

/// A network that only the example's binary knows.
const PLUGIN: &str = "gated3net";

/// Options of a configuration, for commands that are not run.
const SETTINGS: [&str; 11] = [
    "--set",
    "--network",
    "--depth",
    "--data",
    "--dir",
    "--policy",
    "--interval",
    "--patience",
    "--epochs",
    "--device",
    "--seed",
];

/// The rule by which a command is not run.
fn not_run(shown: &Shown) -> Option<&'static str> {
    let bare = words(&shown.command).join(" ");
    NOT_RUN.iter().find(|(part, _)| bare.contains(part)).map(|(part, _)| *part)
}

/// What is typed after `autogrow`, or after `cargo run --`.
fn arguments(command: &str) -> Option<Vec<String>> {
    let words = words(command);
    match words.first()?.as_str() {
        "autogrow" => Some(words[1..].to_vec()),
        "cargo" if words.get(1)? == "run" => {
            let end = words.iter().position(|word| word == "--")?;
            Some(words[end + 1..].to_vec())
        }
        _ => None,
    }
}

/// Holds the arguments against the definition of the commands.
fn parse(arguments: &[String]) -> Result<(), clap::Error> {
    let all = std::iter::once("autogrow").chain(arguments.iter().map(String::as_str));
    autogrow_cli::command().try_get_matches_from(all).map(drop)
}

/// A page's folder, with the pictures and tables that its reader is taken to have.
fn place() -> Place {
    let place = Place::new();
    for data in ["digits", "synthetic"] {
        let made = place.run(&format!("autogrow data {data} --out {data}.png"));
        assert!(made.status.success(), "{}", text(&made));
    }
    for name in ["seven.png", "scans/1.png", "scans/2.png"] {
        place.copy("digits.png", name);
    }
    for number in 0..12 {
        place.copy("digits.png", &format!("flowers/daisy/{number}.png"));
        place.copy("synthetic.png", &format!("flowers/tulip/{number}.png"));
    }
    let row =
        |row: usize| format!("{},{},{}\n", 37 * row % 60, row * row % 7, ["no", "yes"][row % 2]);
    let table: String = (0..60).map(row).collect();
    fs::write(place.folder.path().join("table.csv"), format!("age,dose,cured\n{table}")).unwrap();
    let row =
        |row: usize| format!("{},{},{},{}\n", 37 * row % 60, row * row % 7, 3 * row, row * row);
    let table: String = (0..60).map(row).collect();
    fs::write(place.folder.path().join("flats.csv"), format!("area,floor,price,rent\n{table}"))
        .unwrap();
    place
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A line with every number as `0`, every time as seconds, and single spaces: the rest is the same
/// on any machine.
fn masked(line: &str) -> String {
    let mut masked = String::new();
    for c in line.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        match (masked.chars().last(), c) {
            (Some('0'), '0' | '.' | ',') | (Some(' '), ' ') => {}
            _ => masked.push(c),
        }
    }
    masked.replace("0 h 0 min", "0 s").replace("0 min 0 s", "0 s").trim().into()
}

/// The first line that is shown but was not said, in order; `...` stands for any lines.
fn missing<'a>(shown: &'a [String], said: &str) -> Option<&'a str> {
    let mut said = said.lines().map(masked);
    let lines = shown.iter().map(|line| line.trim_end());
    let mut lines = lines.filter(|line| !line.is_empty() && *line != "...");
    lines.find(|line| !said.any(|own| own == masked(line)))
}

/// Runs what can be run on a page.
fn run(page: &Page) {
    let shown: Vec<_> = page.commands().into_iter().filter(|it| not_run(it).is_none()).collect();
    if shown.is_empty() {
        return;
    }
    let place = place();
    for Shown { line, command, output } in shown {
        let ran = place.run(&command);
        let said = text(&ran);
        let at = format!("{}:{line}: {command}", page.name);
        assert!(ran.status.success(), "{at}\n{said}");
        if let Some(missing) = missing(&output, &said) {
            panic!("{at}\ndoes not say: {missing}\nbut:\n{said}");
        }
    }
}

#[test]
fn what_is_shown_runs() {
    // Pages know nothing of each other. As many at once as there are processors: what trains takes them all.
    let queue = Mutex::new(pages());
    let next = || queue.lock().unwrap().pop();
    let work = || {
        let run = |page: Page| catch_unwind(AssertUnwindSafe(|| run(&page)));
        std::iter::from_fn(next).filter_map(|page| run(page).err()).collect::<Vec<_>>()
    };
    let workers = available_parallelism().map_or(1, NonZeroUsize::get);
    let failed: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let failed = failed.into_iter().map(|error| match error.downcast::<String>() {
        Ok(message) => *message,
        Err(_) => "a page failed".into(),
    });
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn what_is_not_run_could_be_typed() {
    let mut used = BTreeSet::new();
    for page in pages() {
        for shown in page.commands() {
            let Some(rule) = not_run(&shown) else { continue };
            used.insert(rule);
            let Some(arguments) = arguments(&shown.command) else { continue };
            let at = format!("{}:{}: {}", page.name, shown.line, shown.command);
            parse(&arguments).unwrap_or_else(|error| panic!("{at}\n{error}"));
            if rule != PLUGIN {
                settings_are_valid(&arguments).unwrap_or_else(|error| panic!("{at}\n{error}"));
            }
        }
    }
    let rules = NOT_RUN.iter().map(|(rule, _)| *rule);
    let idle: Vec<_> = rules.filter(|rule| !used.contains(rule)).collect();
    assert!(idle.is_empty(), "nothing is shown that these are for: {idle:?}");
}

/// Asks `autogrow config` about the settings among `arguments`, but for words in capitals, which
/// stand for names, and for a network whose depth a file tells.
fn settings_are_valid(arguments: &[String]) -> Result<(), String> {
    let stands_for = |word: &str| {
        let name = word.rsplit('=').next().unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase())
    };
    let has_file = ["evaluate", "export", "predict"].contains(&arguments[0].as_str());
    let settings: String = arguments
        .windows(2)
        .filter(|pair| SETTINGS.contains(&pair[0].as_str()) && !stands_for(&pair[1]))
        .filter(|pair| !(has_file && pair[0] == "--network"))
        .map(|pair| format!(" {} '{}'", pair[0], pair[1]))
        .collect();
    let ran = Place::new().run(&format!("autogrow config{settings}"));
    if ran.status.success() { Ok(()) } else { Err(text(&ran)) }
}

/// Commands in the middle of a sentence have options that exist.
#[test]
fn commands_within_sentences_could_be_typed() {
    let mut tried = 0;
    for page in pages() {
        // Brackets are those of a usage, which is generated.
        let typed = |span: &&String| span.starts_with("autogrow ") && !span.contains(['[', '<']);
        for span in page.spans().iter().filter(typed) {
            let Some(arguments) = arguments(span) else { continue };
            if let Err(error) = parse(&arguments) {
                // A sentence may leave out what a command is about.
                use clap::error::ErrorKind;
                let fine = [
                    ErrorKind::DisplayHelp,
                    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                    ErrorKind::DisplayVersion,
                    ErrorKind::MissingRequiredArgument,
                ];
                assert!(fine.contains(&error.kind()), "{}: `{span}`\n{error}", page.name);
            }
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn numbers_do_not_count_but_words_do() {
    let said = "epoch   1  1-1-1  loss 1.1896  1 min 31 s\nfound it: 4-4-4";
    let missing_of = |shown: &[&str]| {
        let shown: Vec<_> = shown.iter().map(ToString::to_string).collect();
        missing(&shown, said).map(String::from)
    };
    assert_eq!(missing_of(&["epoch  12  2-1-1  loss 0.3  16 s", "...", "found it: 3-3-3"]), None);
    assert_eq!(missing_of(&["found it: 4-4-4", "epoch 1"]).unwrap(), "epoch 1");
    assert_eq!(missing_of(&["found him: 4-4-4"]).unwrap(), "found him: 4-4-4");
}
