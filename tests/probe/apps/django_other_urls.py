"""The urlconf that a middleware of the routing tests chooses."""

from django.urls import path

from tests.probe.apps.django_routes_urls import failing, rendering, view

urlpatterns = [
    path("noted/<int:other>/", view),
    path("failing/<slug:word>/", failing),
    path("rendering/", rendering),
]
