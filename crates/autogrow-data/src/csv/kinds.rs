//! Tables as people have them, a test for each kind: what is read, what is said, what is refused.

use super::tests::{config, folder, with_target};
use super::*;
use crate::testing::{data_problem, labels, open, open_for, pixels};
use autogrow_core::config::Numbers;
use autogrow_core::data::{Cells, Column, Pass, Split, Task};
use std::fmt::Write;
use std::path::Path;

/// A table of classes in one file, opened.
fn table(content: &str) -> Result<DataSet> {
    let folder = folder(&[("table.csv", content)]);
    open(&config(&folder.path().join("table.csv"), ""), 0)
}

/// The same, which must work; with what was done to it.
fn read(content: &str) -> (DataSet, TableInput) {
    let set = table(content).unwrap();
    let input = set.table.clone().unwrap();
    (set, input)
}

/// What is wrong with such a table, and what to do.
fn refused(content: &str) -> (String, String) {
    data_problem(table(content))
}

fn names(input: &TableInput) -> Vec<&str> {
    input.columns.iter().map(|column| &*column.name).collect()
}

fn left_out(input: &TableInput) -> Vec<(&str, &str)> {
    input.left_out.iter().map(|column| (&*column.name, &*column.why)).collect()
}

/// `rows` rows of a number without a pattern and a class, `row` makes a line of them.
fn lines(rows: u32, row: impl Fn(u32, f64, &str) -> String) -> String {
    (0..rows).fold(String::new(), |mut text, number| {
        let value = (f64::from(number) * 1.7).sin() + 2.0;
        let class = if number % 2 == 0 { "cat" } else { "dog" };
        let _ = writeln!(text, "{}", row(number, value, class));
        text
    })
}

#[test]
fn separators_and_line_ends_are_told_apart() {
    let plain = lines(20, |row, value, class| format!("{value},{},{class}", row % 3));
    let (expected, _) = read(&format!("a,b,label\n{plain}"));
    for (separator, note) in [(";", "semicolons"), ("\t", "tabs")] {
        let other = format!("a,b,label\n{plain}").replace(',', separator);
        let (set, input) = read(&other);
        assert_eq!(pixels(&*set.train), pixels(&*expected.train));
        assert!(input.notes[0].contains(note), "{:?}", input.notes);
    }
    let windows = format!("\u{feff}a,b,label\n{plain}").replace('\n', "\r\n");
    let quoted = format!("\"a\",b,\"label\"\n{}", plain.replace("cat", "\"cat\""));
    for same in [windows, quoted] {
        let (set, input) = read(&same);
        assert_eq!((names(&input), pixels(&*set.test)), (vec!["a", "b"], pixels(&*expected.test)));
    }
}

#[test]
fn decimal_commas_and_thousands_are_numbers() {
    let row = |row: u32, point: bool| {
        let (whole, class) = (1_000 + 31 * row, ["cat", "dog"][row as usize % 2]);
        let (thousands, rest) = (whole / 1_000, whole % 1_000);
        match point {
            true => format!("\"{thousands},{rest:03}.5\",{class}\n"),
            false => format!("{thousands}.{rest:03},5;{class}\n"),
        }
    };
    let text = |point| (0..60).map(|number| row(number, point)).collect::<String>();
    let (english, input) = read(&format!("a,label\n{}", text(true)));
    assert_eq!(names(&input), ["a"]);
    let (european, input) = read(&format!("a;label\n{}", text(false)));
    assert!(input.notes.contains(&"numbers have decimal commas".into()), "{:?}", input.notes);
    assert_eq!(pixels(&*english.train), pixels(&*european.train));
}

#[test]
fn a_table_without_names_keeps_its_first_row() {
    let rows = lines(40, |row, value, class| format!("{value},{}.5,{class}", row % 4));
    let (set, input) = read(&rows);
    assert_eq!(set.train.len() + set.test.len(), 40);
    assert_eq!(
        (names(&input), &*input.targets),
        (vec!["column 1", "column 2"], &["column 3".into()][..])
    );
    assert!(input.notes[0].contains("line 1 is a row"), "{:?}", input.notes);
    // Words alone: those of the first row come again.
    let words = lines(40, |row, _, class| format!("{},{class}", ["x", "y", "z"][row as usize % 3]));
    assert_eq!(read(&words).0.train.len(), 32);
    // Numbers that name columns, as pandas does: the first row is not one.
    let numbered = format!(
        "0,1,label\n{}",
        lines(40, |row, value, class| format!("{value},{},{class}", row % 3))
    );
    let (set, input) = read(&numbered);
    assert_eq!((names(&input), set.train.len()), (vec!["0", "1"], 32));
}

