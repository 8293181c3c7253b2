"""Photos to upload: real JPEGs, as multipart bodies made once."""

import io
import random
from dataclasses import dataclass

from PIL import Image
from urllib3.filepost import encode_multipart_formdata

from demo_stack.arrivals import UPLOADS

__all__ = ["PhotoUpload", "photo_uploads"]

SIZE = (1080, 1350)


@dataclass(frozen=True, slots=True)
class PhotoUpload:
    """The body of one upload and its Content-Type."""

    body: bytes
    content_type: str


def photo_uploads(seed: int) -> list[PhotoUpload]:
    """`UPLOADS` different photos, the same for the same seed."""
    rng = random.Random(seed)
    return [_upload(rng, number) for number in range(UPLOADS)]


def _upload(rng: random.Random, number: int) -> PhotoUpload:
    tiles = Image.frombytes("RGB", (9, 11), rng.randbytes(9 * 11 * 3))
    encoded = io.BytesIO()
    tiles.resize(SIZE, Image.Resampling.BICUBIC).save(encoded, "JPEG", quality=85)
    body, content_type = encode_multipart_formdata(
        {
            # No word that is searched for: what searches find stays what it was.
            "caption": f"upload number {number} of today #new",
            "image": ("photo.jpg", encoded.getvalue(), "image/jpeg"),
        },
        boundary="photo-of-the-demo",
    )
    return PhotoUpload(body, content_type)
