//! Runs that are interrupted, and several at once.

use std::time::Duration;

use tokio::sync::Notify;

use super::*;
use crate::proxy::Fault;
use crate::transport::with_proxy;

/// Two steps over all documents, told apart by what they add, that stop where they are told to.
fn counting(halt: Option<(u64, Arc<Notify>)>) -> Migrations {
    let seen = Arc::new(AtomicU64::new(0));
    let add = |step: Step, by: u64, halt: Option<(u64, Arc<Notify>)>, seen: Arc<AtomicU64>| async move {
        let mut waits = false;
        step.each("users")
            .batch(100)
            .change(|user| {
                waits |= halt
                    .as_ref()
                    .is_some_and(|(at, _)| seen.fetch_add(1, Ordering::Relaxed) == *at);
                if waits {
                    return Err(Error::Usage("halt".into()));
                }
                user["visits"] = (user["visits"].as_u64().unwrap_or_default() + by).into();
                Ok(())
            })
            .await
    };
    let migration = Migration::new(1, "count").up(move |step| {
        let (halt, seen) = (halt.clone(), Arc::clone(&seen));
        async move {
            for by in [10_000, 1_000_000] {
                let part = add(step.clone(), by, halt.clone(), Arc::clone(&seen)).await;
                if let (Err(_), Some((_, reached))) = (&part, &halt) {
                    // As one that hangs.
                    reached.notify_one();
                    std::future::pending::<()>().await;
                }
                part?;
            }
            Ok(())
        }
    });
    Migrations::new("shop").lock_ttl(Duration::from_millis(600)).add(migration)
}

async fn is_counted_once(db: &Folio) -> folio::Result<()> {
    let users = all(db).await?;
    assert_eq!(users.len(), USERS);
    for (n, user) in users.iter().enumerate() {
        assert_eq!(user["visits"], json!(n + 1_010_000));
    }
    Ok(())
}

#[test]
fn a_run_that_is_killed_anywhere_goes_on_and_does_each_document_once() {
    on_empty(async |db| {
        for at in [0, 100, 450, 1_200, 2_399] {
            filled(&db).await?;
            let reached = Arc::new(Notify::new());
            let (first, background) = (counting(Some((at, Arc::clone(&reached)))), db.clone());
            let run = tokio::spawn(async move { first.run(&background).await });
            reached.notified().await;
            run.abort();
            assert!(run.await.expect_err("it was killed").is_cancelled());
            let planned = counting(None).plan(&db).await?;
            assert!(planned[0].resumes);
            // Its lock lapses.
            counting(None).wait(Duration::from_secs(20)).run(&db).await?;
            is_counted_once(&db).await?;
            db.cmd("FLUSHALL").query::<()>().await?;
        }
        Ok(())
    });
}

/// Runs migrations again and again, and kills each run a little later than the one before, until one ends.
async fn killed_often(migrations: impl Fn() -> Migrations, db: &Folio) -> folio::Result<u64> {
    for time in 0.. {
        let (run, background) = (migrations(), db.clone());
        let run = tokio::spawn(async move { run.run(&background).await });
        tokio::time::sleep(Duration::from_millis(time)).await;
        run.abort();
        match run.await {
            Ok(outcome) => return outcome.map(|_| time),
            Err(error) => assert!(error.is_cancelled()),
        }
        // Its lock would lapse.
        db.delete("folio.migrations:lock:shop").await?;
    }
    unreachable!("time goes on")
}

#[test]
fn a_run_that_is_killed_again_and_again_does_each_document_once() {
    on_empty(async |db| {
        filled(&db).await?;
        assert!(killed_often(|| counting(None), &db).await? > 1);
        is_counted_once(&db).await
    });
}

#[test]
fn a_run_that_is_killed_again_and_again_declares_what_it_should() {
    on_empty(async |db| {
        filled(&db).await?;
        migrations().run(&db).await?;
        let expected = (definition(&db).await?, all(&db).await?);
        db.cmd("FLUSHALL").query::<()>().await?;
        db.cmd("DOC.DROP").arg("users").query::<()>().await?;
        filled(&db).await?;
        assert!(killed_often(migrations, &db).await? > 1);
        assert_eq!((definition(&db).await?, all(&db).await?), expected);
        assert_eq!(versions(&db).await?, [1, 2]);
        Ok(())
    });
}

