//! Writes of typed documents: updates, tracked saves, versions, upserts, claims, soft deletes, transactions.

use super::*;

#[test]
fn updates_change_what_they_say_and_conditions_hold_them() {
    over_both(async |db| {
        let made = user(3).insert(&db).await?;
        let pay = || {
            User::get(&made.id)
                .when(User::account_balance().gte(100))
                .update(User::account_balance().inc(-100))
        };
        let paid = pay().returning_new(&db).await?.expect("there was enough");
        assert_eq!((paid.account_balance, paid.version > made.version), (0, true));
        assert_eq!(User::get(&made.id).one(&db).await?, paid);
        assert_eq!(pay().returning_new(&db).await?, None);
        assert_eq!(pay().run(&db).await?, None);
        let changes = (
            User::name().set("Ada"),
            User::tags().add("vip"),
            User::tags().push("new"),
            User::tags().pull("t3"),
            User::nickname().set("ad"),
            User::address().zip().set_null(),
            User::age().at_least(18),
        );
        let after = User::get(&made.id).update(changes).returning_new(&db).await?;
        assert_eq!((after.name.as_str(), after.age), ("Ada", 18));
        assert_eq!((after.tags, after.address.zip), (vec!["vip".into(), "new".into()], None));
        let before =
            User::get(&made.id).update(User::nickname().unset()).returning_old(&db).await?;
        assert_eq!(before.expect("it was there").nickname.as_deref(), Some("ad"));
        let error = User::get(&made.id).update(User::age().inc(1)).if_version(1).run(&db).await;
        assert!(matches!(error, Err(Error::VersionConflict { expected: 1, found: Some(_) })));
        let error =
            User::get(Id::from("nobody")).update(User::age().inc(1)).returning_new(&db).await;
        assert!(matches!(error, Err(Error::NotFound { .. })), "{error:?}");
        let adult = User::get(&made.id).update((User::age().mul(2), folio::persist()));
        adult.run(&db).await?;
        let ttl: i64 = db.cmd("TTL").arg(format!("shop.users:{}", made.id)).query().await?;
        assert_eq!(ttl, -1);
        Ok(())
    });
}

