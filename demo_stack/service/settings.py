"""Django settings; what differs between places comes from `PHOTOS_*` variables."""

from os import environ

_PACKAGE = __package__

DEBUG = False
SECRET_KEY = environ["PHOTOS_SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = f"{_PACKAGE}.urls"
INSTALLED_APPS = ["django.contrib.postgres", _PACKAGE]
#: Callers are told apart by a header, not a cookie, so there is no session to forge across sites.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    f"{_PACKAGE}.viewer.ViewerMiddleware",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": environ["PHOTOS_POSTGRES_PORT"],
        "NAME": environ.get("PHOTOS_POSTGRES_DATABASE", "photos"),
        "USER": environ.get("PHOTOS_POSTGRES_USER", "photos"),
        "PASSWORD": environ["PHOTOS_POSTGRES_PASSWORD"],
        "CONN_MAX_AGE": None,
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": environ["PHOTOS_MEMCACHED"],
        "KEY_PREFIX": "photos",
    }
}
REDIS_URL = environ["PHOTOS_REDIS_URL"]
CELERY_BROKER_URL = environ["PHOTOS_BROKER_URL"]

MEDIA_ROOT = environ["PHOTOS_MEDIA_ROOT"]
UPLOAD_BYTES_MAX = 5_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_BYTES_MAX

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # A 4xx is the client's affair.
    "loggers": {"django.request": {"level": "ERROR"}},
}
