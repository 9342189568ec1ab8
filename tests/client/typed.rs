//! Typed documents over a real server: the first page of the crate, line by line.

mod writes;

use std::collections::BTreeMap;
use std::time::Duration;

use folio::{Document, Embed, Error, Folio, Id, Projection, Timestamp, count, now};
use folio_tests::Server;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[folio(collection = "shop.users", ttl = "30d", timestamps, changes)]
#[folio(unique(tenant, email), index(city = "address.city", age desc))]
struct User {
    #[folio(id)]
    id: Id<User>,
    tenant: String,
    #[folio(validate(email, len(max = 254)))]
    email: String,
    name: String,
    #[folio(index(sorted), validate(range(min = 0, max = 150)))]
    age: u32,
    #[folio(index)]
    tags: Vec<String>,
    address: Address,
    #[serde(rename = "nick")]
    nickname: Option<String>,
    #[serde(default)]
    account_balance: i64,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Embed, Serialize, Deserialize)]
struct Address {
    city: String,
    zip: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "shop.orders", strict)]
struct Order {
    #[folio(id = "sequence")]
    id: Id<Order>,
    #[folio(index)]
    customer: Id<User>,
    items: Vec<Item>,
    delivery: Option<Address>,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, PartialEq, Embed, Serialize, Deserialize)]
struct Item {
    #[folio(index)]
    sku: String,
    #[folio(validate(range(min = 1)))]
    qty: u32,
}

#[derive(Debug, Clone, PartialEq, Projection, Serialize, Deserialize)]
#[folio(from = User)]
struct Card {
    #[folio(id)]
    id: Id<User>,
    name: String,
    #[folio(path = "address.city")]
    city: String,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "accounts")]
struct Account {
    #[folio(id)]
    id: Id<Account>,
    #[folio(unique)]
    email: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    visits: u64,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "jobs")]
struct Job {
    #[folio(id = "ulid")]
    id: Id<Job>,
    #[folio(index)]
    state: State,
    lease: Option<Timestamp>,
    #[serde(default)]
    sizes: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Embed, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Waiting,
    Running,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "points", no_shortcuts)]
struct Point {
    #[folio(id = "natural")]
    get: u64,
    find: f32,
}

/// Runs a test over RESP3 and over RESP2, each on a server of its own.
fn over_both<F: Future<Output = folio::Result<()>>>(test: impl Fn(Folio) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    for query in ["", "/?protocol=resp2"] {
        let server = Server::start();
        let url = format!("{}{query}", server.url());
        let outcome = runtime.block_on(async {
            let db = Folio::connect(&url).await?;
            db.sync::<(User, Order, Account, Job)>().await?;
            db.sync::<Point>().await?;
            test(db.clone()).await?;
            for collection in ["shop.users", "shop.orders", "accounts", "jobs", "points"] {
                let faults: Vec<String> = db.cmd("DOC.VERIFY").arg(collection).query().await?;
                assert_eq!(faults, Vec::<String>::new(), "{collection}");
            }
            Ok::<_, Error>(())
        });
        outcome.expect("no command fails");
    }
}

fn user(n: u32) -> User {
    User {
        id: Id::new(),
        tenant: "acme".into(),
        email: format!("u{n}@example.org"),
        name: format!("no. {n}"),
        age: n % 90,
        tags: if n.is_multiple_of(3) { vec!["vip".into(), format!("t{n}")] } else { Vec::new() },
        address: Address {
            city: ["Paris", "Lyon", "Nice"][n as usize % 3].into(),
            zip: n.is_multiple_of(2).then(|| format!("{n:05}")),
        },
        nickname: None,
        account_balance: 100,
        version: 0,
    }
}

fn order(customer: &Id<User>, items: &[(&str, u32)]) -> Order {
    let items = items.iter().map(|(sku, qty)| Item { sku: (*sku).into(), qty: *qty });
    let items = items.collect();
    Order { id: Id::default(), customer: customer.clone(), items, delivery: None, version: 0 }
}

async fn filled(db: &Folio) -> folio::Result<Vec<User>> {
    let report = User::insert_many((0..300).map(user)).chunk(128).run(db).await?;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!((report.written(), report.ids.len()), (300, 300));
    User::find(()).all(db).await
}

