//! Documents with types in transactions, change streams and caches.

use std::time::Duration;

use folio::watch::Change;
use folio::{Cache, Document, Done, Embed, Error, Filter, Folio};
use serde::{Deserialize, Serialize};

use crate::proxy::Fault;
use crate::transport::{client, with_proxy, with_server_and_proxy};

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "bank.accounts", changes(both))]
struct Account {
    #[folio(id = "natural")]
    number: String,
    owner: String,
    balance: i64,
    rate: f64,
    tags: Vec<String>,
    moves: Vec<Move>,
    note: Option<String>,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, PartialEq, Embed, Serialize, Deserialize)]
struct Move {
    by: i64,
    text: String,
}

fn account(number: u32, balance: i64) -> Account {
    let owners = ["Ada", "O'Hare", "it's \"all\"", "Çelik"];
    Account {
        number: number.to_string(),
        owner: owners[number as usize % 4].into(),
        balance,
        rate: f64::from(number) / 4.0,
        tags: (0..number % 3).map(|n| format!("t{n}")).collect(),
        moves: vec![Move { by: balance, text: format!("no. {number}") }],
        note: number.is_multiple_of(2).then(|| "even".into()),
        version: 0,
    }
}

/// Declares the collection and puts accounts 0 to 9 there, each with ten times its number.
async fn accounts(db: &Folio) {
    db.sync::<(Account,)>().await.expect("nothing is there");
    for number in 0..10 {
        let new = account(number, i64::from(number) * 10);
        new.insert(db).await.expect("nothing is there");
    }
}

async fn get(db: &Folio, number: &str) -> Account {
    Account::get(number).one(db).await.expect("it is there")
}

/// A filter of each kind.
fn filters() -> Vec<Filter<Account>> {
    vec![
        Account::balance().eq(20),
        Account::balance().ne(20) & Account::balance().lt(70),
        !(Account::owner().eq("O'Hare") | Account::balance().between(10, 30)),
        Account::owner().is_in(["it's \"all\"", "Çelik", "nobody"]),
        Account::owner().is_not_in(["Ada"]),
        Account::rate().gte(0.75) & Account::rate().lte(1.5),
        Account::tags().contains("t1"),
        Account::tags().contains_any(["t0", "t9"]),
        Account::tags().contains_all(["t0", "t1"]),
        Account::note().is_null() | Account::note().is_missing(),
        !Account::note().is_null() & Account::note().is_present(),
        Account::owner().starts_with("O'"),
        Account::owner().ends_with("\""),
        Account::owner().like("%'%"),
        Account::owner().ilike("ç%"),
        Account::owner().matches("^[A-Z]'"),
        Account::moves().any(|it| it.by().gt(30) & it.text().ne("no. 5")),
        Account::moves().all(|it| it.by().lt(30)),
        Account::moves().any(|it| it.text().eq("no. 7")) & Account::balance().gt(-1),
    ]
}

#[test]
fn a_condition_of_a_transaction_holds_of_what_the_filter_finds() {
    with_proxy(async |db, _| {
        accounts(&db).await;
        let mut held = 0;
        for filter in filters() {
            let found = Account::find(filter.clone()).all(&db).await.expect("it is a filter");
            for number in 0..10 {
                let number = number.to_string();
                let update = Account::get(number.as_str()).when(filter.clone());
                let write = update.update(Account::rate().inc(0.0));
                let outcome = db.atomic((write,)).await;
                let holds = found.iter().any(|account| account.number == number);
                match outcome {
                    Ok(_) => assert!(holds, "{filter:?} of {number}"),
                    Err(error) => {
                        assert_eq!(error.code(), Some("CHECK"), "{filter:?}: {error}");
                        assert!(!holds, "{filter:?} of {number}");
                    }
                }
                held += usize::from(holds);
            }
        }
        assert!(held > 40, "{held}");
    });
}

