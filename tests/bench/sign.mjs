// sign.mjs VECTORS CASE LIBRARY - signs one transaction of the signing vectors again and again.
//
// As sign.c does, with what the exchange's own clients use: whisky (its Python and Go clients) or
// mesh (its TypeScript client). The key of whisky is derived beforehand; mesh takes the root key
// and derives on each call, which cannot be had otherwise. Runs where the packages are installed.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const HARDENED = 0x80000000;
const PATH = [1852 + HARDENED, 1815 + HARDENED, HARDENED, 0, 0];

async function whiskySigner(rootKey) {
  const { default: whisky } = await import("@sidan-lab/whisky-js-nodejs");
  const key = PATH.reduce((parent, index) => parent.derive(index),
    whisky.Bip32PrivateKey.from_bech32(rootKey)).to_raw_key();
  return (hex) => {
    const tx = whisky.FixedTransaction.from_hex(hex);
    tx.sign_and_add_vkey_signature(key);
    const signed = tx.to_hex();
    tx.free();
    return signed;
  };
}

async function meshSigner(rootKey) {
  const { MeshWallet } = await import("@meshsdk/core");
  const wallet = new MeshWallet({ networkId: 0, key: { type: "root", bech32: rootKey } });
  await wallet.init();
  return (hex) => wallet.signTx(hex);
}

const [vectorsPath, caseId, library] = process.argv.slice(2);
const vectors = JSON.parse(readFileSync(vectorsPath, "utf8"));
const vector = vectors.cases.find(({ id }) => id === caseId);
const { root_xprv: rootKey } = vectors.keys.find(({ id }) => id === vector.key);
const sign = await { whisky: whiskySigner, mesh: meshSigner }[library](rootKey);

for await (const line of createInterface({ input: process.stdin })) {
  const ns = [];
  while (ns.length < Number(line)) {
    const since = process.hrtime.bigint();
    const signed = await sign(vector.tx_hex);
    ns.push(Number(process.hrtime.bigint() - since));
    if (!signed.includes(vector.signature)) {
      throw new Error("not the signature of the vector");
    }
  }
  console.log(JSON.stringify({ ns }));
}
