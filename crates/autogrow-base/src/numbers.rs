//! Numbers as people read them.

/// `1234567` as `1.23 M`.
pub fn si(number: u64) -> String {
    // What rounds to a thousand of a unit is one of the next.
    let written = |unit: f64, decimals: usize| {
        let text = format!("{:.decimals$}", number as f64 / unit);
        text.parse().is_ok_and(|value: f64| value < 1e3).then_some(text)
    };
    if number < 1000 {
        number.to_string()
    } else if let Some(text) = written(1e3, 1) {
        format!("{text} k")
    } else if let Some(text) = written(1e6, 2) {
        format!("{text} M")
    } else {
        format!("{:.2} G", number as f64 / 1e9)
    }
}

/// A number with so many significant digits: `0.012346`, `1234.6`.
pub fn significant(number: f64, digits: i32) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let decimals = (digits - 1 - number.abs().log10().floor() as i32).clamp(0, 20);
    format!("{number:.*}", decimals as usize)
}

/// Seconds as `4.2 s`, `42 s`, `3 min 20 s`, `5 h 04 min`, `12 d 3 h`.
pub fn duration(seconds: f64) -> String {
    const DAY: u64 = 86_400;
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".into();
    }
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / DAY, whole % DAY / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_chosen_after_rounding() {
        for (number, text) in [
            (999, "999"),
            (1000, "1.0 k"),
            (999_949, "999.9 k"),
            (999_950, "1.00 M"),
            (999_999, "1.00 M"),
            (999_994_999, "999.99 M"),
            (999_995_000, "1.00 G"),
            (1_234_000_000_000, "1234.00 G"),
        ] {
            assert_eq!(si(number), text);
        }
    }

    #[test]
    fn significant_digits_are_counted_from_the_first_one() {
        for (number, text) in [
            (0.0, "0"),
            (f64::NAN, "NaN"),
            (0.012_345_6, "0.012346"),
            (-1_234.56, "-1234.6"),
            (98_765_432.0, "98765432"),
        ] {
            assert_eq!(significant(number, 5), text);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, text) in [
            (f64::NAN, "–"),
            (-1.0, "–"),
            (0.04, "0.0 s"),
            (9.4, "9.4 s"),
            (59.6, "1 min 00 s"),
            (3_599.0, "59 min 59 s"),
            (3_600.0, "1 h 00 min"),
            (172_800.0, "2 d 0 h"),
            (739_756_800.0, "8562 d 0 h"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }
}
