"""Folio over redis-py: a thin helper, meant to be copied and changed.

Folio's commands are sent by any client of Redis. What this adds is JSON in and out, parameters in place of texts put
together, errors by their codes, pages, and a change that begins anew when somebody else was faster.
"""

import json

import redis

PAGE = 100


class FolioError(Exception):
    """What the server refused: `code` is for programs, the message for people."""

    def __init__(self, text):
        super().__init__(text)
        self.code = text.partition(" ")[0]


class Folio:
    """Documents of one server, as dictionaries."""

    def __init__(self, url):
        self.redis = redis.Redis.from_url(url, decode_responses=True, protocol=3)

    def command(self, *words):
        """Sends any command."""
        try:
            return self.redis.execute_command(*words)
        except redis.exceptions.ResponseError as error:
            # The server's own errors come without their codes: redis-py has classes for them.
            if not str(error).partition(" ")[0].isupper():
                raise
            raise FolioError(str(error)) from None

    def insert(self, collection, document):
        """Creates a document under an id that the server makes, and gives the id."""
        return self.command("DOC.INSERT", collection, json.dumps(document))

    def put(self, key, document, version=None):
        """Writes a whole document, if it still has the version given; 0: if there is none. Gives its version."""
        condition = [] if version is None else ["IFVERSION", version]
        return self.command("DOC.SET", key, json.dumps(document), *condition)

    def get(self, key):
        """A document and its version; None and 0 where there is none."""
        found = self.command("DOC.GET", key, "WITHVERSION")
        return (json.loads(found[0]), found[1]) if found else (None, 0)

    def find(self, collection, where=None, order=(), limit=None, **params):
        """Yields keys and documents, a page at a time. `order` is of paths such as "age" or "age DESC"."""
        words = ["DOC.FIND", collection, *_filter(where, params)]
        if order:
            words += ["ORDER", len(order), *(word for path in order for word in path.split())]
        left, cursor = limit, None
        while left is None or left > 0:
            count = PAGE if left is None else min(PAGE, left)
            after = ["AFTER", cursor] if cursor else []
            answer = self.command(*words, "LIMIT", 0, count, *after)
            for key, text in answer["results"]:
                yield key, json.loads(text)
            cursor = answer.get("cursor")
            if not cursor:
                return
            left = None if left is None else left - count

    def count(self, collection, where=None, **params):
        """How many documents there are."""
        return self.command("DOC.COUNT", collection, *_filter(where, params))

    def update(self, key, *operations):
        """Applies operations, such as ("INCR", "qty", -1) or ("SET", "name", "Ada"), all or none. Gives the version."""
        return self.command("DOC.UPDATE", key, *(word for each in operations for word in _operation(each)))

    def change(self, key, function, tries=10):
        """Has a function change a document, anew if somebody else was faster, and gives what came of it."""
        for _ in range(tries):
            document, version = self.get(key)
            changed = function(document)
            try:
                self.put(key, changed, version)
                return changed
            except FolioError as error:
                if error.code != "VERSION":
                    raise
        raise FolioError(f"VERSION {key} was changed by others {tries} times in a row")


def _filter(where, params):
    if where is None:
        return []
    words = ["WHERE", where]
    if params:
        words += ["PARAMS", len(params)]
        words += (word for name, value in params.items() for word in (name, json.dumps(value)))
    return words


# Operations whose operand behind the path is JSON.
_JSON = {"SET", "MIN", "MAX", "PUSH", "ADD", "PULL", "INCR", "MUL"}


def _operation(operation):
    word, *rest = operation
    if word in _JSON:
        path, value = rest
        rest = [path, json.dumps(value)]
    elif word in ("MERGE", "PATCH"):
        rest = [json.dumps(rest[0])]
    return [word, *rest]
