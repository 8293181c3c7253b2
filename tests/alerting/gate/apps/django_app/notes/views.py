"""Two endpoints."""

import json
import secrets

from django.http import JsonResponse
from django.utils import timezone

from .models import Note
from .shaping import shaped


def notes(request):
    return JsonResponse({"notes": [shaped(note, timezone.now()) for note in Note.objects.all()]})


def add(request):
    title = json.loads(request.body)["title"]
    note = Note.objects.create(title=f"{title} {secrets.token_hex(4)}", written_at=timezone.now())
    return JsonResponse(shaped(note, timezone.now()), status=201)