#[test]
fn documents_are_written_together_or_not_at_all() {
    with_proxy(async |db, _| {
        accounts(&db).await;
        let take = |by: i64| {
            let rich = Account::get("3").when(Account::balance().gte(by));
            rich.update(Account::balance().inc(-by))
        };
        let give = |by: i64| Account::get("4").update(Account::balance().inc(by));
        let done = db.atomic((take(20), give(20), account(77, 1).insert_op())).await;
        let written = |it: &Done| matches!(it, Done::Written(_));
        assert_eq!(done.expect("there is enough").iter().filter(|it| written(it)).count(), 3);
        let error = db.atomic((give(20), take(20))).await.expect_err("there is not");
        assert_eq!(error.code(), Some("CHECK"), "{error:?}");
        assert_eq!((get(&db, "3").await.balance, get(&db, "4").await.balance), (10, 60));
        let stale = get(&db, "5").await;
        let mut fresh = stale.clone();
        fresh.balance = 1;
        fresh.save(&db).await.expect("nobody came between");
        let error = db.atomic((give(1), stale.replace_op())).await.expect_err("it has changed");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        assert_eq!(get(&db, "4").await.balance, 60);
    });
}

#[test]
fn a_guarded_write_is_sent_again_and_takes_its_own_work_for_nobody_elses() {
    with_proxy(async |db, proxy| {
        accounts(&db).await;
        // It has not arrived: the second sending does it.
        proxy.set(Fault::CutRequests(10));
        let mut new = account(20, 1).insert(&db).await.expect("it is sent again");
        proxy.set(Fault::CutRequests(10));
        new.balance = 2;
        new.save(&db).await.expect("it is sent again");
        assert_eq!(get(&db, "20").await, new);
        // It was done, and the second sending finds it done: by whom, nobody can say.
        proxy.set(Fault::CutReplies(0));
        let error = account(21, 1).insert(&db).await.expect_err("its answer is lost");
        assert!(error.is_ambiguous(), "{error:?}");
        assert_eq!(get(&db, "21").await.balance, 1);
        proxy.set(Fault::CutReplies(0));
        new.balance = 3;
        let error = new.save(&db).await.expect_err("its answer is lost");
        assert!(error.is_ambiguous(), "{error:?}");
        assert_eq!(get(&db, "20").await.balance, 3);
        // What is not guarded is sent once.
        for (fault, balance) in [(Fault::CutRequests(10), 3), (Fault::CutReplies(0), 4)] {
            proxy.set(fault);
            let hit = Account::get("20").update(Account::balance().inc(1));
            let error = hit.run(&db).await.expect_err("its answer is lost");
            assert!(error.is_ambiguous(), "{error:?}");
            assert_eq!(get(&db, "20").await.balance, balance, "{fault:?}");
        }
    });
}

#[test]
fn an_update_of_who_may_not_use_multi_is_answered_by_what_it_has_done() {
    with_server_and_proxy(async |url, _| {
        let db = client(&url).await;
        accounts(&db).await;
        let rules = ["SETUSER", "bob", "on", ">secret", "~*", "&*", "+@all", "-multi"];
        db.cmd("ACL").arg(&rules[..]).query::<()>().await.expect("rules are read");
        let bob = client(&url.replace("redis://", "redis://bob:secret@")).await;
        let update = Account::get("3").update(Account::balance().inc(1));
        let mut after = update.returning_new(&bob).await.expect("it is done");
        assert_eq!(after, get(&db, "3").await);
        after.balance += 1;
        after.save(&bob).await.expect("its version is known");
        assert_eq!(get(&db, "3").await.balance, 32);
        let update = Account::get("77").update(Account::balance().inc(1));
        let error = update.returning_new(&bob).await.expect_err("there is none");
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    });
}

