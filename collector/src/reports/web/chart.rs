//! Pictures of numbers, drawn as SVG into the page: no script, printable, calm in light and dark. Every picture has a
//! title and a description, and its numbers stand beside it. Pure.

use std::fmt;

use askama::filters::HtmlSafe;
use plotters::prelude::*;

/// Units of the drawing; the page scales it.
const WIDTH: u32 = 720;
const HEIGHT: u32 = 240;
/// Units across of bars: fewer than of curves, so that their words stay readable on a telephone.
const BARS_WIDTH: u32 = 480;
/// Height of one bar with its gap.
const BAR_HEIGHT: u32 = 28;
/// Room for the words of a bar.
const BAR_LABEL: i32 = 160;
/// Characters of a bar's words that fit.
const BAR_CHARS: usize = 20;

/// Colours stand for roles; the style sheet's variables take their places, so that a picture follows the theme.
const ROLES: [(RGBColor, &str); 5] = [
    (RGBColor(1, 2, 3), "var(--accent)"),
    (RGBColor(1, 2, 4), "var(--ok)"),
    (RGBColor(1, 2, 5), "var(--muted)"),
    (RGBColor(1, 2, 6), "var(--line)"),
    (RGBColor(1, 2, 7), "var(--text)"),
];
const ACCENT: RGBColor = ROLES[0].0;
const OK: RGBColor = ROLES[1].0;
const MUTED: RGBColor = ROLES[2].0;
const LINE: RGBColor = ROLES[3].0;
const TEXT: RGBColor = ROLES[4].0;

/// What a reader who does not see the picture is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    /// Unique on the page.
    pub(super) id: &'a str,
    /// What is drawn.
    pub(super) title: &'a str,
    /// What it shows, in a sentence.
    pub(super) description: &'a str,
}

/// An SVG drawing; what people typed is escaped in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture(String);

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Picture {}

/// Two curves over the same points: the first as an area, the second as a line, so that they differ in more than colour.
/// Nothing when it cannot be drawn.
pub(super) fn curves(words: Words<'_>, labels: &[String], area: &[i64], line: &[i64]) -> Option<Picture> {
    let points = labels.len().min(area.len()).min(line.len());
    let top = area.iter().chain(line).copied().max().unwrap_or(0).max(4);
    let mut svg = String::new();
    draw_curves(&mut svg, &labels[..points], (&area[..points], &line[..points]), top).ok()?;
    Some(finished(&svg, words))
}

type Drawn<T> = Result<T, Box<dyn std::error::Error>>;

fn draw_curves(svg: &mut String, labels: &[String], (area, line): (&[i64], &[i64]), top: i64) -> Drawn<()> {
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let last = i64::try_from(labels.len()).unwrap_or(1).saturating_sub(1).max(1);
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(24)
        .x_label_area_size(26)
        .y_label_area_size(44)
        .build_cartesian_2d(0..last, 0..top + top / 10 + 1)?;
    let label =
        |at: &i64| usize::try_from(*at).ok().and_then(|it| labels.get(it)).cloned().unwrap_or_default();
    chart
        .configure_mesh()
        .disable_x_mesh()
        // With none at all the drawing library counts without end.
        .x_labels(labels.len().clamp(2, 8))
        .x_label_formatter(&label)
        .y_labels(5)
        .axis_style(MUTED)
        .bold_line_style(LINE)
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 13).into_font().color(&MUTED))
        .draw()?;
    let numbered = |values: &[i64]| (0_i64..).zip(values.iter().copied()).collect::<Vec<_>>();
    chart.draw_series(
        AreaSeries::new(numbered(area), 0, ACCENT.mix(0.22)).border_style(ACCENT.stroke_width(1)),
    )?;
    chart.draw_series(LineSeries::new(numbered(line), OK.stroke_width(3)))?;
    chart.draw_series(numbered(line).into_iter().map(|at| Circle::new(at, 3, OK.filled())))?;
    root.present()?;
    Ok(())
}

/// One bar per row, with its number at the end. Nothing when it cannot be drawn.
pub(super) fn bars(words: Words<'_>, rows: &[(String, i64, String)]) -> Option<Picture> {
    let mut svg = String::new();
    draw_bars(&mut svg, rows).ok()?;
    Some(finished(&svg, words))
}

