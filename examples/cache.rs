//! Cache-aside over `SQLite`: a product is looked for in the program, then on the server, then in the database; of many tasks
//! that miss the same one, a single one asks the database.
//!
//! `cargo run -p folio-examples --bin cache -- redis://127.0.0.1:6379`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use folio::{Cache, Document, Folio};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "example.products", ttl = "1h", changes)]
struct Product {
    #[folio(id = "natural")]
    sku: String,
    name: String,
    cents: i64,
}

/// The database, and how often it was asked.
#[derive(Clone)]
struct Shop {
    sqlite: Arc<Mutex<Connection>>,
    asked: Arc<AtomicUsize>,
}

impl Shop {
    fn open() -> rusqlite::Result<Self> {
        let sqlite = Connection::open_in_memory()?;
        sqlite.execute_batch(
            "CREATE TABLE products (sku TEXT PRIMARY KEY, name TEXT NOT NULL, cents INTEGER NOT NULL);
             INSERT INTO products VALUES ('lamp', 'Lamp', 4900), ('desk', 'Desk', 23900);",
        )?;
        Ok(Shop { sqlite: Arc::new(Mutex::new(sqlite)), asked: Arc::default() })
    }

    /// What the cache asks on a miss. `SQLite` blocks, so it works on a thread of its own.
    async fn load(&self, sku: &str) -> Result<Product, Box<dyn std::error::Error + Send + Sync>> {
        let (shop, sku) = (self.clone(), sku.to_owned());
        let row = tokio::task::spawn_blocking(move || {
            shop.asked.fetch_add(1, Ordering::Relaxed);
            let sqlite = shop.sqlite.lock().expect("nobody panics with it");
            sqlite.query_row("SELECT sku, name, cents FROM products WHERE sku = ?1", [sku], |row| {
                Ok(Product { sku: row.get(0)?, name: row.get(1)?, cents: row.get(2)? })
            })
        });
        Ok(row.await??)
    }

    fn reprice(&self, sku: &str, cents: i64) -> rusqlite::Result<usize> {
        let sqlite = self.sqlite.lock().expect("nobody panics with it");
        sqlite.execute("UPDATE products SET cents = ?2 WHERE sku = ?1", (sku, cents))
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let db = Folio::connect(&url).await?;
    db.sync::<Product>().await?;
    Product::find(()).delete().run(&db).await?;
    let shop = Shop::open()?;
    let cache = Cache::<Product>::new(&db).local(10_000, Duration::from_secs(30));

    let many: Vec<_> = (0..100)
        .map(|_| {
            let (cache, shop) = (cache.clone(), shop.clone());
            tokio::spawn(async move { cache.get_or_load("lamp", || shop.load("lamp")).await })
        })
        .collect();
    for one in many {
        one.await??;
    }
    println!("100 tasks, the database was asked {} times", shop.asked());

    // Another program finds what this one has put on the server.
    let other = Cache::<Product>::new(&Folio::connect(&url).await?);
    let lamp = other.get_or_load("lamp", || shop.load("lamp")).await?;
    println!(
        "{} for {} cents, the database was asked {} times",
        lamp.name,
        lamp.cents,
        shop.asked()
    );

    // A new price: the database first, then the copy goes; whoever follows the changes forgets a copy.
    shop.reprice("lamp", 3900)?;
    cache.remove("lamp").await?;
    let lamp = cache.get_or_load("lamp", || shop.load("lamp")).await?;
    println!(
        "{} for {} cents, the database was asked {} times",
        lamp.name,
        lamp.cents,
        shop.asked()
    );

    let missing = cache.get_or_load("sofa", || shop.load("sofa")).await;
    println!("no sofa: {}", missing.is_err());
    Ok(())
}
