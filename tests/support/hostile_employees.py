"""Hostile employees: what somebody may write into the JSON of one employee, and how it is answered."""

import json

from churn.schemas.employee import MOST_FIELDS
from churn.web.endpoints.body_reader import SMALL
from tests.support.company import EXAMPLE

SECRET = "987654"  # in every employee's identifier: a refusal must not repeat it
DEEP = 100_000  # levels

OK, TOO_LARGE, INVALID = 200, 413, 422


def employee(more: str = "", **raw: str) -> bytes:
    """Return the JSON of a valid employee, with the raw text of some fields replaced and `more` appended."""
    texts = {name: json.dumps(value) for name, value in EXAMPLE.items()}
    texts = {"employee_id": f'"E-{SECRET}"', **texts, **raw}
    parts = [f'"{name}": {text}' for name, text in texts.items()] + [more] * bool(more)
    return f"{{{', '.join(parts)}}}".encode(errors="surrogatepass")


def fields(count: int) -> str:
    """Return so many unknown fields."""
    return ", ".join(f'"f{number}": {number}' for number in range(count))


KINDS = INTEGER, PERCENT, CATEGORY, IDENTIFIER = (
    "nombre_experiences_precedentes",
    "augmentation_salaire_precedente",
    "genre",
    "employee_id",
)

# The raw text of a value, and the fields that accept it.
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
