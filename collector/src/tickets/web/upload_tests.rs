//! Files on tickets, from outside.

use axum::http::{Request, StatusCode, header};

use crate::api::testing::{Desk, actor, answer};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::Role;
use crate::tickets::{self, TicketNumber};
use crate::web::testing::{Site, Visit};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";
const SVG: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
const LIST: &[u8] = b"nom;nir\nDurand;1 85 05 78 006 084 91\n";

async fn opened(desk: &Desk) -> TicketNumber {
    let opened = tickets::open_ticket(&desk.context, &actor(&desk.requester), desk.incident()).await;
    opened.expect("opened").number
}

/// The addresses of the files a page shows.
fn addresses(body: &str) -> Vec<String> {
    let links = body.split("href=\"").skip(1).filter_map(|it| it.split('"').next());
    links.filter(|it| it.contains("/files/")).map(ToOwned::to_owned).collect()
}

async fn send(visit: &Visit, number: &TicketNumber, action: &str, files: &[(&str, &[u8])]) -> StatusCode {
    let path = format!("/tickets/{number}/{action}");
    visit.upload(&path, &[("version", "1"), ("text", "see here")], files).await.status
}

db_test! {
    async fn a_file_of_an_answer_is_read_by_who_sees_the_ticket_and_by_nobody_else(db: Db) {
        let site = Site::open(db).await;
        let number = opened(&site.desk).await;
        let rita = site.sign_in(&site.desk.requester).await;
        assert_eq!(send(&rita, &number, "replies", &[("écran.png", PNG), ("x.png", SVG)]).await, StatusCode::SEE_OTHER);
        let page = rita.get(&format!("/tickets/{number}")).await;
        let files = addresses(&page.body);
        assert_eq!(files.len(), 2, "{}", page.body);
        assert!(page.body.contains("<img src=") && page.body.contains("see here"));
        let picture = rita.get(&files[0]).await;
        assert_eq!((picture.status, picture.bytes.as_slice()), (StatusCode::OK, PNG));
        assert_eq!(picture.headers[header::CONTENT_TYPE], "image/png");
        let script = rita.get(&files[1]).await;
        assert_eq!(script.headers[header::CONTENT_TYPE], "application/octet-stream");
        assert_eq!(script.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(script.headers[header::CONTENT_DISPOSITION].to_str().expect("text").starts_with("attachment"));
        let tom = site.sign_in(&site.desk.technician).await;
        assert_eq!(tom.get(&files[0]).await.status, StatusCode::OK);
        for other in [&site.desk.colleague, &site.desk.stranger] {
            let other = site.sign_in(other).await;
            let nothing = other.get(&format!("/tickets/{number}/files/{}", uuid::Uuid::nil())).await;
            let hidden = other.get(&files[0]).await;
            assert_eq!(hidden.status, StatusCode::NOT_FOUND);
            assert_eq!(hidden.body.len(), nothing.body.len(), "the answer tells that there is a file");
        }
    }
}

db_test! {
    async fn a_file_of_a_note_stays_with_staff(db: Db) {
        let site = Site::open(db).await;
        let number = opened(&site.desk).await;
        let tom = site.sign_in(&site.desk.technician).await;
        assert_eq!(send(&tom, &number, "notes", &[("a.png", PNG)]).await, StatusCode::SEE_OTHER);
        let files = addresses(&tom.get(&format!("/tickets/{number}")).await.body);
        assert_eq!(tom.get(&files[0]).await.status, StatusCode::OK);
        let rita = site.sign_in(&site.desk.requester).await;
        assert!(addresses(&rita.get(&format!("/tickets/{number}")).await.body).is_empty());
        assert_eq!(rita.get(&files[0]).await.status, StatusCode::NOT_FOUND);
    }
}

db_test! {
    async fn a_list_with_social_security_numbers_is_opened_by_the_tickets_people_and_technicians_only(db: Db) {
        let site = Site::open(db).await;
        let number = opened(&site.desk).await;
        let rita = site.sign_in(&site.desk.requester).await;
        assert_eq!(send(&rita, &number, "replies", &[("liste.csv", LIST)]).await, StatusCode::SEE_OTHER);
        let page = rita.get(&format!("/tickets/{number}")).await;
        assert!(page.body.contains("Restricted"));
        let file = addresses(&page.body).remove(0);
        assert_eq!(rita.get(&file).await.headers[header::CACHE_CONTROL], "no-store");
        let referent = site.desk.person(Some(site.desk.acme.id), "remi@acme.example", Role::Referent).await;
        let remi = site.sign_in(&referent).await;
        let seen = remi.get(&format!("/tickets/{number}")).await;
        assert!(seen.body.contains("liste.csv") && addresses(&seen.body).is_empty());
        assert_eq!(remi.get(&file).await.status, StatusCode::NOT_FOUND);
    }
}

db_test! {
    async fn what_is_too_large_is_named_and_the_words_are_kept(db: Db) {
        let site = Site::open(db).await;
        let number = opened(&site.desk).await;
        let rita = site.sign_in(&site.desk.requester).await;
        let large = vec![b'x'; crate::files::FILE_BYTES_MAX + 1];
        let path = format!("/tickets/{number}/replies");
        let page = rita.upload(&path, &[("version", "1"), ("text", "many words")], &[("film.mkv", &large)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("film.mkv") && page.body.contains("many words"));
        let empty = rita.upload(&path, &[("version", "1"), ("text", " ")], &[]).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY, "neither words nor files");
    }
}

db_test! {
    async fn a_program_adds_a_file_and_reads_it_back(db: Db) {
        let desk = Desk::open(db).await;
        let number = opened(&desk).await;
        let key = desk.key(Role::TechnicianN1, Some(desk.acme.id)).await;
        let path = format!("/api/v1/tickets/{number}/attachments");
        let body = "--B\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nlog\r\n--B\r\nContent-Disposition: \
             form-data; name=\"file\"; filename=\"C:\\\\a\\\\log.txt\"\r\n\r\nline 1\r\n--B--\r\n";
        let request = |key: &str| {
            Request::post(&path)
                .header(header::AUTHORIZATION, format!("Bearer {key}"))
                .header(header::CONTENT_TYPE, "multipart/form-data; boundary=B")
                .body(axum::body::Body::from(body))
                .expect("request")
        };
        let added = answer(desk.router(), request(&key)).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.json);
        let file = &added.json["attachments"][0];
        assert_eq!((file["name"].as_str(), file["media_type"].as_str()), (Some("log.txt"), Some("text/plain")));
        let read = desk.get(&key, &format!("{path}/{}", file["id"].as_str().expect("id"))).await;
        assert_eq!((read.status, read.bytes.as_slice()), (StatusCode::OK, &b"line 1"[..]));
        let ticket = desk.get(&key, &format!("/api/v1/tickets/{number}")).await;
        let reply = ticket.json["events"].as_array().expect("events").last().expect("one").clone();
        assert_eq!((reply["kind"].as_str(), reply["data"]["files"][0]["name"].as_str()), (Some("reply"), Some("log.txt")));
        let stranger = desk.key(Role::TechnicianN1, Some(desk.umbrella.id)).await;
        assert_eq!(answer(desk.router(), request(&stranger)).await.status, StatusCode::NOT_FOUND);
        let plain = desk.post(&key, &path, &serde_json::json!({})).await;
        assert_eq!(plain.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}
