//! A machine for the pickles of state dicts, protocols 2 to 5. It knows the few operations and names
//! that tensors in dictionaries need, calls nothing, and ends at anything else.
//!
//! Containers live in one list and refer to each other by index, so that no nesting is too deep
//! and no circle is followed.

use super::tensor::{MOST_AXES, Storage, Tensor};
use super::{Problem, damaged, other};
use autogrow_core::network::floats::Float;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a pickle holds.
#[derive(Clone, Debug)]
pub(super) enum Object {
    /// None, booleans, floats and whatever else a state dict may carry along and nobody asks for.
    Other,
    Int(i64),
    Text(Rc<str>),
    /// A name that stands for a class or a function.
    Name(Name),
    /// Index into [`Machine::lists`]: a tuple or a list.
    List(usize),
    /// Index into [`Machine::dicts`].
    Dict(usize),
    Storage(Rc<Storage>),
    Tensor(Rc<Tensor>),
}

/// The names that are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Name {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    /// A class of storages; none for numbers that are no floats.
    Storage(Option<Float>),
    /// `torch.Size`: a tuple.
    Size,
}

/// The machine: what it works on, and what it has made.
#[derive(Default)]
pub(super) struct Machine {
    stack: Vec<Object>,
    /// Heights of the stack at which marks stand.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Object>,
    pub(super) lists: Vec<Vec<Object>>,
    pub(super) dicts: Vec<Vec<(Object, Object)>>,
}

impl Machine {
    /// Runs a pickle to its end and returns what it made.
    pub(super) fn run(&mut self, pickle: &[u8]) -> Result<Object, Problem> {
        let mut code = Code { bytes: pickle, at: 0 };
        loop {
            let at = code.at;
            let operation = code.byte()?;
            if operation == b'.' {
                return self.pop();
            }
            self.step(operation, &mut code).map_err(|problem| Problem {
                what: format!("{} (byte {at} of its pickle)", problem.what),
                ..problem
            })?;
        }
    }

    fn step(&mut self, operation: u8, code: &mut Code<'_>) -> Result<(), Problem> {
        match operation {
            // PROTO, FRAME
            0x80 => match code.byte()? {
                2..=5 => {}
                version => return Err(other(format!("uses pickle protocol {version}"))),
            },
            0x95 => drop(code.take(8)?),
            // None, booleans, numbers
            b'N' | 0x88 | 0x89 => self.push(Object::Other),
            b'K' => self.integer(code, 1)?,
            b'M' => self.integer(code, 2)?,
            b'J' => {
                let number = code.number(4)? as u32 as i32;
                self.push(Object::Int(number.into()));
            }
            0x8A => {
                let length = code.byte()?;
                self.long(code, length)?;
            }
            b'G' => {
                code.take(8)?;
                self.push(Object::Other);
            }
            // Texts and bytes
            b'X' => self.text(code, 4)?,
            0x8C => self.text(code, 1)?,
            0x8D => self.text(code, 8)?,
            b'B' | b'C' | 0x8E => {
                let length = code.number(match operation {
                    b'C' => 1,
                    b'B' => 4,
                    _ => 8,
                })?;
                code.take(length)?;
                self.push(Object::Other);
            }
            // Tuples, lists, dictionaries
            b'(' => self.marks.push(self.stack.len()),
            b')' | b']' | 0x8F => self.list(Vec::new()),
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..operation {
                    items.insert(0, self.pop()?);
                }
                self.list(items);
            }
            b't' | b'l' => {
                let items = self.since_mark()?;
                self.list(items);
            }
            b'}' => self.dict(Vec::new()),
            b'd' => {
                let items = self.since_mark()?;
                self.dict(pairs(items)?);
            }
            b'a' => {
                let item = self.pop()?;
                self.extend_list(vec![item])?;
            }
            b'e' | 0x90 => {
                let items = self.since_mark()?;
                self.extend_list(items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend_dict(vec![(key, value)])?;
            }
            b'u' => {
                let items = self.since_mark()?;
                self.extend_dict(pairs(items)?)?;
            }
            b'0' => drop(self.pop()?),
            // The memo
            b'q' => self.remember(code.number(1)?)?,
            b'r' => self.remember(code.number(4)?)?,
            0x94 => self.remember(self.memo.len())?,
            b'h' => self.recall(code.number(1)?)?,
            b'j' => self.recall(code.number(4)?)?,
            // Names, and what is done with them
            b'c' => {
                let (module, name) = (code.line()?, code.line()?);
                self.push(Object::Name(known(&module, &name)?));
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (Object::Text(name), Object::Text(module)) => {
                    self.push(Object::Name(known(&module, &name)?));
                }
                _ => return Err(damaged("has a name that is no text")),
            },
            b'Q' => self.storage()?,
            b'R' => self.call()?,
            // The state of an object that was just made: attributes of a dictionary, as PyTorch's
            // `_metadata`, which are of no interest.
            b'b' => drop(self.pop()?),
            other_operation => {
                return Err(other(format!(
                    "does more than hold tensors: pickle operation 0x{other_operation:02x}"
                )));
            }
        }
        Ok(())
    }