fn draw_bars(svg: &mut String, rows: &[(String, i64, String)]) -> Drawn<()> {
    let count = u32::try_from(rows.len().max(1))?;
    let root = SVGBackend::with_string(svg, (BARS_WIDTH, count * BAR_HEIGHT + 8)).into_drawing_area();
    let top = rows.iter().map(|it| it.1).max().unwrap_or(0).max(1);
    let width = i64::from(BARS_WIDTH) - i64::from(BAR_LABEL) - 64;
    let words = ("sans-serif", 16).into_font().color(&TEXT);
    let numbers = ("sans-serif", 16).into_font().color(&MUTED);
    for (index, (label, value, shown)) in (0_i32..).zip(rows) {
        let y = index * i32::try_from(BAR_HEIGHT)? + 6;
        let end = BAR_LABEL + i32::try_from(value * width / top)?.max(i32::from(*value > 0) * 2);
        root.draw(&Text::new(shortened(label), (0, y + 3), words.clone()))?;
        root.draw(&Rectangle::new([(BAR_LABEL, y), (end, y + 18)], ACCENT.filled()))?;
        root.draw(&Text::new(shown.clone(), (end + 8, y + 3), numbers.clone()))?;
    }
    root.present()?;
    Ok(())
}

fn shortened(label: &str) -> String {
    if label.chars().nth(BAR_CHARS).is_none() {
        return label.to_owned();
    }
    label.chars().take(BAR_CHARS - 1).chain(['…']).collect()
}

/// With title and description first, and the theme's colours in the place of their stand-ins.
fn finished(svg: &str, words: Words<'_>) -> Picture {
    let (head, body) = svg.split_once('>').unwrap_or((svg, ""));
    let Words { id, title, description } = words;
    let head = head.replacen(&size_attributes(head), "", 1);
    let mut drawn = format!(
        "{head} class=\"chart\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>{body}",
        escaped(title),
        escaped(description)
    );
    for (colour, variable) in ROLES {
        let written = format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2);
        drawn = drawn.replace(&written, variable);
    }
    Picture(drawn)
}

/// `width="720" height="240" `: the page gives the size, the view box the proportions.
fn size_attributes(head: &str) -> String {
    let from = head.find("width=\"");
    let until = head.find("viewBox");
    from.zip(until).and_then(|(from, until)| head.get(from..until)).unwrap_or_default().to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::rendering::HOSTILE;

    const WORDS: Words<'static> = Words { id: "volume", title: "Volume <b>", description: "Opened & solved" };

    #[test]
    fn a_picture_says_what_it_shows_and_follows_the_theme() {
        let labels: Vec<String> = (1..=30).map(|it| format!("{it:02}/11")).collect();
        let values: Vec<i64> = (1..=30).collect();
        let picture = curves(WORDS, &labels, &values, &values).expect("drawn").to_string();
        assert!(
            picture.starts_with("<svg") && picture.ends_with("</svg>\n"),
            "{}",
            &picture[picture.len() - 20..]
        );
        assert!(picture.contains("<title id=\"volume-title\">Volume &lt;b&gt;</title>"));
        assert!(picture.contains("var(--accent)") && picture.contains("var(--ok)"));
        assert!(!picture.contains('#'), "a colour that no theme changes");
        assert!(!picture.contains("style=") && !picture.contains(" width=\"720\" height"));
        assert!(picture.contains("01/11") && picture.contains("06/11"), "the days stand below");
    }

    #[test]
    fn what_people_typed_stays_text_and_nothing_breaks_on_nothing() {
        let rows = [(HOSTILE.to_owned(), 3, "3".to_owned()), (String::new(), 0, "0".to_owned())];
        let picture = bars(WORDS, &rows).expect("drawn").to_string();
        assert!(!picture.contains("<script") && picture.contains("&lt;script"));
        assert!(bars(WORDS, &[]).is_some());
        assert!(curves(WORDS, &[], &[], &[]).is_some());
        assert!(curves(WORDS, &["01/11".to_owned()], &[0], &[0]).is_some());
        assert!(bars(WORDS, &[("many".into(), i64::from(i32::MAX), "2".into())]).is_some());
    }
}
