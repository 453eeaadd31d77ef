//! Pickles written by hand: what is read, what is refused, and that nothing is ever called.

use super::*;
use std::io::Write;
use zip::write::FileOptions;

/// An archive as `torch.save` lays it out.
fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = FileOptions::default().compression_method(method);
        writer.start_file(format!("model/{name}"), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn text(text: &str) -> Vec<u8> {
    [&[0x8C, text.len() as u8], text.as_bytes()].concat()
}

/// A pickle of `{"w": tensor}`; the tensor is a view of storage 0, which has four floats.
fn pickle(shape: &[u8], strides: &[u8], offset: u8) -> Vec<u8> {
    let tuple = |numbers: &[u8]| {
        let items = numbers.iter().flat_map(|&number| [b'K', number]);
        [vec![b'('], items.collect(), vec![b't']].concat()
    };
    [
        vec![0x80, 2, b'}'],
        text("w"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        vec![b'K', 4, b't', b'Q', b'K', offset],
        tuple(shape),
        tuple(strides),
        vec![0x89, b'}', b't', b'R', b's', b'.'],
    ]
    .concat()
}

fn numbers() -> Vec<u8> {
    [1.0_f32, 2.0, 3.0, 4.0].iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn load_pickle(pickle: &[u8]) -> Result<StateDict, Problem> {
    let members: [(&str, &[u8]); 2] = [("data.pkl", pickle), ("data/0", &numbers())];
    read_archive(&archive(&members, CompressionMethod::Stored))
}

fn refused(pickle: &[u8]) -> String {
    load_pickle(pickle).unwrap_err().what
}

#[test]
fn views_are_read_in_their_own_order() {
    let values = |shape: &[u8], strides: &[u8], offset| {
        load_pickle(&pickle(shape, strides, offset)).unwrap().0["w"].values.clone()
    };
    assert_eq!(values(&[2, 2], &[2, 1], 0), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(values(&[2, 2], &[1, 2], 0), [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(values(&[2], &[2], 1), [2.0, 4.0]);
    assert_eq!(values(&[], &[], 3), [4.0]);
    assert_eq!(values(&[0, 9], &[9, 1], 0), [0.0; 0]);
}

#[test]
fn tensors_beyond_their_storage_are_refused() {
    assert!(refused(&pickle(&[5], &[1], 0)).contains("larger than its storage"));
    assert!(refused(&pickle(&[200, 200, 200, 200], &[0; 4], 0)).contains("larger"));
    assert!(refused(&pickle(&[2, 2], &[2, 1], 1)).contains("beyond"));
    assert!(refused(&pickle(&[2], &[200], 0)).contains("beyond"));
    assert!(refused(&pickle(&[2], &[1, 1], 0)).contains("not known"));
    assert!(refused(&pickle(&[1; 9], &[1; 9], 0)).contains("not known"));
}

#[test]
fn code_is_neither_found_nor_called() {
    let system = [b"\x80\x02cposix\nsystem\n".as_slice(), &text("touch x"), b"\x85R."].concat();
    assert!(refused(&system).contains("posix.system"));
    let by_stack = [b"\x80\x04".as_slice(), &text("os"), &text("system"), b"\x93."].concat();
    assert!(refused(&by_stack).contains("os.system"));
    for name in ["builtins\neval", "torch\nload", "torch._utils\n_rebuild_qtensor", "__main__\nNet"]
    {
        let pickle = format!("\u{80}\u{2}c{name}\n)R.");
        let pickle: Vec<u8> = pickle.chars().map(|c| c as u8).collect();
        assert!(refused(&pickle).contains(&name.replace('\n', ".")), "{name}");
    }
    // INST, OBJ, NEWOBJ, NEWOBJ_EX, EXT1, text persistent ids, text numbers.
    for operation in [b'i', b'o', 0x81, 0x92, 0x82, b'P', b'I', b'S', 0xFF] {
        assert!(refused(&[0x80, 2, b'}', operation, b'.']).contains("more than hold tensors"));
    }
    let tensor = pickle(&[4], &[1], 0);
    assert!(refused(&[&[0x80, 9], &tensor[2..]].concat()).contains("protocol 9"));
}

#[test]
fn a_pickle_cut_or_changed_anywhere_is_no_panic() {
    let whole = pickle(&[2, 2], &[2, 1], 0);
    for length in 0..whole.len() {
        refused(&whole[..length]);
    }
    for at in 0..whole.len() {
        for byte in 0..=255 {
            let mut changed = whole.clone();
            changed[at] = byte;
            let _ = load_pickle(&changed);
        }
    }
}

#[test]
fn an_archive_cut_or_changed_anywhere_is_no_panic() {
    let members: [(&str, &[u8]); 2] =
        [("data.pkl", &pickle(&[4], &[1], 0)), ("data/0", &numbers())];
    let whole = archive(&members, CompressionMethod::Stored);
    for length in 0..whole.len() {
        assert!(read_archive(&whole[..length]).is_err(), "{length}");
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            let _ = read_archive(&changed);
        }
    }
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 32 << 20];
    let members: [(&str, &[u8]); 2] = [("data.pkl", &pickle(&[4], &[1], 0)), ("data/0", &zeros)];
    let bomb = archive(&members, CompressionMethod::Deflated);
    assert!(bomb.len() < 1 << 20);
    assert!(read_archive(&bomb).unwrap_err().what.contains("compressed"));
    // A pickle that says that its tensor is huge, and one that is nested without end.
    let mut huge = pickle(&[4], &[1], 0);
    let at = huge.windows(2).position(|pair| pair == [b'K', 4]).unwrap();
    huge.splice(at..at + 2, [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x40]);
    assert!(refused(&huge).contains("larger"));
    let nested = [&[0x80, 2, b')'], vec![0x85; 1 << 20].as_slice(), b"."].concat();
    assert!(refused(&nested).contains("no dictionary"));
}

#[test]
fn other_files_are_told_apart() {
    let what = |bytes: &[u8]| read_archive(bytes).unwrap_err().what;
    assert!(what(&[0x80, 2, 0x8A, 10]).contains("pickle without a zip"));
    // Lengths of safetensors headers.
    for length in [0x4B50_u64, 0x0280, 0x80, 0x0403_4B50] {
        assert!(!recognises(&length.to_le_bytes()), "{length}");
    }
    let script = archive(&[("constants.pkl", b""), ("data.pkl", b"")], CompressionMethod::Stored);
    assert!(what(&script).contains("TorchScript"));
    let office = archive(&[("content.xml", b"")], CompressionMethod::Stored);
    assert!(what(&office).contains("none that torch.save wrote"));
    let order = archive(&[("data.pkl", b""), ("byteorder", b"big")], CompressionMethod::Stored);
    assert!(what(&order).contains("big-endian"));
}