#[test]
fn a_transaction_stands_where_a_database_does() {
    with_proxy(async |db, _| {
        accounts(&db).await;
        let tx = db.begin().await.expect("nothing is sent");
        let mut from = Account::get("3").one(&tx).await.expect("it is there");
        let mut to = Account::get("4").one(&tx).await.expect("it is there");
        from.balance -= 5;
        to.balance += 5;
        from.save(&tx).await.expect("it is kept");
        to.save(&tx).await.expect("it is kept");
        to.note = Some("twice".into());
        to.save(&tx).await.expect("it is kept");
        let born = account(88, 0).insert(&tx).await.expect("it is kept");
        born.replace(&tx).await.expect("it is kept");
        let mut tracked = Account::get("5").tracked(&tx).await.expect("it is there");
        for balance in [1, 2] {
            tracked.balance = balance;
            tracked.save(&tx).await.expect("it is kept");
        }
        let mut removed = Account::get("6").one(&tx).await.expect("it is there");
        assert!(removed.delete(&tx).await.expect("it is kept"));
        removed.version = 0;
        removed.save(&tx).await.expect("it is kept");
        let error = Account::get("9").update(Account::balance().inc(1)).returning_new(&tx).await;
        assert!(matches!(error, Err(Error::Usage(_))), "{error:?}");
        let own = Account::get("88").one(&tx).await.expect("its own");
        assert_eq!((own.balance, own.version), (0, 0));
        assert_eq!(get(&db, "3").await.balance, 30, "nobody sees it yet");
        assert_eq!(tx.commit().await.expect("nobody came between").len(), 9);
        assert_eq!((get(&db, "3").await.balance, get(&db, "4").await.balance), (25, 45));
        assert_eq!(get(&db, "4").await.note.as_deref(), Some("twice"));
        assert!(get(&db, "88").await.version > 0);
        assert_eq!((get(&db, "5").await.balance, get(&db, "6").await.balance), (2, 60));
    });
}

#[test]
fn what_a_search_has_read_guards_the_commit_too() {
    with_proxy(async |db, _| {
        accounts(&db).await;
        for is_disturbed in [false, true] {
            let tx = db.begin().await.expect("nothing is sent");
            let rich = Account::find(Account::balance().between(80, 100));
            let rich = rich.all(&tx).await.expect("it is a filter");
            assert_eq!(rich.len(), 2);
            let sum: i64 = rich.iter().map(|account| account.balance).sum();
            let change = Account::get("0").update(Account::balance().set(sum));
            change.run(&tx).await.expect("it is kept");
            if is_disturbed {
                let other = Account::get("9").update(Account::balance().inc(1));
                other.run(&db).await.expect("it is there");
            }
            match tx.commit().await {
                Ok(_) => assert!(!is_disturbed),
                Err(error) => {
                    assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
                    assert!(is_disturbed);
                }
            }
        }
    });
}

#[test]
fn changes_of_a_type_come_as_its_documents() {
    with_proxy(async |db, _| {
        for db in [db.clone(), db.bucket("tenant").expect("it is a name")] {
            db.sync::<(Account,)>().await.expect("nothing is there");
            let mut changes = Account::watch(()).open(&db).await.expect("it tells");
            let mut stored = account(3, 30).insert(&db).await.expect("nothing is there");
            stored.balance = 31;
            stored.save(&db).await.expect("nobody came between");
            let Change::Insert { after, .. } = changes.next().await.expect("it is read") else {
                panic!("no insert")
            };
            let after = after.expect("the stream has texts");
            assert_eq!((after.number.as_str(), after.balance), ("3", 30));
            assert!(after.version > 0 && after.version < stored.version);
            let change = changes.next().await.expect("it is read");
            let Change::Update { after, paths, .. } = change else { panic!("no update") };
            assert_eq!((after, paths), (Some(stored), vec!["balance".to_owned()]));
        }
    });
}

#[test]
fn documents_of_a_type_are_cached() {
    with_proxy(async |db, _| {
        accounts(&db).await;
        let cache = Cache::<Account>::new(&db).local(100, Duration::from_secs(3_600));
        let none = || async { Err(Error::Usage("it is not asked".into())) };
        let three = cache.get_or_load("3", none).await.expect("it is there");
        assert_eq!(*three, get(&db, "3").await);
        let loaded = cache.get_or_load(99, || async { Ok::<_, Error>(account(0, 7)) }).await;
        let loaded = loaded.expect("it is loaded");
        assert_eq!((loaded.number.as_str(), loaded.balance), ("99", 7));
        assert_eq!(*loaded, get(&db, "99").await);
        let mut three = Account::clone(&three);
        three.balance = 1;
        cache.put("3", three.clone()).await.expect("it has the version");
        let again = cache.get("3").await.expect("it answers").expect("it is there");
        assert_eq!(again.balance, 1);
        let error = cache.put("3", three).await.expect_err("it has changed since");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
    });
}
