//! MATLAB's MAT-files, version 5 ("Level 5 MAT-File Format", The MathWorks): as much of them as
//! arrays of numbers and characters, and structures of those, need; little-endian as every machine
//! that wrote data sets was.
//!
//! A file is a header of 128 bytes and a list of elements: a tag (type, length), then the content.
//! Each variable is a matrix element, usually packed with zlib, that holds elements itself: flags,
//! dimensions, name, values. An element of up to four bytes sits within its tag.

use crate::Input;
use crate::Result;

/// Types of elements.
mod kind {
    pub(super) const INT8: u32 = 1;
    pub(super) const UINT8: u32 = 2;
    pub(super) const INT16: u32 = 3;
    pub(super) const UINT16: u32 = 4;
    pub(super) const INT32: u32 = 5;
    pub(super) const UINT32: u32 = 6;
    pub(super) const SINGLE: u32 = 7;
    pub(super) const DOUBLE: u32 = 9;
    pub(super) const MATRIX: u32 = 14;
    pub(super) const COMPRESSED: u32 = 15;
    pub(super) const UTF8: u32 = 16;
    pub(super) const UTF16: u32 = 17;
}

/// Class of arrays of characters; numbers have higher ones, cells, structures and objects lower.
const CHARACTERS: u8 = 4;
/// Longest name and longest list of dimensions that are taken seriously.
const LONGEST: u32 = 64;
/// Bytes of values that are read as numbers at once, at most: as float64 they take up to eight times
/// as many.
const MOST_NUMBERS: u32 = 1 << 27;
/// Longest list of names of a structure's fields.
const LONGEST_NAMES: u32 = 64 * LONGEST;

/// Calls `visit` for each variable of a file, which may read its values or not.
///
/// # Errors
/// [`Error`](crate::Error) where the file is not a whole MAT-file of numeric arrays, and
/// whatever `visit` returns.
pub fn variables(
    mut input: Input<'_>,
    mut visit: impl FnMut(&mut Variable<'_, '_>) -> Result<()>,
) -> Result<()> {
    let mut header = [0; 128];
    input.fill(&mut header, "the header")?;
    match &header[124..] {
        [0, 1, b'I', b'M'] => {}
        [0, 2, b'I', b'M'] => {
            return Err(input.problem("is a MAT-file of version 7.3 instead of version 5"));
        }
        [1, 0, b'M', b'I'] => return Err(input.problem("is a big-endian MAT-file")),
        _ => return Err(input.problem("offset 124: not the mark of a MAT-file of version 5")),
    }
    let mut tag = [0; 8];
    while input.record(&mut tag, "a tag")? {
        let [kind, length] = words(tag);
        match kind {
            kind::COMPRESSED => input.zlib(u64::from(length), |content| {
                let tag = Tag::read(content, "a matrix")?;
                if tag.kind != kind::MATRIX {
                    return Err(unexpected(content, "a matrix", tag.kind));
                }
                matrix(content, tag.length, &mut visit)?;
                content.end()
            })?,
            kind::MATRIX => matrix(&mut input, length, &mut visit)?,
            other => return Err(unexpected(&input, "a variable", other)),
        }
    }
    Ok(())
}

/// Reads a matrix element whose tag has been read, up to its end.
fn matrix(
    input: &mut Input<'_>,
    length: u32,
    visit: &mut impl FnMut(&mut Variable<'_, '_>) -> Result<()>,
) -> Result<()> {
    let end = input.offset() + u64::from(length);
    visit(&mut Variable::read(input)?)?;
    match end.checked_sub(input.offset()) {
        Some(left) => skip(input, left, "a matrix"),
        None => Err(input.problem(format!("a matrix goes on at {}", input.position()))),
    }
}

/// A numeric array.
pub struct Variable<'i, 'a> {
    /// Its name.
    pub name: String,
    /// Its dimensions, the fastest first.
    pub dimensions: Vec<usize>,
    /// What kind of array it is.
    class: u8,
    values: Tag,
    input: &'i mut Input<'a>,
}

