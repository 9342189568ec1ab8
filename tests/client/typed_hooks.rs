//! Hooks and rules: which runs where, as the table of docs/client.md has it.

use std::sync::atomic::{AtomicU64, Ordering};

use folio::{Document, Embed, Error, Folio, Id, Violation};
use folio_tests::Server;
use serde::{Deserialize, Serialize};

/// How often each hook ran.
static SAVED: AtomicU64 = AtomicU64::new(0);
static LOADED: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "bookings", ttl = "1h", validate = in_order)]
#[folio(before_save = tidy, after_load = loaded)]
struct Booking {
    #[folio(id)]
    id: Id<Booking>,
    #[folio(unique, immutable, validate(pattern = "^[A-Z]{3}[0-9]+$", len(max = 8)))]
    code: String,
    #[folio(validate(one_of("open", "closed")), default = "open")]
    #[serde(default = "open")]
    state: String,
    from: i64,
    #[folio(validate(range(min = 1, max = 1_000)))]
    to: i64,
    #[folio(validate(custom = no_strangers, len(min = 1)))]
    guests: Vec<String>,
    #[folio(validate(url))]
    site: Option<String>,
    #[folio(nocase, index)]
    title: String,
    #[folio(auto(now))]
    born: Option<folio::Timestamp>,
    rooms: Vec<Room>,
}

#[derive(Debug, Clone, PartialEq, Embed, Serialize, Deserialize)]
#[folio(validate = has_bed)]
struct Room {
    number: u16,
    beds: u8,
}

fn open() -> String {
    "open".into()
}

fn in_order(booking: &Booking) -> Result<(), Violation> {
    if booking.from <= booking.to {
        return Ok(());
    }
    Err(Violation::new("to", "order", "is before the beginning"))
}

fn has_bed(room: &Room) -> Result<(), Violation> {
    if room.beds > 0 { Ok(()) } else { Err(Violation::new("beds", "beds", "are none")) }
}

fn no_strangers(guests: &[String]) -> Result<(), String> {
    if guests.iter().any(|guest| guest == "nobody") { Err("are strangers".into()) } else { Ok(()) }
}

fn tidy(booking: &mut Booking) -> folio::Result<()> {
    SAVED.fetch_add(1, Ordering::Relaxed);
    booking.title = booking.title.trim().to_owned();
    if booking.title == "forbidden" {
        return Err(Error::Usage("such a title is not kept".into()));
    }
    Ok(())
}

fn loaded(_: &mut Booking) {
    LOADED.fetch_add(1, Ordering::Relaxed);
}

fn booking(n: u32) -> Booking {
    Booking {
        id: Id::new(),
        code: format!("ABC{n}"),
        state: open(),
        from: 1,
        to: 5,
        guests: vec!["ada".into()],
        site: None,
        title: "  A title ".into(),
        born: None,
        rooms: vec![Room { number: 7, beds: 2 }],
    }
}

/// How often both hooks ran since this was asked last.
fn runs() -> (u64, u64) {
    (SAVED.swap(0, Ordering::Relaxed), LOADED.swap(0, Ordering::Relaxed))
}

async fn hooks(db: &Folio) -> folio::Result<()> {
    let mut made = booking(1).insert(db).await?;
    assert_eq!((made.title.as_str(), runs()), ("A title", (1, 0)));
    made.to = 6;
    made.save(db).await?;
    made.clone().replace(db).await?;
    Booking::insert_many([booking(2), booking(3)]).run(db).await?;
    db.atomic((booking(4).insert_op(),)).await?;
    assert_eq!(runs(), (5, 0));
    let read = Booking::get(&made.id).one(db).await?;
    assert!(read.born.is_some(), "the server has set it");
    Booking::get_many([&made.id, &made.id]).load(db).await?;
    assert_eq!(Booking::find(Booking::title().eq("a TITLE")).all(db).await?.len(), 4);
    assert_eq!(runs(), (0, 7));
    Booking::find(()).fields((Booking::code(), Booking::to())).all(db).await?;
    Booking::get(&made.id).update(Booking::to().inc(1)).run(db).await?;
    assert_eq!(runs(), (0, 0));
    Booking::get(&made.id).update(Booking::to().inc(1)).returning_new(db).await?;
    assert_eq!(runs(), (0, 1));
    let later = Booking::get(&made.id).modify(db, |booking| {
        booking.to += 1;
        Ok(())
    });
    later.await?;
    assert_eq!(runs(), (1, 1));
    let ttl: i64 = db.cmd("TTL").arg(format!("bookings:{}", made.id)).query().await?;
    assert!((1..=3_600).contains(&ttl), "{ttl}");
    let mut wrong = booking(9);
    wrong.title = "forbidden".into();
    assert!(matches!(wrong.insert(db).await, Err(Error::Usage(_))));
    Ok(())
}

async fn rules(db: &Folio) -> folio::Result<()> {
    let wrong = Booking {
        code: "abcdefghi".into(),
        state: "lost".into(),
        from: 3_000,
        to: 2_000,
        guests: vec!["nobody".into()],
        site: Some("example.org".into()),
        rooms: vec![Room { number: 1, beds: 1 }, Room { number: 2, beds: 0 }],
        ..booking(5)
    };
    let error = wrong.insert(db).await.expect_err("nearly everything is wrong");
    let Error::Validation(all) = &error else { panic!("{error:?}") };
    let found: Vec<String> = all.iter().map(|it| format!("{} {}", it.path, it.code)).collect();
    let expected = [
        "code len",
        "code pattern",
        "state one_of",
        "to range",
        "guests custom",
        "site url",
        "rooms[1].beds beds",
        "to order",
    ];
    assert_eq!(found, expected);
    let made = booking(6).insert(db).await?;
    let change = Booking::get(&made.id).update(Booking::code().set("XYZ1"));
    let error = change.run(db).await.expect_err("it is immutable");
    assert_eq!(error.code(), Some("SCHEMA"), "{error}");
    // What the client finds is what the server would have refused.
    let text = |code: &str, to: i64, site: &str| {
        serde_json::json!({"code": code, "from": 1, "to": to, "guests": ["a"], "site": site, "title": "",
            "rooms": []})
    };
    for wrong in [text("abc", 1, "a:b"), text("ABC7", 0, "a:b"), text("ABC7", 1, "nowhere")] {
        let error = db.set("bookings:x", &wrong).await.expect_err("it breaks the declaration");
        assert!(matches!(error, Error::Validation(_)), "{error:?}");
    }
    db.set("bookings:x", &text("ABC7", 1, "a:b")).await?;
    assert_eq!(Booking::get(Id::from("x")).one(db).await?.state, "open");
    Ok(())
}

#[test]
fn hooks_run_where_the_table_says_and_rules_are_asked_before_anything_is_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    let server = Server::start();
    let outcome = runtime.block_on(async {
        let db = Folio::connect(server.url()).await?;
        db.sync::<Booking>().await?;
        hooks(&db).await?;
        rules(&db).await
    });
    outcome.expect("no command fails");
}
