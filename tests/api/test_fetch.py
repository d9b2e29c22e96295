"""Query by URL: what is fetched, and all that must never be.

The server is real and speaks TLS on loopback; resolver, policy and trust are handed in.
"""

import asyncio
import datetime
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from search_api.fetch import Fetcher, is_public
from search_api.problems import UrlRefused, UrlUnreachable

HOSTS = ("images.test", "*.cdn.test")


class Images(BaseHTTPRequestHandler):
    """Answers by path; `asked` notes every request that came."""

    asked: ClassVar[list[tuple[str | None, str]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.headers["host"], self.path))
        name, _, rest = self.path.strip("/").partition("?")
        if name == "redirect":
            self.send_response(302)
            self.send_header("location", rest)
            self.end_headers()
            return
        if name == "slow":
            time.sleep(3)
        self.send_response(404 if name == "absent" else 200)
        if name == "gzip":
            self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.wfile.write(bytes(5000) if name == "large" else b"an image")

    def log_message(self, *_: object) -> None:
        pass


def certify(folder: Path) -> Path:
    """A certificate and its key, for the hosts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "images.test")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "cert.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *private))
    return path


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certify(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def port(trust: Path) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Images)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trust)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(autouse=True)
def forget() -> None:
    Images.asked.clear()


class Names:
    """A resolver that says one thing after the other and notes what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), list[str]()

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def fetch(url: str, port: int, trust: Path, names: Names, **options: object) -> bytes:
    """Fetch where loopback, and nothing else that is not public, is allowed."""
    fetcher = Fetcher(
        HOSTS,
        1000,
        port=port,
        resolve=names,
        trust=ssl.create_default_context(cafile=trust),
        **{"allowed": lambda ip: ip == "127.0.0.1" or is_public(ip), "seconds": 5.0, **options},
    )
    return asyncio.run(fetcher.fetch(url))


@pytest.mark.parametrize("host", ["images.test", "a.cdn.test"])
def test_an_image_of_a_listed_host_is_fetched_from_the_address_that_was_checked(
    port: int, trust: Path, host: str
) -> None:
    names = Names(["127.0.0.1"])
    assert fetch(f"https://{host}/a.png?x=1", port, trust, names) == b"an image"
    assert (names.asked, Images.asked) == ([host], [(host, "/a.png?x=1")])
    redirect = f"https://{host}/redirect?https://images.test/b.png"
    assert fetch(redirect, port, trust, Names(["127.0.0.1"])) == b"an image"


@pytest.mark.parametrize(
    "url",
    [
        "http://images.test/",
        "file:///etc/passwd",
        "gopher://images.test/",
        "ftp://images.test/",
        "//images.test/",
        "https://elsewhere.test/",
        "https://images.test.elsewhere.test/",
        "https://cdn.test/",
        "https://notcdn.test/",
        "https://images.test:8443/",
        "https://user@images.test/",
        "https://images.test@elsewhere.test/",
        "https://elsewhere.test#images.test",
        "https://elsewhere.test\\\\@images.test.x/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::1/",
        "https://localhost/",
        "https://images.test:99999/",
        "",
    ],
)
def test_another_url_is_refused_before_a_name_is_resolved(port: int, trust: Path, url: str) -> None:
    names = Names(["127.0.0.1"])
    with pytest.raises(UrlRefused):
        fetch(url, port, trust, names)
    assert (names.asked, Images.asked) == ([], [])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_no_address_but_a_public_one(port: int, trust: Path, address: str) -> None:
    assert not is_public(address)
    for answer in ([address], ["93.184.215.14", address]):
        with pytest.raises(UrlRefused, match="not public"):
            fetch("https://images.test/", port, trust, Names(answer), allowed=is_public)
    assert Images.asked == []


def test_public_addresses_are_public() -> None:
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


def test_a_name_is_resolved_once_so_there_is_nothing_to_rebind(port: int, trust: Path) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    assert fetch("https://images.test/", port, trust, names) == b"an image"
    assert names.asked == ["images.test"]
    with pytest.raises(UrlRefused, match="not public"):
        fetch("https://images.test/redirect?/b", port, trust, Names(["127.0.0.1"], ["10.0.0.1"]))


@pytest.mark.parametrize(
    "target",
    [
        "http://images.test/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://elsewhere.test/",
        "file:///etc/passwd",
        "gopher://images.test/",
        "https://images.test:22/",
        "//elsewhere.test/",
    ],
)
def test_a_redirect_goes_through_the_same_gate(port: int, trust: Path, target: str) -> None:
    with pytest.raises(UrlRefused):
        fetch(f"https://images.test/redirect?{target}", port, trust, Names(["127.0.0.1"]))
    assert len(Images.asked) == 1


def test_redirects_end(port: int, trust: Path) -> None:
    nested = "https://images.test/" + "redirect?/" * 5
    with pytest.raises(UrlRefused, match="more than 3 redirects"):
        fetch(nested, port, trust, Names(["127.0.0.1"]))
    assert len(Images.asked) == 4


@pytest.mark.parametrize(
    ("path", "error", "found"),
    [
        ("large", UrlRefused, "more than 1,000 bytes"),
        ("gzip", UrlRefused, "a compressed answer"),
        ("absent", UrlUnreachable, "answered with 404"),
        ("slow", UrlUnreachable, "TimeoutError"),
    ],
)
def test_limits(port: int, trust: Path, path: str, error: type[Exception], found: str) -> None:
    with pytest.raises(error, match=found):
        fetch(f"https://images.test/{path}", port, trust, Names(["127.0.0.1"]), seconds=1.0)


def test_a_certificate_of_another_host_is_not_believed(
    port: int, trust: Path, tmp_path: Path
) -> None:
    with pytest.raises(UrlUnreachable, match="ConnectError"):
        fetch("https://images.test/", port, certify(tmp_path), Names(["127.0.0.1"]))
    assert Images.asked == []


def test_without_a_list_the_service_fetches_nothing(client: httpx.Client) -> None:
    for url in ("https://images.test/", "http://127.0.0.1:1/", "file:///etc/passwd"):
        answer = client.post("/v1/search", json={"url": url})
        assert (answer.status_code, answer.json()["type"]) == (
            422,
            "urn:lineup:problem:url-refused",
        )
    both = client.post("/v1/search", json={"url": "https://images.test/", "id": "0" * 64})
    assert both.status_code == 422