#[test]
fn a_document_is_inserted_and_read_back_with_its_id_and_version() {
    over_both(async |db| {
        let made = user(1).insert(&db).await?;
        assert!(made.version > 0);
        assert_eq!(User::get(&made.id).one(&db).await?, made);
        assert_eq!(User::get(made.id.clone()).maybe(&db).await?, Some(made.clone()));
        let text: String = db.cmd("DOC.GET").arg(format!("shop.users:{}", made.id)).query().await?;
        assert!(!text.contains("\"id\"") && !text.contains("version"), "{text}");
        assert!(
            text.contains("\"accountBalance\":100") && text.contains("\"nick\":null"),
            "{text}"
        );
        let ttl: i64 = db.cmd("TTL").arg(format!("shop.users:{}", made.id)).query().await?;
        assert!((2_591_000..=2_592_000).contains(&ttl), "{ttl}");
        let error = made.clone().insert(&db).await.expect_err("it is there");
        assert!(matches!(&error, Error::AlreadyExists { key } if key.ends_with(made.id.as_str())));
        let error = User::get(Id::from("nobody")).one(&db).await.expect_err("nobody is there");
        assert!(matches!(&error, Error::NotFound { key } if &**key == "shop.users:nobody"));
        assert_eq!(User::get(Id::from("nobody")).maybe(&db).await?, None);
        assert!(User::get(&made.id).exists(&db).await?);
        Ok(())
    });
}

#[test]
fn a_sequence_numbers_and_natural_ids_are_their_own() {
    over_both(async |db| {
        let first = order(&Id::from("ada"), &[("X", 1)]).insert(&db).await?;
        let second = order(&Id::from("ada"), &[("X", 1)]).insert(&db).await?;
        assert_eq!((first.id.as_str(), second.id.as_str()), ("1", "2"));
        assert!(second.version > first.version);
        let point = Point { get: 7, find: 0.1 }.insert(&db).await?;
        assert_eq!(<Point as Document>::get(7_u64).one(&db).await?, point);
        let close = <Point as Document>::find(Point::fields().find().eq(0.1));
        assert_eq!(close.all(&db).await?, [point]);
        Ok(())
    });
}

#[test]
fn a_unique_value_that_is_held_is_told_with_everything() {
    over_both(async |db| {
        let ada = user(1).insert(&db).await?;
        let error = user(1).insert(&db).await.expect_err("the address is held");
        let Error::UniqueViolation(violation) = &error else { panic!("{error:?}") };
        assert_eq!(violation.index, "unique_tenant_email");
        assert_eq!(violation.fields, ["tenant", "email"]);
        assert_eq!(violation.value, Some(serde_json::json!(["acme", "u1@example.org"])));
        assert_eq!(violation.holder, Some(format!("shop.users:{}", ada.id)));
        let report = User::insert_many([user(2), user(1), user(3)]).run(&db).await?;
        assert_eq!((report.written(), report.errors.len()), (2, 1));
        assert_eq!((report.errors[0].0, report.versions[1]), (1, None));
        assert!(matches!(report.errors[0].1, Error::UniqueViolation(_)));
        // An id that comes twice is two documents, of which the first is created.
        let first = user(7);
        let second = User { id: first.id.clone(), name: "another".into(), ..user(8) };
        let report = User::insert_many([first.clone(), second]).run(&db).await?;
        assert_eq!((report.written(), report.errors[0].0), (1, 1));
        assert!(matches!(report.errors[0].1, Error::AlreadyExists { .. }));
        assert_eq!(User::get(&first.id).one(&db).await?.name, first.name);
        Ok(())
    });
}

#[test]
fn what_breaks_a_rule_is_found_before_it_is_sent_and_by_the_server_alike() {
    over_both(async |db| {
        let mut wrong = user(1);
        wrong.age = 200;
        wrong.email = "nobody".into();
        let error = wrong.insert(&db).await.expect_err("two rules are broken");
        let Error::Validation(all) = &error else { panic!("{error:?}") };
        let found: Vec<_> = all.iter().map(|it| (it.path.as_str(), it.code.as_str())).collect();
        assert_eq!(found, [("email", "email"), ("age", "range")]);
        let error = order(&Id::from("ada"), &[("X", 1), ("Y", 0)]).insert(&db).await;
        let told = error.expect_err("none is ordered").to_string();
        assert_eq!(told, "items[1].qty is 0, below the minimum of 1");
        let made = user(1).insert(&db).await?;
        let error = User::get(&made.id).update(User::age().set(200)).run(&db).await;
        let Err(Error::Validation(all)) = &error else { panic!("{error:?}") };
        assert_eq!((all[0].path.as_str(), all[0].code.as_str()), ("age", "schema"));
        Ok(())
    });
}

