"""C2PA (Content Credentials): who claims what of a file's origin, read by the C2PA library.

The library is an extra. Without it the presence of a manifest is told, which needs no parsing.
"""

import io
import json
from typing import Any, Final

MARKS: Final = (b"jumb", b"c2pa")
"""Box type and label of a C2PA manifest store, in every format that embeds one (C2PA 2.1, 11)."""

OFFLINE: Final = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
"""A file must not make us ask a server that its maker has chosen."""


def claims(data: bytes, media_type: str) -> dict[str, Any]:
    """{"present", "state", "manifests", "note"} of the manifest that is embedded in a file.

    `present` is False without one; then the rest is None. `state` is the library's own word on
    the signature ("Valid": whole, its signer known to nobody; "Trusted"; "Invalid"),
    `manifests` its report. Both are None, with a `note` that says why, where there is a
    manifest that cannot be read here.
    """
    absent: dict[str, Any] = {"present": False, "state": None, "manifests": None, "note": None}
    if not all(mark in data for mark in MARKS):
        return absent
    try:
        import c2pa
    except ImportError:
        note = "a C2PA manifest, not read; pip install 'lineup[c2pa]'"
        return {**absent, "present": True, "note": note}
    try:
        context = c2pa.Context.from_dict(OFFLINE)
        with c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader:
            report = json.loads(reader.json())
            state = reader.get_validation_state()
    except c2pa.C2paError.ManifestNotFound:
        return absent
    except c2pa.C2paError as error:
        return {**absent, "present": True, "note": f"a C2PA manifest that cannot be read: {error}"}
    return {"present": True, "state": state, "manifests": report, "note": None}
