"""Certificates, good ones and bad ones."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOUR = timedelta(hours=1)
# Python 3.13 and later refuse an authority that does not say that it is one.
_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Signs what it is asked to; `roots` is the file for those who trust it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("An authority of the tests")
        builder = (
            _dated(self._name, self._name, self._key, -HOUR, HOUR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        )
        self.roots = folder / "roots.pem"
        self.roots.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def certificate(
        self,
        *names: str,
        addresses: Sequence[str] = (),
        common_name: str = "a server",
        since: timedelta = -HOUR,
        until: timedelta = HOUR,
        for_clients: bool = False,
        self_signed: bool = False,
    ) -> Path:
        """A file with a certificate of these names and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(common_name)
        issuer, signing = (subject, key) if self_signed else (self._name, self._key)
        whose = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
        builder = _dated(subject, issuer, key, since, until).add_extension(whose, critical=False)
        alternatives = [*map(x509.DNSName, names), *(x509.IPAddress(ip_address(each)) for each in addresses)]
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        if for_clients:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
            builder = builder.add_extension(usage, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made = builder.sign(signing, hashes.SHA256())
        path = self._folder / f"{made.serial_number}.pem"
        path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        return path


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _dated(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, since: timedelta, until: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + since)
        .not_valid_after(now + until)
    )
