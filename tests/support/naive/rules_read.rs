//! Predicates over values read from their text, so that the rules can be written as the
//! documentation writes them. It reads nothing else, and panics on anything odd.

use super::{Comparison, Filter, Literal, Meta, Operator, Path, Value};

struct Reader {
    tokens: Vec<String>,
    at: usize,
}

/// Reads `value cmp value`, `value BETWEEN value AND value` or `value IN (..)`.
pub(super) fn predicate(text: &str) -> Filter {
    let mut reader = Reader { tokens: tokens(text), at: 0 };
    let subject = reader.value();
    let filter = match reader.next().as_str() {
        "BETWEEN" => {
            let least = reader.value();
            assert_eq!(reader.next(), "AND");
            Filter::BetweenValues(subject, least, reader.value())
        }
        "IN" => Filter::InValues(subject, reader.list()),
        sign => {
            let comparison = match sign {
                "=" => Comparison::Equal,
                "!=" => Comparison::NotEqual,
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                _ => panic!("{sign} in {text}"),
            };
            Filter::CompareValues(subject, comparison, reader.value())
        }
    };
    assert_eq!(reader.at, reader.tokens.len(), "{text}");
    filter
}

/// Reads a value.
pub(super) fn value(text: &str) -> Value {
    let mut reader = Reader { tokens: tokens(text), at: 0 };
    let value = reader.value();
    assert_eq!(reader.at, reader.tokens.len(), "{text}");
    value
}

fn tokens(text: &str) -> Vec<String> {
    let token = regex::Regex::new(
        r"'[^']*'|[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|[<>!]=|[@A-Za-z_][A-Za-z0-9_.]*(\[[*0-9]+\][A-Za-z0-9_.]*)*|[^ ]",
    );
    let token = token.unwrap();
    token.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

impl Reader {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens[self.at - 1].clone()
    }

    fn value(&mut self) -> Value {
        let mut left = self.product();
        while let Some(operator) = self.operator(&[Operator::Add, Operator::Subtract]) {
            left = Value::computed(left, operator, self.product());
        }
        left
    }

    fn product(&mut self) -> Value {
        let mut left = self.factor();
        let tight = [Operator::Multiply, Operator::Divide, Operator::Remainder];
        while let Some(operator) = self.operator(&tight) {
            left = Value::computed(left, operator, self.factor());
        }
        left
    }

    fn operator(&mut self, among: &[Operator]) -> Option<Operator> {
        let found = among.iter().find(|operator| operator.text() == self.peek());
        self.at += usize::from(found.is_some());
        found.copied()
    }

    fn factor(&mut self) -> Value {
        match self.peek() {
            "(" => {
                self.at += 1;
                let value = self.value();
                assert_eq!(self.next(), ")");
                value
            }
            "-" => {
                self.at += 1;
                match self.factor() {
                    Value::Constant(Literal::Number(text)) if !text.starts_with('-') => {
                        Value::Constant(Literal::Number(format!("-{text}")))
                    }
                    value => Value::Negated(Box::new(value)),
                }
            }
            token => {
                let is_path = token.starts_with(|c: char| c.is_alphabetic() || "_@".contains(c));
                let is_call = self.tokens.get(self.at + 1).is_some_and(|next| next == "(");
                if is_path && !is_call && !matches!(token, "TRUE" | "FALSE") {
                    return Value::Path(path(&self.next()));
                }
                Value::Constant(self.constant())
            }
        }
    }

    fn constant(&mut self) -> Literal {
        let token = self.next();
        match token.as_str() {
            "TRUE" | "FALSE" => Literal::Bool(token == "TRUE"),
            "-" => Literal::Number(format!("-{}", self.next())),
            "now" => {
                assert_eq!(self.next() + &self.next(), "()");
                Literal::Now
            }
            "time" | "duration" => {
                let argument = self.list().remove(0);
                match (token.as_str(), argument) {
                    ("duration", Literal::String(text)) => Literal::Duration(text),
                    (_, argument) => Literal::Time(Box::new(argument)),
                }
            }
            text if text.starts_with('\'') => Literal::String(text.trim_matches('\'').to_owned()),
            number => Literal::Number(number.to_owned()),
        }
    }

    fn list(&mut self) -> Vec<Literal> {
        assert_eq!(self.next(), "(");
        let mut literals = Vec::new();
        while self.peek() != ")" {
            literals.push(self.constant());
            if self.peek() == "," {
                self.at += 1;
            }
        }
        self.at += 1;
        literals
    }
}

fn path(text: &str) -> Path {
    if let Some(meta) = Meta::ALL.into_iter().find(|meta| meta.text() == text) {
        return Path::of_meta(meta);
    }
    if text.starts_with('@') { Path::of_element(text) } else { Path::plain(text) }
}

#[test]
fn what_is_read_is_written() {
    for text in [
        "a = 1",
        "price * qty > total",
        "stock - reserved >= -5",
        "a % 2 = 1",
        "a * (b + c) - d / e <= -(a + 1)",
        "a - (b - c) < a - b - c",
        "a / (b * c) != a / b / c",
        "a BETWEEN b - 1 AND 'x'",
        "a + 1 IN (1, 'x', TRUE, -2, now())",
        "now() - when > duration('1h')",
        "a IN ()",
        "o.items[*].qty + a[0] > @.x * @",
        "_seq % 2 = time('2026-01-01')",
    ] {
        assert_eq!(predicate(text).to_text(), text);
    }
    let time = predicate("when < time(1500)");
    assert_eq!(time.to_text(), "when < time('1970-01-01T00:00:01.5Z')");
}
