"""A corpus of hostile JSON: what somebody may post instead of an employee, and how it is answered."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from churn.schemas.employee import MOST_FIELDS
from churn.web.endpoints.body_reader import SMALL
from churn.web.parsing import MAX_BATCH_BYTES, MAX_BYTES, MAX_ROWS
from tests.support.company import EXAMPLE

SECRET = "987654"  # in every employee's identifier: a refusal must not repeat it
DEEP = 100_000  # levels

OK, TOO_LARGE, INVALID = 200, 413, 422

Change = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Case:
    """One body, where it is posted, and the status of the answer."""

    path: str
    body: bytes
    status: int


def employee(more: str = "", **raw: str) -> bytes:
    """Return the text of a valid employee, with some fields' raw text in place of their own, and more."""
    texts = {name: json.dumps(value) for name, value in EXAMPLE.items()}
    texts = {"employee_id": f'"E-{SECRET}"', **texts, **raw}
    parts = [f'"{name}": {text}' for name, text in texts.items()] + [more] * bool(more)
    return f"{{{', '.join(parts)}}}".encode(errors="surrogatepass")


def fields(count: int) -> str:
    """Return so many fields that nobody knows."""
    return ", ".join(f'"f{number}": {number}' for number in range(count))


KINDS = INTEGER, PERCENT, CATEGORY, IDENTIFIER = (
    "nombre_experiences_precedentes",
    "augmentation_salaire_precedente",
    "genre",
    "employee_id",
)

# The raw text of a value, and which of those fields take it.
VALUES: dict[str, tuple[str, ...]] = {
    "null": (INTEGER, PERCENT, CATEGORY, IDENTIFIER),
    "0": (INTEGER, PERCENT, IDENTIFIER),
    "-0": (INTEGER, PERCENT, IDENTIFIER),
    "-0.0": (INTEGER, PERCENT, IDENTIFIER),
    "1.0": (INTEGER, PERCENT, IDENTIFIER),
    "1E0": (INTEGER, PERCENT, IDENTIFIER),
    "1e-400": (INTEGER, PERCENT, IDENTIFIER),
    "0." + "0" * 5000 + "1": (INTEGER, PERCENT, IDENTIFIER),
    "9007199254740993": (IDENTIFIER,),
    "9223372036854775807": (IDENTIFIER,),
    "9223372036854775808": (),
    "1.5": (PERCENT,),
    "-1": (),
    "1e13": (IDENTIFIER,),
    "1e308": (),
    "1e400": (),
    "-1e400": (),
    "1" + "0" * 400: (),
    "-1" + "0" * 400: (),
    "1" + "0" * 4299: (),
    "1" + "0" * 10_000: (),
    "1" + "0" * 400 + ".5": (),
    "NaN": (),
    "Infinity": (),
    "-Infinity": (),
    "nan": (),
    "undefined": (),
    "None": (),
    "True": (),
    "0x10": (),
    "0b1": (),
    "1_000": (),
    "007": (),
    "+1": (),
    ".5": (),
    "1.": (),
    "1e": (),
    "--1": (),
    "1,5": (),
    "1 2": (),
    "1n": (),
    "\u0663": (),  # a three, in Arabic
    "\uff11": (),  # a one, of full width
    "true": (),
    "false": (),
    "[]": (),
    "[1]": (),
    "{}": (),
    '{"a": 1}': (),
    '{"$gt": 0}': (),
    '""': (),
    '" "': (),
    '"12"': (PERCENT, IDENTIFIER),
    '"11 %"': (PERCENT, IDENTIFIER),
    '"-5 %"': (IDENTIFIER,),
    '"1e400 %"': (IDENTIFIER,),
    '"NaN"': (IDENTIFIER,),
    '"\u0663 %"': (IDENTIFIER,),
    '"F"': (CATEGORY, IDENTIFIER),
    '"\\u0046"': (CATEGORY, IDENTIFIER),
    '"f"': (CATEGORY, IDENTIFIER),
    '"F\\u0000"': (CATEGORY,),  # what is no letter is no part of a category's spelling
    '"\\u0000"': (),
    '"\\ud800"': (),
    '"\\udc00\\ud800"': (),
    '"\\ud83d\\ude00"': (IDENTIFIER,),
    '"e\\u0301"': (IDENTIFIER,),
    '"\\u202eF"': (CATEGORY,),
    '"\\u200b"': (),
    '"\\ufeff"': (),
    '"\\u2028"': (),
    '"\x7f"': (),
    '"\x85"': (),
    '"\x00"': (),
    '"\x1f"': (),
    '"\n"': (),
    '"\\x41"': (),
    '"\\u12"': (),
    '"\\U0001F600"': (),
    '"\\': (),
    "'F'": (),
    '"\ud800"': (),
    '"<script>alert(1)</script>"': (IDENTIFIER,),
    "\"'; DROP TABLE requests; --\"": (IDENTIFIER,),
    '"%s%n{0}${jndi}"': (IDENTIFIER,),
    '"' + "x" * 65 + '"': (),
    '"' + "1" * (SMALL - 1000) + 'x"': (),
    '"' + "1" * 1_000_000 + 'x"': (),
    '"' + "1" * 1_000_000 + '"': (),
    '"' + "\\u0000" * 100_000 + '"': (),
}  # fmt: skip