#[test]
fn index_columns_and_constant_ones_are_left_out_and_said() {
    let rows = lines(40, |row, value, class| format!("{row},{},{value},7,,{class}", row + 1));
    let [why, counts] = ["has no name, as an index", "counts the rows, as an index"];
    for name in ["", "Unnamed: 0"] {
        let (_, input) = read(&format!("{name},id,a,seven,void,label\n{rows}"));
        assert_eq!(names(&input), ["a"]);
        let expected =
            [(name, why), ("id", counts), ("seven", "is 7 in all rows"), ("void", "is empty")];
        assert_eq!(left_out(&input), expected);
    }
    // Rows that were shuffled; a rank is as much of a permutation, and no index.
    let shuffled = lines(40, |row, value, class| {
        format!("{},{value},{},{class}", row * 7 % 40, row * 11 % 40 + 1)
    });
    let (_, input) = read(&format!("id,a,rank,label\n{shuffled}"));
    assert_eq!(names(&input), ["a", "rank"]);
    assert_eq!(left_out(&input), [("id", counts)]);
    let (_, input) = read(&shuffled);
    assert_eq!(names(&input), ["column 2"]);
    // A tenth is not exact, and its mean over many rows neither.
    let tenth = lines(40, |_, value, class| format!("{value},0.1,{class}"));
    assert_eq!(names(&read(&format!("a,tenth,label\n{tenth}")).1), ["a"]);
}

#[test]
fn few_words_are_one_hot_and_many_are_refused() {
    let rows = lines(40, |row, _, class| {
        format!(
            "{},{},{class}",
            ["red", "blue", "green"][row as usize % 3],
            ["True", "False"][row as usize / 20]
        )
    });
    let (set, input) = read(&format!("colour,old,label\n{rows}"));
    let words =
        |words: &[&str]| Cells::Words { words: words.iter().map(|&word| word.into()).collect() };
    let cells: Vec<_> = input.columns.iter().map(|column| column.cells.clone()).collect();
    assert_eq!(cells, [words(&["blue", "green", "red"]), words(&["false", "true"])]);
    assert_eq!(set.image, [5, 1, 1]);
    // The first row is red and old.
    assert_eq!(pixels(&*set.train)[..5], [0.0, 0.0, 1.0, 0.0, 1.0]);
    let many = lines(80, |row, value, class| format!("n{row},{value},{class}"));
    let (problem, hint) = refused(&format!("name,a,label\n{many}"));
    assert_eq!(problem, "column `name` holds 64 different words; at most 32 are told apart");
    assert!(hint.contains("out of the table"));
}

#[test]
fn a_row_is_named_by_its_line_in_files_of_any_system() {
    for end in ["\n", "\r\n"] {
        let text = ["a,label", "1,x", "", "1o,y", "3,x", "4,y", "5,x", "6,y"].join(end);
        let (problem, _) = refused(&text);
        assert_eq!(problem, "line 4, column `a`: `1o` is not a number");
    }
}

