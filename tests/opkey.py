"""The operation key, opened by other means than ours: what must never be found anywhere."""
import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.bindings import crypto_scalarmult_ed25519_base_noclamp as base_times

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
HARDENED = 1 << 31
PATH = (1852 + HARDENED, 1815 + HARDENED, HARDENED, 0, 0)


def unseal(sealed, password):
    """The root key as text, "xprv1..."."""
    box = {name: base64.b64decode(value) for name, value in json.loads(sealed).items() if value}
    salt = box.get("salt") or bytes(len(box["iv"]))
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 100000, 32)
    return AESGCM(key).decrypt(box["iv"], box["ciphertext"], None).decode()


def root_of(text):
    """kL, kR and chain code, 96 bytes."""
    number = 0
    data = text[text.index("1") + 1:-6]
    for letter in data:
        number = number << 5 | ALPHABET.index(letter)
    return (number >> (len(data) * 5 - 96 * 8)).to_bytes(96, "big")


def child(key, index):
    left, right, chain = key[:32], key[32:64], key[64:]
    if index >= HARDENED:
        tags, secret = (b"\0", b"\1"), left + right
    else:
        tags, secret = (b"\2", b"\3"), base_times(left)
    message = secret + index.to_bytes(4, "little")
    z = hmac.digest(chain, tags[0] + message, "sha512")
    c = hmac.digest(chain, tags[1] + message, "sha512")

    def plus(a, b):
        total = int.from_bytes(a, "little") + int.from_bytes(b, "little")
        return (total % 2 ** 256).to_bytes(32, "little")

    times_8 = (int.from_bytes(z[:28], "little") * 8).to_bytes(32, "little")
    return plus(times_8, left) + plus(z[32:], right) + c[32:]


def leaf_of(root):
    for index in PATH:
        root = child(root, index)
    return root


def key_hash(leaf):
    return hashlib.blake2b(base_times(leaf[:32]), digest_size=28).hexdigest()


def forms(text):
    """(name, bytes) of every form in which the key might have been written down."""
    root = root_of(text)
    leaf = leaf_of(root)
    yield "bech32", text.encode()
    for name, key in (("root", root), ("leaf", leaf)):
        for part, value in (("kL", key[:32]), ("kR", key[32:64]), ("kL+kR", key[:64])):
            yield f"{name} {part} raw", value
            yield f"{name} {part} hex", value.hex().encode()
            yield f"{name} {part} HEX", value.hex().upper().encode()
            for skipped in range(3):
                encoded = base64.b64encode(bytes(skipped) + value)
                yield f"{name} {part} base64", encoded[4:-4]
