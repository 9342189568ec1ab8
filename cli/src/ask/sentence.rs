//! Sentences of the shell, such as `find users where age > 30 order by age desc limit 10`: the server's commands without counts and quotes.
//!
//! A clause begins with its word where an operand has just ended, so that fields may be called `limit` or `order`: in
//! `where limit = 5 order by age` the first one stands where an operand is due.

use super::question::{Question, Verb};
use super::token::{Fault, Kind, Token, tokens};

/// The words that clauses begin with.
pub const CLAUSES: [&str; 14] = [
    "where",
    "order",
    "select",
    "limit",
    "offset",
    "after",
    "group",
    "reduce",
    "having",
    "timeout",
    "scan",
    "withtotal",
    "withversion",
    "withdeleted",
];
/// Words behind which an operand is due, so that no clause begins there.
const BEFORE_OPERANDS: [&str; 18] = [
    "and", "or", "not", "in", "between", "has", "any", "all", "like", "ilike", "contains",
    "starts", "ends", "with", "matches", "is", "where", "having",
];

/// A clause: its word, and the tokens up to the next one.
struct Clause<'t, 's> {
    word: &'t Token<'s>,
    rest: &'t [Token<'s>],
}

/// Reads a sentence.
pub fn read(text: &str) -> Result<Question, Fault> {
    let all = tokens(text)?;
    let Some((first, rest)) = all.split_first() else {
        return Err(Fault::at(text, 0, "a sentence begins with find, count, aggregate, .."));
    };
    let verb = Verb::from_word(first.text).ok_or_else(|| {
        Fault::at(text, first.start, format!("{} is none of {}", first.text, Verb::words()))
    })?;
    let Some((collection, rest)) = rest.split_first().filter(|(name, _)| name.kind != Kind::Sign)
    else {
        return Err(Fault::at(text, first.end(), "the name of a collection has to follow"));
    };
    // Names may hold what is no word of a filter, as `shop-1:x` does.
    let (collection, rest) = name(text, collection, rest);
    let mut question = Question::new(verb, collection);
    let (begun, clauses) = split(rest);
    match (verb, begun) {
        (Verb::Distinct, [_, ..]) => question.path = Some(slice(text, begun).to_owned()),
        (Verb::Distinct, []) => {
            return Err(Fault::at(text, text.len(), "distinct takes a path: distinct users city"));
        }
        (_, [other, ..]) => {
            return Err(Fault::at(text, other.start, format!("{} begins no clause", other.text)));
        }
        (_, []) => {}
    }
    for clause in &clauses {
        take(text, &mut question, clause)?;
    }
    Ok(question)
}

/// A name as far as no space is in it.
fn name<'s, 't>(
    text: &'s str,
    first: &Token<'s>,
    rest: &'t [Token<'s>],
) -> (&'s str, &'t [Token<'s>]) {
    let mut end = first.end();
    let mut taken = 0;
    while let Some(next) = rest.get(taken).filter(|next| next.start == end) {
        end = next.end();
        taken += 1;
    }
    (text[first.start..end].trim_matches('\''), &rest[taken..])
}

/// What stands before the first clause, and the clauses.
fn split<'t, 's>(all: &'t [Token<'s>]) -> (&'t [Token<'s>], Vec<Clause<'t, 's>>) {
    let begins: Vec<usize> = (0..all.len()).filter(|at| is_clause(all, *at)).collect();
    let before = begins.first().map_or(all, |first| &all[..*first]);
    let clauses = begins.iter().enumerate().map(|(at, begin)| {
        let end = begins.get(at + 1).copied().unwrap_or(all.len());
        Clause { word: &all[*begin], rest: &all[begin + 1..end] }
    });
    (before, clauses.collect())
}

/// Whether a clause begins at this place.
fn is_clause(all: &[Token<'_>], at: usize) -> bool {
    let token = &all[at];
    let is_word = token.depth == 0 && CLAUSES.iter().any(|word| token.is(word));
    let is_due = at.checked_sub(1).map(|before| &all[before]).is_some_and(|before| {
        let is_open = before.kind == Kind::Sign && before.text != ")";
        is_open || BEFORE_OPERANDS.iter().any(|word| before.is(word))
    });
    // `a = 1 and b[0] .. limit = 5` is a comparison wherever it stands.
    let is_compared = all
        .get(at + 1)
        .is_some_and(|next| next.kind == Kind::Sign && matches!(next.text, "=" | "<" | ">" | "!"));
    is_word && !is_due && !is_compared
}

fn take(text: &str, question: &mut Question, clause: &Clause<'_, '_>) -> Result<(), Fault> {
    let word = clause.word.text.to_ascii_lowercase();
    let is_flag = matches!(word.as_str(), "scan" | "withtotal" | "withversion" | "withdeleted");
    let fault = |what: &str| Fault::at(text, clause.word.end(), format!("{word} {what}"));
    if clause.rest.is_empty() != is_flag {
        return Err(fault(if is_flag { "takes nothing" } else { "has to say what" }));
    }
    let whole = || slice(text, clause.rest).to_owned();
    let number = |tokens: &[Token<'_>]| match tokens {
        [one] => one.text.parse::<u64>().map_err(|_| fault("takes a number")),
        _ => Err(fault("takes a number")),
    };
    match word.as_str() {
        "where" => question.filter = Some(whole()),
        "having" => question.having = Some(whole()),
        "after" => question.after = Some(whole().trim_matches('\'').to_owned()),
        "limit" => question.limit = Some(number(clause.rest)?),
        "offset" => question.offset = number(clause.rest)?,
        "timeout" => question.timeout = Some(number(clause.rest)?),
        "scan" => question.scan = true,
        "withtotal" => question.total = true,
        "withversion" => question.version = true,
        "withdeleted" => question.deleted = true,
        "select" => {
            question.select =
                items(clause.rest).iter().map(|item| slice(text, item).to_owned()).collect();
        }
        "order" => question.order = sorted(text, without_by(clause.rest))?,
        "group" => question.group = named(text, without_by(clause.rest)),
        "reduce" => question.reduce = named(text, clause.rest),
        _ => return Err(fault("is no clause")),
    }
    Ok(())
}

/// `by` is said, and says nothing.
fn without_by<'t, 's>(rest: &'t [Token<'s>]) -> &'t [Token<'s>] {
    match rest {
        [by, others @ ..] if by.is("by") && !others.is_empty() => others,
        all => all,
    }
}