#[test]
fn missing_values_are_marked() {
    let rows = lines(40, |row, value, class| {
        let number = if row % 4 == 1 { "NA".into() } else { format!("{value}") };
        let word = ["red", "", "blue"][row as usize % 3];
        format!("{number},{word},{class}")
    });
    let (set, input) = read(&format!("a,colour,label\n{rows}"));
    assert!(input.columns.iter().all(|column| column.missing));
    // Of the second row: the number, whether it is missing, blue, red, no word.
    assert_eq!(set.image, [5, 1, 1]);
    assert_eq!(pixels(&*set.train)[5..10], [0.0, 1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn whole_numbers_with_and_without_a_fraction_are_the_same_class() {
    let rows: String =
        (0..60).map(|row| format!("{},{}\n", row * row % 7, ["1", "1.0", "0"][row % 3])).collect();
    assert_eq!(read(&format!("a,label\n{rows}")).0.outputs.names(), ["0", "1"]);
    let test = "a,label\n1,0\n3,1\n";
    let folder = folder(&[("train.csv", "a,label\n1,0.0\n2,1.0\n5,1.0\n"), ("test.csv", test)]);
    let set = open(&config(folder.path(), ""), 0).unwrap();
    assert_eq!(labels(&*set.test), [0, 1]);
}

#[test]
fn the_column_of_classes_has_a_usual_name_or_is_the_last() {
    let rows = lines(40, |row, value, class| format!("{class},{value},{}", row % 3));
    for (header, target, said) in [
        ("Species,a,b", "Species", "by its name"),
        ("a,b,class", "class", "by its name"),
        ("a,x,y", "y", "the last column"),
        ("y,a,b", "y", "by its name"),
    ] {
        let (_, input) = read(&format!("{header}\n{rows}"));
        assert_eq!(input.targets, [target]);
        assert!(input.notes[0].contains(said), "{:?}", input.notes);
    }
}

#[test]
fn numbers_to_predict_are_not_taken_for_classes() {
    let real = lines(40, |row, value, _| format!("{},{value}", row % 3));
    let whole: String = (0..80).map(|row| format!("{},{}\n", row % 7, row * row % 97)).collect();
    for rows in [real, whole] {
        let (problem, hint) = refused(&format!("a,price\n{rows}"));
        assert_eq!(problem, "column `price` holds numbers that do not look like classes");
        assert!(hint.contains("--set training.objective=values"), "{hint}");
        let folder = folder(&[("table.csv", &format!("a,price\n{rows}"))]);
        let config = with_target(&folder.path().join("table.csv"), "");
        assert!(open_for(Task::Values, &config, 0, 1).is_ok());
    }
}

#[test]
fn classes_too_small_to_be_divided_are_named() {
    let rows = lines(20, |_, value, class| format!("{value},{class}"));
    let (problem, hint) = refused(&format!("a,label\n{rows}3.5,eel\n4.5,fox\n"));
    assert_eq!(problem, "column `label` has classes of a single row: eel, fox");
    assert!(!hint.contains("objective"), "{hint}");
}

/// Diseases that got worse by 25 to 346 points, ages from 18 to 80, few children and many.
#[test]
fn whole_numbers_that_may_be_amounts_are_told_with_what_predicts_them() {
    let table = |rows: u64, amount: &dyn Fn(u64) -> u64| {
        let row = |row| format!("{},{}\n", row % 7, amount(row));
        format!("a,n\n{}", (0..rows).map(row).collect::<String>())
    };
    let regression = "--set training.objective=values --set data.target=\"n\"";
    for (content, said) in [
        (table(30, &|row| 25 + row * 37 % 322), "do not look like classes"),
        (table(442, &|row| 25 + row * 37 % 322), "do not look like classes"),
        (table(200, &|row| if row < 198 { row % 5 } else { row }), "a single row: 198, 199"),
    ] {
        let (problem, hint) = refused(&content);
        assert!(problem.contains(said) && hint.contains(regression), "{problem} {hint}");
    }
    let doubt = |content: &str| {
        let sheet = Sheet::parse(Path::new("table"), content.as_bytes(), &[]).unwrap();
        targets::doubt(&sheet, 1)
    };
    let ages = doubt(&table(1000, &|row| 18 + row * 37 % 63)).unwrap();
    assert!(ages.contains("63 different whole numbers") && ages.contains(regression), "{ages}");
    assert_eq!(doubt(&table(1000, &|row| row % 10)), None);
}

#[test]
fn a_column_is_measured_in_full_precision() {
    let near = lines(60, |row, _, _| {
        format!("{},{}", row % 32, ["early", "late"][row as usize % 32 / 16])
    });
    let moved = |line: &str| {
        let (time, class) = line.split_once(',').unwrap();
        format!("{},{class}\n", 1_700_000_000 + time.parse::<u32>().unwrap())
    };
    let far = near.lines().map(moved).collect();
    let [near, far] =
        [near, far].map(|rows| pixels(&*read(&format!("time,label\n{rows}")).0.train));
    let off = near.iter().zip(&far).map(|(near, far)| (near - far).abs()).fold(0.0, f32::max);
    assert!(off < 1e-6, "{off}");
}

/// All features of a split.
fn walk(split: &dyn Split) -> Vec<f32> {
    let batches = split.batches(Pass { batch_size: 7, ..Pass::default() });
    batches.flat_map(|batch| batch.unwrap().images).collect()
}

#[test]
fn a_model_reads_further_tables_by_name_and_measures_nothing() {
    let rows = lines(40, |row, value, class| {
        format!("{row},{value},{},{class}", ["red", "blue"][row as usize % 2])
    });
    let (set, input) = read(&format!(",a,colour,label\n{rows}"));
    let Column { cells: Cells::Numbers { mean, deviation, .. }, .. } = input.columns[0] else {
        panic!("{input:?}")
    };
    let rows = "colour,label,a\nblue,dog,100\nviolet,dog,2\n";
    let table = Table::of_bytes("rows.csv", rows.as_bytes(), &input).unwrap();
    let split = table.labelled(&set.outputs).unwrap();
    let a = |value: f64| ((value - mean) / deviation) as f32;
    // A word that is not known is none of the words.
    assert_eq!(walk(&*split), [a(100.0), 1.0, 0.0, a(2.0), 0.0, 0.0]);
    assert_eq!((labels(&*split), table.lines().collect::<Vec<_>>()), (vec![1, 1], vec![2, 3]));
    let unlabelled = Table::of_bytes("rows.csv", b"a;colour\n100;blue\n", &input).unwrap();
    assert_eq!(walk(&*unlabelled.unlabelled(&set.outputs).unwrap()), [a(100.0), 1.0, 0.0]);
}

#[test]
fn a_number_beyond_float32_is_refused() {
    let rows = lines(40, |_, value, class| format!("{value},{class}"));
    let (set, input) = read(&format!("a,label\n{rows}"));
    let table = Table::of_bytes("rows.csv", b"a\n1\n1e300\n", &input).unwrap();
    let (problem, _) = data_problem(table.unlabelled(&set.outputs).map(|_| ()));
    assert!(problem.starts_with("line 3, column `a`: `1e300` is too large"), "{problem}");
}

#[test]
fn a_model_refuses_other_columns_and_classes() {
    let rows = lines(40, |row, value, class| format!("{value},{},{class}", row % 3));
    let (set, input) = read(&format!("a,b,label\n{rows}"));
    for (rows, expected) in [
        ("a,label\n1,cat\n", "has no column `b`: its columns are a, label; the model takes a, b"),
        (
            "a,b,c,label\n1,1,1,cat\n",
            "has a column `c` too many: its columns are a, b, c, label; the model takes a, b",
        ),
        (
            "a,b,label\n1,1,cow\n",
            "line 2, column `label`: `cow` is no class of the model: the classes here are cow, \
             those of the model cat, dog",
        ),
        ("a,b\n1,1\n", "has no column `label`; its columns are a, b"),
    ] {
        let table = Table::of_bytes("rows.csv", rows.as_bytes(), &input).unwrap();
        let error = table.labelled(&set.outputs).err().unwrap();
        assert_eq!(error.exit_code(), 4);
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
fn the_split_of_a_run_is_the_same_for_its_model() {
    let rows = lines(50, |row, value, class| format!("{value},{},{class}", row % 3));
    let folder = folder(&[("table.csv", &format!("a,b,label\n{rows}"))]);
    let config = config(&folder.path().join("table.csv"), "");
    let set = open(&config, 3).unwrap();
    let request = DataRequest {
        config: &config,
        compat: Default::default(),
        plugins: &Default::default(),
        task: Task::Classes,
        seed: 3,
        size: 1,
    };
    let again = open_table(&request, set.table.as_ref().unwrap(), &set.outputs).unwrap();
    assert_eq!(pixels(&*again.train), pixels(&*set.train));
    assert_eq!(pixels(&*again.test), pixels(&*set.test));
    assert_eq!(again.table, set.table);
}

/// Each piece holds as many training rows, as far as they differ.
#[test]
fn numbers_are_cut_into_pieces() {
    let rows =
        lines(200, |row, value, class| format!("{value},{},{},{class}", row % 2, row % 4 * 5));
    let folder = folder(&[("table.csv", &format!("wave,flag,step,label\n{rows}"))]);
    let mut config = config(&folder.path().join("table.csv"), "");
    config.numbers = Numbers::Pieces;
    let set = open(&config, 0).unwrap();
    let input = set.table.as_ref().unwrap();
    let edges = |place: usize| match &input.columns[place].cells {
        Cells::Numbers { edges, .. } => edges.clone(),
        Cells::Words { .. } => panic!("words"),
    };
    // Two numbers are one piece, which says no more than the standardised number.
    assert_eq!((edges(0).len(), edges(1), edges(2)), (9, vec![], vec![0.0, 5.0, 10.0, 15.0]));
    assert_eq!(set.image, [1 + 8 + 1 + 1 + 3, 1, 1]);
    let features = pixels(&*set.train);
    let waves = || features.chunks(14).map(|row| &row[1..9]);
    for piece in 0..8 {
        let inside = waves().filter(|pieces| pieces[piece] > 0.0 && pieces[piece] < 1.0).count();
        let (inside, rows) = (inside as f32, waves().count() as f32);
        assert!((inside / rows - 0.125).abs() < 0.03, "{inside} of {rows}");
    }
    // A value comes through one piece after the other.
    for pieces in waves() {
        let passed = pieces.iter().take_while(|piece| **piece == 1.0).count();
        assert!(pieces[passed..].iter().skip(1).all(|piece| *piece == 0.0), "{pieces:?}");
    }
}
