//! Parts of pictures that nobody divided, by what the files hold: a picture is in the test part
//! whatever else lies in the folder, and copies of a picture are in one part together.

use crate::archives::{Part, Store};
use crate::listing::Listing;
use crate::waiting::Waiting;
use autogrow_core::{Error, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// The part of pictures that is set aside for tests.
const TEST: f64 = 0.2;
/// Classes that are named one by one at most.
const NAMED: usize = 10;

/// Pictures with a hash of the content of each; of large files, of their length and of both ends.
pub(crate) fn mark((listing, store): Part) -> Part {
    let marks = marks(&listing, &store);
    (listing.marked(marks), store)
}

/// The same pictures with such hashes, where they have none yet.
pub(crate) fn marked((listing, store): &Part) -> Part {
    let (listing, store) = (listing.clone(), store.clone());
    match listing.marks().len() == listing.len() {
        true => (listing, store),
        false => mark((listing, store)),
    }
}

fn marks(listing: &Listing, store: &Store) -> Vec<u64> {
    let waiting = Waiting::for_pass("comparing pictures", listing.len());
    let mark = |index: usize| {
        // What cannot be read is told when it is decoded.
        let ends = store.ends(listing, index).unwrap_or_else(|_| listing.name(index).into());
        waiting.add(1);
        first_word(blake3::hash(&ends))
    };
    (0..listing.len()).into_par_iter().map(mark).collect()
}

/// Pictures for training and pictures for tests, about a fifth, of every class at least one each.
///
/// # Errors
/// [`Error::Data`] about `root` where a class has a single picture.
pub(crate) fn set_aside(
    root: &Path,
    (listing, store): &Part,
    classes: &[String],
) -> Result<[Part; 2]> {
    let marks = listing.marks();
    let mut of_class = vec![Vec::new(); classes.len()];
    for (index, &label) in listing.labels().iter().enumerate() {
        of_class[usize::from(label)].push(index);
    }
    let few: Vec<_> = classes.iter().zip(&of_class).filter(|(_, of)| of.len() < 2).collect();
    if !few.is_empty() {
        let names: Vec<_> = few.iter().take(NAMED).map(|(class, _)| format!("`{class}`")).collect();
        let more = if few.len() > NAMED { ", ..." } else { "" };
        let problem = format!("holds a single picture of {}{more}", names.join(", "));
        return Err(Error::data(root, problem).with_hint(
            "a class needs at least 2 pictures, one to train on and one to test on; better 20",
        ));
    }
    let mut chosen = vec![false; listing.len()];
    for mut of in of_class {
        of.sort_by_key(|&index| (marks[index], index));
        let below = |index: &usize| part(marks[*index]) < TEST;
        let tests = of.iter().filter(|index| below(index)).count().clamp(1, of.len() - 1);
        of[..tests].iter().for_each(|&index| chosen[index] = true);
    }
    let parts = listing.divide(root, &chosen)?;
    Ok(parts.map(|listing| (listing, store.clone())))
}

/// Pictures in an order that `seed` fixes, in which every class is spread evenly: the first tenth of
/// all holds a tenth of each.
pub(crate) fn order(labels: &[u16], marks: &[u64], seed: u64) -> Vec<u32> {
    let key = |index: usize| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(&marks[index].to_le_bytes());
        (first_word(hasher.finalize()), index as u32)
    };
    let mut of_class: BTreeMap<u16, Vec<(u64, u32)>> = BTreeMap::new();
    for (index, &label) in labels.iter().enumerate() {
        of_class.entry(label).or_default().push(key(index));
    }
    let mut places = Vec::with_capacity(labels.len());
    for of in of_class.values_mut() {
        of.sort_unstable();
        let count = of.len() as f64;
        places.extend(of.iter().enumerate().map(|(rank, &key)| ((rank as f64 + 0.5) / count, key)));
    }
    places.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    places.into_iter().map(|(_, (_, index))| index).collect()
}

/// A part, and a picture in it.
type Place = (usize, usize);