/// What stands between commas.
fn items<'t, 's>(rest: &'t [Token<'s>]) -> Vec<&'t [Token<'s>]> {
    let is_comma = |token: &Token<'_>| token.depth == 0 && token.text == ",";
    rest.split(is_comma).filter(|item| !item.is_empty()).collect()
}

/// Paths, each with a direction.
fn sorted(text: &str, rest: &[Token<'_>]) -> Result<Vec<(String, bool)>, Fault> {
    let one = |item: &&[Token<'_>]| {
        let (path, descends) = match item {
            [path @ .., last] if last.is("desc") => (path, true),
            [path @ .., last] if last.is("asc") => (path, false),
            path => (*path, false),
        };
        if path.is_empty() {
            return Err(Fault::at(text, item[0].start, "a path has to stand before the direction"));
        }
        Ok((slice(text, path).to_owned(), descends))
    };
    items(rest).iter().map(one).collect()
}

/// Expressions, each perhaps with a name behind `as`.
fn named(text: &str, rest: &[Token<'_>]) -> Vec<(String, Option<String>)> {
    let one = |item: &&[Token<'_>]| match item {
        [expression @ .., word, name] if word.is("as") && !expression.is_empty() => {
            (slice(text, expression).to_owned(), Some(name.text.to_owned()))
        }
        expression => (slice(text, expression).to_owned(), None),
    };
    items(rest).iter().map(one).collect()
}

/// The text of tokens that follow one another, with what stands between them.
fn slice<'s>(text: &'s str, tokens: &[Token<'_>]) -> &'s str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &text[first.start..last.end()],
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::question::Parameters;
    use super::*;

    fn words(text: &str) -> String {
        let question = read(text).expect("a sentence");
        question.words(&Parameters::default()).expect("no parameter is missing").join("|")
    }

    #[test]
    fn sentences_become_commands() {
        let cases = [
            ("find users", "DOC.FIND|users"),
            ("FIND users WHERE age > 30 LIMIT 5", "DOC.FIND|users|WHERE|age > 30|LIMIT|0|5"),
            (
                "find users where (a = 'limit 5' or `order` = 1) order by age desc, name limit 10 offset 20 select name, address.city",
                "DOC.FIND|users|WHERE|(a = 'limit 5' or `order` = 1)|ORDER|2|age|DESC|name|ASC|LIMIT|20|10|SELECT|2|name|address.city",
            ),
            (
                "find users where limit = 5 and order > 3 scan",
                "DOC.FIND|users|WHERE|limit = 5 and order > 3|SCAN",
            ),
            ("count users where total", "DOC.COUNT|users|WHERE|total"),
            (
                "distinct users address.city where a = 1",
                "DOC.DISTINCT|users|address.city|WHERE|a = 1",
            ),
            (
                "aggregate orders group by city as c reduce count() as n, sum(price * qty) having n > 1 order by n desc",
                "DOC.AGGREGATE|orders|GROUP|1|city|AS|c|REDUCE|2|count()|AS|n|sum(price * qty)|HAVING|n > 1|ORDER|1|n|DESC",
            ),
            (
                "find shop.users-eu withtotal withdeleted",
                "DOC.FIND|shop.users-eu|WITHTOTAL|WITHDELETED",
            ),
        ];
        for (sentence, command) in cases {
            assert_eq!(words(sentence), command, "{sentence}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let cases = [
            ("fetch users", 0, "fetch is none of find, count, distinct, aggregate"),
            ("find", 4, "the name of a collection has to follow"),
            ("find users age > 3", 11, "age begins no clause"),
            ("find users limit ten", 16, "limit takes a number"),
            ("find users where", 16, "where has to say what"),
            ("find users order by", 16, ""),
            ("distinct users", 14, "distinct takes a path: distinct users city"),
        ];
        for (sentence, position, what) in cases {
            match read(sentence) {
                Ok(question) => assert_eq!(what, "", "{sentence}: {question:?}"),
                Err(fault) => assert_eq!((fault.position, fault.what.as_str()), (position, what)),
            }
        }
    }
}
