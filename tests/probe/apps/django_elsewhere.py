"""The urlconf that a middleware of django_app chooses."""

from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("elsewhere/<slug:name>/", lambda request, name: HttpResponse(name))]
