"""Routes."""

from django.urls import path

from .views import add, notes

urlpatterns = [path("notes/", notes), path("notes/add/", add)]
