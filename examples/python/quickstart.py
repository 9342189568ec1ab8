"""Folio from Python: the server's address is the first argument, else FOLIO_URL, else redis://127.0.0.1:6379."""

import os
import sys

from folio_db import Folio, FolioError


def main(url):
    db = Folio(url)
    declaration = "FIELD isbn string UNIQUE FIELD author string INDEX SET FIELD year int INDEX SORTED FIELD sold int MIN 0"
    db.command("DOC.CREATE", "books", *declaration.split())

    # Documents are dictionaries.
    books = {
        "books:emma": {"title": "Emma", "author": "Jane Austen", "year": 1815, "isbn": "1", "sold": 0},
        "books:persuasion": {"title": "Persuasion", "author": "Jane Austen", "year": 1817, "sold": 2},
        "books:frankenstein": {"title": "Frankenstein", "author": "Mary Shelley", "year": 1818, "sold": 9},
    }
    for key, book in books.items():
        db.put(key, book)

    # A value is bound to its name; there is nothing to escape.
    for key, book in db.find("books", "author = $who AND year < $year", order=["year DESC"], who="Jane Austen", year=1900):
        print(key, book["title"])
    print("called O'Neill:", db.count("books", "author = $who", who="O'Neill"))

    # An error has a code.
    try:
        db.put("books:copy", {"title": "Emma again", "isbn": "1"})
    except FolioError as error:
        print(error.code, "|", error)

    # Operations change a document where it is.
    db.update("books:emma", ("INCR", "sold", 3), ("PUSH", "tags", "novel"))
    print("sold:", db.get("books:emma")[0]["sold"])

    # A version tells whether somebody else was faster.
    book, version = db.get("books:emma")
    db.update("books:emma", ("INCR", "sold", 1))
    try:
        db.put("books:emma", book | {"sold": 0}, version)
    except FolioError as error:
        print(error.code)
    changed = db.change("books:emma", lambda book: book | {"title": book["title"].upper()})
    print(changed["title"], changed["sold"])

    # Any number of documents, a page at a time.
    for number in range(250):
        db.put(f"books:{number}", {"title": f"Volume {number}", "year": 1900 + number % 50})
    print("since 1900:", sum(1 for _ in db.find("books", "year >= 1900", order=["year", "title"])))


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FOLIO_URL", "redis://127.0.0.1:6379")
    main(url)
