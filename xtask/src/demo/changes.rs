//! What a document's life does to the indexes: every step is undone or lapses.

use std::time::Duration;

use serde_json::Value as Json;

use super::Demo;
use super::data::COLLECTION;
use crate::Result;

/// Tokyo.
const CITY: &str = "cities:1850147";
/// A city that is not there.
const NEW_CITY: &str = "cities:0";

impl Demo {
    /// One document: read, changed and changed back, refused, lapsed.
    pub async fn changes(&mut self) -> Result {
        self.read_one().await;
        self.move_an_entry().await;
        self.refuse_a_type().await;
        self.lapse().await;
        Ok(())
    }

    async fn read_one(&mut self) {
        self.begin("One document by its key, parts of it, and what is known about it");
        let whole = self.say("DOC.GET", &[CITY]).await;
        let line =
            self.cities.iter().find(|(key, _)| key == CITY).map(|(_, city)| city.to_string());
        self.expect(
            "the document is the file's line",
            whole.ok().as_ref().and_then(Json::as_str) == line.as_deref(),
        );
        let name = self.say("DOC.GET", &[CITY, "name"]).await;
        self.expect("the name is Tokyo", name == Ok("\"Tokyo\"".into()));
        let meta = self.say("DOC.META", &[CITY]).await;
        self.expect(
            "its collection is cities",
            meta.is_ok_and(|meta| meta["collection"] == COLLECTION),
        );
        println!();
    }

    async fn move_an_entry(&mut self) {
        self.begin("A change moves what the indexes hold, in the same step");
        let giants = ["cities", "WHERE", "population > 30000000"];
        let before = self.say("DOC.COUNT", &giants).await;
        let grown = self.say("DOC.UPDATE", &[CITY, "INCR", "population", "30000000"]).await;
        let during = self.say("DOC.COUNT", &giants).await;
        let shrunk = self.say("DOC.UPDATE", &[CITY, "INCR", "population", "-30000000"]).await;
        let after = self.say("DOC.COUNT", &giants).await;
        println!();
        let counts = [before, during, after];
        self.expect("the counts are 0, 1, 0", counts == [Ok(0.into()), Ok(1.into()), Ok(0.into())]);
        let number =
            |version: std::result::Result<Json, String>| version.ok().and_then(|v| v.as_u64());
        self.expect("the version grows", number(grown).is_some_and(|n| Some(n) < number(shrunk)));
    }

    async fn refuse_a_type(&mut self) {
        self.begin("What does not fit the declaration is refused, and nothing changes");
        let document = r#"{"name":"Nowhere","population":"many"}"#;
        let refused = self.say("DOC.SET", &[NEW_CITY, document]).await;
        let there = self.say("DOC.GET", &[NEW_CITY]).await;
        println!();
        self.expect("SCHEMA was to come", refused == Err("SCHEMA".into()));
        self.expect("nothing was written", there == Ok(Json::Null));
    }

    async fn lapse(&mut self) {
        self.begin("A document that lapses leaves every answer in that very millisecond");
        let document = r#"{"name":"Brigadoon","countrycode":"XX","population":1}"#;
        let count = ["cities", "WHERE", "countrycode = 'XX'"];
        let _ = self.say("DOC.SET", &[NEW_CITY, document, "PX", "250"]).await;
        let before = self.say("DOC.COUNT", &count).await;
        println!("    .. 260 ms later");
        tokio::time::sleep(Duration::from_millis(260)).await;
        let after = self.say("DOC.COUNT", &count).await;
        println!();
        self.expect("there was one, then none", [before, after] == [Ok(1.into()), Ok(0.into())]);
    }

    /// Every index recomputed from the documents.
    pub async fn verify(&mut self) -> Result {
        self.begin("Every index compared with what the documents say");
        let differences = self.say("DOC.VERIFY", &[COLLECTION]).await;
        println!();
        let none = |answer: &Json| answer.as_array().is_some_and(Vec::is_empty);
        self.expect("there is no difference", differences.is_ok_and(|answer| none(&answer)));
        Ok(())
    }
}