    fn push(&mut self, object: Object) {
        self.stack.push(object);
    }

    fn pop(&mut self) -> Result<Object, Problem> {
        if self.marks.last().is_some_and(|&mark| mark >= self.stack.len()) {
            return Err(damaged("takes what is not there"));
        }
        self.stack.pop().ok_or_else(|| damaged("takes what is not there"))
    }

    fn since_mark(&mut self) -> Result<Vec<Object>, Problem> {
        let mark = self.marks.pop().ok_or_else(|| damaged("lacks a mark"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn list(&mut self, items: Vec<Object>) {
        self.lists.push(items);
        self.push(Object::List(self.lists.len() - 1));
    }

    fn dict(&mut self, items: Vec<(Object, Object)>) {
        self.dicts.push(items);
        self.push(Object::Dict(self.dicts.len() - 1));
    }

    fn extend_list(&mut self, items: Vec<Object>) -> Result<(), Problem> {
        match self.stack.last() {
            Some(&Object::List(list)) => self.lists[list].extend(items),
            _ => return Err(damaged("appends to what is no list")),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: Vec<(Object, Object)>) -> Result<(), Problem> {
        match self.stack.last() {
            Some(&Object::Dict(dict)) => self.dicts[dict].extend(items),
            _ => return Err(damaged("sets an entry of what is no dictionary")),
        }
        Ok(())
    }

    fn integer(&mut self, code: &mut Code<'_>, bytes: usize) -> Result<(), Problem> {
        let number = code.number(bytes)?;
        self.push(Object::Int(number as i64));
        Ok(())
    }

    /// A signed number of up to eight bytes; a larger one is of no interest.
    fn long(&mut self, code: &mut Code<'_>, length: u8) -> Result<(), Problem> {
        let bytes = code.take(length.into())?;
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        self.push(if bytes.len() > 8 {
            Object::Other
        } else {
            let mut whole = [if negative { 0xFF } else { 0 }; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            Object::Int(i64::from_le_bytes(whole))
        });
        Ok(())
    }

    fn text(&mut self, code: &mut Code<'_>, bytes: usize) -> Result<(), Problem> {
        let length = code.number(bytes)?;
        let text = std::str::from_utf8(code.take(length)?);
        let text = text.map_err(|_| damaged("has a text that is not UTF-8"))?;
        self.push(Object::Text(text.into()));
        Ok(())
    }

    fn remember(&mut self, index: usize) -> Result<(), Problem> {
        let top = self.stack.last().ok_or_else(|| damaged("remembers what is not there"))?;
        let index = u32::try_from(index).map_err(|_| damaged("remembers too much"))?;
        self.memo.insert(index, top.clone());
        Ok(())
    }

    fn recall(&mut self, index: usize) -> Result<(), Problem> {
        let object = u32::try_from(index).ok().and_then(|index| self.memo.get(&index));
        let object = object.ok_or_else(|| damaged("recalls what it does not remember"))?;
        self.stack.push(object.clone());
        Ok(())
    }

    /// A reference to a storage: `("storage", class, key, device, numbers)`.
    fn storage(&mut self) -> Result<(), Problem> {
        let wrong = || damaged("refers to a storage in a way that is not known");
        let Object::List(list) = self.pop()? else { return Err(wrong()) };
        let [
            Object::Text(kind),
            Object::Name(Name::Storage(float)),
            Object::Text(key),
            _,
            Object::Int(numbers),
        ] = &self.lists[list][..]
        else {
            return Err(wrong());
        };
        let numbers = usize::try_from(*numbers).map_err(|_| wrong())?;
        if &**kind != "storage" {
            return Err(wrong());
        }
        let storage = Storage { float: *float, key: key.clone(), numbers };
        self.push(Object::Storage(Rc::new(storage)));
        Ok(())
    }

    /// What PyTorch has called when it writes a tensor or a dictionary.
    fn call(&mut self) -> Result<(), Problem> {
        let (Object::List(arguments), Object::Name(name)) = (self.pop()?, self.pop()?) else {
            return Err(damaged("calls what cannot be called"));
        };
        match name {
            Name::OrderedDict if self.lists[arguments].is_empty() => self.dict(Vec::new()),
            Name::RebuildTensor => {
                let tensor = self.tensor(&self.lists[arguments])?;
                self.push(Object::Tensor(Rc::new(tensor)));
            }
            Name::RebuildParameter | Name::Size => {
                let first = self.lists[arguments].first().cloned();
                self.push(first.ok_or_else(|| damaged("has a parameter without a tensor"))?);
            }
            _ => return Err(damaged("calls what cannot be called")),
        }
        Ok(())
    }

    /// `(storage, offset, shape, strides, ...)`.
    fn tensor(&self, arguments: &[Object]) -> Result<Tensor, Problem> {
        let wrong = || damaged("describes a tensor in a way that is not known");
        let [
            Object::Storage(storage),
            Object::Int(offset),
            Object::List(shape),
            Object::List(strides),
            ..,
        ] = arguments
        else {
            return Err(wrong());
        };
        if self.lists[*shape].len() > MOST_AXES {
            return Err(wrong());
        }
        let numbers = |list: usize| -> Option<Vec<usize>> {
            let number = |object: &Object| match object {
                Object::Int(number) => usize::try_from(*number).ok(),
                _ => None,
            };
            self.lists[list].iter().take(MOST_AXES).map(number).collect()
        };
        let (shape, strides) =
            (numbers(*shape).ok_or_else(wrong)?, numbers(*strides).ok_or_else(wrong)?);
        let offset = usize::try_from(*offset).map_err(|_| wrong())?;
        if shape.len() != strides.len() {
            return Err(wrong());
        }
        Ok(Tensor { storage: storage.clone(), offset, shape, strides })
    }
}

fn pairs(items: Vec<Object>) -> Result<Vec<(Object, Object)>, Problem> {
    if !items.len().is_multiple_of(2) {
        return Err(damaged("has a key without a value"));
    }
    let mut items = items.into_iter();
    Ok(std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect())
}

/// The names that tensors need. Any other could stand for code.
fn known(module: &str, name: &str) -> Result<Name, Problem> {
    Ok(match (module, name) {
        ("collections", "OrderedDict") => Name::OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => Name::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Name::RebuildParameter,
        ("torch", "Size") => Name::Size,
        ("torch", "FloatStorage") => Name::Storage(Some(Float::F32)),
        ("torch", "HalfStorage") => Name::Storage(Some(Float::F16)),
        ("torch", "BFloat16Storage") => Name::Storage(Some(Float::BF16)),
        ("torch", "DoubleStorage") => Name::Storage(Some(Float::F64)),
        (
            "torch",
            "LongStorage" | "IntStorage" | "ShortStorage" | "CharStorage" | "ByteStorage"
            | "BoolStorage",
        ) => Name::Storage(None),
        _ => {
            let what = format!("needs {module}.{name}, which is no tensor and was not called");
            return Err(other(what));
        }
    })
}

/// The bytes of a pickle.
struct Code<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Code<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| damaged("has a pickle that is cut off"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        Ok(self.take(1)?[0])
    }

    /// An unsigned number of so many bytes, little-endian.
    fn number(&mut self, bytes: usize) -> Result<usize, Problem> {
        let bytes = self.take(bytes)?;
        let number = bytes.iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        usize::try_from(number).map_err(|_| damaged("has a length that is no length"))
    }

    fn line(&mut self) -> Result<String, Problem> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(end.unwrap_or(rest.len()))?;
        self.take(1)?;
        Ok(String::from_utf8_lossy(line).into_owned())
    }
}
