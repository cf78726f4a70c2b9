"""Documents of hostile strangers: small to send, and dear to answer."""

from collections.abc import Mapping

TREE = "{ categories { " + "children { parent { " * 4 + "id" + " } }" * 4 + " } }"
VARIANTS = '{ product(slug: "a") { ' + "variants { product { " * 5 + "id" + " } }" * 5 + " } }"
SIGN_IN = 'sessionCreate(input: { login: "a@example.com", password: "a" }) { userErrors { code } }'
SIGN_INS = "mutation { " + " ".join(f"a{n}: {SIGN_IN}" for n in range(16)) + " }"
INTROSPECTION = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
INTROSPECTIONS = (
    "{ "
    + " ".join(f"a{n}: __schema {{ types {{ name fields {{ name type {{ name }} }} }} }}" for n in range(16))
    + " }"
)


def fragments_below(count: int, type_name: str, selection: str, last: str) -> str:
    """Fragments of which each spreads the next one wherever `selection` has `%s`."""
    middle = [f"fragment f{n} on {type_name} {{ {selection % f'...f{n + 1}'} }}" for n in range(count)]
    return " ".join([*middle, f"fragment f{count} on {type_name} {{ {last} }}"])


DOUBLED = "{ viewer { ...f0 } } " + " ".join(
    f"fragment f{n} on Viewer {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40)
)
FRAGMENT_TREE = "{ categories { ...f0 } } " + " ".join(
    f"fragment f{n} on Category {{ children {{ ...f{n + 1} }} ancestors {{ ...f{n + 1} }} }}"
    for n in range(15)
)

TOO_COSTLY: Mapping[str, str] = {
    "a category's children's parents": TREE,
    "a variant's product's variants": VARIANTS,
    "many sign-ins": SIGN_INS,
    "fragments that multiply rows": FRAGMENT_TREE + " fragment f15 on Category { id }",
    "rows of an argument": "{ products(first: 100) { "
    "nodes { variants { product { variants { sku name price { amount } } } } }"
    " } }",
}
"""Attack -> a document that costs more than a guest may ask for."""

TOO_LARGE: Mapping[str, str] = {
    "900 kB of fields": "{ " + "viewer { role } " * 56_000 + "}",
    "900 kB of one text": '{ product(slug: "' + "a" * 900_000 + '") { id } }',
    "900 kB of brackets": "{ a " * 225_000,
    "900 kB of comments": "#\n" * 300_000 + "{ viewer { role } }",
    "many tokens": "{ " + "viewer { role } " * 600 + "}",
    "many comments": "#\n" * 3_000 + "{ viewer { role } }",
    "nested lists": "{ nodes(ids: " + "[" * 300 + "]" * 300 + ") { id } }",
    "nested fields": "{ viewer { " + "account { " * 30 + "id" + " }" * 30 + " } }",
    "fields nested by fragments": "{ viewer { account { ...f0 } } } "
    + fragments_below(30, "Account", "account { %s }", "id"),
    "a long list": "{ nodes(ids: [" + '"a" ' * 501 + "]) { id } }",
    "a list of more ids than a field takes": "{ nodes(ids: [" + '"a" ' * 101 + "]) { id } }",
    "many introspections": INTROSPECTIONS,
    "introspections in fragments": "{ ...f ...g } fragment f on Query { a: __schema { queryType { name } } } "
    'fragment g on Query { b: __type(name: "Query") { name } c: __type(name: "Product") { name } }',
    "a large object": "mutation { cartLineAdd(input: { " + "a: 1 " * 501 + "}) { cart { id } } }",
    "a long default": "query ($ids: [ID!]! = [" + '"a" ' * 501 + "]) { nodes(ids: $ids) { id } }",
    "many root fields": "{ " + "viewer { role } " * 17 + "}",
    "root fields in fragments": "{ ...f } fragment f on Query { " + "viewer { role } " * 17 + "}",
    "many aliases": "{ viewer { " + " ".join(f"a{n}: role" for n in range(101)) + " } }",
    "many fields": "{ viewer { " + "role " * 351 + "} }",
    "many directives": "{ viewer { role " + "@skip(if: false) " * 51 + "} }",
    "many operations": " ".join(f"query a{n} {{ viewer {{ role }} }}" for n in range(51)),
    "many fragments": "{ viewer { role } } "
    + " ".join(f"fragment f{n} on Viewer {{ role }}" for n in range(51)),
    "many variables": "query (" + " ".join(f"$a{n}: Int" for n in range(51)) + ") { viewer { role } }",
    "types of types": INTROSPECTION,
    "doubled fragments": DOUBLED + " fragment f40 on Viewer { " + "role " * 351 + "}",
}
"""Attack -> a document with more of something than any may have."""

LIST = '"a" ' * 480
LARGEST_ALLOWED: Mapping[str, str] = {
    "many fields of one type": "{ products(first: 1) { nodes { " + "id title slug " * 110 + "} } }",
    "many fields of few products": "{ products(first: 5) { nodes { " + "id title slug " * 110 + "} } }",
    "many aliases of a field with arguments": "{ "
    + " ".join(f'a{n}: product(slug: "a") {{ id title slug brand }}' for n in range(16))
    + " }",
    "many operations with one fragment": " ".join(
        f"query q{n}($n: Int!) {{ products(first: $n) {{ nodes {{ ...f }} }} }}" for n in range(20)
    )
    + " fragment f on Product { "
    + "id title slug " * 100
    + "}",
    "many fragments of one type": "{ viewer { "
    + " ".join(f"...f{n}" for n in range(50))
    + " } } "
    + " ".join(f"fragment f{n} on Viewer {{ role language account {{ id name }} }}" for n in range(50)),
    "long lists": "{ "
    + " ".join(f"a{n}: products(first: 1, filter: {{ brands: [{LIST}] }}) {{ totalCount }}" for n in range(3))
    + " }",
    "nodes of a list": "{ nodes(ids: [" + '"a" ' * 100 + "]) { id } }",
    "a large unknown object": "mutation { cartLineAdd(input: { "
    + " ".join(f"a{n}: 1" for n in range(480))
    + "}) { cart { id } } }",
    "many unknown arguments": "{ viewer(" + " ".join(f"a{n}: 1" for n in range(600)) + ") { role } }",
    "many unknown fields": "{ viewer { " + " ".join(f"a{n}" for n in range(340)) + " } }",
    "unknown types": " ".join(f"query q{n}($a: Nothing{n}) {{ viewer {{ role }} }}" for n in range(20)),
    "unused variables": "query (" + " ".join(f"$a{n}: Int" for n in range(50)) + ") { viewer { role } }",
    "a long text": '{ product(slug: "' + "a" * 49_000 + '") { id } }',
    "a long block text": '{ product(slug: """' + "a\n" * 24_000 + '""") { id } }',
    "a long comment": "#" + "a" * 49_000 + "\n{ viewer { role } }",
    "long white space": "\n" * 49_000 + "{ viewer { role } }",
    "fragments in a circle": "{ viewer { ...a } } fragment a on Viewer { ...b } "
    "fragment b on Viewer { ...a }",
}
"""Attack -> a document within the limits of its text and structure, and often not a valid one."""
