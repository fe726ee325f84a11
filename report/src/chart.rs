//! Lines over dates or months, as SVG.

use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;

use crate::Unit;

/// Points of a line: the place of `x` among all of them, and the value.
pub(crate) type Points = Vec<(usize, f64)>;

const WIDTH: u32 = 860;
const HEIGHT: u32 = 300;
/// Colours that differ in lightness too, for eyes that do not tell hues apart.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x1f, 0x5f, 0xa8),
    RGBColor(0xd9, 0x6b, 0x1b),
    RGBColor(0x2f, 0x8f, 0x5b),
    RGBColor(0xa1, 0x3d, 0x63),
    RGBColor(0x6d, 0x5b, 0xb0),
    RGBColor(0x80, 0x80, 0x80),
];

/// A chart of lines under their names; `labels` are the values of the horizontal axis.
pub(crate) fn lines(labels: &[String], lines: &[(String, Points)], unit: Unit) -> Markup {
    let mut svg = String::new();
    draw(&mut svg, labels, lines, unit).expect("drawing into a string does not fail");
    html! {
        @if lines.len() > 1 {
            p.names {
                @for (place, (name, _)) in lines.iter().enumerate() {
                    span style={ "color:" (hex(COLOURS[place % COLOURS.len()])) } { "■ " (name) }
                }
            }
        }
        (PreEscaped(svg))
    }
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn draw(
    svg: &mut String,
    labels: &[String],
    lines: &[(String, Points)],
    unit: Unit,
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let values = || lines.iter().flat_map(|(_, points)| points.iter().map(|(_, value)| *value));
    let lowest = values().fold(0.0, f64::min);
    let highest = values().fold(0.0, f64::max);
    // A line along the very edge is hard to see, and an axis has some length.
    let room = if highest > lowest { (highest - lowest) * 0.06 } else { 1.0 };
    let last = labels.len().saturating_sub(1).max(1);

    let area = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .margin_right(48)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(0..last, lowest..highest + room)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(0xe3, 0xe3, 0xe3))
        .axis_style(RGBColor(0x99, 0x99, 0x99))
        .label_style(("sans-serif", 12))
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|place| labels.get(*place).cloned().unwrap_or_default())
        .y_label_formatter(&|value| crate::table::shown(Some(*value), unit))
        .draw()?;
    for (place, (_, points)) in lines.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let style = colour.stroke_width(2);
        // A single point makes no line.
        if let [point] = points[..] {
            chart.draw_series([Circle::new(point, 3, colour.filled())])?;
            continue;
        }
        chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
    }
    area.present()
}
