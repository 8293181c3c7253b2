"""What the service stores in PostgreSQL."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models


class User(models.Model):  # type: ignore[misc]
    """A person with a profile."""

    name = models.SlugField(max_length=40, unique=True)
    biography = models.TextField(default="")
    followers = models.PositiveIntegerField(default=0)


class Media(models.Model):  # type: ignore[misc]
    """A photo; `image` and `thumbnail` are names in the storage, empty until they exist."""

    author = models.ForeignKey(User, models.CASCADE)
    caption = models.TextField()
    topics = models.JSONField(default=list)
    posted_at = models.DateTimeField(auto_now_add=True, db_index=True)
    likes = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    saves = models.PositiveIntegerField(default=0)
    views = models.PositiveIntegerField(default=1)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    image = models.CharField(max_length=200, default="")
    thumbnail = models.CharField(max_length=200, default="")

    class Meta:
        indexes = [
            models.Index(fields=["author", "-posted_at"], name="media_by_author"),
            GinIndex(SearchVector("caption", config="simple"), name="media_by_words"),
        ]


class Follow(models.Model):  # type: ignore[misc]
    """`follower` sees the photos of `followee`."""

    follower = models.ForeignKey(User, models.CASCADE, related_name="+")
    followee = models.ForeignKey(User, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["follower", "followee"], name="follow_once")]


class Like(models.Model):  # type: ignore[misc]
    """`user` likes `media`."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    media = models.ForeignKey(Media, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "media"], name="like_once")]
