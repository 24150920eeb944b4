"""Upstreams' certificates that must not be believed, each for one reason, and one that must be."""

import dataclasses
import ssl
import subprocess

import rig

EC = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA, WEAK_RSA = ("rsa:2048",), ("rsa:1024",)
NAMES = f"DNS:{rig.HOST},IP:127.0.0.1"
LEAF = ("basicConstraints=CA:FALSE", "extendedKeyUsage=serverAuth", f"subjectAltName={NAMES}")
AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
# Years and so on as `openssl ca` writes them.
PAST, BEFORE, NOW, LATER, FUTURE = "200101000000Z", "200201000000Z", None, "400101000000Z", "410101000000Z"


@dataclasses.dataclass
class Trap:
    """A server that must be refused, and words that say why: in the log, in the answer, in `doctor`."""

    name: str
    words: str
    context: ssl.SSLContext


def openssl(*arguments):
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * rig.PATIENCE, check=False)
    if done.returncode:
        raise rig.Failure(f"openssl {arguments[0]}: {done.stderr.strip()}")


class Forge:
    """Makes certificates of every sort. `ca` ends up as the one authority that is believed."""

    def __init__(self, path):
        self.path = path
        self.path.mkdir()
        self.configuration = path / "ca.cnf"
        (path / "index").touch()
        self.configuration.write_text(
            "[ca]\ndefault_ca=any\n[any]\n"
            f"database={path}/index\nnew_certs_dir={path}\nrand_serial=yes\npolicy=policy\n"
            "unique_subject=no\nemail_in_dn=no\n[policy]\ncommonName=supplied\n")
        self.certificate = self.make("root", None, AUTHORITY, subject="proof root")

    def file(self, name, kind="pem"):
        return self.path / f"{name}.{kind}"

    def make(
            self, name, issuer, extensions, key=EC, digest="sha256", start=NOW, end=LATER, subject=rig.HOST):
        """Path of a certificate signed by `issuer`, or by itself."""
        openssl("req", "-newkey", *key, "-nodes", "-keyout", self.file(name, "key"),
                "-out", self.file(name, "csr"), "-subj", f"/CN={subject}")
        self.file(name, "ext").write_text("\n".join(extensions) + "\n")
        signer = ["-selfsign", "-keyfile", self.file(name, "key")] if issuer is None else [
            "-cert", self.file(issuer), "-keyfile", self.file(issuer, "key")]
        openssl("ca", "-batch", "-notext", "-config", self.configuration, *signer, "-in", self.file(name, "csr"),
                "-out", self.file(name), "-extfile", self.file(name, "ext"), "-md", digest,
                "-startdate", start or "250101000000Z", "-enddate", end)
        return self.file(name)

    def server(self, name, *chain, ciphers=None, versions=None):
        """A server that shows certificate `name` and what `chain` names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A server that does wrong must be let to.
        context.set_ciphers(f"{ciphers or 'ALL'}:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        if versions:
            context.minimum_version, context.maximum_version = versions
        if name:
            bundle = self.file(f"{name}-shown")
            bundle.write_text("".join(self.file(each).read_text() for each in (name, *chain)))
            context.load_cert_chain(bundle, self.file(name, "key"))
        return context

    def controls(self):
        """Servers that must be believed, by name: who refuses everything has proved nothing."""
        self.make("good", "root", LEAF)
        self.make("good-middle", "root", AUTHORITY, subject="good middle")
        self.make("good-below", "good-middle", LEAF, key=RSA)
        # What `openssl req -x509` makes, and many a private upstream shows: RFC 5280 has nothing against it.
        self.make("good-authority", "root", (AUTHORITY[0], *LEAF[1:]))
        modern = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
        return {
            "good": self.server("good"),
            "good, RSA, behind an intermediate": self.server("good-below", "good-middle"),
            "good, with CA:TRUE": self.server("good-authority"),
            "good, TLS 1.2 only": self.server("good", versions=modern),
        }

    def traps(self):
        """All that must be refused."""
        return [Trap(name, words, context) for name, words, context in self._traps()]

    def _traps(self):
        yield from self._times()
        yield from self._names()
        yield from self._chains()
        yield from self._uses()
        yield from self._strengths()
        yield from self._protocols()

    def _leaf(self, name, extensions=LEAF, issuer="root", chain=(), **more):
        self.make(name, issuer, extensions, **more)
        return self.server(name, *chain)

    def _times(self):
        yield "expired", "expired", self._leaf("expired", start=PAST, end=BEFORE)
        yield "not yet valid", "not yet valid", self._leaf("future", start=LATER, end=FUTURE)
        self.make("old-middle", "root", AUTHORITY, start=PAST, end=BEFORE, subject="old middle")
        yield "intermediate expired", "expired", self._leaf("under-old", issuer="old-middle", chain=["old-middle"])

    def _names(self):
        def named(name, names, subject="other.test"):
            extensions = [*LEAF[:2], *([f"subjectAltName={names}"] if names else [])]
            return self._leaf(name, extensions, subject=subject)

        yield "wrong host", "hostname mismatch", named("other", "DNS:other.test")
        yield "right host in the subject alone", "hostname mismatch", named("subject-only", None, rig.HOST)
        yield "right host in the subject, another as a name", "hostname mismatch", named(
            "both", "DNS:other.test", rig.HOST)
        yield "address instead of the host", "hostname mismatch", named("address", "IP:127.0.0.1")
        yield "wildcard for a whole top level", "hostname mismatch", named("star", "DNS:*.test")
        yield "longer name that begins with the host", "hostname mismatch", named("longer", f"DNS:{rig.HOST}.evil.test")

    def _chains(self):
        self.make("stranger", None, AUTHORITY, subject="stranger")
        yield "unknown authority", "local issuer", self._leaf("unknown", issuer="stranger")
        yield "unknown authority, shown along", "self-signed certificate in", self._leaf(
            "unknown-shown", issuer="stranger", chain=["stranger"])
        self.make("impostor", None, AUTHORITY, subject="proof root")
        yield "authority of the right name with another key", "signature|local issuer|self-signed", self._leaf(
            "fake", issuer="impostor", chain=["impostor"])
        yield "self-signed", "self-signed", self._leaf("own", issuer=None)
        self.make("middle", "root", AUTHORITY, subject="middle")
        yield "incomplete chain", "local issuer", self._leaf("incomplete", issuer="middle")
        self.make("plain", "root", LEAF, subject="plain leaf")
        yield "issued by a leaf (CA:FALSE)", "CA|issuer", self._leaf("by-leaf", issuer="plain", chain=["plain"])
        self.make("no-sign", "root", (AUTHORITY[0], "keyUsage=critical,digitalSignature"), subject="no sign")
        yield "issued by one that may not sign certificates", "key usage|issuer|CA", self._leaf(
            "by-no-sign", issuer="no-sign", chain=["no-sign"])
        self.make("short", "root", ("basicConstraints=critical,CA:TRUE,pathlen:0", AUTHORITY[1]), subject="short")
        self.make("too-far", "short", AUTHORITY, subject="too far")
        yield "chain longer than it may be", "path length", self._leaf(
            "far", issuer="too-far", chain=["too-far", "short"])
        elsewhere = "nameConstraints=critical,permitted;DNS:elsewhere.test"
        self.make("bound", "root", (*AUTHORITY, elsewhere), subject="bound")
        yield "authority for other names only", "permitted subtree|subtree", self._leaf(
            "outside", issuer="bound", chain=["bound"])

    def _uses(self):
        def used(name, *extensions):
            return self._leaf(name, (LEAF[0], LEAF[2], *extensions))

        yield "for clients only (extended key usage)", "purpose", used("client", "extendedKeyUsage=clientAuth")
        yield "for code signing only", "purpose", used("code", "extendedKeyUsage=codeSigning")
        yield "key for certificates only (key usage)", "purpose|key usage", used(
            "ca-key", "keyUsage=critical,keyCertSign")
        yield "critical extension that nobody knows", "critical", used(
            "odd", "1.2.3.4.5.6=critical,ASN1:UTF8String:proof")

    def _strengths(self):
        yield "RSA of 1024 bits", "key too small|too weak", self._leaf("weak", key=WEAK_RSA)
        self.make("weak-middle", "root", AUTHORITY, key=WEAK_RSA, subject="weak middle")
        yield "intermediate's RSA of 1024 bits", "key too|too weak", self._leaf(
            "under-weak", issuer="weak-middle", chain=["weak-middle"])
        yield "signed with SHA-1", "digest|md too weak|too weak", self._leaf("sha1", digest="sha1")
        self.make("rsa-middle", "root", AUTHORITY, key=RSA, subject="rsa middle")
        yield "signed with MD5", "digest|md too weak|too weak", self._leaf(
            "md5", issuer="rsa-middle", chain=["rsa-middle"], digest="md5")

    def _protocols(self):
        one, two = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        modern = ssl.TLSVersion.TLSv1_2
        words = "protocol|version|alert|handshake|ended"
        yield "TLS 1.0 only", words, self.server("good", versions=(one, one))
        yield "TLS 1.1 only", words, self.server("good", versions=(two, two))
        yield "no certificate (anonymous)", words, self.server(None, ciphers="aNULL", versions=(modern, modern))
        yield "no encipherment (NULL)", words, self.server("good", ciphers="eNULL", versions=(modern, modern))
