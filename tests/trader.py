"""A trader who talks to the exchange itself, as its own SDKs do: a reading of the protocol that
shares nothing with the daemon or the simulator. Ed25519 is written out from its definition and
only AES comes from a library (libcrypto, which both programs need anyway).
"""
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import json

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
HARD = 1 << 31
PATH = (HARD | 1852, HARD | 1815, HARD, 0, 0)
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


# ---- Ed25519, extended coordinates ----

def base_point():
    y = 4 * pow(5, P - 2, P) % P
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, y, 1, x * y % P


def add(one, two):
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


DOUBLES = [base_point()]
for _ in range(255):
    DOUBLES.append(add(DOUBLES[-1], DOUBLES[-1]))


def times_base(scalar):
    """The point as 32 bytes; the scalar is not reduced."""
    point = (0, 1, 1, 0)
    for bit, double in enumerate(DOUBLES):
        if scalar >> bit & 1:
            point = add(point, double)
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def number(data):
    return int.from_bytes(data, "little")


# ---- the operation key ----

def gcm_open(key, iv, sealed):
    """AES-256-GCM; raises ValueError when the tag does not fit."""
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    crypto.EVP_aes_256_gcm.restype = crypto.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    cipher = ctypes.c_void_p(crypto.EVP_aes_256_gcm())
    text, tag = sealed[:-16], sealed[-16:]
    plain, length = ctypes.create_string_buffer(len(text) + 16), ctypes.c_int()
    try:
        good = (
            crypto.EVP_DecryptInit_ex(context, cipher, None, None, None) == 1
            and crypto.EVP_CIPHER_CTX_ctrl(context, 9, len(iv), None) == 1  # the IV's length
            and crypto.EVP_DecryptInit_ex(context, None, None, key, iv) == 1
            and crypto.EVP_DecryptUpdate(context, plain, ctypes.byref(length), text, len(text)) == 1
            and crypto.EVP_CIPHER_CTX_ctrl(context, 17, 16, tag) == 1  # the tag
            and crypto.EVP_DecryptFinal_ex(context, plain, ctypes.byref(length)) == 1
        )
    finally:
        crypto.EVP_CIPHER_CTX_free(context)
    if not good:
        raise ValueError("the password does not open the operation key")
    return plain.raw[: len(text)]


def unseal(blob, password):
    fields = {name: base64.b64decode(text) for name, text in json.loads(blob).items()}
    salt = fields.get("salt") or bytes(len(fields["iv"]))
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 100000, 32)
    return gcm_open(key, fields["iv"], fields["ciphertext"]).decode()


def bech32_payload(text):
    prefix, _, data = text.rpartition("1")
    assert prefix == "xprv", text[:5]
    bits = "".join(f"{CHARSET.index(char):05b}" for char in data[:-6])
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8))


def child(key, index):
    kl, kr, chain = key
    if index & HARD:
        tags, data = (b"\x00", b"\x01"), kl.to_bytes(32, "little") + kr.to_bytes(32, "little")
    else:
        tags, data = (b"\x02", b"\x03"), times_base(kl)
    z, c = (hmac.digest(chain, tag + data + index.to_bytes(4, "little"), "sha512") for tag in tags)
    return kl + 8 * number(z[:28]), (kr + number(z[32:])) % 2**256, c[32:]


class OperationKey:
    def __init__(self, blob, password):
        root = bech32_payload(unseal(blob, password))
        assert len(root) == 96
        key = number(root[:32]), number(root[32:64]), root[64:]
        for index in PATH:
            key = child(key, index)
        self.kl, self.kr = key[:2]
        self.public = times_base(self.kl)
        self.hash = hashlib.blake2b(self.public, digest_size=28).hexdigest()

    def sign(self, message):
        nonce = hashlib.sha512(self.kr.to_bytes(32, "little") + message).digest()
        r = number(nonce) % L
        point = times_base(r)
        k = number(hashlib.sha512(point + self.public + message).digest()) % L
        return point + ((r + k * self.kl) % L).to_bytes(32, "little")


# ---- transactions ----

def skip(data, at):
    """The end of the CBOR item that begins at `at`; definite and indefinite lengths."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    length = info
    if 24 <= info <= 27:
        size = 1 << (info - 24)
        length, at = int.from_bytes(data[at : at + size], "big"), at + size
    if info == 31:
        while data[at] != 0xFF:
            at = skip(data, at)
        return at + 1
    if major in (2, 3):
        return at + length
    for _ in range({4: length, 5: 2 * length, 6: 1}.get(major, 0)):
        at = skip(data, at)
    return at


def signed(tx_hex, key):
    """The transaction with one witness more, everything else byte for byte."""
    tx = bytes.fromhex(tx_hex)
    assert tx[0] == 0x84
    end = skip(tx, 1)
    signature = key.sign(hashlib.blake2b(tx[1:end], digest_size=32).digest())
    witness = bytes.fromhex("0081825820") + key.public + bytes.fromhex("5840") + signature
    assert 0xA0 <= tx[end] < 0xB7 and tx[end + 1] != 0, "no vkey witnesses yet"
    return (tx[:end] + bytes([tx[end] + 1]) + witness + tx[end + 1 :]).hex()


class Trader:
    """One account of the simulator, over its REST paths."""

    def __init__(self, sim, api_key, password):
        self.sim, self.api_key, self.password = sim, api_key, password
        self.loaded = None

    def request(self, method, path, body=None):
        return self.sim.request(method, path, body, {"X-API-KEY": self.api_key})

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None):
        return self.request("POST", path, body)

    @property
    def key(self):
        if not self.loaded:
            self.loaded = self.fetch_key()
        return self.loaded

    def fetch_key(self):
        answer = self.get("/accounts/operation-key").json
        key = OperationKey(answer["encrypted_operation_key"], self.password)
        assert key.hash == answer["operation_key_hash"]
        return key

    def build(self, **fields):
        order = {"symbol": "ADAUSDM", "side": "buy", "type": "limit", "base_quantity": "100",
                 "price": "0.45"}
        order.update(fields)
        return self.post("/order/build", {k: v for k, v in order.items() if v is not None})

    def submit(self, built, tx=None):
        return self.post("/order/submit", {"order_id": built["order_id"],
                                           "signed_tx": tx or signed(built["tx_hex"], self.key)})

    def place(self, **fields):
        """Builds, signs and submits, all of which must succeed; the order's id."""
        built = self.build(**fields)
        assert built.status == 200, built
        answer = self.submit(built.json)
        assert answer.status == 200, answer
        return built.json["order_id"]

    def order(self, order_id):
        return self.get(f"/accounts/order/{order_id}").json

    def cancel(self, order_id):
        return self.post(f"/order/{order_id}/cancel")
