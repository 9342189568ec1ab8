//! What is proposed for what was seen.

use super::profile::{MEMBERS_MAX, Place, Profile};
use super::values::Distinct;
use crate::commands::schema::path;

/// A collection has so many fields at most unless the server says otherwise (`folio.fields-max`).
const FIELDS_MAX: usize = 256;
/// And so many indexes (`folio.indexes-max`).
const INDEXES_MAX: usize = 64;
/// Strings with so few distinct values are a choice of some, if each comes several times.
const CHOICES_MAX: usize = 50;
/// What an ENUM lists at most.
const ENUM_MAX: usize = 12;
/// A string that is longer is a text, and looked for by its parts.
const WORD_CHARACTERS_MAX: usize = 64;

/// What is asked besides the documents.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub collection: String,
    pub prefix: Option<String>,
    /// The member that documents have their ids of.
    pub id: Option<String>,
    /// REQUIRED and ENUM are proposed too.
    pub is_strict: bool,
}

/// How documents may be declared.
#[derive(Debug)]
pub struct Proposal {
    pub collection: String,
    pub prefix: Option<String>,
    pub documents: u64,
    pub fields: Vec<Field>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
}

/// One path.
#[derive(Debug)]
pub struct Field {
    pub path: String,
    /// None where nothing is declared.
    pub type_name: Option<String>,
    /// How many documents have it.
    pub present: u64,
    /// How many distinct values there are, as text.
    pub distinct: String,
    /// Some values, or the bounds of numbers.
    pub examples: String,
    pub is_nullable: bool,
    pub is_required: bool,
    pub is_unique: bool,
    pub index: Option<Index>,
    /// The JSON of all values, for ENUM.
    pub choices: Vec<String>,
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    Set,
    Sorted,
}

/// A place, and where it is.
struct Spot<'p> {
    path: String,
    name: &'p str,
    /// Whether it is a member of the document itself.
    is_top: bool,
    /// Whether the path leads to several values.
    is_multi: bool,
    place: &'p Place,
}

impl Profile {
    /// What is proposed.
    pub fn propose(&self, wish: &Wish) -> Proposal {
        let mut proposal = Proposal {
            collection: wish.collection.clone(),
            prefix: wish.prefix.clone(),
            documents: self.documents,
            fields: Vec::new(),
            warnings: Vec::new(),
        };
        let root = Spot {
            path: String::new(),
            name: "",
            is_top: false,
            is_multi: false,
            place: &self.root,
        };
        proposal.walk(&root, wish);
        if self.is_cut() {
            proposal.warnings.push("there are too many paths to look at all of them".into());
        }
        if self.root.is_table {
            let what = format!("documents have more than {MEMBERS_MAX} names: they look like data");
            proposal.warnings.push(what);
        }
        proposal.judge_id(&self.root, wish);
        proposal.keep_to_limits();
        proposal
    }
}

impl Proposal {
    /// Proposes the members of a place.
    fn walk(&mut self, parent: &Spot, wish: &Wish) {
        for (name, place) in parent.place.members() {
            let spot = Spot {
                path: path::join(&parent.path, name),
                name,
                is_top: parent.path.is_empty(),
                is_multi: parent.is_multi,
                place,
            };
            self.visit(&spot, wish);
        }
    }

    fn visit(&mut self, spot: &Spot, wish: &Wish) {
        let place = spot.place;
        match kind(place) {
            Kind::Object if place.is_table => {
                let why = format!("more than {MEMBERS_MAX} names: they look like data");
                self.fields.push(untyped(spot, why));
            }
            Kind::Object => self.walk(spot, wish),
            Kind::Array => self.visit_array(spot, wish),
            Kind::Plain(type_name) => {
                let field = self.plain(spot, place, type_name, wish);
                self.fields.push(field);
            }
            Kind::Nothing => self.fields.push(untyped(spot, "nothing but null".into())),
            Kind::Mixed => {
                self.warnings.push(format!("{}: {}", spot.path, mixture(place)));
                self.fields.push(untyped(spot, mixture(place)));
                // What its objects hold can be declared all the same.
                self.walk(spot, wish);
            }
        }
    }