#[test]
fn filters_orders_pages_and_counts() {
    over_both(async |db| {
        let all = filled(&db).await?;
        let filter = || {
            (User::age().gte(18) | User::tags().contains("vip")) & !User::address().zip().is_null()
        };
        let keeps = |it: &&User| {
            (it.age >= 18 || it.tags.iter().any(|tag| tag == "vip")) && it.address.zip.is_some()
        };
        let mut expected: Vec<&User> = all.iter().filter(keeps).collect();
        expected.sort_by(|a, b| b.age.cmp(&a.age).then(a.id.as_str().cmp(b.id.as_str())));
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let query = User::find(filter()).order_by((User::age().desc(), User::id().asc()));
            let query = query.page(50).with_total();
            let query = if let Some(cursor) = &cursor { query.after(cursor) } else { query };
            let page = query.load(&db).await?;
            assert_eq!(page.total, Some(expected.len() as u64));
            found.extend(page.items);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        let paris = User::find_by(|u| u.address().city().eq("Paris"));
        let streamed: Vec<User> = paris.page(7).stream(&db).try_collect().await?;
        let expected: Vec<&User> = all.iter().filter(|it| it.address.city == "Paris").collect();
        assert_eq!(streamed.iter().collect::<Vec<_>>(), expected);
        let paris = User::find_by(|u| u.address().city().eq("Paris")).page(7).limit(30);
        let some: Vec<User> = paris.stream(&db).try_collect().await?;
        assert_eq!(some.iter().collect::<Vec<_>>(), expected[..30]);
        let all_of_them = User::find(User::address().city().eq("Paris")).page(7).all(&db).await?;
        assert_eq!(all_of_them.len(), 100, "a page is no limit");
        assert_eq!(User::find(User::address().city().eq("Paris")).count(&db).await?, 100);
        assert!(
            User::find(User::created_at().gt(now().minus(Duration::from_secs(60))))
                .exists(&db)
                .await?
        );
        assert!(!User::find(User::updated_at().gt(now())).exists(&db).await?);
        let error = User::find(User::age().eq(5)).one(&db).await.expect_err("there are several");
        assert!(matches!(error, Error::MoreThanOne { .. }), "{error:?}");
        let one = User::find(User::email().eq("u7@example.org")).one(&db).await?;
        assert_eq!(one.name, "no. 7");
        let plan = User::find(User::age().gt(80)).explain(&db).await?.join("\n");
        assert!(plan.contains("sorted index age"), "{plan}");
        Ok(())
    });
}

#[test]
fn projections_and_fields_are_typed() {
    over_both(async |db| {
        let all = filled(&db).await?;
        let cards: Vec<Card> = User::find(User::age().lt(3)).select::<Card>().all(&db).await?;
        let card = |it: &User| Card {
            id: it.id.clone(),
            name: it.name.clone(),
            city: it.address.city.clone(),
            version: it.version,
        };
        let expected: Vec<Card> = all.iter().filter(|it| it.age < 3).map(card).collect();
        assert_eq!(cards, expected);
        assert_eq!(User::get(&all[5].id).select::<Card>(&db).await?, card(&all[5]));
        let fields = (User::email(), User::age(), User::id(), User::address().zip());
        let rows: Vec<(String, u32, Id<User>, Option<String>)> =
            User::find(User::age().eq(4)).fields(fields).all(&db).await?;
        let expected = all
            .iter()
            .filter(|it| it.age == 4)
            .map(|it| (it.email.clone(), it.age, it.id.clone(), it.address.zip.clone()));
        assert_eq!(rows, expected.collect::<Vec<_>>());
        let many = User::get_many([&all[3].id, &Id::from("nobody"), &all[1].id]).load(&db).await?;
        assert_eq!(many, [Some(all[3].clone()), None, Some(all[1].clone())]);
        Ok(())
    });
}

#[test]
fn elements_of_arrays_are_asked_together() {
    over_both(async |db| {
        for items in [&[("X", 1), ("Y", 9)][..], &[("X", 3)], &[("Y", 3)], &[]] {
            order(&Id::from("ada"), items).insert(&db).await?;
        }
        let both = Order::items().any(|i| i.sku().eq("X") & i.qty().gt(2));
        assert_eq!(Order::find(both).count(&db).await?, 1);
        let every = Order::items().all(|i| i.qty().gt(2));
        assert_eq!(Order::find(every).count(&db).await?, 3);
        assert_eq!(Order::find(Order::items().is_empty()).count(&db).await?, 1);
        assert_eq!(Order::find(Order::items().nth(1).sku().eq("Y")).count(&db).await?, 1);
        assert_eq!(Order::find(Order::customer().eq(Id::from("ada"))).count(&db).await?, 4);
        Ok(())
    });
}

