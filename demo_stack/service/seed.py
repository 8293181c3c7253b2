"""Fill an empty database from a seed: people, photos, who follows whom. Safe to run again.

python -m photos.seed
"""

import io
import os
import random
from datetime import timedelta

import django

SEED = 2012
USERS = 370
PHOTOS_EACH = 18
FOLLOWS_EACH = 60
SAMPLE_PHOTOS = 6
WORDS = (
    "light morning evening golden walk river friends quiet window blue shadow corner bread market "
    "train bridge summer rain slow dinner old new first last little home away road sea"
)


def main():
    """Migrate, then seed if nobody is there."""
    from django.core.management import call_command

    from .models import User
    from .redis_client import redis_client

    call_command("migrate", verbosity=0, interactive=False)
    if not User.objects.exists():
        seed_tables(random.Random(SEED))
    if not redis_client().exists("interactions:1"):
        seed_interactions(random.Random(SEED))


def seed_tables(rng):
    """Everything in the database and the storage, the same for the same `rng`."""
    from django.core.management.color import no_style
    from django.db import connection, transaction

    from .models import Follow, Like, Media, User

    with transaction.atomic():
        User.objects.bulk_create(_users(User))
        Media.objects.bulk_create(_media(Media, rng, _sample_photos(rng)), batch_size=1000)
        Follow.objects.bulk_create(_follows(Follow, rng))
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(
                no_style(), [User, Media, Follow, Like]
            ):
                cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _users(model):
    return [
        model(id=id, name=f"user-{id}", biography=f"Photos by user {id}.", followers=FOLLOWS_EACH)
        for id in range(1, USERS + 1)
    ]


def _media(model, rng, samples):
    """`PHOTOS_EACH` photos of each user over the last 30 days, newest last."""
    from django.utils import timezone

    from .ranking.context import TOPICS

    now = timezone.now()
    words = WORDS.split()
    field = model._meta.get_field("posted_at")
    field.auto_now_add = False
    count = USERS * PHOTOS_EACH
    rows = []
    for number in range(1, count + 1):
        views = int(rng.lognormvariate(6.0, 1.2)) + 10
        topics = rng.sample(TOPICS, 5)
        image, width, height = samples[number % len(samples)]
        rows.append(
            model(
                id=number,
                author_id=rng.randrange(1, USERS + 1),
                caption=" ".join(
                    [*rng.choices(words, k=8), *(f"#{topic}" for topic in topics[:3])]
                ),
                topics=topics,
                posted_at=now - timedelta(seconds=(count - number) * 390 + rng.random() * 360),
                likes=int(views * rng.betavariate(2, 12)),
                comments=int(views * rng.betavariate(1, 40)),
                saves=int(views * rng.betavariate(1, 60)),
                views=views,
                width=width,
                height=height,
                image=image,
                thumbnail=image,
            )
        )
    return rows


def _follows(model, rng):
    return [
        model(follower_id=follower, followee_id=followee)
        for follower in range(1, USERS + 1)
        for followee in rng.sample(
            [user for user in range(1, USERS + 1) if user != follower], FOLLOWS_EACH
        )
    ]


def _sample_photos(rng):
    """Real photos in the storage that the seeded rows share: (name, width, height)."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from PIL import Image

    samples = []
    for number in range(SAMPLE_PHOTOS):
        width, height = rng.choice(((1080, 1350), (1080, 1080), (1080, 608)))
        left, right = (tuple(rng.randrange(256) for _ in range(3)) for _ in range(2))
        blend = Image.linear_gradient("L").resize((width, height))
        photo = Image.composite(
            Image.new("RGB", (width, height), left), Image.new("RGB", (width, height), right), blend
        )
        encoded = io.BytesIO()
        photo.save(encoded, "JPEG", quality=80)
        name = f"samples/{number}.jpg"
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(encoded.getvalue()))
        samples.append((name, width, height))
    return samples


def seed_interactions(rng):
    """Everybody has had a little to do with everybody, so the number of authors stays as it is."""
    from .redis_client import redis_client

    pipe = redis_client().pipeline()
    for viewer in range(1, USERS + 1):
        pipe.hset(
            f"interactions:{viewer}",
            mapping={str(author): round(rng.expovariate(0.2), 3) for author in range(1, USERS + 1)},
        )
    pipe.execute()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{__package__}.settings")
    django.setup()
    main()
