//! Proposals for small sets of documents.

use super::*;

fn profile(documents: impl IntoIterator<Item = impl AsRef<str>>) -> Profile {
    let mut profile = Profile::default();
    documents.into_iter().for_each(|document| profile.add(document.as_ref()).unwrap());
    profile
}

fn wish() -> Wish {
    Wish { collection: "users".into(), ..Wish::default() }
}

fn strict() -> Wish {
    Wish { is_strict: true, ..wish() }
}

/// What is proposed for each declared field.
fn fields(profile: &Profile, wish: &Wish) -> Vec<String> {
    let proposal = profile.propose(wish);
    let declared = proposal.fields.iter().filter(|field| field.type_name.is_some());
    let told = declared.map(|field| {
        let type_name = field.type_name.as_deref().unwrap();
        format!("{} {type_name} {}", field.path, field.declared()).trim_end().to_owned()
    });
    told.collect()
}

#[test]
fn types_are_those_of_all_values() {
    let documents = [
        r#"{"n":1,"f":1,"d":12345678901234567890123,"b":true,"at":"2026-01-01T00:00:00Z","s":"x","z":null,"o":1}"#,
        r#"{"n":-2,"f":0.5,"d":1,"b":false,"at":"2026-01-02T00:00:00+01:00","s":"","z":null,"o":null}"#,
    ];
    let expected = [
        "n int INDEX SORTED",
        "f float INDEX SORTED",
        "d decimal INDEX SORTED",
        "b bool INDEX SET",
        "at datetime INDEX SORTED",
        "s string",
        "o int NULLABLE INDEX SORTED",
    ];
    assert_eq!(fields(&profile(documents), &wish()), expected);
}

#[test]
fn arrays_and_objects_are_declared_by_what_they_hold() {
    let documents = [
        r#"{"tags":["a","b"],"address":{"city":"Paris","zip":1},"items":[{"sku":"a1","sizes":[1,2]}],"none":[],"nested":[[1]],"holes":["a",null]}"#,
        r#"{"tags":[],"address":{"city":"Rome"},"items":[]}"#,
    ];
    let profile = profile(documents);
    let expected = [
        "tags array<string> INDEX SET",
        "address.city string",
        "address.zip int INDEX SORTED",
        "items[*].sku string",
        "items[*].sizes[*] int INDEX SORTED",
    ];
    assert_eq!(fields(&profile, &wish()), expected);
    let proposal = profile.propose(&wish());
    let undeclared: Vec<(&str, &str)> = proposal
        .fields
        .iter()
        .filter(|field| field.type_name.is_none())
        .map(|field| (field.path.as_str(), field.why.as_str()))
        .collect();
    let expected = [
        ("none", "nothing but empty arrays"),
        ("nested", "arrays within an array"),
        ("holes", "some elements are null"),
    ];
    assert_eq!(undeclared, expected);
}

#[test]
fn mixed_values_are_left_undeclared_with_a_warning() {
    let documents = [r#"{"a":1,"b":[1,"x"]}"#, r#"{"a":"one"}"#, r#"{"a":{"c":1}}"#];
    let proposal = profile(documents).propose(&wish());
    let expected = [
        "a: of several types (1 strings, 1 numbers, 1 objects), left undeclared",
        "b: its elements: of several types (1 strings, 1 numbers), left undeclared",
    ];
    assert_eq!(proposal.warnings, expected);
    let declared: Vec<&str> = proposal
        .fields
        .iter()
        .filter(|field| field.type_name.is_some())
        .map(|field| field.path.as_str())
        .collect();
    assert_eq!(declared, ["a.c"]);
}

#[test]
fn a_key_is_unique_by_its_name_and_its_values() {
    let of = |documents: &[&str]| fields(&profile(documents), &wish());
    let distinct = [
        r#"{"id":1,"email":"a@x.org","user_id":5,"customerId":1,"age":30,"team":{"id":1}}"#,
        r#"{"id":2,"email":"b@x.org","user_id":6,"customerId":2,"age":31,"team":{"id":2}}"#,
    ];
    let expected = [
        "id int UNIQUE",
        "email email UNIQUE",
        "user_id int UNIQUE",
        "customerId int INDEX SET",
        "age int INDEX SORTED",
        "team.id int INDEX SET",
    ];
    assert_eq!(of(&distinct), expected);
    let same = [r#"{"id":1,"email":"a@x.org"}"#, r#"{"id":1,"email":"a@x.org"}"#];
    assert_eq!(of(&same), ["id int INDEX SET", "email email INDEX SET"]);
    assert_eq!(of(&[r#"{"id":1}"#]), ["id int INDEX SET"], "one document says nothing");
}

#[test]
fn few_values_are_a_set_and_texts_have_no_index() {
    let documents = (0..40).map(|number| {
        let state = ["open", "closed"][number % 2];
        let text = "word ".repeat(20 + number);
        format!(
            r#"{{"state":"{state}","city":"city {}","title":"no. {number}","text":"{text}"}}"#,
            number % 15
        )
    });
    let profile = profile(documents);
    let expected =
        ["state string INDEX SET", "city string INDEX SET", "title string", "text string"];
    assert_eq!(fields(&profile, &wish()), expected);
    assert_eq!(
        fields(&profile, &strict()),
        [
            "state string REQUIRED ENUM 2 open closed INDEX SET",
            "city string REQUIRED INDEX SET",
            "title string REQUIRED",
            "text string REQUIRED",
        ]
    );
}

#[test]
fn the_id_gets_no_index_and_is_judged() {
    let wish = Wish { id: Some("id".into()), ..wish() };
    let sound = profile([r#"{"id":"a"}"#, r#"{"id":"b"}"#]);
    assert_eq!(fields(&sound, &wish), ["id string"]);
    assert_eq!(sound.propose(&wish).warnings, Vec::<String>::new());
    let lacking = profile([r#"{"id":"a"}"#, r#"{"id":"a"}"#, r#"{"n":1}"#]);
    let expected = ["1 documents lack the id id", "some documents have the same id id"];
    assert_eq!(lacking.propose(&wish).warnings, expected);
}

#[test]
fn no_more_is_proposed_than_a_server_takes() {
    let members: Vec<String> = (0..150).map(|number| format!(r#""n{number}":1"#)).collect();
    let inner = members.join(",");
    let document = format!(r#"{{"a":{{{inner}}},"b":{{{inner}}}}}"#);
    let proposal = profile([document]).propose(&wish());
    let declared = |it: &&Field| it.type_name.is_some();
    assert_eq!(proposal.fields.iter().filter(declared).count(), FIELDS_MAX);
    assert_eq!(proposal.fields.iter().filter(|it| it.index.is_some()).count(), INDEXES_MAX);
    assert_eq!(proposal.warnings.len(), 2, "{:?}", proposal.warnings);
}

#[test]
fn names_are_split_into_words() {
    for (name, expected) in [
        ("orderId", "order id"),
        ("order_id", "order id"),
        ("ID", "id"),
        ("_id", "id"),
        ("größeX", "größe x"),
    ] {
        assert_eq!(words(name).join(" "), expected, "{name}");
    }
}
