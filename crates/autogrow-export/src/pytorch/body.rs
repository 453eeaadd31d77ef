//! The two methods of a Python class: what it holds, and how it computes.

use super::template::{Methods, Template};
use std::collections::BTreeMap;

/// An expression, from those of the inputs and of what is held.
pub(super) type Value = Box<dyn Fn(&[Template], &str) -> Template>;

/// A step of a computation.
pub(super) struct Step {
    /// Name of what it holds, with dots, seen from the class; empty where it holds nothing.
    pub(super) name: String,
    /// How that is made.
    pub(super) made: Option<Template>,
    /// The values it needs.
    pub(super) inputs: Vec<usize>,
    /// The value it makes.
    pub(super) output: usize,
    /// Whether its value gets a name, so that lines end where layers do.
    pub(super) closes: bool,
    /// Its expression.
    pub(super) value: Value,
}

/// Longest list of layers.
const LONGEST: usize = 1_000;
/// Longest expression that is written into another one.
const INLINE: usize = 56;

/// `__init__` behind its first line, and `forward`. `input` and `output` are values.
pub(super) fn methods(steps: &[Step], input: usize, output: usize) -> Methods {
    let mut tree = Tree::default();
    for step in steps {
        if let Some(made) = &step.made {
            tree.add(&step.name, made);
        }
    }
    let mut init = Template::text("        super().__init__()\n");
    tree.write("self", &mut init);
    (init, forward(steps, &tree, input, output))
}

fn forward(steps: &[Step], tree: &Tree, input: usize, output: usize) -> Template {
    let mut forward = Template::text("    def forward(self, x):\n");
    let mut known = BTreeMap::from([(input, Template::text("x"))]);
    let mut named = 0;
    for step in steps {
        let inputs: Vec<_> = step.inputs.iter().filter_map(|i| known.get(i).cloned()).collect();
        let value = (step.value)(&inputs, &tree.expression(&step.name));
        if step.output == output {
            return forward.and("        return ").append(&value).and("\n");
        }
        let uses = steps.iter().flat_map(|step| &step.inputs).filter(|&&i| i == step.output);
        let inline = uses.count() == 1 && !step.closes && value.length() <= INLINE;
        let value = if inline {
            value
        } else {
            named += 1;
            let name = format!("y{named}");
            forward = forward.and(&format!("        {name} = ")).append(&value).and("\n");
            Template::text(name)
        };
        known.insert(step.output, value);
    }
    forward.and("        return x\n")
}

/// What a class holds, by the parts of its names.
#[derive(Default)]
struct Tree {
    made: Option<Template>,
    /// In the order in which they come.
    children: Vec<(String, Tree)>,
}

impl Tree {
    fn add(&mut self, name: &str, made: &Template) {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let index = self.children.iter().position(|(other, _)| other == first);
        let index = index.unwrap_or_else(|| {
            self.children.push((first.into(), Self::default()));
            self.children.len() - 1
        });
        let child = &mut self.children[index].1;
        if rest.is_empty() {
            child.made = Some(made.clone());
        } else {
            child.add(rest, made);
        }
    }

    /// Whether it is a list: children that are numbered, perhaps with gaps where PyTorch's
    /// `nn.Sequential` has layers without parameters.
    fn is_list(&self) -> bool {
        let number = |(name, _): &(String, Self)| name.parse().is_ok_and(|i: usize| i < LONGEST);
        !self.children.is_empty() && self.children.iter().all(number)
    }

    /// Statements that make the children of `place`.
    fn write(&self, place: &str, out: &mut Template) {
        for (name, child) in &self.children {
            let place = self.child(place, name);
            if !self.is_list() {
                let made = child.made(8);
                *out = out.clone().and(&format!("        {place} = ")).append(&made).and("\n");
            }
            if child.made.is_none() {
                child.write(&place, out);
            }
        }
    }

    /// The expression that makes this, what a list holds included.
    fn made(&self, indent: usize) -> Template {
        if let Some(made) = &self.made {
            return made.clone();
        }
        if !self.is_list() {
            return Template::text("nn.Module()");
        }
        let chain = self.children.iter().all(|(_, child)| child.made.is_some());
        let (open, close) = if chain { ("nn.Sequential(", ")") } else { ("nn.ModuleList([", "])") };
        let margin = " ".repeat(indent);
        let mut list = Template::text(open);
        let numbered =
            self.children.iter().filter_map(|(name, child)| Some((name.parse().ok()?, child)));
        let children: BTreeMap<usize, _> = numbered.collect();
        for index in 0..children.last_key_value().map_or(0, |(last, _)| last + 1) {
            let child = children.get(&index).map(|child| child.made(indent + 4));
            let child = child.unwrap_or_else(|| Template::text("nn.Identity()"));
            list = list.and(&format!("\n{margin}    ")).append(&child).and(",");
        }
        list.and(&format!("\n{margin}{close}"))
    }

    /// The expression of what is called `name`.
    fn expression(&self, name: &str) -> String {
        let mut tree = self;
        let mut place = "self".to_string();
        for part in name.split('.') {
            place = tree.child(&place, part);
            match tree.children.iter().find(|(other, _)| other == part) {
                Some((_, child)) => tree = child,
                None => break,
            }
        }
        place
    }

    fn child(&self, place: &str, name: &str) -> String {
        if self.is_list() { format!("{place}[{name}]") } else { format!("{place}.{name}") }
    }
}
