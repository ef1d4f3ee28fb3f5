"""What a picture's file says about itself: that it was made, by what and how, in words that other programs read.

XMP with IPTC's digital source type and its properties for pictures made by AI (IPTC Photo Metadata 2025.1), and for
PNG the whole provenance as text.
"""

import io
import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from c2m.design.models import PictureKind

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPE = {PictureKind.CONCEPT: "trainedAlgorithmicMedia", PictureKind.SKETCH: "algorithmicMedia"}
TITLE = {
    PictureKind.CONCEPT: "AI concept, not a finished product",
    PictureKind.SKETCH: "Sketch, not a finished product",
    PictureKind.PHOTO: "Photograph",
}
PERSONAL = ("by", "filename", "original_sha256")  # its own house reads these, nobody else


def public_part(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What everybody may read of how a picture was made."""
    return {name: value for name, value in provenance.items() if name not in PERSONAL}


def png(image: Image.Image, kind: PictureKind, provenance: Mapping[str, Any]) -> bytes:
    """The picture as a PNG that carries its title, its whole provenance as JSON, and XMP."""
    info = PngInfo()
    info.add_itxt("Title", TITLE[kind])
    info.add_itxt("c2m:provenance", json.dumps(provenance, ensure_ascii=False))
    if described := xmp(kind, provenance):
        info.add_itxt("XML:com.adobe.xmp", described)
    out = io.BytesIO()
    image.convert("RGB").save(out, "PNG", pnginfo=info)
    return out.getvalue()


def webp(image: Image.Image, kind: PictureKind, provenance: Mapping[str, Any]) -> bytes:
    """The picture as a WebP that carries XMP."""
    out = io.BytesIO()
    image.convert("RGB").save(out, "WEBP", quality=90, method=4, xmp=xmp(kind, provenance).encode())
    return out.getvalue()


def xmp(kind: PictureKind, provenance: Mapping[str, Any]) -> str:
    """An XMP packet that says how the picture was made; empty for a photograph, of which we know nothing."""
    if kind not in SOURCE_TYPE:
        return ""
    prompt = provenance.get("prompt") or provenance.get("brief") or ""
    said = {
        "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPES + SOURCE_TYPE[kind],
        "photoshop:Headline": TITLE[kind],
        "photoshop:Instructions": json.dumps(provenance, ensure_ascii=False),
        "xmp:CreatorTool": "c2m",
        "xmp:CreateDate": provenance.get("asked_at", ""),
    }
    if kind is PictureKind.CONCEPT:
        said |= {
            "Iptc4xmpExt:AISystemUsed": provenance.get("model", ""),
            "Iptc4xmpExt:AISystemVersionUsed": provenance.get("revision", ""),
            "Iptc4xmpExt:AIPromptInformation": prompt,
            "Iptc4xmpExt:AIPromptWriterName": provenance.get("by", ""),
        }
    properties = " ".join(f"{name}={quoteattr(str(value))}" for name, value in said.items() if value)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        f"{properties}/></rdf:RDF></x:xmpmeta>"
    )
