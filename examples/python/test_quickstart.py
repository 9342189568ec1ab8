"""What the example prints, and what its helper does, on the server that FOLIO_URL names, which is emptied."""

import os

import pytest
import redis

import quickstart
from folio_db import Folio, FolioError

URL = os.environ["FOLIO_URL"]


@pytest.fixture
def db():
    folio = Folio(URL)
    folio.command("FLUSHALL")
    for name in folio.command("DOC.LIST"):
        folio.command("DOC.DROP", name)
    return folio


def test_the_example_prints_what_the_page_prints(db, capsys):
    quickstart.main(URL)
    assert capsys.readouterr().out.splitlines() == [
        "books:persuasion Persuasion",
        "books:emma Emma",
        "called O'Neill: 0",
        "UNIQUE | UNIQUE the value at isbn is held by books:emma",
        "sold: 3",
        "VERSION",
        "EMMA 4",
        "since 1900: 250",
    ]


def test_a_document_comes_back_as_it_went(db):
    document = {"text": "L'Aquila \"é\"", "n": 9007199254740993, "none": None, "list": [1, {"a": True}]}
    key = "things:" + db.insert("things", document)
    assert db.get(key)[0] == document
    assert db.get("things:none") == (None, 0)
    assert db.count("things", "text = $text AND n = $n", text=document["text"], n=document["n"]) == 1


def test_pages_are_whole_and_end_at_the_limit(db):
    for number in range(230):
        db.put(f"n:{number}", {"n": number})
    found = [document["n"] for _, document in db.find("n", order=["n DESC"])]
    assert found == list(range(229, -1, -1))
    assert [document["n"] for _, document in db.find("n", "n >= $least", order=["n"], limit=150, least=10)] == list(range(10, 160))
    assert list(db.find("n", "n < 0")) == []


def test_errors_have_their_codes(db):
    with pytest.raises(FolioError) as found:
        db.count("nothing")
    assert found.value.code == "NOCOLLECTION"
    db.put("n:1", {"n": 1})
    with pytest.raises(FolioError) as found:
        db.count("n", "n =")
    assert found.value.code == "FILTER"
    with pytest.raises(FolioError) as found:
        db.put("n:1", {"n": 2}, version=7)
    assert found.value.code == "VERSION"
    with pytest.raises(redis.exceptions.ResponseError):
        db.command("DOC.NOTHING")


def test_a_change_is_made_anew_when_another_was_faster(db):
    db.put("n:1", {"n": 1})
    seen = []

    def add(document):
        if not seen:
            db.update("n:1", ("INCR", "n", 10))
        seen.append(document["n"])
        return {"n": document["n"] + 1}

    assert db.change("n:1", add) == {"n": 12}
    assert seen == [1, 11]
