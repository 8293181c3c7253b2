"""The API: every route in one place."""

from django.urls import path

from .views.feed import feed
from .views.health import health
from .views.media import like, media_collection, media_detail
from .views.search import search
from .views.users import follow, profile

urlpatterns = [
    path("api/v1/feed/", feed),
    path("api/v1/media/", media_collection),
    path("api/v1/media/<int:id>/", media_detail),
    path("api/v1/media/<int:id>/like/", like),
    path("api/v1/users/<int:id>/follow/", follow),
    path("api/v1/users/<slug:name>/", profile),
    path("api/v1/search/", search),
    path("healthz", health),
]
