//! A consumer of a change stream that keeps a figure beside the documents, is stopped, and goes on where it was.
//!
//! `cargo run -p folio-examples --bin changes -- redis://127.0.0.1:6379`

use std::collections::BTreeMap;
use std::time::Duration;

use folio::watch::{Change, Token};
use folio::{Document, Folio, Id};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "example.accounts", changes(both))]
struct Account {
    #[folio(id)]
    id: Id<Account>,
    branch: String,
    balance: i64,
}

fn account(branch: &str, balance: i64) -> Account {
    Account { id: Id::new(), branch: branch.into(), balance }
}

/// What each branch holds. It is kept by changes alone, so it costs nothing to ask; a real one would stand in a store of
/// its own, with the token beside it, so that both are from the same instant.
#[derive(Debug, Default)]
struct Totals {
    by_branch: BTreeMap<String, i64>,
    /// Behind which change to go on.
    token: Option<Token>,
}

impl Totals {
    fn add(&mut self, account: Option<&Account>, sign: i64) {
        if let Some(account) = account {
            *self.by_branch.entry(account.branch.clone()).or_default() += sign * account.balance;
        }
    }

    fn apply(&mut self, change: &Change<Account>) {
        match change {
            Change::Insert { after, .. } => self.add(after.as_ref(), 1),
            Change::Update { before, after, .. } => {
                self.add(before.as_ref(), -1);
                self.add(after.as_ref(), 1);
            }
            Change::Delete { before, .. }
            | Change::Expire { before, .. }
            | Change::Evict { before, .. } => self.add(before.as_ref(), -1),
            Change::Flush { .. } => self.by_branch.clear(),
            // The stream was trimmed before it was read: a real consumer counts all anew here.
            other => println!("cannot go on: {other:?}"),
        }
        self.token = Some(change.token());
    }

    /// Follows the stream until nothing has come for a while.
    async fn follow(&mut self, db: &Folio) -> folio::Result<usize> {
        const QUIET: Duration = Duration::from_millis(300);
        let watch = Account::watch(());
        let watch = match self.token {
            Some(token) => watch.resume_after(token),
            None => watch.from_oldest(),
        };
        let (mut changes, mut count) = (watch.open(db).await?, 0);
        while let Ok(change) = tokio::time::timeout(QUIET, changes.next()).await {
            self.apply(&change?);
            count += 1;
        }
        Ok(count)
    }
}

#[tokio::main]
async fn main() -> folio::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let db = Folio::connect(&url).await?;
    db.sync::<Account>().await?;
    let mut totals = Totals::default();
    totals.follow(&db).await?;
    Account::find(()).delete().run(&db).await?;
    totals.follow(&db).await?;

    let ada = account("London", 100).insert(&db).await?;
    let grace = account("New York", 70).insert(&db).await?;
    println!("{} changes: {:?}", totals.follow(&db).await?, totals.by_branch);

    // While nobody follows, money moves between the two, all or nothing, and one more account is opened.
    let from = Account::get(&ada.id).when(Account::balance().gte(30));
    let to = Account::get(&grace.id).update(Account::balance().inc(30));
    db.atomic((from.update(Account::balance().inc(-30)), to)).await?;
    account("London", 5).insert(&db).await?;

    println!("{} changes: {:?}", totals.follow(&db).await?, totals.by_branch);
    let sum = |branch: &str| Account::find(Account::branch().eq(branch));
    for branch in ["London", "New York"] {
        let held: Vec<Account> = sum(branch).all(&db).await?;
        let held: i64 = held.iter().map(|account| account.balance).sum();
        println!("{branch}: {}", held == totals.by_branch[branch]);
    }
    Ok(())
}
