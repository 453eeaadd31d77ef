//! How a picture becomes an image as the network sees it, in words that are exact enough to do the same
//! elsewhere: for model cards, the metadata of ONNX files and the docstrings of Python modules.

use autogrow_core::network::ModelInfo;

/// The steps, a sentence or more each; none where the model file does not tell them.
pub(crate) fn steps(info: &ModelInfo) -> Vec<String> {
    let Some(preprocessing) = &info.preprocessing else { return Vec::new() };
    let [height, width] = preprocessing.size;
    let [channels, whole_height, whole_width] = info.architecture.image;
    let mut steps = vec![
        "A picture is decoded to red, green and blue of 8 bits, or of 16 where its file has them; colour \
         profiles are not applied. A camera's turn (EXIF) is undone. What is transparent is put on white: \
         opacity x colour + (1 - opacity) x white, rounded to whole values."
            .to_string(),
        match preprocessing.shorter_side {
            Some(side) => format!(
                "Its shorter side is scaled to {side} pixels, the other in proportion, rounded down, and the \
                 middle of {height}x{width} (height x width) is kept."
            ),
            None => format!(
                "It is scaled to the smallest size, in proportion and rounded down, that covers \
                 {height}x{width} (height x width), and that much of its middle is kept."
            ),
        },
        "Scaling averages over all pixels that a new one covers (bilinear with antialiasing, as Pillow's \
         `BILINEAR`), along rows first, then along columns, each rounded to whole values. Decoders of JPEG differ \
         by a few of 255 where colours are stored at half the size. The middle begins behind half of what is left over, in \
         whole pixels, half a pixel to the even one."
            .into(),
    ];
    if channels == 1 {
        steps.push(
            "Grey is 0.299 red + 0.587 green + 0.114 blue, after scaling, rounded to whole values."
                .into(),
        );
    }
    steps.push(format!(
        "Values are divided by the largest (255, or 65535 of 16 bits), then normalised, channel by channel: \
         (value - mean) / std with mean {:?} and standard deviation {:?}.",
        preprocessing.mean, preprocessing.std
    ));
    if [whole_height, whole_width] != preprocessing.size {
        steps.push(format!(
            "The image of {whole_height}x{whole_width} has it in its middle, {} rows below the top and {} \
             columns from the left; what is around it is black, (0 - mean) / std.",
            whole_height.saturating_sub(height) / 2,
            whole_width.saturating_sub(width) / 2
        ));
    }
    steps
}

/// Text in lines of at most `width` characters, broken between words.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push('\n');
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines += word;
        used += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("a bc def", 4), "a bc\ndef");
        assert_eq!(wrapped("a longer one", 3), "a\nlonger\none");
    }
}
