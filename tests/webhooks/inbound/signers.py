"""Private keys of this test run, and what signs with them: `cryptography` alone, none of our code."""

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = ed25519.Ed25519PrivateKey.generate()
ECDSA = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
SIGNERS = {
    "ed25519": ED25519.sign,
    "ecdsa-sha256": lambda content: ECDSA.sign(content, ec.ECDSA(SHA256())),
    "ecdsa-sha512": lambda content: ECDSA.sign(content, ec.ECDSA(SHA512())),
    "rsa-sha256": lambda content: RSA.sign(content, padding.PKCS1v15(), SHA256()),
    "rsa-sha512": lambda content: RSA.sign(content, padding.PKCS1v15(), SHA512()),
}


def public(algorithm, encoding=Encoding.PEM):
    """Give the public key in PEM or DER."""
    key = {"ed25519": ED25519, "ecdsa": ECDSA, "rsa": RSA}[algorithm.partition("-")[0]]
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