    fn visit_array(&mut self, spot: &Spot, wish: &Wish) {
        let Some(elements) = spot.place.elements.as_deref() else {
            self.fields.push(untyped(spot, "nothing but empty arrays".into()));
            return;
        };
        let each = Spot {
            path: format!("{}[*]", spot.path),
            name: spot.name,
            is_top: false,
            is_multi: true,
            place: elements,
        };
        match kind(elements) {
            Kind::Plain(type_name) if elements.nulls == 0 => {
                let field = if spot.is_multi {
                    // An array within [*] is declared by its elements.
                    self.plain(&each, elements, type_name, wish)
                } else {
                    self.plain(spot, elements, format!("array<{type_name}>"), wish)
                };
                self.fields.push(field);
            }
            Kind::Object if !elements.is_table => self.walk(&each, wish),
            Kind::Mixed => {
                let what = format!("its elements: {}", mixture(elements));
                self.warnings.push(format!("{}: {what}", spot.path));
                self.fields.push(untyped(spot, what));
                self.walk(&each, wish);
            }
            Kind::Plain(_) | Kind::Nothing => {
                self.fields.push(untyped(spot, "some elements are null".into()));
            }
            Kind::Array => self.fields.push(untyped(spot, "arrays within an array".into())),
            Kind::Object => {
                self.fields.push(untyped(spot, "objects whose names look like data".into()));
            }
        }
    }

    /// A field of values, which stand in `values`: its own place, or that of its elements.
    fn plain(&self, spot: &Spot, values: &Place, type_name: String, wish: &Wish) -> Field {
        let is_id = spot.is_top && wish.id.as_deref() == Some(spot.name);
        let subject = Subject {
            name: spot.name,
            collection: &self.collection,
            is_top: spot.is_top,
            is_id,
            type_name: &type_name,
            values,
        };
        let (index, is_unique, mut why) = subject.index();
        let choices = subject.choices().unwrap_or_default();
        if !choices.is_empty() && !wish.is_strict {
            why = format!("{why}; ENUM, if there are no others");
        }
        if let Some(note) = subject.note() {
            why = format!("{why}; {note}");
        }
        let is_whole = spot.place.documents == self.documents && spot.place.nulls == 0;
        Field {
            path: spot.path.clone(),
            present: spot.place.documents,
            distinct: distinct(&values.distinct),
            examples: examples(values),
            is_nullable: spot.place.nulls > 0,
            is_required: wish.is_strict && is_whole && !spot.is_multi,
            is_unique,
            index,
            choices: if wish.is_strict { choices } else { Vec::new() },
            why,
            type_name: Some(type_name),
        }
    }

    /// The id has to be there, plain and distinct.
    fn judge_id(&mut self, root: &Place, wish: &Wish) {
        let Some(id) = wish.id.as_deref() else { return };
        let members = root.members();
        let Some((_, place)) = members.iter().find(|(name, _)| *name == id) else {
            self.warnings.push(format!("no document has the id {id}"));
            return;
        };
        let lacking = self.documents - place.documents + place.nulls;
        if lacking > 0 {
            self.warnings.push(format!("{lacking} documents lack the id {id}"));
        }
        if place.objects + place.arrays > 0 {
            self.warnings.push(format!("the id {id} is no string or number in some documents"));
        }
        if place.distinct.values > 1 && !place.distinct.is_unique() {
            self.warnings.push(format!("some documents have the same id {id}"));
        }
    }

    /// Leaves out the fields that the fewest documents have, and indexes likewise, where the server would refuse so many.
    fn keep_to_limits(&mut self) {
        let typed = |field: &&mut Field| field.type_name.is_some();
        let mut fields: Vec<&mut Field> = self.fields.iter_mut().filter(typed).collect();
        fields.sort_by_key(|field| std::cmp::Reverse(field.present));
        let most = FIELDS_MAX.min(fields.len());
        let (declared, over) = fields.split_at_mut(most);
        for field in over.iter_mut() {
            field.why = format!("beyond the limit of {FIELDS_MAX} fields");
            field.undeclare();
        }
        let mut indexes = 0;
        for field in declared.iter_mut() {
            let is_indexed = field.index.is_some() || field.is_unique;
            indexes += usize::from(is_indexed);
            if is_indexed && indexes > INDEXES_MAX {
                field.index = None;
                field.is_unique = false;
                field.why = format!("beyond the limit of {INDEXES_MAX} indexes");
            }
        }
        let without = indexes.saturating_sub(INDEXES_MAX);
        let over = over.len();
        if over > 0 {
            let what = format!("{over} paths are left out: {FIELDS_MAX} fields is the limit");
            self.warnings.push(what);
        }
        if without > 0 {
            let what = format!("{without} fields get no index: {INDEXES_MAX} is the limit");
            self.warnings.push(what);
        }
    }
}