/// What is to be said of marked pictures of the same content in several classes, and in several parts.
pub(crate) fn copies(parts: &[&Part]) -> Vec<String> {
    let mut found: BTreeMap<u64, Vec<Place>> = BTreeMap::new();
    for (part, (listing, _)) in parts.iter().enumerate() {
        for (index, &mark) in listing.marks().iter().enumerate() {
            found.entry(mark).or_default().push((part, index));
        }
    }
    let label = |&(part, index): &Place| parts[part].0.labels()[index];
    let path = |&(part, index): &Place| {
        let (listing, store) = parts[part];
        store.path(listing, index).display().to_string()
    };
    let mut said = Vec::new();
    let mut say = |differ: &dyn Fn(&Place, &Place) -> bool, what: &str| {
        let pairs = found.values().filter_map(|of| {
            let first = of.first()?;
            of.iter().find(|other| differ(first, other)).map(|other| (of.len(), first, other))
        });
        let pairs: Vec<_> = pairs.collect();
        if let Some((_, first, other)) = pairs.first() {
            let count: usize = pairs.iter().map(|(count, ..)| count).sum();
            said.push(format!(
                "{count} pictures are the same as one in another {what}, such as {} and {}",
                path(first),
                path(other)
            ));
        }
    };
    say(&|a, b| label(a) != label(b), "class");
    say(&|a, b| a.0 != b.0, "part");
    said
}

/// A number from 0 to below 1.
fn part(mark: u64) -> f64 {
    (mark >> 11) as f64 / (1_u64 << 53) as f64
}

fn first_word(hash: blake3::Hash) -> u64 {
    hash.as_bytes().first_chunk().map_or(0, |&bytes| u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class_folders::{classes, list};
    use crate::testing::{data_problem, distinct, pictures};
    use std::collections::BTreeSet;

    /// The pictures in folders of classes, and the classes.
    fn listed(root: &Path) -> (Part, Vec<String>) {
        let names = classes(root).unwrap();
        (mark((list(root, &names).unwrap(), Store::Folder(root.into()))), names)
    }

    /// Names of the pictures for tests among those in `root`.
    fn tests(root: &Path) -> BTreeSet<String> {
        let (part, names) = listed(root);
        let [_, (test, _)] = set_aside(root, &part, &names).unwrap();
        (0..test.len()).map(|index| test.name(index).to_string()).collect()
    }

    #[test]
    fn a_file_that_is_taken_away_moves_no_training_picture_to_the_tests() {
        let root = distinct(&[("a", 40), ("b", 25), ("c", 2)]);
        let before = tests(root.path());
        assert!((8..22).contains(&before.len()), "{before:?}");
        for class in ["a/", "b/", "c/"] {
            assert!(before.iter().any(|name| name.starts_with(class)));
        }
        for index in 0..40 {
            let name = format!("a/{index}.png");
            let path = root.path().join(&name);
            let content = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            assert!(tests(root.path()).is_subset(&before), "{name}");
            std::fs::write(path, content).unwrap();
        }
        // Nor does another name.
        std::fs::rename(root.path().join("b"), root.path().join("d")).unwrap();
        let renamed = tests(root.path()).into_iter().map(|name| name.replace("d/", "b/"));
        assert_eq!(renamed.collect::<BTreeSet<_>>(), before);
    }

    #[test]
    fn a_class_of_one_picture_is_named() {
        let root = distinct(&[("a", 1), ("b", 1), ("c", 2)]);
        let (part, names) = listed(root.path());
        let (problem, hint) = data_problem(set_aside(root.path(), &part, &names));
        assert_eq!(problem, "holds a single picture of `a`, `b`");
        assert!(hint.contains("at least 2"));
    }

    #[test]
    fn every_class_is_spread_over_the_order() {
        let labels: Vec<u16> = (0..100).map(|index| u16::from(index >= 80)).collect();
        let marks: Vec<u64> = (0..100).map(|index| index * index).collect();
        let order = order(&labels, &marks, 3);
        let ones = |part: &[u32]| part.iter().filter(|&&index| index >= 80).count();
        assert!((1..=3).contains(&ones(&order[..10])) && (1..=3).contains(&ones(&order[90..])));
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 100);
        assert_ne!(order, super::order(&labels, &marks, 4));
    }

    #[test]
    fn copies_are_said() {
        let root = pictures(&["a/1.png", "a/2.png", "b/3.png"]);
        let (part, _) = listed(root.path());
        let said = copies(&[&part]);
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("3 pictures are the same as one in another class"), "{said:?}");
        let said = copies(&[&part, &part]);
        assert!(said[1].contains("another part"), "{said:?}");
    }
}
