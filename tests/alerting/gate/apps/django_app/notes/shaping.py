"""Notes as the API shows them."""


def shaped(note, now):
    return {"id": note.pk, "title": note.title, "words": words(note.title), "age": age(note, now)}


def words(title):
    return sorted(word.lower() for word in title.split())


def age(note, now):
    return round((now - note.written_at).total_seconds())