#[test]
fn aggregates_are_pairs_of_keys_and_results() {
    over_both(async |db| {
        let all = filled(&db).await?;
        let rows = User::aggregate(User::age().gte(30))
            .group_by(User::address().city())
            .agg((count(), User::age().avg(), User::age().max()))
            .having(count().gt(10) & User::age().min().gte(30))
            .order_by(count().desc())
            .all(&db)
            .await?;
        assert_eq!(rows.len(), 3);
        for (city, (users, mean, most)) in rows {
            let ages: Vec<u32> = all
                .iter()
                .filter(|it| it.age >= 30 && it.address.city == city)
                .map(|it| it.age)
                .collect();
            assert_eq!(users, ages.len() as u64);
            let expected = f64::from(ages.iter().sum::<u32>()) / ages.len() as f64;
            assert!((mean.expect("there are some") - expected).abs() < 1e-9);
            assert_eq!(most, ages.iter().max().copied());
        }
        let (users, sum) =
            User::aggregate(()).agg((count(), User::account_balance().sum())).one(&db).await?;
        assert_eq!((users, sum), (300, 30_000));
        let zips: Vec<(Option<String>, u64)> = User::aggregate(User::age().lt(3))
            .group_by(User::address().zip())
            .agg(count())
            .all(&db)
            .await?;
        assert!(zips.iter().any(|(zip, _)| zip.is_none()));
        Ok(())
    });
}

#[test]
fn a_bucket_has_documents_of_its_own() {
    over_both(async |db| {
        let tenant = db.bucket("tenant-a")?;
        tenant.sync::<Account>().await?;
        let account =
            Account { id: Id::new(), email: "a@b.org".into(), name: String::new(), visits: 0 };
        let made = account.insert(&tenant).await?;
        assert_eq!(Account::find(()).all(&tenant).await?, [made]);
        assert_eq!(Account::find(()).count(&db).await?, 0);
        Ok(())
    });
}

#[test]
fn a_search_without_an_index_is_its_own_error() {
    over_both(async |db| {
        filled(&db).await?;
        db.cmd("CONFIG").arg(("SET", "folio.scan-max", 20)).query::<String>().await?;
        let error =
            User::find(User::name().eq("no. 7")).all(&db).await.expect_err("it is no index");
        assert!(matches!(error, Error::UnindexedQuery(_)), "{error:?}");
        assert_eq!(User::find(User::name().eq("no. 7")).allow_scan().count(&db).await?, 1);
        Ok(())
    });
}

mod later {
    use super::*;

    /// As it is written a year later: a field more.
    #[derive(Debug, Document, Serialize, Deserialize)]
    #[folio(collection = "accounts", index(name))]
    pub struct Wider {
        #[folio(id)]
        pub id: Id<Wider>,
        #[folio(unique)]
        pub email: String,
        #[serde(default)]
        pub name: String,
        #[serde(default)]
        pub visits: u64,
        pub phone: Option<String>,
    }

    /// And by somebody who has forgotten one.
    #[derive(Debug, Document, Serialize, Deserialize)]
    #[folio(collection = "accounts")]
    pub struct Narrower {
        #[folio(id)]
        pub id: Id<Narrower>,
        #[folio(unique)]
        pub email: String,
        #[serde(default)]
        pub name: String,
    }
}

#[test]
fn a_type_grows_and_does_not_shrink_by_itself() {
    over_both(async |db| {
        db.sync::<(Account, later::Wider)>().await?;
        db.sync::<later::Wider>().await?;
        let error = db.sync::<later::Narrower>().await.expect_err("fields would be lost");
        let Error::SchemaMismatch(mismatch) = &error else { panic!("{error:?}") };
        assert_eq!(mismatch.collection, "accounts");
        assert_eq!(mismatch.differences.len(), 3, "{mismatch}");
        let schema: String = db.cmd("DOC.SCHEMA").arg("accounts").query().await?;
        assert!(schema.contains("by_name") && schema.contains("phone"), "{schema}");
        Ok(())
    });
}