impl Field {
    fn undeclare(&mut self) {
        self.type_name = None;
        self.index = None;
        self.is_unique = false;
        self.is_required = false;
        self.is_nullable = false;
        self.choices.clear();
    }
}

/// What all values of a place are.
enum Kind {
    Nothing,
    Plain(String),
    Object,
    Array,
    Mixed,
}

fn kind(place: &Place) -> Kind {
    let all = place.values();
    if all == 0 {
        Kind::Nothing
    } else if place.objects == all {
        Kind::Object
    } else if place.arrays == all {
        Kind::Array
    } else if place.bools == all {
        Kind::Plain("bool".into())
    } else if place.numbers.count() == all {
        Kind::Plain(place.numbers.type_name().into())
    } else if place.strings.count == all {
        // An empty one is of no form.
        let form = place.strings.forms.common().filter(|_| place.strings.empty == 0);
        Kind::Plain(form.map_or("string", |form| form.name()).into())
    } else {
        Kind::Mixed
    }
}

/// What values of several kinds there are, in words.
fn mixture(place: &Place) -> String {
    let kinds = [
        ("strings", place.strings.count),
        ("numbers", place.numbers.count()),
        ("truth values", place.bools),
        ("objects", place.objects),
        ("arrays", place.arrays),
    ];
    let told = kinds.iter().filter(|(_, count)| *count > 0);
    let told: Vec<String> = told.map(|(name, count)| format!("{count} {name}")).collect();
    format!("of several types ({}), left undeclared", told.join(", "))
}

fn untyped(spot: &Spot, why: String) -> Field {
    Field {
        path: spot.path.clone(),
        type_name: None,
        present: spot.place.documents,
        distinct: distinct(&spot.place.distinct),
        examples: examples(spot.place),
        is_nullable: false,
        is_required: false,
        is_unique: false,
        index: None,
        choices: Vec::new(),
        why,
    }
}

fn distinct(distinct: &Distinct) -> String {
    match distinct.count() {
        0 => String::new(),
        count if distinct.is_cut() => format!("{count} or more"),
        count => count.to_string(),
    }
}

/// The bounds of numbers, and of others some.
fn examples(place: &Place) -> String {
    let numbers = &place.numbers;
    if let (Some(least), Some(greatest)) = (&numbers.least, &numbers.greatest)
        && numbers.count() == place.values()
    {
        return if least == greatest { least.clone() } else { format!("{least} to {greatest}") };
    }
    let short = |json: &str| match json.char_indices().nth(24) {
        Some((cut, _)) => format!("{}..", &json[..cut]),
        None => json.to_owned(),
    };
    place.distinct.examples().take(3).map(short).collect::<Vec<_>>().join(", ")
}

/// A field that an index is chosen for.
struct Subject<'p> {
    name: &'p str,
    collection: &'p str,
    is_top: bool,
    is_id: bool,
    type_name: &'p str,
    values: &'p Place,
}