#[test]
fn a_tracked_document_writes_what_differs_and_nothing_else() {
    over_both(async |db| {
        let made = user(3).insert(&db).await?;
        let mut mine = User::get(&made.id).tracked(&db).await?;
        let mut other = User::get(&made.id).tracked(&db).await?;
        assert!(!mine.is_changed()?);
        mine.save(&db).await?;
        assert_eq!(mine.version, made.version);
        mine.address.city = "Lyon".into();
        mine.nickname = Some("ad".into());
        mine.save(&db).await?;
        assert!(mine.version > made.version);
        assert_eq!(User::get(&made.id).one(&db).await?, *mine);
        let entry = db.cmd("XRANGE").arg(("changes:shop.users", "2-0", "2-0"));
        let entry: Vec<(String, Vec<String>)> = entry.query().await?;
        let names = entry[0].1.iter().position(|word| word == "paths").expect("it is an update");
        assert_eq!(entry[0].1[names + 1], r#"["address.city","nick"]"#);
        other.age = 5;
        let error = other.save(&db).await.expect_err("somebody was faster");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        mine.age += 1;
        mine.save(&db).await?;
        Ok(())
    });
}

#[test]
fn a_closure_is_run_again_when_somebody_was_faster() {
    over_both(async |db| {
        let made = user(0).insert(&db).await?;
        let add = || async {
            let older = User::get(&made.id).modify(&db, |user| {
                user.age += 1;
                Ok(())
            });
            older.retries(50).await
        };
        let all = tokio::join!(add(), add(), add(), add(), add(), add());
        for one in [all.0, all.1, all.2, all.3, all.4, all.5] {
            one?;
        }
        assert_eq!(User::get(&made.id).one(&db).await?.age, 6);
        let error = User::get(&made.id).modify(&db, |user| {
            user.age = 200;
            Ok(())
        });
        assert!(matches!(error.await, Err(Error::Validation(_))));
        Ok(())
    });
}

#[test]
fn saving_and_replacing_check_the_version() {
    over_both(async |db| {
        let mut mine = user(1);
        let error = mine.clone().replace(&db).await.expect_err("it is not there");
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        mine.save(&db).await?;
        let mut other = User::get(&mine.id).one(&db).await?;
        mine.age = 7;
        mine.save(&db).await?;
        other.age = 8;
        let error = other.save(&db).await.expect_err("it has changed");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        let error = other.clone().replace(&db).await.expect_err("it has changed");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        let error = other.delete(&db).await.expect_err("it has changed");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        let update = User::get(&mine.id).update(User::age().inc(1));
        let old = update.returning_old(&db).await?.expect("it is there");
        let error = old.delete(&db).await.expect_err("it is of an older version");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        let error = old.replace(&db).await.expect_err("it is of an older version");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        assert!(User::get(&mine.id).one(&db).await?.delete(&db).await?);
        let short = mine.clone();
        let again = User { version: 0, ..short }.save_op().expire_in(Duration::from_secs(60));
        let again = again.run(&db).await?;
        let ttl: i64 = db.cmd("TTL").arg(format!("shop.users:{}", again.id)).query().await?;
        assert!((1..=60).contains(&ttl), "{ttl}");
        Ok(())
    });
}

#[test]
fn what_is_deleted_softly_comes_back() {
    over_both(async |db| {
        let made = user(1).insert(&db).await?;
        assert!(User::get(&made.id).delete_soft(&db).await?);
        assert_eq!(User::get(&made.id).maybe(&db).await?, None);
        let hidden = User::get(&made.id).with_deleted().one(&db).await?;
        assert_eq!(hidden.name, made.name);
        assert_eq!(User::find(()).count(&db).await?, 0);
        assert_eq!(User::find(()).with_deleted().count(&db).await?, 1);
        assert!(User::get(&made.id).undelete(&db).await?);
        assert!(!User::get(&made.id).undelete(&db).await?);
        assert!(User::get(&made.id).delete_soft_for(Duration::from_secs(60), &db).await?);
        assert!(User::get(&made.id).with_deleted().delete(&db).await?);
        assert!(!User::get(&made.id).with_deleted().exists(&db).await?);
        Ok(())
    });
}

#[test]
fn an_upsert_creates_once_and_changes_afterwards() {
    over_both(async |db| {
        let upsert = || {
            let by_mail = Account::upsert_by(Account::email().is("a@b.org"));
            by_mail.set(Account::name().set("Ada")).inc(Account::visits()).run(&db)
        };
        let first = upsert().await?;
        assert_eq!((first.name.as_str(), first.visits), ("Ada", 1));
        let all = tokio::join!(upsert(), upsert(), upsert());
        for one in [all.0, all.1, all.2] {
            assert_eq!(one?.id, first.id);
        }
        assert_eq!(Account::get(&first.id).one(&db).await?.visits, 4);
        assert_eq!(Account::find(()).count(&db).await?, 1);
        let error = Account::upsert_by(Account::name().is("Ada")).run(&db).await;
        assert!(matches!(error, Err(Error::Usage(_))), "{error:?}");
        Ok(())
    });
}

#[test]
fn no_two_claims_get_the_same_document() {
    over_both(async |db| {
        let job = |_| Job {
            id: Id::new(),
            state: State::Waiting,
            lease: None,
            sizes: BTreeMap::from([("extra large".into(), 2)]),
        };
        Job::insert_many((0..25).map(job)).run(&db).await?;
        assert_eq!(Job::find(Job::sizes().key("extra large").gt(1)).count(&db).await?, 25);
        let claim = || {
            let free = Job::state().eq(State::Waiting) | Job::lease().lt(now());
            let lease = Job::lease().set_now_plus(Duration::from_secs(60));
            let claim = Job::claim(free).order_by(Job::id().asc()).limit(10).allow_scan();
            claim.update((Job::state().set(State::Running), lease)).run(&db)
        };
        let (a, b, c) = tokio::try_join!(claim(), claim(), claim())?;
        let ids = [a, b, c].into_iter().flatten().map(|job| Ok(job?.id));
        let mut ids = ids.collect::<folio::Result<Vec<Id<Job>>>>()?;
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 25);
        assert!(claim().await?.is_empty());
        let job = Job { id: Id::new(), ..job(0) }.insert(&db).await?;
        let strange = format!("jobs:{}", Id::<Job>::new());
        let text = r#"{"state":"waiting","sizes":7}"#;
        db.cmd("DOC.SET").key(&strange).arg(text).query::<u64>().await?;
        let claimed = claim().await?;
        let own: Vec<_> = claimed.iter().flatten().map(|job| &job.id).collect();
        assert_eq!((claimed.len(), own), (2, vec![&job.id]));
        let error = claimed.iter().find_map(|job| job.as_ref().err());
        assert!(matches!(error, Some(Error::Decode { key, .. }) if **key == strange), "{error:?}");
        Ok(())
    });
}

#[test]
fn writes_by_filter_tell_what_they_did() {
    over_both(async |db| {
        filled(&db).await?;
        let written =
            User::find(User::age().gte(18)).update(User::tags().add("adult")).run(&db).await?;
        let adults = User::find(User::tags().contains("adult")).count(&db).await?;
        assert_eq!((written.matched, written.changed), (adults, adults));
        let removed =
            User::find(User::tags().contains("adult")).limit(10).delete().run(&db).await?;
        assert_eq!(removed, 10);
        let all = User::find(()).update(User::account_balance().set(0)).run(&db).await?;
        assert_eq!(all.matched, 290);
        Ok(())
    });
}

#[test]
fn typed_writes_are_parts_of_transactions() {
    over_both(async |db| {
        let (a, b) = (user(1).insert(&db).await?, user(2));
        let pay = |amount: i64| {
            let rich = User::get(&a.id).when(User::account_balance().gte(amount));
            rich.update(User::account_balance().inc(-amount))
        };
        db.atomic((b.clone().insert_op(), pay(60))).await?;
        let error =
            db.atomic((user(3).insert_op(), pay(60))).await.expect_err("there is not enough");
        assert_eq!(error.code(), Some("CHECK"), "{error}");
        assert_eq!(User::find(()).count(&db).await?, 2);
        let tx = db.begin().await?;
        let mut mine = User::get(&a.id).one(&tx).await?;
        mine.account_balance -= 40;
        mine.save(&tx).await?;
        User::get(&b.id).update(User::account_balance().inc(40)).run(&tx).await?;
        assert_eq!(User::get(&a.id).one(&db).await?.account_balance, 40);
        tx.commit().await?;
        assert_eq!(User::get(&a.id).one(&db).await?.account_balance, 0);
        assert_eq!(User::get(&b.id).one(&db).await?.account_balance, 140);
        db.atomic((User::get(&a.id).deletion(), User::get(&b.id).update(User::age().inc(1))))
            .await?;
        assert_eq!(User::find(()).count(&db).await?, 1);
        Ok(())
    });
}
