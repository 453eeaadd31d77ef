//! Numbers as people read them.

pub(super) use autogrow_base::numbers::{duration, si};
use maud::{Markup, html};

/// `98.61 %`; a dash for what is not finite.
pub(super) fn percent(value: f64) -> String {
    if value.is_finite() { format!("{value:.2} %") } else { "–".into() }
}

/// `± 0.51, 360 images`: how far the share of images that are right may be off, as a standard error,
/// because these and no others are in the split. That of all images right is not 0 (Agresti, Coull; 1998).
pub(super) fn error(percent: f64, images: usize) -> String {
    let images_and_four = images as f64 + 4.0;
    let share = (percent / 100.0 * images as f64 + 2.0) / images_and_four;
    let error = 100.0 * (share * (1.0 - share) / images_and_four).sqrt();
    format!("± {error:.2}, {images} images")
}

/// `+0.25` or `−0.25`, percentage points. What rounds to nothing has no sign.
pub(super) fn gain(value: f64) -> String {
    match format!("{value:+.2}") {
        text if text == "-0.00" || text == "+0.00" => "0.00".into(),
        text => text.replace('-', "−"),
    }
}

/// Text with the exact value it stands for, for programs.
pub(super) fn exact(name: &str, value: impl std::fmt::Display, shown: &str) -> Markup {
    html! { data data-name=(name) value=(value.to_string()) { (shown) } }
}

/// Seconds since 1970 as `2026-11-24 20:15 UTC`.
pub(super) fn date(seconds: f64) -> String {
    let minutes = (seconds.clamp(0.0, 1e11) / 60.0) as i64;
    let (days, minute) = (minutes / 1440, minutes % 1440);
    // Counting from a first of March, leap days come last in their year, and months follow a
    // pattern of 153 days in five.
    let days = days + 719_468;
    let era = days / 146_097;
    let day = days % 146_097;
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let year = year + 400 * era;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors() {
        // By hand: 52 of 104 right, sqrt(0.25 / 104); 102 of 104.
        assert_eq!(error(50.0, 100), "± 4.90, 100 images");
        assert_eq!(error(100.0, 100), "± 1.35, 100 images");
    }

    #[test]
    fn dates() {
        // From `date -u -d @...`.
        for (seconds, text) in [
            (0.0, "1970-01-01 00:00 UTC"),
            (951_782_400.0, "2000-02-29 00:00 UTC"),
            (1_709_251_199.0, "2024-02-29 23:59 UTC"),
            (1_795_550_400.0, "2026-11-24 20:00 UTC"),
            (4_107_542_400.0, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(date(seconds), text);
        }
        assert!(!date(f64::NAN).is_empty());
    }

    #[test]
    fn what_rounds_to_nothing_has_no_sign() {
        assert_eq!(
            [0.0, -0.001, 0.004, 0.25, -1.5].map(gain),
            ["0.00", "0.00", "0.00", "+0.25", "−1.50"]
        );
        assert_eq!(percent(f64::NAN), "–");
    }
}
