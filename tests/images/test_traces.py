"""What a file says of itself, read back from real files."""

import io
import sys
from datetime import UTC, datetime, timedelta

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hostile import picture
from PIL import ExifTags, Image, PngImagePlugin

from indexer.images.traces import MAX_TEXT, traces

NONE = {"present": False, "state": None, "manifests": None, "note": None}
SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
EMPTY = {"exif": {}, "xmp": {}, "text": {}, "c2pa": NONE, "notes": []}


def saved(format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture(1).save(out, format_, **options)
    return out.getvalue()


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_a_bare_file_says_nothing_of_itself(format_: str) -> None:
    found = traces(saved(format_))
    if format_ == "TIFF":  # its header is made of EXIF's own tags
        found["exif"] = {}
    if format_ == "GIF":
        found["text"] = {}
    assert found == EMPTY


def test_exif_is_named_with_its_parts() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Camera 1"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 30.0, 0.0)
    found = traces(saved("JPEG", exif=exif, comment=b"by hand"))
    assert found["exif"] == {
        "Model": "Camera 1",
        "DateTimeOriginal": "2024:01:02 03:04:05",
        "GPSLatitude": "52.0, 30.0, 0.0",
    }
    assert found["text"] == {"comment": "by hand"}


def test_png_text_and_xmp_are_kept_apart_and_cut_where_long() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cat, steps: 20")
    info.add_text("long", "x" * (MAX_TEXT + 1), zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    found = traces(saved("PNG", pnginfo=info))
    assert found["text"] == {"parameters": "a cat, steps: 20", "long": "x" * MAX_TEXT}
    assert next(iter(found["xmp"].values())) == "<x:xmpmeta/>"
    assert found["notes"] == [f"text, long: {MAX_TEXT + 1:,} characters, cut to {MAX_TEXT:,}"]


def signer() -> c2pa.Signer:
    """A signer that nobody knows: a certificate authority and a certificate of its own."""
    now = datetime.now(UTC)

    def certificate(name, key, issuer, issuer_key, ca):
        subject = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, name)])
        usage = [x509.ExtendedKeyUsageOID.EMAIL_PROTECTION]
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(
                x509.KeyUsage(not ca, False, False, False, False, ca, False, False, False), True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
            )
        )
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), False)
        return builder.sign(issuer_key, hashes.SHA256())

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = certificate("root", root_key, None, root_key, True)
    leaf = certificate("newsroom", key, root.subject, root_key, False)
    pem = serialization.Encoding.PEM
    chain = leaf.public_bytes(pem) + root.public_bytes(pem)
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, chain, private, None)
    return c2pa.Signer.from_info(info)


def with_claim() -> bytes:
    created = {"action": "c2pa.created", "digitalSourceType": SYNTHETIC}
    manifest = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "title": "a picture",
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [created]}}],
    }
    out = io.BytesIO()
    with c2pa.Builder(manifest) as builder:
        builder.sign(signer(), "image/jpeg", io.BytesIO(saved("JPEG")), out)
    return out.getvalue()


def test_a_c2pa_claim_is_read_with_what_its_signature_is_worth() -> None:
    data = with_claim()
    found = traces(data)["c2pa"]
    assert (found["present"], found["state"], found["note"]) == (True, "Valid", None)
    (manifest,) = found["manifests"]["manifests"].values()
    assert manifest["title"] == "a picture"
    assert manifest["signature_info"]["issuer"] == "newsroom"
    altered = bytearray(data)
    altered[-40] ^= 1
    assert traces(bytes(altered))["c2pa"]["state"] == "Invalid"


def test_a_claim_is_told_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_claim()
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert traces(data)["c2pa"] == {
        **NONE,
        "present": True,
        "note": "a C2PA manifest, not read; pip install 'lineup[c2pa]'",
    }