impl Subject<'_> {
    /// Its index, whether it is unique, and why.
    fn index(&self) -> (Option<Index>, bool, String) {
        let (set, sorted) = (Some(Index::Set), Some(Index::Sorted));
        let distinct = &self.values.distinct;
        if self.is_id {
            return (None, false, "the id, by which the key is known".into());
        }
        let words = words(self.name);
        let can_be_key = matches!(self.type_name, "string" | "int" | "uuid" | "email");
        if self.is_top && can_be_key && distinct.is_unique() && is_own_key(&words, self.collection)
        {
            return (None, true, "no value comes twice, and the name says that none is to".into());
        }
        let (index, why) = match self.type_name {
            name if name.starts_with("array<") => (set, "elements are looked up by HAS"),
            "bool" => (set, "two values"),
            "int" | "string" | "uuid" if is_reference(&words) => (set, "names another document"),
            "int" | "float" | "decimal" => (sorted, "ranges, order, sums"),
            "datetime" | "date" | "time" | "duration" => (sorted, "ranges and order"),
            "ip" => (sorted, "ranges of addresses"),
            "uuid" | "email" => (set, "looked up whole"),
            "string" => return self.index_of_string(),
            _ => (None, "rarely looked up"),
        };
        (index, false, why.into())
    }

    fn index_of_string(&self) -> (Option<Index>, bool, String) {
        let (distinct, strings) = (&self.values.distinct, &self.values.strings);
        let (count, values) = (distinct.count(), distinct.values);
        let comes_often = |times: u64| count as u64 * times <= values;
        let is_word = strings.longest <= WORD_CHARACTERS_MAX;
        if is_word && count <= CHOICES_MAX && comes_often(4) {
            return (Some(Index::Set), false, format!("{count} values in {values} places"));
        }
        if is_word && comes_often(2) && values >= 20 {
            return (Some(Index::Set), false, "values that repeat".into());
        }
        let why = if distinct.is_unique() && is_word && values >= 20 {
            "no value comes twice: UNIQUE if none is to, INDEX SORTED for order"
        } else if is_word {
            "INDEX SET if it is looked up, SORTED for order, SUBSTRING for parts"
        } else {
            "text: INDEX SUBSTRING if parts of it are looked for"
        };
        (None, false, why.into())
    }

    /// All values, if they are a choice of a few.
    fn choices(&self) -> Option<Vec<String>> {
        let (distinct, strings) = (&self.values.distinct, &self.values.strings);
        let is_choice = matches!(self.type_name, "string" | "array<string>")
            && strings.longest <= WORD_CHARACTERS_MAX
            && (2..=ENUM_MAX).contains(&distinct.count())
            && distinct.count() as u64 * 10 <= distinct.values;
        is_choice.then(|| distinct.all().map(<[String]>::to_vec)).flatten()
    }

    /// What might be made of it besides.
    fn note(&self) -> Option<String> {
        let (strings, numbers) = (&self.values.strings, &self.values.numbers);
        let is_text = matches!(self.type_name, "string" | "array<string>");
        if is_text && strings.are_local_instants() {
            return Some("a datetime needs an offset, such as Z".into());
        }
        if let Some(form) = strings.forms.common().filter(|_| is_text && strings.empty > 0)
            && strings.empty < strings.count
        {
            let (empty, name) = (strings.empty, form.name());
            return Some(format!("{name} but for {empty} empty ones"));
        }
        if is_text && strings.mean_length() > 200 {
            return Some(format!("{} characters in the mean", strings.mean_length()));
        }
        let number = |text: &Option<String>| text.as_ref()?.parse::<i64>().ok();
        let (least, greatest) = (number(&numbers.least)?, number(&numbers.greatest)?);
        // 2001 to 2065: other numbers are rarely all within it.
        let are_millis = least > 1_000_000_000_000 && greatest < 3_000_000_000_000;
        (self.type_name == "int" && are_millis)
            .then(|| "datetime, if it is milliseconds since 1970".into())
    }
}

/// The words of a name, in lower case: of `orderId`, `order_id` and `ORDER-ID` order and id.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_lower = false;
    for letter in name.chars() {
        if (is_lower && letter.is_uppercase()) || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        is_lower = letter.is_lowercase();
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a name says that its values name the documents of the collection: `id`, `email`, of users `user_id`.
fn is_own_key(words: &[String], collection: &str) -> bool {
    let is_key = |word: &String| {
        matches!(word.as_str(), "id" | "uuid" | "guid" | "email" | "slug" | "username")
    };
    match words {
        [word] => is_key(word),
        [own, word] => {
            let collection = collection.rsplit('.').next().unwrap_or_default().to_lowercase();
            let is_own = own.len() > 1 && collection.starts_with(own.as_str());
            is_key(word) && is_own || (own == "e" && word == "mail")
        }
        _ => false,
    }
}

/// Whether a name says that its values name documents: `id`, `customer_id`.
fn is_reference(words: &[String]) -> bool {
    words.last().is_some_and(|word| matches!(word.as_str(), "id" | "ids" | "uuid" | "guid"))
}

#[cfg(test)]
#[path = "propose_tests.rs"]
mod tests;
