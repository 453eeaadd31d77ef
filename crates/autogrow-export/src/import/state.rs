//! Which tensors of a pickle are the state dict.

use super::pickle::{Machine, Object};
use super::tensor::Tensor;
use super::{Problem, other};
use autogrow_core::network::is_counter;
use std::collections::BTreeMap;

/// Keys under which training programs keep the state dict among other things.
const KEYS: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// The tensors of the state dict that a pickle holds, by name. Counters of batches are left out.
pub(super) fn tensors(pickle: &[u8]) -> Result<BTreeMap<String, Tensor>, Problem> {
    let mut machine = Machine::default();
    let Object::Dict(dict) = machine.run(pickle)? else {
        return Err(other("holds no dictionary of tensors"));
    };
    let within = KEYS.iter().find_map(|key| {
        machine.dicts[dict].iter().find_map(|entry| match entry {
            (Object::Text(name), Object::Dict(within)) if &**name == *key => Some(*within),
            _ => None,
        })
    });
    let mut tensors = BTreeMap::new();
    for entry in &machine.dicts[within.unwrap_or(dict)] {
        match entry {
            (Object::Text(name), Object::Tensor(tensor)) => {
                if !is_counter(name) {
                    tensors.insert(name.to_string(), (**tensor).clone());
                }
            }
            (Object::Text(name), _) => {
                return Err(other(format!("has an entry {name} that is no tensor")));
            }
            _ => return Err(other("has an entry without a name")),
        }
    }
    if tensors.is_empty() {
        return Err(other("holds no tensors"));
    }
    Ok(tensors)
}
