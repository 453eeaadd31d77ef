//! What the segments of a JPEG file say without decoding it, and whether a file without its end marker
//! holds all of its pixels.

use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageResult};
use std::io::Cursor;

/// The marker at the end of a file.
const END: [u8; 2] = [0xff, 0xd9];
/// What image data are gone on with, to see whether any are missing. The first bits differ.
const FILLINGS: [u8; 2] = [0x55, 0xaa];

/// What the segments of a JPEG file say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Whether there is a segment that may say how the camera was held.
    pub(super) exif: bool,
    /// Whether the image data have an end.
    pub(super) ends: bool,
    /// Blocks of a baseline picture of one scan, and colours of it.
    blocks: Option<(usize, u8)>,
    /// Blocks between restart markers; 0: there are none.
    interval: usize,
    /// Where the data of the first scan begin.
    scan: Option<usize>,
}

impl Layout {
    /// Goes from segment to segment up to the image data, and looks for their end from behind.
    pub(super) fn of(content: &[u8]) -> Self {
        let mut layout = Self::default();
        let mut rest = content.get(2..).unwrap_or_default();
        while let [0xff, marker, after @ ..] = rest {
            let length = after.first_chunk().map_or(2, |&bytes| u16::from_be_bytes(bytes));
            let segment = after.get(2..usize::from(length)).unwrap_or_default();
            match marker {
                // A byte that fills up.
                0xff => {
                    rest = &rest[1..];
                    continue;
                }
                0xc0 | 0xc1 => layout.blocks = blocks(segment),
                0xdd => {
                    let interval = segment.first_chunk().map_or(0, |&b| u16::from_be_bytes(b));
                    layout.interval = interval.into();
                }
                // The first scan.
                0xda => {
                    layout.ends = after.windows(2).rev().any(|pair| pair == END);
                    // A scan of some of the colours is followed by others.
                    let colours = segment.first().copied();
                    layout.blocks = layout.blocks.filter(|&(_, all)| Some(all) == colours);
                    layout.scan = Some(content.len() - after.len() + usize::from(length));
                    break;
                }
                0xe1 => layout.exif = true,
                _ => {}
            }
            rest = after.get(usize::from(length)..).unwrap_or_default();
        }
        layout
    }

    /// Whether a file that has no end marker holds all of its pixels: whatever is put behind it, the
    /// same picture is decoded. Known of baseline pictures of one scan alone.
    pub(super) fn is_whole(&self, content: &[u8]) -> bool {
        let (Some((blocks, _)), Some(scan)) = (self.blocks, self.scan) else { return false };
        let data = content.get(scan..).unwrap_or_default();
        let restarts = data.windows(2).filter(|pair| matches!(pair, [0xff, 0xd0..=0xd7])).count();
        let wanted = if self.interval == 0 { 0 } else { blocks.div_ceil(self.interval) - 1 };
        if restarts != wanted {
            return false;
        }
        // Half a marker.
        let end = content.len() - content.iter().rev().take_while(|&&byte| byte == 0xff).count();
        let decoded = |filling: &[u8]| -> ImageResult<DynamicImage> {
            let whole = [&content[..end], filling, &END].concat();
            DynamicImage::from_decoder(JpegDecoder::new(Cursor::new(whole))?)
        };
        let Ok(plain) = decoded(&[]) else { return false };
        // As many as make all of a row of blocks: of one that is not whole, nothing may be shown.
        let length = content.len() + 4_096;
        FILLINGS.iter().all(|&byte| decoded(&vec![byte; length]).is_ok_and(|other| other == plain))
    }
}

/// Blocks (MCUs) of a frame that has all colours in one scan, and its colours.
fn blocks(frame: &[u8]) -> Option<(usize, u8)> {
    let [_, h1, h2, w1, w2, colours, factors @ ..] = frame else { return None };
    let [height, width] = [[*h1, *h2], [*w1, *w2]].map(|b| usize::from(u16::from_be_bytes(b)));
    let factors = factors.as_chunks::<3>().0;
    let most = |shift: u8| factors.iter().map(|of| usize::from(of[1] >> shift & 15)).max();
    // Blocks of a single colour are 8 by 8, whatever its factors.
    let (wide, tall) = if *colours == 1 { (1, 1) } else { (most(4)?, most(0)?) };
    let count = |length: usize, blocks: usize| length.div_ceil((8 * blocks).max(1));
    Some((count(width, wide) * count(height, tall), *colours))
}
