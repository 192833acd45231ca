//! The sticker of a machine, to be printed: its number to be read and typed, and a code that opens a ticket about it on
//! whatever telephone reads it.

use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::{Path, State};
use axum::response::Response;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use std::fmt;

use super::asset::load;
use crate::kernel::error::ErrorKind;
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::{PageError, Reader, Section, Shell, WebState};

/// Side of one square of the code, in units of the drawing.
const SQUARE: u32 = 4;

#[derive(Debug, Template)]
#[template(path = "inventory/web/sticker.html")]
struct StickerPage {
    shell: Shell,
    asset_href: String,
    sticker: Option<Sticker>,
}

/// What is printed.
#[derive(Debug)]
struct Sticker {
    tag: String,
    organisation: String,
    machine: String,
    code: Code,
}

/// A code drawn as SVG, black on white in every theme: cameras read nothing else.
#[derive(Debug)]
struct Code(String);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Code {}

pub(super) async fn show(
    State(state): State<WebState>,
    Path(ci): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let loaded = load(&state, &reader, &ci).await?;
    let sticker = match loaded.ci.tag.as_deref() {
        Some(tag) => Some(Sticker {
            code: code(&ticket_address(&state.public_url, tag))
                .map_err(|it| PageError::of(ErrorKind::Internal, it))?,
            tag: tag.to_owned(),
            organisation: loaded.ci.organisation_name.clone(),
            machine: format!("{} {}", loaded.ci.make, loaded.ci.model).trim().to_owned(),
        }),
        None => None,
    };
    let title = reader.texts().t("sticker-title").into_owned();
    let shell = reader.shell(title, Section::Parc);
    page(&StickerPage { shell, asset_href: format!("/parc/{}", loaded.ci.id), sticker })
}

/// Where a ticket about this machine is opened.
fn ticket_address(public_url: &str, tag: &str) -> String {
    with_query(&format!("{public_url}/tickets/new"), &[("kind", "incident"), ("tag", tag)])
}

/// A code that can still be read with a quarter of it scratched.
fn code(text: &str) -> Result<Code, qrcode::types::QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::Q)?;
    let svg = code.render::<svg::Color<'_>>().module_dimensions(SQUARE, SQUARE).build();
    // Inside a page there is no place for the declaration of a document.
    let drawing = svg.find("<svg").map_or(svg.as_str(), |at| &svg[at..]);
    Ok(Code(drawing.replacen("<svg ", "<svg class=\"code\" aria-hidden=\"true\" ", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn a_sticker_is_drawn_with_its_code_and_a_machine_without_number_has_none() {
        for language in LANGUAGES {
            let draw = |name: &str, sticker: Option<Sticker>| {
                let shell = shell(language, &[Role::Admin], "Étiquette", Section::Parc);
                check(name, language, &StickerPage { shell, asset_href: "/parc/1".into(), sticker })
            };
            let sticker = Sticker {
                tag: "PC-004217".into(),
                organisation: HOSTILE.into(),
                machine: HOSTILE.into(),
                code: code(&ticket_address("https://parc.example", "PC-004217")).expect("drawn"),
            };
            let html = draw("sticker-many", Some(sticker));
            assert!(html.contains("class=\"code\"") && !html.contains("<?xml"));
            assert!(!draw("sticker-none", None).contains("class=\"code\""));
        }
    }

    #[test]
    fn the_code_leads_to_a_ticket_about_the_machine() {
        let address = ticket_address("https://parc.example", "PC 4&2");
        assert_eq!(address, "https://parc.example/tickets/new?kind=incident&tag=PC%204%262");
        assert!(code(&"x".repeat(5_000)).is_err(), "too long for any code");
    }
}