impl<'i, 'a> Variable<'i, 'a> {
    /// Reads everything in front of the values.
    fn read(input: &'i mut Input<'a>) -> Result<Self> {
        let flags = Tag::read(input, "the flags")?;
        flags.expect(input, "the flags", kind::UINT32)?;
        let flags = flags.content(input, LONGEST, "the flags")?;
        let dimensions = Tag::read(input, "the dimensions")?;
        dimensions.expect(input, "the dimensions", kind::INT32)?;
        let dimensions = dimensions.content(input, LONGEST, "the dimensions")?;
        let name = Tag::read(input, "the name")?;
        name.expect(input, "the name", kind::INT8)?;
        let name = String::from_utf8_lossy(&name.content(input, LONGEST, "the name")?).into_owned();
        let values = Tag::read(input, "the values")?;
        let dimensions = dimensions
            .chunks_exact(4)
            .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
            .collect();
        let class = flags.first().copied().unwrap_or_default();
        Ok(Self { name, dimensions, class, values, input })
    }

    /// An error about this variable.
    pub fn problem(&self, problem: &str) -> crate::Error {
        self.input.problem(format!("variable `{}`: {problem}", self.name))
    }

    /// The values of an array of bytes, in blocks of `size`, each handed to `take`.
    ///
    /// # Errors
    /// [`Error`](crate::Error) where they are no bytes, or fewer than the file says.
    pub fn blocks(&mut self, size: usize, mut take: impl FnMut(&[u8])) -> Result<()> {
        self.values.expect(self.input, "the values", kind::UINT8)?;
        let bytes = self.values.length as usize;
        if self.values.within.is_some() || !bytes.is_multiple_of(size) {
            return Err(self.problem(&format!("{bytes} bytes are not blocks of {size}")));
        }
        let mut block = vec![0; size];
        for index in 0..bytes / size {
            self.input.fill(&mut block, &format!("record {index}"))?;
            take(&block);
        }
        Ok(())
    }

    /// The values of an array of numbers, of whichever type they are stored in.
    ///
    /// # Errors
    /// [`Error`](crate::Error) where they are no numbers, or fewer than the file says.
    pub fn numbers(&mut self) -> Result<Vec<f64>> {
        if self.values.length > MOST_NUMBERS {
            let bytes = self.values.length;
            return Err(self.problem(&format!("{bytes} bytes are too many to be read as numbers")));
        }
        let bytes = match self.values.within {
            Some(bytes) => bytes[..self.values.length as usize].to_vec(),
            None => self.input.bytes(u64::from(self.values.length), "the values")?,
        };
        Ok(match self.values.kind {
            kind::INT8 => each(&bytes, |[byte]| f64::from(byte as i8)),
            kind::UINT8 | kind::UTF8 => each(&bytes, |[byte]| f64::from(byte)),
            kind::INT16 => each(&bytes, |bytes| f64::from(i16::from_le_bytes(bytes))),
            kind::UINT16 | kind::UTF16 => {
                each(&bytes, |bytes| f64::from(u16::from_le_bytes(bytes)))
            }
            kind::INT32 => each(&bytes, |bytes| f64::from(i32::from_le_bytes(bytes))),
            kind::UINT32 => each(&bytes, |bytes| f64::from(u32::from_le_bytes(bytes))),
            kind::SINGLE => each(&bytes, |bytes| f64::from(f32::from_le_bytes(bytes))),
            kind::DOUBLE => each(&bytes, f64::from_le_bytes),
            other => return Err(unexpected(self.input, "numbers", other)),
        })
    }

