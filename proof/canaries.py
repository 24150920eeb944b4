"""Values that nobody may ever see, and where they were seen all the same.

A canary is a secret that a proof gives to the proxy, or a token that the proxy obtains in it. `search` looks for each in
every file of a folder: plain, in base64 at each of the three alignments, in hex, URL-encoded, and as JSON and HTML
write it; and for its two ends, in case something cuts or masks it in the middle.

    python3 proof/canaries.py FOLDER VALUE…
"""

import base64
import html
import json
import pathlib
import re
import sys
import urllib.parse

# Of a value's beginning and of its end: long enough to be nobody else's.
END_BYTES = 12
PIECE_BYTES = 1 << 20
WHERE_MAX = 100


def make(chance, kind="token"):
    """A value that every encoding changes: `token` has all that a bearer token may (RFC 6750 §2.1), `secret` also what
    JSON, HTML and forms must escape."""
    letters = "".join(chance.choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=36))
    if kind == "token":
        return f"{letters[:13]}/+{letters[13:25]}~._-{letters[25:]}=="
    return f'{letters[:13]}/+&"{letters[13:25]}<% >{letters[25:]}'


def forms(value):
    """(how it is written, bytes) for each way in which `value` could be seen."""
    plain = value.encode()
    every = [("plain", plain), ("beginning", plain[:END_BYTES]), ("end", plain[-END_BYTES:])]
    for shift in range(3):
        # Characters that also hold bits of what stands before or behind it are not its own.
        text = base64.b64encode(b"\0" * shift + plain)
        own = text[-(-shift * 8 // 6):(shift + len(plain)) * 8 // 6]
        every.append((f"base64 at {shift}", own))
        every.append((f"base64url at {shift}", own.translate(bytes.maketrans(b"+/", b"-_"))))
    every.append(("hex", plain.hex().encode()))
    every.append(("HEX", plain.hex().upper().encode()))
    quoted = urllib.parse.quote(value, safe="")
    every.append(("URL-encoded", quoted.encode()))
    every.append(("url-encoded", re.sub("%..", lambda escape: escape[0].lower(), quoted).encode()))
    every.append(("form-encoded", urllib.parse.quote_plus(value).encode()))
    every.append(("each byte URL-encoded", "".join(f"%{byte:02X}" for byte in plain).encode()))
    every.append(("JSON", json.dumps(value)[1:-1].encode()))
    every.append(("JSON with \\/", json.dumps(value)[1:-1].replace("/", "\\/").encode()))
    every.append(("HTML", html.escape(value).encode()))
    seen = {}
    for how, text in every:
        seen.setdefault(text, how)
    return [(how, text) for text, how in seen.items()]


def search(folder, values, skip=()):
    """Each place where one of `values` (a list, or texts by name) was seen: a line with file, name and encoding, never
    the value. `skip` are paths that hold them by nature, such as the files that the proxy reads its secrets from."""
    named = values if isinstance(values, dict) else {f"value {index}": value for index, value in enumerate(values)}
    wanted = [(f"{name}, {how}", text) for name, value in named.items() for how, text in forms(value)]
    if not wanted:
        return []
    overlap = max(len(text) for _, text in wanted) - 1
    passed_over = {pathlib.Path(path).resolve() for path in skip}
    found = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_symlink() or not path.is_file() or passed_over & {path.resolve(), *path.resolve().parents}:
            continue
        found += [f"{path.relative_to(folder)}: {what}" for what in _seen_in(path, wanted, overlap)]
    return found[:WHERE_MAX]


def _seen_in(path, wanted, overlap):
    left, seen, kept = dict(wanted), [], b""
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            piece = kept + piece
            for what, text in list(left.items()):
                if text in piece:
                    seen.append(what)
                    del left[what]
            kept = piece[-overlap:]
    return seen


def misses(folder, value):
    """The encodings that `search` does not find when they are planted: none, or it proves nothing."""
    path = pathlib.Path(folder)
    path.mkdir(exist_ok=True)
    missed = []
    for how, text in forms(value):
        # Across the border of two pieces, where a search is easily blind.
        (path / "planted").write_bytes(b"\n" * (PIECE_BYTES - len(text) // 2) + text + b"\n")
        if not search(path, [value]):
            missed.append(how)
    (path / "planted").unlink()
    return missed


if __name__ == "__main__":
    places = search(sys.argv[1], sys.argv[2:])
    print("\n".join(places) or "none")
    sys.exit(bool(places))