async fn definition(db: &Folio) -> folio::Result<String> {
    db.cmd("DOC.SCHEMA").arg("users").read().await
}

#[test]
fn of_two_runs_one_works_and_the_other_is_told_or_waits() {
    on_empty(async |db| {
        filled(&db).await?;
        let reached = Arc::new(Notify::new());
        let (first, background) = (counting(Some((450, Arc::clone(&reached)))), db.clone());
        let run = tokio::spawn(async move { first.run(&background).await });
        reached.notified().await;
        // The first one hangs, and renews its lock.
        tokio::time::sleep(Duration::from_millis(900)).await;
        let error = counting(None).run(&db).await.expect_err("another program runs them");
        assert!(error.is_retryable());
        assert!(
            matches!(failed(error), MigrationError::Locked { migrations } if migrations == "shop")
        );
        let second = counting(None).wait(Duration::from_secs(20));
        let background = db.clone();
        let waiting = tokio::spawn(async move { second.run(&background).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!waiting.is_finished());
        run.abort();
        waiting.await.expect("it does not panic")?;
        is_counted_once(&db).await?;
        // Many that start together.
        let many = (0..5).map(|_| {
            let (run, db) = (counting(None).wait(Duration::from_secs(20)), db.clone());
            tokio::spawn(async move { run.run(&db).await })
        });
        for run in many.collect::<Vec<_>>() {
            assert_eq!(run.await.expect("it does not panic")?, []);
        }
        is_counted_once(&db).await
    });
}

#[test]
fn a_lock_that_is_lost_stops_the_run_before_it_writes() {
    on_empty(async |db| {
        filled(&db).await?;
        let stealing = Migration::new(1, "steal").up(|step| async move {
            let stolen = json!({"owner": "somebody else"});
            step.db().set("folio.migrations:lock:shop", &stolen).await?;
            let changed = step.each("users").change(|user| {
                user["visits"] = 0.into();
                Ok(())
            });
            changed.await.map(drop)
        });
        let error = Migrations::new("shop").add(stealing).run(&db).await.expect_err("it is stolen");
        assert!(matches!(failed(error), MigrationError::LockLost { .. }));
        assert_eq!(db.count("users", "visits = 0").allow_scan().load().await?, 1);
        // It is not the run's to give back.
        assert!(db.get::<Value>("folio.migrations:lock:shop").await?.is_some());
        Ok(())
    });
}

#[test]
fn documents_that_others_change_meanwhile_keep_both_changes() {
    on_empty(async |db| {
        filled(&db).await?;
        let background = db.clone();
        let writing = tokio::spawn(async move {
            for n in 0.. {
                let key = format!("users:{}", n * 7 % USERS);
                let both = ("INCR", "visits", 1, "INCR", "others", 1);
                let written = background.cmd("DOC.UPDATE").key(&key).arg(both);
                written.query::<u64>().await.expect("nothing is refused");
            }
        });
        counting(None).run(&db).await?;
        writing.abort();
        let mut others = 0;
        for (n, user) in all(&db).await?.iter().enumerate() {
            let own = user["others"].as_u64().unwrap_or_default();
            assert_eq!(user["visits"], json!(n as u64 + 1_010_000 + own));
            others += own;
        }
        assert!(others > 10, "{others}");
        Ok(())
    });
}

#[test]
fn answers_that_are_lost_do_no_document_twice_and_stop_nothing() {
    with_proxy(async |db, proxy| {
        filled(&db).await.expect("nothing is refused");
        let proxy = Arc::new(proxy);
        let cut = Arc::clone(&proxy);
        let migration = Migration::new(1, "count").up(move |step| {
            let cut = Arc::clone(&cut);
            async move {
                let changed = step.each("users").batch(100).change(|user| {
                    let visits = user["visits"].as_u64().unwrap_or_default();
                    // The next answer is that to the batch.
                    if visits % 300 == 0 {
                        cut.set(Fault::CutReplies(2));
                    }
                    user["visits"] = (visits + 10_000).into();
                    Ok(())
                });
                changed.await.map(drop)
            }
        });
        let before = proxy.opened();
        Migrations::new("shop").add(migration).run(&db).await.expect("it goes on");
        assert_eq!(proxy.opened(), before + 4);
        for (n, user) in all(&db).await.expect("it answers").iter().enumerate() {
            assert_eq!(user["visits"], json!(n + 10_000));
        }
    });
}
