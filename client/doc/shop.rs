// The types that the examples of the crate's documentation are about.

use folio::{Computed, Document, Embed, Id, Projection, Ref, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[folio(collection = "shop.users", ttl = "30d", timestamps, changes)]
#[folio(unique(tenant, email), index(city = "address.city", age desc))]
pub struct User {
    #[folio(id)]
    pub id: Id<User>,
    pub tenant: String,
    #[folio(validate(email, len(max = 254)))]
    pub email: String,
    pub name: String,
    #[folio(index(sorted), validate(range(min = 0, max = 150)))]
    pub age: u32,
    #[folio(index)]
    pub tags: Vec<String>,
    pub address: Address,
    pub nickname: Option<String>,
    pub balance: i64,
    pub visits: u64,
    pub active: bool,
    #[folio(version)]
    pub version: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Embed, Serialize, Deserialize)]
pub struct Address {
    pub city: String,
    pub zip: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Projection, Serialize, Deserialize)]
#[folio(from = User)]
pub struct Card {
    #[folio(id)]
    pub id: Id<User>,
    pub name: String,
    #[folio(path = "address.city")]
    pub city: String,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "shop.orders")]
pub struct Order {
    #[folio(id = "sequence")]
    pub id: Id<Order>,
    #[folio(index)]
    pub customer: Id<User>,
    pub items: Vec<Item>,
    pub total: f64,
}

#[derive(Debug, Clone, PartialEq, Embed, Serialize, Deserialize)]
pub struct Item {
    #[folio(index)]
    pub sku: String,
    pub qty: u32,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "shop.jobs")]
pub struct Job {
    #[folio(id = "ulid")]
    pub id: Id<Job>,
    #[folio(index)]
    pub state: State,
    pub lease: Option<Timestamp>,
    pub sizes: std::collections::BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Embed, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Waiting,
    Running,
    Done,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "shop.countries")]
pub struct Country {
    #[folio(id = "natural")]
    pub code: String,
    #[folio(unique)]
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "shop.posts")]
pub struct Post {
    #[folio(id)]
    pub id: Id<Post>,
    pub title: String,
    #[folio(index)]
    pub author: Ref<Author>,
    pub editor: Option<Ref<Author>>,
    pub readers: Vec<Ref<Author>>,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "shop.articles", validate = "article.is_whole")]
pub struct Article {
    #[folio(id)]
    pub id: Id<Article>,
    pub title: String,
    #[folio(validate = "text.is_clean")]
    pub body: String,
    pub stock: u32,
    #[folio(computed = "text.slug", unique, index(sorted))]
    pub slug: Computed<String>,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "shop.authors")]
pub struct Author {
    #[folio(id)]
    pub id: Id<Author>,
    pub name: String,
    pub team: Ref<Team>,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "shop.teams")]
pub struct Team {
    #[folio(id)]
    pub id: Id<Team>,
    pub name: String,
    pub lead: Option<Ref<Author>>,
}