# Further fields of a valid employee, as raw text, and the status.
FIELDS: dict[str, tuple[str, int]] = {
    "a name twice": ('"age": 30, "age": 31', INVALID),
    "a name twice with one value": ('"age": 30, "age": 30', INVALID),
    "a name twice, once escaped": ('"age": 30, "\\u0061ge": 31', INVALID),
    "a core field twice": ('"revenu_mensuel": 2500', INVALID),
    "a name twice in another case": ('"age": 30, "AGE": 31', INVALID),
    "a name twice, once an alias": ('"pee": 0', INVALID),
    "a name twice in an unknown field": ('"x": {"a": 1, "a": 2}', INVALID),
    "a name twice in a list": ('"x": [{"a": 1, "a": 2}]', INVALID),
    "no name twice": ('"": 1, "": 2', INVALID),
    "half a pair twice": ('"\\ud800": 1, "\\ud800": 2', INVALID),
    "a name among thousands twice": (fields(2000) + ', "f1999": 1', INVALID),
    "a name among very many twice": (fields(60_000) + ', "f59999": 1', INVALID),
    "a name thousands of times": (", ".join(['"a": 1'] * 2000), INVALID),
    "a thousand names twice": (fields(1000) + ", " + fields(1000), INVALID),
    "another case": ('"AGE": 30', OK),
    "space around": ('" age ": 30', OK),
    "an accent": ('"\u00e2ge": 30', OK),
    "a combining accent": ('"a\u0302ge": 30', OK),
    "full width": ('"\uff41\uff47\uff45": 30', OK),
    "all escaped": ('"\\u0061\\u0067\\u0065": 30', OK),
    "a Cyrillic letter": ('"\u0430ge": 30', INVALID),
    "an invisible letter": ('"a\u200bge": 30', INVALID),
    "a control of direction": ('"\u202eage": 30', INVALID),
    "NUL in a name": ('"a\\u0000ge": 30', INVALID),
    "NUL behind a name": ('"age\\u0000": 30', INVALID),
    "nothing but NUL": ('"\\u0000": 30', INVALID),
    "a name raw with NUL": ('"a\x00ge": 30', INVALID),
    "no letter": ('"": 30', INVALID),
    "half a pair": ('"\\ud800": 30', INVALID),
    "half a pair in a name": ('"a\\udfffge": 30', INVALID),
    "a pair": ('"\\ud83d\\ude00": 30', INVALID),
    "half a pair, raw": ('"\ud800": 30', INVALID),
    "a name that is no text": ("age: 30", INVALID),
    "a number for a name": ("1: 30", INVALID),
    "a name in single quotes": ("'age': 30", INVALID),
    "a prototype": ('"__proto__": {"is_admin": true}', INVALID),
    "a constructor": ('"constructor": {"prototype": {}}', INVALID),
    "names of Python's": ('"__class__": 1, "__dict__": {}, "model_config": {}, "record": 1', INVALID),
    "names of ours": ('"employee": {}, "changes": {}, "scored": 1', INVALID),
    "SQL": ('"\'; DROP TABLE requests; --": 1', INVALID),
    "a script": ('"<script>alert(1)</script>": 1', INVALID),
    "a format": ('"{0.__class__}%s%n": 1', INVALID),
    "a line break": ('"age\\r\\nSet-Cookie: a=b": 1', INVALID),
    "what is predicted": ('"a_quitte_l_entreprise": "Oui"', INVALID),
    "a long name": (f'"{"x" * 900_000}": 1', INVALID),
    "a long name of accents": ('"' + "\\u0301" * 2000 + '": 1', INVALID),
    "a long name of ligatures": ('"' + "\ufdfa" * 64 + '": 1', INVALID),
    "many fields": (fields(MOST_FIELDS), INVALID),
    "very many fields": (fields(60_000), INVALID),
    "lists in lists": ('"x": ' + "[" * 500 + "]" * 500, INVALID),
    "objects in objects": ('"x": ' + '{"a": ' * 500 + "1" + "}" * 500, INVALID),
    "lists without an end": ('"x": ' + "[" * DEEP, INVALID),
    "lists in lists, deeper": ('"x": ' + "[" * DEEP + "]" * DEEP, INVALID),
    "objects in objects, deeper": ('"x": ' + '{"a":' * DEEP + "1" + "}" * DEEP, INVALID),
    "both in both, deeper": ('"x": ' + '[{"a":' * (DEEP // 2) + "1" + "}]" * (DEEP // 2), INVALID),
    "many lists": ('"x": [' + ",".join(["[]"] * 200_000) + "]", INVALID),
    "many numbers": ('"x": [' + ",".join(["1e9"] * 200_000) + "]", INVALID),
    "a comment": ("/* age */ \"age\": 30", INVALID),
    "two commas": (', "age": 30', INVALID),
    "no colon": ('"age" 30', INVALID),
    "no value": ('"age":', INVALID),
}  # fmt: skip


def encoded(name: str) -> Change:
    """Return what gives a body another encoding."""
    return lambda body: body.decode().encode(name)


def only(text: str) -> Change:
    """Return what puts a text in place of a body."""
    return lambda _: text.encode()


# What is done to a valid body, and the status.
DOCUMENTS: dict[str, tuple[Change, int]] = {
    "as it is": (lambda body: body, OK),
    "space around": (lambda body: b" \t\r\n" + body + b"\r\n", OK),
    "nothing": (lambda _: b"", INVALID),
    "space alone": (lambda _: b" \r\n\t", INVALID),
    "a vertical tab before": (lambda body: b"\x0b" + body, INVALID),
    "a form feed behind": (lambda body: body + b"\x0c", INVALID),
    "a hard space before": (lambda body: "\u00a0".encode() + body, INVALID),
    "a record separator before": (lambda body: b"\x1e" + body, INVALID),
    "a byte order mark": (lambda body: b"\xef\xbb\xbf" + body, INVALID),
    **{
        name: (encoded(name), INVALID)
        for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp037")
    },
    "Latin-1": (lambda body: body.replace(b"E-", b"\xe9-", 1), INVALID),
    "a byte of no UTF-8 before": (lambda body: b"\xff" + body, INVALID),
    "a byte of no UTF-8 behind": (lambda body: body + b"\xff", INVALID),
    "a byte of no UTF-8 in a value": (lambda body: body.replace(b"E-", b"\xfe-", 1), INVALID),
    "an overlong letter": (lambda body: body.replace(b"E-", b"\xc1\x85-", 1), INVALID),
    "overlong quotes": (lambda body: body.replace(b'"', b"\xc0\xa2"), INVALID),
    "an overlong NUL": (lambda body: body.replace(b"E-", b"\xc0\x80-", 1), INVALID),
    "half a pair": (lambda body: body.replace(b"E-", b"\xed\xa0\x80-", 1), INVALID),
    "a pair in two": (lambda body: body.replace(b"E-", b"\xed\xa0\xbd\xed\xb8\x80-", 1), INVALID),
    "past Unicode": (lambda body: body.replace(b"E-", b"\xf4\x90\x80\x80-", 1), INVALID),
    "a letter cut short": (lambda body: body.replace(b"E-", b"\xe2\x82-", 1), INVALID),
    "NUL before": (lambda body: b"\0" + body, INVALID),
    "NUL behind": (lambda body: body + b"\0", INVALID),
    "a word behind": (lambda body: body + b" x", INVALID),
    "a semicolon behind": (lambda body: body + b";", INVALID),
    "a comma behind": (lambda body: body + b",", INVALID),
    "a bracket behind": (lambda body: body + b"]", INVALID),
    "a brace behind": (lambda body: body + b"}", INVALID),
    "twice": (lambda body: body * 2, INVALID),
    "on two lines": (lambda body: body + b"\n" + body, INVALID),
    "a comment before": (lambda body: b"// a comment\n" + body, INVALID),
    "a comment behind": (lambda body: body + b" /* a comment */", INVALID),
    "another comment": (lambda body: b"# a comment\n" + body, INVALID),
    "single quotes": (lambda body: body.replace(b'"', b"'"), INVALID),
    "typographic quotes": (lambda body: body.decode().replace('"', "\u201d").encode(), INVALID),
    "a comma too many": (lambda body: body.replace(b"}", b",}"), INVALID),
    "equals": (lambda body: body.replace(b":", b"="), INVALID),
    "parentheses": (lambda body: b"(" + body + b")", INVALID),
    "a call": (lambda body: b"callback(" + body + b")", INVALID),
    "a guard": (lambda body: b")]}',\n" + body, INVALID),
    "in a text": (lambda body: json.dumps(body.decode()).encode(), INVALID),
    "in two lists": (lambda body: b"[[" + body + b"]]", INVALID),
    "in an object": (lambda body: b'{"data": ' + body + b"}", INVALID),
    "compressed, and not said to be": (lambda body: gzip.compress(body, mtime=0), INVALID),
    "a form": (lambda _: b"employee_id=1&age=30", INVALID),
    "XML": (lambda _: b'<?xml version="1.0"?><employee/>', INVALID),
    "YAML": (lambda _: b"age: 30\nposte: !!python/object/apply:os.system [id]\n", INVALID),
    "a pickle": (lambda _: b"\x80\x04cos\nsystem\n(S'id'\ntR.", INVALID),
    "noise": (lambda _: bytes(range(256)) * 8, INVALID),
    "lists": (lambda _: b"[" * DEEP, INVALID),
    "objects": (lambda _: b'{"a":' * DEEP, INVALID),
    "lists, closed": (lambda _: b"[" * 500 + b"]" * 500, INVALID),
    "quotes": (lambda _: b'"' * DEEP, INVALID),
    "backslashes": (lambda _: b'"' + b"\\" * DEEP, INVALID),
    "a long text": (lambda _: b'"' + b"x" * (MAX_BYTES - 2) + b'"', INVALID),
    "a long number": (lambda _: b"9" * (MAX_BYTES - 2), INVALID),
    "a long fraction": (lambda _: b"0." + b"9" * (MAX_BYTES - 2), INVALID),
    **{text: (only(text), INVALID) for text in (
        "null", "true", "false", "0", "-1.5", "NaN", "Infinity", '"text"', '""', "[]", "{}", "[[]]", "[null]",
        "[{}]", "[[],{}]", "{", "}", "[", "]", ",", ":", '"', "-", "n", "\\", "[,]", "{,}", '{"a"}', "{1:1}",
    )},
}  # fmt: skip

# Bodies of a batch over what is read in one go; a few bytes more than a row may have.
ROW = employee()
LONG = [ROW] * (MAX_BYTES // len(ROW) + 1)
PAD = b" " * MAX_BYTES


def batch(*rows: bytes) -> bytes:
    """Return a list of rows."""
    return b"[" + b", ".join(rows) + b"]"


BATCHES: dict[str, tuple[bytes, int]] = {
    "too many rows": (batch(*[ROW] * (MAX_ROWS + 1)), TOO_LARGE),
    "too many numbers": (batch(*[b"0"] * (MAX_ROWS + 1)), TOO_LARGE),
    "too many rows of nothing": (batch(*[b"{}"] * (MAX_ROWS + 1)), TOO_LARGE),
    "very many rows of nothing": (batch(*[b"{}"] * 1_000_000), TOO_LARGE),
    "very many numbers": (batch(*[b"0"] * 1_000_000), INVALID),
    "very many lists": (b"[" + b"[]," * (MAX_BATCH_BYTES // 3 - 2) + b"[]]", INVALID),
    "one row of very many lists": (b"[[" + b"[]," * (MAX_BATCH_BYTES // 3 - 2) + b"[]]]", INVALID),
    "very much space": (b" " * MAX_BATCH_BYTES, INVALID),
    "very much space in a list": (b"[" + b" " * (MAX_BATCH_BYTES - 2) + b"]", INVALID),
    "a very long text": (b'["' + b"x" * (MAX_BATCH_BYTES - 4) + b'"]', INVALID),
    "very many quotes": (b"[" + b'"' * (MAX_BATCH_BYTES - 1), INVALID),
    "very many backslashes": (b'[{"' + b"\\" * (MAX_BATCH_BYTES - 3), INVALID),
    "long": (batch(*LONG), OK),
    "long, with space": (batch(b"\n\t" + ROW, *LONG) + b"\r\n", OK),
    "long, with brackets in texts": (batch(*LONG, employee(employee_id='"]}[{\\"\\\\"')), OK),
    "long, and no list": (b'{"a": "' + PAD + b'"}', INVALID),
    "long, with a mark": (b"\xef\xbb\xbf" + batch(*LONG), INVALID),
    "long, and a number": (batch(*LONG, b"1"), INVALID),
    "long, and nothing": (batch(*LONG, b"null"), INVALID),
    "long, and a list": (batch(*LONG, b"[]"), INVALID),
    "long, and nested": (batch(*LONG, employee('"x": [1]')), INVALID),
    "long, and nested deep": (batch(*LONG, b'{"x": ' + b"[" * DEEP + b"]" * DEEP + b"}"), INVALID),
    "long, and a row too long": (batch(*LONG, employee(f'"x": "{PAD.decode()}"')), INVALID),
    "long, and too much space": (batch(*LONG, PAD + ROW), INVALID),
    "long, and too much space behind": (batch(*LONG) + PAD * 2, INVALID),
    "long, and a row with a name twice": (batch(*LONG, employee('"age": 30, "age": 30')), INVALID),
    "long, and a row of no JSON": (batch(*LONG, employee('"age": .5')), INVALID),
    "long, and a row of no UTF-8": (batch(*LONG, ROW.replace(b"E-", b"\xff-")), INVALID),
    "long, and a bad row": (batch(*LONG, employee('"age": 17')), INVALID),
    "long, and a comma": (batch(*LONG)[:-1] + b",]", INVALID),
    "long, and no end": (batch(*LONG)[:-1], INVALID),
    "long, and a word": (batch(*LONG) + b"x", INVALID),
    "long, twice": (batch(*LONG) * 2, INVALID),
    "long, without commas": (b"[" + b" ".join(LONG) + b"]", INVALID),
}  # fmt: skip


def changing(name: str, raw: str) -> bytes:
    """Return a question with one change, of raw text."""
    return b'{"employee": %b, "changes": {"%b": %b}}' % (ROW, name.encode(), raw.encode())


WHAT_IFS: dict[str, tuple[bytes, int]] = {
    "the employee twice": (b'{"employee": %b, "employee": %b}' % (ROW, ROW), INVALID),
    "the employee twice, once escaped": (b'{"employee": %b, "\\u0065mployee": %b}' % (ROW, ROW), INVALID),
    "the changes twice": (b'{"employee": %b, "changes": {}, "changes": {}}' % ROW, INVALID),
    "a change twice": (b'{"employee": %b, "changes": {"age": 30, "age": 30}}' % ROW, INVALID),
    "another case": (b'{"Employee": %b}' % ROW, INVALID),
    "a list of changes": (b'{"employee": %b, "changes": [{}]}' % ROW, INVALID),
    "no changes": (b'{"employee": %b, "changes": null}' % ROW, INVALID),
    "an employee in changes": (b'{"employee": %b, "changes": {"employee": {}}}' % ROW, INVALID),
    "a prototype": (b'{"employee": %b, "__proto__": {}}' % ROW, INVALID),
    "half a pair": (b'{"employee": %b, "\\ud800": {}}' % ROW, INVALID),
    "half a pair among the changes": (b'{"employee": %b, "changes": {"\\ud800": 1}}' % ROW, INVALID),
    "NUL": (b'{"employee": %b, "\\u0000": {}}' % ROW, INVALID),
    "many strangers": (b'{"employee": %b, %b}' % (ROW, fields(60_000).encode()), INVALID),
    "a huge rise": (changing(PERCENT, "1" + "0" * 400), INVALID),
    "a rise of digits": (changing(PERCENT, '"' + "1" * 9000 + 'x"'), INVALID),
}  # fmt: skip

ROUTES: dict[str, Change] = {
    "/predict": lambda one: one,
    "/predict_batch": lambda one: b"[" + one + b"]",
    "/what_if": lambda one: b'{"employee": ' + one + b"}",
}

OWN = {"/predict_batch": BATCHES, "/what_if": WHAT_IFS}


def cases(path: str) -> Iterator[tuple[str, Case]]:
    """Yield every case for a route, with its name."""
    wrapped = ROUTES[path]
    for text, taking in VALUES.items():
        for field in KINDS:
            status = OK if field in taking else INVALID
            name = f"{field}: {text[:40]!r} of {len(text)}"
            yield name, Case(path, wrapped(employee(**{field: text})), status)
    for name, (more, status) in FIELDS.items():
        yield f"field: {name}", Case(path, wrapped(employee(more)), status)
    for name, (change, status) in DOCUMENTS.items():
        yield f"document: {name}", Case(path, change(wrapped(ROW)), status)
    for name, (body, status) in OWN.get(path, {}).items():
        yield f"own: {name}", Case(path, body, status)