    /// The values of an array of structures: for each of them, and each of its fields in turn,
    /// hands its number, the name of the field and its numbers, or the codes of its characters,
    /// to `take`. Fields that hold anything else are passed over.
    ///
    /// # Errors
    /// [`Error`](crate::Error) where they are no structures, or fewer than the file says.
    pub fn structures(&mut self, mut take: impl FnMut(usize, &str, Vec<f64>)) -> Result<()> {
        let what = "the names of fields";
        self.values.expect(self.input, what, kind::INT32)?;
        let size = self.values.content(self.input, LONGEST, what)?;
        let size = size.first_chunk().map_or(0, |&bytes| u32::from_le_bytes(bytes)) as usize;
        let names = Tag::read(self.input, what)?;
        names.expect(self.input, what, kind::INT8)?;
        let names = names.content(self.input, LONGEST_NAMES, what)?;
        if size == 0 || !names.len().is_multiple_of(size) {
            return Err(self.problem(&format!("{} bytes are not names of {size}", names.len())));
        }
        let text = |name: &[u8]| String::from_utf8_lossy(name).trim_end_matches('\0').to_string();
        let names: Vec<_> = names.chunks_exact(size).map(text).collect();
        let count = self.dimensions.iter().try_fold(1_usize, |all, &size| all.checked_mul(size));
        // Without fields there is nothing to read, however many there are.
        let count = if names.is_empty() { 0 } else { count.unwrap_or(usize::MAX) };
        for index in 0..count {
            for name in &names {
                let tag = Tag::read(self.input, "a field")?;
                tag.expect(self.input, "a field", kind::MATRIX)?;
                if tag.length == 0 {
                    take(index, name, Vec::new());
                    continue;
                }
                matrix(self.input, tag.length, &mut |value: &mut Variable<'_, '_>| {
                    if value.is_simple() {
                        take(index, name, value.numbers()?);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Whether the values are numbers or characters.
    fn is_simple(&self) -> bool {
        self.class >= CHARACTERS
    }

    /// Bytes of values that may really be there: what to take memory for.
    pub fn plausible(&self) -> usize {
        self.input.plausible(u64::from(self.values.length))
    }
}

/// Type and length of an element, and its content where that is within the tag.
struct Tag {
    kind: u32,
    length: u32,
    within: Option<[u8; 4]>,
}

impl Tag {
    fn read(input: &mut Input<'_>, what: &str) -> Result<Self> {
        let mut tag = [0; 8];
        input.fill(&mut tag, what)?;
        let [first, second] = words(tag);
        let (kind, length) = (first & 0xffff, first >> 16);
        match length {
            0 => Ok(Self { kind, length: second, within: None }),
            1..=4 => Ok(Self { kind, length, within: Some(second.to_le_bytes()) }),
            _ => Err(unexpected(input, what, first)),
        }
    }

    fn expect(&self, input: &Input<'_>, what: &str, kind: u32) -> Result<()> {
        if self.kind == kind { Ok(()) } else { Err(unexpected(input, what, self.kind)) }
    }

    /// The content of a short element.
    fn content(&self, input: &mut Input<'_>, most: u32, what: &str) -> Result<Vec<u8>> {
        if let Some(bytes) = self.within {
            return Ok(bytes[..self.length as usize].to_vec());
        }
        if self.length > most {
            return Err(input.problem(format!(
                "{what} before {} are {} bytes long, which cannot be",
                input.position(),
                self.length
            )));
        }
        let bytes = input.bytes(u64::from(self.length), what)?;
        skip(input, padding(self.length), what)?;
        Ok(bytes)
    }
}

/// The two numbers of a tag.
fn words(tag: [u8; 8]) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = tag;
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

/// Bytes that fill an element up to a multiple of eight.
fn padding(length: u32) -> u64 {
    u64::from(length.wrapping_neg() % 8)
}

/// Reads over what nobody needs.
fn skip(input: &mut Input<'_>, mut bytes: u64, what: &str) -> Result<()> {
    let mut buffer = [0; 4096];
    while bytes > 0 {
        let now = bytes.min(buffer.len() as u64);
        input.fill(&mut buffer[..now as usize], what)?;
        bytes -= now;
    }
    Ok(())
}

/// The numbers that `bytes` hold, `N` bytes each.
fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
}

fn unexpected(input: &Input<'_>, what: &str, kind: u32) -> crate::Error {
    input.problem(format!("{what} expected before {}, found type {kind}", input.position()))
}

#[cfg(test)]
mod tests;
