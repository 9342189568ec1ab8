// Folio from Node, with node-redis 4: the server's address is FOLIO_URL, else redis://127.0.0.1:6379.

import { createRequire } from "node:module";

// So that a package which the system installed is found too.
const { createClient } = createRequire(import.meta.url)("redis");

const client = createClient({ url: process.env.FOLIO_URL ?? "redis://127.0.0.1:6379" });
await client.connect();

// Any command is an array of strings.
const command = (...words) => client.sendCommand(words.map(String));

/** Keys and documents that a filter holds of, each of whose parameters is bound to a value. */
async function find(collection, where, params = {}, ...options) {
  const bound = Object.entries(params).flatMap(([name, value]) => [name, JSON.stringify(value)]);
  const words = ["WHERE", where, ...(bound.length ? ["PARAMS", bound.length / 2, ...bound] : [])];
  // Without RESP3 a map comes as names and values in turn.
  const [, results] = await command("DOC.FIND", collection, ...words, ...options);
  return results.map(([key, text]) => [key, JSON.parse(text)]);
}

/** The code of what the server refused. */
const code = (error) => error.message.split(" ", 1)[0];

try {
  await command("DOC.CREATE", "books", "FIELD", "isbn", "string", "UNIQUE", "FIELD", "year", "int", "INDEX", "SORTED");
  await command("DOC.SET", "books:1", JSON.stringify({ title: "Emma", year: 1815, isbn: "1" }));
  await command("DOC.SET", "books:2", JSON.stringify({ title: "L'Assommoir", year: 1877, isbn: "2" }));

  for (const [key, book] of await find("books", "title = $title", { title: "L'Assommoir" })) {
    console.log(key, book.year);
  }
  for (const [, book] of await find("books", "year > $least", { least: 1800 }, "ORDER", 1, "year", "DESC")) {
    console.log(book.title);
  }

  await command("DOC.UPDATE", "books:1", "INCR", "sold", 3, "PUSH", "tags", JSON.stringify("novel"));
  console.log(await command("DOC.GET", "books:1", "sold", "tags"));

  // Changed only if nobody else has changed it since it was read.
  const [text, version] = await command("DOC.GET", "books:1", "WITHVERSION");
  const book = { ...JSON.parse(text), sold: 0 };
  await command("DOC.UPDATE", "books:1", "INCR", "sold", 1);
  await command("DOC.SET", "books:1", JSON.stringify(book), "IFVERSION", version).catch((error) => {
    console.log(code(error), "|", error.message);
  });
  await command("DOC.SET", "books:3", JSON.stringify({ isbn: "1" })).catch((error) => console.log(code(error)));
} finally {
  await client.quit();
}
